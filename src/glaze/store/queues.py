"""Queues: what waits in each, and whether it is handed out."""

from dataclasses import dataclass
from datetime import datetime

from glaze.store.database import Database
from glaze.store.statements import statements

_sql = statements("queues")


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue with how many jobs of all workspaces it holds in each open state.

    ``oldest_s`` is for how many seconds the oldest pending job has been due; None: none is.
    ``ended_per_min`` is how many ended, well or not, within the last minute, up to 10,000.
    """

    name: str
    paused_at: datetime | None  # None: its jobs are handed out
    waiting: int
    scheduled: int
    pending: int
    processing: int
    oldest_s: float | None
    ended_per_min: int


class QueueStore:
    """Queues are the whole installation's: pausing one holds back every workspace's jobs in it."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def list(self) -> list[QueueView]:
        """Return every queue that holds jobs or is paused, by name."""
        async with self._db.fleet() as conn:
            rows = await (await conn.execute(_sql["depths"])).fetchall()
        return [QueueView(**row) for row in rows]

    async def pause(self, queue: str) -> None:
        """Let nobody claim from ``queue`` until it is resumed; what runs goes on."""
        async with self._db.fleet() as conn:
            await conn.execute(_sql["pause"], {"queue": queue})

    async def resume(self, queue: str) -> None:
        """Let claims from ``queue`` go on."""
        async with self._db.fleet() as conn:
            await conn.execute(_sql["resume"], {"queue": queue})
