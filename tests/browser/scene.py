"""A workspace in the middle of its work, for pictures."""

import time

import psycopg
from tests.browser.product import Product

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
SPENT = """
update glaze.call c set created_at = j.finished_at, settled_at = j.finished_at + (c.settled_at - c.created_at) from glaze.job j where j.workspace_id = c.workspace_id and j.id = c.job_id and c.settled_at is not null and j.finished_at is not null
"""
TROUBLE = """
insert into webhook (workspace_id, url, events, salt, failing_since)
values (1, 'https://crm.example.com/hooks/glaze', '{job.completed}', 's', clock_timestamp() - interval '3 hours')
"""


def prepare(product: Product, jobs: int = 90) -> None:
    """Have companies enriched, and let it have happened over a day; some ended badly."""
    product.ask("PUT", "/v1/budgets/day", {"cap_cents": 2500})
    companies = product.sandbox.get("hosts")["companies"][:jobs]
    enrich(product, [one["url"] for one in companies])
    enrich(product, [one["url"] for one in companies[: jobs // 3]])
    with psycopg.connect(product.dsn, autocommit=True) as owner:
        owner.execute("set search_path = glaze")
        owner.execute(HISTORY)
        owner.execute(SPENT)
        owner.execute(TROUBLE)
    table(product, [one["url"] for one in companies[:40]])


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
