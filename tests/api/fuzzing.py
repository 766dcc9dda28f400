"""Schemathesis against a served API with a worker: python -m tests.api.fuzzing [--cases 20000].

Rounds with seeds of their own, each on a fresh database, until so many requests were sent. A round
that finds a fault prints how to send the request again and ends the run.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg.conninfo import make_conninfo

from glaze.settings import Settings
from glaze.store.embedded import ensure_server
from glaze.store.migrate import migrate
from tests.api.conftest import Service, serving
from tests.flow.cli_process import Sandbox, running_sandbox

ROOT = Path(__file__).parents[2]
SECRETS = {"WORKER_SECRET_TOKEN": "w" * 40, "CRON_SECRET": "c" * 40}
DOCUMENT = "openapi.json"
# What a schema cannot say is refused with a 422: an unknown kind, a second schedule of a name. Bodies
# are read as pydantic reads them: false may stand for 0. A path with a parameter takes every word in its
# place, and says 422 to one that is no id.
UNJUDGED = "positive_data_acceptance,negative_data_rejection,unsupported_method"
LONG = ("--phases=examples,coverage,fuzzing,stateful", "--max-examples=40")
SHORT = ("--phases=examples,fuzzing", "--max-examples=1")


class Fuzzed(NamedTuple):
    """What came of a round."""

    code: int
    told: str
    cases: int
    operations: frozenset[str]
    statuses: Counter[int]


def settings_of(dsn: str, sandbox: Sandbox) -> Settings:
    """Return the settings of a product that is fuzzed."""
    return Settings(
        database_url=dsn,
        sandbox_url=sandbox.url,
        log_level="error",
        api_requests_per_minute=10_000_000,
        worker_secret_token=SECRETS["WORKER_SECRET_TOKEN"],
        cron_secret=SECRETS["CRON_SECRET"],
    )


async def fuzz(service: Service, dsn: str, seed: int, how: tuple[str, ...]) -> Fuzzed:
    """Send requests of all sorts to all routes, while a worker does what they ask for."""
    service.app.live.close()  # a stream ends where it would wait
    over = asyncio.Event()

    async def work() -> None:
        while not over.is_set():  # the fuzzer has workers drained
            await service.app.worker().run(over, over)

    async with asyncio.TaskGroup() as group:
        group.create_task(work())
        with tempfile.TemporaryDirectory() as folder:
            document = (await service.stranger.get("/openapi.json")).body
            (Path(folder) / DOCUMENT).write_text(json.dumps(document))
            try:
                return await _run(service.url, Path(folder), _environment(dsn), seed, how)
            finally:
                over.set()


def _environment(dsn: str) -> Mapping[str, str]:
    hooks = {"SCHEMATHESIS_HOOKS": "tests.api.fuzz_hooks", "PYTHONPATH": str(ROOT)}
    return {**os.environ, **SECRETS, **hooks, "FUZZED_DATABASE": dsn}


async def _run(
    url: str, folder: Path, environment: Mapping[str, str], seed: int, how: tuple[str, ...]
) -> Fuzzed:
    report = folder / "events.ndjson"
    command = [
        *(str(Path(sys.executable).parent / "st"), "run", DOCUMENT, f"--url={url}", *how),
        *(f"--seed={seed}", f"--exclude-checks={UNJUDGED}"),
        *("--continue-on-failure", "--no-color", "--warnings=off", "--suppress-health-check=all"),
        *("--generation-database=none", f"--report-ndjson-path={report}", "--request-timeout=60"),
    ]
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    code = process.returncode or 0
    return Fuzzed(code, told.decode(errors="replace"), *_sent(report))


def _sent(report: Path) -> tuple[int, frozenset[str], Counter[int]]:
    """Return how many requests were sent, which operations answered, and how."""
    operations: set[str] = set()
    statuses: Counter[int] = Counter()
    for line in report.read_text().splitlines():
        recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        for case_id, exchange in recorder.get("interactions", {}).items():
            case = recorder["cases"][case_id]["value"]
            operations.add(f"{case['method']} {case['path']}")
            if exchange["response"]:
                statuses[exchange["response"]["status_code"]] += 1
    return statuses.total(), frozenset(operations), statuses


async def _round(dsn: str, seed: int) -> Fuzzed:
    with running_sandbox(companies=50) as sandbox:
        async with serving(settings_of(dsn, sandbox)) as service:
            return await fuzz(service, dsn, seed, LONG)


def main() -> None:
    """Fuzz until so many requests were sent; end with 1 at the first fault."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    asked = parser.parse_args()
    sent, seed = 0, asked.seed
    with tempfile.TemporaryDirectory() as folder:
        lease = ensure_server(Path(folder) / "data", unsafe_fast=True, idle_s=2)
        try:
            while sent < asked.cases:
                with psycopg.connect(lease.dsn, autocommit=True) as conn:
                    conn.execute(f"create database fuzz_{seed}".encode())
                dsn = make_conninfo(lease.dsn, dbname=f"fuzz_{seed}")
                asyncio.run(migrate(dsn))
                fuzzed = asyncio.run(_round(dsn, seed))
                sent += fuzzed.cases
                line = f"seed {seed}: {fuzzed.cases} requests, {sent} of {asked.cases}"
                print(line, dict(fuzzed.statuses), flush=True)  # noqa: T201  it says what it did
                if fuzzed.code:
                    print(fuzzed.told)  # noqa: T201
                    sys.exit(1)
                seed += 1
        finally:
            lease.release()


if __name__ == "__main__":
    main()
