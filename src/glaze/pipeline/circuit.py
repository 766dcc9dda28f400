"""A circuit breaker that the fleet shares: repeated outages stop the asking, one probe resumes it."""

import time

from glaze.store.limit import LimitStore

CLOSED_FOR_S = 1.0
"""How long a look that found the circuit closed is believed."""


class Circuit:
    """The breaker of one (provider, base URL), as this process sees it."""

    def __init__(self, store: LimitStore, provider: str, base_url: str) -> None:
        """Share the state with every process on the same database."""
        self._store = store
        self._provider = provider
        self._base_url = base_url
        self._closed_until = 0.0
        self._troubled = True  # until a success was recorded, there may be failures to forget

    async def wait_s(self, *, probe_s: float) -> float:
        """Return 0.0 where a call may go, else the seconds until one may; a probe gets ``probe_s``."""
        if time.monotonic() < self._closed_until:
            return 0.0
        wait_s = await self._store.circuit_wait_s(self._provider, self._base_url, probe_s=probe_s)
        if wait_s == 0.0:
            self._closed_until = time.monotonic() + CLOSED_FOR_S
        else:
            self._troubled = True
        return wait_s

    async def record(self, *, failed: bool) -> None:
        """Count an outage, or forget earlier ones after an answer."""
        if failed:
            self._troubled = True
            self._closed_until = 0.0
            await self._store.circuit_failed(self._provider, self._base_url)
        elif self._troubled:
            await self._store.circuit_succeeded(self._provider, self._base_url)
            self._troubled = False
