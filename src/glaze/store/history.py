"""The ledger as experience: what was asked in which circumstances, and how often it filled a field."""

from collections.abc import Iterable
from typing import Any

from psycopg.types.json import Jsonb

from glaze.model.history import HALF_LIFE, WINDOW, Tally
from glaze.model.provider import ProviderSpec
from glaze.model.value import FieldName, WorkspaceId
from glaze.store.database import Database
from glaze.store.statements import statements

_sql = statements("history")


class HistoryStore:
    """Reads what the calls of a workspace teach."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def tallies(
        self, workspace_id: WorkspaceId, specs: Iterable[ProviderSpec]
    ) -> tuple[Tally, ...]:
        """Return what the latest calls of ``specs`` brought, one tally a field and circumstance.

        One query over the last ``WINDOW`` calls: nothing to run for every row.
        """
        async with self._db.workspace(workspace_id) as conn:
            rows = await (await conn.execute(_sql["tallies"], _params(specs))).fetchall()
        return tuple(
            Tally(
                **{**row, "field": FieldName(row["field"]), "missed": frozenset(row["missed"])},
            )
            for row in rows
        )

    async def runs(
        self, workspace_id: WorkspaceId, specs: Iterable[ProviderSpec]
    ) -> dict[FieldName, int]:
        """Return in how many runs a paid operation was asked about each field, by the same calls."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await (await conn.execute(_sql["runs"], _params(specs))).fetchall()
        return {FieldName(row["field"]): row["runs"] for row in rows}


def _params(specs: Iterable[ProviderSpec]) -> dict[str, Any]:
    """Return which operations there are, who is paid, and how far back is looked."""
    operations = [(f"{spec.name}.{one.name}", one) for spec in specs for one in spec.operations]
    return {
        "paid": [name for name, operation in operations if operation.price_micros],
        "gives": Jsonb(
            [{"operation": name, "fields": list(operation.gives)} for name, operation in operations]
        ),
        "most": WINDOW,
        "half_life": HALF_LIFE,
    }
