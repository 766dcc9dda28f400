"""J8 through vendors: 20,000 rows with a worker of their own process, then a cancel in the middle."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import aiohttp
import psutil
import psycopg

from bench.enrichments import VENDORS, WANTED, companies, sandbox, settings
from bench.figure import Figure
from bench.million import sizes
from glaze.boot.app import App, boot
from glaze.model.value import DEFAULT_WORKSPACE, BatchId
from glaze.settings import Settings
from glaze.store.batch import NewBatch

ROWS = int(os.environ.get("GLAZE_BENCH_VENDOR_ROWS", "20_000"))
"""Rows of the batch; a small number is for trying the benchmark itself."""
CANCELLED_AT = 500
"""How many rows of the second batch have ended when it is cancelled."""
CONCURRENCY = 300
_QUIET_S = 5.0
_LOOK_S = 0.02
_MEGABYTE = 1_000_000


@contextmanager
def worker(given: Settings) -> Iterator[psutil.Process]:
    """Run a worker as its users do."""
    secrets = ("database_url", "apollo_api_key", "linkedin_api_key", "search_api_key")
    environment = {name.upper(): getattr(given, name).get_secret_value() for name in secrets}
    environment |= {"GLAZE_SANDBOX_URL": str(given.sandbox_url), "GLAZE_ALLOW": "enrichlayer"}
    for name in VENDORS:
        environment[f"GLAZE_PROVIDER__{name.upper()}__CALLS_PER_MINUTE"] = "60000"
    command = [sys.executable, "-m", "glaze.cli", "worker", f"--concurrency={CONCURRENCY}"]
    kept = {name: os.environ[name] for name in ("PATH", "HOME")}
    with subprocess.Popen(command, env=kept | environment, stderr=subprocess.DEVNULL) as process:
        try:
            yield psutil.Process(process.pid)
        finally:
            process.terminate()


class Memory:
    """The most memory that the worker, the server's processes and the sandbox took, in bytes."""

    def __init__(self, dsn: str, working: psutil.Process) -> None:
        """Watch ``working`` and the server behind ``dsn``, where it runs on this machine."""
        with psycopg.connect(dsn) as conn:
            backend = psutil.Process(conn.info.backend_pid)
            self._server = backend.parent() or backend
        self._worker = working
        self.worker = self.server = 0

    def look(self) -> None:
        """Take the present amounts; what the server's processes share is counted once."""
        self.worker = max(self.worker, self._worker.memory_info().rss)
        parts = 0
        for process in (self._server, *self._server.children()):
            try:
                parts += process.memory_full_info().pss
            except psutil.NoSuchProcess:
                continue  # a connection that was closed meanwhile
        self.server = max(self.server, parts)


async def begin(app: App, rows: list[dict[str, str]]) -> BatchId:
    """Start a batch of ``rows``."""
    asked = {"required_fields": WANTED, "providers": list(VENDORS)}
    batch = await app.batches.create(DEFAULT_WORKSPACE, NewBatch("enrich", asked))
    await app.batches.add_rows(DEFAULT_WORKSPACE, batch, rows)
    await app.batches.start(DEFAULT_WORKSPACE, batch)
    return batch


async def ended(app: App, batch: BatchId) -> int:
    """Return how many rows are at their end."""
    progress = await app.batches.progress(DEFAULT_WORKSPACE, batch)
    return progress.ended if progress else 0


async def calls(session: aiohttp.ClientSession, url: str) -> int:
    """Return how many requests the vendors got so far, by the sandbox's count."""
    async with session.get(f"{url}/_sandbox/stats") as answer:
        return sum((await answer.json())["requests"].values())


async def zero_after(app: App, batch: BatchId, url: str) -> float:
    """Cancel ``batch`` and return the seconds until the last vendor call."""
    async with aiohttp.ClientSession() as session:
        await app.batches.cancel(DEFAULT_WORKSPACE, batch)
        cancelled = last = perf_counter()
        seen = await calls(session, url)
        while perf_counter() - last < _QUIET_S:
            await asyncio.sleep(_LOOK_S)
            now = await calls(session, url)
            if now > seen:
                seen, last = now, perf_counter()
    return last - cancelled


async def run(dsn: str) -> list[Figure]:
    """Work through one batch, then cancel one in the middle."""
    rows = companies(2 * ROWS)
    with sandbox(2 * ROWS) as url:
        given = settings(dsn, url)
        async with boot(given) as app:
            with worker(given) as working:
                memory = Memory(dsn, working)
                database, wal = await sizes(dsn)
                begun = perf_counter()
                batch = await begin(app, rows[:ROWS])
                while await ended(app, batch) < ROWS:
                    memory.look()
                    await asyncio.sleep(1)
                took = perf_counter() - begun
                grown = await sizes(dsn)
                second = await begin(app, rows[ROWS:])
                while await ended(app, second) < CANCELLED_AT:  # noqa: ASYNC110  the table is the judge
                    await asyncio.sleep(_LOOK_S)
                quiet = await zero_after(app, second, url)
    parts = (
        (memory.worker, "of memory in the worker"),
        (memory.server, "in PostgreSQL"),
        (grown[0] - database, "of database"),
        (grown[1] - wal, "of WAL"),
    )
    described = ", ".join(f"{amount / _MEGABYTE:,.0f} MB {what}" for amount, what in parts)
    name = f"J8 {ROWS:,} rows through three vendors, one worker process ({described})"
    return [
        Figure(name, "rows/s", [ROWS / took], "one row a second", [1.0], "-"),
        Figure(
            "J8 cancel in the middle, to the last vendor call",
            "s",
            [quiet],
            "the bar",
            [1.0],
            "<= 1 s",
        ),
    ]
