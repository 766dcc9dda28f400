"""Permits to call a provider: fleet-wide windows, taken for all who wait here at once."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from glaze.model.provider import Limit
from glaze.pipeline.grouping import Grouped
from glaze.store.limit import LimitStore, allowance_s

PATIENCE_S = 2.0
"""Longer than this nobody waits in place: the job's slot goes to another."""


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to send one request, until ``good_until`` (a reading of ``time.monotonic()``)."""

    good_until: float


@dataclass(frozen=True, slots=True)
class Wait:
    """No permit within patience; ``wait_s`` seconds until there may be one."""

    wait_s: float


class Limiter:
    """Grants permits of one (provider, credential)."""

    def __init__(
        self,
        store: LimitStore,
        tasks: asyncio.TaskGroup,
        *,
        provider: str,
        credential: str,
        limits: Sequence[Limit],
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Keep ``limits`` together with every other process on the same database.

        ``patience_s`` is how long an asker waits in place for a permit.
        """
        self._store = store
        self._provider = provider
        self._credential = credential
        self._limits = tuple(limits)
        self._patience_s = patience_s
        self._allowance_s = min((allowance_s(limit) for limit in limits), default=0.0)
        self._declared = False
        self._take = Grouped(self._take_together, tasks, most=1000)

    async def permit(self) -> Permit | Wait:
        """Return a permit, waiting for it at most as long as patience lasts."""
        if not self._limits:
            return Permit(float("inf"))
        patience = time.monotonic() + self._patience_s
        while True:
            got = await self._take(None)
            if isinstance(got, Permit):
                return got
            if time.monotonic() + got.wait_s > patience:
                return got
            await asyncio.sleep(got.wait_s)  # nothing but time frees a slot

    async def hold_back(self, wait_s: float) -> None:
        """Grant nothing for ``wait_s`` seconds, in the whole fleet: the vendor asked for it."""
        if self._limits:
            await self._store.hold_back(self._provider, self._credential, wait_s)

    async def _take_together(self, waiting: Sequence[None]) -> Sequence[Permit | Wait]:
        if not self._declared:
            await self._store.declare(self._provider, self._credential, self._limits)
            self._declared = True
        begun = time.monotonic()  # before the grant: the allowance counts from it
        taken = await self._store.take(self._provider, self._credential, self._limits, len(waiting))
        permit = Permit(begun + self._allowance_s)
        wait = Wait(taken.wait_s)
        return [permit if i < taken.granted else wait for i in range(len(waiting))]
