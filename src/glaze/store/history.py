"""The ledger as experience: what was asked in which circumstances, and how often it filled a field."""

from collections.abc import Iterable

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
        operations = [(f"{spec.name}.{one.name}", one) for spec in specs for one in spec.operations]
        params = {
            "paid": [name for name, operation in operations if operation.price_micros],
            "gives": Jsonb(
                [
                    {"operation": name, "fields": list(operation.gives)}
                    for name, operation in operations
                ]
            ),
            "most": WINDOW,
            "half_life": HALF_LIFE,
        }
        async with self._db.workspace(workspace_id) as conn:
            rows = await (await conn.execute(_sql["tallies"], params)).fetchall()
        return tuple(
            Tally(
                **{**row, "field": FieldName(row["field"]), "missed": frozenset(row["missed"])},
            )
            for row in rows
        )
