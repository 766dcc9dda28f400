"""What plans read of the ledger beyond the rates: which questions are paid, what comes with an answer."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from psycopg.types.json import Jsonb

from glaze.model.ledger import QuestionKey
from glaze.model.value import FieldName, WorkspaceId
from glaze.store.database import Database
from glaze.store.statements import statements

_sql = statements("plan")
_LATEST = 5000


class PlanStore:
    """Reads what the calls of a workspace brought."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def brought(
        self, workspace_id: WorkspaceId, fields: Iterable[FieldName]
    ) -> dict[tuple[str, FieldName], float]:
        """Return how often an operation's answer states a field, 0 to 1, by operation and field.

        The latest answers count, as if two more had been had of which one stated it.
        """
        wanted = sorted(fields)
        params = {"most": _LATEST, "fields": wanted}
        async with self._db.workspace(workspace_id) as conn:
            rows = await (await conn.execute(_sql["brought"], params)).fetchall()
        answers = {row["operation"]: row["times"] for row in rows if row["field"] is None}
        times = {(row["operation"], row["field"]): row["times"] for row in rows if row["field"]}
        return {
            (name, field): (times.get((name, field), 0) + 1) / (count + 2)
            for name, count in answers.items()
            for field in wanted
        }

    async def answered(
        self,
        workspace_id: WorkspaceId,
        questions: Sequence[QuestionKey],
        *,
        fresh: datetime,
        miss_fresh: datetime,
    ) -> set[int]:
        """Return the places of the questions that would cost nothing now; nothing is changed."""
        rows = [
            {
                "ord": place,
                "credential": one.credential,
                "provider": one.provider,
                "operation": one.operation,
                "flags": one.flags,
                "hex": one.key.hex(),
            }
            for place, one in enumerate(questions)
        ]
        params = {"questions": Jsonb(rows), "fresh": fresh, "miss_fresh": miss_fresh}
        async with self._db.workspace(workspace_id) as conn:
            found = await (await conn.execute(_sql["answered"], params)).fetchall()
        return {row["ord"] for row in found}
