"""Serverless over HTTP (W4): a bounded run by token, by a cron platform's GET, and who works."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from glaze.model.access import Scope
from glaze.settings import Settings
from tests.api.conftest import Client, Service
from tests.api.test_jobs import BROKEN, made, working
from tests.docs.reading import ROOT

TOKEN, SECRET = "worker-token-of-a-test", "cron-secret-of-a-test"
EXAMPLES = ROOT / "examples" / "serverless"


@pytest.fixture
def settings(dsn: str) -> Settings:
    return Settings(
        database_url=dsn,
        log_level="error",
        poll_s=0.2,
        WORKER_SECRET_TOKEN=TOKEN,
        CRON_SECRET=SECRET,
    )


def showing(service: Service, key: str | None) -> Client:
    return Client(service.http, service.url, key)


@pytest.mark.parametrize("how", ["by token", "by cron"])
async def test_a_run_takes_the_jobs_it_may_and_tells_what_came_of_them(service: Service, how: str):
    client = await service.client(Scope.WRITE)
    ids = await made(client, 3, args=BROKEN)
    if how == "by token":
        body = {"max_jobs": 2, "timeout_ms": 25_000}
        told = await showing(service, TOKEN).post("/v1/worker/run", body)
    else:
        path = "/v1/worker/cron?max_jobs=2&timeout_ms=25000"
        told = await showing(service, SECRET).get(path)
    assert told.status == 200
    assert {name: told.body[name] for name in ("claimed", "failed", "left")} == {
        "claimed": 2,
        "failed": 2,
        "left": 1,
    }
    states = [(await client.get(f"/v1/jobs/{job_id}")).body["state"] for job_id in ids]
    assert sorted(states) == ["failed", "failed", "pending"]


@pytest.mark.parametrize(
    ("method", "path", "wrong"),
    [
        ("POST", "/v1/worker/run", SECRET),
        ("GET", "/v1/worker/run", SECRET),
        ("GET", "/v1/worker/cron", TOKEN),
    ],
)
async def test_no_other_secret_has_jobs_run(service: Service, method: str, path: str, wrong: str):
    admin = await service.client()
    for shown in (wrong, None, "", "ä", admin.key):
        answer = await showing(service, shown).ask(method, path, {} if method == "POST" else None)
        assert (answer.status, answer.body["code"]) == (401, "key_refused")


async def test_where_no_secret_is_set_nobody_runs_jobs_by_request(dsn: str, service: Service):
    from tests.api.conftest import serving  # noqa: PLC0415  a second service of other settings

    async with serving(Settings(database_url=dsn, log_level="error")) as bare:
        for shown in ("", "None", TOKEN):
            answer = await showing(bare, shown).post("/v1/worker/run")
            assert answer.status == 401
            assert "WORKER_SECRET_TOKEN" in answer.body["detail"]
    assert service


async def test_health_tells_whether_a_process_stays_and_works(service: Service, monkeypatch):
    monkeypatch.setenv("VERCEL_REGION", "iad1")
    asked = showing(service, TOKEN)
    idle: Any = (await asked.get("/v1/worker/run")).body
    assert (idle["status"], idle["worker_exists"], idle["worker_id"]) == ("idle", False, None)
    assert idle["environment"] == {"region": "iad1"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", idle["timestamp"])
    async with working(service):
        await made(await service.client(), args=BROKEN)
        while not (told := (await asked.get("/v1/worker/run")).body)["worker_exists"]:
            pass
        assert told["status"] == "healthy"
        assert told["worker_id"]


@pytest.mark.parametrize("body", [{"max_jobs": 0}, {"timeout_ms": 1}, {"also": 1}])
async def test_a_run_that_cannot_be_is_refused(service: Service, body):
    assert (await showing(service, TOKEN).post("/v1/worker/run", body)).status == 422


async def test_the_sample_crons_ask_what_there_is(service: Service):
    crons = [json.loads((EXAMPLES / "vercel.json").read_text())["crons"][0]["path"]]
    for name in ("crontab", "cronjob.yaml"):
        [url] = re.findall(r"https?://[^\s\"]+/v1/[^\s\"]+", (EXAMPLES / name).read_text())
        parts = urlsplit(url)
        crons.append(f"{parts.path}?{parts.query}")
    for path in crons:
        answer = await showing(service, SECRET).get(path)
        assert answer.body["claimed"] == 0, path
