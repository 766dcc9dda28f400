"""Turns: what two may change is read and written by one of them at a time, even before it is there."""

from collections.abc import Callable
from typing import TypeVar

from glaze.store.database import Connection
from glaze.store.statements import statements

_sql = statements("turns")

T = TypeVar("T")

Meets = Callable[[T], None]
"""Is shown what is there, while nobody else can change it, and raises where a change was not meant for it."""


def whatever(_there: object) -> None:
    """Any may be changed."""


async def take_turn(conn: Connection, what: str) -> None:
    """Wait until nobody else of the workspace changes ``what``; it is ours until the transaction ends."""
    await conn.execute(_sql["take"], {"what": what})
