"""How much there is to do: jobs by queue and state, each counted up to a bound."""

from collections.abc import Sequence
from dataclasses import dataclass

from glaze.store.database import Database
from glaze.store.statements import statements

_sql = statements("backlog")


@dataclass(frozen=True, slots=True)
class Backlog:
    """Jobs of one queue that are not at their end; no count goes beyond the bound it was given."""

    queue: str
    paused: bool
    pending: int
    processing: int
    scheduled: int


@dataclass(frozen=True, slots=True)
class Circuit:
    """Whether a provider is asked: ``closed``, ``open``, or ``half-open``, where one probe may go."""

    provider: str
    base_url: str
    state: str


class BacklogStore:
    """Counts of what waits; cheap, for they stop at a bound."""

    def __init__(self, db: Database) -> None:
        """Use the fleet's pool of ``db``."""
        self._db = db

    async def look(
        self, queues: Sequence[str], kinds: Sequence[str] | None = None, *, most: int
    ) -> list[Backlog]:
        """Count jobs of ``kinds`` (None: all) in each of ``queues``, no further than ``most``."""
        params = {"queues": list(queues), "kinds": listed(kinds), "most": most}
        async with self._db.fleet() as conn:
            await conn.execute(_sql["by_index"])
            rows = await (await conn.execute(_sql["backlog"], params)).fetchall()
        return [Backlog(**row) for row in rows]

    async def circuits(self) -> list[Circuit]:
        """Return where each circuit stands, in the whole fleet."""
        async with self._db.fleet() as conn:
            rows = await (await conn.execute(_sql["circuits"])).fetchall()
        return [Circuit(**row) for row in rows]


def listed(names: Sequence[str] | None) -> list[str] | None:
    """Return ``names`` as an array parameter; None stays None, for no filter."""
    return None if names is None else list(names)
