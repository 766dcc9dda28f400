"""What a process tells to who watches over it: whether it is ready, and what it counts."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from glaze.cli.working import health_of
from glaze.model.access import Scope
from glaze.model.measure import METRICS
from glaze.settings import Settings
from tests.api.conftest import Client, Service, serving
from tests.flow.cli_process import Sandbox, running_sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(companies=20) as running:
        yield running


@pytest.fixture
def settings(dsn: str, sandbox: Sandbox) -> Settings:
    return Settings(
        database_url=dsn,
        sandbox_url=sandbox.url,
        apollo_api_key="sandbox-test",
        search_api_key="sandbox-test",
        log_level="error",
        health_port=free_port(),
    )


@pytest.fixture
async def working(settings: Settings) -> AsyncIterator[Service]:
    """The API and a worker in this process, with the worker's own port."""
    over = asyncio.Event()
    async with serving(settings) as service:
        worker = service.app.worker()
        async with health_of(service.app, worker), asyncio.TaskGroup() as group:
            group.create_task(worker.run(over))
            try:
                yield service
            finally:
                over.set()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until_ready(client: Client, status: int) -> Any:
    """Return what the readiness is once it has this status: it is looked at every two seconds."""
    async with asyncio.timeout(30):
        while (seen := await client.get("/readyz")).status != status:  # noqa: ASYNC110  nobody tells a prober
            await asyncio.sleep(0.1)
    return seen.body


@contextmanager
def gone(server_dsn: str, dsn: str) -> Iterator[None]:
    """Take the database away for the block."""
    name = conninfo_to_dict(dsn)["dbname"]
    with psycopg.connect(server_dsn, autocommit=True) as conn:
        conn.execute(f"alter database {name} allow_connections false")
        conn.execute(
            f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
        )
        try:
            yield
        finally:
            conn.execute(f"alter database {name} allow_connections true")


async def told(service: Service, url: str, client: Client) -> str:
    """Return what is scraped at ``url``."""
    shown = {"Authorization": f"Bearer {client.key}"}
    async with service.http.get(url, headers=shown) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/plain"
        return await answer.text()


def read(text: str, name: str) -> dict[str, float]:
    """Return the samples of one series by their labels, as they are written."""
    found = re.findall(rf"^{name}(\{{.*\}})? (\S+)$", text, re.MULTILINE)
    return {labels: float(value) for labels, value in found}


async def test_api_and_worker_tell_every_metric_that_there_is_and_what_an_enrichment_did(
    working: Service, sandbox: Sandbox, settings: Settings, dsn: str
) -> None:
    admin = await working.client()
    living = [one["url"] for one in sandbox.get("hosts")["companies"] if not one["dead"]]
    url, same, other = living[0], living[0], living[1]
    body = {"url": url, "required_fields": ["company_name", "company_phone"], "wait_s": 30}
    for asked in (body, body | {"url": same, "required_fields": ["company_industry"]}):
        assert (await admin.post("/v1/enrich", asked)).status == 200
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "insert into circuit (provider, base_url, failures, open_until)"
            " values ('apollo', %s, 9, clock_timestamp() + interval '1 hour')",
            [working.app.providers.access["apollo"].base_url],
        )
    await admin.post("/v1/enrich", body | {"url": other, "required_fields": ["company_revenue"]})
    await admin.post("/v1/enrich", body | {"required_fields": ["company_name"]})  # known: the API's
    ours = await told(working, f"http://127.0.0.1:{settings.health_port}/metrics", admin)
    theirs = await told(working, f"{working.url}/metrics", admin)
    named = {
        family: {
            line.split()[2].removesuffix("_total")
            for line in text.splitlines()
            if line.startswith("# TYPE")
        }
        for family, text in (("worker", ours), ("API", theirs))
    }
    for where, names in named.items():
        expected = {name for name, one in METRICS.items() if one.where in {where, "both"}}
        assert names == expected, where
    assert sum(read(ours, "glaze_enrichments_total").values()) == 3
    assert sum(read(theirs, "glaze_enrichments_total").values()) == 1
    assert read(ours, "glaze_vendor_waits_total")['{provider="apollo",why="circuit"}'] >= 1
    assert sum(read(ours, "glaze_vendor_billed_micros_total").values()) == sandbox.billed_micros
    served = read(theirs, "glaze_http_requests_total")
    assert served['{method="POST",route="/v1/enrich",status="200"}'] == 4


async def test_metrics_are_told_to_who_runs_the_installation_alone(
    service: Service, theirs: Client
) -> None:
    reader = await service.client(Scope.WRITE)
    assert [(await who.get("/metrics")).status for who in (service.stranger, reader, theirs)] == [
        401,
        403,
        403,
    ]


async def test_readiness_tells_degraded_from_down(
    working: Service, server_dsn: str, dsn: str
) -> None:
    stranger = working.stranger
    degraded = {"status": "degraded", "degraded": ["llm: none is set up"]}
    assert await until_ready(stranger, 200) == degraded
    with gone(server_dsn, dsn):
        assert await until_ready(stranger, 503) == {"status": "down", "degraded": ["database"]}
        assert (await stranger.get("/livez")).status == 200
    assert await until_ready(stranger, 200) == degraded
