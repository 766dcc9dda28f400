"""How long values stay fresh for each workspace, where it is not as the settings say."""

from collections.abc import Mapping

from glaze.errors import InputError
from glaze.model.field import known_field
from glaze.model.freshness import EVERY, MOST_DAYS
from glaze.model.value import WorkspaceId
from glaze.store.audit import Deed, note
from glaze.store.database import Connection, Database
from glaze.store.statements import statements
from glaze.store.turns import Meets, take_turn, whatever

_sql = statements("fresh_time")

Days = Mapping[str, float]
"""Field to days; ``EVERY`` for all that have no longer time of their own."""


class FreshTimeStore:
    """Reads and writes of the times; each is one transaction."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def of(self, workspace_id: WorkspaceId) -> Days:
        """Return a workspace's own times, by field."""
        async with self._db.workspace(workspace_id) as conn:
            return await _all(conn)

    async def put(
        self,
        workspace_id: WorkspaceId,
        field: str,
        days: float,
        actor: str,
        meets: Meets[Days] = whatever,
    ) -> Days:
        """Let values of a field, or of ``EVERY``, stay fresh for so many days; return all times.

        ``meets`` is shown those that hold until now.

        Raises: UnknownField; InputError for days that cannot be.
        """
        if field != EVERY:
            known_field(field)
        if not 0 <= days <= MOST_DAYS:
            raise InputError(f"values stay fresh for 0 to {MOST_DAYS} days, not {days:g}")
        async with self._db.workspace(workspace_id) as conn:
            await take_turn(conn, "freshness")
            meets(await _all(conn))
            await conn.execute(_sql["put"], {"field": field, "days": days})
            await note(conn, Deed(actor, "freshness.set", field or "*", {"days": days}))
            return await _all(conn)

    async def remove(
        self, workspace_id: WorkspaceId, field: str, actor: str, meets: Meets[Days] = whatever
    ) -> bool:
        """Let the settings say again how long values of a field stay fresh; tell whether it was set."""
        async with self._db.workspace(workspace_id) as conn:
            await take_turn(conn, "freshness")
            meets(await _all(conn))
            cursor = await conn.execute(_sql["remove"], {"field": field})
            if await cursor.fetchone() is None:
                return False
            await note(conn, Deed(actor, "freshness.remove", field or "*"))
        return True


async def _all(conn: Connection) -> Days:
    rows = await (await conn.execute(_sql["all"])).fetchall()
    return {row["field"]: row["days"] for row in rows}
