"""What is old and over goes, nothing else does, and nobody waits for it."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection, Connection
from psycopg.rows import dict_row

from glaze.jobs.options import WorkerOptions
from glaze.jobs.prune import prune
from glaze.jobs.worker import Worker
from glaze.model.job import After, NewJob
from glaze.model.outcome import Done
from glaze.model.value import DEFAULT_WORKSPACE, JobId, WorkerId
from glaze.store.attempt import Ended
from glaze.store.database import Database, role_dsn
from glaze.store.job import JobStore
from glaze.store.retention import PAGE, Keep, RetentionStore
from glaze.store.statements import statements
from glaze.store.worker import WorkerStore

WS = DEFAULT_WORKSPACE
HANG_S = 60.0
KEEP = Keep()
MONTHS = "interval '40 days'"
_JOBS = f"""
with made as (
  insert into job (workspace_id, kind, state, priority, rank, due_at, created_at, finished_at, result_id)
  select %(ws)s, 'try', %(state)s::job_state, 3, now(), now(), now() - {MONTHS} - n * interval '1 s',
    case when %(state)s in ('completed', 'dead') then now() - {MONTHS} end,
    case when %(state)s = 'completed' then nextval('result_id_seq') end
  from generate_series(1, %(n)s) n returning id, result_id
), args as (
  insert into job_args (workspace_id, job_id, args) select %(ws)s, id, '{{}}' from made
)
insert into result (workspace_id, id, body) select %(ws)s, result_id, '1' from made where result_id is not null
"""
_EVENTS = f"""
insert into event (workspace_id, type, at) select %(ws)s, 'old', now() - {MONTHS} from generate_series(1, %(n)s)
"""


@pytest.fixture
def owner(dsn: str) -> Iterator[Connection[Any]]:
    with psycopg.connect(dsn, autocommit=True, row_factory=dict_row) as conn:
        conn.execute("set search_path = glaze")
        yield conn


def add(owner: Connection[Any], text: str, n: int = 1, ws: int = WS, **more: object) -> None:
    owner.execute(text.encode(), {"n": n, "ws": ws, **more})


def count(owner: Connection[Any], table: str, where: str = "true") -> int:
    row = owner.execute(f"select count(*) as n from {table} where {where}".encode()).fetchone()
    assert row is not None
    return int(row["n"])


async def pruned(db: Database) -> Counter[str]:
    async with asyncio.timeout(HANG_S):
        return await prune(RetentionStore(db), KEEP, 0.0)


async def test_old_jobs_events_keys_and_workers_go_and_all_else_stays(
    db: Database, owner: Connection[Any]
) -> None:
    n = PAGE + 20  # more than a page
    add(owner, _JOBS, n, state="completed")
    add(owner, _JOBS, 5, state="dead")
    add(owner, _JOBS, 7, state="scheduled")
    add(owner, _EVENTS, 2 * n)
    [young] = await JobStore(db).enqueue(WS, [NewJob("try", {}, idempotency_key="new")])
    owner.execute(
        f"insert into idempotency_key select {WS}, 'k' || n, '', 1, now() - {MONTHS}"
        f" from generate_series(1, {n}) n".encode()
    )
    living = await WorkerStore(db).register("w", "1", ["q"], lease_s=60)
    owner.execute(
        "insert into worker (name, version, queues, lease_until, stopped_at)"
        f" select 'w', '1', '{{}}', now(), now() - {MONTHS} from generate_series(1, {n})".encode()
    )
    assert await pruned(db) == {"jobs": n + 5, "events": 2 * n, "keys": n, "workers": n}
    assert count(owner, "job") == count(owner, "job_args") == 8
    assert count(owner, "job", f"id = {young}") == 1
    assert count(owner, "result") == 0
    assert [row["type"] for row in owner.execute("select type from event")] == ["enqueued"]
    assert [row["key"] for row in owner.execute("select key from idempotency_key")] == ["new"]
    assert [row["id"] for row in owner.execute("select id from worker")] == [living]
    assert await pruned(db) == {}


async def test_what_was_asked_and_paid_is_never_pruned(
    db: Database, owner: Connection[Any]
) -> None:
    add(owner, _JOBS, 1, state="completed")
    owner.execute("set session_replication_role = replica")  # the rest of the ledger is not needed
    inserts = """
        insert into question (workspace_id, credential, provider, operation, key)
          values (1, 'env', 'apollo', 'match', 'k');
        insert into vendor_request (workspace_id, provider, operation, credential, calls, deadline, sent_at)
          values (1, 'apollo', 'match', 'env', 1, now(), now() - interval '40 days');
        insert into call (workspace_id, question_id, generation, request_id, job_id, position, reason, wanted,
          deadline, reserved_micros) values (1, 1, 1, 1, 1, 1, 'r', '{}', now(), 5);
        insert into budget (workspace_id, scope, scope_key, cap_micros) values (1, 'job', '1', 9);
        insert into entity (workspace_id, kind) values (1, 'company')"""
    for insert in inserts.split(";"):
        owner.execute(insert.encode())
    facts = ("question", "vendor_request", "call", "budget", "entity")
    before = {table: count(owner, table) for table in facts}
    assert await pruned(db) == {"jobs": 1}
    assert {table: count(owner, table) for table in facts} == before == dict.fromkeys(facts, 1)


async def test_a_batch_goes_with_its_rows_and_results_and_one_that_runs_stays(
    db: Database, owner: Connection[Any]
) -> None:
    n = 2 * PAGE + 3
    for state, end in (
        ("finished", f"now() - {MONTHS}"),
        ("finished", "now()"),
        ("running", "null"),
    ):
        owner.execute(
            "with b as (insert into batch (workspace_id, kind, state, total, created_at, finished_at)"
            f" values (1, 'try', '{state}', {n}, now() - {MONTHS}, {end}) returning id),"
            f" r as (insert into result (workspace_id, body) select 1, '1' from generate_series(1, {n})"
            "  returning id)"
            " insert into batch_row (workspace_id, batch_id, row_no, input, result_id)"
            " select 1, b.id, row_number() over (), '{}', r.id from b, r".encode()
        )
    assert await pruned(db) == {"batch_rows": n, "batches": 1}
    assert count(owner, "batch") == 2
    assert count(owner, "batch_row") == count(owner, "result") == 2 * n
    orphans = "not exists (select from batch_row r where r.result_id = result.id)"
    assert count(owner, "result", orphans) == 0


async def test_a_parent_stays_until_those_who_wait_for_it_have_ended(
    db: Database, owner: Connection[Any]
) -> None:
    store = JobStore(db)
    [parent] = await store.enqueue(WS, [NewJob("try", {})])
    [child] = await store.enqueue(WS, [NewJob("try", {}, after=(After(parent),))])
    back = f"update job set finished_at = now() - {MONTHS}, created_at = now() - {MONTHS},"
    owner.execute(f"{back} state = 'completed' where id = {parent}".encode())
    assert await pruned(db) == {}
    owner.execute(f"{back} state = 'completed', open_parents = null where id = {child}".encode())
    assert await pruned(db) == {"jobs": 2}
    assert count(owner, "job_edge") == 0


async def test_every_workspace_is_pruned(db: Database, owner: Connection[Any]) -> None:
    owner.execute("insert into workspace (name) values ('second')")
    for ws in (1, 2):
        add(owner, _JOBS, 3, ws=ws, state="completed")
        add(owner, _EVENTS, 3, ws=ws)
    assert await pruned(db) == {"jobs": 6, "events": 6}


async def test_what_somebody_holds_is_passed_over_and_goes_the_next_time(
    db: Database, dsn: str, owner: Connection[Any]
) -> None:
    add(owner, _JOBS, 10, state="completed")
    add(owner, _EVENTS, 10)
    with psycopg.connect(dsn) as other:
        other.execute("select from glaze.job where id = 4 for share")
        other.execute("select from glaze.event where id = 4 for share")
        assert await pruned(db) == {"jobs": 9, "events": 9}
    assert await pruned(db) == {"jobs": 1, "events": 1}


async def test_nobody_waits_for_a_page_that_is_not_committed_yet(
    dsn: str, owner: Connection[Any]
) -> None:
    """The prune stands still with all its locks while jobs come, are claimed, end and are cancelled."""
    add(owner, _JOBS, 10, state="completed")
    add(owner, _EVENTS, 10)
    sql = statements("retention")
    with psycopg.connect(role_dsn(dsn, "glaze_app"), row_factory=dict_row) as held:
        held.execute("select set_config('glaze.workspace', '1', true)")
        for name, after in (("events", "0-0"), ("jobs", "0")):
            row = held.execute(sql[name], {"age_s": 1.0, "n": PAGE, "after": after}).fetchone()
            assert row is not None
            assert row["gone"] == 10
        impatient = dsn + " options='-c lock_timeout=300ms'"
        async with asyncio.timeout(HANG_S), Database.open(impatient) as others:
            await live(others)
        held.rollback()


async def live(db: Database) -> None:
    """Take a job through its life on connections that wait for no lock."""
    store, workers = JobStore(db), WorkerStore(db)
    worker = await workers.register("w", "1", ["default"], lease_s=60)
    ids = await store.enqueue(WS, [NewJob("try", {}) for _ in range(3)])
    claimed, _ = await store.claim("default", 2, worker)
    assert len(claimed) == 2
    finished = await store.finish(WS, [Ended.of(job, Done(1)) for job in claimed])
    assert finished.accepted == {job.id for job in claimed}
    assert await store.cancel(WS, [ids[2]])
    assert await workers.heartbeat(worker, lease_s=60)


async def test_claims_go_on_beside_a_big_prune_and_none_waits_for_a_lock(
    db: Database, dsn: str, owner: Connection[Any]
) -> None:
    add(owner, _JOBS, 6_000, state="completed")
    add(owner, _JOBS, 3_000, state="pending")
    add(owner, _EVENTS, 20_000)
    worker = await WorkerStore(db).register("w", "1", ["default"], lease_s=600)
    waits: Counter[str] = Counter()
    async with asyncio.timeout(HANG_S), asyncio.TaskGroup() as group:
        pruning = group.create_task(pruned(db))
        watching = group.create_task(watch_waits(dsn, waits))
        claimed = await claim_while(dsn, worker, pruning)
        watching.cancel()
    assert pruning.result() == {"jobs": 6_000, "events": 20_000}
    assert len(claimed) > 100
    assert len(set(claimed)) == len(claimed)
    assert waits == {}


async def claim_while(dsn: str, worker: WorkerId, pruning: "asyncio.Task[Any]") -> list[JobId]:
    """Claim one job after the other until all is pruned, and fail where a lock must be waited for."""
    claimed: list[JobId] = []
    params = {"queue": "default", "worker": worker, "n": 5, "from_rank": None, "kinds": None}
    async with await AsyncConnection.connect(
        role_dsn(dsn, "glaze_queue"),
        autocommit=True,
        row_factory=dict_row,
        application_name="claims",
    ) as conn:
        await conn.execute("set lock_timeout = '100ms'")
        while not pruning.done():
            rows = await (await conn.execute(statements("job")["claim"], params)).fetchall()
            claimed += [row["id"] for row in rows]
            await asyncio.sleep(0.001)
    return claimed


async def watch_waits(dsn: str, waits: Counter[str]) -> None:
    """Note every lock that somebody is seen waiting for because another holds it."""
    look = (
        "select locktype from pg_locks l join pg_stat_activity a using (pid)"
        " where not granted and locktype <> 'extend' and a.application_name in ('claims', 'glaze')"
    )
    async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
        while True:
            waits.update(row[0] for row in await (await conn.execute(look)).fetchall())
            await asyncio.sleep(0.002)


@pytest.mark.parametrize(
    ("name", "after", "index"),
    [
        ("events", "0-0", "event_feed"),
        ("jobs", "0", "job_pkey"),
        ("keys", "", "idempotency_key_pkey"),
    ],
)
def test_a_page_is_found_by_an_index_in_order(
    owner: Connection[Any], name: str, after: str, index: str
) -> None:
    add(owner, _JOBS, 3_000, state="completed")
    add(owner, _EVENTS, 3_000)
    owner.execute("set role glaze_app")
    owner.execute("select set_config('glaze.workspace', '1', false)")
    owner.execute(statements("retention")["in_index_order"].replace(" local", "").encode())
    text = "explain (format json) " + statements("retention")[name]
    row = owner.execute(text.encode(), {"age_s": 1.0, "n": PAGE, "after": after}).fetchone()
    assert row is not None
    [page] = [n for n in nodes(row["QUERY PLAN"][0]["Plan"]) if n.get("Subplan Name") == "CTE page"]
    assert page["Node Type"] == "Limit"
    inside = [(n["Node Type"], n.get("Index Name")) for n in nodes(page)]
    assert index in {found for _, found in inside}
    assert not {"Sort", "Seq Scan"} & {kind for kind, _ in inside}


def nodes(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield tree
    for child in tree.get("Plans", ()):
        yield from nodes(child)


async def test_a_worker_prunes_on_its_timer(db: Database, owner: Connection[Any]) -> None:
    add(owner, _EVENTS, 3)
    options = WorkerOptions(prune_s=0.05, keep=KEEP)
    worker = Worker(db, {}, options, rng=random.Random(1))

    async def over() -> bool:
        return count(owner, "event", "type = 'old'") == 0

    async with asyncio.timeout(HANG_S):
        await worker.drain(over, asyncio.Event())
