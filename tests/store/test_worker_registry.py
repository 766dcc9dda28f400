"""The registry tells who works, on what and how hard; a worker that is drained claims no more."""

import asyncio

import psycopg

from glaze.model.job import NewJob
from glaze.model.value import DEFAULT_WORKSPACE, WorkerId
from glaze.store.backlog import BacklogStore
from glaze.store.database import Database
from glaze.store.job import JobStore
from glaze.store.notify import DrainHint, listen
from glaze.store.queues import QueueStore
from glaze.store.worker import WorkerStore

WS = DEFAULT_WORKSPACE


async def registered(db: Database, *queues: str, **options: object) -> WorkerId:
    names = list(queues or ("default",))
    return await WorkerStore(db).register("here:1", "0.1", names, lease_s=30, **options)  # type: ignore[arg-type]


async def test_a_worker_stands_in_the_registry_with_what_it_serves_and_holds(db: Database) -> None:
    options = {"kinds": ["a", "b"], "concurrency": 7, "host": "here", "pid": 42}
    me = await registered(db, "one", "two", **options, memory_bytes=1000)
    ids = await JobStore(db).enqueue(WS, [NewJob("a", {}, queue="one")] * 3)
    await JobStore(db).claim("one", 2, me)
    [view] = await WorkerStore(db).living()
    assert (view.queues, view.kinds, view.concurrency) == (["one", "two"], ["a", "b"], 7)
    assert (view.host, view.pid, view.memory_bytes) == ("here", 42, 1000)
    assert (view.jobs, view.job_ids) == (2, ids[:2])
    assert 20 < view.lease_left_s <= 30
    assert view.drain_at is None


async def test_a_heartbeat_reports_memory_and_totals_and_one_without_keeps_them(
    db: Database,
) -> None:
    me, workers = await registered(db), WorkerStore(db)
    await workers.heartbeat(me, lease_s=30, memory_bytes=5_000_000_000, done=3, failed=1)
    await workers.heartbeat(me, lease_s=30)
    [view] = await workers.living()
    assert (view.memory_bytes, view.done, view.failed) == (5_000_000_000, 3, 1)


async def test_a_clean_end_leaves_the_last_totals_behind(db: Database, dsn: str) -> None:
    me = await registered(db)
    await WorkerStore(db).stop(me, done=9, failed=2)
    with psycopg.connect(dsn) as conn:
        row = conn.execute("select done, failed from glaze.worker where id = %s", (me,)).fetchone()
    assert row == (9, 2)


async def test_a_worker_that_is_drained_claims_nothing_from_that_moment_on(db: Database) -> None:
    me, other = await registered(db), await registered(db)
    jobs = JobStore(db)
    await jobs.enqueue(WS, [NewJob("a", {})] * 2)
    assert await WorkerStore(db).drain([me]) == [me]
    assert (await jobs.claim("default", 10, me))[0] == []
    assert await jobs.claim_suspect(["default"], me) is None
    assert len((await jobs.claim("default", 10, other))[0]) == 2


async def test_a_drained_worker_keeps_its_lease_and_learns_it_at_its_heartbeat(
    db: Database,
) -> None:
    me, workers = await registered(db), WorkerStore(db)
    before = await workers.heartbeat(me, lease_s=30)
    assert before is not None
    assert not before.draining
    await workers.drain([me])
    after = await workers.heartbeat(me, lease_s=30)
    assert after is not None
    assert after.draining


async def test_only_workers_that_live_can_be_drained(db: Database) -> None:
    gone, workers = await registered(db), WorkerStore(db)
    await workers.stop(gone)
    assert await workers.drain([gone, WorkerId(99_999)]) == []


async def test_whoever_listens_hears_of_a_drain_at_once(db: Database, dsn: str) -> None:
    me = await registered(db)
    heard = listen(dsn)
    assert await anext(heard) is None
    await WorkerStore(db).drain([me])
    async with asyncio.timeout(30):
        assert await anext(heard) == DrainHint(me)
    await heard.aclose()


async def test_a_claim_by_kinds_passes_over_the_others_and_keeps_their_order(db: Database) -> None:
    me, jobs = await registered(db), JobStore(db)
    new = [NewJob(kind, {}) for kind in ("a", "b", "c", "a", "b", "c")]
    ids = await jobs.enqueue(WS, new)
    claimed, last = await jobs.claim("default", 10, me, None, ["a", "c"])
    assert [job.id for job in claimed] == [ids[0], ids[2], ids[3], ids[5]]
    assert last is not None
    assert (await jobs.claim("default", 10, me, None, ["d"]))[0] == []
    assert [job.id for job in (await jobs.claim("default", 10, me))[0]] == [ids[1], ids[4]]


async def test_a_suspect_of_another_kind_is_left_alone(db: Database, dsn: str) -> None:
    me, jobs = await registered(db), JobStore(db)
    await jobs.enqueue(WS, [NewJob("a", {})])
    with psycopg.connect(dsn) as conn:
        conn.execute("update glaze.job set deaths = 2")
    assert await jobs.claim_suspect(["default"], me, ["b"]) is None
    assert await jobs.claim_suspect(["default"], me, ["a"]) is not None


async def test_the_backlog_counts_by_queue_state_and_kind_up_to_a_bound(db: Database) -> None:
    me, jobs, backlog = await registered(db), JobStore(db), BacklogStore(db)
    await jobs.enqueue(WS, [NewJob("a", {}, queue="one")] * 5)
    await jobs.enqueue(WS, [NewJob("b", {}, queue="one")] * 3)
    await jobs.enqueue(WS, [NewJob("a", {}, queue="elsewhere")] * 4)
    await jobs.claim("one", 2, me)
    await QueueStore(db).pause("two")
    one, two = await backlog.look(["one", "two"], most=100)
    assert (one.queue, one.pending, one.processing, one.paused) == ("one", 6, 2, False)
    assert (two.queue, two.pending, two.processing, two.paused) == ("two", 0, 0, True)
    [of_b] = await backlog.look(["one"], ["b"], most=100)
    assert (of_b.pending, of_b.processing) == (3, 0)
    [bounded] = await backlog.look(["one"], most=4)
    assert bounded.pending == 4
