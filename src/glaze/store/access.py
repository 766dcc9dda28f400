"""API keys of a workspace: what is kept of them, and whether one counts."""

import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from glaze.errors import InputError, KeyReplaced, NotFound
from glaze.model.access import (
    COMMAND_LINE,
    Principal,
    Scope,
    checked_name,
    checked_scopes,
    digest_of,
    key_parts,
    new_key,
)
from glaze.model.label import checked_time
from glaze.model.value import WorkspaceId
from glaze.store.audit import Deed, note
from glaze.store.database import Connection, Database
from glaze.store.statements import statements

_sql = statements("access")


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key as people may see it. Times are aware UTC."""

    id: int
    name: str
    prefix: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None  # to the minute
    revoked_at: datetime | None
    replaced_by: int | None


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key. ``text`` is the key itself, which nothing can tell again."""

    view: KeyView
    text: str


class KeyStore:
    """Keys of each workspace. Every change is in its audit log."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def create(
        self,
        workspace_id: WorkspaceId,
        name: str,
        scopes: Collection[str],
        expires_at: datetime | None = None,
        *,
        actor: str = COMMAND_LINE,
    ) -> IssuedKey:
        """Draw a key.

        Raises: InputError for a name, scope or end that cannot be.
        """
        if expires_at is not None:
            checked_time(expires_at, "expires_at")
        name, wanted = checked_name(name), checked_scopes(scopes)
        async with self._db.workspace(workspace_id) as conn:
            issued = await self._issue(conn, workspace_id, name, wanted, expires_at)
            if expires_at is not None and expires_at <= issued.view.created_at:
                raise InputError("expires_at is over: such a key would never count")
            await note(conn, Deed(actor, "api_key.create", f"key {issued.view.id}", {"name": name}))
        return issued

    async def list(self, workspace_id: WorkspaceId) -> list[KeyView]:
        """Return all keys, also those that count no more, newest first."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await (await conn.execute(_sql["list"])).fetchall()
        return [_view(row) for row in rows]

    async def revoke(
        self, workspace_id: WorkspaceId, key_id: int, *, actor: str = COMMAND_LINE
    ) -> KeyView | None:
        """Let a key count no more; None where there is none that was not revoked before."""
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["revoke"], {"id": key_id})).fetchone()
            if row is not None:
                await note(conn, Deed(actor, "api_key.revoke", f"key {key_id}"))
        return _view(row) if row else None

    async def rotate(
        self,
        workspace_id: WorkspaceId,
        key_id: int,
        *,
        overlap_s: float = 0.0,
        actor: str = COMMAND_LINE,
    ) -> IssuedKey:
        """Draw a key like ``key_id``, which counts for ``overlap_s`` seconds more.

        One that expires has a successor of the same lifetime. One that was rotated before, as where
        the answer was lost, has another successor in place of the first, which nobody used.

        Raises: NotFound where there is no such key, or it counts no more; KeyReplaced where its
            successor is in use.
        """
        async with self._db.workspace(workspace_id) as conn:
            old = await (await conn.execute(_sql["hold"], {"id": key_id})).fetchone()
            if old is None:
                raise NotFound(f"no key {key_id} counts: it is unknown, revoked or expired")
            if old["replaced_by"] is not None:
                await self._take_back(conn, key_id, old, actor)
            issued = await self._issue(
                conn, workspace_id, old["name"], old["scopes"], old["next_expiry"]
            )
            replaced = {"id": key_id, "new": issued.view.id, "overlap_s": overlap_s}
            await conn.execute(_sql["replace"], replaced)
            detail = {"replaced_by": issued.view.id, "overlap_s": overlap_s}
            await note(conn, Deed(actor, "api_key.rotate", f"key {key_id}", detail))
        return issued

    async def authenticate(self, text: str) -> Principal | None:
        """Return on whose behalf who shows ``text`` acts, or None where it is no key that counts."""
        parts = key_parts(text)
        if parts is None:
            return None
        digest = digest_of(text)
        shown = {"prefix": parts.prefix, "digest": digest}
        async with self._db.workspace(parts.workspace_id) as conn:
            row = await (await conn.execute(_sql["find"], shown)).fetchone()
        if row is None or not hmac.compare_digest(bytes(row["digest"]), digest):
            return None
        scopes = frozenset(map(Scope, row["scopes"]))
        return Principal(parts.workspace_id, f"key {row['id']}", scopes)

    async def some(self, workspace_id: WorkspaceId) -> bool:
        """Tell whether a key of the workspace counts."""
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["some"])).fetchone()
        return bool(row and row["some"])

    async def _take_back(
        self, conn: Connection, key_id: int, old: Mapping[str, Any], actor: str
    ) -> None:
        """End the successor of a key, where nobody used it. Raises: KeyReplaced."""
        successor = old["replaced_by"]
        if old["successor_revoked_at"] is not None:
            return
        # Held by who uses it or rotates it: then it is looked at once they have.
        row = await (await conn.execute(_sql["take_back"], {"id": successor})).fetchone()
        if row is None:
            raise KeyReplaced(
                f"key {key_id} was replaced by key {successor}, which is in use: rotate that one"
            )
        await note(conn, Deed(actor, "api_key.revoke", f"key {successor}"))

    async def _issue(
        self,
        conn: Connection,
        workspace_id: WorkspaceId,
        name: str,
        scopes: Collection[Scope] | Sequence[str],
        expires_at: datetime | None,
    ) -> IssuedKey:
        drawn = new_key(workspace_id)
        kept = {
            "name": name,
            "prefix": drawn.prefix,
            "digest": drawn.digest,
            "scopes": sorted(scopes),
            "expires_at": expires_at,
        }
        [row] = await (await conn.execute(_sql["create"], kept)).fetchall()
        return IssuedKey(_view(row), drawn.text)


def _view(row: dict[str, Any]) -> KeyView:
    return KeyView(**row | {"scopes": tuple(map(Scope, row["scopes"]))})
