"""F3: from enqueuing to the first line of the job, on an idle queue, beside a bare listener's loop."""

import asyncio
import contextlib
import json
import random
import statistics
from time import perf_counter

import asyncpg

from bench.drain import BARE_CLAIM, BARE_FINISH, BARE_TABLE, Args, asyncpg_options
from bench.figure import Figure
from glaze.jobs.kind import JobContext, Kind
from glaze.jobs.options import WorkerOptions
from glaze.jobs.wake import Wake
from glaze.jobs.worker import Worker
from glaze.model.job import NewJob
from glaze.model.outcome import Done, Outcome
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.store.database import Database
from glaze.store.job import JobStore

JOBS = 200
ROUNDS = 3
PAUSE_S = 0.02
_SETTLED_S = 0.5


async def glaze(dsn: str) -> list[float]:
    """Return the milliseconds that each job took to be picked up by one idle worker."""
    asked: dict[int, float] = {}
    took: list[float] = []
    stop, all_ran = asyncio.Event(), asyncio.Event()

    async def note(args: Args, _context: JobContext) -> Outcome:
        took.append((perf_counter() - asked[args.n]) * 1000)
        if len(took) == JOBS:
            all_ran.set()
        return Done()

    async with Database.open(dsn) as db:
        wake = Wake(db.dsn)
        jobs = JobStore(db, wake.hint)
        options = WorkerOptions(name="bench")
        worker = Worker(db, {"note": Kind("note", Args, note)}, options, rng=random.Random(1))
        async with asyncio.TaskGroup() as group:
            waking = group.create_task(wake.run())
            group.create_task(worker.run(stop))
            await asyncio.sleep(_SETTLED_S)
            for n in range(JOBS):
                asked[n] = perf_counter()
                await jobs.enqueue(DEFAULT_WORKSPACE, [NewJob("note", {"n": n})])
                await asyncio.sleep(PAUSE_S)
            await all_ran.wait()
            stop.set()
            waking.cancel()
    return took


async def bare(dsn: str) -> list[float]:
    """Return the same of a loop that claims when it is notified."""
    options = asyncpg_options(dsn)
    asker, listener, worker = [await asyncpg.connect(**options) for _ in range(3)]
    await asker.execute(BARE_TABLE)
    wake, took = asyncio.Event(), list[float]()
    await listener.add_listener("bare", lambda *_: wake.set())

    async def work() -> None:
        while len(took) < JOBS:
            wake.clear()
            rows = await worker.fetch(BARE_CLAIM, 10)
            now = perf_counter()
            took.extend((now - json.loads(row["payload"])["at"]) * 1000 for row in rows)
            if rows:
                await worker.execute(BARE_FINISH, [row["id"] for row in rows])
            else:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1):
                        await wake.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(work())
        await asyncio.sleep(_SETTLED_S)
        for _ in range(JOBS):
            payload = json.dumps({"at": perf_counter()})
            await asker.execute("insert into bare.job (payload) values ($1)", payload)
            await asker.execute("notify bare")
            await asyncio.sleep(PAUSE_S)
    for connection in (asker, listener, worker):
        await connection.close()
    return took


async def run(dsn: str) -> list[Figure]:
    """Take turns with the bare loop."""
    ours, reference = [], []
    for _ in range(ROUNDS):
        reference.append(await bare(dsn))
        ours.append(await glaze(dsn))
    return [
        Figure(
            f"F3 pick-up from an idle queue, {name}",
            "ms",
            [of(took) for took in ours],
            "a bare loop that listens",
            [of(took) for took in reference],
            reach,
        )
        for name, of, reach in (
            ("p50", statistics.median, "<= 5 ms"),
            ("p99", _p99, "<= 20 ms"),
        )
    ]


def _p99(took: list[float]) -> float:
    return statistics.quantiles(took, n=100)[98]
