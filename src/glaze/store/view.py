"""Saved views: the criteria of a list under a name."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg.types.json import Jsonb

from glaze.errors import EditConflict, InputError, NotFound
from glaze.model.value import Json, WorkspaceId
from glaze.store.attempt import Row
from glaze.store.database import Connection, Database
from glaze.store.statements import statements
from glaze.store.suppression import refuse_naming

_sql = statements("view")

MOST = 500
"""So many views a workspace may have."""

Listed = Literal["jobs", "calls", "batches", "rows"]


@dataclass(frozen=True, slots=True)
class View:
    """A saved view. ``query`` are the parameters of the list's route; ``version`` counts changes."""

    id: int
    list: Listed
    name: str
    query: Mapping[str, Json]
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime


class ViewStore:
    """Views of each workspace. Every method is one transaction."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def listed(self, workspace_id: WorkspaceId, list_: Listed | None = None) -> list[View]:
        """Return all views, or those of one list, by name."""
        async with self._db.workspace(workspace_id) as conn:
            return [View(**row) for row in await _rows(conn, "list", list=list_)]

    async def get(self, workspace_id: WorkspaceId, view_id: int) -> View:
        """Return one. Raises: NotFound."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await _rows(conn, "get", id=view_id)
        if not rows:
            raise _unknown(view_id)
        return View(**rows[0])

    async def create(
        self,
        workspace_id: WorkspaceId,
        list_: Listed,
        name: str,
        query: Mapping[str, Json],
        *,
        by: str,
    ) -> View:
        """Save a view.

        Raises: InputError where the name is taken, or there are too many; PersonSuppressed.
        """
        async with self._db.workspace(workspace_id) as conn:
            await refuse_naming(conn, [name, query])
            [room] = await _rows(conn, "room", most=MOST)
            if not room["some"]:
                raise InputError(f"there are {MOST} views: delete some")
            rows = await _rows(conn, "create", list=list_, name=name, query=Jsonb({**query}), by=by)
        if not rows:
            raise _taken(list_, name)
        return View(**rows[0])

    async def change(
        self,
        workspace_id: WorkspaceId,
        view_id: int,
        name: str,
        query: Mapping[str, Json],
        *,
        version: int | None = None,
    ) -> View:
        """Save other criteria under it, or another name.

        Raises: NotFound; EditConflict where it is another ``version`` now; InputError where
        another view has the name; PersonSuppressed.
        """
        async with self._db.workspace(workspace_id) as conn:
            held = await _held(conn, view_id, version)
            await refuse_naming(conn, [name, query])
            if await _rows(conn, "taken", list=held["list"], name=name, id=view_id):
                raise _taken(held["list"], name)
            [row] = await _rows(conn, "change", id=view_id, name=name, query=Jsonb({**query}))
        return View(**row)

    async def delete(
        self, workspace_id: WorkspaceId, view_id: int, *, version: int | None = None
    ) -> None:
        """Delete it. Raises: NotFound, EditConflict."""
        async with self._db.workspace(workspace_id) as conn:
            await _held(conn, view_id, version)
            await conn.execute(_sql["delete"], {"id": view_id})


async def _held(conn: Connection, view_id: int, version: int | None) -> Row:
    rows = await _rows(conn, "hold", id=view_id)
    if not rows:
        raise _unknown(view_id)
    if version is not None and rows[0]["version"] != version:
        raise EditConflict(
            f"view {view_id} was changed since it was read: read it again, and send its new ETag"
        )
    return rows[0]


async def _rows(conn: Connection, statement: str, /, **params: object) -> list[Row]:
    return await (await conn.execute(_sql[statement], params)).fetchall()


def _unknown(view_id: int) -> NotFound:
    return NotFound(f"there is no view {view_id}")


def _taken(list_: str, name: str) -> InputError:
    return InputError(f"another view of {list_} is called {name!r}")
