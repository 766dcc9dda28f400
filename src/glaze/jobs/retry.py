"""Patience with the database: a step is tried again while it cannot be reached."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator
from typing import Any, TypeVar

import structlog

from glaze.errors import StoreUnavailable

log = structlog.get_logger("jobs")

T = TypeVar("T")

_SHORTEST_S = 0.05
_LONGEST_S = 2.0
_AGAIN_S = 0.5  # long enough for what a cancelled task puts in order


def pauses() -> Iterator[float]:
    """Yield seconds to wait between tries, doubling up to a bound that a restart ends within."""
    pause = _SHORTEST_S
    while True:
        yield pause
        pause = min(_LONGEST_S, pause * 2)


def going_on(task: asyncio.Task[Any] | None = None) -> bool:
    """Return True; the condition of every endless loop here.

    ``task`` is the current one, for whom it is too dear to be looked up each time.

    Raises: CancelledError where this task was cancelled. A cancellation can get lost on its way
    up: before Python 3.12 ``asyncio.wait_for`` drops one that comes together with the result, in
    the connection pool too, and a statement that is broken off may end in the database's error.
    """
    task = task or asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
    return True


def bear(error: StoreUnavailable, what: str) -> None:
    """Log that ``what`` must wait for the database.

    Raises: CancelledError where this task was cancelled.
    """
    going_on()
    log.warning("database not available", step=what, error=str(error))


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for ``event`` up to ``seconds`` and tell whether it was set."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


async def end_all(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel ``tasks`` until they have ended: before Python 3.12 a cancellation can get lost."""
    while left := {task for task in tasks if not task.done()}:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=_AGAIN_S)


async def any_set(*events: asyncio.Event) -> None:
    """Wait until one of ``events`` is set."""
    async with asyncio.TaskGroup() as group:
        waits = [group.create_task(event.wait()) for event in events]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()


async def until_available(step: Callable[[], Awaitable[T]], what: str) -> T:
    """Return what ``step`` returns, trying again as long as the database is not there.

    ``step`` must be safe to repeat: a commit whose answer was lost may have happened.
    """
    for pause in pauses():
        try:
            return await step()
        except StoreUnavailable as error:
            bear(error, what)
            await asyncio.sleep(pause)
    raise AssertionError("pauses never end")
