"""A worker from registration to its end: nothing is lost, nothing runs twice at once."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import psycopg
import pytest
from jobs_process import KINDS, Args, options

from glaze.jobs.kind import JobContext, Kind, Kinds
from glaze.jobs.options import WorkerOptions
from glaze.jobs.wake import Wake
from glaze.jobs.worker import Worker
from glaze.model.job import JobState, NewJob
from glaze.model.outcome import Cancelled, Done, Outcome, Retry, Snooze
from glaze.model.value import DEFAULT_WORKSPACE, JobId
from glaze.store.batch import BatchStore, NewBatch
from glaze.store.database import Database
from glaze.store.event import EventStore
from glaze.store.job import JobStore, JobView
from glaze.store.notify import Hint, listen
from glaze.store.worker import WorkerStore

WS = DEFAULT_WORKSPACE
HANG_S = 60.0


def worker(
    db: Database, kinds: Kinds = KINDS, given: WorkerOptions | None = None, seed: int = 1
) -> Worker:
    return Worker(db, kinds, given or options("test", 5.0), rng=random.Random(seed))


def only(run: Callable[[Args, JobContext], Awaitable[Outcome]], name: str = "nap") -> Kinds:
    return {name: Kind(name, Args, run)}


async def view(db: Database, job_id: JobId) -> JobView:
    found = await JobStore(db).get(WS, job_id)
    assert found is not None
    return found


async def log(db: Database, job_id: JobId) -> list[str]:
    return [event.type for event in await EventStore(db).log(WS, job_id)]


async def until(look: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(HANG_S):
        while not await look():  # noqa: ASYNC110  another process's doing is only seen by looking
            await asyncio.sleep(0.02)


def all_terminal(db: Database, ids: list[JobId]) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return all([(await view(db, job_id)).finished_at for job_id in ids])

    return look


async def drain(db: Database, ids: list[JobId], *workers: Worker) -> None:
    async with asyncio.timeout(HANG_S), asyncio.TaskGroup() as group:
        for one in workers:
            group.create_task(one.drain(all_terminal(db, ids), asyncio.Event()))


async def test_two_workers_run_every_job_exactly_once(db: Database) -> None:
    ids = await JobStore(db).enqueue(WS, [NewJob("nap", {})] * 300)
    await drain(db, ids, worker(db), worker(db, seed=2))
    for job_id in ids:
        assert await log(db, job_id) == ["enqueued", "claimed", "completed"]
    assert await WorkerStore(db).living() == []


async def test_a_hint_wakes_an_idle_worker_long_before_it_would_poll(db: Database) -> None:
    stop = asyncio.Event()
    lazy = WorkerOptions(poll_s=HANG_S, name="lazy")
    async with asyncio.TaskGroup() as group:
        sleeper = worker(db, given=lazy)
        group.create_task(sleeper.run(stop))
        await until(WorkerStore(db).living)
        await asyncio.sleep(0.5)  # its first claim has come back empty
        ids = await JobStore(db, sleeper.wake.hint).enqueue(WS, [NewJob("nap", {})])
        async with asyncio.timeout(HANG_S / 2):
            await until(all_terminal(db, ids))
        stop.set()


async def test_without_any_hint_polling_finds_the_job(db: Database) -> None:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(worker(db).run(stop))
        await until(WorkerStore(db).living)
        ids = await JobStore(db).enqueue(WS, [NewJob("nap", {})])
        await until(all_terminal(db, ids))
        stop.set()


async def test_a_stopping_worker_ends_what_runs_and_hands_back_what_has_not_begun(
    db: Database,
) -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def wait(_args: Args, _context: JobContext) -> Outcome:
        begun.set()
        await release.wait()
        return Done("ended in order")

    store, stop = JobStore(db), asyncio.Event()
    first, *rest = await store.enqueue(WS, [NewJob("nap", {})] * 5)
    async with asyncio.TaskGroup() as group:
        one = worker(db, only(wait), options("test", 5.0, concurrency=1))
        group.create_task(one.run(stop))
        await begun.wait()
        stop.set()
        for job_id in rest:
            await until(lambda j=job_id: _is(db, j, JobState.PENDING))
        assert (await view(db, first)).state == JobState.PROCESSING
        release.set()
    assert (await view(db, first)).result == "ended in order"
    assert [(await view(db, job_id)).attempt for job_id in rest] == [0] * 4
    assert await WorkerStore(db).living() == []


async def _is(db: Database, job_id: JobId, state: JobState) -> bool:
    return (await view(db, job_id)).state == state


async def test_a_second_stop_hands_back_even_what_runs(db: Database) -> None:
    begun = asyncio.Event()

    async def forever(_args: Args, _context: JobContext) -> Outcome:
        begun.set()
        await asyncio.Event().wait()
        return Done()

    [job_id] = await JobStore(db).enqueue(WS, [NewJob("nap", {})])
    stop, abort = asyncio.Event(), asyncio.Event()
    async with asyncio.timeout(HANG_S), asyncio.TaskGroup() as group:
        group.create_task(worker(db, only(forever)).run(stop, abort))
        await begun.wait()
        stop.set()
        abort.set()
    found = await view(db, job_id)
    assert (found.state, found.attempt, found.deaths) == (JobState.PENDING, 0, 0)
    assert await log(db, job_id) == ["enqueued", "claimed", "handed_back"]


async def test_a_running_job_notices_that_it_was_cancelled(db: Database) -> None:
    begun = asyncio.Event()

    async def heed(_args: Args, context: JobContext) -> Outcome:
        begun.set()
        await context.cancelled.wait()
        return Cancelled("half")

    [job_id] = await JobStore(db).enqueue(WS, [NewJob("nap", {})])
    async with asyncio.TaskGroup() as group:
        group.create_task(drain(db, [job_id], worker(db, only(heed))))
        await begun.wait()
        await JobStore(db).cancel(WS, [job_id])
    found = await view(db, job_id)
    assert (found.state, found.result) == (JobState.CANCELLED, "half")


async def test_retries_and_snoozes_come_back_and_progress_stands_in_the_log(db: Database) -> None:
    async def stumble(_args: Args, context: JobContext) -> Outcome:
        context.progress(50, "half way")
        if "snoozed" not in await log(db, context.job.id):
            return Snooze(context.job.created_at, "slot")
        return Done() if context.job.attempt == 2 else Retry("busy", "later", 0.01)

    [job_id] = await JobStore(db).enqueue(WS, [NewJob("nap", {})])
    await drain(db, [job_id], worker(db, only(stumble)))
    types = [type_ for type_ in await log(db, job_id) if type_ != "progress"]
    around = ["due", "claimed"]
    assert types == [
        *["enqueued", "claimed", "snoozed", *around, "retried", *around, "completed"],
    ]
    assert (await log(db, job_id)).count("progress") == 3


async def test_a_worker_whose_jobs_were_taken_back_drops_them_and_registers_anew(
    db: Database,
) -> None:
    runs: list[int] = []

    async def once_too_long(_args: Args, context: JobContext) -> Outcome:
        runs.append(context.job.token.worker_id)
        if len(runs) == 1:
            await WorkerStore(db).stop(context.job.token.worker_id)
            await JobStore(db).rescue()
            await asyncio.Event().wait()
        return Done(context.job.token.worker_id)

    [job_id] = await JobStore(db).enqueue(WS, [NewJob("nap", {})])
    await drain(db, [job_id], worker(db, only(once_too_long), options("test", 1.0)))
    assert len(set(runs)) == 2
    assert (await view(db, job_id)).result == runs[1]


async def test_connections_lost_in_the_middle_lose_no_job(db: Database, dsn: str) -> None:
    ids = await JobStore(db).enqueue(WS, [NewJob("nap", {"seconds": 0.01})] * 400)

    async def cut() -> None:
        name = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as conn:
            for _ in range(5):
                await asyncio.sleep(0.15)
                await conn.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = %s and pid <> pg_backend_pid()",
                    (name,),
                )

    async with asyncio.TaskGroup() as group:
        group.create_task(cut())
        group.create_task(drain(db, ids, worker(db)))
    async with Database.open(dsn) as fresh:
        for job_id in ids:
            types = await log(fresh, job_id)
            assert types.count("completed") == 1
            assert set(types) <= {"enqueued", "claimed", "handed_back", "completed"}


async def test_a_batch_goes_through_a_worker_window_by_window(db: Database) -> None:
    most = 0

    async def look(_args: Args, _context: JobContext) -> Outcome:
        nonlocal most
        found = await batches.progress(WS, batch_id)
        assert found is not None
        most = max(most, found.queued)
        return Done()

    one = worker(db, only(look))
    batches = BatchStore(db, one.wake.hint)
    batch_id = await batches.create(WS, NewBatch("nap", {"seconds": 0}, feed_window=20))
    await batches.add_rows(WS, batch_id, ({"n": n} for n in range(150)))
    await batches.start(WS, batch_id)

    async def over() -> bool:
        found = await batches.progress(WS, batch_id)
        return found is not None and found.over

    async with asyncio.timeout(HANG_S):
        await one.drain(over, asyncio.Event())
    end = await batches.progress(WS, batch_id)
    assert end is not None
    assert (end.state, end.completed, end.queued) == ("finished", 150, 0)
    assert most <= 20


async def test_a_cancelled_batch_ends_under_a_worker_with_every_row_counted(db: Database) -> None:
    batches = BatchStore(db)
    begun = asyncio.Event()

    async def heed(_args: Args, context: JobContext) -> Outcome:
        begun.set()
        await context.cancelled.wait()
        return Cancelled()

    batch_id = await batches.create(WS, NewBatch("nap", {}, feed_window=20))
    await batches.add_rows(WS, batch_id, ({"n": n} for n in range(50)))
    await batches.start(WS, batch_id)

    async def over() -> bool:
        found = await batches.progress(WS, batch_id)
        return found is not None and found.over

    async with asyncio.timeout(HANG_S), asyncio.TaskGroup() as group:
        group.create_task(worker(db, only(heed)).drain(over, asyncio.Event()))
        await begun.wait()
        assert await batches.cancel(WS, batch_id)
    end = await batches.progress(WS, batch_id)
    assert end is not None
    assert (end.state, end.cancelled) == ("cancelled", 50)


@pytest.mark.parametrize("noticed_by", ["ends", "due"])
async def test_hints_go_on_after_their_connection_was_lost_whoever_notices_it(
    db: Database, dsn: str, noticed_by: str
) -> None:
    wake, now = Wake(db.dsn), datetime.now(UTC)  # noqa: TID251  any time will do
    async with asyncio.timeout(HANG_S), asyncio.TaskGroup() as group:
        sending = group.create_task(wake.run())
        heard = aiter(listen(db.dsn))
        assert await anext(heard) is None
        wake.hint("first", now)
        assert await anext(heard) == Hint("first", now)
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and query like '%pg_notify%'"
                " and pid <> pg_backend_pid()"
            )
        wake.ended() if noticed_by == "ends" else wake.hint("lost", now)
        hearing = group.create_task(anext(heard))
        while not hearing.done():
            wake.hint("again", now)
            await asyncio.sleep(0.02)
        assert hearing.result() == Hint("again", now)
        sending.cancel()
