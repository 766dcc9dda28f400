"""Group commit, and work that outlives its caller: both hand results over through futures."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def hand_over(work: Awaitable[Sequence[R]], futures: Sequence[asyncio.Future[R]]) -> None:
    """Await ``work`` and give each future its result, in order; an error goes to all of them."""
    try:
        results = await work
    except BaseException as error:  # handed over, not swallowed: whoever waits raises it
        _fail(futures, error)
        if not isinstance(error, Exception):
            raise
    else:
        for future, result in zip(futures, results, strict=True):
            if not future.done():
                future.set_result(result)


def _fail(futures: Sequence[asyncio.Future[R]], error: BaseException) -> None:
    """Pass an error on; where the process ends, whoever waits is cancelled as well."""
    for future in futures:
        if not isinstance(error, Exception):
            future.cancel()
        elif not future.done():
            future.set_exception(error)


def detach(tasks: asyncio.TaskGroup, work: Coroutine[None, None, R]) -> asyncio.Future[R]:
    """Run ``work`` to its end in ``tasks``, whatever becomes of the caller; return its future."""
    future: asyncio.Future[R] = asyncio.get_running_loop().create_future()

    async def alone() -> Sequence[R]:
        return [await work]

    tasks.create_task(hand_over(alone(), [future]))
    return future


class Grouped(Generic[T, R]):
    """Calls ``run`` with everything that was submitted while the last run was under way.

    A lone caller waits for nothing; under load the groups grow by themselves. A caller that is
    cancelled does not disturb its group: the step is done, and its result is dropped.
    """

    def __init__(
        self,
        run: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
        tasks: asyncio.TaskGroup,
        *,
        most: int = 200,
    ) -> None:
        """Run groups of at most ``most`` items in ``tasks``; ``run`` answers in order."""
        self._run = run
        self._tasks = tasks
        self._most = most
        self._waiting: deque[tuple[T, asyncio.Future[R]]] = deque()
        self._running = False

    async def __call__(self, item: T) -> R:
        """Add ``item`` to the next group and return its result."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if not self._running:
            self._running = True
            self._tasks.create_task(self._flush())
        return await future

    async def _gather(self) -> None:
        """Let those about to submit join the group: one more turn of the loop while any do."""
        seen = 0
        while seen < len(self._waiting) < self._most:
            seen = len(self._waiting)
            await asyncio.sleep(0)

    async def _flush(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                size = min(self._most, len(self._waiting))
                group = [self._waiting.popleft() for _ in range(size)]
                items, futures = zip(*group, strict=True)
                await hand_over(self._run(items), futures)
        finally:
            self._running = False
