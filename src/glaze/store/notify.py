"""NOTIFY and LISTEN, each on a connection of its own: hints that spare a poll, never facts."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple

import psycopg
from psycopg import AsyncConnection

from glaze.errors import StoreUnavailable
from glaze.model.value import WorkerId
from glaze.store.database import role_dsn
from glaze.store.statements import statements

_sql = statements("notify")
_DRAIN = "glaze_drain"


class Hint(NamedTuple):
    """Some jobs of ``queue`` became pending; ``rank`` is the lowest among them."""

    queue: str
    rank: datetime


class DrainHint(NamedTuple):
    """Somebody asked a worker to end: its registry row has the truth."""

    worker_id: WorkerId


class Sender:
    """Sends hints, at once and outside any data transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        """Send on ``conn``, which does nothing else."""
        self._conn = conn

    async def due(self, hints: Sequence[Hint]) -> None:
        """Tell workers what became pending. Raises: StoreUnavailable."""
        payloads = [f"{hint.rank.isoformat()} {hint.queue}" for hint in hints]
        await self._send("notify", {"payloads": payloads})

    async def ended(self) -> None:
        """Tell whoever waits for a job that some have ended. Raises: StoreUnavailable."""
        await self._send("notify_ended", {})

    async def _send(self, name: str, params: Mapping[str, object]) -> None:
        try:
            await self._conn.execute(_sql[name], params)
        except psycopg.OperationalError as error:
            raise StoreUnavailable(f"no connection for NOTIFY: {error}") from error


@asynccontextmanager
async def sender(dsn: str) -> AsyncIterator[Sender]:
    """Open a connection that only notifies: inside data transactions it would serialise commits.

    Raises: StoreUnavailable.
    """
    try:
        async with await _connect(dsn) as conn:
            yield Sender(conn)
    except psycopg.OperationalError as error:
        raise StoreUnavailable(f"no connection for NOTIFY: {error}") from error


async def listen(dsn: str) -> AsyncIterator[Hint | DrainHint | None]:
    """Yield hints as they come; None once the ear is open, for what came before was not heard.

    Raises: StoreUnavailable when there is no connection, or no more.
    """
    try:
        async with await _connect(dsn) as conn:
            await conn.execute(_sql["listen"])
            await conn.execute(_sql["listen_drain"])
            yield None
            async for note in conn.notifies():
                if note.channel == _DRAIN:
                    yield DrainHint(WorkerId(int(note.payload)))
                    continue
                rank, _, queue = note.payload.partition(" ")
                yield Hint(queue, datetime.fromisoformat(rank))
    except psycopg.OperationalError as error:
        raise StoreUnavailable(f"no connection for LISTEN: {error}") from error


async def listen_for_ends(dsn: str) -> AsyncIterator[None]:
    """Yield whenever something has ended, and once when the ear is open.

    Raises: StoreUnavailable when there is no connection, or no more.
    """
    try:
        async with await _connect(dsn) as conn:
            await conn.execute(_sql["listen_for_ends"])
            yield
            async for _ in conn.notifies():
                yield
    except psycopg.OperationalError as error:
        raise StoreUnavailable(f"no connection for LISTEN: {error}") from error


async def _connect(dsn: str) -> AsyncConnection:
    return await AsyncConnection.connect(role_dsn(dsn, "glaze_queue"), autocommit=True)
