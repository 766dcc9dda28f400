"""What must hold between the vendors' own billing logs and the ledger, whatever died meanwhile."""

from collections import Counter
from typing import Any

import psycopg
from cli_process import Sandbox
from psycopg.rows import dict_row

_PROVIDER = {"openai": "llm"}  # the vendors that are not called as their provider

_CALLS = """
select q.provider, c.state::text as state, c.price_micros, c.reserved_micros
from glaze.call c join glaze.question q using (workspace_id) where q.id = c.question_id
"""
_BUDGETS = """
select b.scope::text || ' ' || b.scope_key as name, b.reserved_micros, b.spent_micros,
  b.overrun_micros, b.cap_micros,
  coalesce(sum(c.reserved_micros) filter (where c.state in ('sending', 'pending_vendor', 'unknown')), 0)
    as reserved_by_calls,
  coalesce(sum(c.price_micros), 0) as paid_by_calls
from glaze.budget b left join glaze.call c on c.workspace_id = b.workspace_id and b.id = any(c.budget_ids)
group by b.workspace_id, b.id
"""


def rows(dsn: str, query: str) -> list[dict[str, Any]]:
    """Return what a superuser sees, past every policy."""
    with psycopg.connect(dsn, row_factory=dict_row) as conn:
        return conn.execute(query).fetchall()


def one(dsn: str, query: str) -> Any:
    """Return the only value of a query."""
    (row,) = rows(dsn, query)
    (value,) = row.values()
    return value


def assert_paid_once(dsn: str, sandbox: Sandbox) -> None:
    """No question was billed twice, and every bill has its call.

    A settled call with a price has exactly one bill; a call of unknown outcome has one or none.
    """
    assert sandbox.get("billing/duplicates") == []
    bills = Counter(
        _PROVIDER.get(bill["vendor"], bill["vendor"]) for bill in sandbox.get("billing")
    )
    calls = rows(dsn, _CALLS)
    paid = Counter(c["provider"] for c in calls if c["state"] == "settled" and c["price_micros"])
    open_ = ("unknown", "sending")
    unknown = Counter(c["provider"] for c in calls if c["state"] in open_ and c["reserved_micros"])
    for provider in {*bills, *paid}:
        assert paid[provider] <= bills[provider] <= paid[provider] + unknown[provider], provider


def assert_budgets_hold(dsn: str) -> int:
    """Each budget is the sum of its calls and below its cap; return how many budgets there are."""
    budgets = rows(dsn, _BUDGETS)
    for budget in budgets:
        assert budget["reserved_micros"] == budget["reserved_by_calls"], budget
        assert budget["spent_micros"] == budget["paid_by_calls"], budget
        committed = budget["reserved_micros"] + budget["spent_micros"] - budget["overrun_micros"]
        assert committed <= budget["cap_micros"], budget
    return len(budgets)


def unresolved_calls(dsn: str) -> int:
    """Return how many paid calls are unknown, or still open: a kill leaves them to whoever looks next."""
    return int(
        one(
            dsn,
            "select count(*) from glaze.call"
            " where state in ('unknown', 'sending', 'pending_vendor') and reserved_micros > 0",
        )
    )


def unknown_calls(dsn: str) -> int:
    """Return how many paid calls have an unknown outcome."""
    return int(
        one(dsn, "select count(*) from glaze.call where state = 'unknown' and reserved_micros > 0")
    )
