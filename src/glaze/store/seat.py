"""Seats: calls under way at one vendor, counted in the database for the whole fleet."""

from dataclasses import dataclass
from uuid import UUID

from glaze.store.database import Connection, Database
from glaze.store.statements import statements

_sql = statements("seat")

LEASE_S = 20.0
"""How long a silent process keeps its seats, in seconds, where nothing else is said."""
CLAIM_S = 1.5
"""How long it is believed that a process wants seats, in seconds: it says so more often."""


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``most`` calls under way at one provider by one credential, as one process sees it."""

    provider: str
    credential: str
    holder: UUID  # the process
    most: int
    lease_s: float  # until seats come free whose holder is heard of no more


@dataclass(frozen=True, slots=True)
class Shared:
    """What a process holds after it asked for seats, and whether it is to let some go."""

    held: int
    share: int  # how many it may keep, as long as others have less and there are none left for them
    crowded: bool  # there are fewer seats than processes, and one that waits has none


class SeatStore:
    """Seats of (provider, credential)."""

    def __init__(self, db: Database, *, lease_s: float = LEASE_S) -> None:
        """Use the pools of ``db``; renewals take the reserved lane.

        ``lease_s`` is for how many seconds a process that is heard of no more keeps its seats.
        """
        self.lease_s = lease_s
        self._db = db

    async def declare(self, cap: Cap) -> None:
        """Bring the seats to the cap; who holds one over it keeps it until its lease ends."""
        async with self._db.fleet() as conn:
            for statement in ("make", "drop", "forget"):
                await conn.execute(_sql[statement], _params(cap))

    async def share(self, cap: Cap, *, keep: int, wanted: int, last: bool = False) -> Shared:
        """Renew ``keep`` of the seats that this process holds, let go of the others, take some more.

        ``wanted`` is how many it could use now, those it keeps among them; 0: it wants none any
        more. ``last``: it had its turn, and goes behind all that wait.
        """
        params = _params(cap) | {"keep": keep, "wanted": wanted, "last": last}
        async with self._db.fleet(reserved=True) as conn:
            row = await _shared(conn, params)
            if row["seats"] < cap.most:  # another process, with a lower cap, dropped ours
                await conn.execute(_sql["make"], params)
        return Shared(row["held"], row["share"], bool(row["crowded"]))


async def _shared(conn: Connection, params: dict[str, object]) -> dict[str, int]:
    row = await (await conn.execute(_sql["share"], params)).fetchone()
    if row is None:
        raise LookupError("sharing seats returned no row")
    return row


def _params(cap: Cap) -> dict[str, object]:
    return {
        "provider": cap.provider,
        "credential": cap.credential,
        "holder": cap.holder,
        "most": cap.most,
        "lease_s": cap.lease_s,
        "claim_s": CLAIM_S,
    }
