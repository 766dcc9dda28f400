"""The contract of a provider: what it declares, what it is asked, what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol, Self, runtime_checkable

from glaze.model.room import RoomHeaders
from glaze.model.value import FREE, FieldName, Json, Micros, Reading


class Tier(StrEnum):
    """Evidence is asked first; inference only when no evidence provider is left."""

    EVIDENCE = "evidence"
    INFERENCE = "inference"


class Resend(StrEnum):
    """What may be done after a crash left the outcome of a sent call unknown."""

    SAFE = "safe"  # free of charge: asking again costs nothing
    IDEMPOTENT = "idempotent"  # class A: the vendor dedupes our idempotency key
    COLLECT = "collect"  # class B: a handle collects the answer for free
    NEVER = "never"  # class C: only reconciliation or the user resolves it


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``calls`` requests in any window of ``window_s`` seconds.

    The window is kept longer by the guard band, because requests take differently long on their
    way: by ``guard_s`` seconds, where that is None by 3 %, at least 40 ms and at most 3 s.
    """

    calls: int
    window_s: int
    guard_s: float | None = None


@dataclass(frozen=True, slots=True)
class Deferral:
    """How a vendor answers many questions handed in together at its leisure, and for less.

    ``percent`` is what it then bills of the price, ``most`` how many questions one request takes.
    ``requests`` is how many requests that takes, of which only the last can be charged.
    ``linger_s`` is for how long a request waits for another question after the last one came, and
    ``longest_s`` for how long its first one waits at most.
    """

    percent: int
    most: int
    collect_s: float
    linger_s: float = 0.5
    longest_s: float = 3.0
    requests: int = 1


@dataclass(frozen=True, slots=True)
class Operation:
    """One priced kind of question that a provider answers.

    ``needs`` lists alternative sets of known identifiers, the best first; the first set wholly
    known makes up the question. ``gives`` maps each field to the provider's default confidence
    (0 to 100). ``price_micros`` is the most one question can cost. ``batch_size`` over 1 means
    that ``look_up`` takes that many asks in one request.

    ``limits`` are those of its endpoint, where the vendor counts it apart; empty, it shares the
    provider's. ``bulk_limits`` are those of the endpoint that takes several asks, where that is
    another one. ``includes`` names operations of the same provider whose answers this one holds,
    too: whoever asked one of them does not buy the same again with it, nor the other way round.

    ``collect_s`` is for how long an answer may be had after its request. Over 0 the vendor may
    promise one for later (``Verdict.PENDING``), and one that was lost may be had again as
    ``resend`` says: within it the vendor knows our idempotency key, or the handle.

    ``checks`` marks an operation that finds nothing new: it judges the ``candidates`` of an ask,
    or, where it ``chooses``, names one of the values of its ``statements``.

    ``opt_in`` marks one that is asked only where the user allowed it by its full name.

    ``deferral`` says how the same may be had later for less; what is asked so ``is_deferred``, and
    is the same question to the ledger.
    """

    name: str
    needs: tuple[frozenset[FieldName], ...]
    gives: Mapping[FieldName, int]
    price_micros: Micros = FREE
    batch_size: int = 1
    timeout_s: float = 30.0
    resend: Resend = Resend.NEVER
    collect_s: float = 0.0
    flags: str = ""  # what changes the price or content of the answer; part of the question
    limits: tuple[Limit, ...] = ()
    bulk_limits: tuple[Limit, ...] = ()
    includes: frozenset[str] = frozenset()
    checks: bool = False
    chooses: bool = False
    opt_in: bool = False
    needs_callback: bool = False  # the vendor takes it only with an address to report to
    deferral: Deferral | None = None
    is_deferred: bool = False

    @property
    def most_requests(self) -> int | None:
        """Return how many requests asking takes at most; None for any number, all of them free."""
        if not self.price_micros:
            return None
        return self.deferral.requests if self.deferral and self.is_deferred else 1

    def deferred(self) -> Self:
        """Return the operation as it is asked for later, at its price; itself where it cannot be."""
        later = self.deferral
        if later is None or self.is_deferred or not self.price_micros:
            return self
        return replace(
            self,
            price_micros=Micros(-(-self.price_micros * later.percent // 100)),
            batch_size=later.most,
            resend=Resend.COLLECT,
            collect_s=later.collect_s,
            is_deferred=True,
        )


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """What a provider declares about itself.

    ``key_setting`` names the setting that holds its key (None: keyless); a ``key_optional`` one is
    sent where it is set, and not asked for. ``opt_in`` providers are
    asked only where the user allowed them by name, and ``notice`` says why. ``concurrency`` is the
    most requests that the whole fleet has under way at it, by one credential; where it is None,
    each process has at most ``room``, for its own sake. ``retries`` is how often a vendor may tell one job
    to wait before the job goes on without it. A job does not wait for
    one that is not ``patient``: where its limits, or the vendor, leave no room, it goes on at once. ``keyed_limits`` hold instead of ``limits`` where a provider that needs no key has one.
    ``credit_micros`` is what one credit is taken to cost where the vendor sells credits: the user's
    own price replaces it, and every operation's follows. ``key_in_question``: the vendor takes its
    key only in the query or the body, where it may not be in any other's. ``room_headers`` are those
    in which the vendor tells how many calls it still takes: the fleet keeps to them.

    ``family`` names whoever the provider takes its data from, where others do, too: two resellers
    of one feed, or a model that reads the site that the scraper reads, are one witness and not two.
    """

    name: str
    operations: tuple[Operation, ...]
    base_url: str = ""
    key_setting: str | None = None
    key_optional: bool = False
    limits: tuple[Limit, ...] = (Limit(10, 1), Limit(100, 60), Limit(1000, 3600))
    concurrency: int | None = None
    room: int = 50
    keyed_limits: tuple[Limit, ...] = ()
    retries: int = 5
    patient: bool = True
    tier: Tier = Tier.EVIDENCE
    opt_in: bool = False
    notice: str = ""
    credit_micros: Micros = FREE
    key_in_question: bool = False
    family: str = ""  # empty: a family of its own
    room_headers: tuple[RoomHeaders, ...] = ()

    def operation(self, name: str) -> Operation:
        """Return the operation called ``name``."""
        return next(op for op in self.operations if op.name == name)

    def limits_of(self, *, keyed: bool) -> tuple[Limit, ...]:
        """Return the limits of who shows a key, or of who shows none."""
        return (self.keyed_limits if keyed else ()) or self.limits


@dataclass(frozen=True, slots=True)
class Page:
    """A fetched page or passage that an inference provider may quote: text, never instruction."""

    url: str
    text: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A value as one source stated it: what a choice between sources is made by."""

    value: Json
    source: str
    stated_on: str  # the day, ISO 8601
    url: str | None = None
    quote: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """One question: what is known (normalised identifiers and fields) and what is wanted."""

    known: Mapping[FieldName, Json]
    want: frozenset[FieldName]
    evidence: tuple[Page, ...] = ()  # only for Tier.INFERENCE, one page
    candidates: Mapping[FieldName, tuple[Json, ...]] = field(default_factory=dict)  # to be judged
    statements: Mapping[FieldName, tuple[Statement, ...]] = field(default_factory=dict)


REFUSED = "refused to go there"
"""How the detail of a reply begins whose address nobody may go to: an inner network's, a trap's."""


class Verdict(StrEnum):
    """What a vendor's reply means, whatever status code it chose for it."""

    MATCH = "match"
    NO_MATCH = "no_match"
    RATE_LIMITED = "rate_limited"
    IN_PROGRESS = "in_progress"  # the vendor works on it: the same question again, free, tells
    OUT_OF_CREDITS = "out_of_credits"
    AUTH = "auth"
    FORBIDDEN_PLAN = "forbidden_plan"
    BAD_INPUT = "bad_input"
    SUPPRESSED = "suppressed_legal"
    PENDING = "pending"  # accepted: the answer is to be had later, under the reply's ``handle``
    LOST = "lost"  # billed, as somebody found out, but its answer never came
    VENDOR_ERROR = "vendor_error"


@dataclass(frozen=True, slots=True)
class Unbilled:
    """The vendor certainly charges nothing for this reply."""


@dataclass(frozen=True, slots=True)
class Billed:
    """The vendor charges ``micros`` for this reply."""

    micros: Micros


@dataclass(frozen=True, slots=True)
class BillingUnknown:
    """The reply does not tell; the reservation stays until someone resolves it."""

    reason: str


Billing = Unbilled | Billed | BillingUnknown


@dataclass(frozen=True, slots=True)
class Reply:
    """One question's answer. ``raw`` is this question's own slice of the vendor's body.

    Of a pending one only ``handle``, ``retry_after_s`` (when to ask first) and ``detail`` count.
    """

    verdict: Verdict
    billing: Billing
    readings: tuple[Reading, ...] = ()
    raw: bytes = b""
    raw_status: int = 200  # the HTTP status that ``raw`` would have had alone, where it is a slice
    retry_after_s: float | None = None
    detail: str = ""  # for people: the vendor's own message, without personal data
    pages: tuple[Page, ...] = ()  # text worth quoting from, for inference and for replay
    notes: tuple[str, ...] = ()  # parts that went wrong without spoiling the rest
    handle: str = ""  # collects an answer that the vendor promised for later


@dataclass(frozen=True, slots=True)
class VendorResponse:
    """An HTTP answer with its body read to the end, decoded and within the caps."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    url: str  # where the answer came from, after redirects


class VendorHttp(Protocol):
    """The only way a provider reaches the outside, bound to one provider and one call.

    URLs below ``base_url`` go to the vendor as configured and never follow a redirect. Any other
    URL passes the outbound guard, hop by hop.
    """

    base_url: str  # without trailing slash; the user may have overridden it
    key: str  # the credential, "" for keyless
    token: str = ""
    """Names this call to the vendor, unguessable and the same whenever it is sent again: an
    idempotency key, a webhook's id."""
    tokens: Sequence[str] = ()
    """Where a request carries several questions, each one's ``token``, in order."""
    callback_url: str = ""
    """Where the vendor may report this call, its token in it; "" where it cannot reach us."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Json = None,
        content: bytes | None = None,
        max_bytes: int = 5_000_000,
        timeout_s: float | None = None,
    ) -> VendorResponse:
        """Send exactly one request (redirects of guarded URLs aside) and read the whole body.

        ``content`` is a body as it stands, in place of ``json``; its type belongs into ``headers``.

        Raises: FetchError and its kinds; ``sent`` tells whether the vendor may have seen it.
        """
        ...

    async def resolve(self, name: str, record_type: str) -> Sequence[str]:
        """Return the DNS records as text; empty where the name or the type does not exist.

        Raises: FetchError when the resolver does not answer.
        """
        ...


class Provider(Protocol):
    """Translates: identifiers in, vendor request, vendor reply, readings out; nothing else."""

    spec: ProviderSpec

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer ``asks``, at most the operation's ``batch_size``, one Reply each in order.

        A paid operation sends exactly one request. What the vendor answered, errors included, is a
        Reply; only a request that ended in no answer raises (FetchError, from ``http``).
        """
        ...


@runtime_checkable
class Collects(Protocol):
    """A provider some of whose answers come later; every operation with ``collect_s`` needs it."""

    async def collect(self, operation: str, handle: str, ask: Ask, http: VendorHttp) -> Reply:
        """Fetch what the vendor promised under ``handle``, free of charge; any number of requests.

        After a crash the handle may be the call's own token: only ``Resend.COLLECT`` operations
        are asked so. ``PENDING`` as long as the answer may still come, whatever stands in its way;
        any other reply that says something of the question ends the call.
        """
        ...


@runtime_checkable
class Defers(Protocol):
    """A provider that hands questions in together; every operation with a ``deferral`` needs it."""

    async def defer(self, operation: str, asks: Sequence[Ask], http: VendorHttp) -> Sequence[Reply]:
        """Hand in ``asks``, one Reply each in order, by one request that can be charged.

        What the vendor wants beforehand, free of charge, is bounded by the ``deferral``; where only
        that was sent, an error says that nothing was.

        Each is named to the vendor by its own of ``http.tokens``; the replies are ``PENDING`` under
        one handle, or say why it was not taken.
        """
        ...

    async def collect_deferred(
        self, operation: str, handle: str | None, asks: Mapping[str, Ask], http: VendorHttp
    ) -> Mapping[str, Reply]:
        """Fetch what was handed in under ``handle``, free of charge; a Reply for each token.

        Without a handle the request's answer was lost: it is looked for by the tokens. A reply that
        is ``Unbilled`` then says that the vendor was looked through and has it nowhere.
        """
        ...


@runtime_checkable
class Announced(Protocol):
    """A provider whose vendor calls back when an answer is there."""

    def announced(self, headers: Mapping[str, str], body: bytes, key: str) -> str | None:
        """Return the handle whose answer a callback announces, None where it is not genuine.

        Args:
            headers: The callback's headers, names in lower case.
            body: Its body, byte for byte.
            key: Our credential at the vendor, which some sign with.
        """
        ...
