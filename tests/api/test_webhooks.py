"""Webhooks over HTTP (H6): endpoints, secrets shown once, the log, replays, tests; the command line."""

import asyncio
import json
import os
import subprocess
import sys

import pytest

from glaze.model.access import Scope
from glaze.model.job import NewJob
from glaze.model.value import DEFAULT_WORKSPACE
from tests.api.conftest import Client, Service

URL = "https://crm.example.com/glaze"
MINE = {"url": URL, "events": ["job.completed", "batch.*"]}


async def test_an_endpoints_secret_is_told_when_it_is_made_and_never_again(service: Service):
    admin = await service.client()
    made = await admin.post("/v1/webhooks", MINE | {"description": "crm"})
    assert made.status == 201
    assert made.body["secret"].startswith("whsec_")
    one = f"/v1/webhooks/{made.body['id']}"
    turned = await admin.post(f"{one}/rotate", {"overlap_s": 60})
    assert turned.body["secret"] not in {None, made.body["secret"]}
    assert turned.body["old_secret_until"]
    shown = [await admin.get(one), await admin.get("/v1/webhooks"), await admin.get("/v1/audit")]
    for answer in shown:
        assert answer.status == 200
        assert "whsec_" not in str(answer.body)
    assert shown[0].body["events"] == MINE["events"]
    done = [entry["action"] for entry in shown[2].body["items"]]
    assert done[:2] == ["webhook.rotate", "webhook.create"]


async def test_an_endpoint_is_changed_disabled_enabled_and_removed(service: Service):
    admin = await service.client()
    one = f"/v1/webhooks/{(await admin.post('/v1/webhooks', MINE)).body['id']}"
    changed = await admin.ask("PATCH", one, {"events": ["*"], "disabled": True})
    assert (changed.body["events"], changed.body["disabled_why"]) == (["*"], "asked")
    assert (await admin.post(f"{one}/test")).status == 422
    assert (await admin.ask("PATCH", one, {"disabled": False})).body["disabled_at"] is None
    assert (await admin.post(f"{one}/test")).status == 202
    page = (await admin.get(f"{one}/deliveries?limit=1")).body
    assert [item["type"] for item in page["items"]] == ["webhook.test"]
    assert page["items"][0]["next_attempt_at"]
    assert page["next_before"] == page["items"][0]["id"]
    assert (await admin.get(f"{one}/deliveries?before={page['next_before']}")).body["items"] == []
    assert (await admin.ask("DELETE", one)).status == 204
    assert (await admin.get(one)).status == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://127.0.0.1/hook"},
        {"url": "http://metadata.google.internal/"},
        {"url": "http://2130706433/"},
        {"url": "ftp://example.com/"},
        {"url": "https://user:word@example.com/"},
        {"url": "https://example.com:5432/"},
        {"events": []},
        {"events": ["job.finished"]},
        {"events": ["search.nonsense"]},
        {"events": ["search."]},
        {"also": 1},
    ],
)
async def test_an_endpoint_that_cannot_be_is_refused_with_what_is_wrong(service: Service, wrong):
    admin = await service.client()
    answer = await admin.post("/v1/webhooks", MINE | wrong)
    assert answer.status == 422
    assert answer.body["detail"]
    made = (await admin.post("/v1/webhooks", MINE)).body["id"]
    assert (await admin.ask("PATCH", f"/v1/webhooks/{made}", wrong)).status == 422


async def test_anothers_endpoint_is_not_there(service: Service, theirs: Client):
    mine = await service.client()
    one = f"/v1/webhooks/{(await mine.post('/v1/webhooks', MINE)).body['id']}"
    await mine.post(f"{one}/test")
    sent = (await mine.get(f"{one}/deliveries")).body["items"][0]["id"]
    for method, path, body in (
        ("GET", one, None),
        ("PATCH", one, {"disabled": True}),
        ("DELETE", one, None),
        ("POST", f"{one}/rotate", {}),
        ("POST", f"{one}/test", None),
        ("POST", f"{one}/replay", {"since": "2026-01-01T00:00:00Z"}),
        ("POST", f"{one}/deliveries/{sent}/replay", None),
        ("GET", f"{one}/deliveries", None),
    ):
        assert (await theirs.ask(method, path, body)).status == 404, (method, path)
    assert (await theirs.get("/v1/webhooks")).body == []
    assert (await mine.get(one)).body["disabled_at"] is None
    secrets = [(await who.get("/v1/webhooks/job-secret")).body["secret"] for who in (mine, theirs)]
    assert len(set(secrets)) == 2


async def test_only_an_admin_makes_endpoints_and_a_reader_sees_them(service: Service):
    admin, reader = await service.client(), await service.client(Scope.READ)
    writer = await service.client(Scope.WRITE)
    made = (await admin.post("/v1/webhooks", MINE)).body["id"]
    assert (await reader.get(f"/v1/webhooks/{made}")).status == 200
    for client in (reader, writer):
        assert (await client.post("/v1/webhooks", MINE)).status == 403
        assert (await client.get("/v1/webhooks/job-secret")).status == 403
        assert (await client.post(f"/v1/webhooks/{made}/test")).status == 403


async def test_the_command_line_does_the_same(service: Service, dsn: str):
    async def glaze(*words: str, code: int = 0) -> str:
        ran = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "glaze.cli", "webhooks", *words],
            env=os.environ | {"DATABASE_URL": dsn},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == code, ran.stderr
        return ran.stdout

    made = json.loads(await glaze("add", URL, "--event", "job.*", "--json"))
    assert made["secret"].startswith("whsec_")
    await glaze("test", str(made["id"]))
    (sent,) = (await glaze("deliveries", str(made["id"]), "--json")).splitlines()
    assert json.loads(sent)["type"] == "webhook.test"
    assert "whsec_" not in await glaze("list", "--json")
    await glaze("replay", str(made["id"]), "--delivery", "99", code=2)
    await glaze("remove", str(made["id"]))
    assert await service.app.webhooks.list(DEFAULT_WORKSPACE) == []


async def test_only_an_admin_sees_the_whole_url_and_the_audit_log_does_not_keep_it(
    service: Service,
):
    admin, reader = await service.client(), await service.client(Scope.READ)
    url = "https://crm.example.com/hooks/T0SECRET?token=S3CRET"
    made = (await admin.post("/v1/webhooks", {"url": url, "events": ["*"]})).body
    path = f"/v1/webhooks/{made['id']}"
    await admin.ask("PATCH", path, {"url": url + "2"})
    shown = await reader.get(path)
    assert shown.body["url"] == "https://crm.example.com/***"
    assert shown.headers["ETag"] == (await admin.get(path)).headers["ETag"]
    assert (await admin.get(path)).body["url"] == url + "2"
    log = (await admin.get("/v1/audit")).body
    for told in (shown.body, (await reader.get("/v1/webhooks")).body, log):
        assert "S3CRET" not in str(told)
        assert "T0SECRET" not in str(told)


async def test_who_only_reads_sees_of_a_jobs_own_url_the_host_alone(service: Service):
    writer, reader = await service.client(Scope.WRITE), await service.client(Scope.READ)
    url = "https://crm.example.com/hooks/T0SECRET?token=S3CRET"
    asked = {"kind": "email_validation", "args": {"emails": ["ada@mailinator.com"]}}
    made = (await writer.post("/v1/jobs", asked | {"webhook_url": url})).body["id"]
    told = NewJob("deliver_webhook", {"url": url, "type": "job.completed"})
    [delivery] = await service.app.jobs.enqueue(DEFAULT_WORKSPACE, [told])
    job, telling = f"/v1/jobs/{made}", f"/v1/jobs/{delivery}"
    assert (await reader.get(job)).body["webhook_url"] == "https://crm.example.com/***"
    assert (await reader.get(telling)).body["args"]["url"] == "https://crm.example.com/***"
    for path in (job, telling, "/v1/jobs"):
        assert "S3CRET" not in str((await reader.get(path)).body)
        assert "T0SECRET" not in str((await reader.get(path)).body)
    assert (await writer.get(job)).body["webhook_url"] == url
    assert (await writer.get(telling)).body["args"]["url"] == url
