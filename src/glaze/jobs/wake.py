"""Wake-up: tell workers that jobs are due, and who waits that some have ended; hints, never facts."""

import asyncio
from datetime import datetime

from glaze.errors import StoreUnavailable
from glaze.jobs.retry import bear, going_on, pauses
from glaze.store.notify import Hint, Sender, sender

SPACING_S = 0.005
"""At most one hint a queue in this time: a burst of commits needs no more."""
ENDS_SPACING_S = 0.05
"""The same for ends, of which a busy worker has many and of which few are waited for."""


class Wake:
    """Collects hints after commits and sends the lowest rank of each queue, well spaced."""

    def __init__(self, dsn: str) -> None:
        """Send through a connection of its own to ``dsn``, opened by ``run``."""
        self._dsn = dsn
        self._lowest: dict[str, datetime] = {}
        self._some = asyncio.Event()
        self._ended = asyncio.Event()

    def hint(self, queue: str, rank: datetime) -> None:
        """Note that jobs of ``queue`` became pending, the most urgent with ``rank``."""
        self._lowest[queue] = min(rank, self._lowest.get(queue, rank))
        self._some.set()

    def ended(self) -> None:
        """Note that jobs have ended."""
        self._ended.set()

    async def run(self) -> None:
        """Send until cancelled. Hints of a time without database are dropped: workers poll."""
        pause = pauses()
        while going_on():
            try:
                async with sender(self._dsn) as send, asyncio.TaskGroup() as group:
                    pause = pauses()
                    group.create_task(self._send_ends(send))
                    # In the body: before Python 3.13 a group that only waits for its tasks leaves
                    # its own task marked as cancelled when one of them fails.
                    await self._send_due(send)
            except* StoreUnavailable as lost:
                bear(_any_of(lost), "notify")
                await asyncio.sleep(next(pause))

    async def _send_due(self, send: Sender) -> None:
        while going_on():
            await self._some.wait()
            await send.due(self._taken())
            await asyncio.sleep(SPACING_S)

    async def _send_ends(self, send: Sender) -> None:
        while going_on():
            await self._ended.wait()
            self._ended.clear()
            await send.ended()
            await asyncio.sleep(ENDS_SPACING_S)

    def _taken(self) -> list[Hint]:
        self._some.clear()
        hints = [Hint(queue, rank) for queue, rank in self._lowest.items()]
        self._lowest.clear()
        return hints


def _any_of(lost: ExceptionGroup[StoreUnavailable]) -> StoreUnavailable:
    """Return one of the errors with which both ways to send broke off."""
    first = lost.exceptions[0]
    return _any_of(first) if isinstance(first, ExceptionGroup) else first
