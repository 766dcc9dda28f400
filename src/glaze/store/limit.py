"""Rate limits and circuits in the database, so that the whole fleet keeps them together."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from glaze.model.provider import Limit
from glaze.model.room import Cause, Room
from glaze.store.database import Database
from glaze.store.seat import LEASE_S, SeatStore
from glaze.store.statements import statements

_sql = statements("limit")

OPEN_AFTER = 5
"""Failures in a row that open a circuit."""
OPEN_S = 30.0
"""Seconds that a circuit stays open before one probe may go."""
AHEAD_S = 0.25
"""How far ahead a permit is given: who asks again after half of it loses nothing by asking late."""
_LEAST_WAIT_S = 0.01
_APART_S = 0.01
"""How far apart one process's permits are at most: who is held up for a moment is late for few."""


def guard_s(limit: Limit) -> float:
    """Return by how much a window is stretched, in seconds: what it costs to never go over.

    Requests take differently long on their way, so permits a window apart may arrive closer
    together than that.
    """
    if limit.guard_s is not None:
        return limit.guard_s
    return min(3.0, max(0.04, 0.03 * limit.window_s))


def use_within_s(limit: Limit) -> float:
    """Return how long after its moment a permit may be used, in seconds.

    Part of the guard band; what is left of it covers the differences of the way.
    """
    return 0.4 * guard_s(limit)


@dataclass(frozen=True, slots=True)
class Slots:
    """Whose permits are meant: the limits of one endpoint or provider, and the key that pays.

    ``names`` are those under which a vendor's own word may concern it: its own and the provider's.
    """

    name: str
    credential: str
    limits: tuple[Limit, ...]
    names: tuple[str, ...]
    key_print: str = ""  # tells a key from the one before it, for what was said of that one

    @property
    def params(self) -> dict[str, object]:
        """The parameters that every statement takes."""
        return {
            "provider": self.name,
            "credential": self.credential,
            "names": list(self.names),
            "key_print": self.key_print,
        }


@dataclass(frozen=True, slots=True)
class Taken:
    """The moments of the permits that were granted, by the database's clock; if none, the wait.

    ``ahead_s`` is how far each lies ahead of ``asked_at``. Where the vendor's own word is what
    keeps us, ``cause``, ``detail`` and ``until`` say so. ``trying``: what a vendor said has lapsed,
    and the one call that was granted finds out whether it still holds.
    """

    asked_at: datetime
    at: tuple[datetime, ...] = ()
    ahead_s: tuple[float, ...] = ()
    wait_s: float = 0.0
    cause: Cause | None = None
    detail: str = ""
    until: datetime | None = None
    trying: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """Whether a circuit lets a call pass: ``wait_s`` is 0.0 then.

    ``probe_until`` is set where it is the one probe, which has until then.
    """

    wait_s: float = 0.0
    probe_until: datetime | None = None

    @property
    def probe(self) -> bool:
        """Whether this is the one call that finds out whether the outage is over."""
        return self.probe_until is not None


class LimitStore:
    """Slots and seats of (provider, credential), circuits of (provider, base URL)."""

    def __init__(
        self, db: Database, *, open_s: float = OPEN_S, seat_lease_s: float = LEASE_S
    ) -> None:
        """Use the pools of ``db``.

        A circuit stays open for ``open_s`` seconds before it is probed; a process that is heard of
        no more keeps its seats for ``seat_lease_s``.
        """
        self.seats = SeatStore(db, lease_s=seat_lease_s)
        self._db = db
        self._open_s = open_s

    async def declare(self, slots: Slots) -> None:
        """Bring the slots to these limits; calls granted before keep theirs."""
        params = {
            "provider": slots.name,
            "credential": slots.credential,
            "limits": Jsonb([{"window_s": li.window_s, "calls": li.calls} for li in slots.limits]),
        }
        async with self._db.fleet() as conn:
            await conn.execute(_sql["make_slots"], params)
            await conn.execute(_sql["drop_slots"], params)

    async def give_back(self, slots: Slots, at: Sequence[datetime]) -> None:
        """Let others have the permits that were granted for these moments: nothing was sent."""
        params = slots.params | {"windows": _windows(slots), "at": list(at)}
        async with self._db.fleet() as conn:
            await conn.execute(_sql["in_index_order"])
            await conn.execute(_sql["give_back"], params)

    async def take(self, slots: Slots, wanted: int, *, lead_s: float = 0.0) -> Taken:
        """Take up to ``wanted`` permits, none for a moment sooner than ``lead_s`` from now."""
        params = slots.params | {
            "windows": _windows(slots),
            "wanted": wanted,
            "ahead_s": AHEAD_S + lead_s,
            "lead_s": lead_s,
            "apart_s": min(_APART_S, *(li.window_s / li.calls for li in slots.limits)),
        }
        async with self._db.fleet() as conn:
            await conn.execute(_sql["in_index_order"])
            rows = await (await conn.execute(_sql["take"], params)).fetchall()
            granted = [row for row in rows if row["at"] is not None]
            if granted:
                return Taken(
                    asked_at=rows[0]["asked_at"],
                    at=tuple(row["at"] for row in granted),
                    ahead_s=tuple(row["ahead_s"] for row in granted),
                    trying=rows[0]["trying"],
                )
            spans = {"spans": [limit.window_s for limit in slots.limits]}
            cursor = await conn.execute(_sql["next_free"], slots.params | spans)
            (free,) = await cursor.fetchall()
        if free["windows"] < len(slots.limits):  # another process, with other limits, dropped ours
            await self.declare(slots)
        wait_s = (free["wait_s"] or 0.0) - AHEAD_S
        return Taken(
            asked_at=rows[0]["asked_at"],
            wait_s=max(_LEAST_WAIT_S, wait_s),
            cause=Cause(free["cause"]) if free["cause"] else None,
            detail=free["detail"] or "",
            until=free["until"],
        )

    async def tell(self, name: str, credential: str, rooms: Sequence[Room]) -> None:
        """Keep what a vendor said of the room that is left, for the whole fleet."""
        params = {
            "provider": name,
            "credential": credential,
            "rooms": Jsonb([asdict(room) for room in rooms]),
        }
        async with self._db.fleet() as conn:
            await conn.execute(_sql["tell"], params)

    async def accepted(self, slots: Slots) -> None:
        """Forget what was said against a key: the vendor answered with it."""
        params = slots.params
        async with self._db.fleet() as conn:
            await conn.execute(_sql["accepted"], params)

    async def circuit(self, provider: str, base_url: str, *, probe_s: float) -> Passage:
        """Tell whether a call may pass.

        Where an open circuit's time is over, the first to ask becomes the probe; it has
        ``probe_s`` seconds before another may try.
        """
        params = {"provider": provider, "base_url": base_url, "probe_s": probe_s}
        async with self._db.fleet() as conn:
            row = await (await conn.execute(_sql["circuit"], params)).fetchone()
        return Passage(float(row["wait_s"]), row["probe_until"]) if row else Passage()

    async def circuit_failed(
        self, provider: str, base_url: str, *, probe: bool, error: str
    ) -> None:
        """Count a failure; enough of them in a row, or the probe's, open the circuit."""
        params = {"provider": provider, "base_url": base_url, "probe": probe, "error": error}
        params |= {"threshold": OPEN_AFTER, "open_s": self._open_s}
        async with self._db.fleet() as conn:
            await conn.execute(_sql["circuit_failed"], params)

    async def circuit_succeeded(self, provider: str, base_url: str, *, probe: bool) -> None:
        """Forget failures; where the circuit is open only its probe closes it."""
        params = {"provider": provider, "base_url": base_url, "probe": probe}
        async with self._db.fleet() as conn:
            await conn.execute(_sql["circuit_succeeded"], params)

    async def circuit_unprobed(self, provider: str, base_url: str, passage: Passage) -> None:
        """Let another be the probe: this one was not sent. Where another is it already, it stays."""
        params = {"provider": provider, "base_url": base_url, "probe_until": passage.probe_until}
        async with self._db.fleet() as conn:
            await conn.execute(_sql["circuit_unprobed"], params)


def _windows(slots: Slots) -> Jsonb:
    return Jsonb([{"window_s": li.window_s, "guard_s": guard_s(li)} for li in slots.limits])
