"""How often each may ask: a moving window in memory, exact, at the cost of one number a request."""

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import NamedTuple


class Paced(NamedTuple):
    """Whether one more was let in, how many more would be now, and when the oldest falls out, in seconds."""

    allowed: bool
    left: int
    reset_s: float


class Pace:
    """Lets each in ``most`` times in any ``window_s`` seconds; one who is refused takes no room."""

    def __init__(self, most: int, window_s: float, clock: Callable[[], float]) -> None:
        """``clock`` gives seconds that never run backwards."""
        self.most = most
        self._window_s = window_s
        self._clock = clock
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def hit(self, whose: str) -> Paced:
        """Count one request of theirs."""
        now = self._clock()
        self._forget(now)
        seen = self._seen.setdefault(whose, deque())
        while seen and seen[0] <= now - self._window_s:
            seen.popleft()
        allowed = len(seen) < self.most
        if allowed:
            seen.append(now)
            self._seen.move_to_end(whose)
        return Paced(allowed, self.most - len(seen), seen[0] + self._window_s - now)

    def _forget(self, now: float) -> None:
        """Let go of one who was not let in for a whole window: who was so longest ago comes first."""
        if self._seen:
            whose, seen = next(iter(self._seen.items()))
            if seen[-1] <= now - self._window_s:
                del self._seen[whose]
