"""Events: the log of each job and the live feed of a workspace, in one table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Self

from glaze.errors import InputError
from glaze.model.value import BatchId, JobId, Json, WorkspaceId
from glaze.store.attempt import encode
from glaze.store.database import Connection, Database
from glaze.store.statements import Statements, statements

_LAST_ID = 2**63 - 1

PROGRESS, LOG = "progress", "log"
"""Types of events that a running job makes; all others tell a change of state."""


class Cursor(NamedTuple):
    """Where a reader stands: transaction id first, for a lower event id may commit later."""

    xid: int
    id: int

    def __str__(self) -> str:
        """Return the form that ``parse`` reads, as an SSE event id carries it."""
        return f"{self.xid}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a cursor.

        Raises: InputError when ``text`` is none.
        """
        xid, _, id_ = text.partition("-")
        if not (xid.isdecimal() and id_.isdecimal() and max(len(xid), len(id_)) < 20):  # noqa: PLR2004  digits of 2**63
            raise InputError(f"not an event cursor: {text[:50]!r}")
        return cls(int(xid), int(id_))


START = Cursor(0, 0)
"""Before the first event that is kept."""


class Reach(NamedTuple):
    """What of a feed can be read: from after ``horizon``, before which retention took some."""

    horizon: Cursor
    tail: Cursor

    def holds(self, cursor: Cursor) -> bool:
        """Tell whether a reader who stands at ``cursor`` misses nothing.

        One that stands after the end read another database, from which this one was restored.
        """
        return cursor == START or (self.horizon <= cursor and cursor.xid <= self.tail.xid)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a job or batch, at ``at`` (aware UTC)."""

    cursor: Cursor
    at: datetime
    type: str
    job_id: JobId | None
    batch_id: BatchId | None
    data: Json


@dataclass(frozen=True, slots=True, eq=False)
class NewEvent:
    """What a running job says of itself: progress, a log line."""

    type: str
    data: Json
    job_id: JobId | None = None
    batch_id: BatchId | None = None


class EventStore:
    """Reads the feed and the log. State changes write their events in their own transactions."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db
        self._sql: Statements = statements("event")

    async def append(self, workspace_id: WorkspaceId, events: Sequence[NewEvent]) -> None:
        """Add what jobs say of themselves."""
        async with self._db.workspace(workspace_id) as conn:
            await append(conn, events)

    async def feed(
        self, workspace_id: WorkspaceId, after: Cursor, n: int = 500
    ) -> tuple[list[Event], Cursor]:
        """Return up to ``n`` events after the cursor and the cursor to go on from.

        What a running transaction wrote is not shown before everything older is decided, so
        nothing ever appears behind a cursor.
        """
        async with self._db.workspace(workspace_id) as conn:
            events = await page(conn, after, n)
        return events, events[-1].cursor if events else after

    async def feeds(
        self, after: Mapping[WorkspaceId, Cursor], n: int = 500
    ) -> dict[WorkspaceId, list[Event]]:
        """Return up to ``n`` events of each workspace after its cursor, without their data."""
        params = {
            "workspaces": [*after],
            "xids": [str(cursor.xid) for cursor in after.values()],
            "ids": [cursor.id for cursor in after.values()],
            "n": n,
        }
        sql = self._sql["feeds"]
        async with self._db.fleet() as conn:
            rows = await (await conn.execute(sql, params)).fetchall()
        found: dict[WorkspaceId, list[Event]] = {}
        for row in rows:
            found.setdefault(row["workspace_id"], []).append(_event(row | {"data": None}))
        return found

    async def tail(self, workspace_id: WorkspaceId) -> Cursor:
        """Return the cursor from which only what comes from now on is read."""
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(self._sql["tail"])).fetchone()
        return Cursor(row["xid"], _LAST_ID) if row else START

    async def reach(self, workspace_id: WorkspaceId) -> Reach:
        """Return how far back the feed goes, and the cursor that ``tail`` returns."""
        async with self._db.workspace(workspace_id) as conn:
            [row] = await (await conn.execute(self._sql["reach"])).fetchall()
        horizon = START if row["xid"] is None else Cursor(row["xid"], row["id"])
        return Reach(horizon, Cursor(row["tail"], _LAST_ID))

    async def log(self, workspace_id: WorkspaceId, job_id: JobId) -> list[Event]:
        """Return everything that happened to one job, in order."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await (await conn.execute(self._sql["log"], {"job": job_id})).fetchall()
        return [_event(row) for row in rows]


async def page(conn: Connection, after: Cursor, n: int) -> list[Event]:
    """Return up to ``n`` events after the cursor within the caller's transaction, as ``feed``."""
    params = {"xid": str(after.xid), "id": after.id, "n": n}
    rows = await (await conn.execute(statements("event")["feed"], params)).fetchall()
    return [_event(row) for row in rows]


async def append(conn: Connection, events: Sequence[NewEvent]) -> None:
    """Add events within the caller's transaction."""
    rows = [
        {"type": e.type, "job_id": e.job_id, "batch_id": e.batch_id, "data": e.data} for e in events
    ]
    await conn.execute(statements("event")["append"], {"events": encode(rows)})


def _event(row: dict[str, Any]) -> Event:
    cursor = Cursor(row["xid"], row["id"])
    return Event(cursor, row["at"], row["type"], row["job_id"], row["batch_id"], row["data"])
