"""Permits to call a provider: fleet-wide windows, taken for all who wait here at once."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from glaze.model.room import GOES_ON, Cause, Room
from glaze.pipeline.grouping import Grouped
from glaze.store.limit import AHEAD_S, LimitStore, Slots, use_within_s

PATIENCE_S = 2.0
"""Longer than this nobody waits in place: the job's slot goes to another."""
_DRIFT = 1e-3
"""How fast the two clocks may come apart, at most: a millisecond a second."""
_LONGEST_LEAD_S = 0.5
_SOONER = 0.1
"""Which part of the time that was left the next permits lie sooner."""


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to send one request, between two readings of ``time.monotonic()``.

    ``at`` is its moment by the database's clock, None where there is no limit; it was asked to lie
    ``lead_s`` seconds ahead.
    """

    good_from: float
    good_until: float
    at: datetime | None = None
    lead_s: float = 0.0


UNLIMITED = Permit(float("-inf"), float("inf"))


@dataclass(frozen=True, slots=True)
class Wait:
    """No permit within patience; ``wait_s`` seconds until there may be one, and the vendor's word."""

    wait_s: float
    cause: Cause | None = None
    detail: str = ""
    until: datetime | None = None

    @property
    def goes_on(self) -> bool:
        """Whether nobody is to wait for it."""
        return self.cause in GOES_ON


class DatabaseClock:
    """Where the database's clock stands on this process's own, between two bounds.

    Each exchange bounds it; the bounds of several are narrower than the slowest of them.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self._low, self._high = float("-inf"), float("inf")
        self._as_of = 0.0

    def seen(self, at: datetime, begun: float, ended: float) -> tuple[float, float]:
        """Return the bounds of ``at`` as readings of ``time.monotonic()``.

        It was read between ``begun`` and ``ended``.
        """
        moment = at.timestamp()
        drift = _DRIFT * (ended - self._as_of)
        low = max(begun - moment, self._low - drift)
        high = min(ended - moment, self._high + drift)
        if low > high:  # that clock was set anew
            low, high = begun - moment, ended - moment
        self._low, self._high, self._as_of = low, high, ended
        return moment + low, moment + high


class Limiter:
    """Grants permits of one (provider or endpoint, credential)."""

    def __init__(
        self,
        store: LimitStore,
        tasks: asyncio.TaskGroup,
        slots: Slots,
        *,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Keep ``slots`` together with every other process on the same database.

        ``patience_s`` is how long an asker waits in place for a permit.
        """
        self.slots = slots
        self.doubted = False  # something was said against the vendor's room that may not hold
        self._store = store
        self._patience_s = patience_s
        self._use_within_s = min(map(use_within_s, slots.limits), default=0.0)
        self._declared = False
        self._clock = DatabaseClock()
        self._lead_s = 0.0
        self._take = Grouped(self._take_together, tasks, most=1000)
        self._give_back = Grouped(self._give_back_together, tasks, most=1000)
        self._tell = Grouped(self._tell_together, tasks, most=1000)

    async def permit(self) -> Permit | Wait:
        """Return a permit, waiting for one at most as long as patience lasts."""
        if not self.slots.limits:
            return UNLIMITED
        patience = time.monotonic() + self._patience_s
        while True:
            got = await self._take(None)
            if isinstance(got, Permit) or got.goes_on:
                return got
            if time.monotonic() + got.wait_s > patience:
                return got
            # Nothing but time frees a slot; those of the next moments are given ahead.
            await asyncio.sleep(max(got.wait_s, AHEAD_S / 2))

    async def ready(self, permit: Permit) -> bool:
        """Wait for the permit's moment; tell whether it can be used, or came too late.

        Where it took too long to come here, connecting included, the next permits are given for a
        little later; where there was time left, for a little sooner.
        """
        now = time.monotonic()
        late_s = now - permit.good_until
        if late_s > 0:
            needed_s = permit.lead_s + late_s + self._use_within_s
            self._lead_s = min(_LONGEST_LEAD_S, max(self._lead_s, needed_s))
        else:
            self._lead_s = max(0.0, self._lead_s - _SOONER * max(0.0, permit.good_from - now))
        await asyncio.sleep(permit.good_from - now)
        return time.monotonic() <= permit.good_until

    async def give_back(self, permit: Permit) -> None:
        """Let another have a permit with which nothing was sent."""
        if permit.at is not None:
            await self._give_back(permit.at)

    async def tell(self, rooms: Sequence[Room]) -> None:
        """Let the whole fleet keep to what the vendor said, where our own limits are wider."""
        told = [room for room in rooms if self._binds(room)]
        if self.doubted:  # what was said before is replaced by what no longer binds us
            told += [replace(room, probe_s=None) for room in rooms if not self._binds(room)]
        if told and self.slots.limits:
            await self._tell(told)

    def _binds(self, room: Room) -> bool:
        """Tell whether our own limits would let more calls pass than the vendor has room for."""
        most = min(
            (limit.calls * (1 + room.wait_s // limit.window_s) for limit in self.slots.limits),
            default=0,
        )
        return room.calls_left < most

    async def _give_back_together(self, moments: Sequence[datetime]) -> Sequence[None]:
        await self._store.give_back(self.slots, moments)
        return [None] * len(moments)

    async def _tell_together(self, told: Sequence[Sequence[Room]]) -> Sequence[None]:
        least: dict[tuple[Cause, str], Room] = {}
        for room in (room for rooms in told for room in rooms):
            known = least.setdefault((room.cause, room.span), room)
            if (room.calls_left, -room.wait_s) < (known.calls_left, -known.wait_s):
                least[room.cause, room.span] = room
        await self._store.tell(self.slots.name, self.slots.credential, [*least.values()])
        return [None] * len(told)

    async def _take_together(self, waiting: Sequence[None]) -> Sequence[Permit | Wait]:
        if not self._declared:
            await self._store.declare(self.slots)
            self._declared = True
        begun = time.monotonic()
        lead_s = self._lead_s
        taken = await self._store.take(self.slots, len(waiting), lead_s=lead_s)
        asked = self._clock.seen(taken.asked_at, begun, time.monotonic())
        permits = [
            self._permit(asked, ahead_s, at, lead_s)
            for ahead_s, at in zip(taken.ahead_s, taken.at, strict=True)
        ]
        wait = Wait(taken.wait_s, taken.cause, taken.detail, taken.until)
        self.doubted = self.doubted or taken.trying or wait.goes_on
        return [permits[i] if i < len(permits) else wait for i in range(len(waiting))]

    def _permit(
        self, asked: tuple[float, float], ahead_s: float, at: datetime, lead_s: float
    ) -> Permit:
        early, late = asked
        return Permit(late + ahead_s, early + ahead_s + self._use_within_s, at, lead_s)
