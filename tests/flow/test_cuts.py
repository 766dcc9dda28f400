"""Whatever is cut away under load, one after the other: who is answered what, that nothing is lost, that all comes back."""

import asyncio
import json
import logging
import os
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import aiohttp
import psycopg
import pytest
from cli_process import DEADLINE_S, Cli, Sandbox, write_world
from ledger_facts import assert_budgets_hold, assert_paid_once
from tests.browser.product import free_port
from tests.storm_only import storm_only

from glaze.store.embedded import ensure_server

log = logging.getLogger(__name__)
FIELDS = ["company_name", "company_industry", "company_employee_count"]
HOOKS = "hooks.customer-app.com"
TERMINAL = {"completed", "partial", "failed", "dead", "cancelled"}
ASKERS = 4
ROWS = 40
ANSWERED = {200, 202}
AWAY = {
    "nothing": None,
    "the language model": {"kind": "status", "vendor": "openai", "status": 503},
    "a vendor": {"kind": "drop_before_billing", "vendor": "apollo"},
    "the webhooks' target": {"kind": "status", "host": HOOKS, "status": 500},
    "the database": None,
    "nothing any more": None,
}


class Load:
    """Asks for one company after the other; each under a key of its own, until it is accepted."""

    def __init__(self, http: aiohttp.ClientSession, domains: list[str]) -> None:
        self.http = http
        self.domains = domains
        self.away = "nothing"
        self.answers: dict[str, Counter[int]] = {away: Counter() for away in AWAY}
        self.codes: set[str] = set()
        self.jobs: dict[int, int] = {}
        self.stopped = False
        self._numbers = count()
        self._enough = asyncio.Event()
        self._wanted = 0

    async def accepted(self, wanted: int) -> None:
        """Return once so many more requests were accepted while what is away is away."""
        self._enough.clear()
        self._wanted = wanted
        await self._enough.wait()

    async def ask(self) -> None:
        while not self.stopped:
            number = next(self._numbers)
            domain = self.domains[number % len(self.domains)]
            body = {"input": {"domain": domain}, "fields": FIELDS, "wait_s": 0.3}
            while number not in self.jobs:
                await self._once(number, body)

    async def _once(self, number: int, body: dict[str, Any]) -> None:
        key = {"Idempotency-Key": f"asked {number}"}
        async with self.http.post("/v1/enrich", json=body, headers=key) as answer:
            told = await answer.json()
            self.answers[self.away][answer.status] += 1
            if answer.status in ANSWERED:
                self.jobs[number] = told["id"]
                self._wanted -= 1
                if self._wanted <= 0:
                    self._enough.set()
                return
            self.codes.add(told.get("code", str(told)))
            await asyncio.sleep(0.05)  # refused: again, as Retry-After would have it later


@contextmanager
def away(sandbox: Sandbox, what: str, data: Path) -> Iterator[None]:
    """Take something away for as long as the block; the database is killed and comes back by itself."""
    if what == "the database":
        pid = int((data / "pgdata" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)
    elif (fault := AWAY[what]) is not None:
        sandbox.send("POST", "faults", fault)
    yield
    sandbox.send("DELETE", "faults")


@storm_only
@pytest.mark.parametrize("requests", [8, 400])
async def test_each_dependency_is_cut_under_load_and_nothing_that_was_accepted_is_lost(
    requests: int, tmp_path: Path, quick: Mapping[str, str], vendors: Sandbox
) -> None:
    data, port = tmp_path / "data", free_port()
    settings = {k: v for k, v in quick.items() if k != "DATABASE_URL"}
    cli = Cli(tmp_path, settings | {"GLAZE_DATA_DIR": str(data), "GLAZE_API_PORT": str(port)})
    domains = [line.split(",")[1] for line in write_world(tmp_path / "in.csv", 300, 300)]
    key = cli.run("keys", "create", "load", "--scope", "admin").out.strip()
    running = cli.start("up")
    reading = Thread(target=running.communicate)  # whose log nobody reads stands still
    reading.start()
    try:
        async with aiohttp.ClientSession(
            f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"}
        ) as http:
            await up(http)
            load = await loaded(http, vendors, domains, requests, data)
            batch = await ended_batch(http)
            states = await ended_jobs(http, load)
            await told(vendors, {*load.jobs.values()}, data)
    finally:
        running.send_signal(signal.SIGINT)
        reading.join(DEADLINE_S)

    for what, answers in load.answers.items():
        refused = set(answers) - ANSWERED
        assert refused <= ({503} if what in {"the database", "nothing any more"} else set()), what
        assert sum(answers[status] for status in ANSWERED) >= requests - ASKERS, what
    assert load.codes <= {"store_unavailable", "store_commit_unknown"}
    assert len({*load.jobs.values()}) == len(load.jobs), (
        "an answer that was asked for again is one job"
    )
    assert set(states) <= {"completed", "partial"}, states
    assert sum(batch[name] for name in ("completed", "partial", "failed")) == ROWS
    with ensure_server(data) as lease:
        assert_paid_once(lease.dsn, vendors)
        assert_budgets_hold(lease.dsn)
    assert "0 broken" in cli.run("ledger", "verify").out
    log.info("answers %s, jobs %s", load.answers, Counter(states))


async def up(http: aiohttp.ClientSession) -> None:
    """Return once the API is ready."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                async with http.get("/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)  # another process tells nobody when it listens


async def loaded(
    http: aiohttp.ClientSession, vendors: Sandbox, domains: list[str], requests: int, data: Path
) -> Load:
    """Ask steadily while one thing after the other is away."""
    hook = {"url": f"https://{HOOKS}/all", "events": ["job.completed", "job.partial", "job.failed"]}
    rows = [{"domain": domain} for domain in domains[-ROWS:]]
    for path, body in (("webhooks", hook), ("batches", {"rows": rows, "fields": FIELDS})):
        async with http.post(f"/v1/{path}", json=body) as answer:
            assert answer.status in {201, 202}, await answer.text()
    load = Load(http, domains[:-ROWS])
    async with asyncio.TaskGroup() as group:
        for _ in range(ASKERS):
            group.create_task(load.ask())
        for what in AWAY:
            load.away = what
            with away(vendors, what, data):
                await load.accepted(requests)
        load.stopped = True
    return load


async def ended_jobs(http: aiohttp.ClientSession, load: Load) -> list[str]:
    """Return the state of each accepted job, once all have ended."""
    async with asyncio.timeout(DEADLINE_S):
        return [await ended(http, job_id) for job_id in load.jobs.values()]


async def ended(http: aiohttp.ClientSession, job_id: int) -> str:
    while True:
        state = (await read(http, f"/v1/jobs/{job_id}"))["state"]
        if state in TERMINAL:
            return str(state)
        await asyncio.sleep(0.1)  # the worker is another process


async def ended_batch(http: aiohttp.ClientSession) -> dict[str, Any]:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            (batch,) = (await read(http, "/v1/batches"))["items"]
            if batch["state"] == "finished":
                return dict(batch)
            await asyncio.sleep(0.1)  # as above


async def read(http: aiohttp.ClientSession, path: str) -> Any:
    async with http.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


def hurry(data: Path) -> None:
    """Let messages that failed twice be sent now: their third try would come after five minutes."""
    with ensure_server(data) as lease, psycopg.connect(lease.dsn, autocommit=True) as owner:
        owner.execute(
            "update glaze.webhook_delivery set due_at = now()"
            " where state = 'pending' and due_at > now() + interval '1 second'"
        )


async def told(vendors: Sandbox, jobs: set[int], data: Path) -> None:
    """Return once every job's end has been told."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            heard = await asyncio.to_thread(vendors.get, "webhooks")
            if jobs <= {_job_of(message) for message in heard}:
                return
            await asyncio.to_thread(hurry, data)
            await asyncio.sleep(0.2)  # the sandbox is another process


def _job_of(message: Mapping[str, Any]) -> int:
    return int(json.loads(message["body"])["data"]["job_id"])
