"""Schedules, workflows, queues, workers, money, providers and settings over HTTP (H1, J6, J7, U3)."""

import csv
import io

import psycopg
import pytest

from glaze.model.access import Scope
from tests.api.conftest import Service
from tests.api.test_jobs import ENRICH, made

WEEKLY = {"cron": "0 6 * * MON", "zone": "Europe/Berlin", "kind": "enrich", "args": ENRICH}


async def test_a_schedule_is_made_read_paused_run_and_deleted(service: Service):
    client = await service.client(Scope.WRITE)
    path = "/v1/schedules/weekly"
    new = await client.ask("PUT", path, WEEKLY)
    assert (new.status, new.body["next_at"][11:13]) in {(201, "04"), (201, "05")}
    assert (await client.ask("PUT", path, {**WEEKLY, "priority": 1})).status == 200
    assert [one["priority"] for one in (await client.get("/v1/schedules")).body] == [1]
    assert (await client.post(f"{path}/pause")).body["paused_at"]
    ran = await client.post(f"{path}/run")
    assert (ran.status, ran.body["kind"]) == (202, "enrich")
    busy = await client.post(f"{path}/run")
    assert (busy.status, busy.body["code"]) == (409, "schedule_busy")
    assert (await client.post(f"{path}/resume")).body["paused_at"] is None
    assert (await client.ask("DELETE", path)).status == 204
    assert (await client.get(path)).status == 404


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"cron": "61 * * * *"}, "cron"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"kind": "nothing"}, "no job kind"),
        ({"args": {"input": {}}}, "required_fields"),
        ({"missed": "all"}, "overlap"),
    ],
)
async def test_a_schedule_that_could_never_run_is_refused(service, change, told):
    client = await service.client(Scope.WRITE)
    answer = await client.ask("PUT", "/v1/schedules/weekly", {**WEEKLY, **change})
    assert answer.status == 422
    assert told in str(answer.body)
    assert (await client.get("/v1/schedules")).body == []


async def test_of_two_who_change_a_schedule_the_second_is_told_that_it_read_an_older_one(service):
    client = await service.client(Scope.WRITE)
    path = "/v1/schedules/weekly"
    assert (await client.ask("PUT", path, WEEKLY)).status in (200, 201)
    again = await client.ask("PUT", path, WEEKLY, If_None_Match="*")
    assert (again.status, again.body["code"]) == (412, "edit_conflict")
    read = (await client.get(path)).headers["ETag"]
    first = await client.ask("PUT", path, {**WEEKLY, "priority": 1}, If_Match=read)
    second = await client.ask("PUT", path, {**WEEKLY, "priority": 5}, If_Match=read)
    assert (first.status, second.status) == (200, 412)
    assert (await client.get(path)).body["priority"] == 1


async def test_a_workflow_is_started_whole_or_not_at_all_followed_and_cancelled(service: Service):
    client = await service.client(Scope.WRITE)
    step = {"kind": "enrich", "args": ENRICH}
    steps = [{"name": "one", **step}, {"name": "two", **step, "after": ["one"]}]
    started = await client.post("/v1/workflows", {"name": "both", "steps": steps})
    assert started.status == 202, started.body
    flow = (await client.get(started.headers["Location"])).body
    assert [(one["step"], one["state"]) for one in flow["steps"]] == [
        ("one", "pending"),
        ("two", "waiting"),
    ]
    assert flow["edges"][0]["after_job"] == flow["steps"][0]["job_id"]
    done = await client.post(f"/v1/workflows/{flow['id']}/cancel")
    assert done.body["state"] == "cancelled"
    for broken in ({"name": "b", **step, "after": ["nobody"]}, {"name": "b", "kind": "nothing"}):
        refused = await client.post("/v1/workflows", {"name": "n", "steps": [steps[0], broken]})
        assert refused.status == 422
    assert len((await client.get("/v1/jobs")).body["items"]) == 2


async def test_queues_are_paused_resumed_and_cleared_by_an_admin_of_the_first_workspace_alone(
    service: Service, theirs
):
    admin, writer = await service.client(), await service.client(Scope.WRITE)
    [mine] = await made(admin)
    [other] = await made(theirs)
    assert (await admin.post("/v1/queues/default/pause")).status == 204
    [queue] = (await admin.get("/v1/queues")).body
    assert (queue["name"], queue["pending"], bool(queue["paused_at"])) == ("default", 2, True)
    assert (await admin.post("/v1/queues/default/resume")).status == 204
    for who in (theirs, writer):
        for act in ("pause", "resume"):
            assert (await who.post(f"/v1/queues/default/{act}")).status == 403
        for path in ("/v1/queues", "/v1/workers", "/v1/settings"):
            assert (await who.get(path)).status == 403
    assert (await theirs.post("/v1/queues/default/clear")).body["done"] == 1
    assert (await admin.get(f"/v1/jobs/{mine}")).body["state"] == "pending"
    assert (await theirs.get(f"/v1/jobs/{other}")).body["state"] == "cancelled"
    noted = [one["action"] for one in (await admin.get("/v1/audit")).body["items"]]
    assert {"queue.pause", "queue.resume"} <= set(noted)


async def test_workers_are_listed_and_one_is_asked_to_leave(service: Service):
    admin = await service.client()
    worker_id = await service.app.workers.register("w", "0", ["default"], lease_s=60)
    [worker] = (await admin.get("/v1/workers")).body
    assert (worker["id"], worker["drain_at"]) == (worker_id, None)
    assert (await admin.post(f"/v1/workers/{worker_id}/drain")).status == 204
    assert (await admin.get("/v1/workers")).body[0]["drain_at"]
    assert (await admin.post("/v1/workers/99/drain")).status == 404


async def test_budgets_are_set_seen_and_removed_and_the_audit_log_tells_who_did_it(service):
    admin, writer = await service.client(), await service.client(Scope.WRITE)
    assert (await writer.ask("PUT", "/v1/budgets/day", {"cap_cents": 5})).status == 403
    day = await admin.ask("PUT", "/v1/budgets/day", {"cap_cents": 2500})
    assert (day.body["cap_micros"], day.body["left_micros"]) == (25_000_000, 25_000_000)
    await admin.ask("PUT", "/v1/budgets/apollo", {"cap_cents": 100})
    found = (await writer.get("/v1/budgets")).body["items"]
    assert {one["scope"] for one in found} == {"workspace_day", "provider_month"}
    assert (await admin.ask("PUT", "/v1/budgets/nobody", {"cap_cents": 1})).status == 422
    assert (await admin.ask("DELETE", "/v1/budgets/apollo")).status == 204
    assert (await admin.ask("DELETE", "/v1/budgets/apollo")).status == 404
    first = (await admin.get("/v1/audit")).body["items"]
    assert [one["action"] for one in first[:3]] == ["budget.remove", "budget.set", "budget.set"]


async def test_calls_are_listed_exported_and_an_unknown_one_is_none(service: Service):
    admin = await service.client()
    page = (await admin.get("/v1/calls?state=unknown&paid=true&limit=5")).body
    assert page == {"items": [], "next_before": None}
    text = (await admin.get("/v1/calls/export")).body
    assert next(csv.reader(io.StringIO(text)))[0] == "id"
    assert (await admin.get("/v1/calls/7")).status == 404
    lost = await admin.post("/v1/calls/7/resolve", {"billed_micros": 0, "by": "usage page"})
    assert lost.status == 404


async def test_providers_tell_how_they_stand_and_settings_tell_no_secret(service, dsn):
    client = await service.client(Scope.READ)
    found = {one["name"]: one for one in (await client.get("/v1/providers")).body}
    assert (found["apollo"]["state"], found["apollo"]["key"]) == ("not in use", "missing")
    assert found["website"]["calls"]["calls"] == 0
    told = await (await service.client()).get("/v1/settings")
    assert told.status == 200
    assert told.body["database_url"] == {"set": True}
    password = psycopg.conninfo.conninfo_to_dict(dsn).get("password")
    assert password is None or str(password) not in str(told.body)
    assert dsn not in str(told.body)
