"""How a workspace stands at a glance: what ended and was spent over time, and what wants somebody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from glaze.model.value import Micros, WorkspaceId
from glaze.store.attempt import Row
from glaze.store.database import Connection, Database
from glaze.store.statements import statements

_sql = statements("overview")

MOST_JOBS = 10_000
"""So many jobs are read in all; a slot with more than its share is extrapolated from its latest."""
MOST_CALLS = 10_000
"""So many of the latest calls are read."""
MOST = 1_000
"""Nothing else is counted further."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Single jobs that ended in a slot of time that begins ``at``, by state."""

    at: datetime
    completed: int
    partial: int
    failed: int
    dead: int
    cancelled: int
    about: bool  # extrapolated from the latest of the slot


@dataclass(frozen=True, slots=True)
class Spent:
    """What the calls cost that were made in a slot of time."""

    at: datetime
    calls: int
    settled_micros: Micros


@dataclass(frozen=True, slots=True)
class Failing:
    """An endpoint that is not reached; ``why`` it was disabled for it, None: it still listens."""

    id: int
    url: str
    failing_since: datetime | None
    why: str | None


@dataclass(frozen=True, slots=True)
class Overview:
    """How a workspace stands. Money in micros, counts up to ``MOST``."""

    jobs: Sequence[Slot]
    spent: Sequence[Spent]  # slots without calls are left out
    spent_since: datetime | None  # calls before it were not read; None: all were
    reserved_micros: Micros  # for calls under way
    unknown_micros: Micros  # for calls of unknown outcome
    unknown_calls: int
    oldest_s: float | None  # how long the oldest pending job has been due
    dead: int
    failing: Sequence[Failing]


class OverviewStore:
    """Looks in the order of indexes, and no further than bounds."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def look(
        self, workspace_id: WorkspaceId, begin: datetime, slot: timedelta, slots: int, now: datetime
    ) -> Overview:
        """Return how the workspace stands, with what ended in each of ``slots`` from ``begin`` on (aware)."""
        share = MOST_JOBS // slots
        times = {"begin": begin, "end": begin + slot * slots, "slot": slot}
        most = {"most": MOST}
        async with self._db.workspace(workspace_id) as conn:
            ended = await _rows(conn, "ended", {**times, "most": share})
            spent = await _rows(conn, "spent", {**times, "most": MOST_CALLS})
            [committed] = await _rows(conn, "committed", most)
            [waiting] = await _rows(conn, "waiting", most)
            [dead] = await _rows(conn, "dead", most)
            failing = await _rows(conn, "failing", {})
        since = spent[0]["oldest"] if spent else None
        return Overview(
            jobs=[_slot(row, slot, share, now) for row in ended],
            spent=[Spent(row["at"], row["calls"], row["settled_micros"]) for row in spent],
            spent_since=since if since is not None and since > begin else None,
            oldest_s=waiting["oldest_s"],
            dead=dead["jobs"],
            failing=[Failing(**row) for row in failing],
            **committed,
        )

    async def paused_queues(self) -> Mapping[str, datetime]:
        """Return the queues that hand out nothing, and since when."""
        async with self._db.fleet() as conn:
            rows = await _rows(conn, "paused", {})
        return {row["name"]: row["paused_at"] for row in rows}


def _slot(row: Row, slot: timedelta, share: int, now: datetime) -> Slot:
    """Return a slot; one that was not read to its begin is taken to have gone on as at its end."""
    states = ("completed", "partial", "failed", "dead", "cancelled")
    scale = 1.0
    if row["jobs"] == share:
        end = min(now, row["at"] + slot)
        seen = max((end - row["oldest"]).total_seconds(), 0.001)
        scale = max(1.0, (end - row["at"]).total_seconds() / seen)
    counts = {name: round(row[name] * scale) for name in states}
    return Slot(at=row["at"], about=row["jobs"] == share, **counts)


async def _rows(conn: Connection, name: str, params: Mapping[str, object]) -> list[Row]:
    return await (await conn.execute(_sql[name], params)).fetchall()
