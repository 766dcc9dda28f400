"""Ledger and entities as one process uses them: in groups, each of one workspace."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import stamina
import structlog

from glaze.errors import StoreRefused, StoreUnavailable
from glaze.model.field import EntityKind
from glaze.model.ledger import Doubtful, Grant, Intent, Look, RequestFacts, Settlement, Spend
from glaze.model.observation import Kept
from glaze.model.value import CallId, EntityId, FieldName, JobId, WorkspaceId
from glaze.pipeline.grouping import Grouped
from glaze.pipeline.settling import settle_unsent, unknown
from glaze.store.entity import EntityStore, Keys, Remerge
from glaze.store.ledger import LedgerStore, Sealed
from glaze.store.suppression import Stated

log = structlog.get_logger("books")

SETTLE_FOR_S = 300.0
"""How long a settlement is tried while the database is away; afterwards the call is unknown."""


@dataclass(frozen=True, slots=True)
class Settling:
    """What became of the calls of one request."""

    facts: RequestFacts
    settlements: tuple[Settlement, ...]
    provider_of: Mapping[CallId, str]


Settled = Sequence[Settlement]
"""The settlements as they stand in the ledger."""


@dataclass(frozen=True, slots=True)
class Granted:
    """The grants of one sealed request, and when its transaction began (monotonic seconds)."""

    grants: Sequence[Grant]
    begun: float


@dataclass(frozen=True, slots=True)
class Opened:
    """The entities that an input means, and what is stored of them."""

    entities: Mapping[EntityKind, EntityId]
    kept: Mapping[FieldName, Kept]
    suppressed: bool = False  # about this person nothing is kept or bought


class Books:
    """The books of one workspace: each step serves all who want it at the same time."""

    def __init__(
        self,
        ledger: LedgerStore,
        entities: EntityStore,
        workspace_id: WorkspaceId,
        hash_key: bytes,
        tasks: asyncio.TaskGroup,
    ) -> None:
        """Group, in ``tasks``, what is asked of the stores for this workspace."""
        self.hash_key = hash_key
        self._ledger = ledger
        self._entities = entities
        self._workspace_id = workspace_id
        self.open: Grouped[Keys, Opened] = Grouped(self._open, tasks)
        self.recall: Grouped[Keys, Opened | None] = Grouped(self._recall, tasks)
        self.remerge: Grouped[Remerge, dict[FieldName, Kept]] = Grouped(self._remerge, tasks)
        self.spend: Grouped[JobId, Spend] = Grouped(self._spend, tasks)
        self.look: Grouped[Intent, Look] = Grouped(self._look, tasks)
        self.reserve: Grouped[Sealed, Granted | Doubtful] = Grouped(self._reserve, tasks)
        self._barred_in_group: Grouped[Stated, bool] = Grouped(self._barred, tasks)
        self._settle_in_group: Grouped[Settling, Settled] = Grouped(self._settle, tasks)

    async def settle(self, settling: Settling) -> Settled:
        """Record what became of calls; tried until it stands, for money facts outlive an outage.

        Returns what stands: a settlement that cannot be stored is unknown, and brings nothing.
        """
        async for attempt in stamina.retry_context(
            on=StoreUnavailable, attempts=None, timeout=SETTLE_FOR_S
        ):
            with attempt:
                return await self._settle_in_group(settling)
        raise AssertionError("unreachable: the last failure is raised")

    async def barred(self, stated: Stated) -> bool:
        """Tell whether an answer is about somebody of whom nothing may be kept; tried as settling is."""
        async for attempt in stamina.retry_context(
            on=StoreUnavailable, attempts=None, timeout=SETTLE_FOR_S
        ):
            with attempt:
                return await self._barred_in_group(stated)
        raise AssertionError("unreachable: the last failure is raised")

    async def _barred(self, stated: Sequence[Stated]) -> Sequence[bool]:
        return await self._entities.barred(self._workspace_id, stated)

    async def _open(self, wanted: Sequence[Keys]) -> Sequence[Opened]:
        opened = await self._entities.open(self._workspace_id, wanted)
        return [Opened({}, {}, suppressed=True) if one is None else Opened(*one) for one in opened]

    async def _recall(self, wanted: Sequence[Keys]) -> Sequence[Opened | None]:
        recalled = await self._entities.recall(self._workspace_id, wanted)
        return [None if one is None else Opened(*one) for one in recalled]

    async def _remerge(self, wanted: Sequence[Remerge]) -> Sequence[dict[FieldName, Kept]]:
        return await self._entities.remerge(self._workspace_id, wanted)

    async def _spend(self, jobs: Sequence[JobId]) -> Sequence[Spend]:
        spends = await self._ledger.spend_of_jobs(self._workspace_id, jobs)
        return [spends.get(job, Spend()) for job in jobs]

    async def _look(self, intents: Sequence[Intent]) -> Sequence[Look]:
        return await self._ledger.look(self._workspace_id, intents)

    async def _reserve(self, sealed: Sequence[Sealed]) -> Sequence[Granted | Doubtful]:
        begun = time.monotonic()  # before the commit: a freeze inside it counts too
        granted = await self._ledger.reserve(self._workspace_id, sealed)
        return [one if isinstance(one, Doubtful) else Granted(one, begun) for one in granted]

    async def disown(self, doubtful: Doubtful) -> None:
        """Record that nothing was sent for these intents, should they stand after all.

        Tried as long as a settlement is; left undone, they are overdue some time and unknown.
        """
        if not doubtful.calls:
            return
        try:
            async for attempt in stamina.retry_context(
                on=StoreUnavailable, attempts=None, timeout=SETTLE_FOR_S
            ):
                with attempt:
                    if await self._ledger.committed(doubtful.xid):
                        why = "not sent: the answer to its reservation was lost"
                        unsent = [settle_unsent(call, why) for call in doubtful.calls]
                        await self._write([], unsent, {})
        except Exception:
            log.exception("intents that were not sent stay reserved", calls=doubtful.calls)

    async def _settle(self, group: Sequence[Settling]) -> Sequence[Settled]:
        """Settle a group; a call that its sender and who collected it settle at once takes turns."""
        stand: dict[int, Settled] = {}
        left = dict(enumerate(group))
        while left:
            first = {one.facts.request_id: place for place, one in reversed([*left.items()])}
            turn = [(place, left.pop(place)) for place in sorted(first.values())]
            settled = await self._settle_turn([one for _, one in turn])
            stand |= {place: done for (place, _), done in zip(turn, settled, strict=True)}
        return [stand[place] for place in range(len(group))]

    async def _settle_turn(self, group: Sequence[Settling]) -> Sequence[Settled]:
        try:
            await self._write(
                [one.facts for one in group],
                [settlement for one in group for settlement in one.settlements],
                {call: name for one in group for call, name in one.provider_of.items()},
            )
        except StoreRefused:  # the guilty one must not cost its neighbours their money facts
            return [await self._settle_one_by_one(one) for one in group]
        return [one.settlements for one in group]

    async def _settle_one_by_one(self, settling: Settling) -> Settled:
        """Settle each call by itself; of one that is refused record that its outcome is unknown."""
        stand: list[Settlement] = []
        for settlement in settling.settlements:
            try:
                await self._write([], [settlement], settling.provider_of)
                stand.append(settlement)
            except StoreRefused:
                log.exception("settlement refused", call_id=settlement.call_id)
                stand.append(unknown(settlement, "its answer could not be stored"))
                await self._write([], stand[-1:], settling.provider_of)
        try:
            await self._write([settling.facts], [], {})
        except StoreRefused:
            log.exception("facts of a request refused", request_id=settling.facts.request_id)
            await self._write([RequestFacts(settling.facts.request_id)], [], {})
        return stand

    async def _write(
        self,
        requests: Sequence[RequestFacts],
        settlements: Sequence[Settlement],
        provider_of: Mapping[CallId, str],
    ) -> None:
        overruns = await self._ledger.settle(
            self._workspace_id,
            requests,
            settlements,
            provider_of=provider_of,
            hash_key=self.hash_key,
        )
        for overrun in overruns:
            log.warning("a vendor billed more than was reserved: paused", **asdict(overrun))


class Bookkeeping:
    """The books of every workspace that this process works for."""

    def __init__(
        self, ledger: LedgerStore, entities: EntityStore, tasks: asyncio.TaskGroup
    ) -> None:
        """Open books on demand; their groups run in ``tasks``."""
        self._ledger = ledger
        self._entities = entities
        self._tasks = tasks
        self._books: dict[WorkspaceId, Books] = {}

    async def of(self, workspace_id: WorkspaceId) -> Books:
        """Return the books of a workspace."""
        found = self._books.get(workspace_id)
        if found is None:
            hash_key = await self._ledger.hash_key(workspace_id)
            fresh = Books(self._ledger, self._entities, workspace_id, hash_key, self._tasks)
            found = self._books.setdefault(workspace_id, fresh)  # another may have been quicker
        return found
