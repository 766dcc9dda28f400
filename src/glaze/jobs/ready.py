"""Jobs in hand that no slot has taken yet: single jobs before rows of batches."""

import asyncio
from collections import deque
from collections.abc import Iterator

from glaze.model.job import ClaimedJob


class Ready(asyncio.Queue["ClaimedJob | None"]):
    """A queue of claimed jobs; None, behind them all, tells one taker that there will be no more.

    What was claimed ahead may be a fifth of a second of work: somebody who waits for an answer
    does not stand behind it. Each lane is first come, first served.
    """

    # The three methods that ``asyncio.Queue`` leaves to its kinds, as LifoQueue does.

    def _init(self, maxsize: int) -> None:  # noqa: ARG002  bounded by who puts
        self._singles = deque[ClaimedJob]()
        self._rows = deque[ClaimedJob]()
        self._ends = 0

    def _put(self, item: ClaimedJob | None) -> None:
        if item is None:
            self._ends += 1
        else:
            (self._singles if item.batch_id is None else self._rows).append(item)

    def _get(self) -> ClaimedJob | None:
        if self._singles:
            return self._singles.popleft()
        if self._rows:
            return self._rows.popleft()
        self._ends -= 1
        return None

    def qsize(self) -> int:
        """Return how many jobs and ends wait."""
        return len(self._singles) + len(self._rows) + self._ends

    def empty(self) -> bool:
        """Tell whether nothing waits."""
        return not self.qsize()

    def emptied(self) -> Iterator[ClaimedJob]:
        """Take all jobs out."""
        while self._singles or self._rows:
            if job := self.get_nowait():
                yield job
