"""The guide to the schema: its tables are those of a migrated database, its queries give what they say."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.docs import schema
from tests.docs.reading import ROOT, code_blocks
from tests.docs.tables import part

TEXT = (ROOT / schema.PATH).read_text("utf-8")
QUERIES = {block.splitlines()[0].removeprefix("-- "): block for block in code_blocks(TEXT, "sql")}
WORLD = """
insert into workspace (id, name) overriding system value values (2, 'other');
insert into worker (name, version, queues, lease_until)
  values ('host:1', '1', '{default}', clock_timestamp() + interval '1 h'),
         ('host:2', '1', '{default}', clock_timestamp() - interval '1 h');
insert into queue (name, paused_at) values ('slow', clock_timestamp());
insert into job (workspace_id, id, kind, queue, state, rank, due_at, started_at, finished_at, worker_id, error)
select w, j.id + 100 * (w - 1), j.kind, j.queue, j.state::job_state, now(), now() - j.due * interval '1 min',
  now() - j.began * interval '1 min', now() - j.ended * interval '1 min', j.worker, j.error
from (values
  (1, 'enrich', 'default', 'completed', 30, 20, 10, null::int, null),
  (2, 'enrich', 'default', 'partial', 30, 6, 5, null, null),
  (3, 'enrich', 'default', 'failed', 30, 3, 2, null, 'bad_input: no such field'),
  (4, 'email_validation', 'default', 'dead', 3000, 2900, 2880, null, 'timeout: 600 s'),
  (5, 'enrich', 'default', 'processing', 9, 8, null, 2, null),
  (6, 'enrich', 'slow', 'pending', 20, null, null, null, null),
  (7, 'enrich', 'default', 'pending', 5, null, null, null, null)
) j (id, kind, queue, state, due, began, ended, worker, error), unnest('{1,2}'::int[]) w;
insert into event (workspace_id, type, job_id, data) values
  (1, 'retried', 3, '{"code": "bad_input", "stack": "older"}'), (1, 'failed', 3, '{"stack": "Traceback"}'),
  (1, 'noted', 3, '{}'), (1, 'failed', 4, '{"stack": "another"}');
insert into vendor_request (workspace_id, id, provider, operation, credential, calls, sent_at, deadline, answered_at)
  select w, p + 100 * (w - 1), 'x', 'x', 'x', 1, now() - interval '4 s', now(), now() - interval '2 s' from unnest('{1,2}'::int[]) w, generate_series(1, 3) p;
insert into question (workspace_id, id, credential, provider, operation, key)
  select w, q.id + 100 * (w - 1), 'k', q.provider, 'o', '\\x01'
  from (values (1, 'apollo'), (2, 'llm'), (3, 'hunter')) q (id, provider), unnest('{1,2}'::int[]) w;
insert into call (workspace_id, question_id, generation, state, request_id, job_id, position, reason, wanted,
                  reserved_micros, price_micros, verdict, deadline, settled_at)
select w, c.question + 100 * (w - 1), 1, c.state::call_state, c.question + 100 * (w - 1), c.job + 100 * (w - 1), 1, 'why', '{}', 60000, c.price, c.verdict, now(), c.at
from (values (1, 'settled', 1, 50000, 'match', now()), (2, 'settled', 1, 10000, 'no_match', now()),
             (3, 'unknown', 3, null::bigint, null, null)) c (question, state, job, price, verdict, at), unnest('{1,2}'::int[]) w;
insert into budget (workspace_id, scope, scope_key, cap_micros, reserved_micros, spent_micros) values
  (1, 'batch', '7', 5000000, 60000, 1000000), (2, 'batch', '8', 1, 0, 0);
insert into search (workspace_id, id, state, criteria, fields, most, contacts, paid_cents, paid_by, paid_at, created_by) values
  (1, 9, 'ready', '{}', '{person_email}', 5, '[{}, {}]', 50, 'credit', now(), 'key 1'),
  (1, 10, 'preview', '{}', '{person_email}', 5, '[{}]', null, null, null, 'key 1');
"""
"""Two workspaces with the same jobs and calls: job 3 failed, 4 died two days ago, 5 is with a worker that is gone."""

Picked = tuple[object, ...]
FINDS: dict[str, tuple[tuple[str, ...], list[Picked]]] = {
    "jobs by state": (
        ("state", "count"),
        [
            ("pending", 2),
            ("processing", 1),
            ("completed", 1),
            ("partial", 1),
            ("failed", 1),
            ("dead", 1),
        ],
    ),
    "queue depth": (("queue", "waiting"), [("default", 1), ("slow", 1)]),
    "what runs": (("id", "name", "lost"), [(5, "host:2", True)]),
    "stuck jobs": (("id", "paused", "served"), [(6, True, False)]),
    "failed jobs of the last 24 hours": (("id", "error"), [(3, "bad_input: no such field")]),
    "errors by kind and code": (
        ("kind", "code", "count"),
        [("email_validation", "timeout", 1), ("enrich", "bad_input", 1)],
    ),
    "slow jobs": (("id", "seconds"), [(1, 600)]),
    "log of a job": (("type",), [("noted",), ("failed",), ("retried",)]),
    "error and stack of a job": (("error", "stack"), [("bad_input: no such field", "Traceback")]),
    "throughput of the last hour": (("kind", "a_minute"), [("enrich", 0.05)]),
    "workers": (("id", "name"), [(1, "host:1")]),
    "spend by day and provider": (
        ("provider", "calls", "dollars"),
        [("apollo", 1, 0.05), ("llm", 1, 0.01)],
    ),
    "cost per job": (("job_id", "calls", "dollars"), [(1, 2, 0.06)]),
    "cost per search": (("id", "contacts", "cents_a_contact"), [(9, 2, 25)]),
    "hit rate by provider": (
        ("provider", "hit_rate", "seconds"),
        [("apollo", 1, 2), ("llm", 0, 2)],
    ),
    "cache hits": (("kind", "jobs", "from_cache"), [("enrich", 2, 0.5)]),
    "share of the language model": (("llm_rate",), [(0.5,)]),
    "unknown calls": (("provider", "job_id", "dollars"), [("hunter", 3, 0.06)]),
    "budgets": (("scope_key", "left_of_it"), [("7", 3.94)]),
}
AS_IT_COMES = {"queue depth", "errors by kind and code", "hit rate by provider"}
"""Queries that leave the order of equals open."""


def test_the_tables_in_the_guide_are_those_of_a_migrated_database(dsn: str) -> None:
    assert part(TEXT, "tables") == schema.schema(dsn), "run: .venv/bin/python -m tests.docs.schema"


def test_what_is_said_of_a_table_is_said_of_one_that_there_is(dsn: str) -> None:
    found = re.findall(r"^### (\w+)$", schema.schema(dsn), re.MULTILINE)
    assert found == sorted(schema.PURPOSES)


def test_every_query_is_tried_by_a_test() -> None:
    assert QUERIES.keys() - {"which workspace", "tables"} == FINDS.keys()


def test_a_session_sees_nothing_until_it_says_which_workspace(session: Any) -> None:
    session.execute("reset glaze.workspace")
    assert session.execute("select count(*) from job").fetchone() == (0,)


def test_the_queries_find_what_they_say_and_nothing_of_another_workspace(session: Any) -> None:
    wrong = {}
    for name, (columns, wanted) in FINDS.items():
        cursor = session.execute(QUERIES[name].replace(":job", "3"))
        titles = [column.name for column in cursor.description]
        rows = [
            tuple(plain(row[titles.index(column)]) for column in columns)
            for row in cursor.fetchall()
        ]
        if (sorted(rows, key=str) if name in AS_IT_COMES else rows) != wanted:
            wrong[name] = rows
    assert wrong == {}


def test_the_query_for_tables_finds_every_table_of_the_guide(session: Any) -> None:
    assert [name for (name,) in session.execute(QUERIES["tables"])] == sorted(schema.PURPOSES)


def plain(cell: object) -> object:
    return round(float(cell), 6) if isinstance(cell, Decimal) else cell


@pytest.fixture
def session(dsn: str) -> Iterator[Any]:
    """Give a session that began as the guide says, on a database where something happened."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("set search_path = glaze")
        conn.execute(WORLD.encode())
        conn.execute("reset search_path")
        conn.execute(QUERIES["which workspace"].encode())
        yield conn
