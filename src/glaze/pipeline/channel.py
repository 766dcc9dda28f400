"""How each provider is reached: key, address, limits, breaker, and room for requests under way."""

import asyncio
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from glaze.model.provider import Operation, ProviderSpec, Reply, Verdict
from glaze.model.room import Room, out_of_credits, pause, refused, rooms
from glaze.pipeline.asking import Access
from glaze.pipeline.circuit import Circuit, Passing, passing
from glaze.pipeline.limiter import PATIENCE_S, Limiter
from glaze.pipeline.seats import Seats
from glaze.pipeline.settling import pause_s
from glaze.store.limit import LimitStore, Slots
from glaze.store.seat import Cap

_ACCEPTED = frozenset(
    {
        Verdict.MATCH,
        Verdict.NO_MATCH,
        Verdict.PENDING,
        Verdict.IN_PROGRESS,
        Verdict.BAD_INPUT,
        Verdict.SUPPRESSED,
    }
)
"""Verdicts of a vendor that took the key and had credits for it."""


class Channel:
    """The way from this process to one provider, shared by all who ask it."""

    def __init__(
        self,
        spec: ProviderSpec,
        access: Access,
        limits: LimitStore,
        tasks: asyncio.TaskGroup,
        holder: uuid.UUID,
    ) -> None:
        """Reach the provider of ``spec`` with ``access``, as the process ``holder``."""
        self.access = access
        self.base_url = access.base_url or spec.base_url
        cap = _cap(spec, access, holder, limits.seats.lease_s)
        self._seats = Seats(limits.seats, tasks, cap) if cap else None
        self._room = asyncio.Semaphore(spec.room)
        self._spec = spec
        self._limits = limits
        self._tasks = tasks
        self._limiters: dict[str, Limiter] = {}
        self._own = spec.limits_of(keyed=access.keyed)
        self._key_print = key_print(access)
        self._doubted = True  # until an answer came, there may be something said against the key
        # A site has no breaker: its outage says nothing of the next.
        self._circuit = Circuit(limits, spec.name, self.base_url) if self.base_url else None

    def limiter(self, operation: Operation, *, asks: int) -> Limiter:
        """Return who grants a request of so many asks: its endpoint's windows, else the provider's."""
        name, limits = self._spec.name, self._own
        if operation.bulk_limits and asks > 1:
            name, limits = f"{name}.{operation.name}.bulk", operation.bulk_limits
        elif operation.limits:
            name, limits = f"{name}.{operation.name}", operation.limits
        if name not in self._limiters:
            self._limiters[name] = Limiter(
                self._limits,
                self._tasks,
                Slots(
                    name=name,
                    credential=self.access.credential,
                    limits=tuple(limits),
                    names=tuple(dict.fromkeys((name, self._spec.name))),
                    key_print=self._key_print,
                ),
                patience_s=PATIENCE_S if self._spec.patient else 0.0,
            )
        return self._limiters[name]

    def room(self) -> AbstractAsyncContextManager[None]:
        """Have room for one request under way: of the fleet where that is capped, else of this process.

        Raises: StoreUnavailable where the fleet's room cannot be asked for.
        """
        return self._seats.one() if self._seats else self._room

    @property
    def has_room(self) -> bool:
        """Whether the room that was given is still ours: a process that stood still may have lost it."""
        return self._seats is None or self._seats.held

    def close(self) -> None:
        """Leave the fleet's room to others as soon as what is under way has ended."""
        if self._seats:
            self._seats.close()

    def renew(self, access: Access) -> None:
        """Go on with another key of the same credential: what was said against the last is past."""
        if key_print(access) != self._key_print:
            self.access, self._key_print = access, key_print(access)
            self._limiters.clear()
            self._doubted = True

    def passing(self, *, probe_s: float) -> AbstractAsyncContextManager[Passing]:
        """Pass the breaker with one call; a probe has ``probe_s`` seconds to find out."""
        return passing(self._circuit, probe_s=probe_s)

    async def heard(
        self, limiter: Limiter, replies: Sequence[Reply], headers: Mapping[str, str]
    ) -> None:
        """Keep for the fleet what an answer tells of the room that is left, and of the key."""
        told = [*rooms(headers, self._spec.room_headers)]
        pauses = [pause_s(reply) for reply in replies if reply.verdict is Verdict.RATE_LIMITED]
        if pauses:
            told.append(pause(max(pauses)))
        await limiter.tell(told)
        await self._judge_key(limiter, replies)
        limiter.doubted = False

    async def _judge_key(self, limiter: Limiter, replies: Sequence[Reply]) -> None:
        name, credential = self._spec.name, self.access.credential
        against = next(filter(None, map(self._against, replies)), None)
        if against is not None:
            self._doubted = True
            await self._limits.tell(name, credential, [against])
            return
        doubted = self._doubted or limiter.doubted
        if doubted and any(reply.verdict in _ACCEPTED for reply in replies):
            await self._limits.accepted(limiter.slots)
            self._doubted = False

    def _against(self, reply: Reply) -> Room | None:
        if reply.verdict is Verdict.AUTH:
            return refused(self._key_print)
        return out_of_credits() if reply.verdict is Verdict.OUT_OF_CREDITS else None


class Channels:
    """The channels of one process, by provider and credential, opened on demand."""

    def __init__(self, limits: LimitStore, tasks: asyncio.TaskGroup) -> None:
        """Keep limits and circuits with ``limits``."""
        self._limits = limits
        self._tasks = tasks
        self._holder = uuid.uuid4()
        self._closing = False
        self._open: dict[tuple[str, str], Channel] = {}

    def of(self, spec: ProviderSpec, access: Access) -> Channel:
        """Return the way to the provider of ``spec`` by ``access``."""
        name = (spec.name, access.credential)
        channel = self._open.get(name)
        if channel is None:
            channel = Channel(spec, access, self._limits, self._tasks, self._holder)
            self._open[name] = channel
            if self._closing:
                channel.close()
        channel.renew(access)
        return channel

    def close(self) -> None:
        """Leave the fleet's room to others as soon as what is under way has ended."""
        self._closing = True
        for channel in self._open.values():
            channel.close()


def _cap(spec: ProviderSpec, access: Access, holder: uuid.UUID, lease_s: float) -> Cap | None:
    """Return what of the fleet's room concerns this process, None where nothing caps it."""
    if spec.concurrency is None:
        return None
    return Cap(spec.name, access.credential, holder, spec.concurrency, lease_s)


def key_print(access: Access) -> str:
    """Return what tells a key from another, without telling it; "" for none."""
    if access.key_print or not access.key:
        return access.key_print
    return hashlib.sha256(access.key.encode()).hexdigest()[:8]
