"""Batches in the user's hands, on a real PostgreSQL: list, retry what failed, drain, and stand behind."""

import asyncio
from datetime import timedelta

import psycopg
import pytest
from tests.storm_only import storm_only

from glaze.errors import BatchStateConflict
from glaze.jobs.ready import Ready
from glaze.model.job import ClaimedJob, NewJob
from glaze.model.outcome import Cancelled, Done, Failed, Outcome, Partial, Retry
from glaze.model.value import DEFAULT_WORKSPACE, BatchId, JobId, WorkerId
from glaze.store.attempt import Ended
from glaze.store.batch import BatchStore, NewBatch, Progress
from glaze.store.batch_control import BatchControl
from glaze.store.database import Database
from glaze.store.event import START, EventStore
from glaze.store.job import JobStore
from glaze.store.worker import WorkerStore

WS = DEFAULT_WORKSPACE


def control(db: Database) -> BatchControl:
    return BatchControl(db, BatchStore(db))


async def worker(db: Database) -> WorkerId:
    return await WorkerStore(db).register("test", "0", ["default"], lease_s=30)


async def running(db: Database, rows: int, window: int = 10, **options: object) -> BatchId:
    batches = BatchStore(db)
    new = NewBatch("try", {"fields": ["a"]}, feed_window=window, **options)  # type: ignore[arg-type]
    batch_id = await batches.create(WS, new)
    await batches.add_rows(WS, batch_id, ({"n": i} for i in range(1, rows + 1)))
    await batches.start(WS, batch_id)
    return batch_id


async def progress(db: Database, batch_id: BatchId) -> Progress:
    found = await BatchStore(db).progress(WS, batch_id)
    assert found is not None
    return found


async def claim(db: Database, me: WorkerId, n: int = 100) -> list[ClaimedJob]:
    return (await JobStore(db).claim("default", n, me))[0]


async def finish(db: Database, job: ClaimedJob, outcome: Outcome) -> None:
    finished = await JobStore(db).finish(WS, [Ended.of(job, outcome)])
    assert finished.accepted == {job.id}


async def work(db: Database, me: WorkerId, outcomes: dict[int, Outcome]) -> list[int]:
    """Work until nothing is to be had; rows without an outcome here are done. Return the rows."""
    worked = []
    while held := await claim(db, me, 3):
        for job in held:
            assert job.row_no is not None
            worked.append(job.row_no)
            await finish(db, job, outcomes.get(job.row_no, Done(job.row_no)))
        await BatchStore(db).feed()
    return sorted(worked)


async def results(db: Database, batch_id: BatchId) -> list[tuple[str, object, str | None]]:
    rows = await BatchStore(db).results(WS, batch_id)
    return [(row.state, row.result, row.error) for row in rows]


FIRST = {2: Failed("x", "no", {"why": 1}), 3: Partial({"half": 3}), 5: Failed("x", "no")}


async def test_failed_rows_run_again_in_the_same_batch_and_no_other_row_does(db: Database) -> None:
    batch_id, me = await running(db, 6, window=2), await worker(db)
    assert await work(db, me, FIRST) == [1, 2, 3, 4, 5, 6]
    assert await control(db).retry_failed(WS, batch_id) == 2
    now = await progress(db, batch_id)
    assert (now.state, now.over, now.failed, now.completed, now.partial) == (
        "running",
        False,
        0,
        3,
        1,
    )
    assert await work(db, me, {5: Failed("y", "again")}) == [2, 5]
    end = await progress(db, batch_id)
    assert (end.state, end.over, end.ended) == ("finished", True, 6)
    assert (end.completed, end.partial, end.failed, end.queued) == (4, 1, 1, 0)
    assert (await results(db, batch_id))[1:5] == [
        ("completed", 2, None),
        ("partial", {"half": 3}, None),
        ("completed", 4, None),
        ("failed", None, "y: again"),
    ]
    log = [event.type for event in (await EventStore(db).feed(WS, START))[0]]
    assert [kind for kind in log if kind.startswith("batch_")] == [
        "batch_started",
        "batch_finished",
        "batch_paused",
        "batch_reopened",
        "batch_finished",
    ]


async def test_partial_rows_run_again_on_request_and_keep_what_they_had_until_there_is_more(
    db: Database,
) -> None:
    batch_id, me = await running(db, 6), await worker(db)
    await work(db, me, FIRST)
    assert await control(db).retry_failed(WS, batch_id, partial=True) == 3
    assert await work(db, me, {3: Failed("x", "down")}) == [2, 3, 5]
    assert (await results(db, batch_id))[2] == ("failed", {"half": 3}, "x: down")


async def test_a_dead_workers_row_that_is_tried_again_ends_for_the_whole_fleet(
    db: Database,
) -> None:
    batch_id, me = await running(db, 1), await worker(db)
    await work(db, me, {1: Partial("half")})
    await control(db).retry_failed(WS, batch_id, partial=True)
    for _ in range(3):
        gone = await WorkerStore(db).register("gone", "0", ["default"], lease_s=-1)
        jobs = JobStore(db)
        assert (await claim(db, gone)) or await jobs.claim_suspect(["default"], gone)
        await WorkerStore(db).bury()
        await jobs.rescue()
    [(state, result, error)] = await results(db, batch_id)
    assert (state, result) == ("failed", "half")
    assert error is not None
    assert error.startswith("poison")


async def test_with_nothing_failed_nothing_changes(db: Database) -> None:
    batch_id, me = await running(db, 2), await worker(db)
    await work(db, me, {})
    before = await progress(db, batch_id)
    assert await control(db).retry_failed(WS, batch_id) == 0
    assert await progress(db, batch_id) == before


async def test_failed_rows_of_a_running_batch_join_it_and_a_paused_one_stays_paused(
    db: Database,
) -> None:
    batch_id, me = await running(db, 6, window=3), await worker(db)
    first, second, third = await claim(db, me, 3)
    await finish(db, first, Failed("x", "no"))
    assert await control(db).retry_failed(WS, batch_id) == 1
    assert (await progress(db, batch_id)).state == "running"
    await finish(db, second, Failed("x", "no"))
    await BatchStore(db).pause(WS, batch_id)
    assert await control(db).retry_failed(WS, batch_id) == 1
    assert (await progress(db, batch_id)).state == "paused"
    assert await claim(db, me) == []
    await BatchStore(db).resume(WS, batch_id)
    await finish(db, third, Done())
    await BatchStore(db).feed()
    assert await work(db, me, {}) == [1, 2, 4, 5, 6]
    end = await progress(db, batch_id)
    assert (end.state, end.completed) == ("finished", 6)


@storm_only
async def test_many_stretches_of_rows_are_opened_with_counters_that_add_up(
    db: Database, dsn: str
) -> None:
    batch_id, me = await running(db, 25_000, window=100), await worker(db)
    with psycopg.connect(dsn) as conn:  # as if all had been worked on, every fifth in vain
        conn.execute("delete from glaze.job")
        conn.execute(
            "update glaze.batch_row set state = (case when row_no % 5 = 0 then 'failed'"
            " else 'completed' end)::glaze.row_state"
        )
        conn.execute(
            "update glaze.batch set state = 'finished', finished_at = now(), queued = 0,"
            " failed = 5000, completed = 20000"
        )
    assert await control(db).retry_failed(WS, batch_id) == 5000
    now = await progress(db, batch_id)
    assert (now.failed, now.completed, now.queued, now.state) == (0, 20_000, 100, "running")
    assert {job.row_no % 5 for job in await claim(db, me) if job.row_no} == {0}


async def test_what_is_not_to_be_tried_again_is_refused(db: Database) -> None:
    batches = BatchStore(db)
    with pytest.raises(BatchStateConflict, match="there is no batch 77"):
        await control(db).retry_failed(WS, BatchId(77))
    loading = await batches.create(WS, NewBatch("try", {}))
    with pytest.raises(BatchStateConflict, match="is loading"):
        await control(db).retry_failed(WS, loading)
    cancelled = await running(db, 2)
    await batches.cancel(WS, cancelled)
    with pytest.raises(BatchStateConflict, match="is cancelled"):
        await control(db).retry_failed(WS, cancelled)


async def test_a_batch_does_not_open_again_beside_another_of_the_same_source(db: Database) -> None:
    batch_id, me = await running(db, 1, source_key=b"file"), await worker(db)
    await work(db, me, {1: Failed("x", "no")})
    await running(db, 1, source_key=b"file")
    with pytest.raises(BatchStateConflict, match="same source"):
        await control(db).retry_failed(WS, batch_id)
    assert (await progress(db, batch_id)).failed == 1


async def test_rows_in_flight_of_a_cancelled_batch_are_shown_draining(db: Database) -> None:
    batch_id, me = await running(db, 20), await worker(db)
    held = await claim(db, me, 4)
    before = await progress(db, batch_id)
    assert (before.running, before.draining) == (4, 0)
    await BatchStore(db).cancel(WS, batch_id)
    await JobStore(db).sweep_cancelled()
    assert (await progress(db, batch_id)).draining == 4
    for job in held:
        await finish(db, job, Cancelled())
    end = await progress(db, batch_id)
    assert (end.draining, end.over, end.cancelled) == (0, True, 20)


async def test_batches_are_listed_newest_first_page_by_page(db: Database) -> None:
    ids = [await running(db, n) for n in (1, 2, 3)]
    await claim(db, await worker(db), 2)
    page = await control(db).page(WS, 2)
    assert [(b.id, b.total) for b in page] == [(ids[2], 3), (ids[1], 2)]
    assert [b.id for b in await control(db).page(WS, 2, before=ids[1])] == [ids[0]]
    assert sum(b.running for b in await control(db).page(WS)) == 2


async def test_a_batch_says_what_it_asks_and_which_words_its_rows_use(db: Database) -> None:
    batch_id = await BatchStore(db).create(WS, NewBatch("try", {"fields": ["a"]}, queue="q"))
    rows = [{"website": "a.de"}, {"name": "A", "website": "b.de"}, "no object"]
    await BatchStore(db).add_rows(WS, batch_id, rows)
    plan = await control(db).plan(WS, batch_id)
    assert plan is not None
    assert (plan.kind, plan.queue, plan.settings) == ("try", "q", {"fields": ["a"]})
    assert await control(db).input_names(WS, batch_id) == ("name", "website")


# -- fairness ------------------------------------------------------------------------------------


def aged(dsn: str, by: timedelta) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute("update glaze.job set rank = rank - %s, due_at = due_at - %s", (by, by))


async def test_a_single_job_goes_before_rows_however_long_these_have_waited(
    db: Database, dsn: str
) -> None:
    await running(db, 8, priority=1)
    aged(dsn, timedelta(days=30))
    [single] = await JobStore(db).enqueue(WS, [NewJob("try", {}, priority=5)])
    assert (await claim(db, await worker(db), 3))[0].id == single


async def test_a_row_that_is_tried_again_or_changed_still_stands_behind(
    db: Database, dsn: str
) -> None:
    await running(db, 2, window=2)
    me = await worker(db)
    again, other = await claim(db, me, 2)
    await finish(db, again, Retry("busy", "later", 0))
    await JobStore(db).promote()
    aged(dsn, timedelta(days=30))
    [single] = await JobStore(db).enqueue(WS, [NewJob("try", {}, priority=5)])
    assert [job.id for job in await claim(db, me, 2)] == [single, again.id]
    del other


async def test_rows_of_two_batches_take_turns_by_when_they_were_fed(db: Database, dsn: str) -> None:
    first = await running(db, 20, window=4)
    aged(dsn, timedelta(seconds=10))
    second = await running(db, 20, window=4)
    me = await worker(db)
    for job in await claim(db, me, 4):
        assert job.batch_id == first
        await finish(db, job, Done())
    await BatchStore(db).feed()
    assert {job.batch_id for job in await claim(db, me, 4)} == {second}


def claimed(n: int, *, row: bool) -> ClaimedJob:
    batch = BatchId(1) if row else None
    return ClaimedJob(WS, JobId(n), "try", 1, 1, None, batch, n, None, WorkerId(1), 1)  # type: ignore[arg-type]


async def test_what_is_in_hand_is_begun_single_jobs_first_and_the_end_comes_last() -> None:
    ready = Ready()
    ready.put_nowait(None)
    for n in range(4):
        ready.put_nowait(claimed(n, row=n < 2))
    taken = [await ready.get() for _ in range(5)]
    assert [job and job.id for job in taken] == [2, 3, 0, 1, None]
    waiting = asyncio.ensure_future(ready.get())
    ready.put_nowait(claimed(9, row=False))
    assert (await waiting) == claimed(9, row=False)


async def test_a_retry_of_failed_rows_that_was_interrupted_goes_on_when_it_is_asked_for_again(
    db: Database,
) -> None:
    me = await worker(db)
    batch_id = await running(db, 3)
    await work(db, me, {n: Failed("no", "never") for n in (1, 2, 3)})

    def die(_point: str) -> None:
        raise ConnectionAbortedError("killed")

    with pytest.raises(ConnectionAbortedError):
        await BatchControl(db, BatchStore(db), die).retry_failed(WS, batch_id)
    assert (await progress(db, batch_id)).state == "paused"
    assert await control(db).retry_failed(WS, batch_id) == 0
    assert (await progress(db, batch_id)).state == "running"
    assert await work(db, me, {}) == [1, 2, 3]


async def test_a_batch_that_the_user_paused_stays_paused_when_its_failed_rows_are_opened(
    db: Database,
) -> None:
    me = await worker(db)
    batch_id = await running(db, 3, window=2)
    (first, *_) = await claim(db, me, 1)
    await finish(db, first, Failed("no", "never"))
    await BatchStore(db).pause(WS, batch_id)
    assert await control(db).retry_failed(WS, batch_id) == 1
    assert (await progress(db, batch_id)).state == "paused"
