"""Rate limits and circuits in the database, so that the whole fleet keeps them together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from glaze.model.provider import Limit
from glaze.store.database import Database
from glaze.store.statements import statements

_sql = statements("limit")

OPEN_AFTER = 5
"""Failures in a row that open a circuit."""
OPEN_S = 30.0
"""Seconds that a circuit stays open before one probe may go."""
_LEAST_WAIT_S = 0.01


def allowance_s(limit: Limit) -> float:
    """Return how long after its grant a permit may be used: the window is stretched by it.

    3 % of the window, at least 50 ms and at most 1 s: what the way from grant to wire may take.
    """
    return min(1.0, max(0.05, 0.03 * limit.window_s))


@dataclass(frozen=True, slots=True)
class Taken:
    """How many permits were granted and when, by the database's clock; if none, how long to wait."""

    granted: int
    at: datetime
    wait_s: float = 0.0


class LimitStore:
    """Slots of (provider, credential), circuits of (provider, base URL)."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def declare(self, provider: str, credential: str, limits: Sequence[Limit]) -> None:
        """Bring the slots to these limits; calls granted before keep theirs."""
        params = {
            "provider": provider,
            "credential": credential,
            "limits": Jsonb([{"window_s": li.window_s, "calls": li.calls} for li in limits]),
        }
        async with self._db.fleet() as conn:
            await conn.execute(_sql["make_slots"], params)
            await conn.execute(_sql["drop_slots"], params)

    async def take(
        self, provider: str, credential: str, limits: Sequence[Limit], wanted: int
    ) -> Taken:
        """Take up to ``wanted`` permits that every window has free."""
        who = {"provider": provider, "credential": credential}
        windows = Jsonb(
            [{"window_s": li.window_s, "allowance_s": allowance_s(li)} for li in limits]
        )
        async with self._db.fleet() as conn:
            await conn.execute(_sql["in_index_order"])
            cursor = await conn.execute(_sql["take"], who | {"windows": windows, "wanted": wanted})
            (taken,) = await cursor.fetchall()
            if taken["granted"]:
                return Taken(taken["granted"], taken["at"])
            cursor = await conn.execute(
                _sql["next_free"], who | {"spans": [limit.window_s for limit in limits]}
            )
            (free,) = await cursor.fetchall()
        if free["windows"] < len(limits):  # another process, with other limits, dropped ours
            await self.declare(provider, credential, limits)
        return Taken(0, taken["at"], max(_LEAST_WAIT_S, free["wait_s"] or 0.0))

    async def hold_back(self, provider: str, credential: str, wait_s: float) -> None:
        """Grant nothing for ``wait_s`` seconds: the vendor asked for it."""
        async with self._db.fleet() as conn:
            await conn.execute(
                _sql["hold_back"],
                {"provider": provider, "credential": credential, "wait_s": wait_s},
            )

    async def circuit_wait_s(self, provider: str, base_url: str, *, probe_s: float) -> float:
        """Return 0.0 where a call may go, else the seconds until it may be worth asking.

        Where an open circuit's time is over, the first to ask becomes the probe and gets 0.0; it
        has ``probe_s`` seconds before another may try.
        """
        params = {"provider": provider, "base_url": base_url, "probe_s": probe_s}
        async with self._db.fleet() as conn:
            row = await (await conn.execute(_sql["circuit"], params)).fetchone()
        return float(row["wait_s"]) if row else 0.0

    async def circuit_failed(self, provider: str, base_url: str) -> None:
        """Count a failure; enough of them in a row open the circuit."""
        async with self._db.fleet() as conn:
            await conn.execute(
                _sql["circuit_failed"],
                {
                    "provider": provider,
                    "base_url": base_url,
                    "threshold": OPEN_AFTER,
                    "open_s": OPEN_S,
                },
            )

    async def circuit_succeeded(self, provider: str, base_url: str) -> None:
        """Close the circuit and forget its failures."""
        async with self._db.fleet() as conn:
            await conn.execute(
                _sql["circuit_succeeded"], {"provider": provider, "base_url": base_url}
            )
