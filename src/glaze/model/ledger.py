"""What the ledger is asked to record and what it answers: intents, settlements, known answers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from glaze.model.field import EntityKind
from glaze.model.job import Token
from glaze.model.provider import Ask, Page, Resend
from glaze.model.recording import Recording
from glaze.model.value import (
    FREE,
    BatchId,
    BudgetId,
    CallId,
    EntityId,
    FieldName,
    JobId,
    Json,
    Micros,
    Reading,
    RequestId,
    WorkspaceId,
)


class Refusal(StrEnum):
    """Why an intent was not recorded; nothing was sent."""

    STALE = "token_stale"  # the lease is another worker's, or has expired
    CANCELLED = "cancelled"  # the job or its batch was cancelled
    PAUSED = "paused"  # the batch is paused: the row goes on once it is resumed
    SUPPRESSED = "suppressed"  # about this person nothing may be bought
    BUDGET = "budget_exceeded"  # the maximum price does not fit below a cap
    PRICE = "price_paused"  # it billed more than is reserved for it


@dataclass(frozen=True, slots=True)
class Refused:
    """The ledger did not record the intent, or would not."""

    why: Refusal
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """A cap that calls are to fit below, and what was left of it when it was looked at."""

    id: BudgetId
    scope: str  # job, batch, workspace_day, provider_month
    scope_key: str  # the job's or batch's id, the day, provider/month
    provider: str | None  # whose calls count against it; None: everybody's
    cap_micros: Micros
    left_micros: Micros


@dataclass(frozen=True, slots=True)
class PausedPrice:
    """An operation that billed more for a question than was reserved: not asked at less any more."""

    provider: str
    operation: str
    reserved_micros: Micros
    billed_micros: Micros
    paused_at: datetime
    request_id: RequestId


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a job may spend. It was so when it was looked at: reserving has the last word."""

    budgets: tuple[Budget, ...] = ()
    paused: tuple[PausedPrice, ...] = ()

    @property
    def of_all(self) -> tuple[BudgetId, ...]:
        """The budgets that every call counts against."""
        return tuple(one.id for one in self.budgets if one.provider is None)

    @property
    def of_provider(self) -> dict[str, BudgetId]:
        """The budgets of one provider's calls, by its name."""
        return {one.provider: one.id for one in self.budgets if one.provider is not None}

    def forbids(self, provider: str, operation: str, price_micros: Micros) -> Refused | None:
        """Return why an operation cannot be paid at this price, None where it can."""
        for passed in self.paused:
            named = (passed.provider, passed.operation) == (provider, operation)
            if named and price_micros < passed.billed_micros:
                billed, reserved = _dollars(passed.billed_micros), _dollars(passed.reserved_micros)
                why = f"price paused: it billed {billed} where {reserved} was the most"
                return Refused(Refusal.PRICE, why)
        for budget in self.budgets:
            counts = price_micros > 0 and budget.provider in (None, provider)
            if counts and price_micros > budget.left_micros:
                price, left = _dollars(price_micros), _dollars(max(0, budget.left_micros))
                why = f"over budget: costs up to {price}, {left} left of {_named(budget)}"
                return Refused(Refusal.BUDGET, why)
        return None

    def less(self, provider: str, paid_micros: Micros) -> Self:
        """Return what is left after ``provider`` was paid this much."""
        budgets = tuple(
            replace(one, left_micros=Micros(one.left_micros - paid_micros))
            if one.provider in (None, provider)
            else one
            for one in self.budgets
        )
        return replace(self, budgets=budgets)


def _named(budget: Budget) -> str:
    cap = _dollars(budget.cap_micros)
    if budget.scope == "workspace_day":
        return f"the day's {cap}"
    if budget.scope == "provider_month":
        return f"the month's {cap} for {budget.provider}"
    return f"the {budget.scope}'s {cap}"


def _dollars(micros: int) -> str:
    return f"${micros / 1_000_000:.4f}".rstrip("0").ljust(5, "0")


@dataclass(frozen=True, slots=True)
class Asker:
    """On whose behalf a call is made: the job, its lease token, its budgets and its entities."""

    workspace_id: WorkspaceId
    job_id: JobId
    token: Token
    batch_id: BatchId | None
    correlation_id: str | None
    entities: Mapping[EntityKind, EntityId]
    budgets: tuple[BudgetId, ...]  # that every call counts against
    subjects: tuple[bytes, ...] = ()  # HMACs of the person's keys, checked against suppression
    fresh_after: datetime | None = None  # a settled answer older than this is asked again
    miss_fresh_after: datetime | None = None  # the same for "not found"
    provider_budgets: Mapping[str, BudgetId] = field(default_factory=dict)  # and one provider's


@dataclass(frozen=True, slots=True)
class QuestionKey:
    """What makes two questions the same; ``key`` is the HMAC of the canonical input."""

    credential: str
    provider: str
    operation: str
    flags: str
    key: bytes


@dataclass(frozen=True, slots=True)
class Intent:
    """A question about to be asked, as the ledger records it before any byte leaves."""

    asker: Asker
    question: QuestionKey
    price_micros: Micros  # the most it can cost: this is reserved
    position: int  # place in the waterfall, from 1
    missed: tuple[str, ...]  # providers asked before it in vain
    reason: str
    wanted: tuple[FieldName, ...]
    by_field: bool = False  # the answer speaks of the wanted fields alone: others are not answered
    resend: Resend = Resend.NEVER
    collect_s: float = 0.0  # for how long the answer may come later
    known: Mapping[FieldName, Json] = field(default_factory=dict)
    """The identifiers asked by: kept until the answer is there, where it may come later."""
    whole: Ask | None = None
    """The question with its page, kept as long where the answer is held against it."""
    earlier: tuple[str, ...] = ()  # operations that answered before it, in full
    country: str | None = None  # of whom it is about, where that is known
    floor: int = 0  # confidence from which a value counts as found

    @property
    def budgets(self) -> tuple[BudgetId, ...]:
        """The budgets that it is reserved from."""
        own = self.asker.provider_budgets.get(self.question.provider)
        return self.asker.budgets if own is None else (*self.asker.budgets, own)


@dataclass(frozen=True, slots=True)
class Reserved:
    """The intent is committed: this call may be sent, once, at once."""

    call_id: CallId
    request_id: RequestId


@dataclass(frozen=True, slots=True)
class Known:
    """A fresh settled answer, a hit or a miss: it costs nothing."""

    call_id: CallId
    verdict: str
    detail: str


@dataclass(frozen=True, slots=True)
class InFlight:
    """Somebody else is asking this now; it may be answered until ``deadline`` (None: just begun)."""

    deadline: datetime | None


@dataclass(frozen=True, slots=True)
class Awaited:
    """The vendor has the question; its answer is asked for in ``wait_s`` seconds."""

    wait_s: float


@dataclass(frozen=True, slots=True)
class Blocked:
    """An earlier call of this question has an unknown outcome: it is not asked again."""

    call_id: CallId


@dataclass(frozen=True, slots=True)
class Unasked:
    """Nobody has a fresh answer: the question may be asked."""

    in_vain: bool = (
        False  # this very job handed it in for later, and it came back without an answer
    )


Look = Known | InFlight | Awaited | Blocked | Unasked
Grant = Reserved | Known | InFlight | Awaited | Blocked | Refused


@dataclass(frozen=True, slots=True)
class Doubtful:
    """Intents whose COMMIT got no answer, and the transaction's id: nothing of them is sent.

    Without calls it never came to a COMMIT.
    """

    calls: tuple[CallId, ...]
    xid: str


class CallState(StrEnum):
    """Where a call stands."""

    SENDING = "sending"  # the intent is recorded; bytes may have left
    PENDING_VENDOR = "pending_vendor"  # the vendor promised an answer for later
    SETTLED = "settled"
    NOT_BILLED = "not_billed"
    UNKNOWN = "unknown"


class CallEnd(StrEnum):
    """How a call that was sent, or given up before sending, ended."""

    SETTLED = "settled"  # answered; the price is known
    NOT_BILLED = "not_billed"  # certainly nothing was charged; it may be asked again
    UNKNOWN = "unknown"  # perhaps charged: the reservation stays until resolved
    PENDING = "pending_vendor"  # no end yet: the answer is to be had later, free of charge


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one call."""

    call_id: CallId
    end: CallEnd
    price_micros: Micros = FREE
    verdict: str | None = None
    detail: str = ""
    readings: tuple[Reading, ...] = ()
    entities: Mapping[EntityKind, EntityId] = field(default_factory=dict)
    raw: bytes = b""
    pages: tuple[Page, ...] = ()
    recording: Recording | None = None  # what the answer can be read again from
    handle: str | None = None  # of a pending one, as the vendor named it
    wait_s: float = 0.0  # of a pending one: when to ask for its answer first

    @property
    def brought(self) -> bool:
        """Whether it has an answer to keep: also one whose bill could not be read."""
        return self.end is CallEnd.SETTLED or bool(self.readings)


@dataclass(frozen=True, slots=True)
class Overrun:
    """A request that billed more than was reserved for it: its price is paused."""

    provider: str
    operation: str
    request_id: RequestId
    reserved_micros: Micros
    billed_micros: Micros


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What the wire showed of one vendor request."""

    request_id: RequestId
    status: int | None = None
    exchanges: int = 0
    bytes: int = 0
    billed_micros: Micros = FREE
    remainder_micros: Micros = FREE
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Spend:
    """What a job has cost so far, from the ledger."""

    paid: Mapping[str, Micros] = field(default_factory=dict)  # by provider
    unknown: Mapping[str, Micros] = field(default_factory=dict)
    """Reserved by calls that are open or of unknown outcome, by provider."""

    @property
    def unknown_micros(self) -> Micros:
        """What may have been spent at any provider."""
        return Micros(sum(self.unknown.values()))

    def most_micros(self, providers: Collection[str]) -> Micros:
        """Return the most that was spent at these providers."""
        return Micros(sum(self.paid.get(p, 0) + self.unknown.get(p, 0) for p in providers))


@dataclass(frozen=True, slots=True)
class Claimed:
    """A pending call that this process may ask for now, until its lease ends."""

    workspace_id: WorkspaceId
    call_id: CallId
    request_id: RequestId
    credential: str
    provider: str
    operation: str
    resend: Resend
    handle: str | None
    known: Mapping[FieldName, Json]
    wanted: tuple[FieldName, ...]
    entities: Mapping[EntityKind, EntityId]
    whole: Ask | None  # the question with its page, where the answer is held against it
    polls: int  # how often it was asked for in vain
    poll_at: datetime  # as it was claimed: a callback meanwhile moves it


class Delivery(StrEnum):
    """What became of a vendor's callback."""

    ACCEPTED = "accepted"  # its answer is collected now
    FORGED = "forged"  # its token or its signature is not genuine, or it speaks of another call
    UNKNOWN = "unknown"  # there is no such call
    STALE = "stale"  # the call has ended otherwise
    REPLAYED = "replayed"  # it was delivered before
