"""Whether the books are right: every invariant of the ledger, judged from its rows alone."""

from dataclasses import dataclass

from glaze.model.value import WorkspaceId
from glaze.store.database import Database
from glaze.store.statements import statements

_sql = statements("ledger_check")
_MOST_EXAMPLES = 5
_SUM = """
select '{name}' as invariant, count(*) as rows, count(*) filter (where broken) as broken,
  (array_agg(id || ': ' || said order by id) filter (where broken))[1:%(most)s] as examples
from ({judged}) as {name}
"""

INVARIANTS = (
    "budgets_hold_what_their_calls_hold",
    "no_budget_is_over_its_cap",
    "questions_know_their_last_call",
    "ended_calls_have_a_price",
    "requests_add_up",
    "observations_come_from_settled_calls",
    "costs_of_values_add_up",
    "values_have_a_source",
    "matches_kept_their_answer",
)
"""By the names of their statements."""


@dataclass(frozen=True, slots=True)
class Verified:
    """One invariant: how many rows it was judged of, how many break it, and some of those."""

    invariant: str
    rows: int
    broken: int
    examples: tuple[str, ...]  # "id: what is wrong"

    @property
    def holds(self) -> bool:
        """Tell whether no row breaks it."""
        return not self.broken


async def verify(db: Database, workspace_id: WorkspaceId) -> list[Verified]:
    """Judge one workspace's ledger as it stood at one moment; nothing is changed."""
    # One statement, so that all of it is judged as of one moment while others go on writing.
    sums = " union all ".join(_SUM.format(name=name, judged=_sql[name]) for name in INVARIANTS)
    async with db.workspace(workspace_id) as conn:
        found = await conn.execute(sums.encode(), {"most": _MOST_EXAMPLES})
        rows = await found.fetchall()
    by_name = {row["invariant"]: row for row in rows}
    return [
        Verified(name, row["rows"], row["broken"], tuple(row["examples"] or ()))
        for name, row in ((name, by_name[name]) for name in INVARIANTS)
    ]
