"""The ledger as one process uses it: look, reserve and settle in groups, a group a workspace."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import stamina

from glaze.errors import StoreUnavailable
from glaze.model.ledger import Grant, Intent, Look, RequestFacts, Settlement
from glaze.model.value import CallId, WorkspaceId
from glaze.pipeline.grouping import Grouped
from glaze.store.ledger import LedgerStore, Sealed

SETTLE_FOR_S = 300.0
"""How long a settlement is tried while the database is away; afterwards the call is unknown."""


@dataclass(frozen=True, slots=True)
class Settling:
    """What became of the calls of one request."""

    facts: RequestFacts
    settlements: tuple[Settlement, ...]
    provider_of: Mapping[CallId, str]


@dataclass(frozen=True, slots=True)
class Granted:
    """The grants of one sealed request, and when its transaction began (monotonic seconds)."""

    grants: Sequence[Grant]
    begun: float


class Books:
    """The grouped ledger of one workspace."""

    def __init__(
        self,
        ledger: LedgerStore,
        workspace_id: WorkspaceId,
        hash_key: bytes,
        tasks: asyncio.TaskGroup,
    ) -> None:
        """Group what is asked of ``ledger`` for this workspace, in ``tasks``."""
        self.hash_key = hash_key
        self._ledger = ledger
        self._workspace_id = workspace_id
        self.look: Grouped[Intent, Look] = Grouped(self._look, tasks)
        self.reserve: Grouped[Sealed, Granted] = Grouped(self._reserve, tasks)
        self._settle_in_group: Grouped[Settling, None] = Grouped(self._settle, tasks)

    async def settle(self, settling: Settling) -> None:
        """Record what became of calls; tried until it stands, for money facts outlive an outage."""
        async for attempt in stamina.retry_context(
            on=StoreUnavailable, attempts=None, timeout=SETTLE_FOR_S
        ):
            with attempt:
                await self._settle_in_group(settling)

    async def _look(self, intents: Sequence[Intent]) -> Sequence[Look]:
        return await self._ledger.look(self._workspace_id, intents)

    async def _reserve(self, sealed: Sequence[Sealed]) -> Sequence[Granted]:
        begun = time.monotonic()  # before the commit: a freeze inside it counts too
        grants = await self._ledger.reserve(self._workspace_id, sealed)
        return [Granted(one, begun) for one in grants]

    async def _settle(self, group: Sequence[Settling]) -> Sequence[None]:
        provider_of: dict[CallId, str] = {}
        for one in group:
            provider_of |= one.provider_of
        await self._ledger.settle(
            self._workspace_id,
            [one.facts for one in group],
            [settlement for one in group for settlement in one.settlements],
            provider_of=provider_of,
            hash_key=self.hash_key,
        )
        return [None] * len(group)
