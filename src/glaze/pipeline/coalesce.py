"""Single questions from many jobs fill one bulk request."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from glaze.pipeline.grouping import hand_over

T = TypeVar("T")
R = TypeVar("R")

LINGER_S = 0.025
"""How long the first question of a bulk waits for company: the latency that coalescing adds."""


class _Bulk(Generic[T, R]):
    """The questions that will travel together."""

    def __init__(self) -> None:
        self.items: list[T] = []
        self.futures: list[asyncio.Future[R]] = []
        self.full = asyncio.Event()


class Coalescer(Generic[T, R]):
    """Collects items of one lane until there are enough, or the first has waited ``LINGER_S``."""

    def __init__(
        self, send: Callable[[Sequence[T]], Awaitable[Sequence[R]]], tasks: asyncio.TaskGroup
    ) -> None:
        """Send each bulk by ``send``, which answers in order, in a task of ``tasks``."""
        self._send = send
        self._tasks = tasks
        self._open: dict[Hashable, _Bulk[T, R]] = {}

    async def add(self, lane: Hashable, item: T, *, most: int) -> R:
        """Let ``item`` travel in the lane's next bulk of at most ``most``; return its result."""
        bulk = self._open.get(lane)
        if bulk is None:
            bulk = self._open[lane] = _Bulk()
            self._tasks.create_task(self._depart(lane, bulk))
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        bulk.items.append(item)
        bulk.futures.append(future)
        if len(bulk.items) >= most:
            del self._open[lane]
            bulk.full.set()
        return await future

    async def _depart(self, lane: Hashable, bulk: _Bulk[T, R]) -> None:
        try:
            async with asyncio.timeout(LINGER_S):
                await bulk.full.wait()
        except TimeoutError:
            if self._open.get(lane) is bulk:
                del self._open[lane]  # nobody else came: it goes as it is
        await hand_over(self._send(bulk.items), bulk.futures)
