"""LinkedIn pages by URL, plans, entities (H1): who is meant, what it would cost, what is known."""

import psycopg
import pytest

from glaze.model.access import Scope
from glaze.model.identity import identify
from glaze.model.value import DEFAULT_WORKSPACE
from tests.api.conftest import Service

PROFILE, COMPANY = "https://www.linkedin.com/in/jane-doe/", "linkedin.com/company/acme"


async def test_a_linkedin_page_is_asked_for_by_its_url_with_the_usual_fields(service: Service):
    client = await service.client(Scope.WRITE)
    for path, url, of in (("profile", PROFILE, "person"), ("company", COMPANY, "company")):
        answer = await client.post(f"/v1/enrich/linkedin-{path}", {"url": url, "wait_s": 0})
        assert answer.status == 202, answer.body
        job = (await client.get(answer.headers["Location"])).body
        assert "linkedin.com" in job["args"]["input"]["linkedin_url"]
        assert f"{of}_country" in job["args"]["required_fields"]
    named = {"linkedin_url": PROFILE, "fields": ["title"], "wait_s": 0, "max_cost_cents": 3}
    answer = await client.post("/v1/enrich/linkedin-profile", named)
    assert answer.body["args"]["required_fields"] == ["person_title"]
    assert answer.body["args"]["max_cost_cents"] == 3


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("profile", {"url": COMPANY}),
        ("company", {"url": PROFILE}),
        ("profile", {"url": "https://example.com/in/jane"}),
        ("profile", {"url": PROFILE, "fields": ["shoe_size"]}),
        ("company", {"url": COMPANY, "also": 1}),
        ("company", {}),
    ],
)
async def test_what_is_no_such_page_is_refused_and_makes_no_job(service: Service, path, body):
    client = await service.client(Scope.WRITE)
    assert (await client.post(f"/v1/enrich/linkedin-{path}", body)).status == 422
    assert (await client.get("/v1/jobs")).body["items"] == []


async def test_a_plan_says_what_rows_would_cost_and_makes_nothing(service: Service, dsn: str):
    client = await service.client(Scope.WRITE)
    rows = [{"domain": "acme.com"}, {"domain": "ACME.com"}, {"domain": "b.com", "name": "B"}]
    fields = ["company_name", "company_phone"]
    told = await client.post("/v1/plan", {"rows": rows, "fields": fields})
    assert told.status == 200, told.body
    plan = told.body
    assert (plan["rows"], plan["rows_seen_before"], plan["values_wanted"]) == (3, 1, 6)
    assert plan["fields"]["company_name"]["given"] == 1
    cost = plan["cost_micros"]
    assert cost["p5"] <= cost["p50"] <= cost["p95"] <= plan["most_micros"]
    assert plan["bind_cents"] * 10_000 >= cost["p95"]
    bad = await client.post("/v1/plan", {"rows": [*rows, {"email": "x"}], "fields": fields})
    assert (bad.status, bad.body["code"]) == (422, "rows_invalid")
    assert bad.body["errors"][0]["path"] == "rows.4"
    for asked in ({"providers": ["nobody"]}, {"order": ["nobody.find"]}):  # it would cost nothing
        bad = await client.post("/v1/plan", {"rows": rows, "fields": fields, **asked})
        assert (bad.status, bad.body["code"]) == (422, "args_invalid")
        assert "no provider is called nobody" in bad.body["detail"]
    reader = await service.client(Scope.READ)
    assert (await reader.post("/v1/plan", {"rows": rows, "fields": fields})).status == 403
    with psycopg.connect(dsn) as owner:
        for table in ("job", "entity", "call"):
            assert owner.execute(f"select count(*) from glaze.{table}".encode()).fetchone() == (0,)


async def test_an_entity_is_found_by_its_keys_and_shows_every_value_with_where_it_is_from(
    service: Service, theirs, dsn: str
):
    client = await service.client()
    known = identify({"domain": "acme.com", "account_id": "7"})
    await service.app.entities.open(DEFAULT_WORKSPACE, [known.keys])
    [found] = (await client.get("/v1/entities?domain=acme.com")).body["items"]
    assert found["kind"] == "company"
    assert {"scheme": "domain", "key": "acme.com"} in found["keys"]
    [by_own_id] = (await client.get("/v1/entities?account_id=7")).body["items"]
    assert by_own_id == found
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("set search_path = glaze")
        state(owner, found["id"], "website", 80, "Acme")
        state(owner, found["id"], "apollo", 95, "Zenith")
    path = f"/v1/entities/{found['id']}"
    entity = (await client.get(path)).body
    name = entity["fields"]["company_name"]
    assert name["source"] in {"apollo", "website"}
    assert name["source_url"] == "https://acme.com/"
    assert {name["value"], *(one["value"] for one in name["alternatives"])} == {"Acme", "Zenith"}
    history = (await client.get(f"{path}/history?field=company_name&limit=1")).body
    assert [one["value"] for one in history["items"]] == ["Zenith"]
    older = (await client.get(f"{path}/history?before={history['next_before']}")).body
    assert [(one["value"], one["provider"]) for one in older["items"]] == [("Acme", "website")]
    assert (await client.get("/v1/entities?kind=person")).body["items"] == []
    assert [one["id"] for one in (await client.get("/v1/entities")).body["items"]] == [found["id"]]
    assert (await client.get("/v1/entities?email=nobody@other.com")).status == 404
    assert (await client.get("/v1/entities?domain=%20")).status == 422
    assert (await theirs.get("/v1/entities")).body["items"] == []
    assert (await theirs.get("/v1/entities?domain=acme.com")).status == 404
    assert (await theirs.get(path)).status == (await theirs.get(f"{path}/history")).status == 404


def state(
    owner: psycopg.Connection, entity: int, provider: str, confidence: int, value: str
) -> None:
    """Let a source state a name, as if it had been asked."""
    owner.execute("set session_replication_role = replica")
    owner.execute(
        "insert into call (workspace_id, question_id, generation, request_id, position, reason, wanted,"
        " reserved_micros, deadline) values (1, (select count(*) + 1 from call), 1, 1, 1, '', '{}', 0, now())"
    )
    owner.execute(
        "insert into observation (workspace_id, entity_id, call_id, field, value, confidence, provider,"
        " source_url, retrieved_at) select 1, %s, max(id), 'company_name', to_jsonb(%s::text), %s, %s,"
        " 'https://acme.com/', now() from call",
        (entity, value, confidence, provider),
    )
