"""F10: lists, searches and metrics of jobs with 1,000,000 of them, beside 50,000."""

import os
import statistics
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from time import perf_counter

import psycopg

from bench.figure import Figure
from glaze.boot.process import utc_now
from glaze.model.bulk import Filter
from glaze.model.job import JobState
from glaze.model.value import DEFAULT_WORKSPACE as WS
from glaze.model.value import JobId
from glaze.store.control import ControlStore
from glaze.store.database import Database
from glaze.store.job import JobStore
from glaze.store.metrics import MetricsStore
from glaze.store.overview import OverviewStore

FEW = 50_000
MANY = int(os.environ.get("GLAZE_BENCH_JOBS", "1_000_000"))
TIMES = 20
ROUNDS = 3

FILL = """
with made as materialized (
  insert into glaze.job (workspace_id, kind, queue, state, priority, rank, due_at, created_at, started_at, finished_at,
    tags, error, attempt)
  select 1 + (n %% 5 = 0)::int, case when n %% 20000 = 0 then 'company_data_update' else 'enrich' end, 'default',
    s.state, 3, t.at, t.at, t.at, t.at, case when s.state in ('pending', 'scheduled') then null
      else t.at + make_interval(secs => case when n %% 9000 = 0 then 90 else random() * 5 end) end,
    case when n %% 3 = 0 then array['all', 'q' || n %% 4000] end,
    case when s.state in ('failed', 'dead') then 'timeout: slow' end, 1
  from generate_series(%(from)s::bigint, %(to)s::bigint) n
  cross join lateral (select case when n %% 1000 = 0 then 'failed' when n %% 5000 = 1 then 'dead' when n %% 10 = 1 then 'partial'
    when n %% 700 = 2 then 'pending' else 'completed' end::glaze.job_state as state) s
  cross join lateral (select now() - interval '30 days' * (1 - n / %(to)s::float8) as at) t
  returning workspace_id, id, kind, created_at
)
insert into glaze.job_args (workspace_id, job_id, args)
select workspace_id, id, jsonb_build_object('input', jsonb_build_object('email', 'p' || id || '@firm' || id %% 30000 || '.com',
  'company', (array['Acme', 'Orblomar', 'Tindral', 'Quex'])[1 + id %% 4] || ' ' || (id %% 30000), 'domain', 'firm' || id %% 30000 || '.com'),
  'required_fields', array['company_name', 'person_title']) from made
"""

Look = Callable[[], Awaitable[object]]


def _looks(db: Database, now: datetime) -> Mapping[str, Look]:
    """Return what people look at, by name."""
    control, metrics = ControlStore(db, JobStore(db)), MetricsStore(db)
    states, day = frozenset, now - timedelta(days=1)
    failed = states({JobState.FAILED, JobState.DEAD})
    filters = {
        "list, newest": Filter(),
        "list, failed": Filter(states=failed),
        "list, failed in 24 h": Filter(states=failed, finished_after=day),
        "list, pending": Filter(states=states({JobState.PENDING})),
        "list, rare kind": Filter(kinds=("company_data_update",)),
        "list, rare tag": Filter(tags_all=("q42",)),
        "list, common tag": Filter(tags_all=("all",)),
        "list, slower than 60 s": Filter(slower_s=60),
        "search, rare word": Filter(text="firm29999"),
        "search, two words": Filter(text="orblomar 2917"),
        "search, common word": Filter(text="acme"),
        "search, nothing": Filter(text="nobodysname"),
        "search, word and state": Filter(text="quex", states=failed),
    }
    looks: dict[str, Look] = {}
    for name, which in filters.items():
        looks[name] = partial(control.page, WS, which, 100)
    looks["list, in the middle"] = partial(control.page, WS, Filter(), before=JobId(25_000))
    looks["count, all"] = partial(control.estimate, WS, Filter())
    looks["count, failed"] = partial(control.estimate, WS, Filter(states=failed))
    looks["metrics of 24 h"] = partial(metrics.of_jobs, WS, day, enrich="enrich", inference=["llm"])
    looks["metrics of 30 d"] = partial(
        metrics.of_jobs, WS, now - timedelta(days=30), enrich="enrich", inference=["llm"]
    )
    begin, slot = now - timedelta(days=1), timedelta(minutes=30)
    looks["overview of 24 h"] = partial(OverviewStore(db).look, WS, begin, slot, 48, now)
    return looks


def fill(dsn: str, first: int, last: int) -> None:
    """Make finished and waiting jobs of two workspaces over the last 30 days."""
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute(
            "insert into glaze.workspace (id, name) values (2, 'b') on conflict do nothing"
        )
        for start in range(first, last + 1, 100_000):
            end = min(last, start + 99_999)
            owner.execute(
                FILL.replace("%(to)s::float8", f"{last}::float8").encode(),
                {"from": start, "to": end},
            )
        owner.execute("vacuum analyze")


async def _p95(dsn: str) -> dict[str, list[float]]:
    """Return the milliseconds of each look, 95th percentile, round by round."""
    took: dict[str, list[float]] = {}
    async with Database.open(dsn) as db:
        for _ in range(ROUNDS):
            for name, look in _looks(db, utc_now()).items():
                each = []
                for _ in range(TIMES):
                    begun = perf_counter()
                    await look()
                    each.append((perf_counter() - begun) * 1000)
                took.setdefault(name, []).append(statistics.quantiles(each, n=20)[18])
    return took


async def run(dsn: str) -> list[Figure]:
    """Measure with few, then with many: what was filled in stays."""
    fill(dsn, 1, FEW)
    few = await _p95(dsn)
    fill(dsn, FEW + 1, MANY)
    many = await _p95(dsn)
    return [
        Figure(
            f"F10 p95 with {MANY:,} jobs: {name}",
            "ms",
            ours,
            f"with {FEW:,}",
            few[name],
            "<= 50 ms, ratio <= 2",
        )
        for name, ours in many.items()
    ]
