"""Queues as an operator sees them, and alerts about what dies in them."""

from datetime import UTC, datetime

import psycopg
import pytest

from glaze.model.bulk import NOT_BEGUN, Filter
from glaze.model.job import JobState, NewJob
from glaze.model.value import DEFAULT_WORKSPACE as WS
from glaze.model.value import WorkspaceId
from glaze.store.alert import AlertStore
from glaze.store.control import ControlStore
from glaze.store.database import Database
from glaze.store.event import START, EventStore
from glaze.store.job import JobStore
from glaze.store.queues import QueueStore
from glaze.store.worker import WorkerStore

FAR_OFF = datetime(2100, 1, 1, tzinfo=UTC)
LIMITS = {"try": 3}
_DIE = """
insert into glaze.job (workspace_id, kind, state, rank, due_at, finished_at, error)
select %(ws)s, %(kind)s, 'dead', now(), now(), now() - %(ago)s::interval, %(error)s from generate_series(1, %(n)s)
"""


def die(dsn: str, n: int, kind: str = "try", ago: str = "1 minute", **options: object) -> None:
    """Let jobs be dead since ``ago``."""
    given = {"ws": WS, "n": n, "kind": kind, "ago": ago, "error": "timeout: slow"} | options
    with psycopg.connect(dsn) as conn:
        conn.execute(_DIE, given)


async def told(db: Database) -> list[object]:
    events, _ = await EventStore(db).feed(WS, START)
    return [event.data for event in events if event.type == "alert"]


async def test_every_queue_is_listed_with_its_depth_by_state_and_the_age_of_its_oldest(
    db: Database, dsn: str
) -> None:
    store = JobStore(db)
    await store.enqueue(WS, [NewJob("try", {}, queue="slow")] * 3)
    held, child = await store.enqueue(WS, [NewJob("try", {}, queue="slow")] * 2)
    await store.enqueue(WS, [NewJob("try", {}, queue="later", due_at=FAR_OFF)])
    ended = await store.enqueue(WS, [NewJob("try", {}, queue="ended")])
    await store.cancel(WS, ended)
    await QueueStore(db).pause("empty")
    worker_id = await WorkerStore(db).register("test", "0", ["slow"], lease_s=60)
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "update glaze.job set rank = rank - interval '1 hour', due_at = due_at - interval '1 hour'"
            " where id = %s",
            (held,),
        )
        conn.execute(
            "update glaze.job set state = 'waiting', open_parents = 1 where id = %s", (child,)
        )
        conn.execute(
            "insert into glaze.job_edge (workspace_id, child_id, parent_id) values (1, %s, %s)",
            (child, held),
        )
    assert [job.id for job in (await store.claim("slow", 1, worker_id))[0]] == [held]
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "update glaze.job set due_at = due_at - interval '90 s', deaths = 2"
            " where id = (select min(id) from glaze.job where state = 'pending')"
        )
    empty, later, slow = await QueueStore(db).list()
    assert (slow.name, slow.waiting, slow.scheduled, slow.pending, slow.processing) == (
        *("slow", 1, 0, 3, 1),
    )
    assert slow.oldest_s == pytest.approx(90, abs=60)
    assert slow.oldest_s >= 90
    assert slow.paused_at is None
    assert (later.name, later.scheduled, later.pending, later.oldest_s) == ("later", 1, 0, None)
    assert (empty.name, empty.pending) == ("empty", 0)
    assert empty.paused_at is not None


async def test_a_paused_queue_hands_out_nothing_and_says_since_when(db: Database) -> None:
    store, queues = JobStore(db), QueueStore(db)
    await store.enqueue(WS, [NewJob("try", {})])
    me = await WorkerStore(db).register("test", "0", ["default"], lease_s=60)
    await queues.pause("default")
    [first] = await queues.list()
    await queues.pause("default")
    [again] = await queues.list()
    assert again.paused_at == first.paused_at is not None
    assert (await store.claim("default", 1, me))[0] == []
    await queues.resume("default")
    assert (await queues.list())[0].paused_at is None
    assert len((await store.claim("default", 1, me))[0]) == 1


async def test_clearing_a_queue_cancels_what_waits_in_it_and_nothing_else(db: Database) -> None:
    store = JobStore(db)
    await store.enqueue(WS, [NewJob("try", {}, queue="q")])
    me = await WorkerStore(db).register("test", "0", ["q"], lease_s=60)
    [running] = (await store.claim("q", 1, me))[0]
    doomed = await store.enqueue(WS, [NewJob("try", {}, queue="q"), NewJob("try", {}, queue="q", due_at=FAR_OFF)])  # fmt: skip
    [elsewhere] = await store.enqueue(WS, [NewJob("try", {})])
    waiting = Filter(queues=("q",), states=NOT_BEGUN)
    done = {
        job_id async for step in ControlStore(db, store).cancel(WS, waiting) for job_id in step.done
    }
    assert done == set(doomed)
    states = {job.id: job.state for job in await store.page(WS)}
    assert states[running.id] == JobState.PROCESSING
    assert states[elsewhere] == JobState.PENDING


# -- alerts --------------------------------------------------------------------------------------


async def test_as_many_dead_jobs_as_the_limit_raise_one_alert_an_hour(
    db: Database, dsn: str
) -> None:
    alerts = AlertStore(db)
    die(dsn, 2)
    assert await alerts.alert(LIMITS) == []
    die(dsn, 1, error="poison: 3 workers died while they ran it")
    [alert] = await alerts.alert(LIMITS)
    assert alert == (WS, "try", 3, 3, "timeout")
    die(dsn, 10)
    assert await alerts.alert(LIMITS) == []
    assert await told(db) == [{"kind": "try", "dead": 3, "alert_after": 3, "code": "timeout"}]
    with psycopg.connect(dsn) as conn:
        conn.execute("update glaze.dead_alert set raised_at = raised_at - interval '1 hour'")
    assert [alert.dead for alert in await alerts.alert(LIMITS)] == [13]
    assert len(await told(db)) == 2


async def test_what_died_long_ago_or_was_retried_raises_no_alert(db: Database, dsn: str) -> None:
    die(dsn, 5, ago="61 minutes")
    die(dsn, 5, kind="unlimited")
    die(dsn, 3)
    control = ControlStore(db, JobStore(db))
    async for _ in control.retry(WS, Filter(kinds=("try",), error_code="timeout")):
        pass
    assert await AlertStore(db).alert(LIMITS) == []


async def test_each_workspace_is_alerted_of_its_own_dead(db: Database, dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        row = conn.execute("insert into glaze.workspace (name) values ('o') returning id").fetchone()  # fmt: skip
    assert row is not None
    die(dsn, 2)
    die(dsn, 4, ws=row[0])
    assert [alert.workspace_id for alert in await AlertStore(db).alert(LIMITS)] == [row[0]]
    assert await told(db) == []
    events, _ = await EventStore(db).feed(WorkspaceId(row[0]), START)
    assert [event.type for event in events] == ["alert"]
