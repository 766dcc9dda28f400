"""The claim reads an index in order, whatever else the table holds."""

import json
from collections.abc import Iterator
from typing import Any, cast

import psycopg
import pytest
from psycopg.rows import dict_row
from tests.storm_only import storm_only

from glaze.store.statements import statements

_FILL = """
insert into glaze.job (workspace_id, kind, state, priority, rank, due_at)
select 1, 'try', %(state)s::glaze.job_state, 3, now() + n * interval '1 ms', now() + n * interval '1 ms'
from generate_series(1, %(n)s) n
"""


@pytest.fixture
def full(dsn: str, request: pytest.FixtureRequest) -> Iterator[psycopg.Connection[Any]]:
    """100,000 scheduled and 2,000 pending jobs, never analysed, and an old snapshot held open."""
    scheduled = getattr(request, "param", 100_000)
    with psycopg.connect(dsn) as elsewhere, psycopg.connect(dsn, row_factory=dict_row) as conn:
        elsewhere.execute("set transaction isolation level repeatable read")
        elsewhere.execute("select count(*) from glaze.job")
        conn.execute(_FILL, {"state": "scheduled", "n": scheduled})
        conn.execute(_FILL, {"state": "pending", "n": 2_000})
        conn.execute(
            "insert into glaze.worker (name, version, queues, lease_until)"
            " values ('w', '0', '{default}', now() + interval '1 h')"
        )
        conn.commit()
        conn.execute("set role glaze_queue")
        conn.execute("set search_path = glaze")
        yield conn


def plan(conn: psycopg.Connection[Any], name: str, params: dict[str, object]) -> dict[str, Any]:
    query = cast("str", "explain (format json) " + statements("job")[name])
    row = conn.execute(query.encode(), params).fetchone()
    return cast("dict[str, Any]", row["QUERY PLAN"][0]["Plan"])


def nodes(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield tree
    for child in tree.get("Plans", ()):
        yield from nodes(child)


def reads_of_job(tree: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [
        (node["Node Type"], node.get("Index Name"))
        for node in nodes(tree)
        if node.get("Relation Name") == "job" and "Scan" in node["Node Type"]
    ]


@pytest.mark.parametrize("kinds", [None, ["try", "other"]])
def test_the_claim_walks_its_index_in_order_and_sorts_only_what_it_took(
    full: psycopg.Connection[Any], kinds: list[str] | None
) -> None:
    params = {"queue": "default", "worker": 1, "n": 100, "from_rank": None, "kinds": kinds}
    tree = plan(full, "claim", params)
    assert sorted(reads_of_job(tree)) == [("Index Scan", "job_claim"), ("Tid Scan", None)]
    [limit] = [node for node in nodes(tree) if node["Node Type"] == "Limit"]
    assert "Sort" not in {node["Node Type"] for node in nodes(limit)}
    taken = full.execute(statements("job")["claim"], params).fetchall()
    assert len(taken) == 100
    assert [row["rank"] for row in taken] == sorted(row["rank"] for row in taken)


def test_a_claim_of_any_kind_does_not_look_at_kinds(full: psycopg.Connection[Any]) -> None:
    params = {"queue": "default", "worker": 1, "n": 100, "from_rank": None, "kinds": None}
    filters = [node.get("Filter", "") for node in nodes(plan(full, "claim", params))]
    assert not any("kind" in condition for condition in filters)


def test_the_promotion_walks_its_index_in_order(full: psycopg.Connection[Any]) -> None:
    full.execute(statements("job")["in_index_order"])
    tree = plan(full, "promote", {"n": 1000})
    assert sorted(reads_of_job(tree)) == [("Index Scan", "job_due"), ("Tid Scan", None)]


def test_a_claim_for_suspects_does_not_read_the_queue(full: psycopg.Connection[Any]) -> None:
    tree = plan(full, "claim_suspect", {"queues": ["default"], "worker": 1, "kinds": None})
    assert {index for _, index in reads_of_job(tree)} == {"job_suspect", None}


@pytest.mark.parametrize("full", [500_000], indirect=True)
@storm_only
def test_a_group_is_finished_by_key_however_many_jobs_there_are(
    full: psycopg.Connection[Any],
) -> None:
    full.execute(statements("job")["by_hash"])
    full.execute("select set_config('glaze.workspace', '1', true)")
    full.execute("reset role")
    full.execute("set role glaze_app")
    ended = [{"id": n, "worker_id": 1, "claim_no": 1, "state": "completed"} for n in range(500)]
    ids = [row["id"] for row in ended]
    for name in ("finish", "finish_rows"):
        tree = plan(full, name, {"ended": json.dumps(ended), "ids": ids})
        conditions = [n["Index Cond"] for n in nodes(tree) if n.get("Index Name") == "job_pkey"]
        assert conditions
        assert all("(id = ANY" in condition for condition in conditions)
        assert "Seq Scan" not in {kind for kind, _ in reads_of_job(tree)}
        assert joins_with_job(tree) == {"Hash Join"}


def joins_with_job(tree: dict[str, Any]) -> set[str]:
    return {
        node["Node Type"]
        for node in nodes(tree)
        if node.get("Join Type") and any(reads_of_job(child) for child in node["Plans"])
    }
