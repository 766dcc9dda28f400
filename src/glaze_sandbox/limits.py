"""Rate limits as vendors enforce them: a sliding window for each credential."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

MonotonicClock = Callable[[], float]


class LimitSpec(BaseModel):
    """At most ``calls`` requests of one credential in any ``window_s`` seconds."""

    model_config = ConfigDict(extra="forbid")

    vendor: str
    calls: int = Field(ge=0)
    window_s: float = Field(gt=0)
    path_prefix: str = "/"


@dataclass(frozen=True, slots=True)
class Left:
    """What one credential may still send in one window, and when that window ends."""

    calls: int
    left: int
    window_s: float
    reset_s: float


class RateLimits:
    """The limits in force, who came close, and who went over."""

    def __init__(self, clock: MonotonicClock) -> None:
        """``clock`` gives seconds that never run backwards."""
        self._clock = clock
        self.specs: list[LimitSpec] = []
        self._seen: defaultdict[tuple[int, str], deque[float]] = defaultdict(deque)
        self.violations: Counter[str] = Counter()
        self.peaks: Counter[str] = Counter()  # most calls admitted in one window, by vendor

    def replace(self, specs: list[LimitSpec]) -> None:
        """Put ``specs`` in force and forget every window."""
        self.specs = specs
        self._seen.clear()

    def forget(self) -> None:
        """Clear the counters; the limits stay."""
        self._seen.clear()
        self.violations.clear()
        self.peaks.clear()

    def admit(self, vendor: str, api_key: str, path: str) -> float | None:
        """Count one call; None admits it, a number is the seconds until there is room again.

        A refused call takes no room in any window.
        """
        windows: list[deque[float]] = []
        now = self._clock()
        for index, spec in enumerate(self.specs):
            if spec.vendor != vendor or not path.startswith(spec.path_prefix):
                continue
            window = self._seen[(index, api_key)]
            while window and window[0] <= now - spec.window_s:
                window.popleft()
            if len(window) >= spec.calls:
                self.violations[vendor] += 1
                return (window[0] + spec.window_s - now) if window else spec.window_s
            windows.append(window)
        for window in windows:
            window.append(now)
            self.peaks[vendor] = max(self.peaks[vendor], len(window))
        return None

    def room(self, vendor: str, api_key: str) -> tuple[int, int, float] | None:
        """Return (calls, used, window_s) of the first limit on ``vendor``, None for no limit."""
        for index, spec in enumerate(self.specs):
            if spec.vendor == vendor:
                return spec.calls, len(self._seen[(index, api_key)]), spec.window_s
        return None

    def lefts(self, vendor: str, api_key: str) -> list[Left]:
        """Return what is left of every limit on ``vendor``, the shortest window first."""
        now, found = self._clock(), []
        for index, spec in enumerate(self.specs):
            if spec.vendor == vendor:
                seen = [at for at in self._seen[(index, api_key)] if at > now - spec.window_s]
                reset_s = seen[0] + spec.window_s - now if seen else spec.window_s
                left = max(0, spec.calls - len(seen))
                found.append(Left(spec.calls, left, spec.window_s, reset_s))
        return sorted(found, key=lambda one: one.window_s)
