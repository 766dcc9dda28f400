"""A workspace in the middle of its work, for pictures."""

import asyncio
import time

import psycopg
from tests.browser.product import Product

from glaze.model.calibration import Bin, Curve, Origin, Point
from glaze.model.value import DEFAULT_WORKSPACE, FieldName
from glaze.store.calibration import CalibrationStore
from glaze.store.database import Database

FIELDS = ["company_name", "company_phone", "company_industry"]
OPEN = {"waiting", "scheduled", "pending", "processing"}
HISTORY = """
with spread as materialized (
  select j.workspace_id, j.id, row_number() over (order by j.id) as n, count(*) over () as of from glaze.job j where j.finished_at is not null
)
update glaze.job j set finished_at = t.at, started_at = t.at - (0.4 + random() * 3) * interval '1 s',
  state = case when s.n % 29 = 0 then 'failed' when s.n % 61 = 0 then 'dead' when s.n % 11 = 0 then 'partial' else j.state end
from spread s cross join lateral (
  select clock_timestamp() - interval '23 hours' * power(random(), 0.7) * (0.55 + 0.45 * sin(s.n / 9.0)) as at) t
where j.workspace_id = s.workspace_id and j.id = s.id
"""
CAUSES = """
update glaze.job set error = (array['timeout: apollo did not answer within 20 s', 'vendor_refused: serper: the key is not valid',
  'args_invalid: input.url: no host name'])[1 + id % 3] where state in ('failed', 'dead')
"""
SPENT = """
update glaze.call c set created_at = j.finished_at, settled_at = j.finished_at + (c.settled_at - c.created_at) from glaze.job j where j.workspace_id = c.workspace_id and j.id = c.job_id and c.settled_at is not null and j.finished_at is not null
"""
TROUBLE = """
insert into webhook (workspace_id, url, events, salt, failing_since)
values (1, 'https://crm.example.com/hooks/glaze', '{job.completed}', 's', clock_timestamp() - interval '3 hours')
"""


TOLD = """
update webhook_delivery set state = 'delivered', attempt = 1, ended_at = created_at + interval '1 s' where id % 4 <> 0;
delete from webhook_attempt a using webhook_delivery d where d.id = a.delivery_id and d.state = 'delivered';
insert into webhook_attempt (workspace_id, delivery_id, round, attempt, at, status, duration_ms, excerpt)
select workspace_id, id, 1, 1, ended_at, 200, 80 + id * 17 % 90, 'ok' from webhook_delivery where state = 'delivered'
"""
REFRESH = {
    "zone": "Europe/Berlin",
    "kind": "enrich",
    "args": {"input": {"url": "https://example.com"}, "required_fields": FIELDS},
}
LOOKED_FOR = {"criteria": {"titles": ["engineer"], "company_sizes": ["11,50"]}, "limit": 12}
RECEIVER = {
    "url": "https://crm.example.com/hooks/leads",
    "events": ["job.completed", "batch.*"],
    "description": "CRM: marks leads as enriched",
}


def prepare(product: Product, jobs: int = 90) -> None:
    """Have companies enriched, and let it have happened over a day; some ended badly."""
    product.ask("PUT", "/v1/budgets/day", {"cap_cents": 2500})
    companies = product.sandbox.get("hosts")["companies"][:jobs]
    enrich(product, [one["url"] for one in companies])
    enrich(product, [one["url"] for one in companies[: jobs // 3]])
    with psycopg.connect(product.dsn, autocommit=True) as owner:
        owner.execute("set search_path = glaze")
        owner.execute(HISTORY)
        owner.execute(CAUSES)
        owner.execute(SPENT)
        owner.execute(TROUBLE)
    operations(product)
    table(product, [one["url"] for one in companies[:40]])


def operations(product: Product) -> None:
    """Have keys, an invitation, budgets, an endpoint that was told things, calls that nobody knows the end of."""
    for name, scope in (("crm-sync", "write"), ("reports", "read")):
        product.ask("POST", "/v1/keys", {"name": name, "scopes": [scope]})
    asked = {"email": "grace@example.com", "role": "editor"}
    product.ask("POST", "/v1/members/invitations", asked)
    for provider, cents in (("apollo", 4000), ("serper", 500)):
        product.ask("PUT", f"/v1/budgets/{provider}", {"cap_cents": cents})
    product.ask("PUT", "/v1/order", {"field": "company_phone", "order": ["apollo", "serper"]})
    for name, cron in (("nightly-refresh", "0 2 * * *"), ("monday-accounts", "0 6 * * MON")):
        product.ask("PUT", f"/v1/schedules/{name}", {"cron": cron, **REFRESH})
    product.ask("POST", "/v1/credit", {"cents": 10_000})
    product.ask("POST", "/v1/searches", LOOKED_FOR)
    hook = product.ask("POST", "/v1/webhooks", RECEIVER)["id"]
    lost = {"kind": "drop_after_billing", "vendor": "apollo", "times": 2}
    product.sandbox.send("POST", "faults", lost)
    others = product.sandbox.get("hosts")["companies"][-6:]
    enrich(product, [one["url"] for one in others])
    for _ in range(2):
        product.ask("POST", f"/v1/webhooks/{hook}/test")
    with psycopg.connect(product.dsn, autocommit=True) as owner:
        owner.execute("set search_path = glaze")
        owner.execute(TOLD)
    asyncio.run(_calibrate(product))


async def _calibrate(product: Product) -> None:
    bins = (Bin(42.0, 24, 9), Bin(61.0, 61, 33), Bin(78.0, 120, 84), Bin(93.0, 210, 189))
    points = (Point(42.0, 0.4), Point(61.0, 0.55), Point(78.0, 0.7), Point(93.0, 0.9))
    curves = {("apollo", FieldName("company_phone")): Curve(points, bins)}
    async with Database.open(product.dsn, size=1) as db:
        await CalibrationStore(db).add(DEFAULT_WORKSPACE, Origin.USERS, 415, curves)


def table(product: Product, urls: list[str]) -> None:
    """Have a table of them, at its end."""
    rows = [{"website": url} for url in urls]
    made = product.ask("POST", "/v1/batches", {"rows": rows, "fields": FIELDS, "name": "Prospects"})
    deadline = time.monotonic() + 120
    while product.ask("GET", f"/v1/batches/{made['id']}")["finished_at"] is None:
        assert time.monotonic() < deadline, "the table does not end"
        time.sleep(0.2)


def enrich(product: Product, urls: list[str]) -> None:
    """Have them enriched, and wait until all are."""
    for url in urls:
        product.ask("POST", "/v1/enrich", {"url": url, "fields": FIELDS, "wait_s": 0})
    deadline = time.monotonic() + 240
    while any(product.ask("GET", f"/v1/jobs?limit=1&state={one}")["items"] for one in OPEN):
        assert time.monotonic() < deadline, "jobs do not end"
        time.sleep(0.2)
