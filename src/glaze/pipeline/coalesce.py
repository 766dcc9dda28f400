"""Single questions from many jobs fill one bulk request."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from glaze.pipeline.grouping import hand_over

T = TypeVar("T")
R = TypeVar("R")

LINGER_S = 0.025
"""How long a bulk waits for another question after the last one came."""
LONGEST_S = 0.1
"""How long its first question waits at most: the latency that coalescing adds, whatever comes."""


class _Bulk(Generic[T, R]):
    """The questions that will travel together."""

    def __init__(self, linger_s: float, longest_s: float) -> None:
        self.linger_s, self.longest_s = linger_s, longest_s
        self.items: list[T] = []
        self.futures: list[asyncio.Future[R]] = []
        self.full = asyncio.Event()
        self.begun = self.latest = time.monotonic()

    @property
    def patience_s(self) -> float:
        """For how long it still waits for company, in seconds; not above 0 where it is to go."""
        return min(self.latest + self.linger_s, self.begun + self.longest_s) - time.monotonic()


class Coalescer(Generic[T, R]):
    """Collects items of one lane until there are enough, or no more come.

    A lone item goes after ``linger_s``; while others keep coming, the first waits ``longest_s``.
    """

    def __init__(
        self, send: Callable[[Sequence[T]], Awaitable[Sequence[R]]], tasks: asyncio.TaskGroup
    ) -> None:
        """Send each bulk by ``send``, which answers in order, in a task of ``tasks``."""
        self._send = send
        self._tasks = tasks
        self._open: dict[Hashable, _Bulk[T, R]] = {}

    async def add(
        self,
        lane: Hashable,
        item: T,
        *,
        most: int,
        linger_s: float = LINGER_S,
        longest_s: float = LONGEST_S,
    ) -> R:
        """Let ``item`` travel in the lane's next bulk of at most ``most``; return its result."""
        bulk = self._open.get(lane)
        if bulk is None:
            bulk = self._open[lane] = _Bulk(linger_s, longest_s)
            self._tasks.create_task(self._depart(lane, bulk))
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        bulk.latest = time.monotonic()
        bulk.items.append(item)
        bulk.futures.append(future)
        if len(bulk.items) >= most:
            del self._open[lane]
            bulk.full.set()
        return await future

    async def _depart(self, lane: Hashable, bulk: _Bulk[T, R]) -> None:
        while not bulk.full.is_set() and (wait_s := bulk.patience_s) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await bulk.full.wait()
        if self._open.get(lane) is bulk:
            del self._open[lane]  # nobody else came: it goes as it is
        await hand_over(self._send(bulk.items), bulk.futures)
