"""Workers that are killed, frozen or poisoned: their jobs run again, their ghosts write nothing."""

import asyncio
import random
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import jobs_process
from test_jobs_worker import HANG_S, WS, _is, all_terminal, drain, log, until, view, worker

from glaze.jobs.worker import Worker
from glaze.model.job import JobState, NewJob
from glaze.model.value import JobId
from glaze.store.database import Database
from glaze.store.job import JobStore
from glaze.store.worker import WorkerStore

LEASE_S = 1.5


@contextmanager
def process(dsn: str, name: str) -> Iterator[subprocess.Popen[bytes]]:
    script = str(Path(jobs_process.__file__))
    with subprocess.Popen([sys.executable, script, dsn, name, str(LEASE_S)]) as started:
        try:
            yield started
        finally:
            started.kill()


async def _ended(victim: subprocess.Popen[bytes], over: Callable[[], Awaitable[bool]]) -> bool:
    return victim.poll() is not None or await over()


def nap(seconds: float, n: int = 1) -> list[NewJob]:
    return [NewJob("nap", {"seconds": seconds})] * n


def second(db: Database) -> Worker:
    return worker(db, given=jobs_process.options("second", LEASE_S))


def processing(db: Database, ids: list[JobId]) -> Callable[[], object]:
    async def look() -> bool:
        return all([await _is(db, job_id, JobState.PROCESSING) for job_id in ids])

    return look


async def test_a_killed_workers_jobs_run_again_once_its_lease_has_passed(
    db: Database, dsn: str
) -> None:
    ids = await JobStore(db).enqueue(WS, nap(1.0, 4))
    with process(dsn, "first") as first:
        await until(processing(db, ids))
        first.send_signal(signal.SIGKILL)
        await drain(db, ids, second(db))
    for job_id in ids:
        found = await view(db, job_id)
        assert (found.result, found.attempt, found.deaths) == ({"by": "test"}, 1, 1)
        types = ["enqueued", "claimed", "rescued", "claimed", "completed"]
        assert await log(db, job_id) == types


async def test_a_frozen_worker_that_thaws_writes_nothing(db: Database, dsn: str) -> None:
    [job_id] = await JobStore(db).enqueue(WS, nap(1.0))
    with process(dsn, "frozen") as frozen:
        await until(processing(db, [job_id]))
        [before] = await WorkerStore(db).living()
        frozen.send_signal(signal.SIGSTOP)
        await drain(db, [job_id], second(db))
        frozen.send_signal(signal.SIGCONT)

        async def registered_anew() -> bool:
            return any(w.id != before.id for w in await WorkerStore(db).living())

        await until(registered_anew)
    assert (await view(db, job_id)).result == {"by": "test"}
    assert (await log(db, job_id)).count("completed") == 1


async def test_a_poison_job_is_dead_after_three_deaths_and_its_neighbours_live(
    db: Database, dsn: str
) -> None:
    store = JobStore(db)
    [bad] = await store.enqueue(WS, [NewJob("poison", {})])
    good = await store.enqueue(WS, nap(0.05, 12))
    over = all_terminal(db, [bad, *good])
    starts = 0
    async with asyncio.timeout(HANG_S):
        while not await over():
            starts += 1
            with process(dsn, f"victim{starts}") as victim:
                await until(lambda v=victim: _ended(v, over))
    found = await view(db, bad)
    assert (found.state, found.deaths) == (JobState.DEAD, 3)
    assert [(await view(db, job_id)).state for job_id in good] == [JobState.COMPLETED] * 12
    assert starts <= 4


async def test_workers_killed_at_random_moments_lose_nothing_and_finish_nothing_twice(
    db: Database, dsn: str
) -> None:
    rng = random.Random(7)
    ids = await JobStore(db).enqueue(WS, nap(0.02, 120))
    for round_ in range(2):
        with process(dsn, f"round{round_}") as victim:
            await until(WorkerStore(db).living)
            await asyncio.sleep(rng.uniform(0.05, 0.3))
            victim.send_signal(signal.SIGKILL)
    await drain(db, ids, second(db))
    for job_id in ids:
        assert (await log(db, job_id)).count("completed") == 1
