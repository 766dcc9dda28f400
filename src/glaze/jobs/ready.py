"""Jobs in hand that no slot has taken yet: single jobs before rows of batches."""

import asyncio
from collections.abc import Iterator
from itertools import count

from glaze.model.job import ClaimedJob

_SINGLE, _ROW, _END = range(3)


class Ready:
    """A queue of claimed jobs. Each lane is first come, first served.

    What was claimed ahead may be a fifth of a second of work: somebody who waits for an answer
    does not stand behind it.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._queue: asyncio.PriorityQueue[tuple[int, int, ClaimedJob | None]] = (
            asyncio.PriorityQueue()
        )
        self._numbers = count()

    def put(self, job: ClaimedJob) -> None:
        """Add a job."""
        lane = _SINGLE if job.batch_id is None else _ROW
        self._queue.put_nowait((lane, next(self._numbers), job))

    def put_end(self) -> None:
        """Let one taker know, once there are no jobs, that there will be no more."""
        self._queue.put_nowait((_END, next(self._numbers), None))

    async def get(self) -> ClaimedJob | None:
        """Return the next job, or None at the end."""
        return (await self._queue.get())[-1]

    def emptied(self) -> Iterator[ClaimedJob]:
        """Take all jobs out."""
        while not self._queue.empty():
            if job := self._queue.get_nowait()[-1]:
                yield job

    def qsize(self) -> int:
        """Return how many jobs wait."""
        return self._queue.qsize()
