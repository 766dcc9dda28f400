"""Transactions that may wait for each other: the one that PostgreSQL broke off is done again."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from psycopg.errors import DeadlockDetected

from glaze.errors import StoreUnavailable

_TRIES = 5

T = TypeVar("T")


async def past_deadlocks(transact: Callable[[], Awaitable[T]]) -> T:
    """Return what ``transact`` returns: one whole transaction, of which nothing stands where it failed.

    Raises: StoreUnavailable, as ``transact``; for deadlocks only after the fifth in a row.
    """
    for tries_left in reversed(range(_TRIES)):
        try:
            return await transact()
        except StoreUnavailable as error:
            if not tries_left or not isinstance(error.__cause__, DeadlockDetected):
                raise
    raise AssertionError("the last try returns or raises")
