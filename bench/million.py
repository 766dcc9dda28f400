"""J8: a million rows loaded and worked through, beside COPY into a bare table and a drain of single jobs."""

import asyncio
import json
import os
import random
import resource
from itertools import islice
from time import perf_counter

import asyncpg
import psutil
from psycopg import AsyncConnection
from pydantic import BaseModel

from bench.drain import JOBS, asyncpg_options
from bench.drain import glaze as drain_single_jobs
from bench.figure import Figure
from glaze.jobs.kind import JobContext, Kind
from glaze.jobs.options import WorkerOptions
from glaze.jobs.worker import Worker
from glaze.model.outcome import Done, Outcome
from glaze.model.value import DEFAULT_WORKSPACE, BatchId
from glaze.store.batch import ROWS_CHUNK, BatchStore, NewBatch
from glaze.store.database import Database

ROWS = int(os.environ.get("GLAZE_BENCH_ROWS", "1_000_000"))
"""Rows of the batch; a small number is for trying the benchmark itself."""
CONCURRENCY = 100
BARE_TABLE = "create table bare_row (batch_id bigint, row_no int, input jsonb, primary key (batch_id, row_no))"


class Args(BaseModel):
    """What a row of the benchmark carries."""

    input: dict[str, str]


def row(n: int) -> dict[str, str]:
    """Return the input of one row, of a usual size."""
    return {"company": f"Acme Number {n} GmbH", "website": f"https://www.acme-{n}.com/"}


async def bare(dsn: str) -> float:
    """Return rows a second of COPY alone, in chunks of the same size."""
    numbers = iter(range(ROWS))
    async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
        await conn.execute(BARE_TABLE)
        begun = perf_counter()
        while chunk := list(islice(numbers, ROWS_CHUNK)):
            copying = conn.cursor().copy("copy bare_row (batch_id, row_no, input) from stdin")
            async with copying as copy:
                for n in chunk:
                    await copy.write_row((1, n, json.dumps(row(n))))
        return ROWS / (perf_counter() - begun)


async def load(db: Database) -> tuple[BatchId, float]:
    """Return a loaded batch and rows a second, encoding included."""
    batches = BatchStore(db)
    batch = await batches.create(DEFAULT_WORKSPACE, NewBatch("no_op", {}))
    begun = perf_counter()
    await batches.add_rows(DEFAULT_WORKSPACE, batch, (row(n) for n in range(ROWS)))
    return batch, ROWS / (perf_counter() - begun)


async def drain(db: Database, batch: BatchId) -> float:
    """Return rows a second of one worker, from the start to the batch's own end."""

    async def no_op(_args: Args, _context: JobContext) -> Outcome:
        await asyncio.sleep(0)
        return Done()

    batches = BatchStore(db)

    async def over() -> bool:
        progress = await batches.progress(DEFAULT_WORKSPACE, batch)
        return progress is not None and progress.over

    options = WorkerOptions(concurrency=CONCURRENCY, name="bench")
    worker = Worker(db, {"no_op": Kind("no_op", Args, no_op)}, options, rng=random.Random(1))
    begun = perf_counter()
    await batches.start(DEFAULT_WORKSPACE, batch)
    await worker.drain(over, asyncio.Event())
    rate = ROWS / (perf_counter() - begun)
    progress = await batches.progress(DEFAULT_WORKSPACE, batch)
    if progress is None or (progress.completed, progress.queued) != (ROWS, 0):
        raise RuntimeError(f"the batch did not do what it should: {progress}")
    return rate


async def sizes(dsn: str) -> tuple[int, int]:
    """Return bytes of the database, and of WAL written since the server was made."""
    conn = await asyncpg.connect(**asyncpg_options(dsn))
    try:
        database = await conn.fetchval("select pg_database_size(current_database())")
        wal = await conn.fetchval("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")
    finally:
        await conn.close()
    return database, wal


async def run(dsn: str) -> list[Figure]:
    """Load and drain once: a million rows are rounds enough."""
    copied = await bare(dsn)
    database, wal = await sizes(dsn)
    resident = psutil.Process().memory_info().rss
    async with Database.open(dsn) as db:
        batch, loaded = await load(db)
        drained = await drain(db, batch)
    grown = await sizes(dsn)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    took = ", ".join(
        f"{amount / 1e6:,.0f} MB {what}"
        for amount, what in (
            (grown[0] - database, "of database"),
            (grown[1] - wal, "of WAL"),
            (peak - resident, "of memory above the start, worker and client together"),
        )
    )
    single = await drain_single_jobs(dsn)
    return [
        Figure(
            f"J8 {ROWS:,} rows loaded", "rows/s", [loaded], "COPY, bare table", [copied], ">= 0.25"
        ),
        Figure(
            f"J8 {ROWS:,} rows through a no-op kind, one worker ({took})",
            "rows/s",
            [drained],
            f"drain of {JOBS:,} single no-op jobs",
            [single],
            ">= 0.25",
        ),
    ]
