"""Looking for the dead reads an index of them, whatever else the table holds."""

import json
from typing import Any, cast

import psycopg

from glaze.model.bulk import Filter
from glaze.model.job import JobState
from glaze.store.control import criteria, paged
from glaze.store.statements import statements

_FILL = """
insert into glaze.job (workspace_id, kind, state, rank, due_at, finished_at, error)
select 1, 'try', %(state)s::glaze.job_state, now(), now(), now() - interval '1 day', 'timeout: slow'
from generate_series(1, %(n)s)
"""
_ANY = (
    "ids",
    "kinds",
    "kinds_not",
    "queues",
    "tags_any",
    "tags_all",
    "error_code",
    "slower_s",
    "text",
)
_TIMES = ("created_after", "created_before", "finished_after", "finished_before")


def indexes(conn: psycopg.Connection[Any], sql: str, params: dict[str, object]) -> set[str]:
    """Return how the plan reads jobs: by which indexes, or ``Seq Scan``."""
    [plan] = cast(
        "tuple[Any]", conn.execute(f"explain (format json) {sql}".encode(), params).fetchone()
    )
    return set(_reads(plan[0]["Plan"]))


def _reads(node: dict[str, Any]) -> list[str]:
    inner = [read for child in node.get("Plans", ()) for read in _reads(child)]
    if "Index Name" in node:
        return [*inner, node["Index Name"]]
    return (
        [*inner, "Seq Scan"]
        if node.get("Relation Name") == "job" and "Seq" in node["Node Type"]
        else inner
    )


def test_the_dead_are_found_by_their_own_indexes(dsn: str) -> None:
    with psycopg.connect(dsn) as conn:
        conn.execute(_FILL, {"state": "completed", "n": 200_000})
        conn.execute(_FILL, {"state": "dead", "n": 2_000})
        conn.execute("analyze glaze.job")
        conn.execute("set search_path = glaze")
        sql = statements("control")
        where = dict.fromkeys((*_ANY, *_TIMES)) | {"states": "{dead}", "n": 1000}
        pick = sql["pick"].replace("{matching}", sql["matching"])
        with conn.transaction():
            conn.execute("set local role glaze_app")
            conn.execute("set local glaze.workspace = '1'")
            span = where | {"after": 0, "upto": 100_000_000}
            assert indexes(conn, pick, span) == {"job_dead"}
        with conn.transaction():
            conn.execute("set local role glaze_queue")
            limits = json.dumps([{"kind": "try", "alert_after": 3}])
            assert indexes(conn, statements("alert")["raise"], {"limits": limits}) & {
                "Seq Scan",
                "job_died",
            } == {"job_died"}


_MIXED = """
insert into glaze.job (workspace_id, kind, state, rank, due_at, created_at, started_at, finished_at, error, tags)
select 1, case when n % 5000 = 0 then 'rare' else 'try' end,
  (case when n % 900 = 0 then 'failed' when n % 700 = 1 then 'pending' else 'completed' end)::glaze.job_state,
  now(), now(), now(), now(), case when n % 700 = 1 and n % 900 <> 0 then null else now() + make_interval(secs => n % 3 + case when n % 4000 = 0 then 70 else 0 end) end,
  'x: y', case when n % 3000 = 0 then array['all', 'rare'] when n % 2 = 0 then array['all'] end
from generate_series(1, 60000) n
"""


def test_lists_of_jobs_read_only_indexes_in_whose_order_they_stop(dsn: str) -> None:
    failed = frozenset({JobState.FAILED, JobState.DEAD})
    read_by = {
        "job_pkey": Filter(),
        "job_pending": Filter(states=frozenset({JobState.PENDING})),
        "job_failed job_dead": Filter(states=failed),
        "job_of_kind job_worker": Filter(kinds=("rare",)),
        "job_slow_60 ": Filter(slower_s=65),
        "job_tag_pkey job_pkey": Filter(tags_all=("rare",)),
    }
    with psycopg.connect(dsn) as conn:
        conn.execute(_MIXED.encode())
        conn.execute("analyze glaze.job")
        conn.execute("analyze glaze.job_tag")
        conn.execute("set search_path = glaze")
        conn.execute("set local role glaze_app")
        conn.execute("set local glaze.workspace = '1'")
        for wanted, which in read_by.items():
            sql, more = paged(which)
            params = {**criteria(which), **more, "before": 2**63 - 1, "n": 100}
            assert indexes(conn, sql, params) == set(wanted.split()), wanted
