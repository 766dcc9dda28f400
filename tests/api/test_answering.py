"""What the cache knows is answered at once (H1, F6): a job at its end from the beginning, no worker asked."""

import asyncio
import signal
import sys
from pathlib import Path

import aiohttp
import psycopg
import pytest

from glaze.model.access import Scope
from glaze.model.icp import Profile
from glaze.model.identity import identify
from glaze.model.value import DEFAULT_WORKSPACE, WorkspaceId
from glaze.store.icp import IcpStore
from tests.api import failing_api
from tests.api.conftest import Client, Service
from tests.api.test_live import subscribed
from tests.docs.standing import free_port, wait_until_up

WS = DEFAULT_WORKSPACE
ACME = {"domain": "acme.com"}
JANE = {"email": "jane@acme.com"}
ASKED = {"input": ACME, "fields": ["company_name"], "wait_s": 0}


async def keep(
    service: Service,
    dsn: str,
    given: dict[str, str] = ACME,
    field: str = "company_name",
    value: str = "Acme",
    *,
    age_days: int = 1,
    others: str = "[]",
    workspace_id: WorkspaceId = WS,
) -> None:
    """Let a source have stated a value with a confidence of 80, ``others`` what else was stated."""
    [(entities, _)] = await service.app.entities.open(workspace_id, [identify(given).keys])
    entity = next(id_ for kind, id_ in entities.items() if field.startswith(kind))
    at = f"now() - interval '{age_days} days'"
    with psycopg.connect(dsn) as owner:
        owner.execute("set search_path = glaze; set session_replication_role = replica")
        owner.execute(
            "insert into call (workspace_id, question_id, generation, request_id, position, reason, wanted,"
            " reserved_micros, deadline) values (%s, 1, (select count(*) + 1 from call), 1, 1, '', '{}', 0, now())",
            (workspace_id,),
        )
        owner.execute(
            "with o as (insert into observation (workspace_id, entity_id, call_id, field, value, confidence,"
            " provider, source_url, cost_micros, retrieved_at)"
            f" select %(ws)s, %(entity)s, max(id), %(field)s, to_jsonb(%(value)s::text), 80, 'website',"
            f" 'https://acme.com/', 9, {at} from call returning *)"
            " insert into entity_field (workspace_id, entity_id, field, value, confidence, observation_id,"
            " retrieved_at, alternatives) select workspace_id, entity_id, field, value, 80, id, retrieved_at,"
            " %(others)s::jsonb from o".encode(),
            {
                "ws": workspace_id,
                "entity": entity,
                "field": field,
                "value": value,
                "others": others,
            },
        )


def jobs(dsn: str) -> int:
    with psycopg.connect(dsn) as owner:
        return int(owner.execute("select count(*) from glaze.job").fetchall()[0][0])


async def test_what_is_known_is_answered_at_once_though_nobody_works(service: Service, dsn: str):
    admin = await service.client()
    await keep(service, dsn)
    assert (await admin.post("/v1/queues/default/pause")).status in {200, 204}
    async with subscribed(admin) as stream:
        told = await admin.post("/v1/enrich", ASKED, X_Correlation_ID="order-7")
        assert told.status == 200, told.body
        heard = await stream.until("completed")
    job, result = told.body, told.body["result"]
    assert (job["state"], job["attempt"], job["correlation_id"]) == ("completed", 0, "order-7")
    assert job["created_at"] <= job["started_at"] <= job["finished_at"]
    name = result["data"]["company_name"]
    assert (name["value"], name["source"], name["source_url"]) == (
        "Acme",
        "website",
        "https://acme.com/",
    )
    assert (name["cached"], name["cost_micros"], result["costs"]["total"]) == (True, 0, 0)
    assert [one["name"] for one in result["stages"]] == ["cache", "merge_validate"]
    assert (result["status"], result["missing"]) == ("success", [])
    assert told.headers["RateLimit"].startswith('"key";r=')
    assert [(one.data["type"], one.data["job_id"]) for one in heard] == [
        ("enqueued", job["id"]), ("completed", job["id"]),
    ]  # fmt: skip
    # It is a job like any other: followed, listed, found by its words, counted, opened again.
    assert (await admin.get(f"/v1/jobs/{job['id']}")).body == job
    for listed in ("?state=completed", "?text=acme", "?kind=enrich"):
        assert [one["id"] for one in (await admin.get(f"/v1/jobs{listed}")).body["items"]] == [
            job["id"]
        ]
    log = (await admin.get(f"/v1/jobs/{job['id']}/log")).body
    assert [one["type"] for one in log] == ["enqueued", "completed"]
    fared = (await admin.get("/v1/metrics")).body["sample"]
    assert (fared["jobs"], fared["cache"]["rate"], fared["cost_micros"]) == (1, 1.0, 0)
    scraped = (await admin.get("/metrics")).body
    assert 'glaze_enrichments_total{about="company",llm="no",status="success"} 1.0' in scraped
    assert (await admin.post(f"/v1/jobs/{job['id']}/retry")).body["state"] == "pending"
    with psycopg.connect(dsn) as owner:  # nobody was asked, and no money touched
        for table in ("vendor_request", "question", "budget"):
            assert owner.execute(f"select count(*) from glaze.{table}".encode()).fetchone() == (0,)


async def test_a_page_is_answered_too_and_a_decision_whatever_its_age_with_its_score(
    service: Service,
):
    admin = await service.client()
    page = {"linkedin_url": "https://www.linkedin.com/company/acme"}
    await service.app.entities.open(WS, [identify(page).keys])
    await service.app.deciding.choose(WS, page, "company_name", "Acme Inc")
    criteria = [{"field": "company_name", "any_of": ["Acme Inc"]}]
    await IcpStore(service.app.db).put(WS, Profile.model_validate({"criteria": criteria}))
    asked = {"url": page["linkedin_url"], "fields": ["name"], "wait_s": 0, "skip_cache": True}
    told = await admin.post("/v1/enrich/linkedin-company", asked)
    assert told.status == 200, told.body
    name = told.body["result"]["data"]["company_name"]
    assert (name["value"], name["source"]) == ("Acme Inc", "user")
    assert told.body["result"]["icp"]["score"] == 100


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ({}, {"age_days": 8}),
        ({"skip_cache": True}, {}),
        ({"fields": ["company_name", "company_phone"]}, {}),
        ({"min_confidence": 81}, {}),
        (
            {"verify": True},
            {"others": '[{"value": "Zenith", "confidence": 9, "source": "apollo"}]'},
        ),
        ({"input": {"domain": "acme.com", "account_id": "7"}}, {}),  # a key that is new
        ({"input": {"domain": "other.com"}}, {}),
    ],
    ids=["stale", "skipped", "missing", "below the floor", "doubted", "new key", "unknown"],
)
async def test_what_somebody_would_have_to_be_asked_about_goes_the_ordinary_way(
    service: Service, dsn: str, body: dict, kept: dict
):
    client = await service.client(Scope.WRITE)
    await keep(service, dsn, **kept)
    told = await client.post("/v1/enrich", ASKED | body)
    assert (told.status, told.body["state"]) == (202, "pending"), told.body
    assert jobs(dsn) == 1


async def test_floors_that_the_workspace_set_and_faults_of_the_body_count_as_ever(
    service: Service, theirs: Client, dsn: str
):
    admin = await service.client()
    await keep(service, dsn)
    for wrong in ({"providers": ["nobody"]}, {"order": ["nobody"]}, {"input": {"shoe_size": "9"}}):
        assert (await admin.post("/v1/enrich", ASKED | wrong)).status == 422
    assert (await theirs.post("/v1/enrich", ASKED)).status == 202  # their cache knows nothing
    rule = {"field": "company_name", "min_confidence": 81}
    assert (await admin.ask("PUT", "/v1/order", rule)).status == 200
    assert (await admin.post("/v1/enrich", ASKED)).status == 202
    assert jobs(dsn) == 2


async def test_one_key_is_one_job_also_for_twenty_who_ask_at_once(service: Service, dsn: str):
    client = await service.client(Scope.WRITE)
    other = ASKED | {"input": {"domain": "other.com"}}
    first = await client.post("/v1/enrich", other, Idempotency_Key="early")
    assert first.status == 202
    for one in (ACME, other["input"]):
        await keep(service, dsn, one)
    # Made before it was known: the key names that job still, and another body is another body.
    again = await client.post("/v1/enrich", other, Idempotency_Key="early")
    assert (again.status, again.body["id"]) == (202, first.body["id"])
    asked = [client.post("/v1/enrich", ASKED, Idempotency_Key="one") for _ in range(20)]
    mixed = [client.post("/v1/enrich", ASKED | {"wait_s": 1}, Idempotency_Key="early"), *(
        client.post("/v1/enrich", ASKED) for _ in range(5)
    )]  # fmt: skip
    told = await asyncio.gather(*asked, *mixed)
    assert {(one.status, one.body["id"]) for one in told[:20]} == {(200, told[0].body["id"])}
    assert (told[20].status, told[20].body["code"]) == (422, "idempotency_conflict")
    # One that is refused costs its neighbours nothing.
    assert [one.status for one in told[21:]] == [200] * 5
    assert len({one.body["id"] for one in told[21:]}) == 5
    skipped = await client.post("/v1/enrich", ASKED | {"skip_cache": True}, Idempotency_Key="one")
    assert (skipped.status, skipped.body["code"]) == (422, "idempotency_conflict")
    assert jobs(dsn) == 7


async def test_of_a_suppressed_person_nothing_is_answered_and_others_are(
    service: Service, dsn: str
):
    admin = await service.client()
    joe = {"email": "joe@acme.com"}
    for who in (JANE, joe):
        await keep(service, dsn, who, "person_title", "CTO")
    asked = [{"input": who, "fields": ["person_title"], "wait_s": 0} for who in (JANE, joe)]
    assert (await admin.post("/v1/enrich", asked[0])).status == 200
    assert (await admin.post("/v1/people/suppress", {"input": JANE})).status == 200
    told = await asyncio.gather(*(admin.post("/v1/enrich", body) for body in asked * 3))
    assert [one.status for one in told] == [422, 200] * 3
    assert told[0].body["code"] == "person_suppressed"
    keyed = await admin.post("/v1/enrich", asked[0], Idempotency_Key="jane")
    assert keyed.body["code"] == "person_suppressed"
    assert jobs(dsn) == 4


async def test_an_api_killed_between_commit_and_answer_leaves_the_job_and_the_key_finds_it(
    service: Service, dsn: str
):
    client = await service.client(Scope.WRITE)
    await keep(service, dsn)
    port = free_port()
    command = (str(Path(failing_api.__file__)), dsn, str(port))
    api = await asyncio.create_subprocess_exec(sys.executable, *command)
    await asyncio.to_thread(wait_until_up, port)
    dying = Client(service.http, f"http://127.0.0.1:{port}", client.key)
    with pytest.raises(aiohttp.ClientError):
        await dying.post("/v1/enrich", ASKED, Idempotency_Key="one")
    assert await api.wait() == -signal.SIGKILL
    [left] = (await client.get("/v1/jobs")).body["items"]
    assert left["state"] == "completed"
    again = await client.post("/v1/enrich", ASKED, Idempotency_Key="one")
    assert (again.status, again.body["id"]) == (200, left["id"])
    assert again.body["result"]["data"]["company_name"]["value"] == "Acme"
