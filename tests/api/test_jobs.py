"""Jobs over HTTP (H1): made, found, followed, changed, cancelled, retried, replayed, many at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from glaze.model.access import Scope
from glaze.model.job import NewJob
from glaze.model.value import DEFAULT_WORKSPACE
from tests.api.conftest import Client, Service

ENRICH = {"input": {"domain": "acme.invalid"}, "required_fields": ["company_name"]}
BROKEN = {"input": {"email": "nobody"}, "required_fields": ["company_name"]}


async def made(client: Client, n: int = 1, **body: Any) -> list[int]:
    asked = {"kind": "enrich", "args": ENRICH, **body}
    return [(await client.post("/v1/jobs", asked)).body["id"] for _ in range(n)]


@asynccontextmanager
async def working(service: Service) -> AsyncIterator[None]:
    """Let a worker of this process run for as long as the block."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(service.app.worker().run(stop, asyncio.Event()))
        yield
        stop.set()


async def ended(client: Client, job_id: int) -> Any:
    async with asyncio.timeout(60):
        while True:
            job = (await client.get(f"/v1/jobs/{job_id}")).body
            if job["finished_at"]:
                return job
            await asyncio.sleep(0.05)


async def test_a_job_is_made_listed_and_followed_with_its_arguments(service: Service):
    client = await service.client(Scope.WRITE)
    answer = await client.post(
        "/v1/jobs", {"kind": "enrich", "args": ENRICH, "priority": 2, "tags": ["spring"]}
    )
    assert answer.status == 202
    job = (await client.get(answer.headers["Location"])).body
    assert (job["state"], job["priority"], job["tags"]) == ("pending", 2, ["spring"])
    assert job["args"]["required_fields"] == ["company_name"]
    listed = (await client.get("/v1/jobs?tag=spring")).body
    assert [one["id"] for one in listed["items"]] == [job["id"]]
    assert listed["next_before"] is None
    log = (await client.get(f"/v1/jobs/{job['id']}/log")).body
    assert [one["type"] for one in log] == ["enqueued"]


async def test_the_same_idempotency_key_names_the_same_job_and_no_other_body(service: Service):
    client = await service.client(Scope.WRITE)
    body = {"kind": "enrich", "args": ENRICH}
    first, again = [await client.post("/v1/jobs", body, Idempotency_Key="k") for _ in range(2)]
    assert first.body["id"] == again.body["id"]
    other = await client.post("/v1/jobs", {**body, "priority": 1}, Idempotency_Key="k")
    assert (other.status, other.body["code"]) == (422, "idempotency_conflict")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"kind": "nothing"}, "no job kind"),
        ({"kind": "enrich"}, "required_fields"),
        ({"kind": "enrich", "args": ENRICH, "priority": 9}, "priority"),
        ({"kind": "enrich", "args": ENRICH, "webhook_url": "http://127.0.0.1/"}, "webhook"),
        ({"kind": "enrich", "args": ENRICH, "run_at": "9999-12-31T00:00:00Z"}, "run_at"),
        ({"kind": "enrich", "args": ENRICH, "after": [{}]}, "after"),
        ({"kind": "enrich", "args": ENRICH, "after": [{"job": 999}]}, "999"),
        ({"kind": "enrich", "args": ENRICH, "also": 1}, "also"),
    ],
)
async def test_a_job_that_nobody_could_run_is_refused_with_what_is_wrong(service, body, told):
    client = await service.client(Scope.WRITE)
    answer = await client.post("/v1/jobs", body)
    assert answer.status == 422
    assert told in str(answer.body)
    assert (await client.get("/v1/jobs")).body["items"] == []


async def test_pages_follow_one_another_without_gap_or_twin(service: Service):
    client = await service.client(Scope.WRITE)
    ids = await made(client, 5)
    seen: list[int] = []
    before = ""
    while True:
        page = (await client.get(f"/v1/jobs?limit=2{before}")).body
        seen += [one["id"] for one in page["items"]]
        if page["next_before"] is None:
            break
        before = f"&before={page['next_before']}"
    assert seen == ids[::-1]


async def test_a_job_that_has_not_begun_is_changed_and_cancelled_and_opened_again(service: Service):
    client = await service.client(Scope.WRITE)
    [job_id] = await made(client)
    changed = await client.ask("PATCH", f"/v1/jobs/{job_id}", {"priority": 1, "tags": ["vip"]})
    assert (changed.body["priority"], changed.body["tags"]) == (1, ["vip"])
    cancelled = await client.post(f"/v1/jobs/{job_id}/cancel")
    assert cancelled.body["state"] == "cancelled"
    again = await client.post(f"/v1/jobs/{job_id}/cancel")
    assert (again.status, again.body["code"]) == (409, "job_state_conflict")
    assert "cancelled" in again.body["detail"]
    opened = await client.post(f"/v1/jobs/{job_id}/retry")
    assert (opened.body["state"], opened.body["round"]) == ("pending", 2)


async def test_what_failed_is_found_by_its_error_replayed_with_other_arguments_and_purged(service):
    admin = await service.client()
    [job_id] = await made(admin, args=BROKEN)
    async with working(service):
        assert (await ended(admin, job_id))["state"] == "failed"
        found = (await admin.get("/v1/jobs?state=failed&finished_after=2026-01-01T00:00:00Z")).body
        assert [one["id"] for one in found["items"]] == [job_id]
        [group] = (await admin.get("/v1/jobs/groups?state=failed")).body
        assert (group["kind"], group["jobs"]) == ("enrich", 1)
        changed = {"args": {"input": {"email": None, "domain": "acme.invalid"}}}
        replay = await admin.post(f"/v1/jobs/{job_id}/replay", changed)
        assert (replay.status, replay.body["replay_of"]) == (202, job_id)
        assert replay.body["args"]["input"] == {"domain": "acme.invalid"}
        await ended(admin, replay.body["id"])
    assert (await admin.ask("DELETE", f"/v1/jobs/{job_id}")).status == 204
    assert (await admin.get(f"/v1/jobs/{job_id}")).status == 404


async def test_many_jobs_are_acted_on_by_filter_or_by_ids_and_each_is_accounted_for(service):
    client = await service.client(Scope.WRITE)
    spring = await made(client, 3, tags=["spring"])
    [other] = await made(client)
    done = await client.post("/v1/jobs/actions", {"action": "cancel", "where": {"tag": ["spring"]}})
    assert (done.body["done"], done.body["complete"]) == (3, True)
    asked = {"action": "cancel", "ids": [spring[0], other, 999]}
    named = (await client.post("/v1/jobs/actions", asked)).body
    assert named["done"] == 1
    assert named["refused"] == {str(spring[0]): "cancelled"}
    assert named["missing"] == [999]
    retried = await client.post("/v1/jobs/actions", {"action": "retry", "where": {}})
    assert retried.body["done"] == 4


async def test_an_action_without_ids_or_filter_does_nothing(service: Service):
    client = await service.client(Scope.WRITE)
    [job_id] = await made(client)
    for body in ({"action": "cancel"}, {"action": "change", "ids": [job_id]}, {"action": "zap"}):
        assert (await client.post("/v1/jobs/actions", body)).status == 422
    assert (await client.get(f"/v1/jobs/{job_id}")).body["state"] == "pending"


async def test_only_an_admin_deletes_jobs(service: Service):
    client = await service.client(Scope.WRITE)
    [job_id] = await made(client)
    await client.post(f"/v1/jobs/{job_id}/cancel")
    for answer in (
        await client.ask("DELETE", f"/v1/jobs/{job_id}"),
        await client.post("/v1/jobs/actions", {"action": "purge", "ids": [job_id]}),
    ):
        assert (answer.status, answer.body["code"]) == (403, "scope_missing")
    assert (await client.get(f"/v1/jobs/{job_id}")).status == 200


async def test_another_workspaces_job_is_as_if_it_were_not_there(service, theirs: Client):
    mine = await service.client()
    [job_id] = await made(mine)
    path = f"/v1/jobs/{job_id}"
    for method, at, body in (
        ("GET", "", None),
        ("GET", "/log", None),
        ("PATCH", "", {"priority": 1}),
        ("POST", "/cancel", {}),
        ("POST", "/retry", {}),
        ("POST", "/replay", {}),
        ("DELETE", "", None),
    ):
        assert (await theirs.ask(method, path + at, body)).status == 404, (method, at)
    act = {"action": "cancel", "ids": [job_id]}
    assert (await theirs.post("/v1/jobs/actions", act)).body["missing"] == [job_id]
    assert (await theirs.get("/v1/jobs")).body["items"] == []
    assert (await mine.get(path)).body["state"] == "pending"


INTERNAL = {
    "deliver_webhook": {"url": "https://hooks.example.com/", "type": "job.completed"},
    "enrich_search": {"search_id": 1},
    "erase_person": {"erasure_id": 1},
    "preview_search": {"search_id": 1},
}


async def test_a_replay_of_many_that_is_asked_for_again_under_its_key_makes_nothing_twice(service):
    client = await service.client()
    for mine in await made(client, 3):
        await client.post(f"/v1/jobs/{mine}/cancel")
    asked = {"action": "replay", "where": {"state": ["cancelled"]}}
    first, again = [
        (await client.post("/v1/jobs/actions", asked, idempotency_key="monday")).body["replays"]
        for _ in range(2)
    ]
    assert len(first) == 3
    assert again == first
    anew = (await client.post("/v1/jobs/actions", asked, idempotency_key="tuesday")).body["replays"]
    assert not {*anew.values()} & {*first.values()}


async def test_the_kinds_that_are_listed_are_those_that_may_be_asked_for(service: Service):
    listed = (await (await service.client(Scope.READ)).get("/v1/kinds")).body
    kinds = {one["name"]: one for one in listed}
    assert [*kinds] == sorted(n for n, kind in service.app.kinds.items() if not kind.internal)
    assert not kinds.keys() & {*INTERNAL}
    assert "required_fields" in kinds["enrich"]["args"]["properties"]
    assert kinds["enrich"]["description"]


@pytest.mark.parametrize("kind", INTERNAL)
async def test_what_the_product_makes_for_itself_nobody_asks_for_in_any_way(service, kind):
    client = await service.client()
    asked = {"kind": kind, "args": INTERNAL[kind]}
    steps = [{"name": "one", **asked}]
    timed = {**asked, "cron": "0 0 1 1 *"}
    (own,) = await service.app.jobs.enqueue(DEFAULT_WORKSPACE, [NewJob(kind, INTERNAL[kind])])
    await client.post(f"/v1/jobs/{own}/cancel")
    for method, path, body in (
        ("POST", "/v1/jobs", asked),
        ("PUT", "/v1/schedules/nightly", timed),
        ("POST", "/v1/workflows", {"name": "w", "steps": steps}),
        ("POST", f"/v1/jobs/{own}/replay", {}),
        ("POST", "/v1/jobs/actions", {"action": "replay", "ids": [own]}),
    ):
        refused = await client.ask(method, path, body)
        assert (refused.status, refused.body["code"]) == (422, "kind_internal"), path
    (mine,) = await made(client)
    await client.post(f"/v1/jobs/{mine}/cancel")
    all_of_them = {"action": "replay", "where": {"state": ["cancelled"]}}
    acted = (await client.post("/v1/jobs/actions", all_of_them)).body
    assert [*acted["replays"]] == [str(mine)]
    assert [one["id"] for one in (await client.get(f"/v1/jobs?kind={kind}")).body["items"]] == [own]
