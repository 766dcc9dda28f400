"""Whatever is asked for every row finds what it needs by an index, as the workspace's own role, however much was bought."""

import json
from collections.abc import Iterator
from typing import Any, LiteralString, cast

import psycopg
import pytest
from psycopg.rows import dict_row

from glaze.store.statements import statements

MANY = 20_000
_FILL: tuple[LiteralString, ...] = (
    "set session_replication_role = replica",  # foreign keys are not the matter here
    """insert into question (workspace_id, id, credential, provider, operation, flags, key, call_id)
    overriding system value
    select 1, n, 'env', 'apollo', 'match', '', decode(lpad(to_hex(n), 64, '0'), 'hex'), n
    from generate_series(1, %(n)s) n""",
    """insert into call (workspace_id, id, question_id, generation, request_id, position, reserved_micros, deadline, reason, wanted,
      state, price_micros, settled_at, verdict)
    overriding system value
    select 1, n, n, 1, n, 1, 10, now(), '', '{}', 'settled', 10, now(), 'match' from generate_series(1, %(n)s) n""",
    """insert into entity_key (workspace_id, kind, scheme, key, entity_id)
    select 1, 'company', 'domain', 'company-' || n || '.example', n from generate_series(1, 10 * %(n)s) n""",
    "set session_replication_role = origin",
)
QUESTIONS = json.dumps(
    [
        {
            "ord": n,
            "credential": "env",
            "provider": "apollo",
            "operation": "match",
            "flags": "",
            "hex": f"{n + 1:064x}",
            "by_field": False,
            "after": None,
        }
        for n in range(20)
    ]
)
KEYS = json.dumps(
    [{"kind": "company", "scheme": "domain", "key": f"company-{n}.example"} for n in range(20)]
)
LONG_AGO = "2026-01-01T00:00:00Z"


@pytest.fixture
def bought(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A workspace that bought much, as its own role sees it."""
    with psycopg.connect(dsn, row_factory=dict_row) as conn:
        conn.execute("set search_path = glaze")
        for statement in _FILL:
            conn.execute(statement, {"n": MANY} if "%(n)s" in statement else None)
        conn.execute("analyze question, call, entity_key")
        conn.commit()
        conn.execute("set plan_cache_mode = force_custom_plan")
        conn.execute("set role glaze_app")
        conn.execute("select set_config('glaze.workspace', '1', true)")
        yield conn


def reads(conn: psycopg.Connection[Any], file: str, name: str, params: dict[str, object]) -> Any:
    """Return how each table is read, with the index where there is one."""
    query = cast("LiteralString", "explain (format json) " + statements(file)[name])
    row = conn.execute(query, params).fetchone()
    assert row is not None
    todo, found = [row["QUERY PLAN"][0]["Plan"]], []
    while todo:
        node = todo.pop()
        todo += node.get("Plans", ())
        if node["Node Type"].endswith("Scan") and "Relation Name" in node:
            by = node.get("Index Name") or node["Node Type"]
            found.append((node["Relation Name"], by, bool(node.get("Index Cond"))))
    return found


@pytest.mark.parametrize(
    ("file", "name", "params"),
    [
        ("ledger", "look", {"questions": QUESTIONS}),
        ("ledger", "lock_questions", {"questions": QUESTIONS}),
        ("plan", "answered", {"questions": QUESTIONS, "fresh": LONG_AGO, "miss_fresh": LONG_AGO}),
        ("entity", "find", {"keys": KEYS}),
    ],
)
def test_what_is_asked_for_every_row_is_looked_up_by_its_key(bought, file, name, params):
    found = reads(bought, file, name, params)
    assert found
    for table, by, bounded in found:
        assert by not in {"Seq Scan", "Bitmap Heap Scan"}, table
        assert bounded, (table, by)


@pytest.mark.parametrize("name", ["overdue", "give_up"])
def test_the_sweep_reads_what_is_due_and_not_all_that_was_ever_bought(bought, name):
    found = reads(bought, "due", name, {})
    assert ("call", "call_due", True) in found
    assert "Seq Scan" not in {by for _, by, _ in found}


def test_unknown_calls_are_listed_from_their_own_index(bought):
    params = dict.fromkeys(("before", "ids", "provider", "job", "batch", "since", "until"))
    asked = {"states": "{unknown}", "paid": True, "n": 100}
    found = reads(bought, "calls", "page", params | asked)
    assert "call_unknown" in {by for _, by, _ in found}
