"""F2: the claim with 500,000 scheduled jobs and a snapshot held open, beside a queue without them."""

from time import perf_counter

import asyncpg

from bench.drain import asyncpg_options
from bench.figure import Figure
from glaze.model.job import NewJob
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.store.database import Database
from glaze.store.job import JobStore
from glaze.store.worker import WorkerStore

SCHEDULED = 500_000
JOBS = 10_000
GROUP = 100
ROUNDS = 3

FILL = """
insert into glaze.job (workspace_id, kind, state, rank, due_at)
select 1, 'later', 'scheduled', now() + interval '1 day', now() + interval '1 day' from generate_series(1, $1::int)
"""


async def claims(dsn: str) -> float:
    """Return jobs claimed a second, in groups, each from the last rank on."""
    async with Database.open(dsn) as db:
        jobs = JobStore(db)
        me = await WorkerStore(db).register("bench", "", ["default"], lease_s=600)
        await jobs.enqueue(DEFAULT_WORKSPACE, [NewJob("no_op", {})] * JOBS)
        begun, rank, claimed = perf_counter(), None, 0
        while claimed < JOBS:
            got, rank = await jobs.claim("default", GROUP, me, rank)
            claimed += len(got)
        return JOBS / (perf_counter() - begun)


async def run(dsn: str) -> list[Figure]:
    """Measure without, then with: what was filled in stays."""
    reference = [await claims(dsn) for _ in range(ROUNDS)]
    elsewhere = await asyncpg.connect(**asyncpg_options(dsn))
    try:
        await elsewhere.execute(FILL, SCHEDULED)
        async with elsewhere.transaction(isolation="repeatable_read"):
            await elsewhere.fetchval("select count(*) from glaze.job")
            ours = [await claims(dsn) for _ in range(ROUNDS)]
    finally:
        await elsewhere.close()
    name = "F2 claims beside 500,000 scheduled jobs and an open snapshot"
    return [Figure(name, "jobs/s", ours, "claims without them", reference, ">= 0.90")]
