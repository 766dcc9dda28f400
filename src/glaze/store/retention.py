"""Retention: what is old and over goes, a page at a time, past everything that anybody holds."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from glaze.model.value import WorkspaceId
from glaze.store.database import Connection, Database
from glaze.store.statements import Statements, statements

PAGE = 500
"""Rows that one statement looks at: none takes long, whatever lies in them."""
_DAY_S = 86_400.0
_DAYS = statements("personal")["retention"]


@dataclass(frozen=True, slots=True)
class Keep:
    """For how many days things are kept once they are over; a workspace may say otherwise."""

    events_days: float = 30.0
    jobs_days: float = 30.0
    batches_days: float = 30.0
    keys_days: float = 1.0
    workers_days: float = 7.0
    answers_days: float | None = None  # None: for good
    results_days: float | None = None  # None: as long as their job
    logs_days: float | None = None  # None: as long as events


class Pruned(NamedTuple):
    """What one page lost, by name, and where the next page begins; None after the last."""

    gone: dict[str, int]
    last: str | None


class RetentionStore:
    """Prunes page by page, each in a transaction of its own; the ledger's facts are never touched.

    Only rows at their end are locked, those that others hold are passed over: nothing here can
    keep a claim, a finish or an enqueue waiting.
    """

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db
        self._sql: Statements = statements("retention")

    async def workspaces(self) -> list[WorkspaceId]:
        """Return the ids of all workspaces."""
        async with self._db.fleet() as conn:
            rows = await (await conn.execute(self._sql["workspaces"])).fetchall()
        return [WorkspaceId(row["id"]) for row in rows]

    async def keep(self, workspace_id: WorkspaceId, otherwise: Keep) -> Keep:
        """Return for how long one workspace keeps things: as it said, else as ``otherwise`` says."""
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_DAYS)).fetchone()
        said = {name: days for name, days in (row or {}).items() if days is not None}
        return replace(otherwise, **said)

    async def answers(self, workspace_id: WorkspaceId, days: float, after: str = "") -> Pruned:
        """Look at the next page of raw answers."""
        return await self._page(workspace_id, "answers", days, after or "0")

    async def results(self, workspace_id: WorkspaceId, days: float, after: str = "") -> Pruned:
        """Look at the next page of results."""
        return await self._page(workspace_id, "results", days, after or "0")

    async def logs(self, workspace_id: WorkspaceId, days: float, after: str = "") -> Pruned:
        """Look at the next page of what jobs logged."""
        return await self._page(workspace_id, "logs", days, after or "0-0")

    async def events(self, workspace_id: WorkspaceId, days: float, after: str = "") -> Pruned:
        """Look at the next page of events, oldest first."""
        return await self._page(workspace_id, "events", days, after or "0-0")

    async def jobs(self, workspace_id: WorkspaceId, days: float, after: str = "") -> Pruned:
        """Look at the next page of jobs, with arguments and results; not those of a batch's rows."""
        return await self._page(workspace_id, "jobs", days, after or "0")

    async def workflows(self, workspace_id: WorkspaceId, days: float, after: str = "") -> Pruned:
        """Look at the next page of workflows; one goes when none of its jobs is left."""
        return await self._page(workspace_id, "workflows", days, after or "0")

    async def keys(self, workspace_id: WorkspaceId, days: float, after: str = "") -> Pruned:
        """Look at the next page of idempotency keys; ``days`` count from when they expired."""
        return await self._page(workspace_id, "keys", days, after)

    async def deliveries(self, workspace_id: WorkspaceId, days: float, after: str = "") -> Pruned:
        """Look at the next page of deliveries of webhooks."""
        return await self._page(workspace_id, "deliveries", days, after or "0")

    async def batches(self, workspace_id: WorkspaceId, days: float, after: str = "") -> Pruned:
        """Take the next page of rows from a batch that is over, and the batch after its last row."""
        batch, row = map(int, (after or "0-0").split("-"))
        age = {"age_s": days * _DAY_S}
        async with self._db.workspace(workspace_id) as conn:
            await conn.execute(self._sql["in_index_order"])
            found = await self._one(conn, "old_batch", batch=batch, **age)
            if found is None:
                return Pruned({}, None)
            where = {"batch": found["id"], "row": row if found["id"] == batch else 0}
            rows = await self._one(conn, "batch_rows", **where, n=PAGE) or {"gone": 0}
            if rows["gone"] == PAGE:
                return Pruned({"batch_rows": PAGE}, f"{found['id']}-{rows['last']}")
            await conn.execute(self._sql["batch"], where)
        return Pruned({"batch_rows": rows["gone"], "batches": 1}, f"{found['id'] + 1}-0")

    async def workers(self, days: float) -> Pruned:
        """Take the next page of stopped workers out of the registry."""
        async with self._db.fleet() as conn:
            row = await self._one(conn, "workers", age_s=days * _DAY_S, n=PAGE)
        return _pruned("workers", row)

    async def _page(self, workspace_id: WorkspaceId, name: str, days: float, after: str) -> Pruned:
        async with self._db.workspace(workspace_id) as conn:
            await conn.execute(self._sql["in_index_order"])
            row = await self._one(conn, name, age_s=days * _DAY_S, n=PAGE, after=after)
        return _pruned(name, row)

    async def _one(self, conn: Connection, name: str, **params: object) -> dict[str, Any] | None:
        return await (await conn.execute(self._sql[name], params)).fetchone()


def _pruned(name: str, row: dict[str, Any] | None) -> Pruned:
    gone, last = (row["gone"], row["last"]) if row else (0, None)
    return Pruned({name: gone}, last)
