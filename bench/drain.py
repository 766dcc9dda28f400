"""F1: drain no-op jobs with fencing, attempts and a log row a transition, beside a bare loop."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

import asyncpg
from psycopg.conninfo import conninfo_to_dict
from pydantic import BaseModel

from bench.figure import Figure
from glaze.jobs.kind import JobContext, Kind
from glaze.jobs.options import WorkerOptions
from glaze.jobs.worker import Worker
from glaze.model.job import NewJob
from glaze.model.outcome import Done, Outcome
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.store.database import Database
from glaze.store.job import JobStore

JOBS = 20_000
ROUNDS = 5
CONCURRENCY = 100

BARE_TABLE = """
drop schema if exists bare cascade;
create schema bare;
create table bare.job (
  id bigint generated always as identity primary key, payload jsonb not null,
  priority smallint not null default 0, status text not null default 'ready',
  run_at timestamptz not null default now(), attempts smallint not null default 0,
  worker text, lease_until timestamptz, finished_at timestamptz
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index on bare.job (priority, id) where status = 'ready';
"""
BARE_FILL = "insert into bare.job (payload) select jsonb_build_object('n', n) from generate_series(1, $1::int) n"
BARE_CLAIM = """
update bare.job set status = 'running', worker = 'w', attempts = attempts + 1, lease_until = now() + interval '30 s'
where id in (select id from bare.job where status = 'ready' and run_at <= now()
             order by priority, id limit $1 for update skip locked)
returning id, payload
"""
BARE_FINISH = """
update bare.job set status = 'done', finished_at = now(), lease_until = null
where id = any($1) and worker = 'w'
"""


class Args(BaseModel):
    """What a job of the benchmark carries."""

    n: int


class BareLoop:
    """Claim, run a coroutine a job, complete in groups: the least a durable queue must do."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        """Drain through ``pool``."""
        self._pool = pool
        self._ended: list[int] = []
        self._some = asyncio.Event()
        self._running = 0
        self._unwritten = 0
        self._empty = False

    async def drain(self) -> None:
        """Run jobs until there are no more to claim."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._finish())
            while not self._empty:
                if free := CONCURRENCY - self._running:
                    rows = await self._pool.fetch(BARE_CLAIM, free)
                    self._empty = not rows
                    self._running += len(rows)
                    self._unwritten += len(rows)
                    for row in rows:
                        group.create_task(self._run(row))
                await asyncio.sleep(0)
            self._some.set()

    async def _run(self, row: asyncpg.Record) -> None:
        json.loads(row["payload"])
        await asyncio.sleep(0)
        self._running -= 1
        self._ended.append(row["id"])
        self._some.set()

    async def _finish(self) -> None:
        while self._unwritten or not self._empty:
            await self._some.wait()
            self._some.clear()
            await asyncio.sleep(0)
            group, self._ended = self._ended, []
            if group:
                await self._pool.execute(BARE_FINISH, group)
                self._unwritten -= len(group)


def asyncpg_options(dsn: str) -> dict[str, Any]:
    """Return ``dsn`` as asyncpg takes it: it reads no key=value text."""
    names = {"host": "host", "port": "port", "user": "user", "password": "password"}
    names |= {"dbname": "database"}
    given = conninfo_to_dict(dsn)
    return {names[key]: value for key, value in given.items() if key in names}


async def bare(dsn: str) -> float:
    """Return jobs a second of the bare loop."""
    async with asyncpg.create_pool(**asyncpg_options(dsn), min_size=4, max_size=6) as pool:
        await pool.execute(BARE_TABLE)
        await pool.execute(BARE_FILL, JOBS)
        begun = perf_counter()
        await BareLoop(pool).drain()
        return JOBS / (perf_counter() - begun)


async def worked(dsn: str, over: Callable[[], Awaitable[None]] | None = None) -> float:
    """Add jobs and return how many a second one worker runs, from its start.

    The clock stops once as many as were added have run and ``over`` has returned.
    """
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
            if over is not None:
                await over()
            rate = JOBS / (perf_counter() - begun)
            stop.set()
    return rate


async def glaze(dsn: str) -> float:
    """Return jobs a second of one worker, from its start to the commit of the last outcome."""
    return await worked(dsn, lambda: _all_written(dsn))


async def _all_written(dsn: str) -> None:
    conn = await asyncpg.connect(**asyncpg_options(dsn))
    try:
        while await conn.fetchval(  # noqa: ASYNC110  the table is the judge, not the worker
            "select exists (select from glaze.job where state = 'processing')"
        ):
            await asyncio.sleep(0.001)
    finally:
        await conn.close()


async def check(dsn: str, rounds: int) -> None:
    """Refuse a figure that was had by leaving something out."""
    conn = await asyncpg.connect(**asyncpg_options(dsn))
    try:
        counted = await conn.fetchrow(
            "select count(*) filter (where type = 'enqueued') as enqueued,"
            " count(*) filter (where type = 'claimed') as claimed,"
            " count(*) filter (where type = 'completed') as completed from glaze.event"
        )
        durable = await conn.fetchval(
            "select current_setting('fsync') || current_setting('synchronous_commit')"
        )
    finally:
        await conn.close()
    if set(counted.values()) != {JOBS * rounds} or durable != "onon":
        raise RuntimeError(f"the drain is not what it should be: {dict(counted)}, {durable}")


async def run(dsn: str) -> list[Figure]:
    """Take turns with the bare loop."""
    ours, reference = [], []
    for _ in range(ROUNDS):
        reference.append(await bare(dsn))
        ours.append(await glaze(dsn))
    await check(dsn, ROUNDS)
    name = "F1 drain of 20,000 no-op jobs, one worker"
    return [Figure(name, "jobs/s", ours, "bare claim-and-finish loop", reference, ">= 0.50")]
