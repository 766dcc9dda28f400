"""Actions from outside on any number of jobs: who they reach, what they leave, how races end."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg
import pytest
from tests.storm_only import storm_only

from glaze.errors import IdempotencyConflict, InputError
from glaze.model.bulk import Change, Filter
from glaze.model.job import TERMINAL, ClaimedJob, JobState, NewJob
from glaze.model.outcome import Done, Failed, Outcome, Retry
from glaze.model.value import DEFAULT_WORKSPACE as WS
from glaze.model.value import JobId, WorkerId, WorkspaceId
from glaze.store.attempt import Ended
from glaze.store.batch import BatchStore, NewBatch
from glaze.store.control import ControlStore, Step
from glaze.store.database import Database
from glaze.store.event import EventStore
from glaze.store.job import JobStore, JobView
from glaze.store.worker import WorkerStore

FAR_OFF = datetime(2100, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
MANY = 100_000
_FILL = """
with made as (
  insert into glaze.job (workspace_id, kind, queue, state, priority, rank, due_at, finished_at, error, tags)
  select %(workspace)s, 'fill', 'bulk', 'dead', 3, now(), now(), now(), 'timeout: too slow', '{bulk}'
  from generate_series(1, %(n)s) returning workspace_id, id
), args as (
  insert into glaze.job_args (workspace_id, job_id, args) select workspace_id, id, '{"n": 1}' from made
)
insert into glaze.event (workspace_id, type, job_id) select workspace_id, 'dead', id from made
"""

_LEDGER = """
with q as (insert into glaze.question (workspace_id, credential, provider, operation, key)
           values (1, 'none', 'apollo', 'match', 'k') returning id),
     r as (insert into glaze.vendor_request (workspace_id, provider, operation, credential, calls, deadline)
           values (1, 'apollo', 'match', 'none', 1, now()) returning id)
insert into glaze.call (workspace_id, question_id, generation, state, request_id, job_id, position, reason, wanted,
  reserved_micros, price_micros, deadline, settled_at)
select 1, q.id, 1, 'settled', r.id, %(job)s, 1, 'cheapest', '{}', 100000, 100000, now(), now() from q, r
"""
_LEFT = """
select (select count(*) from glaze.job), (select count(*) from glaze.job_args), (select count(*) from glaze.result),
  (select count(*) from glaze.call), (select count(*) from glaze.question)
"""


def control(db: Database) -> ControlStore:
    return ControlStore(db, JobStore(db))


def fill(dsn: str, n: int, workspace: int = WS) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute(_FILL, {"workspace": workspace, "n": n})


async def steps(action: AsyncIterator[Step]) -> list[Step]:
    return [step async for step in action]


async def whole(action: AsyncIterator[Step]) -> Step:
    """What all chunks of an action came to."""
    done: dict[JobId, JobState] = {}
    refused: dict[JobId, JobState] = {}
    missing: tuple[JobId, ...] = ()
    replays: dict[JobId, JobId] = {}
    async for step in action:
        done |= step.done
        refused |= step.refused
        missing += step.missing
        replays |= step.replays
    return Step(done, refused, missing, replays)


async def view(db: Database, job_id: JobId) -> JobView:
    found = await JobStore(db).get(WS, job_id)
    assert found is not None
    return found


async def log(db: Database, job_id: JobId) -> list[str]:
    return [event.type for event in await EventStore(db).log(WS, job_id)]


async def last_data(db: Database, job_id: JobId) -> Any:
    return (await EventStore(db).log(WS, job_id))[-1].data


async def worker(db: Database) -> WorkerId:
    return await WorkerStore(db).register("test", "0", ["default"], lease_s=60)


async def claim(db: Database, n: int = 1000, by: WorkerId | None = None) -> list[ClaimedJob]:
    return (await JobStore(db).claim("default", n, by or await worker(db)))[0]


async def end(db: Database, jobs: list[ClaimedJob], outcome: Outcome) -> frozenset[JobId]:
    return (await JobStore(db).finish(WS, [Ended.of(job, outcome) for job in jobs])).accepted


async def ended(db: Database, outcome: Outcome, **options: Any) -> JobId:
    """A job that came to its end so."""
    [job_id] = await JobStore(db).enqueue(WS, [NewJob("try", {"n": 1}, priority=1, **options)])
    [job] = [job for job in await claim(db) if job.id == job_id]
    assert job_id in await end(db, [job], outcome)
    return job_id


async def one_in_every_state(db: Database) -> dict[JobState, JobId]:
    """A job in each state but waiting, by way of the statements that workers use."""
    made = {
        JobState.COMPLETED: await ended(db, Done({"a": 1})),
        JobState.FAILED: await ended(db, Failed("input_invalid", "no")),
        JobState.DEAD: await ended(db, Retry("timeout", "slow"), max_attempts=1),
    }
    [made[JobState.CANCELLED]] = await JobStore(db).enqueue(WS, [NewJob("try", {})])
    await JobStore(db).cancel(WS, [made[JobState.CANCELLED]])
    [made[JobState.PROCESSING]] = await JobStore(db).enqueue(WS, [NewJob("try", {})])
    await claim(db)
    later = NewJob("try", {}, due_at=FAR_OFF)
    made[JobState.PENDING], made[JobState.SCHEDULED] = await JobStore(db).enqueue(
        WS, [NewJob("try", {}), later]
    )
    return made


async def until_somebody_waits(dsn: str) -> None:
    async with asyncio.timeout(30), await psycopg.AsyncConnection.connect(dsn) as conn:
        while True:
            found = await conn.execute("select count(*) from pg_locks where not granted")
            if await found.fetchone() != (0,):
                return
            await asyncio.sleep(0.02)


# -- looking -------------------------------------------------------------------------------------


@pytest.fixture
async def mixed(db: Database) -> dict[str, JobId]:
    """Jobs of several kinds, queues, tags and ends."""
    new = {
        "plain": NewJob("a", {}),
        "tagged": NewJob("a", {}, tags=("x", "y")),
        "other queue": NewJob("b", {}, queue="slow", tags=("y",)),
        "late": NewJob("b", {}, due_at=FAR_OFF, tags=("x",)),
    }
    ids = dict(zip(new, await JobStore(db).enqueue(WS, list(new.values())), strict=True))
    return ids | {
        "timeout": await ended(db, Retry("timeout", "slow: very"), max_attempts=1),
        "timeout elsewhere": await ended(db, Retry("timeout_vendor", "slow"), max_attempts=1),
        "bad": await ended(db, Failed("input_invalid", "timeout: no")),
    }


CRITERIA: list[tuple[Filter, set[str]]] = [
    (Filter(kinds=("a",)), {"plain", "tagged"}),
    (Filter(kinds=("a", "b")), {"plain", "tagged", "other queue", "late"}),
    (Filter(queues=("slow",)), {"other queue"}),
    (Filter(states=frozenset({JobState.SCHEDULED, JobState.FAILED})), {"late", "bad"}),
    (Filter(tags_any=("x", "y")), {"tagged", "other queue", "late"}),
    (Filter(tags_all=("x", "y")), {"tagged"}),
    (Filter(tags_any=("y",), kinds=("b",)), {"other queue"}),
    (Filter(error_code="timeout"), {"timeout"}),
    (Filter(error_code="timeout_vendor"), {"timeout elsewhere"}),
    (Filter(error_code="timeout_v"), set()),
    (Filter(finished_after=LONG_AGO), {"timeout", "timeout elsewhere", "bad"}),
    (Filter(finished_before=LONG_AGO), set()),
    (Filter(created_after=FAR_OFF), set()),
    (Filter(created_before=LONG_AGO), set()),
    (Filter(ids=()), set()),
]  # fmt: skip


async def test_each_criterion_chooses_its_jobs_whoever_asks(
    db: Database, mixed: dict[str, JobId]
) -> None:
    for which, names in CRITERIA:
        ids = {mixed[name] for name in names}
        shown = (await control(db).page(WS, which)).jobs
        assert [job.id for job in shown] == sorted(ids, reverse=True), which
        assert await control(db).count(WS, which) == len(ids), which


async def test_a_moment_of_making_divides_jobs_in_two(db: Database) -> None:
    ids = await JobStore(db).enqueue(WS, [NewJob("a", {})])
    ids += await JobStore(db).enqueue(WS, [NewJob("a", {})])
    middle = (await view(db, ids[1])).created_at
    before = (await control(db).page(WS, Filter(created_before=middle))).jobs
    after = (await control(db).page(WS, Filter(created_after=middle))).jobs
    assert ([job.id for job in before], [job.id for job in after]) == ([ids[0]], [ids[1]])


async def test_pages_follow_each_other_newest_first(db: Database) -> None:
    ids = await JobStore(db).enqueue(WS, [NewJob("a", {})] * 5)
    first = (await control(db).page(WS, Filter(kinds=("a",)), 3)).jobs
    second = (await control(db).page(WS, Filter(kinds=("a",)), 3, before=first[-1].id)).jobs
    assert [job.id for job in first + second] == ids[::-1]


async def test_dead_letters_are_grouped_by_kind_and_code(db: Database, mixed: object) -> None:
    del mixed
    await ended(db, Retry("timeout", "other words"), max_attempts=1)
    groups = await control(db).groups(WS, Filter(states=frozenset({JobState.DEAD})))
    assert [(g.kind, g.code, g.jobs) for g in groups] == [
        ("try", "timeout", 2),
        ("try", "timeout_vendor", 1),
    ]
    assert groups[0].first_at is not None
    assert groups[0].last_at is not None
    assert groups[0].first_at < groups[0].last_at


# -- retry ---------------------------------------------------------------------------------------


@storm_only
async def test_a_hundred_thousand_dead_jobs_are_retried_by_one_call(db: Database, dsn: str) -> None:
    fill(dsn, MANY)
    told: list[str] = []
    store = ControlStore(db, JobStore(db, lambda queue, _rank: told.append(queue)))
    dead = Filter(states=frozenset({JobState.DEAD}), tags_any=("bulk",))
    retried = await steps(store.retry(WS, dead))
    assert sum(len(step.done) for step in retried) == MANY
    assert max(len(step.done) for step in retried) <= 1000
    assert told == ["bulk"] * len(retried)
    groups = await store.groups(WS, Filter(kinds=("fill",)))
    assert [(group.state, group.jobs) for group in groups] == [(JobState.PENDING, MANY)]


async def test_thousands_are_cancelled_and_purged_and_their_neighbours_stay(
    db: Database, dsn: str
) -> None:
    fill(dsn, 3500)
    [bystander] = await JobStore(db).enqueue(WS, [NewJob("try", {})])
    await steps(control(db).retry(WS, Filter(queues=("bulk",))))
    cancelled = await whole(control(db).cancel(WS, Filter(queues=("bulk",))))
    assert Counter(cancelled.done.values()) == {JobState.CANCELLED: 3500}
    purged = await whole(control(db).purge(WS, Filter(queues=("bulk",))))
    assert len(purged.done) == 3500
    with psycopg.connect(dsn) as conn:
        left = conn.execute(
            "select (select array_agg(id) from glaze.job), (select count(*) from glaze.job_args),"
            " (select array_agg(type) from glaze.event where job_id is not null)"
        ).fetchone()
    assert left == ([bystander], 1, ["enqueued"])


async def test_a_retry_that_was_stopped_in_the_middle_goes_on_when_repeated(
    db: Database, dsn: str
) -> None:
    fill(dsn, 2500)
    which = Filter(states=frozenset({JobState.DEAD}))
    async for step in control(db).retry(WS, which):
        assert len(step.done) == 1000
        break
    rest = await whole(control(db).retry(WS, which))
    assert len(rest.done) == 1500
    with psycopg.connect(dsn) as conn:
        rounds = conn.execute("select distinct round from glaze.job").fetchall()
    assert rounds == [(2,)]


async def test_jobs_far_apart_are_found_however_many_ids_others_took(
    db: Database, dsn: str
) -> None:
    fill(dsn, 3)
    with psycopg.connect(dsn) as conn:
        conn.execute("select setval('glaze.job_id_seq', 350000)")
    fill(dsn, 2)
    step = await whole(control(db).retry(WS, Filter(states=frozenset({JobState.DEAD}))))
    assert sorted(step.done) == [1, 2, 3, 350001, 350002]


async def test_jobs_that_end_again_during_a_retry_are_not_taken_twice(
    db: Database, dsn: str
) -> None:
    fill(dsn, 2500)
    with psycopg.connect(dsn, autocommit=True) as conn:
        taken = 0
        async for step in control(db).retry(WS, Filter(states=frozenset({JobState.DEAD}))):
            taken += len(step.done)
            conn.execute(
                "update glaze.job set state = 'dead', finished_at = now() where state = 'pending'"
            )
            fill(dsn, 10)  # and what dies meanwhile is not of this call
    assert taken == 2500


async def test_named_jobs_are_retried_and_the_others_refused_with_their_state(db: Database) -> None:
    jobs = await one_in_every_state(db)
    nobody = JobId(10**12)
    step = await whole(control(db).retry(WS, Filter(ids=(*jobs.values(), nobody))))
    assert set(step.done) == {job for state, job in jobs.items() if state in TERMINAL}
    assert step.refused == {job: state for state, job in jobs.items() if state not in TERMINAL}
    assert step.missing == (nobody,)
    for job_id in step.done:
        found = await view(db, job_id)
        assert (found.state, found.round, found.attempt) == (JobState.PENDING, 2, 0)
        assert (await log(db, job_id))[-1] == "reopened"


async def test_a_retry_of_what_runs_is_refused_before_anything_is_done(db: Database) -> None:
    with pytest.raises(InputError, match=r"jobs that are processing; it takes completed, partial"):
        await whole(control(db).retry(WS, Filter(states=frozenset({JobState.PROCESSING}))))


async def test_a_retry_and_a_workers_finish_at_once_leave_one_truth(db: Database) -> None:
    me = await worker(db)
    ids = await JobStore(db).enqueue(WS, [NewJob("try", {})] * 400)
    held = await claim(db, by=me)
    groups = [held[n::8] for n in range(8)]
    named = Filter(ids=tuple(ids))
    *finished, retried, again = await asyncio.gather(
        *(end(db, group, Failed("no", "no")) for group in groups),
        whole(control(db).retry(WS, named)),
        whole(control(db).retry(WS, named)),
    )
    assert sum(map(len, finished)) == 400
    assert not set(retried.done) & set(again.done)
    for job_id in ids:
        found, events = await view(db, job_id), await log(db, job_id)
        reopened = job_id in retried.done or job_id in again.done
        assert found.state == (JobState.PENDING if reopened else JobState.FAILED)
        assert found.round == 1 + reopened
        assert events == ["enqueued", "claimed", "failed", *["reopened"] * reopened]
    assert await end(db, held, Done()) == frozenset()


async def test_a_chunk_that_deadlocks_with_a_worker_is_done_again(db: Database, dsn: str) -> None:
    one, two = await JobStore(db).enqueue(WS, [NewJob("try", {})] * 2)
    hold = "select from glaze.job where id = %s for update"
    async with await psycopg.AsyncConnection.connect(dsn) as conn:
        await conn.execute("set deadlock_timeout = '30 s'")  # so that the other side is the victim
        await conn.execute(hold, (two,))
        async with asyncio.TaskGroup() as group:
            action = group.create_task(whole(control(db).cancel(WS, Filter(ids=(one, two)))))
            await until_somebody_waits(dsn)
            await conn.execute(hold, (one,))
            await conn.rollback()
    assert set(action.result().done.values()) == {JobState.CANCELLED}


# -- replay --------------------------------------------------------------------------------------


async def test_a_replay_is_a_new_linked_job_and_the_old_one_stays_as_it_was(db: Database) -> None:
    options: dict[str, Any] = {"tags": ("x",), "correlation_id": "c-1", "max_attempts": 1}
    options["webhook_url"] = "https://example.com/hook"
    old = await ended(db, Retry("timeout", "slow"), **options)
    before = await view(db, old)
    step = await whole(control(db).replay(WS, Filter(ids=(old,))))
    new = await view(db, step.replays[old])
    assert await view(db, old) == before
    assert await log(db, old) == ["enqueued", "claimed", "dead", "replayed"]
    assert await last_data(db, old) == {"job": new.id}
    assert (new.state, new.round, new.replay_of, new.args) == (JobState.PENDING, 1, old, {"n": 1})
    same = ("kind", "queue", "priority", *options)
    assert [getattr(new, name) for name in same] == [getattr(before, name) for name in same]


async def test_a_replay_may_change_arguments_by_a_merge_patch(db: Database) -> None:
    old = await ended(db, Done())
    step = await whole(control(db).replay(WS, Filter(ids=(old,)), patch={"n": None, "m": {"k": 2}}))
    assert (await view(db, step.replays[old])).args == {"m": {"k": 2}}
    assert (await view(db, old)).args == {"n": 1}


async def test_a_replay_whose_arguments_are_refused_makes_nothing(db: Database) -> None:
    old = await ended(db, Done())

    def check(job: NewJob) -> NewJob:
        raise InputError(f"n: {job.args}")

    with pytest.raises(InputError, match="n:"):
        await whole(control(db).replay(WS, Filter(ids=(old,)), patch={"n": "x"}, check=check))
    assert await control(db).count(WS, Filter()) == 1


async def test_a_replay_repeated_under_its_key_makes_nothing_twice(db: Database, dsn: str) -> None:
    fill(dsn, 1500)
    dead = Filter(states=frozenset({JobState.DEAD}))
    async for _ in control(db).replay(WS, dead, patch={"n": 2}, key="tuesday"):
        break  # after the first thousand
    whole_of_it = await whole(control(db).replay(WS, dead, patch={"n": 2}, key="tuesday"))
    assert len(set(whole_of_it.replays.values())) == 1500
    assert await control(db).count(WS, Filter(states=frozenset({JobState.PENDING}))) == 1500
    with pytest.raises(IdempotencyConflict):
        await whole(control(db).replay(WS, dead, patch={"n": 3}, key="tuesday"))


async def test_what_has_not_ended_is_not_replayed(db: Database) -> None:
    jobs = await one_in_every_state(db)
    step = await whole(control(db).replay(WS, Filter(ids=tuple(jobs.values()))))
    assert set(step.refused) == {job for state, job in jobs.items() if state not in TERMINAL}
    assert set(step.replays) == {job for state, job in jobs.items() if state in TERMINAL}


# -- cancel --------------------------------------------------------------------------------------


async def test_cancel_ends_what_waits_asks_what_runs_and_refuses_what_has_ended(
    db: Database,
) -> None:
    jobs = await one_in_every_state(db)
    step = await whole(control(db).cancel(WS, Filter(ids=tuple(jobs.values()))))
    assert step.done == {
        jobs[JobState.PENDING]: JobState.CANCELLED,
        jobs[JobState.SCHEDULED]: JobState.CANCELLED,
        jobs[JobState.PROCESSING]: JobState.PROCESSING,
    }
    assert step.refused == {job: state for state, job in jobs.items() if state in TERMINAL}
    assert (await log(db, jobs[JobState.PENDING]))[-1] == "cancelled"
    assert (await log(db, jobs[JobState.PROCESSING]))[-1] == "cancel_requested"
    again = await whole(control(db).cancel(WS, Filter(ids=(jobs[JobState.PROCESSING],))))
    assert again.done == {jobs[JobState.PROCESSING]: JobState.PROCESSING}
    assert (await log(db, jobs[JobState.PROCESSING])).count("cancel_requested") == 1


async def test_who_waits_for_a_result_hears_of_a_cancel(db: Database) -> None:
    heard: list[str] = []
    jobs = JobStore(db, ended=lambda: heard.append("ended"))
    [job_id] = await jobs.enqueue(WS, [NewJob("try", {})])
    assert (await whole(ControlStore(db, jobs).cancel(WS, Filter(ids=(job_id,))))).done
    assert heard == ["ended"]
    await whole(ControlStore(db, jobs).cancel(WS, Filter(ids=(job_id,))))
    assert heard == ["ended"]


# -- change --------------------------------------------------------------------------------------


async def test_a_change_moves_the_job_in_the_queue_and_labels_it_anew(db: Database) -> None:
    slow, other = await JobStore(db).enqueue(WS, [NewJob("try", {}, priority=5)] * 2)
    change = Change(priority=1, tags=("vip", "vip"), webhook_url="https://example.com/?k=s3cret")
    assert (await whole(control(db).change(WS, Filter(ids=(other,)), change))).done
    found = await view(db, other)
    assert (found.priority, found.tags, found.webhook_url) == (1, ("vip",), change.webhook_url)
    assert await last_data(db, other) == {"priority": 1, "tags": ["vip"], "webhook": "set"}
    off = Change(tags=(), webhook_url="")
    await whole(control(db).change(WS, Filter(ids=(other,)), off))
    found = await view(db, other)
    assert (found.priority, found.tags, found.webhook_url) == (1, (), None)
    assert [job.id for job in await claim(db)] == [other, slow]


async def test_a_new_run_time_holds_a_job_back_or_brings_it_forward(db: Database) -> None:
    now, later = await JobStore(db).enqueue(
        WS, [NewJob("try", {}), NewJob("try", {}, due_at=FAR_OFF)]
    )
    store = control(db)
    held = await whole(store.change(WS, Filter(ids=(now,)), Change(due_at=FAR_OFF)))
    freed = await whole(store.change(WS, Filter(ids=(later,)), Change(due_at=LONG_AGO)))
    assert held.done == {now: JobState.SCHEDULED}
    assert freed.done == {later: JobState.PENDING}
    assert (await view(db, now)).due_at == FAR_OFF
    assert (await view(db, later)).due_at > LONG_AGO  # now: nobody gets ahead by a time long gone
    assert [job.id for job in await claim(db)] == [later]
    kept = await whole(store.change(WS, Filter(ids=(now,)), Change(priority=2)))
    assert kept.done == {now: JobState.SCHEDULED}
    assert (await view(db, now)).due_at == FAR_OFF


async def test_a_job_that_a_change_makes_due_is_told_of(db: Database) -> None:
    told: list[str] = []
    jobs = JobStore(db, lambda queue, _rank: told.append(queue))
    ids = await jobs.enqueue(WS, [NewJob("try", {}, queue="q", due_at=FAR_OFF)])
    store = ControlStore(db, jobs)
    await whole(store.change(WS, Filter(ids=tuple(ids)), Change(tags=("x",))))
    assert told == []
    await whole(store.change(WS, Filter(ids=tuple(ids)), Change(due_at=LONG_AGO)))
    assert told == ["q"]


async def test_what_has_started_is_not_changed_and_says_where_it_stands(db: Database) -> None:
    jobs = await one_in_every_state(db)
    fixed = {job: state for state, job in jobs.items() if state in {*TERMINAL, "processing"}}
    step = await whole(control(db).change(WS, Filter(ids=tuple(jobs.values())), Change(priority=1)))
    assert step.refused == fixed
    for job in jobs.values():
        assert ("changed" in await log(db, job)) == (job in step.done)


@pytest.mark.parametrize(
    "change",
    [
        Change(),
        Change(priority=0),
        Change(priority=6),
        Change(tags=("",)),
        Change(webhook_url="ftp://example.com/"),
    ],
)
def test_a_change_that_cannot_be_had_is_refused(change: Change) -> None:
    with pytest.raises(InputError):
        change.checked()


async def test_a_change_and_a_claim_at_once_never_touch_the_same_job(db: Database) -> None:
    ids = await JobStore(db).enqueue(WS, [NewJob("try", {})] * 1500)
    me = await worker(db)

    async def claims() -> set[JobId]:
        taken: set[JobId] = set()
        for _ in range(20):
            taken |= {job.id for job in await claim(db, 60, me)}
        return taken

    later = Change(due_at=FAR_OFF)
    parts = [Filter(ids=tuple(ids[start : start + 100])) for start in range(1400, -1, -100)]

    async def changes() -> Step:
        done: dict[JobId, JobState] = {}
        refused: dict[JobId, JobState] = {}
        for part in parts:
            step = await whole(control(db).change(WS, part, later))
            done |= step.done
            refused |= step.refused
        return Step(done, refused)

    claimed, changed = await asyncio.gather(claims(), changes())
    assert claimed
    assert changed.done
    assert not claimed & set(changed.done)
    assert set(changed.refused) <= claimed
    assert set(changed.refused.values()) <= {JobState.PROCESSING}
    assert claimed | set(changed.done) == set(ids)


# -- purge ---------------------------------------------------------------------------------------


async def test_a_purge_takes_arguments_result_and_log_and_leaves_the_ledger(
    db: Database, dsn: str
) -> None:
    job_id, kept = await ended(db, Done({"a": 1})), await ended(db, Done({"b": 2}))
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(_LEDGER, {"job": job_id})
        assert conn.execute(_LEFT).fetchone() == (2, 2, 2, 1, 1)
        step = await whole(control(db).purge(WS, Filter(ids=(job_id,))))
        assert step.done == {job_id: JobState.COMPLETED}
        assert conn.execute(_LEFT).fetchone() == (1, 1, 1, 1, 1)
        assert conn.execute("select job_id from glaze.call").fetchall() == [(job_id,)]
        [said] = conn.execute("select data from glaze.event where type = 'purged'").fetchall()
    assert said == ({"jobs": 1, "first": job_id, "last": job_id},)
    assert (await view(db, kept)).result == {"b": 2}
    assert await log(db, job_id) == []


async def test_what_has_not_ended_is_not_purged(db: Database) -> None:
    jobs = await one_in_every_state(db)
    step = await whole(control(db).purge(WS, Filter(ids=tuple(jobs.values()))))
    assert set(step.done) == {job for state, job in jobs.items() if state in TERMINAL}
    assert await control(db).count(WS, Filter()) == len(jobs) - len(step.done)


async def test_a_job_whose_successor_has_not_ended_is_kept(db: Database, dsn: str) -> None:
    first = await ended(db, Done(1))
    [next_one] = await JobStore(db).enqueue(WS, [NewJob("try", {})])
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "insert into glaze.job_edge (workspace_id, child_id, parent_id) values (1, %s, %s)",
            (next_one, first),
        )
    step = await whole(control(db).purge(WS, Filter(ids=(first,))))
    assert (step.done, step.refused) == ({}, {first: JobState.COMPLETED})
    await JobStore(db).cancel(WS, [next_one])
    assert (await whole(control(db).purge(WS, Filter(ids=(first,))))).done
    with psycopg.connect(dsn) as conn:
        assert conn.execute("select from glaze.job_edge").fetchall() == []


# -- who is out of reach -------------------------------------------------------------------------


async def test_rows_of_a_batch_are_left_to_their_batch(db: Database) -> None:
    batches = BatchStore(db)
    batch_id = await batches.create(WS, NewBatch("try", {}))
    await batches.add_rows(WS, batch_id, [{"n": n} for n in range(3)])
    await batches.start(WS, batch_id)
    await batches.feed()
    [plain] = await JobStore(db).enqueue(WS, [NewJob("try", {})])
    shown = await control(db).page(WS, Filter(kinds=("try",)))
    assert [job.id for job in shown.jobs] == [plain]
    assert set((await whole(control(db).cancel(WS, Filter(kinds=("try",))))).done) == {plain}
    assert len(await claim(db)) == 3


async def test_another_workspaces_jobs_are_out_of_reach(db: Database, dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        row = conn.execute(
            "insert into glaze.workspace (name) values ('o') returning id"
        ).fetchone()
    assert row is not None
    other = WorkspaceId(row[0])
    theirs = await JobStore(db).enqueue(other, [NewJob("try", {}), NewJob("try", {})])
    await JobStore(db).cancel(other, theirs[:1])
    fill(dsn, 1, other)
    store = control(db)
    before = await store.page(other, Filter())
    for act in (
        store.retry,
        store.cancel,
        store.purge,
        store.replay,
        partial(store.change, change=Change(priority=1)),
    ):
        step = await whole(act(WS, Filter(ids=tuple(theirs))))
        assert (step.done, step.refused, step.missing) == ({}, {}, tuple(theirs))
        assert await steps(act(WS, Filter())) == []
    assert await store.page(other, Filter()) == before
    assert await store.count(WS, Filter()) == 0
    assert (await whole(store.purge(other, Filter(ids=(theirs[0],))))).done
