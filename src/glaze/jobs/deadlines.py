"""Deadlines of jobs: most are over long before theirs, and a timer costs more than they do."""

import asyncio

_YOUNG_S = 1.0
"""A deadline is armed once the job has lasted about this long."""


class Deadlines:
    """Makes timeouts of one event loop, armed all together once a second."""

    def __init__(self) -> None:
        """Start without any."""
        self._unarmed: dict[asyncio.Timeout, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def open(self, seconds: float) -> asyncio.Timeout:
        """Return a timeout to enter at once, and to close after leaving it."""
        if seconds <= _YOUNG_S:
            return asyncio.timeout(seconds)
        loop = asyncio.get_running_loop()
        timeout = asyncio.timeout(None)
        self._unarmed[timeout] = loop.time() + seconds
        if self._timer is None:
            self._timer = loop.call_later(_YOUNG_S, self._arm)
        return timeout

    def close(self, timeout: asyncio.Timeout) -> None:
        """Forget a timeout that was left."""
        self._unarmed.pop(timeout, None)

    def _arm(self) -> None:
        self._timer = None
        unarmed, self._unarmed = self._unarmed, {}
        for timeout, when in unarmed.items():
            timeout.reschedule(when)
