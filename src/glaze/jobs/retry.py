"""Patience with the database: a step is tried again while it cannot be reached."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import structlog

from glaze.errors import StoreUnavailable

log = structlog.get_logger("jobs")

T = TypeVar("T")

_SHORTEST_S = 0.05
_LONGEST_S = 2.0


def pauses() -> Iterator[float]:
    """Yield seconds to wait between tries, doubling up to a bound that a restart ends within."""
    pause = _SHORTEST_S
    while True:
        yield pause
        pause = min(_LONGEST_S, pause * 2)


async def until_available(step: Callable[[], Awaitable[T]], what: str) -> T:
    """Return what ``step`` returns, trying again as long as the database is not there.

    ``step`` must be safe to repeat: a commit whose answer was lost may have happened.
    """
    for pause in pauses():
        try:
            return await step()
        except StoreUnavailable as error:
            log.warning("database not available, trying again", step=what, error=str(error))
            await asyncio.sleep(pause)
    raise AssertionError("pauses never end")
