"""Batches on a real PostgreSQL: narrow rows, a bounded window, counters that add up."""

import asyncio

import pytest

from glaze.errors import BatchStateConflict
from glaze.model.job import ClaimedJob, NewJob
from glaze.model.outcome import Done, Failed, Outcome, Partial, Retry
from glaze.model.value import DEFAULT_WORKSPACE, BatchId, WorkerId
from glaze.store.attempt import Ended
from glaze.store.batch import BatchStore, NewBatch, Progress
from glaze.store.batch_control import BatchControl
from glaze.store.database import Database
from glaze.store.event import START, EventStore
from glaze.store.job import JobStore
from glaze.store.worker import WorkerStore

WS = DEFAULT_WORKSPACE


async def worker(db: Database) -> WorkerId:
    return await WorkerStore(db).register("test", "0", ["default"], lease_s=30)


async def batch_of(db: Database, rows: int, window: int = 10, **options: object) -> BatchId:
    store = BatchStore(db)
    new = NewBatch("try", {"fields": ["a"]}, feed_window=window, **options)  # type: ignore[arg-type]
    batch_id = await store.create(WS, new)
    assert await store.add_rows(WS, batch_id, ({"n": i} for i in range(1, rows + 1))) == rows
    return batch_id


async def progress(db: Database, batch_id: BatchId) -> Progress:
    found = await BatchStore(db).progress(WS, batch_id)
    assert found is not None
    return found


async def claim(db: Database, me: WorkerId, n: int = 100) -> list[ClaimedJob]:
    return (await JobStore(db).claim("default", n, me))[0]


async def finish(db: Database, held: list[ClaimedJob], outcome: Outcome) -> tuple[BatchId, ...]:
    finished = await JobStore(db).finish(WS, [Ended.of(job, outcome) for job in held])
    assert len(finished.accepted) == len(held)
    return finished.hungry


async def batch_log(db: Database) -> list[str]:
    events, _ = await EventStore(db).feed(WS, START)
    return [event.type for event in events]


async def test_a_row_sees_the_settings_of_its_batch_and_its_own_input(db: Database) -> None:
    batch_id = await batch_of(db, 3)
    await BatchStore(db).start(WS, batch_id)
    got = await JobStore(db).load(WS, await claim(db, await worker(db)))
    assert [job.args for job in got] == [{"fields": ["a"], "input": {"n": n}} for n in range(1, 4)]
    assert [(job.batch_id, job.row_no) for job in got] == [(batch_id, n) for n in range(1, 4)]


async def test_a_row_was_asked_for_when_its_batch_was_made_however_late_it_is_fed(
    db: Database,
) -> None:
    batch_id = await batch_of(db, 3, window=1)
    await BatchStore(db).start(WS, batch_id)
    made = (await progress(db, batch_id)).created_at
    me, jobs = await worker(db), JobStore(db)
    for _ in range(3):
        held = await jobs.load(WS, await claim(db, me))
        assert [job.created_at for job in held] == [made]
        await finish(db, held, Done())
        await BatchStore(db).feed(batch_id)


async def test_no_more_rows_than_the_window_are_jobs_and_half_of_it_asks_for_more(
    db: Database,
) -> None:
    batch_id, me, batches = await batch_of(db, 25, window=10), await worker(db), BatchStore(db)
    await batches.start(WS, batch_id)
    assert await batches.feed() == 0
    held = await claim(db, me)
    assert len(held) == 10
    assert await finish(db, held[:4], Done()) == ()
    assert await finish(db, held[4:5], Done()) == (batch_id,)
    assert await batches.feed(batch_id) == 5
    assert (await progress(db, batch_id)).queued == 10


async def test_two_feeders_at_once_keep_to_the_window(db: Database) -> None:
    batch_id, batches = await batch_of(db, 50, window=10), BatchStore(db)
    await batches.start(WS, batch_id)
    held = await claim(db, await worker(db))
    await finish(db, held, Done())
    await asyncio.gather(*(batches.feed() for _ in range(6)))
    assert (await progress(db, batch_id)).queued == 10


async def test_a_batch_finishes_with_the_right_counters_and_leaves_no_job_rows(
    db: Database,
) -> None:
    batch_id, me, batches = await batch_of(db, 23, window=6), await worker(db), BatchStore(db)
    await batches.start(WS, batch_id)
    while held := await claim(db, me, 3):
        done, partial, failed = [*held, None, None][:3]
        for job, outcome in ((done, Done(1)), (partial, Partial(2)), (failed, Failed("x", "y"))):
            await finish(db, [job] if job else [], outcome)
        await batches.feed()
    end = await progress(db, batch_id)
    assert (end.state, end.over) == ("finished", True)
    assert (end.completed, end.partial, end.failed) == (8, 8, 7)
    assert (end.queued, end.cancelled, end.ended) == (0, 0, 23)
    assert await JobStore(db).page(WS) == []
    results = await batches.results(WS, batch_id, after=1, n=2)
    assert [(r.row_no, r.state, r.result, r.error) for r in results] == [
        (2, "partial", 2, None),
        (3, "failed", None, "x: y"),
    ]
    log = await batch_log(db)
    assert log.count("failed") == 7  # only what is abnormal, and the batch's own story
    assert [t for t in log if t != "failed"] == ["batch_started", "batch_finished"]


async def test_an_open_batch_that_came_further_is_told_of_once_in_a_while_and_not_again(
    db: Database,
) -> None:
    batch_id, me, batches = await batch_of(db, 4, window=4), await worker(db), BatchStore(db)
    await batches.start(WS, batch_id)
    await batches.tell_progress(0.0)
    held = await claim(db, me)
    await finish(db, held[:1], Done())
    await asyncio.gather(*(batches.tell_progress(60.0) for _ in range(4)))
    await finish(db, held[1:2], Done())
    await batches.tell_progress(60.0)
    assert await batch_log(db) == ["batch_started", "batch_progress"]
    await batches.tell_progress(0.0)
    await batches.tell_progress(0.0)
    assert await batch_log(db) == ["batch_started", "batch_progress", "batch_progress"]
    await finish(db, held[2:], Done())
    await batches.tell_progress(0.0)
    assert (await batch_log(db))[3:] == ["batch_finished"], "the end says it"


async def test_a_batch_without_rows_is_finished_when_it_starts(db: Database) -> None:
    batch_id = await batch_of(db, 0)
    await BatchStore(db).start(WS, batch_id)
    assert (await progress(db, batch_id)).state == "finished"


async def test_rows_keep_their_order_over_many_chunks(db: Database) -> None:
    batch_id = await batch_of(db, 12_345)
    rows = await BatchStore(db).results(WS, batch_id, after=12_343)
    assert [row.input for row in rows] == [{"n": 12_344}, {"n": 12_345}]
    assert (await progress(db, batch_id)).total == 12_345


async def test_a_paused_batch_begins_nothing_and_resumes_where_it_stood(db: Database) -> None:
    batch_id, me, batches = await batch_of(db, 8, window=4), await worker(db), BatchStore(db)
    await batches.start(WS, batch_id)
    [held] = await claim(db, me, 1)
    await batches.pause(WS, batch_id)
    assert await claim(db, me) == []
    await finish(db, [held], Done())
    assert await batches.feed() == 0
    await batches.resume(WS, batch_id)
    assert len(await claim(db, me)) >= 3


async def test_a_job_behind_a_paused_batch_is_not_kept_waiting(db: Database) -> None:
    batch_id, batches = await batch_of(db, 8), BatchStore(db)
    await batches.start(WS, batch_id)
    await batches.pause(WS, batch_id)
    [job_id] = await JobStore(db).enqueue(WS, [NewJob("try", {})])
    assert [job.id for job in await claim(db, await worker(db))] == [job_id]


async def test_cancel_counts_every_row_once_whatever_it_was_doing(db: Database) -> None:
    batch_id, me = await batch_of(db, 20, window=6), await worker(db)
    batches, jobs = BatchStore(db), JobStore(db)
    await batches.start(WS, batch_id)
    done, runs, retries, *_ = await claim(db, me, 3)
    await finish(db, [done], Done())
    assert await batches.cancel(WS, batch_id)
    assert await claim(db, me) == []  # before anybody has swept
    await jobs.sweep_cancelled()
    assert await jobs.cancels(me) == [runs.id, retries.id]
    await finish(db, [runs], Done())
    assert not (await progress(db, batch_id)).over
    await finish(db, [retries], Retry("busy", "later", 0))
    end = await progress(db, batch_id)
    assert (end.state, end.over, end.queued) == ("cancelled", True, 0)
    assert (end.completed, end.cancelled) == (2, 18)
    states = [row.state for row in await batches.results(WS, batch_id)]
    assert states == ["completed"] * 2 + ["cancelled"] * 18
    assert not await batches.cancel(WS, batch_id)


async def test_a_retried_row_stays_one_row_and_says_so_in_its_log(db: Database) -> None:
    batch_id, me, jobs = await batch_of(db, 1, max_attempts=2), await worker(db), JobStore(db)
    await BatchStore(db).start(WS, batch_id)
    for attempt in (1, 2):
        [job] = await claim(db, me)
        assert job.attempt == attempt
        await finish(db, [job], Retry("busy", "later", 0))
        await jobs.promote()
    end = await progress(db, batch_id)
    assert (end.state, end.failed) == ("finished", 1)
    [row] = await BatchStore(db).results(WS, batch_id)
    assert (row.state, row.error) == ("failed", "busy: later")
    assert await batch_log(db) == ["batch_started", "retried", "dead", "batch_finished"]


async def test_a_row_that_kills_its_workers_fails_and_its_batch_goes_on(db: Database) -> None:
    batch_id, jobs, workers = await batch_of(db, 1), JobStore(db), WorkerStore(db)
    await BatchStore(db).start(WS, batch_id)
    for _ in range(3):
        gone = await workers.register("gone", "0", ["default"], lease_s=-1)
        assert (await claim(db, gone)) or await jobs.claim_suspect(["default"], gone)
        await workers.bury()
        await jobs.rescue()
    end = await progress(db, batch_id)
    assert (end.state, end.failed, end.queued) == ("finished", 1, 0)
    assert await jobs.page(WS) == []


async def test_the_same_source_finds_its_batch_until_the_output_of_its_end_was_written(
    db: Database,
) -> None:
    batches = BatchStore(db)
    me = await worker(db)
    batch_id = await batch_of(db, 1, source_key=b"file+options")
    assert await batches.find(WS, b"file+options") == batch_id
    assert await batches.find(WS, b"another") is None
    with pytest.raises(BatchStateConflict):
        await batches.create(WS, NewBatch("try", {}, source_key=b"file+options"))
    await batches.start(WS, batch_id)
    await finish(db, await claim(db, me), Failed("broken", "no"))
    first = (await progress(db, batch_id)).finished_at
    assert first
    assert await batches.find(WS, b"file+options") == batch_id
    await batches.written(WS, batch_id, first)
    assert await batches.find(WS, b"file+options") is None

    await BatchControl(db, batches).retry_failed(WS, batch_id)
    assert await batches.find(WS, b"file+options") == batch_id
    await finish(db, await claim(db, me), Done({}))
    await batches.written(WS, batch_id, first)  # a late word of the end before
    assert await batches.find(WS, b"file+options") == batch_id
    second = (await progress(db, batch_id)).finished_at
    assert second
    await batches.written(WS, batch_id, second)
    assert await batches.find(WS, b"file+options") is None


async def test_a_cancelled_batch_is_begun_anew_by_its_source(db: Database) -> None:
    batch_id = await batch_of(db, 1, source_key=b"file+options")
    await BatchStore(db).cancel(WS, batch_id)
    assert await BatchStore(db).find(WS, b"file+options") is None


async def test_a_batch_refuses_what_its_state_does_not_allow(db: Database) -> None:
    batches = BatchStore(db)
    batch_id = await batch_of(db, 1)
    with pytest.raises(BatchStateConflict):
        await batches.pause(WS, batch_id)
    await batches.start(WS, batch_id)
    with pytest.raises(BatchStateConflict):
        await batches.add_rows(WS, batch_id, [{"n": 2}])
    with pytest.raises(BatchStateConflict):
        await batches.start(WS, batch_id)
