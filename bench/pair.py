"""F1 with two workers: two processes drain one queue, beside two bare loops that do."""

import asyncio
import random
import sys
from asyncio.subprocess import PIPE, Process
from datetime import datetime

import asyncpg
import uvloop

from bench.drain import (
    BARE_FILL,
    BARE_TABLE,
    CONCURRENCY,
    JOBS,
    Args,
    BareLoop,
    asyncpg_options,
    check,
)
from bench.figure import Figure
from glaze.boot.process import collect_rarely
from glaze.jobs.kind import JobContext, Kind
from glaze.jobs.options import WorkerOptions
from glaze.jobs.worker import Worker
from glaze.model.job import NewJob
from glaze.model.outcome import Done, Outcome
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.store.database import Database
from glaze.store.job import JobStore

ROUNDS = 5
WORKERS = 2
_READY, _GO = b"ready\n", b"go\n"


async def glaze(dsn: str, clock: "asyncpg.Connection[asyncpg.Record]") -> float:
    """Add jobs and return how many a second two workers run, until the last outcome is written."""
    async with Database.open(dsn) as db:
        await JobStore(db).enqueue(
            DEFAULT_WORKSPACE, [NewJob("no_op", {"n": n}) for n in range(JOBS)]
        )
    begun = await _drained("glaze", dsn, clock)
    ended: datetime = await clock.fetchval("select max(finished_at) from glaze.job")
    return JOBS / (ended - begun).total_seconds()


async def bare(dsn: str, clock: "asyncpg.Connection[asyncpg.Record]") -> float:
    """Return the same of two bare loops."""
    await clock.execute(BARE_TABLE)
    await clock.execute(BARE_FILL, JOBS)
    begun = await _drained("bare", dsn, clock)
    ended: datetime = await clock.fetchval("select max(finished_at) from bare.job")
    return JOBS / (ended - begun).total_seconds()


async def _drained(what: str, dsn: str, clock: "asyncpg.Connection[asyncpg.Record]") -> datetime:
    """Start two processes, let them begin together, and return when that was."""
    workers = [await _started(what, dsn) for _ in range(WORKERS)]
    begun: datetime = await clock.fetchval("select clock_timestamp()")
    said = await asyncio.gather(*(worker.communicate(_GO) for worker in workers))
    if any(worker.returncode for worker in workers):
        raise RuntimeError(f"a worker failed: {said}")
    return begun


async def _started(what: str, dsn: str) -> Process:
    command = (sys.executable, "-m", "bench.pair", what, dsn)
    worker = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    if worker.stdout is None or await worker.stdout.readline() != _READY:
        raise RuntimeError("a worker did not start")
    return worker


async def run(dsn: str) -> list[Figure]:
    """Take turns with the bare loops."""
    ours, reference = [], []
    clock = await asyncpg.connect(**asyncpg_options(dsn))
    try:
        for _ in range(ROUNDS):
            reference.append(await bare(dsn, clock))
            ours.append(await glaze(dsn, clock))
    finally:
        await clock.close()
    await check(dsn, ROUNDS)
    name = f"F1 drain of {JOBS:,} no-op jobs, two workers"
    return [Figure(name, "jobs/s", ours, "two bare loops", reference, ">= 0.50")]


# -- one of the two processes ------------------------------------------------------------------


async def _begin() -> None:
    sys.stdout.buffer.write(_READY)
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.buffer.readline)


async def _work(dsn: str) -> None:
    async def no_op(_args: Args, _context: JobContext) -> Outcome:
        await asyncio.sleep(0)
        return Done()

    async with Database.open(dsn) as db, asyncpg.create_pool(**asyncpg_options(dsn)) as pool:
        options = WorkerOptions(concurrency=CONCURRENCY, name="bench")
        worker = Worker(db, {"no_op": Kind("no_op", Args, no_op)}, options, rng=random.Random(1))

        async def over() -> bool:
            still = "select exists (select from glaze.job where state in ('pending', 'processing'))"
            return not await pool.fetchval(still)

        await _begin()
        await worker.drain(over, asyncio.Event())


async def _loop(dsn: str) -> None:
    async with asyncpg.create_pool(**asyncpg_options(dsn), min_size=4, max_size=6) as pool:
        await _begin()
        await BareLoop(pool).drain()


if __name__ == "__main__":
    collect_rarely()
    uvloop.run({"glaze": _work, "bare": _loop}[sys.argv[1]](sys.argv[2]))
