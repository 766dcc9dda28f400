"""The audit log: who did what to what, kept with the change itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from psycopg.types.json import Jsonb

from glaze.model.value import Json, WorkspaceId
from glaze.store.database import Connection, Database
from glaze.store.statements import statements

_sql = statements("audit")


@dataclass(frozen=True, slots=True)
class Deed:
    """One change. ``action`` is subject and verb: ``api_key.create``."""

    actor: str
    action: str
    target: str | None = None
    detail: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Audited:
    """An entry of the log."""

    id: int
    at: datetime
    deed: Deed


async def note(conn: Connection, deed: Deed) -> None:
    """Write ``deed`` in the transaction of the change that it tells of."""
    entry = {"actor": deed.actor, "action": deed.action, "target": deed.target}
    await conn.execute(_sql["note"], entry | {"detail": Jsonb(dict(deed.detail))})


class AuditStore:
    """The audit log of each workspace."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def note(self, workspace_id: WorkspaceId, deed: Deed) -> None:
        """Write ``deed`` alone, for a change that is no transaction of its own here."""
        async with self._db.workspace(workspace_id) as conn:
            await note(conn, deed)

    async def page(
        self, workspace_id: WorkspaceId, n: int = 100, *, before: int | None = None
    ) -> list[Audited]:
        """Return up to ``n`` entries, newest first, below the id ``before``."""
        async with self._db.workspace(workspace_id) as conn:
            found = await conn.execute(_sql["page"], {"n": n, "before": before})
            rows = await found.fetchall()
        return [
            Audited(
                row["id"],
                row["at"],
                Deed(row["actor"], row["action"], row["target"], row["detail"]),
            )
            for row in rows
        ]
