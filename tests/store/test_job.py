"""The queue on a real PostgreSQL: what goes in, who gets it, what may be written of it."""

import asyncio
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from glaze.errors import IdempotencyConflict, InputError
from glaze.model.job import ClaimedJob, JobState, NewJob
from glaze.model.outcome import CalledBack, Cancelled, Done, Failed, Outcome, Partial, Retry, Snooze
from glaze.model.value import DEFAULT_WORKSPACE, JobId, WorkerId, WorkspaceId
from glaze.store.attempt import Ended
from glaze.store.callback import CallbackStore
from glaze.store.database import Database
from glaze.store.event import EventStore
from glaze.store.job import JobStore
from glaze.store.queues import QueueStore
from glaze.store.statements import Statements
from glaze.store.worker import WorkerStore

WS = DEFAULT_WORKSPACE
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAR_OFF = datetime(2100, 1, 1, tzinfo=UTC)


async def worker(db: Database, lease_s: float = 30.0) -> WorkerId:
    return await WorkerStore(db).register("test", "0", ["default"], lease_s=lease_s)


async def claim(db: Database, worker_id: WorkerId, n: int = 100) -> list[ClaimedJob]:
    return (await JobStore(db).claim("default", n, worker_id))[0]


async def finish(db: Database, job: ClaimedJob, outcome: Outcome) -> bool:
    return job.id in (await JobStore(db).finish(WS, [Ended.of(job, outcome)])).accepted


async def state(db: Database, job_id: JobId) -> JobState:
    view = await JobStore(db).get(WS, job_id)
    assert view is not None
    return view.state


async def log(db: Database, job_id: JobId) -> list[str]:
    return [event.type for event in await EventStore(db).log(WS, job_id)]


def jobs(n: int, **options: object) -> list[NewJob]:
    return [NewJob("try", {"n": i}, **options) for i in range(n)]  # type: ignore[arg-type]


async def test_jobs_enqueued_together_have_ids_in_the_callers_order(db: Database) -> None:
    ids = await JobStore(db).enqueue(WS, jobs(50))
    assert ids == sorted(ids)
    views = [await JobStore(db).get(WS, job_id) for job_id in ids]
    assert [view and view.args for view in views] == [{"n": i} for i in range(50)]
    assert await log(db, ids[0]) == ["enqueued"]


async def test_the_same_idempotency_key_and_body_is_one_job(db: Database) -> None:
    store = JobStore(db)
    new = NewJob("try", {"n": 1}, idempotency_key="order-7")
    [first] = await store.enqueue(WS, [new])
    [again, other] = await store.enqueue(WS, [new, NewJob("try", {"n": 1})])
    assert again == first != other
    twins = await store.enqueue(WS, [NewJob("try", {}, idempotency_key="twin")] * 3)
    assert len(set(twins)) == 1
    assert len(await store.page(WS)) == 3


async def test_the_same_idempotency_key_with_another_body_is_refused_and_nothing_is_inserted(
    db: Database,
) -> None:
    store = JobStore(db)
    await store.enqueue(WS, [NewJob("try", {"n": 1}, idempotency_key="k")])
    with pytest.raises(IdempotencyConflict) as refused:
        await store.enqueue(WS, [*jobs(3), NewJob("try", {"n": 2}, idempotency_key="k")])
    assert refused.value.code == "idempotency_conflict"
    assert len(await store.page(WS)) == 1


async def test_an_idempotency_key_is_free_again_after_a_day(db: Database, dsn: str) -> None:
    store = JobStore(db)
    [first] = await store.enqueue(WS, [NewJob("try", {"n": 1}, idempotency_key="k")])
    with psycopg.connect(dsn) as conn:
        conn.execute("update glaze.idempotency_key set expires_at = now() - interval '1 s'")
    [second] = await store.enqueue(WS, [NewJob("try", {"n": 2}, idempotency_key="k")])
    assert second != first


async def test_an_idempotency_key_used_by_many_at_once_is_one_job(db: Database) -> None:
    store = JobStore(db)
    keyed = [NewJob("try", {"n": n}, idempotency_key=f"k{n}") for n in range(5)]
    made = await asyncio.gather(
        *(store.enqueue(WS, keyed if i % 2 else keyed[::-1]) for i in range(8))
    )
    assert len({tuple(sorted(ids)) for ids in made}) == 1


async def test_the_urgent_comes_first_and_waiting_makes_urgent(db: Database, dsn: str) -> None:
    store = JobStore(db)
    [low] = await store.enqueue(WS, jobs(1, priority=5))
    [high] = await store.enqueue(WS, jobs(1, priority=1))
    [mid] = await store.enqueue(WS, jobs(1, priority=3))
    [old] = await store.enqueue(WS, jobs(1, priority=5))
    with psycopg.connect(dsn) as conn:  # five minutes ago, so ahead of what was enqueued just now
        conn.execute(
            "update glaze.job set rank = rank - interval '5 minutes' where id = %s", (old,)
        )
    got = await claim(db, await worker(db))
    assert [job.id for job in got] == [old, high, mid, low]


async def test_a_claim_starts_at_the_rank_it_is_given(db: Database) -> None:
    store, me = JobStore(db), await worker(db)
    await store.enqueue(WS, jobs(4))
    _, last = await store.claim("default", 2, me)
    [urgent] = await store.enqueue(WS, jobs(1, priority=1))
    above, _ = await store.claim("default", 1, me, last)
    below, _ = await store.claim("default", 1, me, None)
    assert above[0].id != urgent
    assert below[0].id == urgent


async def test_two_workers_claiming_at_once_share_without_a_double(db: Database) -> None:
    await JobStore(db).enqueue(WS, jobs(600))
    one, two = await worker(db), await worker(db)
    got = await asyncio.gather(*(claim(db, w, 50) for w in (one, two) * 6))
    ids = [job.id for part in got for job in part]
    assert len(ids) == len(set(ids)) == 600


async def test_a_paused_queue_is_passed_over_until_it_is_resumed(db: Database) -> None:
    await JobStore(db).enqueue(WS, jobs(1))
    me, queues = await worker(db), QueueStore(db)
    await queues.pause("default")
    assert await claim(db, me) == []
    await queues.resume("default")
    assert len(await claim(db, me)) == 1


async def test_a_stopped_worker_gets_nothing(db: Database) -> None:
    await JobStore(db).enqueue(WS, jobs(1))
    me = await worker(db)
    await WorkerStore(db).stop(me)
    assert await claim(db, me) == []


async def test_arguments_are_loaded_for_those_who_run_the_job(db: Database) -> None:
    store = JobStore(db)
    await store.enqueue(WS, jobs(3))
    got = await store.load(WS, await claim(db, await worker(db)))
    assert [job.args for job in got] == [{"n": 0}, {"n": 1}, {"n": 2}]


@pytest.mark.parametrize(
    ("outcome", "then", "result", "error"),
    [
        (Done({"a": 1}), JobState.COMPLETED, {"a": 1}, None),
        (Partial([1]), JobState.PARTIAL, [1], None),
        (Failed("bad", "no", result={"b": 2}), JobState.FAILED, {"b": 2}, "bad: no"),
        (Cancelled(), JobState.CANCELLED, None, None),
        (Retry("busy", "later", 60), JobState.SCHEDULED, None, "busy: later"),
        (Snooze(FAR_OFF, "slot"), JobState.SCHEDULED, None, None),
    ],
)
async def test_every_outcome_has_its_state_its_result_and_its_line_in_the_log(
    db: Database, outcome: Outcome, then: JobState, result: object, error: str | None
) -> None:
    [job_id] = await JobStore(db).enqueue(WS, jobs(1))
    [job] = await claim(db, await worker(db))
    assert await finish(db, job, outcome)
    view = await JobStore(db).get(WS, job_id)
    assert view is not None
    assert (view.state, view.result, view.error) == (then, result, error)
    last = {Retry: "retried", Snooze: "snoozed"}.get(type(outcome), str(then))
    assert await log(db, job_id) == ["enqueued", "claimed", last]


async def test_a_snooze_gives_the_attempt_back_and_a_retry_does_not(db: Database) -> None:
    store, me = JobStore(db), await worker(db)
    await store.enqueue(WS, jobs(1, max_attempts=2))
    for expected, outcome in (
        (1, Snooze(LONG_AGO, "slot")),
        (1, Snooze(LONG_AGO, "slot")),
        (1, Retry("busy", "later", 0)),
        (2, Retry("busy", "later", 0)),
    ):
        [job] = await claim(db, me)
        assert job.attempt == expected
        assert await finish(db, job, outcome)
        await store.promote()
    view = await store.get(WS, job.id)
    assert view is not None
    assert view.state == JobState.DEAD
    assert view.error == "busy: later"


async def test_what_is_due_later_is_not_claimed_before_it_is_promoted(
    db: Database, dsn: str
) -> None:
    store, me = JobStore(db), await worker(db)
    [job_id] = await store.enqueue(WS, jobs(1, due_at=FAR_OFF))
    assert await state(db, job_id) == JobState.SCHEDULED
    assert (await store.promote(), await claim(db, me)) == (0, [])
    with psycopg.connect(dsn) as conn:
        conn.execute("update glaze.job set due_at = now()")
    assert await store.promote() == 1
    assert [job.id for job in await claim(db, me)] == [job_id]
    assert await log(db, job_id) == ["enqueued", "due", "claimed"]


async def test_what_was_not_begun_in_time_is_dead(db: Database) -> None:
    store = JobStore(db)
    [job_id] = await store.enqueue(WS, jobs(1, expires_at=LONG_AGO))
    assert await claim(db, await worker(db)) == []
    assert await store.expire() == 1
    assert await state(db, job_id) == JobState.DEAD
    assert await log(db, job_id) == ["enqueued", "dead"]


async def test_commits_that_made_jobs_due_tell_the_queue_and_its_lowest_rank(db: Database) -> None:
    told: list[tuple[str, datetime]] = []
    store = JobStore(db, lambda queue, rank: told.append((queue, rank)))
    await store.enqueue(WS, [*jobs(3), *jobs(1, priority=1), *jobs(2, due_at=FAR_OFF)])
    await store.enqueue(WS, jobs(1, queue="other", due_at=FAR_OFF))
    got = await claim(db, await worker(db))
    [(queue, rank)] = told
    assert queue == "default"
    assert rank - got[0].created_at < timedelta(seconds=61)


# -- fencing -------------------------------------------------------------------------------------


async def stale_token_is_refused(db: Database, store: JobStore) -> None:
    """A job goes from a dead worker to a living one; then the first wakes up and writes."""
    [job_id] = await store.enqueue(WS, jobs(1))
    [stale] = await claim(db, await worker(db, lease_s=-1))
    await WorkerStore(db).bury()
    assert (await store.rescue()).released == 1
    [held] = await claim(db, await worker(db))
    assert (await store.finish(WS, [Ended.of(stale, Failed("late", "ghost"))])).accepted == set()
    assert await state(db, job_id) == JobState.PROCESSING
    assert (await store.finish(WS, [Ended.of(held, Done(1))])).accepted == {job_id}
    assert (await store.finish(WS, [Ended.of(stale, Done(2))])).accepted == set()
    view = await store.get(WS, job_id)
    assert view is not None
    assert view.result == 1
    types = ["enqueued", "claimed", "rescued", "claimed", "completed"]
    assert await log(db, job_id) == types


async def test_a_stale_token_changes_nothing(db: Database) -> None:
    await stale_token_is_refused(db, JobStore(db))


async def test_mutant_without_the_token_check_lets_the_ghost_write(db: Database) -> None:
    store = JobStore(db)
    store._sql = without(store._sql, "and j.worker_id = e.worker_id and j.claim_no = e.claim_no")
    with pytest.raises(AssertionError):
        await stale_token_is_refused(db, store)


def without(sql: Statements, clause: str, name: str = "finish") -> Statements:
    """A copy of the statements that lacks ``clause``."""
    mutant = Statements.__new__(Statements)
    assert clause in sql[name]
    mutant._by_name = {**sql._by_name, name: sql[name].replace(clause, "")}
    return mutant


async def test_one_stale_outcome_does_not_spoil_its_group(db: Database) -> None:
    store, me = JobStore(db), await worker(db)
    await store.enqueue(WS, jobs(3))
    group = await claim(db, me)
    await store.cancel(WS, [group[1].id])  # asked to stop, still ours
    assert await store.hand_back(me, keep=[group[0].id, group[2].id]) == 1
    finished = await store.finish(WS, [Ended.of(job, Done()) for job in group])
    assert finished.accepted == {group[0].id, group[2].id}


# -- rescue --------------------------------------------------------------------------------------


async def die(db: Database, *, n: int = 100) -> list[JobId]:
    """Claim with a worker that never comes back, and let its jobs be rescued."""
    gone = await worker(db, lease_s=-1)
    held = await claim(db, gone, n)
    suspect = await JobStore(db).claim_suspect(["default"], gone)
    await WorkerStore(db).bury()
    await JobStore(db).rescue()
    return [job.id for job in [*held, *([suspect] if suspect else [])]]


async def test_a_living_workers_jobs_are_left_alone(db: Database) -> None:
    store, me = JobStore(db), await worker(db)
    await store.enqueue(WS, jobs(2))
    held = await claim(db, me)
    assert await WorkerStore(db).bury() == []
    assert sum(await store.rescue()) == 0
    assert all([await finish(db, job, Done()) for job in held])


async def test_a_job_that_saw_three_workers_die_is_dead_and_the_first_two_cost_no_attempt(
    db: Database,
) -> None:
    [job_id] = await JobStore(db).enqueue(WS, jobs(1))
    for _ in range(3):
        assert await die(db) == [job_id]
    view = await JobStore(db).get(WS, job_id)
    assert view is not None
    assert (view.state, view.deaths, view.attempt) == (JobState.DEAD, 3, 0)
    assert (view.error or "").startswith("poison: ")
    claims = ["claimed", "rescued", "claimed", "rescued", "claimed", "dead"]
    assert await log(db, job_id) == ["enqueued", *claims]


async def test_jobs_beside_a_poison_job_survive_it_for_suspects_run_one_at_a_time(
    db: Database,
) -> None:
    store = JobStore(db)
    ids = await store.enqueue(WS, jobs(10))
    await die(db)
    await die(db)
    me = await worker(db)
    assert await claim(db, me) == []
    assert await store.claim_suspect(["default"], me) is not None
    await WorkerStore(db).stop(me)
    await store.rescue()
    states = [await state(db, job_id) for job_id in ids]
    assert states.count(JobState.DEAD) == 1
    assert states.count(JobState.PENDING) == 9


def halted(sql: Statements, lock: int) -> Statements:
    """A copy of the statements whose ``lost`` waits for an advisory lock, its snapshot taken."""
    copy = Statements.__new__(Statements)
    wait = f"where (select pg_advisory_xact_lock_shared({lock})) is not null and j.state"
    assert "where j.state" in sql["lost"]
    copy._by_name = {**sql._by_name, "lost": sql["lost"].replace("where j.state", wait, 1)}
    return copy


async def waiters(conn: psycopg.AsyncConnection, n: int) -> None:
    """Return as soon as ``n`` others wait for an advisory lock."""
    query = (
        "select count(*) from pg_locks l join pg_database d on d.oid = l.database"
        " where locktype = 'advisory' and not granted and datname = current_database()"
    )
    async with asyncio.timeout(30):
        while (await (await conn.execute(query)).fetchone()) != (n,):  # noqa: ASYNC110  no event
            await asyncio.sleep(0.01)


async def test_a_job_that_a_living_worker_claimed_meanwhile_is_not_taken_by_a_late_rescuer(
    db: Database, dsn: str
) -> None:
    store, late, me = JobStore(db), JobStore(db), await worker(db)
    gone = await worker(db, lease_s=-1)
    await store.enqueue(WS, jobs(1))
    assert await claim(db, gone)
    assert await WorkerStore(db).bury() == [gone]
    late._sql = halted(store._sql, 7)
    async with (
        await psycopg.AsyncConnection.connect(dsn, autocommit=True) as gate,
        asyncio.TaskGroup() as tasks,
    ):
        await gate.execute("select pg_advisory_lock(7)")
        rescuing = tasks.create_task(late.rescue())
        await waiters(gate, 1)
        assert (await store.rescue()).released == 1
        [job] = await claim(db, me)
        await gate.execute("select pg_advisory_unlock(7)")
        assert sum(await rescuing) == 0
    assert await finish(db, job, Done())


async def test_a_buried_worker_learns_it_at_its_next_heartbeat(db: Database) -> None:
    workers, me = WorkerStore(db), await worker(db, lease_s=-1)
    assert await workers.bury() == [me]
    assert not await workers.heartbeat(me, lease_s=30)
    assert await workers.living() == []


async def test_a_heartbeat_in_time_keeps_the_worker(db: Database) -> None:
    workers, me = WorkerStore(db), await worker(db, lease_s=-1)
    assert await workers.heartbeat(me, lease_s=30)
    assert await workers.bury() == []
    [view] = await workers.living()
    assert (view.id, view.name, view.jobs) == (me, "test", 0)


# -- cancel and reopen ---------------------------------------------------------------------------


async def test_cancel_ends_what_has_not_begun_and_asks_what_runs(db: Database) -> None:
    store, me = JobStore(db), await worker(db)
    [running] = await store.enqueue(WS, jobs(1))
    [held] = await claim(db, me)
    waiting, later = await store.enqueue(WS, [*jobs(1), *jobs(1, due_at=FAR_OFF)])
    asked = await store.cancel(WS, [running, waiting, later])
    assert asked == {
        running: JobState.PROCESSING,
        waiting: JobState.CANCELLED,
        later: JobState.CANCELLED,
    }
    assert await store.cancels(me) == [running]
    assert await finish(db, held, Retry("busy", "later", 0))
    assert await state(db, running) == JobState.CANCELLED
    assert await log(db, running) == ["enqueued", "claimed", "cancel_requested", "cancelled"]


async def test_what_was_done_before_the_cancel_came_stays_done(db: Database) -> None:
    store = JobStore(db)
    [job_id] = await store.enqueue(WS, jobs(1))
    [held] = await claim(db, await worker(db))
    await store.cancel(WS, [job_id])
    assert await finish(db, held, Done(7))
    assert await state(db, job_id) == JobState.COMPLETED


async def test_a_terminal_job_opens_again_as_a_new_round_with_its_log_kept(db: Database) -> None:
    store, me = JobStore(db), await worker(db)
    [job_id] = await store.enqueue(WS, jobs(1))
    [held] = await claim(db, me)
    assert await store.reopen(WS, [job_id]) == []
    await finish(db, held, Failed("bad", "no"))
    assert await store.reopen(WS, [job_id]) == [job_id]
    [held] = await claim(db, me)
    assert await finish(db, held, Done())
    view = await store.get(WS, job_id)
    assert view is not None
    assert (view.state, view.round, view.attempt, view.error) == (JobState.COMPLETED, 2, 1, None)
    assert (await log(db, job_id))[3:] == ["reopened", "claimed", "completed"]


# -- hostile contents ----------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "\udfff\x00", "🦀\\u0000", "x" * 1_000_000])
async def test_whatever_text_a_job_meets_its_end_can_be_written(db: Database, text: str) -> None:
    store, me = JobStore(db), await worker(db)
    await store.enqueue(WS, [NewJob("try", {"t": text})] * 2)
    one, two = await claim(db, me)
    assert await finish(db, one, Done({"t": text, text[:9]: 1}))
    assert await finish(db, two, Failed("bad", text))
    view = await store.get(WS, two.id)
    assert view is not None
    assert len(view.error or "") < 3000


@pytest.mark.parametrize("value", [float("nan"), {1: object()}, b"x"])
def test_a_result_that_is_no_json_is_refused_before_it_can_spoil_a_group(value: object) -> None:
    with pytest.raises(InputError):
        Ended.of(_some_job(), Done(value))  # type: ignore[arg-type]


def _some_job() -> ClaimedJob:
    return ClaimedJob(WS, JobId(1), "try", 1, 5, LONG_AGO, None, None, None, WorkerId(1), 1)


async def test_another_workspace_sees_and_changes_nothing(db: Database, dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute("insert into glaze.workspace (name) values ('other')")
    store, other = JobStore(db), WorkspaceId(2)
    [job_id] = await store.enqueue(WS, jobs(1))
    [held] = await claim(db, await worker(db))
    assert await store.get(other, job_id) is None
    assert await store.page(other) == []
    assert await store.cancel(other, [job_id]) == {}
    assert (await store.finish(other, [Ended.of(held, Done())])).accepted == set()
    assert await EventStore(db).log(other, job_id) == []


async def test_jobs_page_newest_first_by_key_and_by_state(db: Database) -> None:
    store = JobStore(db)
    ids = await store.enqueue(WS, [*jobs(5), *jobs(2, due_at=FAR_OFF)])
    first = await store.page(WS, 4)
    rest = await store.page(WS, 4, before=first[-1].id)
    assert [view.id for view in first + rest] == ids[::-1]
    later = await store.page(WS, state=JobState.SCHEDULED)
    assert [view.id for view in later] == [ids[6], ids[5]]


async def test_a_job_that_is_told_before_it_sleeps_does_not_sleep(db: Database) -> None:
    store, me, callbacks = JobStore(db), await worker(db), CallbackStore(db)
    [job_id] = await store.enqueue(WS, jobs(1))
    [held] = await claim(db, me)
    asleep = await callbacks.expect(WS, job_id, "paid", 3600)
    assert isinstance(asleep, Snooze)
    await callbacks.answer(WS, job_id, "paid", {"by": "card"})
    assert await finish(db, held, asleep)
    await store.promote()
    [again] = await claim(db, me)
    assert await callbacks.expect(WS, job_id, "paid", 3600) == CalledBack({"by": "card"})
    assert await finish(db, again, Snooze(FAR_OFF, "for something else"))
    await store.promote()
    assert await claim(db, me) == []
