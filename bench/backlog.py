"""F2: the drain with 500,000 jobs waiting and a snapshot held open, beside the drain with 10,000."""

import asyncio
import random
from time import perf_counter

import asyncpg

from bench.drain import CONCURRENCY, JOBS, Args, asyncpg_options
from bench.figure import Figure
from glaze.jobs.kind import JobContext, Kind
from glaze.jobs.options import WorkerOptions
from glaze.jobs.worker import Worker
from glaze.model.job import NewJob
from glaze.model.outcome import Done, Outcome
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.store.database import Database
from glaze.store.job import JobStore

FEW, MANY = 10_000, 500_000
ROUNDS = 3

FILL = """
with made as (
  insert into glaze.job (workspace_id, kind, state, priority, rank, due_at)
  select 1, 'no_op', 'pending', 5, now() + interval '1 hour', now() from generate_series(1, $1::int)
  returning id
)
insert into glaze.job_args (workspace_id, job_id, args) select 1, id, '{"n": 0}' from made
"""


async def drain(dsn: str) -> float:
    """Return jobs a second of one worker, from its start until as many as were added have run."""
    ran, all_ran, stop = 0, asyncio.Event(), asyncio.Event()

    async def no_op(_args: Args, _context: JobContext) -> Outcome:
        nonlocal ran
        await asyncio.sleep(0)
        ran += 1
        if ran == JOBS:
            all_ran.set()
        return Done()

    async with Database.open(dsn) as db:
        await JobStore(db).enqueue(
            DEFAULT_WORKSPACE, [NewJob("no_op", {"n": n}) for n in range(JOBS)]
        )
        options = WorkerOptions(concurrency=CONCURRENCY, name="bench")
        worker = Worker(db, {"no_op": Kind("no_op", Args, no_op)}, options, rng=random.Random(1))
        async with asyncio.TaskGroup() as group:
            begun = perf_counter()
            group.create_task(worker.run(stop))
            await all_ran.wait()
            rate = JOBS / (perf_counter() - begun)
            stop.set()
    return rate


async def run(dsn: str) -> list[Figure]:
    """Measure with few waiting, then with many: what was filled in stays."""
    elsewhere = await asyncpg.connect(**asyncpg_options(dsn))
    try:
        await elsewhere.execute(FILL, FEW + ROUNDS * JOBS)
        reference = [await drain(dsn) for _ in range(ROUNDS)]
        await elsewhere.execute(FILL, MANY)
        async with elsewhere.transaction(isolation="repeatable_read"):
            await elsewhere.fetchval("select count(*) from glaze.job")
            ours = [await drain(dsn) for _ in range(ROUNDS)]
    finally:
        await elsewhere.close()
    name = "F2 drain with 500,000 jobs waiting and an open snapshot"
    return [Figure(name, "jobs/s", ours, "the same with 10,000 waiting", reference, ">= 0.90")]
