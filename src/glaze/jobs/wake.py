"""Wake-up: tell workers that jobs are due. A lost hint costs latency, never a job."""

import asyncio
from datetime import datetime

from glaze.errors import StoreUnavailable
from glaze.jobs.retry import bear, going_on, pauses
from glaze.store.notify import Hint, sender

SPACING_S = 0.005
"""At most one hint a queue in this time: a burst of commits needs no more."""


class Wake:
    """Collects hints after commits and sends the lowest rank of each queue, well spaced."""

    def __init__(self, dsn: str) -> None:
        """Send through a connection of its own to ``dsn``, opened by ``run``."""
        self._dsn = dsn
        self._lowest: dict[str, datetime] = {}
        self._some = asyncio.Event()

    def hint(self, queue: str, rank: datetime) -> None:
        """Note that jobs of ``queue`` became pending, the most urgent with ``rank``."""
        self._lowest[queue] = min(rank, self._lowest.get(queue, rank))
        self._some.set()

    async def run(self) -> None:
        """Send until cancelled. Hints of a time without database are dropped: workers poll."""
        pause = pauses()
        while going_on():
            try:
                async with sender(self._dsn) as send:
                    while going_on():
                        await self._some.wait()
                        await send(self._taken())
                        pause = pauses()
                        await asyncio.sleep(SPACING_S)
            except StoreUnavailable as error:
                bear(error, "notify")
                await asyncio.sleep(next(pause))

    def _taken(self) -> list[Hint]:
        self._some.clear()
        hints = [Hint(queue, rank) for queue, rank in self._lowest.items()]
        self._lowest.clear()
        return hints
