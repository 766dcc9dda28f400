"""How each provider fares in the whole fleet: read from ledger, limits and circuits, never from a process."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from glaze.model.provider import Verdict
from glaze.model.room import Cause
from glaze.model.value import WorkspaceId
from glaze.store.database import Database
from glaze.store.statements import statements

_sql = statements("health")

_MISSES = (Verdict.NO_MATCH, Verdict.BAD_INPUT, Verdict.SUPPRESSED)
_ERRORS = (
    Verdict.VENDOR_ERROR,
    Verdict.AUTH,
    Verdict.OUT_OF_CREDITS,
    Verdict.FORBIDDEN_PLAN,
    Verdict.LOST,
)


@dataclass(frozen=True, slots=True)
class Calls:
    """What came of a workspace's recent calls to one provider. Money in micros, times in seconds."""

    calls: int = 0
    hits: int = 0
    misses: int = 0
    errors: int = 0
    told_to_wait: int = 0
    unknown: int = 0
    spent_micros: int = 0
    open_micros: int = 0  # reserved for calls whose end is not known
    p50_s: float | None = None
    p95_s: float | None = None
    error: str | None = None  # of the last that failed
    error_detail: str | None = None
    error_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """One window of a limit: ``name`` is the provider's, or its endpoint's."""

    name: str
    credential: str
    window_s: int
    calls: int
    free: int
    wait_s: float  # until the next slot is free


@dataclass(frozen=True, slots=True)
class Seated:
    """Calls under way of all processes together, where their number is capped."""

    name: str
    credential: str
    under_way: int  # a process keeps a seat for half a second after its call
    waiting: int  # processes that have fewer seats than calls


@dataclass(frozen=True, slots=True)
class Told:
    """What a vendor said of the room that is left; ``lapsed``: one call is to try again."""

    name: str
    credential: str
    cause: Cause
    span: str
    calls_left: int
    since: datetime
    until: datetime
    detail: str
    lapsed: bool


@dataclass(frozen=True, slots=True)
class CircuitView:
    """A circuit: ``closed``, ``open`` until a moment, or ``half-open``, where one probe may go."""

    name: str
    base_url: str
    state: str
    failures: int
    opened_at: datetime | None
    open_until: datetime | None
    last_error: str | None
    failed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Health:
    """All of it."""

    calls: dict[str, Calls]  # by provider
    windows: tuple[Window, ...]
    seats: tuple[Seated, ...]
    told: tuple[Told, ...]
    circuits: tuple[CircuitView, ...]


class HealthStore:
    """Reads how providers fare."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def read(self, workspace_id: WorkspaceId, *, since: datetime) -> Health:
        """Return the workspace's calls since then, and how the fleet stands."""
        params = {"since": since, "misses": list(_MISSES), "errors": list(_ERRORS)}
        async with self._db.workspace(workspace_id) as conn:

            async def rows(name: str) -> list[dict[str, Any]]:
                return await (await conn.execute(_sql[name], params)).fetchall()

            calls = {row.pop("provider"): Calls(**row) for row in await rows("calls")}
            windows = tuple(Window(**row) for row in await rows("windows"))
            seats = tuple(Seated(**row) for row in await rows("seats"))
            told = tuple(
                Told(**{**row, "cause": Cause(row["cause"])}) for row in await rows("rooms")
            )
            circuits = tuple(CircuitView(**row) for row in await rows("circuits"))
        return Health(calls, windows, seats, told, circuits)
