"""People about whom nothing is bought or kept: keyed hashes of what they are known by."""

import hmac
from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import uuid4

from glaze.errors import PersonSuppressed
from glaze.model.personal import people_in
from glaze.model.value import Json, WorkspaceId
from glaze.store.audit import Deed, note
from glaze.store.database import Connection, Database
from glaze.store.statements import statements

_sql = statements("suppression")

WHY = "about this person nothing is kept or bought"


async def suppressed(conn: Connection, named: Callable[[], Collection[str]]) -> frozenset[str]:
    """Return which of these keys (``scheme:value``) are suppressed, within the caller's transaction.

    ``named`` is asked only where anybody is suppressed at all. Who reads this before writing of a
    person writes in the same transaction: erasing waits for those that were begun before.
    """
    row = await (await conn.execute(_sql["any"])).fetchone()
    if row is None:
        return frozenset()
    by_hash = {_hash(bytes(row["hash_key"]), key): key for key in named()}
    found = await conn.execute(_sql["which"], {"keys": [*by_hash]})
    return frozenset(by_hash[bytes(one["key_hash"])] for one in await found.fetchall())


async def refuse_naming(conn: Connection, document: Json) -> None:
    """Raises: PersonSuppressed where a document names somebody about whom nothing is kept."""
    if await suppressed(conn, lambda: people_in(document)):
        raise PersonSuppressed(WHY)


async def suppress(conn: Connection, keys: Collection[str]) -> int:
    """Suppress one person by all of these keys, within the caller's transaction; return how many are new."""
    params = {"keys": await _hashes(conn, keys), "person": uuid4()}
    return len(await (await conn.execute(_sql["add"], params)).fetchall())


@dataclass(frozen=True, slots=True)
class Stated:
    """By what a source's answer names a person, and by what they were asked for (HMACs)."""

    keys: tuple[str, ...]  # scheme:value
    subjects: tuple[bytes, ...] = ()


async def turned_out(conn: Connection, stated: Stated) -> bool:
    """Tell whether the answer is about somebody who is suppressed, within the caller's transaction.

    From then on they are suppressed by all that they were named and asked for by.
    """
    if not await suppressed(conn, lambda: stated.keys):
        return False
    hashes = {*await _hashes(conn, stated.keys), *stated.subjects}
    await conn.execute(_sql["add"], {"keys": sorted(hashes), "person": uuid4()})
    return True


async def _hashes(conn: Connection, keys: Collection[str]) -> list[bytes]:
    row = await (await conn.execute(_sql["hash_key"])).fetchone()
    if row is None:
        raise LookupError("the workspace does not exist")
    return sorted(_hash(bytes(row["hash_key"]), key) for key in keys)


def _hash(secret: bytes, key: str) -> bytes:
    return hmac.digest(secret, key.encode(), "sha256")


class SuppressionStore:
    """The suppression list of a workspace. It names nobody: who is on it is told by asking for them."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def add(self, workspace_id: WorkspaceId, keys: Collection[str], actor: str) -> int:
        """Put a person on the list by all of these keys; return how many of them are new."""
        async with self._db.workspace(workspace_id) as conn:
            added = await suppress(conn, keys)
            await note(conn, Deed(actor, "people.suppress", detail={"keys": added}))
        return added

    async def remove(self, workspace_id: WorkspaceId, keys: Collection[str], actor: str) -> int:
        """Take everybody who has one of these keys off the list, with all of their keys."""
        async with self._db.workspace(workspace_id) as conn:
            params = {"keys": await _hashes(conn, keys)}
            removed = len(await (await conn.execute(_sql["remove"], params)).fetchall())
            await note(conn, Deed(actor, "people.unsuppress", detail={"keys": removed}))
        return removed

    async def listed(self, workspace_id: WorkspaceId, keys: Collection[str]) -> frozenset[str]:
        """Return which of these keys are on the list."""
        async with self._db.workspace(workspace_id) as conn:
            return await suppressed(conn, lambda: keys)
