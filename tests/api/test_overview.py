"""How a workspace stands at a glance (U1): what ended and was spent over time, and what wants somebody."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from glaze.boot.process import utc_now
from glaze.model.access import Scope
from glaze.store.overview import MOST_JOBS
from tests.api.conftest import Client, Service

JOBS = """
insert into glaze.job (workspace_id, kind, queue, state, priority, rank, due_at, created_at, started_at, finished_at, attempt)
select 1, 'enrich', 'default', %(state)s::glaze.job_state, 3, t.at, t.at, t.at, t.at,
  case when %(state)s not in ('pending', 'scheduled') then t.at end, 1
from generate_series(1, %(n)s) n cross join lateral (select %(at)s::timestamptz + n * %(apart)s::interval as at) t
"""
CALLS = """
with request as (
  insert into glaze.vendor_request (workspace_id, provider, operation, credential, calls, deadline)
  values (1, 'apollo', 'org_enrich', 'default', 1, now()) returning id
), question as (
  insert into glaze.question (workspace_id, credential, provider, operation, key, generation)
  select 1, 'default', 'apollo', 'org_enrich', sha256(n::text::bytea), 1 from generate_series(1, 4) n returning id
), numbered as (select id, row_number() over (order by id) as n from question)
insert into glaze.call (workspace_id, question_id, generation, state, request_id, position, reason, wanted, reserved_micros,
  price_micros, deadline, created_at, settled_at)
select 1, q.id, 1, c.state::glaze.call_state, r.id, 1, 'cheapest', '{}', c.reserved, c.price, now(), now() - c.ago::interval,
  case when c.state = 'settled' then now() end
from numbered q join (values (1, 'settled', 0, 40000, '5 minutes'), (2, 'settled', 0, 20000, '2 days'),
  (3, 'unknown', 70000, null, '1 day'), (4, 'sending', 30000, null, '1 s')) c(n, state, reserved, price, ago) on c.n = q.n
cross join request r
"""


async def overview(client: Client, query: str = "") -> Any:
    answer = await client.get(f"/v1/overview{query}")
    assert answer.status == 200, answer.body
    return answer.body


def fill(dsn: str, state: str, at: datetime, n: int = 1, apart_s: float = 0):
    params = {"state": state, "at": at, "n": n, "apart": timedelta(seconds=apart_s)}
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute(JOBS, params)


async def test_what_ended_stands_in_its_slot(service: Service, dsn: str):
    client = await service.client(Scope.READ)
    now = utc_now()
    begin = datetime.fromtimestamp(now.timestamp() // 3600 * 3600, UTC)
    for state, ago, n in (
        ("completed", 1, 3),
        ("dead", 1, 2),
        ("failed", 5, 1),
        ("partial", 30, 9),
    ):
        fill(dsn, state, begin - timedelta(hours=ago) + timedelta(seconds=1), n)
    fill(dsn, "pending", now - timedelta(seconds=90))
    told = await overview(client, "?slot_s=3600&slots=24")
    slots = {datetime.fromisoformat(one.pop("at")): one for one in told["ended"]}
    assert [*slots] == [begin - timedelta(hours=23 - n) for n in range(24)]
    none = {"completed": 0, "partial": 0, "failed": 0, "dead": 0, "cancelled": 0, "about": False}
    seen = {at: one for at, one in slots.items() if one != none}
    assert seen == {
        begin - timedelta(hours=5): none | {"failed": 1},
        begin - timedelta(hours=1): none | {"completed": 3, "dead": 2},
    }
    assert told["attention"]["dead"] == 2
    assert 89 < told["oldest_s"] < 150


async def test_a_slot_with_more_jobs_than_are_read_is_told_about(service: Service, dsn: str):
    client = await service.client(Scope.READ)
    begin = datetime.fromtimestamp(utc_now().timestamp() // 3600 * 3600 - 3600, UTC)
    share = MOST_JOBS // 100
    fill(dsn, "completed", begin, share * 3, 3600 / (share * 3 + 1))
    fill(dsn, "failed", begin + timedelta(seconds=1), share, 3500 / share)
    told = await overview(client, "?slot_s=3600&slots=100")
    [busy] = [one for one in told["ended"] if one["about"]]
    assert datetime.fromisoformat(busy["at"]) == begin
    assert abs(busy["completed"] - share * 3) < share / 2
    assert abs(busy["failed"] - share) < share / 2


async def test_money_is_told_as_settled_reserved_and_unknown_and_what_wants_somebody_is_named(
    service: Service, dsn: str
):
    client = await service.client(Scope.ADMIN)
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute(CALLS)
        owner.execute(
            "insert into glaze.circuit (provider, base_url, failures, open_until) values"
            " ('apollo', 'x', 9, now() + interval '1 hour'), ('serper', 'x', 0, null),"
            " ('of another installation', 'x', 9, now() + interval '1 hour')"
        )
        owner.execute(
            "insert into glaze.webhook (workspace_id, url, events, salt, failing_since)"
            " values (1, 'https://example.com/a', '{job.completed}', 's', now()),"
            " (1, 'https://example.com/b', '{job.completed}', 's', null)"
        )
    assert (await client.ask("PUT", "/v1/budgets/day", {"cap_cents": 500})).status == 200
    assert (await client.post("/v1/queues/slow/pause")).status == 204
    told = await overview(client)
    money, attention = told["money"], told["attention"]
    assert (money["settled_micros"], money["reserved_micros"], money["unknown_micros"]) == (
        40_000,
        30_000,
        70_000,
    )
    assert sum(one["settled_micros"] for one in money["slots"]) == 40_000
    assert money["since"] is None
    assert [(one["scope"], one["cap_micros"]) for one in money["caps"]] == [
        ("workspace_day", 5_000_000)
    ]
    assert attention["unknown_calls"] == 1
    assert attention["circuits"] == [{"provider": "apollo", "state": "open"}]
    assert [one["url"] for one in attention["webhooks"]] == ["https://example.com/a"]
    assert [one["name"] for one in attention["queues"]] == ["slow"]


async def test_another_workspace_sees_none_of_it(theirs: Client, dsn: str):
    fill(dsn, "dead", utc_now() - timedelta(minutes=1), 3)
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute(CALLS)
    told = await overview(theirs)
    assert not any(one["dead"] for one in told["ended"])
    assert told["attention"]["dead"] == told["attention"]["unknown_calls"] == 0
    assert told["money"]["settled_micros"] == told["money"]["unknown_micros"] == 0
    assert (await Client(theirs.http, theirs.url, None).get("/v1/overview")).status == 401
