"""A lock for as long as a command runs: on whatever host, one process of a database holds it."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg import AsyncConnection
from psycopg.errors import LockNotAvailable

from glaze.errors import StoreUnavailable
from glaze.store.database import role_dsn
from glaze.store.statements import statements

_sql = statements("lock")


class SessionLock:
    """An advisory lock on a connection of its own, which ends with the process, however that ends."""

    def __init__(self, dsn: str, key: bytes) -> None:
        """Hold nothing yet; equal keys are one lock in a database."""
        self._dsn = role_dsn(dsn, "glaze_queue")
        digest = hashlib.sha256(b"glaze session lock" + key).digest()
        self._key = int.from_bytes(digest[:8], "big", signed=True)
        self._conn: AsyncConnection | None = None

    async def hold(self) -> bool:
        """Take the lock, or anew where its connection was lost; return False where another has it.

        Raises: StoreUnavailable.
        """
        try:
            return await self._still_held() or await self._take()
        except psycopg.OperationalError as error:
            raise StoreUnavailable(f"no connection for a lock: {error}") from error

    async def _still_held(self) -> bool:
        if self._conn is None:
            return False
        try:
            await self._conn.execute(_sql["still"])
        except psycopg.OperationalError:  # the server let go of the lock, too: it is to be had anew
            await self.let_go()
            return False
        return True

    async def _take(self) -> bool:
        conn = await AsyncConnection.connect(self._dsn, autocommit=True)
        try:
            await conn.execute(_sql["patience"])
            await conn.execute(_sql["lock"], {"key": self._key})
        except LockNotAvailable:
            await conn.close()
            return False
        except BaseException:
            await conn.close()
            raise
        self._conn = conn
        return True

    async def let_go(self) -> None:
        """Give the lock back."""
        if self._conn is not None:
            await self._conn.close()
            self._conn = None


@asynccontextmanager
async def session_lock(dsn: str, key: bytes) -> AsyncIterator[SessionLock]:
    """Give a lock, not yet held, that is let go of at the end."""
    lock = SessionLock(dsn, key)
    try:
        yield lock
    finally:
        await lock.let_go()
