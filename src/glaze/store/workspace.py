"""Workspaces: nothing of one is seen or shared in another."""

import re
from dataclasses import dataclass
from datetime import datetime

from glaze.errors import InputError
from glaze.model.value import WorkspaceId
from glaze.store.database import Database
from glaze.store.statements import statements

_sql = statements("workspace")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Workspace:
    """One of them; ``created_at`` is aware UTC."""

    id: WorkspaceId
    name: str
    created_at: datetime


class WorkspaceStore:
    """The whole installation's, for whoever runs it: no request reaches it."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def create(self, name: str) -> Workspace:
        """Make a workspace.

        Raises: InputError where the name cannot be, or is taken.
        """
        if not _NAME.fullmatch(name):
            raise InputError(
                f"{name[:80]!r} is no workspace's name: 1 to 63 of a-z, 0-9 and hyphens within"
            )
        async with self._db.fleet() as conn:
            row = await (await conn.execute(_sql["create"], {"name": name})).fetchone()
        if row is None:
            raise InputError(f"there is a workspace {name} already")
        return Workspace(**row)

    async def list(self) -> list[Workspace]:
        """Return all of them, oldest first."""
        async with self._db.fleet() as conn:
            rows = await (await conn.execute(_sql["list"])).fetchall()
        return [Workspace(**row) for row in rows]

    async def find(self, name: str) -> Workspace | None:
        """Return the workspace called ``name``, None where there is none."""
        async with self._db.fleet() as conn:
            row = await (await conn.execute(_sql["find"], {"name": name})).fetchone()
        return Workspace(**row) if row else None

    async def named(self, name: str) -> Workspace:
        """Return the workspace called ``name``.

        Raises: InputError where there is none.
        """
        found = await self.find(name)
        if found is None:
            raise InputError(f"there is no workspace {name!r}; see: glaze workspaces list")
        return found
