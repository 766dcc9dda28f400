"""Vendors' keys of a workspace's own as they are kept: sealed, beside their wrapped data key."""

from dataclasses import dataclass, field
from datetime import datetime

from psycopg.rows import class_row, dict_row

from glaze.model.access import COMMAND_LINE
from glaze.model.value import Json, WorkspaceId
from glaze.store.audit import Deed, note
from glaze.store.database import Database
from glaze.store.statements import statements

_sql = statements("vendor_key")


@dataclass(frozen=True, slots=True)
class VendorKeyView:
    """What may be known of a key. ``set_at`` is aware UTC."""

    provider: str
    last_four: str  # "" of one that is too short to show any of it
    version: int  # no other key of the provider has had it
    set_at: datetime


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as it is kept, and the id of the key-encryption key that wrapped it."""

    wrapped: bytes = field(repr=False)
    wrapped_by: str


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A vendor's key as it is kept, and what opens it."""

    sealed: bytes = field(repr=False)
    version: int
    data_key: WrappedKey


class VendorKeyStore:
    """Rows of sealed keys. Every change is in the workspace's audit log."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def list(self, workspace_id: WorkspaceId) -> list[VendorKeyView]:
        """Return what may be known of all keys, in name order."""
        return await self._db.workspace_rows(
            workspace_id, _sql["list"], {}, row_factory=class_row(VendorKeyView)
        )

    async def read(self, workspace_id: WorkspaceId, provider: str) -> SealedKey | None:
        """Return a key as it is kept, None where the workspace has none."""
        rows = await self._db.workspace_rows(
            workspace_id, _sql["read"], {"provider": provider}, row_factory=dict_row
        )
        return next(
            (
                SealedKey(
                    row["sealed"], row["version"], WrappedKey(row["wrapped"], row["wrapped_by"])
                )
                for row in rows
            ),
            None,
        )

    async def put(
        self,
        workspace_id: WorkspaceId,
        provider: str,
        sealed: bytes,
        last_four: str,
        *,
        actor: str = COMMAND_LINE,
    ) -> VendorKeyView:
        """Keep ``sealed`` in place of what was there."""
        kept = {"provider": provider, "sealed": sealed, "last_four": last_four}
        async with self._db.workspace(workspace_id) as conn:
            [row] = await (await conn.execute(_sql["set"], kept)).fetchall()
            view = VendorKeyView(**row)
            told: dict[str, Json] = {"last_four": view.last_four, "version": view.version}
            await note(conn, Deed(actor, "vendor_key.set", provider, told))
        return view

    async def forget(
        self, workspace_id: WorkspaceId, provider: str, *, actor: str = COMMAND_LINE
    ) -> VendorKeyView | None:
        """Delete a key; None where there was none."""
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["forget"], {"provider": provider})).fetchone()
            if row is not None:
                await note(conn, Deed(actor, "vendor_key.forget", provider))
        return VendorKeyView(**row) if row else None

    async def data_key(self, workspace_id: WorkspaceId) -> WrappedKey | None:
        """Return the workspace's data key as it is kept; None where it never had a key."""
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["data_key"])).fetchone()
        return WrappedKey(**row) if row else None

    async def add_data_key(self, workspace_id: WorkspaceId, key: WrappedKey) -> WrappedKey:
        """Keep ``key`` as the workspace's data key, and return the one that it has: the first."""
        kept = {"wrapped": key.wrapped, "wrapped_by": key.wrapped_by}
        async with self._db.workspace(workspace_id) as conn:
            await conn.execute(_sql["add_data_key"], kept)
            [row] = await (await conn.execute(_sql["data_key"])).fetchall()
        return WrappedKey(**row)

    async def rewrap(
        self, workspace_id: WorkspaceId, before: WrappedKey, after: WrappedKey, *, actor: str
    ) -> bool:
        """Keep the data key wrapped anew; False where another was quicker."""
        kept = {
            "wrapped": after.wrapped,
            "wrapped_by": after.wrapped_by,
            "before": before.wrapped,
        }
        async with self._db.workspace(workspace_id) as conn:
            changed = await (await conn.execute(_sql["rewrap"], kept)).fetchone()
            if changed is not None:
                by = {"from": before.wrapped_by, "to": after.wrapped_by}
                await note(conn, Deed(actor, "data_key.rewrap", None, by))
        return changed is not None
