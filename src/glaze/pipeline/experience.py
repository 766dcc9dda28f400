"""The rates of each workspace, kept at hand: read from the ledger now and then, never for a row."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from glaze.errors import StoreError
from glaze.model.provider import ProviderSpec
from glaze.model.value import WorkspaceId
from glaze.pipeline.rates import Rates
from glaze.store.history import HistoryStore

log = structlog.get_logger("order")

FRESH_S = 5.0
"""Rates younger than this are not read again."""
SHARE = 0.01
"""Reading takes at most this share of the time: where it takes 200 ms, it happens every 20 s."""


@dataclass(slots=True)
class _Kept:
    rates: Rates
    due: float  # monotonic seconds


class History:
    """What this process knows of its workspaces' history; one query a workspace and refresh."""

    def __init__(
        self,
        store: HistoryStore,
        specs: Sequence[ProviderSpec],
        tasks: asyncio.TaskGroup,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read for ``specs``; refreshing goes on in ``tasks`` while the old rates are used."""
        self._store = store
        self._specs = specs
        self._tasks = tasks
        self._monotonic = monotonic
        self._kept: dict[WorkspaceId, _Kept] = {}
        self._reading: dict[WorkspaceId, asyncio.Lock] = {}

    async def rates(self, workspace_id: WorkspaceId) -> Rates:
        """Return the rates; only the first asker of a workspace waits for them to be read.

        Raises: StoreUnavailable where they were never read.
        """
        kept = self._kept.get(workspace_id)
        if kept is None:
            async with self._reading.setdefault(workspace_id, asyncio.Lock()):
                if workspace_id not in self._kept:
                    await self._read(workspace_id)
            return self._kept[workspace_id].rates
        if self._monotonic() >= kept.due:
            kept.due = float("inf")  # nobody else begins
            self._tasks.create_task(self._refresh(workspace_id, kept))
        return kept.rates

    async def _refresh(self, workspace_id: WorkspaceId, old: _Kept) -> None:
        try:
            await self._read(workspace_id)
        except StoreError as error:
            log.warning("rates could not be read again", error=str(error))
            old.due = self._monotonic() + FRESH_S

    async def _read(self, workspace_id: WorkspaceId) -> None:
        begun = self._monotonic()
        tallies = await self._store.tallies(workspace_id, self._specs)
        rates = Rates(tallies, self._specs)
        ended = self._monotonic()
        due = ended + max(FRESH_S, (ended - begun) / SHARE)
        self._kept[workspace_id] = _Kept(rates, due)
