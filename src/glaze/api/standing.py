"""How providers stand, as ``GET /v1/providers`` and ``glaze providers --json`` tell it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field


class RateLimitOut(BaseModel):
    """So many calls in so many seconds."""

    calls: int
    window_s: int


class OperationOut(BaseModel):
    """What a provider can be asked for."""

    name: str
    price_micros: int = Field(description="most that one question costs")
    batch_size: int
    timeout_s: float
    gives: list[str] = Field(description="canonical fields")
    limits: list[RateLimitOut] = Field(description="of its own, beside the provider's")


class WindowOut(BaseModel):
    """How much of a limit is left, in the whole fleet."""

    name: str = Field(description="the provider's, or an endpoint's of it")
    credential: str
    window_s: int
    calls: int
    free: int
    wait_s: float = Field(description="until the next call may go")


class ToldOut(BaseModel):
    """What a vendor said of the room that is left."""

    name: str
    credential: str
    cause: str = Field(description="key, credits, quota, pause or window")
    span: str
    calls_left: int
    since: datetime
    until: datetime
    detail: str
    lapsed: bool = Field(description="one call is to try again")


class StandingCircuit(BaseModel):
    """A circuit; one that never opened has only its state."""

    state: Literal["closed", "open", "half-open"]
    name: str | None = None
    base_url: str | None = None
    failures: int = 0
    opened_at: datetime | None = None
    open_until: datetime | None = None
    last_error: str | None = None
    failed_at: datetime | None = None


class FaredOut(BaseModel):
    """What came of the workspace's calls. Money in micros, times in seconds."""

    calls: int
    hits: int
    misses: int
    errors: int
    told_to_wait: int
    unknown: int
    spent_micros: int
    open_micros: int = Field(description="reserved for calls whose end is not known")
    p50_s: float | None
    p95_s: float | None
    error: str | None = Field(description="of the last that failed")
    error_detail: str | None
    error_at: datetime | None


class SeatsOut(BaseModel):
    """Calls under way in the whole fleet, where their number is capped."""

    most: int
    under_way: int
    waiting: int = Field(description="processes that have fewer seats than calls")


class StandingOut(BaseModel):
    """A provider: what it declares, what the settings make of it, and how it fares."""

    name: str
    state: str = Field(description="`ready`, or what keeps it back")
    in_use: bool
    reason: str = Field(description='why it is not in use; "" where it is')
    key: Literal["own", "set", "not needed", "optional", "missing"]
    opt_in: bool
    notice: str = Field(description="what is to be known before it is used")
    base_url: str
    retries: int = Field(description="how often it may tell one job to wait")
    concurrency: int | None = Field(description="most calls at once in the fleet")
    seats: SeatsOut | None = Field(description="null: the number of calls at once is not capped")
    operations: list[OperationOut]
    limits: list[RateLimitOut]
    headroom: list[WindowOut]
    told: list[ToldOut]
    circuit: StandingCircuit
    calls: FaredOut
