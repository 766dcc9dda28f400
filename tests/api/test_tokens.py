"""Read tokens (H5): a browser shows one for a while, and sees what it is for and nothing else."""

import asyncio
import base64
import json
import re

import jwt
import pytest

from glaze.model.access import Role, Scope
from glaze.model.job import NewJob
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.settings import Settings
from tests.api.conftest import Client, Service, serving
from tests.api.test_batches import CSV, sent
from tests.api.test_sessions import member

WS = DEFAULT_WORKSPACE
HANG_S = 30.0

OPEN = {"/healthz", "/livez", "/readyz", "/v1/worker/run", "/v1/worker/cron", "/v1/events"}
"""What tells nothing of jobs, or is tried below."""


async def token(client: Client, **body: object) -> Client:
    made = await client.post("/v1/tokens", body)
    assert made.status == 201, made.body
    return Client(client.http, client.url, made.body["token"])


async def test_a_token_reads_changes_nothing_and_makes_no_other(service: Service):
    (job,) = await service.app.jobs.enqueue(WS, [NewJob("enrich", {})])
    browser = await token(await service.client(Scope.WRITE))
    assert (await browser.get(f"/v1/jobs/{job}")).status == 200
    assert (await browser.get("/v1/jobs")).status == 200
    for path in ("/v1/jobs", f"/v1/jobs/{job}/cancel", "/v1/keys", "/v1/tokens"):
        answer = await browser.post(path, {"kind": "enrich"} if path == "/v1/jobs" else {})
        assert (answer.status, answer.body["code"]) == (403, "scope_missing"), path


async def test_a_token_for_one_job_sees_that_job_and_no_other_and_no_list(service: Service):
    client = await service.client()
    job, other = await service.app.jobs.enqueue(
        WS, [NewJob("enrich", {"n": 1}), NewJob("enrich", {"n": 2})]
    )
    browser = await token(client, job_id=job)
    for path in (f"/v1/jobs/{job}", f"/v1/jobs/{job}/log", f"/jobs/{job}"):
        assert (await browser.get(path)).status == 200, path

    document = (await client.get("/openapi.json")).body
    reading = [path for path, of in document["paths"].items() if "get" in of]
    assert len(reading) > 8
    for path in reading:
        if path in OPEN:
            continue
        answer = await browser.get(re.sub(r"\{\w+\}", str(other), path))
        assert answer.status in {403, 404}, path
    for query in (f"job={other}", "batch=1"):
        assert (await browser.get(f"/v1/events?{query}")).status == 404


async def test_a_token_for_a_batch_sees_its_rows_alone(service: Service):
    client = await service.client()
    batch, other = [
        (await sent(client, CSV, f"fields=company_name&name={name}")).body["id"] for name in "ab"
    ]
    (job,) = await service.app.jobs.enqueue(WS, [NewJob("enrich", {})])
    browser = await token(client, batch_id=batch)
    for path in ("", "/rows", "/rows/1", "/export"):
        assert (await browser.get(f"/v1/batches/{batch}{path}")).status == 200, path
        assert (await browser.get(f"/v1/batches/{other}{path}")).status == 404, path
    of_job = await token(client, job_id=job)
    assert (await of_job.get(f"/v1/batches/{batch}/rows")).status == 404
    assert (await browser.get("/v1/batches")).status == 404, "no list"
    assert (await browser.post(f"/v1/batches/{batch}/pause")).status == 403
    assert (await browser.get(f"/v1/jobs/{job}")).status == 404
    assert (await browser.get(f"/v1/events?job={job}")).status == 404
    assert (await browser.get(f"/v1/events?batch={other}")).status == 404
    async with browser.http.get(f"{browser.url}/v1/events?access_token={browser.key}") as answer:
        assert answer.status == 200


async def test_a_narrowed_stream_tells_of_nothing_else(service: Service):
    client = await service.client()
    job, other = await service.app.jobs.enqueue(
        WS, [NewJob("enrich", {"n": 1}), NewJob("enrich", {"n": 2})]
    )
    browser = await token(client, job_id=job)
    query = f"after=0-0&access_token={browser.key}"
    async with browser.http.get(f"{browser.url}/v1/events?{query}") as answer:
        await client.post(f"/v1/jobs/{other}/cancel")
        await client.post(f"/v1/jobs/{job}/cancel")
        seen = []
        async with asyncio.timeout(HANG_S):
            async for line in answer.content:
                if line.startswith(b"data: "):
                    seen.append(json.loads(line[6:]))
                    if seen[-1]["type"] == "cancelled":
                        break
    assert [one["job_id"] for one in seen] == [job, job]


async def test_an_expired_token_and_one_of_a_revoked_key_count_no_more(service: Service):
    admin = await service.client()
    made = await admin.post("/v1/keys", {"name": "shop", "scopes": ["read"]})
    shop = Client(service.http, service.url, made.body["key"])
    short, long = await token(shop, ttl_s=1), await token(shop, ttl_s=3600)
    assert (await long.get("/v1/jobs")).status == 200
    async with asyncio.timeout(HANG_S):
        while (await short.get("/v1/jobs")).status != 401:  # noqa: ASYNC110  as a browser asks
            await asyncio.sleep(0.1)
    await admin.ask("DELETE", f"/v1/keys/{made.body['id']}")
    assert (await long.get("/v1/jobs")).status == 401
    assert (await shop.post("/v1/tokens", {"ttl_s": 3601})).status in {401, 422}


def forged(text: str, **changed: object) -> list[str]:
    """Return the token with other claims: under its own signature, none, and others' keys."""
    head, body, signature = text.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "==")) | changed
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return [
        f"{head}.{payload}.{signature}",
        jwt.encode(claims, None, "none") + "AA",
        jwt.encode(claims, None, "none"),
        jwt.encode(claims, b"\x00" * 32, "HS256"),
        jwt.encode(claims, b"read token" * 4, "HS256"),
    ]


async def test_a_forged_token_and_one_of_another_workspace_are_refused(
    service: Service, theirs: Client
):
    (job,) = await service.app.jobs.enqueue(WS, [NewJob("enrich", {})])
    ours, other = await token(await service.client()), await token(theirs)
    assert (await other.get(f"/v1/jobs/{job}")).status == 404
    lies = [
        *forged(other.key or "", ws=1),
        *forged(ours.key or "", exp=99_999_999_999),
        *forged(ours.key or "", ws="1; drop"),
        *forged(ours.key or "", ws=999, sub="key 1"),
        *forged(ours.key or "", ws=None),
        *forged(ours.key or "", ws=1 << 80),
        "a.b.c",
        "..",
    ]
    for lie in lies:
        answer = await Client(service.http, service.url, lie).get("/v1/jobs")
        assert (answer.status, answer.body["code"]) == (401, "key_refused"), lie


async def test_a_key_is_refused_in_a_query_and_a_token_too_where_nothing_is_live(service: Service):
    client = await service.client()
    browser = await token(client)
    for query, path in ((client.key, "/v1/events"), (browser.key, "/v1/jobs")):
        answer = await service.stranger.get(f"{path}?access_token={query}")
        assert answer.status == 401, path


@pytest.mark.parametrize("body", [{"job_id": 999}, {"batch_id": 999}])
async def test_no_token_is_made_for_what_is_not_there(service: Service, body: dict[str, int]):
    answer = await (await service.client()).post("/v1/tokens", body)
    assert (answer.status, answer.body["code"]) == (404, "not_found")


async def test_no_token_is_made_for_another_workspaces_job(service: Service, theirs: Client):
    (job,) = await service.app.jobs.enqueue(WS, [NewJob("enrich", {})])
    assert (await theirs.post("/v1/tokens", {"job_id": job})).status == 404


async def test_pages_of_the_named_origins_may_ask_and_no_others(settings: Settings):
    async def allowed(service: Service, origin: str) -> str | None:
        asking = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        asking |= {"Access-Control-Request-Headers": "authorization"}
        url = f"{service.url}/v1/jobs"
        async with service.http.options(url, headers=asking) as answer:
            assert "Access-Control-Allow-Credentials" not in answer.headers
            return answer.headers.get("Access-Control-Allow-Origin")

    ours = "https://app.example.com"
    async with serving(settings) as closed:
        assert await allowed(closed, ours) is None
    named = Settings(database_url=settings.database_url, api_cors_origins=f"{ours}, http://x:81")
    async with serving(named) as opened:
        assert await allowed(opened, ours) == ours
        assert await allowed(opened, "https://app.example.com.evil.example") is None
        assert await allowed(opened, "null") is None


@pytest.mark.parametrize("origin", ["*", "app.example.com", "https://a.example/path"])
def test_what_is_no_origin_is_refused_at_the_start(origin: str):
    with pytest.raises(ValueError, match="is no origin"):
        Settings(api_cors_origins=origin)


async def test_a_token_that_may_act_does_so_to_its_own_job_and_nothing_else(service: Service):
    admin = await service.client()
    job, other = await service.app.jobs.enqueue(
        WS, [NewJob("enrich", {"n": 1}), NewJob("enrich", {"n": 2})]
    )
    browser = await token(admin, job_id=job, may=["cancel", "retry"])
    for act in ("cancel", "retry"):
        assert (await browser.post(f"/v1/jobs/{other}/{act}")).status == 404, act
        assert (await browser.post(f"/v1/jobs/{job}/{act}")).status == 200, act
        for path in ("/v1/batches/1", "/v1/batches/999"):
            assert (await browser.post(f"{path}/{act}")).status == 404, path
    assert (await admin.get(f"/v1/jobs/{other}")).body["state"] == "pending"
    actions = {"action": "cancel", "ids": [job]}
    assert (await browser.post("/v1/jobs/actions", actions)).status == 403
    assert (await browser.ask("PATCH", f"/v1/jobs/{job}", {"priority": 1})).status == 403
    assert (await browser.post("/v1/tokens", {"job_id": job, "may": ["retry"]})).status == 404
    cancels = await token(admin, job_id=job, may=["cancel"])
    assert (await cancels.post(f"/v1/jobs/{job}/cancel")).status == 200
    assert (await cancels.post(f"/v1/jobs/{job}/retry")).status == 403, "that it may not"
    deeds = (await admin.get("/v1/audit")).body["items"]
    assert [one["action"] for one in deeds].count("token.create") == 2


async def job_of_a_row(service: Service, batch: int) -> int:
    async with service.app.db.workspace(WS) as conn:
        found = await conn.execute("select id from job where batch_id = %s", (batch,))
        row = await found.fetchone()
    assert row is not None
    return int(row["id"])


async def test_a_token_that_may_act_on_a_batch_leaves_others_and_other_jobs_alone(
    service: Service,
):
    admin = await service.client()
    batch, other = [
        (await sent(admin, CSV, f"fields=company_name&name={name}")).body["id"] for name in "ab"
    ]
    (job,) = await service.app.jobs.enqueue(WS, [NewJob("enrich", {})])
    browser = await token(admin, batch_id=batch, may=["cancel", "retry"])
    own, theirs = [await job_of_a_row(service, one) for one in (batch, other)]
    assert (await browser.get(f"/v1/jobs/{own}")).status == 200
    assert (await browser.get(f"/v1/jobs/{theirs}")).status == 404
    for act in ("cancel", "retry"):
        as_a_key = await admin.post(f"/v1/jobs/{own}/{act}")
        assert (as_a_key.status, as_a_key.body["code"]) == (409, "job_state_conflict")
        assert f"a row of batch {batch}" in as_a_key.body["detail"]
        assert (await browser.post(f"/v1/jobs/{own}/{act}")).status == 409
        assert (await browser.post(f"/v1/jobs/{theirs}/{act}")).status == 404
        assert (await browser.post(f"/v1/batches/{other}/{act}")).status == 404
        assert (await browser.post(f"/v1/jobs/{job}/{act}")).status == 404
    assert (await browser.post(f"/v1/batches/{batch}/pause")).status == 403
    assert (await browser.post(f"/v1/batches/{batch}/retry")).status == 200
    assert (await browser.post(f"/v1/batches/{batch}/cancel")).status == 200
    assert (await admin.get(f"/v1/batches/{other}")).body["state"] != "cancelled"


async def test_a_token_acts_only_where_its_key_may_and_never_on_a_whole_workspace(
    service: Service,
):
    (job,) = await service.app.jobs.enqueue(WS, [NewJob("enrich", {})])
    reader, writer = await service.client(Scope.READ), await service.client(Scope.WRITE)
    asked = {"job_id": job, "may": ["cancel"]}
    assert (await reader.post("/v1/tokens", asked)).status == 403
    assert (await writer.post("/v1/tokens", {"may": ["cancel"]})).status in {400, 422}
    read = await token(reader, job_id=job)
    lies = forged(read.key or "", may=["cancel"])
    for lie in [read.key, *lies]:
        answer = await Client(service.http, service.url, lie).post(f"/v1/jobs/{job}/cancel")
        assert answer.status in {401, 403}, lie


async def test_a_token_acts_no_more_once_who_made_it_may_only_see(service: Service):
    admin, editor = await service.client(), await member(service, Role.EDITOR)
    (job,) = await service.app.jobs.enqueue(WS, [NewJob("enrich", {"n": 1})])
    made = await editor.ask("POST", "/v1/tokens", {"job_id": job, "may": ["cancel"]})
    browser = Client(service.http, service.url, made.body["token"])
    [own] = [
        one["id"]
        for one in (await admin.get("/v1/members")).body
        if one["email"] == "editor@example.com"
    ]
    assert (await admin.ask("PATCH", f"/v1/members/{own}", {"role": "viewer"})).status == 200
    assert (await browser.post(f"/v1/jobs/{job}/cancel")).status in {401, 403}
    assert (await admin.get(f"/v1/jobs/{job}")).body["state"] == "pending"
