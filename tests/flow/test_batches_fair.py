"""A worker in the middle of a large batch: somebody who waits for one answer is served first."""

import asyncio
import random
from statistics import median

from pydantic import BaseModel

from glaze.jobs.kind import JobContext, Kind
from glaze.jobs.options import WorkerOptions
from glaze.jobs.wake import Wake
from glaze.jobs.worker import Worker
from glaze.model.job import NewJob
from glaze.model.outcome import Done, Outcome
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.store.batch import BatchStore, NewBatch
from glaze.store.database import Database
from glaze.store.job import JobStore

WS = DEFAULT_WORKSPACE
WINDOW = 500


class Args(BaseModel):
    input: int = -1  # of a row; a single job has none


async def test_a_single_job_overtakes_the_window_and_what_the_worker_has_in_hand(
    db: Database,
) -> None:
    rows, began = 0, asyncio.Event()

    async def turn(args: Args, _context: JobContext) -> Outcome:
        nonlocal rows
        if args.input < 0:
            began.set()
        rows += args.input >= 0
        await asyncio.sleep(0.005)
        return Done()

    batches, wake, stop = BatchStore(db), Wake(db.dsn), asyncio.Event()
    batch = await batches.create(WS, NewBatch("turn", {}, feed_window=WINDOW))
    await batches.add_rows(WS, batch, range(8_000))
    await batches.start(WS, batch)
    options = WorkerOptions(concurrency=5, name="test")
    worker = Worker(db, {"turn": Kind("turn", Args, turn)}, options, rng=random.Random(1))
    overtook_by = []
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(worker.run(stop))
        hints = group.create_task(wake.run())
        for _ in range(9):
            await asyncio.sleep(0.2)  # between, the worker claims ahead again
            before = rows
            began.clear()
            await JobStore(db, wake.hint).enqueue(WS, [NewJob("turn", {})])
            await began.wait()
            overtook_by.append(rows - before)
        await batches.cancel(WS, batch)
        stop.set()
        hints.cancel()
    assert rows > WINDOW  # the batch went on meanwhile
    assert median(overtook_by) < WINDOW / 4
