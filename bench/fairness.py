"""F13: how soon a single job begins behind a large batch, in the same workspace and in another."""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import quantiles
from time import perf_counter

import asyncpg
from pydantic import BaseModel

from bench.drain import asyncpg_options
from bench.figure import Figure
from glaze.jobs.kind import JobContext, Kind
from glaze.jobs.options import WorkerOptions
from glaze.jobs.wake import Wake
from glaze.jobs.worker import Worker
from glaze.model.job import NewJob
from glaze.model.outcome import Done, Outcome
from glaze.model.value import DEFAULT_WORKSPACE, WorkspaceId
from glaze.store.batch import BatchStore, NewBatch
from glaze.store.database import Database
from glaze.store.job import JobStore

ROWS = int(os.environ.get("GLAZE_BENCH_ROWS", "1_000_000"))
"""Rows of the batch; a small number is for trying the benchmark itself."""
SAMPLES = 100
ROUNDS = 3
CONCURRENCY = 10
TURN_S = 0.01  # how long a slot is taken by one job
PAUSE_S = 0.05  # between single jobs, spread so that they do not fall into step


class Args(BaseModel):
    """What a job of the benchmark carries; ``n`` is below zero for rows of the batch."""

    n: int = -1
    input: dict[str, int] = {}


class Pickups:
    """When each single job was asked for and when it began, in seconds of one process."""

    def __init__(self) -> None:
        """Begin without any."""
        self._asked: dict[int, float] = {}
        self._took: list[float] = []
        self.rows = 0

    async def run(self, args: Args, _context: JobContext) -> Outcome:
        """Be the job: note when it began, and take a slot for a moment."""
        if args.n >= 0:
            self._took.append(perf_counter() - self._asked[args.n])
        else:
            self.rows += 1
        await asyncio.sleep(TURN_S)
        return Done()

    async def sample(self, jobs: JobStore, workspace_id: WorkspaceId) -> float:
        """Ask for single jobs, one after the other; return the 95th percentile of waits in ms."""
        self._asked, self._took = {}, []
        rng = random.Random(1)
        for n in range(SAMPLES):
            self._asked[n] = perf_counter()
            await jobs.enqueue(workspace_id, [NewJob("turn", {"n": n})])
            await asyncio.sleep(PAUSE_S * rng.uniform(0.5, 1.5))
        async with asyncio.timeout(60):
            while len(self._took) < SAMPLES:  # noqa: ASYNC110  the job says it, not an event
                await asyncio.sleep(0.01)
        return 1000 * quantiles(self._took, n=20)[-1]


@asynccontextmanager
async def working(db: Database, pickups: Pickups) -> AsyncIterator[JobStore]:
    """Run a worker, and give a store whose enqueues wake it as another process's would."""
    options = WorkerOptions(concurrency=CONCURRENCY, name="bench")
    worker = Worker(db, {"turn": Kind("turn", Args, pickups.run)}, options, rng=random.Random(1))
    wake, stop = Wake(db.dsn), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(worker.run(stop))
        hints = group.create_task(wake.run())
        yield JobStore(db, wake.hint)
        stop.set()
        hints.cancel()


async def other_workspace(dsn: str) -> WorkspaceId:
    """Make a second workspace and return its id."""
    conn = await asyncpg.connect(**asyncpg_options(dsn))
    try:
        made = await conn.fetchval("insert into glaze.workspace (name) values ('b') returning id")
    finally:
        await conn.close()
    return WorkspaceId(made)


async def run(dsn: str) -> list[Figure]:
    """Sample beside an empty queue, then behind the batch; refuse it if the batch stood still."""
    other, pickups = await other_workspace(dsn), Pickups()
    empty: list[float] = []
    behind: dict[str, list[float]] = {"the same workspace": [], "another workspace": []}
    async with Database.open(dsn) as db, working(db, pickups) as jobs:
        await pickups.sample(jobs, other)  # what is slow only once is not what is measured
        empty += [await pickups.sample(jobs, other) for _ in range(ROUNDS)]
        batches = BatchStore(db)
        batch = await batches.create(DEFAULT_WORKSPACE, NewBatch("turn", {}))
        await batches.add_rows(DEFAULT_WORKSPACE, batch, ({"n": n} for n in range(ROWS)))
        await batches.start(DEFAULT_WORKSPACE, batch)
        for _ in range(ROUNDS):
            for where, workspace_id in zip(behind, (DEFAULT_WORKSPACE, other), strict=True):
                before = pickups.rows
                behind[where].append(await pickups.sample(jobs, workspace_id))
                if pickups.rows - before < SAMPLES:
                    raise RuntimeError("the batch stood still, or was done: nothing to be fair to")
        await batches.cancel(DEFAULT_WORKSPACE, batch)
        await jobs.sweep_cancelled()
    return [
        Figure(
            f"F13 p95 pick-up of a single job behind {ROWS:,} rows of {where}",
            "ms",
            took,
            "empty queue",
            empty,
            "<= 250 ms",
        )
        for where, took in behind.items()
    ]
