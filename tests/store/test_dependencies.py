"""Jobs that wait for others: whoever ends whatever way, who waits for it moves on at once."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import psycopg
import pytest
from tests.storm_only import storm_only

from glaze.errors import IdempotencyConflict, InputError
from glaze.model.bulk import Filter
from glaze.model.job import TERMINAL, After, IfFailed, JobState, NewJob
from glaze.model.outcome import Cancelled, Done, Failed, Outcome, Partial, Retry, Snooze
from glaze.model.value import DEFAULT_WORKSPACE, BatchId, JobId, WorkerId, WorkspaceId
from glaze.store.attempt import Ended
from glaze.store.batch import BatchStore, NewBatch
from glaze.store.control import ControlStore
from glaze.store.database import Database
from glaze.store.event import EventStore
from glaze.store.job import NO_JOB, JobStore, JobView
from glaze.store.statements import Statements, statements
from glaze.store.worker import WorkerStore

WS = DEFAULT_WORKSPACE
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAR_OFF = datetime(2100, 1, 1, tzinfo=UTC)
CANCEL, FAIL, RUN = IfFailed.CANCEL, IfFailed.FAIL, IfFailed.RUN


async def add(db: Database, *parents: JobId, policy: IfFailed = CANCEL, **options: object) -> JobId:
    after = tuple(After(parent, policy) for parent in parents)
    new = NewJob("try", {}, after=after, **options)  # type: ignore[arg-type]
    [job_id] = await JobStore(db).enqueue(WS, [new])
    return job_id


async def after_batch(db: Database, batch_id: BatchId, policy: IfFailed = CANCEL) -> JobId:
    after = (After(batch=batch_id, if_failed=policy),)
    [job_id] = await JobStore(db).enqueue(WS, [NewJob("try", {}, after=after)])
    return job_id


async def view(db: Database, job_id: JobId) -> JobView:
    found = await JobStore(db).get(WS, job_id)
    assert found is not None
    return found


async def states(db: Database, *jobs: JobId) -> list[str]:
    return [str((await view(db, job_id)).state) for job_id in jobs]


async def log(db: Database, job_id: JobId) -> list[str]:
    return [event.type for event in await EventStore(db).log(WS, job_id)]


async def worker(db: Database, lease_s: float = 30.0) -> WorkerId:
    return await WorkerStore(db).register("test", "0", ["default"], lease_s=lease_s)


async def end(db: Database, outcome: Outcome, n: int = 100) -> list[JobId]:
    """Claim what is due and let it end so."""
    claimed, _ = await JobStore(db).claim("default", n, await worker(db))
    group = [Ended.of(job, outcome) for job in claimed]
    return sorted((await JobStore(db).finish(WS, group)).accepted)


async def nobody_waits_in_vain(db: Database) -> None:
    assert await JobStore(db).repair() == ((), NO_JOB)


# -- coming in -----------------------------------------------------------------------------------


async def test_a_job_waits_for_its_parents_and_is_due_when_the_last_has_ended(db: Database) -> None:
    one, two = await add(db), await add(db)
    child = await add(db, one, two)
    found = await view(db, child)
    assert (found.state, found.open_parents) == (JobState.WAITING, 2)
    assert await end(db, Done(), n=1) == [one]
    found = await view(db, child)
    assert (found.state, found.open_parents) == (JobState.WAITING, 1)
    assert await end(db, Partial()) == [two]
    assert (await view(db, child)).open_parents is None
    assert await end(db, Done()) == [child]
    assert await log(db, child) == ["enqueued", "ready", "claimed", "completed"]


async def test_a_job_whose_parents_have_ended_well_is_due_at_once(db: Database) -> None:
    parent = await add(db)
    await end(db, Done())
    child, later = await add(db, parent), await add(db, parent, due_at=FAR_OFF)
    assert await states(db, child, later) == ["pending", "scheduled"]


@pytest.mark.parametrize(
    ("policy", "then"), [(CANCEL, "cancelled"), (FAIL, "failed"), (RUN, "pending")]
)
async def test_a_job_whose_parent_had_failed_before_it_came_does_as_its_policy_says(
    db: Database, policy: IfFailed, then: str
) -> None:
    parent = await add(db)
    await end(db, Failed("bad", "no"))
    assert await states(db, await add(db, parent, policy=policy)) == [then]


async def test_a_job_to_run_later_waits_first_and_is_scheduled_then(db: Database) -> None:
    parent = await add(db)
    child = await add(db, parent, due_at=FAR_OFF)
    assert await states(db, child) == ["waiting"]
    await end(db, Done())
    found = await view(db, child)
    assert (found.state, found.due_at) == (JobState.SCHEDULED, FAR_OFF)


async def test_a_parent_that_does_not_exist_is_named_and_nothing_is_inserted(db: Database) -> None:
    parent = await add(db)
    with pytest.raises(InputError, match="there is no job 77, 78"):
        await add(db, parent, JobId(78), JobId(77))
    with pytest.raises(InputError, match="there is no batch 9"):
        await after_batch(db, BatchId(9))
    assert [found.id for found in await JobStore(db).page(WS)] == [parent]


async def test_another_workspaces_job_is_no_parent(db: Database, dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute("insert into glaze.workspace (name) values ('other')")
    parent = await add(db)
    new = NewJob("try", {}, after=(After(parent),))
    with pytest.raises(InputError, match="there is no job"):
        await JobStore(db).enqueue(WorkspaceId(2), [new])


async def test_one_parent_with_two_policies_or_too_many_parents_are_refused(db: Database) -> None:
    parent = await add(db)
    twice = (After(parent, CANCEL), After(parent, RUN))
    many = tuple(After(JobId(n)) for n in range(1, 1002))
    for after, why in ((twice, "two policies"), (many, "at most 1000")):
        with pytest.raises(InputError, match=why):
            await JobStore(db).enqueue(WS, [NewJob("try", {}, after=after)])
    with pytest.raises(InputError, match="exactly one"):
        After()


async def test_a_parent_named_twice_counts_once(db: Database) -> None:
    parent = await add(db)
    child = await add(db, parent, parent)
    assert (await view(db, child)).open_parents == 1


async def test_what_a_job_comes_after_is_part_of_what_its_idempotency_key_stands_for(
    db: Database,
) -> None:
    parent, other = await add(db), await add(db)
    child = await add(db, parent, idempotency_key="k")
    assert await add(db, parent, idempotency_key="k") == child
    with pytest.raises(IdempotencyConflict):
        await add(db, other, idempotency_key="k")
    assert (await view(db, child)).open_parents == 1


# -- every way to end ----------------------------------------------------------------------------


async def dead(db: Database, _job_id: JobId) -> None:
    for _ in range(3):
        gone = await worker(db, lease_s=-1)
        if not (await JobStore(db).claim("default", 1, gone))[0]:
            await JobStore(db).claim_suspect(["default"], gone)
        await WorkerStore(db).bury()
        await JobStore(db).rescue()


async def cancelled_while_its_worker_died(db: Database, job_id: JobId) -> None:
    gone = await worker(db, lease_s=-1)
    await JobStore(db).claim("default", 1, gone)
    await JobStore(db).cancel(WS, [job_id])
    await WorkerStore(db).bury()
    await JobStore(db).rescue()


async def expired(db: Database, _job_id: JobId) -> None:
    assert await JobStore(db).expire() == 1


async def cancelled(db: Database, job_id: JobId) -> None:
    await JobStore(db).cancel(WS, [job_id])


async def cancelled_while_it_ran(db: Database, job_id: JobId) -> None:
    [held], _ = await JobStore(db).claim("default", 1, await worker(db))
    await JobStore(db).cancel(WS, [job_id])
    await JobStore(db).finish(WS, [Ended.of(held, Snooze(FAR_OFF, "slot"))])


async def failed(db: Database, _job_id: JobId) -> None:
    await end(db, Failed("bad", "no"))


async def exhausted(db: Database, _job_id: JobId) -> None:
    await end(db, Retry("busy", "later"))


async def ended_as_cancelled(db: Database, _job_id: JobId) -> None:
    await end(db, Cancelled())


WAYS = {
    dead: "dead",
    cancelled_while_its_worker_died: "cancelled",
    expired: "dead",
    cancelled: "cancelled",
    cancelled_while_it_ran: "cancelled",
    failed: "failed",
    exhausted: "dead",
    ended_as_cancelled: "cancelled",
}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_whatever_way_a_parent_does_not_succeed_who_waits_does_as_its_policy_says(
    db: Database, way: Callable[[Database, JobId], Awaitable[None]]
) -> None:
    late = {"expires_at": LONG_AGO} if way is expired else {}
    parent = await add(db, max_attempts=1, **late)
    falls, fails, runs = [await add(db, parent, policy=policy) for policy in (CANCEL, FAIL, RUN)]
    await way(db, parent)
    assert await states(db, parent, falls, fails, runs) == [
        *[WAYS[way], "cancelled", "failed", "pending"]
    ]
    why = f"parent_failed: job {parent} ended as {WAYS[way]}"
    assert [(await view(db, job_id)).error for job_id in (falls, fails, runs)] == [why, why, None]
    assert (await log(db, falls), await log(db, fails)) == (
        *[["enqueued", "cancelled"], ["enqueued", "failed"]],
    )
    await nobody_waits_in_vain(db)


async def test_a_failure_does_not_wait_for_the_other_parents(db: Database) -> None:
    bad, other = await add(db), await add(db)
    child = await add(db, bad, other)
    assert await JobStore(db).cancel(WS, [bad]) == {bad: JobState.CANCELLED}
    assert await states(db, child, other) == ["cancelled", "pending"]
    await end(db, Done())
    assert await states(db, child) == ["cancelled"]


async def test_a_retry_keeps_the_children_waiting(db: Database) -> None:
    parent = await add(db)
    child = await add(db, parent)
    await end(db, Retry("busy", "later", 0))
    assert await states(db, parent, child) == ["scheduled", "waiting"]
    await JobStore(db).promote()
    await end(db, Done())
    assert await states(db, child) == ["pending"]


async def test_commits_that_let_a_child_go_tell_its_queue(db: Database) -> None:
    told: list[str] = []
    parent = await add(db)
    await add(db, parent, queue="next")
    store = JobStore(db, lambda queue, _rank: told.append(queue))
    [held], _ = await store.claim("default", 1, await worker(db))
    await store.finish(WS, [Ended.of(held, Done())])
    assert told == ["next"]


# -- graphs --------------------------------------------------------------------------------------


async def test_a_diamond_comes_together_once(db: Database) -> None:
    top = await add(db)
    left, right = await add(db, top), await add(db, top)
    bottom = await add(db, left, right)
    assert await end(db, Done()) == [top]
    assert await end(db, Done()) == [left, right]
    assert await end(db, Done()) == [bottom]
    assert await log(db, bottom) == ["enqueued", "ready", "claimed", "completed"]


async def test_a_failure_cascades_to_the_last_descendant_but_not_past_those_who_run_anyway(
    db: Database,
) -> None:
    top = await add(db)
    one = await add(db, top)
    two = await add(db, one, policy=FAIL)
    three = await add(db, two)
    anyway = await add(db, two, policy=RUN)
    behind = await add(db, anyway)
    beside = await add(db)
    both = await add(db, three, beside)
    await JobStore(db).cancel(WS, [top])
    assert await states(db, one, two, three, anyway, behind, both) == [
        *["cancelled", "failed", "cancelled", "pending", "waiting", "cancelled"]
    ]
    assert (await view(db, three)).error == f"parent_failed: job {two} ended as failed"
    await nobody_waits_in_vain(db)


async def test_of_two_policies_that_bear_on_a_job_failing_wins(db: Database) -> None:
    one, two = await add(db), await add(db)
    after = (After(one, CANCEL), After(two, FAIL))
    [child] = await JobStore(db).enqueue(WS, [NewJob("try", {}, after=after)])
    await end(db, Failed("bad", "no"))
    assert await states(db, child) == ["failed"]


async def test_a_chain_of_a_thousand_falls_in_one_go(db: Database) -> None:
    chain = [await add(db)]
    new = [NewJob("try", {}, after=(After(JobId(chain[0] + n)),)) for n in range(999)]
    given = [JobId(chain[0] + 1 + n) for n in range(999)]
    async with db.workspace(WS) as conn:
        chain += (await JobStore(db).enqueue_within(conn, new, given)).ids
    await JobStore(db).cancel(WS, chain[:1])
    assert set(await states(db, *chain[::100], chain[-1])) == {"cancelled"}
    assert await JobStore(db).page(WS, state=JobState.WAITING) == []


@storm_only
async def test_a_parent_of_five_thousand_lets_them_all_go_and_their_end_lets_one_go(
    db: Database,
) -> None:
    store, top = JobStore(db), await add(db)
    fan = await store.enqueue(WS, [NewJob("try", {}, after=(After(top),))] * 5000)
    last = await add(db, *fan[:1000])
    async with asyncio.timeout(20):
        await end(db, Done())
        assert len(await end(db, Done(), n=5000)) == 5000
    assert await states(db, last) == ["pending"]


async def test_a_cancel_of_parent_and_child_together_is_one_end_for_each(db: Database) -> None:
    parent = await add(db)
    child = await add(db, parent)
    await JobStore(db).cancel(WS, [child, parent])
    assert await log(db, child) == ["enqueued", "cancelled"]
    assert (await view(db, child)).error is None


async def test_a_bulk_cancel_moves_on_who_waits_and_tells_of_it(db: Database) -> None:
    told: list[str] = []
    store = JobStore(db, lambda queue, _rank: told.append(queue))
    parent = await add(db, queue="first")
    child, runs = await add(db, parent), await add(db, parent, policy=RUN, queue="next")
    async for _ in ControlStore(db, store).cancel(WS, Filter(queues=("first",))):
        pass
    assert (await states(db, parent, child, runs), told) == (
        *[["cancelled", "cancelled", "pending"], ["next"]],
    )


# -- batches -------------------------------------------------------------------------------------


async def batch(db: Database, rows: int) -> BatchId:
    batches = BatchStore(db)
    batch_id = await batches.create(WS, NewBatch("try", {}))
    await batches.add_rows(WS, batch_id, ({"n": n} for n in range(rows)))
    return batch_id


async def test_a_job_waits_for_a_whole_batch_however_its_rows_ended(db: Database) -> None:
    batch_id = await batch(db, 3)
    child = await after_batch(db, batch_id)
    await BatchStore(db).start(WS, batch_id)
    await end(db, Failed("bad", "no"), n=2)
    assert await states(db, child) == ["waiting"]
    await end(db, Done())
    assert await states(db, child) == ["pending"]
    assert await states(db, await after_batch(db, batch_id)) == ["pending"]


async def test_a_batch_without_rows_lets_go_when_it_starts(db: Database) -> None:
    batch_id = await batch(db, 0)
    child = await after_batch(db, batch_id)
    await BatchStore(db).start(WS, batch_id)
    assert await states(db, child) == ["pending"]


async def test_a_cancelled_batch_is_a_parent_that_failed(db: Database) -> None:
    batch_id = await batch(db, 3)
    child, runs = await after_batch(db, batch_id), await after_batch(db, batch_id, RUN)
    await BatchStore(db).cancel(WS, batch_id)
    assert await states(db, child, runs) == ["cancelled", "pending"]
    assert (await view(db, child)).error == f"parent_failed: batch {batch_id} ended as cancelled"
    await nobody_waits_in_vain(db)


async def test_a_cancelled_batch_is_waited_for_until_its_last_row_has_ended(db: Database) -> None:
    batch_id = await batch(db, 3)
    child, behind = await after_batch(db, batch_id, RUN), await after_batch(db, batch_id)
    await BatchStore(db).start(WS, batch_id)
    [held], _ = await JobStore(db).claim("default", 1, await worker(db))
    await BatchStore(db).cancel(WS, batch_id)
    await JobStore(db).sweep_cancelled()
    assert await states(db, child, behind) == ["waiting", "waiting"]
    await JobStore(db).finish(WS, [Ended.of(held, Cancelled())])
    assert await states(db, child, behind) == ["pending", "cancelled"]


async def test_a_cancelled_batch_of_which_nothing_runs_lets_go_when_it_is_swept(
    db: Database,
) -> None:
    batch_id = await batch(db, 3)
    child = await after_batch(db, batch_id, RUN)
    await BatchStore(db).start(WS, batch_id)
    await BatchStore(db).cancel(WS, batch_id)
    await JobStore(db).sweep_cancelled()
    assert await states(db, child) == ["pending"]


async def test_a_row_of_a_batch_is_no_parent(db: Database) -> None:
    batch_id = await batch(db, 1)
    await BatchStore(db).start(WS, batch_id)
    [row] = await JobStore(db).page(WS)
    with pytest.raises(InputError, match=f"is a row of batch {batch_id}"):
        await add(db, row.id)


# -- reopening -----------------------------------------------------------------------------------


async def test_a_reopened_parent_holds_back_who_still_waits_and_nobody_else(db: Database) -> None:
    store = JobStore(db)
    parent, other = await add(db), await add(db, due_at=FAR_OFF)
    gone_on, waits = await add(db, parent), await add(db, parent, other)
    await end(db, Done(), n=1)
    await store.reopen(WS, [parent])
    await store.cancel(WS, [gone_on])
    found = await view(db, waits)
    assert (await states(db, gone_on), found.state) == (["cancelled"], JobState.WAITING)
    await end(db, Done())
    assert (await view(db, waits)).open_parents == 1


async def test_a_child_that_was_cancelled_by_policy_can_be_opened_again(db: Database) -> None:
    parent = await add(db)
    child = await add(db, parent)
    await JobStore(db).cancel(WS, [parent])
    assert await JobStore(db).reopen(WS, [child]) == [child]
    assert await end(db, Done()) == [child]


# -- the sweep -----------------------------------------------------------------------------------


async def test_the_sweep_moves_on_whom_an_end_written_past_the_store_left_behind(
    db: Database, dsn: str
) -> None:
    store = JobStore(db)
    good, bad, open_ = await add(db), await add(db), await add(db)
    runs, falls, behind = await add(db, good), await add(db, bad), await add(db, bad, open_)
    below = await add(db, falls)
    waits = await add(db, good, open_)
    with psycopg.connect(dsn) as conn:
        for job_id, state in ((good, "completed"), (bad, "dead")):
            conn.execute(
                "update glaze.job set state = %s, finished_at = now() where id = %s",
                (state, job_id),
            )
    assert await store.repair() == ((runs, falls, behind), NO_JOB)
    assert await states(db, runs, falls, behind, below, waits) == [
        *["pending", "cancelled", "cancelled", "cancelled", "waiting"]
    ]
    await nobody_waits_in_vain(db)


async def test_the_sweep_goes_through_all_that_wait_page_by_page(db: Database, dsn: str) -> None:
    store, parent = JobStore(db), await add(db)
    children = await store.enqueue(WS, [NewJob("try", {}, after=(After(parent),))] * 5)
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "update glaze.job set state = 'completed', finished_at = now() where id = %s", (parent,)
        )
    moved: list[JobId] = []
    after = NO_JOB
    for _ in range(3):
        page, after = await store.repair(after, n=2)
        moved += page
    assert (moved, after) == (children, NO_JOB)


async def test_a_parent_that_was_purged_was_at_its_end(db: Database, dsn: str) -> None:
    parent, other = await add(db), await add(db, due_at=FAR_OFF)
    child = await add(db, parent, other)
    await end(db, Done())
    with psycopg.connect(dsn) as conn:
        conn.execute("delete from glaze.job where id = %s", (parent,))
    await JobStore(db).cancel(WS, [other])
    assert await states(db, child) == ["cancelled"]


# -- races ---------------------------------------------------------------------------------------


def halted(sql: Statements, name: str, lock: int) -> Statements:
    """A copy of the statements of which one waits for an advisory lock, its snapshot taken."""
    head = "select clock_timestamp() as now"
    assert head in sql[name]
    wait = f"{head} from (select pg_advisory_xact_lock_shared({lock})) gate"
    copy = Statements.__new__(Statements)
    copy._by_name = {**sql._by_name, name: sql[name].replace(head, wait, 1)}
    return copy


async def waits(conn: psycopg.AsyncConnection, kind: str, n: int = 1) -> bool:
    """Tell whether ``n`` others wait for a lock of this kind."""
    query = (
        "select count(*) from pg_locks l join pg_stat_activity a on a.pid = l.pid"
        " where not l.granted and l.locktype = %s and a.datname = current_database()"
    )
    row = await (await conn.execute(query, (kind,))).fetchone()
    return row is not None and row[0] >= n


async def until(look: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await look():  # noqa: ASYNC110  what another connection does is only seen by looking
            await asyncio.sleep(0.01)


async def test_a_child_inserted_while_its_parent_finishes_is_not_stranded(
    db: Database, dsn: str
) -> None:
    """The child has looked at its parent and is not yet inserted when the parent's end is written."""
    store = JobStore(db)
    parent = await add(db)
    [held], _ = await store.claim("default", 1, await worker(db))
    slow = JobStore(db)
    slow._sql = halted(store._sql, "enqueue", 7)
    new = NewJob("try", {}, after=(After(parent),))
    async with (
        await psycopg.AsyncConnection.connect(dsn, autocommit=True) as gate,
        asyncio.TaskGroup() as tasks,
    ):
        await gate.execute("select pg_advisory_lock(7)")
        adding = tasks.create_task(slow.enqueue(WS, [new]))
        await until(lambda: waits(gate, "advisory"))
        ending = tasks.create_task(store.finish(WS, [Ended.of(held, Done())]))

        async def decided() -> bool:
            return ending.done() or await waits(gate, "transactionid")

        await until(decided)
        await gate.execute("select pg_advisory_unlock(7)")
    assert (await ending).accepted == {parent}
    assert await states(db, *(await adding)) == ["pending"]


async def test_a_child_inserted_while_its_batch_finishes_is_not_stranded(
    db: Database, dsn: str
) -> None:
    batch_id = await batch(db, 1)
    await BatchStore(db).start(WS, batch_id)
    store = JobStore(db)
    [held], _ = await store.claim("default", 1, await worker(db))
    slow = JobStore(db)
    slow._sql = halted(store._sql, "enqueue", 7)
    new = NewJob("try", {}, after=(After(batch=batch_id),))
    async with (
        await psycopg.AsyncConnection.connect(dsn, autocommit=True) as gate,
        asyncio.TaskGroup() as tasks,
    ):
        await gate.execute("select pg_advisory_lock(7)")
        adding = tasks.create_task(slow.enqueue(WS, [new]))
        await until(lambda: waits(gate, "advisory"))
        ending = tasks.create_task(store.finish(WS, [Ended.of(held, Done())]))

        async def decided() -> bool:
            return ending.done() or await waits(gate, "transactionid")

        await until(decided)
        await gate.execute("select pg_advisory_unlock(7)")
    assert await states(db, *(await adding)) == ["pending"]


async def test_two_parents_that_end_at_once_let_their_child_go_once(db: Database, dsn: str) -> None:
    """Each ends in a transaction that does not see the other's."""
    store = JobStore(db)
    await add(db), await add(db)
    children = await store.enqueue(
        WS, [NewJob("try", {}, after=(After(JobId(1)), After(JobId(2))))] * 3
    )
    one, two = (await store.claim("default", 2, await worker(db)))[0]
    slow = JobStore(db)
    slow._sql = halted(store._sql, "finish", 7)
    async with (
        await psycopg.AsyncConnection.connect(dsn, autocommit=True) as gate,
        asyncio.TaskGroup() as tasks,
    ):
        await gate.execute("select pg_advisory_lock(7)")
        tasks.create_task(slow.finish(WS, [Ended.of(one, Done())]))
        tasks.create_task(slow.finish(WS, [Ended.of(two, Done())]))
        await until(lambda: waits(gate, "advisory", 2))
        await gate.execute("select pg_advisory_unlock(7)")
    assert await states(db, *children) == ["pending"] * 3
    assert [await log(db, job_id) for job_id in children] == [["enqueued", "ready"]] * 3


class Crowd:
    """Some who add jobs behind others, some who finish and one who cancels what they find."""

    def __init__(self, db: Database, known: list[JobId]) -> None:
        self.db, self.store, self.known = db, JobStore(db), known
        self.rng, self.stop = random.Random(3), asyncio.Event()

    async def grow(self) -> None:
        for _ in range(40):
            parents = self.rng.sample(self.known, self.rng.randint(1, 4))
            after = tuple(After(parent, self.rng.choice(list(IfFailed))) for parent in parents)
            self.known += await self.store.enqueue(WS, [NewJob("try", {}, after=after)] * 2)

    async def finish(self) -> None:
        me = await worker(self.db)
        outcomes = (Done(), Done(), Failed("bad", "no"), Partial())
        while not self.stop.is_set():
            claimed, _ = await self.store.claim("default", self.rng.randint(1, 8), me)
            group = [Ended.of(job, self.rng.choice(outcomes)) for job in claimed]
            await self.store.finish(WS, group)
            await asyncio.sleep(0 if claimed else 0.01)

    async def cancel(self) -> None:
        while not self.stop.is_set():
            await self.store.cancel(WS, self.rng.sample(self.known, 2))
            await asyncio.sleep(0.02)

    async def ended(self) -> bool:
        return all(job.state in TERMINAL for job in await self.store.page(WS, 1000))


async def test_graphs_grown_cancelled_and_finished_by_many_at_once_end_whole(db: Database) -> None:
    known = await JobStore(db).enqueue(WS, [NewJob("try", {})] * 30)
    crowd = Crowd(db, known)
    async with asyncio.TaskGroup() as tasks:
        for work in (crowd.finish, crowd.finish, crowd.finish, crowd.cancel):
            tasks.create_task(work())
        async with asyncio.TaskGroup() as growing:
            for _ in range(3):
                growing.create_task(crowd.grow())
        await until(crowd.ended)
        crowd.stop.set()
    for job_id in known:
        types = await log(db, job_id)
        assert len({*types} & {"completed", "partial", "failed", "cancelled"}) == 1
        assert len(types) == len(set(types))


# -- cost ----------------------------------------------------------------------------------------


def test_who_comes_after_a_group_is_one_look_at_an_index_however_many_edges_there_are(
    dsn: str,
) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute("set session_replication_role = replica")  # the jobs are not the matter here
        conn.execute(
            "insert into glaze.job_edge (workspace_id, child_id, parent_id)"
            " select 1, n + 1000000, n from generate_series(1, 200000) n"
        )
        conn.execute("set role glaze_app")
        conn.execute("set search_path = glaze")
        conn.execute("select set_config('glaze.workspace', '1', true)")
        conn.execute(statements("job")["by_hash"])
        conn.execute(statements("dependency")["by_index"])
        query = "explain (analyze, format json) " + statements("dependency")["successors_of_jobs"]
        row = conn.execute(query.encode(), {"jobs": list(range(300_000, 300_500))}).fetchone()
    assert row is not None
    text = json.dumps(row[0])
    assert "job_edge_parent" in text
    assert "Seq Scan" not in text
    blocks = row[0][0]["Plan"]["Shared Hit Blocks"] + row[0][0]["Plan"]["Shared Read Blocks"]
    assert blocks < 50, row[0][0]["Execution Time"]
