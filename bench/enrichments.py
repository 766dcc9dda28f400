"""F4: whole enrichments (waterfall, ledger, merge, store), beside the same HTTP calls and nothing else."""

import asyncio
import contextlib
import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import aiohttp
from pydantic import SecretStr

from bench.figure import Figure
from glaze.boot.app import App, boot
from glaze.model.value import DEFAULT_WORKSPACE, BatchId
from glaze.settings import Settings
from glaze.store.batch import NewBatch

ROWS = 1_000
ROUNDS = 3
CONCURRENCY = 100
VENDORS = ("serper", "apollo", "enrichlayer")
# A field that no vendor knows: every vendor is asked for every row.
WANTED = [
    "company_name",
    "company_phone",
    "company_vat_id",
    "company_linkedin_url",
    "company_revenue",
]
_KEY = "sandbox-bench"


@contextlib.contextmanager
def sandbox(known: int = ROWS * ROUNDS) -> Iterator[str]:
    """Run the sandbox as a process of its own over ``known`` companies and give its address."""
    command = [
        sys.executable,
        "-m",
        "glaze_sandbox",
        "--port",
        "0",
        "--companies",
        str(known),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


def companies(n: int = ROWS * ROUNDS) -> list[dict[str, str]]:
    """Return ``n`` inputs of the sandbox's world."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "companies.csv"
        subprocess.run(
            [
                sys.executable,
                "-m",
                "glaze_sandbox",
                "--write-csv",
                file,
                "--rows",
                str(n),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        rows = csv.DictReader(io.StringIO(file.read_text("utf-8")))
        return [{"company": row["Company"], "website": row["Website"]} for row in rows]


def settings(dsn: str, url: str) -> Settings:
    """Return settings whose vendors are the sandbox's and whose limits do not bind."""
    free = {name: {"calls_per_minute": 20_000} for name in VENDORS}
    return Settings(
        database_url=SecretStr(dsn),
        sandbox_url=url,
        apollo_api_key=SecretStr(_KEY),
        linkedin_api_key=SecretStr(_KEY),
        search_api_key=SecretStr(_KEY),
        allow="enrichlayer",
        provider=free,
        log_level="error",
        concurrency=CONCURRENCY,
    )


async def enrich(app: App, rows: list[dict[str, str]]) -> float:
    """Enrich ``rows`` as one batch; return rows a second."""
    batch = await app.batches.create(
        DEFAULT_WORKSPACE,
        NewBatch("enrich", {"required_fields": WANTED, "providers": list(VENDORS)}),
    )
    await app.batches.add_rows(DEFAULT_WORKSPACE, batch, rows)
    begun = perf_counter()
    await app.batches.start(DEFAULT_WORKSPACE, batch)
    await app.worker().drain(lambda: _over(app, batch), asyncio.Event())
    return len(rows) / (perf_counter() - begun)


async def _over(app: App, batch: BatchId) -> bool:
    progress = await app.batches.progress(DEFAULT_WORKSPACE, batch)
    return progress is not None and progress.ended == progress.total


async def requests_by_vendor(session: aiohttp.ClientSession, url: str) -> dict[str, int]:
    """Return how many requests each vendor got so far, by the sandbox's count."""
    async with session.get(f"{url}/_sandbox/stats") as answer:
        stats: Mapping[str, Any] = await answer.json()
    return {name: stats["requests"].get(name, 0) for name in VENDORS}


async def bare(url: str, counts: Mapping[str, int], rows: list[dict[str, str]]) -> float:
    """Send the same requests with the same concurrency, read the answers, do nothing with them."""
    calls = [name for name, count in counts.items() for _ in range(count)]
    queue = iter(enumerate(calls))

    async def sender(session: aiohttp.ClientSession) -> None:
        for n, vendor in queue:
            domain = rows[n % len(rows)]["website"].removeprefix("https://").strip("/")
            method, address, options = _request(vendor, domain)
            async with session.request(method, f"{url}/vendor/{address}", **options) as answer:
                json.loads(await answer.read())

    begun = perf_counter()
    # As the product does: every vendor call on a connection of its own.
    connector = aiohttp.TCPConnector(limit=CONCURRENCY, force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as group:
        for _ in range(CONCURRENCY):
            group.create_task(sender(session))
    return len(rows) / (perf_counter() - begun)


def _request(vendor: str, domain: str) -> tuple[str, str, dict[str, Any]]:
    bearer = {"Authorization": f"Bearer {_KEY}"}
    match vendor:
        case "serper":
            body = {"q": domain, "num": 10}
            return (
                "POST",
                "google.serper.dev/search",
                {"json": body, "headers": {"X-API-KEY": _KEY}},
            )
        case "apollo":
            path = f"api.apollo.io/api/v1/organizations/enrich?domain={domain}"
            return "GET", path, {"headers": {"x-api-key": _KEY}}
        case _:
            path = "enrichlayer.com/api/v2/company?url=https://www.linkedin.com/company/none"
            return "GET", path, {"headers": bearer}


async def run(dsn: str) -> list[Figure]:
    """Measure in turns; each round has rows of its own, so that nothing comes from the cache."""
    ours, reference = [], []
    rows = companies()
    with sandbox() as url:
        async with boot(settings(dsn, url)) as app, aiohttp.ClientSession() as session:
            for n in range(ROUNDS):
                some = rows[n * ROWS : (n + 1) * ROWS]
                before = await requests_by_vendor(session, url)
                ours.append(await enrich(app, some))
                after = await requests_by_vendor(session, url)
                counts = {name: after[name] - before[name] for name in VENDORS}
                reference.append(await bare(url, counts, some))
    return [
        Figure(
            "F4 whole enrichments, three vendors at 0 ms",
            "rows/s",
            ours,
            "the same requests in a bare asyncio loop",
            reference,
            ">= 0.50",
        )
    ]
