"""NOTIFY and LISTEN, each on a connection of its own: hints that spare a poll, never facts."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple, Protocol

import psycopg
from psycopg import AsyncConnection

from glaze.errors import StoreUnavailable
from glaze.store.database import role_dsn
from glaze.store.statements import statements

_sql = statements("notify")


class Hint(NamedTuple):
    """Some jobs of ``queue`` became pending; ``rank`` is the lowest among them."""

    queue: str
    rank: datetime


class Send(Protocol):
    """Sends hints, at once and outside any data transaction."""

    async def __call__(self, hints: Sequence[Hint]) -> None:
        """Raises: StoreUnavailable."""


@asynccontextmanager
async def sender(dsn: str) -> AsyncIterator[Send]:
    """Open a connection that only notifies: inside data transactions it would serialise commits.

    Raises: StoreUnavailable.
    """
    try:
        async with await _connect(dsn) as conn:

            async def send(hints: Sequence[Hint]) -> None:
                payloads = [f"{hint.rank.isoformat()} {hint.queue}" for hint in hints]
                await conn.execute(_sql["notify"], {"payloads": payloads})

            yield send
    except psycopg.OperationalError as error:
        raise StoreUnavailable(f"no connection for NOTIFY: {error}") from error


async def listen(dsn: str) -> AsyncIterator[Hint | None]:
    """Yield hints as they come; None once the ear is open, for what came before was not heard.

    Raises: StoreUnavailable when there is no connection, or no more.
    """
    try:
        async with await _connect(dsn) as conn:
            await conn.execute(_sql["listen"])
            yield None
            async for note in conn.notifies():
                rank, _, queue = note.payload.partition(" ")
                yield Hint(queue, datetime.fromisoformat(rank))
    except psycopg.OperationalError as error:
        raise StoreUnavailable(f"no connection for LISTEN: {error}") from error


async def _connect(dsn: str) -> AsyncConnection:
    return await AsyncConnection.connect(role_dsn(dsn, "glaze_queue"), autocommit=True)
