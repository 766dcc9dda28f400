"""How each provider is reached: key, address, limits, breaker, and room for requests under way."""

import asyncio
from collections.abc import Mapping

from glaze.model.provider import Operation, ProviderSpec
from glaze.pipeline.asking import Access
from glaze.pipeline.circuit import Circuit
from glaze.pipeline.limiter import PATIENCE_S, Limiter
from glaze.store.limit import LimitStore


class Channel:
    """The way from this process to one provider, shared by all who ask it."""

    def __init__(
        self, spec: ProviderSpec, access: Access, limits: LimitStore, tasks: asyncio.TaskGroup
    ) -> None:
        """Reach the provider of ``spec`` with ``access``."""
        self.access = access
        self.base_url = access.base_url or spec.base_url
        self.room = asyncio.Semaphore(spec.concurrency)
        self._spec = spec
        self._limits = limits
        self._tasks = tasks
        self._limiters: dict[str, Limiter] = {}
        # A site has no breaker: its outage says nothing of the next.
        self._circuit = Circuit(limits, spec.name, self.base_url) if self.base_url else None

    def limiter(self, operation: Operation, *, asks: int) -> Limiter:
        """Return who grants a request of so many asks: its endpoint's windows, else the provider's."""
        name, limits = self._spec.name, self._spec.limits
        if operation.bulk_limits and asks > 1:
            name, limits = f"{name}.{operation.name}.bulk", operation.bulk_limits
        elif operation.limits:
            name, limits = f"{name}.{operation.name}", operation.limits
        if name not in self._limiters:
            self._limiters[name] = Limiter(
                self._limits,
                self._tasks,
                provider=name,
                credential=self.access.credential,
                limits=limits,
                patience_s=PATIENCE_S if self._spec.patient else 0.0,
            )
        return self._limiters[name]

    async def closed_for_s(self, *, probe_s: float) -> float:
        """Return how long the breaker keeps calls back, in seconds; 0.0 where one may go."""
        return await self._circuit.wait_s(probe_s=probe_s) if self._circuit else 0.0

    async def record(self, *, failed: bool) -> None:
        """Tell the breaker how a call ended."""
        if self._circuit:
            await self._circuit.record(failed=failed)


class Channels:
    """The channels of one process, opened on demand."""

    def __init__(
        self, access: Mapping[str, Access], limits: LimitStore, tasks: asyncio.TaskGroup
    ) -> None:
        """Reach providers with ``access``, by name; one that is not in it needs no key."""
        self._access = access
        self._limits = limits
        self._tasks = tasks
        self._open: dict[str, Channel] = {}

    def of(self, spec: ProviderSpec) -> Channel:
        """Return the way to the provider of ``spec``."""
        if spec.name not in self._open:
            access = self._access.get(spec.name, Access())
            self._open[spec.name] = Channel(spec, access, self._limits, self._tasks)
        return self._open[spec.name]
