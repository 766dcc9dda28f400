"""F2: the drain with 500,000 jobs waiting and a snapshot held open, beside the drain with 10,000."""

import asyncpg

from bench.drain import JOBS, asyncpg_options, worked
from bench.figure import Figure

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


async def run(dsn: str) -> list[Figure]:
    """Measure with few waiting, then with many: what was filled in stays."""
    elsewhere = await asyncpg.connect(**asyncpg_options(dsn))
    try:
        await elsewhere.execute(FILL, FEW + ROUNDS * JOBS)
        reference = [await worked(dsn) for _ in range(ROUNDS)]
        await elsewhere.execute(FILL, MANY)
        async with elsewhere.transaction(isolation="repeatable_read"):
            await elsewhere.fetchval("select count(*) from glaze.job")
            ours = [await worked(dsn) for _ in range(ROUNDS)]
    finally:
        await elsewhere.close()
    name = "F2 drain with 500,000 jobs waiting and an open snapshot"
    return [Figure(name, "jobs/s", ours, "the same with 10,000 waiting", reference, ">= 0.90")]
