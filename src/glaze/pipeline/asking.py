"""The values of asking: who is asked what, and what comes of it."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from glaze.model.ledger import Asker, QuestionKey, Refused
from glaze.model.provider import Ask, Operation, Page, Provider, ProviderSpec, Verdict
from glaze.model.value import FREE, CallId, FieldName, Micros, Reading, WorkspaceId


@dataclass(frozen=True, slots=True)
class Access:
    """How a provider is reached: which key pays, and where it listens."""

    credential: str = "none"
    key: str = field(default="", repr=False)  # "" also where it is a workspace's own
    base_url: str = ""
    webhook_secret: str = field(default="", repr=False)  # "": who signs does so with the key
    key_print: str = ""  # tells one key of a credential from the next
    own_of: WorkspaceId | None = None  # the key is this workspace's, opened for each call

    @property
    def keyed(self) -> bool:
        """Whether a key is shown at all."""
        return bool(self.key) or self.own_of is not None


Judge = Callable[[tuple[Reading, ...]], tuple[Reading, ...]]
"""Judges a reply's readings once, before they are stored: keeps, lowers or drops each."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question to one provider, on behalf of one job."""

    provider: Provider
    operation: Operation
    needs: frozenset[FieldName]  # the identifiers that make up the question
    ask: Ask
    asker: Asker
    position: int  # place in the waterfall, from 1
    missed: tuple[str, ...]  # providers asked before it in vain
    reason: str
    judge: Judge
    also: tuple[frozenset[FieldName], ...] = ()  # other identifiers it may have been asked by
    earlier: tuple[
        str, ...
    ] = ()  # operations that answered before it: the wanted is what they left
    country: str | None = None  # of whom it is about, where that is known
    floor: int = 0  # confidence from which a value counts as found
    forbidden: Refused | None = None  # it cannot be paid: only what is known already is an answer
    text: str | None = None  # what makes it the same question, where it has no identifiers

    @property
    def spec(self) -> ProviderSpec:
        """The provider's own declaration."""
        return self.provider.spec


def question_key(
    spec: ProviderSpec, operation: Operation, credential: str, text: str, hash_key: bytes
) -> QuestionKey:
    """Return what the question with the canonical ``text`` is known by in the ledger."""
    return QuestionKey(
        credential=credential,
        provider=spec.name,
        operation=operation.name,
        flags=operation.flags,
        key=hmac.digest(hash_key, text.encode(), "sha256"),
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's answer, bought now or known from before."""

    call_id: CallId
    verdict: Verdict
    readings: tuple[Reading, ...] = ()
    pages: tuple[Page, ...] = ()
    price_micros: Micros = FREE  # what was paid now; 0 for a known answer
    known: bool = False
    detail: str = ""
    notes: tuple[str, ...] = ()


class Decline(StrEnum):
    """Why a provider was not asked, or gave nothing that counts as an answer."""

    WAIT = "wait"  # a rate limit, or the same question under way: come back in ``wait_s``
    BUSY = "busy"  # its limits leave no room, and it is not one that jobs wait for
    UNKNOWN = "outcome_unknown"  # a call of this question may have been billed
    CIRCUIT = "circuit_open"  # the provider is failing
    BUDGET = "budget_exceeded"  # its price does not fit below a cap
    PRICE = "price_paused"  # it billed more than is reserved for it
    SUPPRESSED = "suppressed"  # about this person nothing may be bought
    STALE = "token_stale"  # the job is another worker's by now
    CANCELLED = "cancelled"  # the job or its batch was cancelled
    PAUSED = "paused"  # the batch is paused: the row goes on once it is resumed
    FAILED = "provider_failed"  # it answered with an error, or not at all


@dataclass(frozen=True, slots=True)
class Declined:
    """No answer, and why; ``call_id`` where a call was recorded."""

    why: Decline
    detail: str = ""
    wait_s: float = 0.0
    verdict: Verdict | None = None
    call_id: CallId | None = None
    unsent: bool = False  # it was reserved and given up before anything left: it may go at once
