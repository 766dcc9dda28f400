"""A circuit breaker that the fleet shares: repeated outages stop the asking, one probe resumes it."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from glaze.store.limit import LimitStore, Passage

CLOSED_FOR_S = 1.0
"""How long a look that found the circuit closed is believed."""


class Passing:
    """One call on its way past the breaker; ``wait_s`` over 0.0: it may not go yet."""

    def __init__(self, circuit: "Circuit | None", passage: Passage) -> None:
        """Pass ``circuit`` (None: there is no breaker) as it allowed."""
        self._circuit = circuit
        self._passage = passage
        self.recorded = False

    @property
    def wait_s(self) -> float:
        """The seconds until a call may go, 0.0 where this one may."""
        return self._passage.wait_s

    @property
    def probe(self) -> bool:
        """Whether this is the one call that finds out whether the outage is over."""
        return self._passage.probe

    async def record(self, *, failed: bool, error: str = "") -> None:
        """Count an outage, or forget earlier ones after an answer."""
        self.recorded = True
        if self._circuit:
            await self._circuit.record(failed=failed, probe=self.probe, error=error)

    async def leave(self) -> None:
        """Let another be the probe, where this one was not sent."""
        if self._circuit and self.probe and not self.recorded:
            await self._circuit.unprobed(self._passage)


class Circuit:
    """The breaker of one (provider, base URL), as this process sees it."""

    def __init__(self, store: LimitStore, provider: str, base_url: str) -> None:
        """Share the state with every process on the same database."""
        self._store = store
        self._provider = provider
        self._base_url = base_url
        self._closed_until = 0.0
        self._troubled = True  # until a success was recorded, there may be failures to forget

    async def look(self, *, probe_s: float) -> Passage:
        """Tell whether a call may go; a probe gets ``probe_s`` seconds."""
        begun = time.monotonic()
        if begun < self._closed_until:
            return Passage()
        passage = await self._store.circuit(self._provider, self._base_url, probe_s=probe_s)
        if passage == Passage():  # that a probe may go says nothing of the next call
            self._closed_until = begun + CLOSED_FOR_S
        else:
            self._troubled = True
        return passage

    async def record(self, *, failed: bool, probe: bool, error: str = "") -> None:
        """Count an outage, or forget earlier ones after an answer."""
        if failed:
            self._troubled = True
            self._closed_until = 0.0
            await self._store.circuit_failed(
                self._provider, self._base_url, probe=probe, error=error
            )
        elif self._troubled:
            await self._store.circuit_succeeded(self._provider, self._base_url, probe=probe)
            self._troubled = False

    async def unprobed(self, passage: Passage) -> None:
        """Let another be the probe instead of the one that was to pass by ``passage``."""
        await self._store.circuit_unprobed(self._provider, self._base_url, passage)


@asynccontextmanager
async def passing(circuit: Circuit | None, *, probe_s: float) -> AsyncIterator[Passing]:
    """Pass the breaker; a probe that is not sent in the body leaves its place to the next."""
    passage = await circuit.look(probe_s=probe_s) if circuit else Passage()
    one = Passing(circuit, passage)
    try:
        yield one
    finally:
        await one.leave()
