"""The one way to ask a provider: look, permit, reserve, send once, settle."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Self

import structlog

from glaze.errors import FetchError, SecretError, StoreUnavailable
from glaze.model.failpoint import At, nowhere
from glaze.model.identity import canonical_question
from glaze.model.ledger import (
    Awaited,
    Blocked,
    Doubtful,
    Grant,
    InFlight,
    Intent,
    Known,
    Look,
    QuestionKey,
    Refusal,
    Refused,
    RequestFacts,
    Reserved,
    Settlement,
    Unasked,
)
from glaze.model.measure import Measures
from glaze.model.provider import Ask, Defers, Page, Reply, Tier, Verdict
from glaze.model.recording import short_facts
from glaze.model.room import Cause
from glaze.model.value import CallId, Micros, WorkspaceId
from glaze.net.client import HttpClient
from glaze.net.vendor import BoundHttp
from glaze.pipeline.asking import Access, Answer, Decline, Declined, Question, question_key
from glaze.pipeline.barring import is_barred, kept_of
from glaze.pipeline.books import Bookkeeping, Books, Settled, Settling
from glaze.pipeline.channel import Channel, Channels
from glaze.pipeline.circuit import Passing
from glaze.pipeline.coalesce import Coalescer
from glaze.pipeline.credentials import Credentials
from glaze.pipeline.departure import Departure
from glaze.pipeline.grouping import detach
from glaze.pipeline.limiter import PATIENCE_S, Limiter, Permit, Wait
from glaze.pipeline.naming import callback_url, token_of
from glaze.pipeline.recorded import recorded
from glaze.pipeline.settling import (
    answered,
    awaited,
    declined,
    settle_failure,
    settle_reply,
    settle_unsent,
)
from glaze.store.entity import EntityStore
from glaze.store.ledger import LedgerStore, Sealed
from glaze.store.limit import LimitStore
from glaze.traces import span

log = structlog.get_logger("gateway")

DEADLINE_MARGIN_S = 5.0
"""How much longer than its timeout a call may be ``sending`` before it counts as unknown."""
JOIN_S = 2.0
"""How long an asker waits in place for the same question asked by another process."""
POLL_S = 0.2
ASKED_AGAIN = 3
"""How often a question is asked again at once whose call was given up before anything left."""

CALLS = "glaze_vendor_calls"
BILLED = "glaze_vendor_billed_micros"
TOOK = "glaze_vendor_request_seconds"
CACHED = "glaze_vendor_cached"
WAITS = "glaze_vendor_waits"

_UNDER_WAY = Declined(Decline.WAIT, "the same question is under way", wait_s=JOIN_S)
_DECLINES: Mapping[Refusal, Decline] = {
    Refusal.STALE: Decline.STALE,
    Refusal.CANCELLED: Decline.CANCELLED,
    Refusal.PAUSED: Decline.PAUSED,
    Refusal.SUPPRESSED: Decline.SUPPRESSED,
    Refusal.BUDGET: Decline.BUDGET,
    Refusal.PRICE: Decline.PRICE,
}


_SAID: Mapping[Cause, Verdict] = {
    Cause.KEY: Verdict.AUTH,
    Cause.CREDITS: Verdict.OUT_OF_CREDITS,
}
"""What the vendor would answer as long as it refuses."""

_REFUSED: Mapping[Refusal, str] = {
    Refusal.STALE: "the job is another worker's by now",
    Refusal.CANCELLED: "the job was cancelled",
    Refusal.PAUSED: "the batch is paused",
    Refusal.SUPPRESSED: "about this person nothing may be bought",
    Refusal.BUDGET: "over budget: what it may cost does not fit below a cap",
    Refusal.PRICE: "price paused: it billed more than is reserved for it",
}


@dataclass(frozen=True, slots=True)
class _Pending:
    """A question with its intent, on its way to the wire."""

    question: Question
    intent: Intent
    books: Books
    access: Access


@dataclass(frozen=True, slots=True)
class _Leave:
    """Leave to send one request: past which breaker, by whose permit, on which intents."""

    passing: Passing
    limiter: Limiter
    permit: Permit
    key: str = field(repr=False)
    begun: float  # monotonic seconds: when the intents began to be recorded


_Going = Sequence[tuple[_Pending, Reserved]]
_Result = Answer | Declined


class Gateway:
    """Asks providers through the ledger. One a process; open it as a context manager."""

    def __init__(
        self,
        *,
        ledger: LedgerStore,
        limits: LimitStore,
        entities: EntityStore,
        http: HttpClient,
        credentials: Credentials,
        tasks: asyncio.TaskGroup,
        callback_url: str = "",
        measures: Measures | None = None,
        at: At = nowhere,
    ) -> None:
        """Wire it up.

        ``credentials`` tells whose key pays, ``callback_url`` where vendors reach us ("" where they
        cannot), ``measures`` where the process counts, ``at`` a failpoint for tests.
        """
        self._ledger = ledger
        self._entities = entities
        self._http = http
        self.tasks = tasks
        self.measures = measures or Measures()
        self._callback_url = callback_url
        self._at = at
        self.bookkeeping = Bookkeeping(ledger, entities, tasks)
        self._flying: dict[tuple[WorkspaceId, QuestionKey], asyncio.Future[_Result]] = {}
        self._coalescer: Coalescer[_Pending, _Result] = Coalescer(self._travel, tasks)
        self.credentials = credentials
        self.channels = Channels(limits, tasks)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        *,
        ledger: LedgerStore,
        limits: LimitStore,
        entities: EntityStore,
        http: HttpClient,
        credentials: Credentials,
        callback_url: str = "",
        measures: Measures | None = None,
        at: At = nowhere,
    ) -> AsyncIterator[Self]:
        """Open the gateway; leaving it, by an error too, waits for the calls that are under way."""
        failed: BaseException | None = None
        async with asyncio.TaskGroup() as tasks:
            gateway = cls(
                ledger=ledger,
                limits=limits,
                entities=entities,
                http=http,
                credentials=credentials,
                tasks=tasks,
                callback_url=callback_url,
                measures=measures,
                at=at,
            )
            try:
                yield gateway
            except BaseException as error:  # noqa: BLE001  raised below, once paid calls ended
                failed = error
            gateway.channels.close()
        if failed is not None:
            raise failed

    async def subjects(self, workspace_id: WorkspaceId, keys: Sequence[str]) -> tuple[bytes, ...]:
        """Return the HMACs that stand for a person's keys in the suppression list."""
        secret = (await self.bookkeeping.of(workspace_id)).hash_key
        return tuple(hmac.digest(secret, key.encode(), "sha256") for key in keys)

    async def pages(self, workspace_id: WorkspaceId, call_id: CallId) -> tuple[Page, ...]:
        """Return the pages that came with a settled call."""
        return await self._ledger.pages(workspace_id, call_id)

    async def ask(self, question: Question) -> Answer | Declined:
        """Ask once, or find it answered already.

        A question under way in this process is joined; one under way elsewhere is waited for, a
        moment. Cancelling the caller does not cancel a call that was begun: what may have been
        bought is recorded.
        """
        workspace_id = question.asker.workspace_id
        books = await self.bookkeeping.of(workspace_id)
        access = (await self.credentials.of(workspace_id)).to(question.spec.name)
        before = await self._asked_otherwise(question, books, access) if question.also else None
        if before is not None:
            return before
        intent = _intent(question, access, books.hash_key)
        flight = (workspace_id, intent.question)
        patience = time.monotonic() + JOIN_S
        while True:
            if flight in self._flying:
                await asyncio.wait({self._flying[flight]})
            seen = await books.look(intent)
            told = await self._told(seen, question)
            if told is not None:
                result = told
            elif question.forbidden is not None:
                return _refused(question.forbidden)
            elif flight in self._flying:
                continue  # another asker here was quicker: join it
            else:
                again = isinstance(seen, Unasked) and seen.in_vain
                asked = _at_once(question) if again else question
                pending = _Pending(asked, _intent(asked, access, books.hash_key), books, access)
                result = await self._launch(flight, pending)
            if result is not _UNDER_WAY or time.monotonic() > patience:
                return result
            await asyncio.sleep(POLL_S)  # another process tells nobody when it is done

    async def _asked_otherwise(
        self, question: Question, books: Books, access: Access
    ) -> _Result | None:
        """Find the answer under other identifiers: who knows more by now must not buy it again."""
        others = [
            _intent(replace(question, needs=needs), access, books.hash_key)
            for needs in question.also
        ]
        for seen in await asyncio.gather(*map(books.look, others)):
            told = await self._told(seen, question)
            if told is not None:
                return told
        return None

    async def _told(self, seen: Look, question: Question) -> _Result | None:
        """Return what a look makes known, None where the question may be asked."""
        if isinstance(seen, Known):
            return await self._known(seen, question)
        if isinstance(seen, Blocked):
            return _blocked(seen)
        if isinstance(seen, Awaited):
            return awaited(seen.wait_s)
        return _UNDER_WAY if isinstance(seen, InFlight) else None

    async def _launch(self, flight: tuple[WorkspaceId, QuestionKey], pending: _Pending) -> _Result:
        future = detach(self.tasks, self._insist(pending))
        self._flying[flight] = future
        future.add_done_callback(lambda _: self._flying.pop(flight, None))
        return await asyncio.shield(future)

    async def _insist(self, pending: _Pending) -> _Result:
        """Send; where this process was too slow to, and nothing left, again at once."""
        for _ in range(ASKED_AGAIN):
            result = await self._dispatch(pending)
            if isinstance(result, Answer) or not result.unsent:
                return result
        return await self._dispatch(pending)

    async def _dispatch(self, pending: _Pending) -> _Result:
        """Send alone, or with others where the operation takes several."""
        operation = pending.question.operation
        if operation.batch_size == 1 and not operation.is_deferred:
            return (await self._travel([pending]))[0]
        key = pending.intent.question
        lane = (
            pending.question.asker.workspace_id,
            key.credential,
            key.provider,
            key.operation,
            key.flags,
            operation.is_deferred,
        )
        later, most = operation.deferral, operation.batch_size
        if later is None or not operation.is_deferred:
            return await self._coalescer.add(lane, pending, most=most)
        return await self._coalescer.add(
            lane, pending, most=most, linger_s=later.linger_s, longest_s=later.longest_s
        )

    async def _travel(self, bulk: Sequence[_Pending]) -> Sequence[_Result]:
        """Send one request as soon as the provider has room for it."""
        async with self._channel(bulk[0]).room():
            return await self._go(bulk)

    async def _go(self, bulk: Sequence[_Pending]) -> Sequence[_Result]:
        """Pass the breaker, take a permit, record the intents, send one request, settle each question."""
        question = bulk[0].question
        channel = self._channel(bulk[0])
        probe_s = question.operation.timeout_s + DEADLINE_MARGIN_S + PATIENCE_S
        async with channel.passing(probe_s=probe_s) as passing:
            if passing.wait_s:
                failing = f"{question.spec.name} is failing"
                self.measures.count(WAITS, question.spec.name, "circuit", by=len(bulk))
                refusal = Declined(Decline.CIRCUIT, failing, wait_s=passing.wait_s)
                return [refusal] * len(bulk)
            limiter = channel.limiter(question.operation, asks=len(bulk))
            permit = await limiter.permit()
            if isinstance(permit, Wait):
                why = str(permit.cause or "limit")
                self.measures.count(WAITS, question.spec.name, why, by=len(bulk))
                return [_no_room(permit, question)] * len(bulk)
            try:
                key = await self.credentials.key(question.spec.name, bulk[0].access)
            except SecretError as error:
                log.error("no key", provider=question.spec.name, error=error)  # noqa: TRY400  told
                await limiter.give_back(permit)
                return [Declined(Decline.FAILED, f"{error.code}: {error}")] * len(bulk)
            return await self._buy(bulk, passing, limiter, permit, key)

    def _channel(self, pending: _Pending) -> Channel:
        return self.channels.of(pending.question.spec, pending.access)

    async def _buy(
        self,
        bulk: Sequence[_Pending],
        passing: Passing,
        limiter: Limiter,
        permit: Permit,
        key: str,
    ) -> Sequence[_Result]:
        """Record the intents, send one request for those that may be bought, settle each."""
        question = bulk[0].question
        deadline_s = question.operation.timeout_s + DEADLINE_MARGIN_S
        sealed = Sealed([pending.intent for pending in bulk], deadline_s)
        granted = await bulk[0].books.reserve(sealed)
        if isinstance(granted, Doubtful):
            self.tasks.create_task(bulk[0].books.disown(granted))
            raise StoreUnavailable("PostgreSQL did not answer: nothing was sent")
        self._at("reserved")
        pairs = list(zip(bulk, granted.grants, strict=True))
        going = [(pending, grant) for pending, grant in pairs if isinstance(grant, Reserved)]
        leave = _Leave(passing, limiter, permit, key, granted.begun)
        sent = await self._send(going, leave) if going else {}
        if not going:
            await limiter.give_back(permit)
        return [
            sent[grant.call_id]
            if isinstance(grant, Reserved)
            else await self._not_sent(pending, grant)
            for pending, grant in pairs
        ]

    async def _not_sent(self, pending: _Pending, grant: Grant) -> _Result:
        if isinstance(grant, Known):
            return await self._known(grant, pending.question)
        if isinstance(grant, Blocked):
            return _blocked(grant)
        if isinstance(grant, Awaited):
            return awaited(grant.wait_s)
        if isinstance(grant, Refused):
            return _refused(grant)
        return _UNDER_WAY

    async def _send(self, going: _Going, leave: _Leave) -> dict[CallId, _Result]:
        question = going[0][0].question
        channel = self._channel(going[0][0])
        tokens = [
            token_of(pending.books.hash_key, question.asker.workspace_id, grant.call_id)
            for pending, grant in going
        ]
        departure = Departure(
            leave.limiter, leave.permit, begun=leave.begun, has_room=lambda: channel.has_room
        )
        http = BoundHttp(
            self._http,
            base_url=channel.base_url,
            key=leave.key,
            deadline=time.monotonic() + question.operation.timeout_s,
            max_requests=question.operation.most_requests,
            token=tokens[0],
            tokens=tokens,
            callback_url=callback_url(
                self._callback_url, question.spec.name, tokens[0], channel.access.webhook_secret
            ),
            hold=departure,
        )
        begun = time.monotonic()
        named = f"{question.spec.name} {question.operation.name}"
        with span(named, "client", {"glaze.provider": question.spec.name}) as traced:
            outcome = await self._look_up([pending.question for pending, _ in going], http)
            if traced is not None:
                status = http.facts[-1].status if http.facts else None
                traced.set_attributes({"glaze.calls": len(going), "http.status": status or 0})
        if departure.refused is not None or isinstance(outcome, FetchError):
            await departure.close()
        if departure.refused is not None:
            return await self._settle_held_back(going, departure.refused, http)
        took_s = time.monotonic() - begun - departure.held_s
        self.measures.time(TOOK, question.spec.name, seconds=took_s)
        self._at("answered")
        if isinstance(outcome, FetchError):
            return await self._settle_failure(going, outcome, http, leave.passing)
        settled = await self._settle_replies(going, outcome, http, leave.passing)
        await channel.heard(leave.limiter, outcome, http.headers)
        return settled

    async def _look_up(
        self, questions: Sequence[Question], http: BoundHttp
    ) -> Sequence[Reply] | FetchError:
        """Ask the provider; what it raises becomes a value that the ledger can record."""
        first = questions[0]
        asks = [question.ask for question in questions]
        try:
            async with asyncio.timeout(first.operation.timeout_s):
                if first.operation.is_deferred and isinstance(first.provider, Defers):
                    replies = await first.provider.defer(first.operation.name, asks, http)
                else:
                    replies = await first.provider.look_up(first.operation.name, asks, http)
            return [
                _judged(question, reply) for question, reply in zip(questions, replies, strict=True)
            ]
        except FetchError as error:
            return error
        except TimeoutError:
            return FetchError("no answer within the timeout", sent=_left(http))
        except Exception as error:
            log.exception("provider failed", provider=first.spec.name)
            return FetchError(f"{type(error).__name__} in the provider", sent=_left(http))

    async def _settle_held_back(
        self, going: _Going, why: str, http: BoundHttp
    ) -> dict[CallId, _Result]:
        await self._settle(going, [settle_unsent(grant.call_id, why) for _, grant in going], http)
        return {
            grant.call_id: Declined(
                Decline.WAIT, why, wait_s=POLL_S, call_id=grant.call_id, unsent=True
            )
            for _, grant in going
        }

    async def _settle_failure(
        self, going: _Going, error: FetchError, http: BoundHttp, passing: Passing
    ) -> dict[CallId, _Result]:
        question = going[0][0].question
        settled = [settle_failure(grant.call_id, error, question.operation) for _, grant in going]
        await self._settle(going, settled, http, error=f"{error.code}: {error}")
        await passing.record(failed=True, error=error.code)
        return {one.call_id: declined(one) for one in settled}

    async def _settle_replies(
        self, going: _Going, replies: Sequence[Reply], http: BoundHttp, passing: Passing
    ) -> dict[CallId, _Result]:
        replies = [
            await kept_of(pending.books, reply, pending.question.asker.subjects)
            for (pending, _), reply in zip(going, replies, strict=True)
        ]
        settled: Settled = [
            _kept(pending.question, grant, reply, http, alone=len(going) == 1)
            for (pending, grant), reply in zip(going, replies, strict=True)
        ]
        settled = await self._settle(going, settled, http)
        self._at("settled")
        outage = all(reply.verdict is Verdict.VENDOR_ERROR for reply in replies)
        status = f"status {http.facts[-1].status}" if http.facts else "no request"
        await passing.record(failed=outage, error=status if outage else "")
        return {
            one.call_id: answered(one, reply) for one, reply in zip(settled, replies, strict=True)
        }

    async def _settle(
        self,
        going: _Going,
        settlements: Sequence[Settlement],
        http: BoundHttp,
        *,
        error: str | None = None,
    ) -> Settled:
        pending, grant = going[0]
        wire = http.facts
        facts = RequestFacts(
            request_id=grant.request_id,
            status=wire[-1].status if wire else None,
            exchanges=len(wire),
            bytes=sum(fact.body_bytes for fact in wire),
            billed_micros=Micros(sum(s.price_micros for s in settlements)),
            error=error,
        )
        _log_request(pending.question, facts, len(going))
        self._count(pending.question, settlements)
        names = {grant.call_id: pending.question.spec.name for pending, grant in going}
        return await pending.books.settle(Settling(facts, tuple(settlements), names))

    def _count(self, question: Question, settlements: Sequence[Settlement]) -> None:
        named = question.spec.name, question.operation.name
        for one in settlements:
            self.measures.count(CALLS, *named, str(one.verdict or one.end))
            if one.price_micros:
                self.measures.count(BILLED, *named, by=one.price_micros)

    async def _known(self, known: Known, question: Question) -> Answer:
        self.measures.count(CACHED, question.spec.name)
        asker = question.asker
        readings = await self._entities.adopt(asker.workspace_id, known.call_id, asker.entities)
        return Answer(
            call_id=known.call_id,
            verdict=Verdict(known.verdict),
            readings=readings,
            known=True,
            detail=known.detail,
        )


def _intent(question: Question, access: Access, hash_key: bytes) -> Intent:
    text = question.text or canonical_question(question.needs, question.ask.known)
    wanted = question.ask.want
    inference = question.spec.tier is Tier.INFERENCE
    if inference:  # of the same pages each field is asked once, whatever else was missing
        text += _evidence_text(question.ask)
        wanted &= question.operation.gives.keys()
    key = question_key(
        question.spec,
        question.operation,
        access.credential,
        text,
        hash_key,
    )
    return Intent(
        asker=question.asker,
        question=key,
        price_micros=question.operation.price_micros,
        position=question.position,
        missed=question.missed,
        reason=question.reason,
        wanted=tuple(sorted(wanted)),
        by_field=inference,
        resend=question.operation.resend,
        collect_s=question.operation.collect_s,
        known={name: question.ask.known[name] for name in question.needs},
        whole=_whole(question) if question.operation.is_deferred else None,
        earlier=question.earlier,
        country=question.country,
        floor=question.floor,
    )


def _kept(
    question: Question, grant: Reserved, reply: Reply, http: BoundHttp, *, alone: bool
) -> Settlement:
    settlement = settle_reply(grant.call_id, reply, question.asker.entities, question.operation)
    if is_barred(reply.verdict, reply.detail):
        return settlement
    return recorded(settlement, question, reply, http, alone=alone)


def _at_once(question: Question) -> Question:
    """Return what was to be answered later, and was not, as a question to be answered now."""
    direct = question.spec.operation(question.operation.name)
    return replace(
        question, operation=direct if question.operation.is_deferred else question.operation
    )


def _whole(question: Question) -> Ask:
    """Return what an answer that comes later is held against: the page, and short facts."""
    known = short_facts(question.ask.known, question.needs)
    return replace(question.ask, known=known)


def _judged(question: Question, reply: Reply) -> Reply:
    """Return the reply with its readings judged; where that fails it brings none, billed or not."""
    try:
        return replace(reply, readings=question.judge(reply.readings))
    except Exception:
        log.exception("readings could not be judged", provider=question.spec.name)
        return replace(reply, readings=())


def _log_request(question: Question, facts: RequestFacts, calls: int) -> None:
    """Log one exchange with a vendor, under the job whose row it is: others may share it."""
    asker = question.asker
    named = {"job": asker.job_id, "correlation": asker.correlation_id}
    log.debug(
        "vendor request",
        **{name: value for name, value in named.items() if value is not None},
        request=facts.request_id,
        provider=question.spec.name,
        operation=question.operation.name,
        calls=calls,
        status=facts.status,
        billed_micros=facts.billed_micros,
        error=facts.error,
    )


def _left(http: BoundHttp) -> bool:
    """Tell whether any byte of the call may have left, so that it may have been billed."""
    return any(fact.sent for fact in http.facts)


def _refused(refused: Refused) -> Declined:
    return Declined(_DECLINES[refused.why], refused.detail or _REFUSED[refused.why])


def _no_room(wait: Wait, question: Question) -> Declined:
    """Say why there is no permit: limits are waited for, what the vendor refuses is not."""
    if wait.goes_on:
        until = f" (until {wait.until:%Y-%m-%d %H:%M} UTC)" if wait.until else ""
        verdict = _SAID.get(wait.cause) if wait.cause else None
        why = Decline.FAILED if verdict else Decline.BUSY
        return Declined(why, f"{wait.detail}{until}", wait_s=wait.wait_s, verdict=verdict)
    why = Decline.WAIT if question.spec.patient else Decline.BUSY
    return Declined(why, wait.detail or "rate limit", wait_s=wait.wait_s)


def _blocked(blocked: Blocked) -> Declined:
    return Declined(
        Decline.UNKNOWN, "an earlier call may have been billed", call_id=blocked.call_id
    )


def _evidence_text(ask: Ask) -> str:
    """Return what makes an inference another question: what the page says, what is in doubt."""
    pages = hashlib.sha256()
    for page in ask.evidence:
        pages.update(f"{page.url}\n{page.text}\n".encode("utf-8", "replace"))
    if ask.candidates:
        pages.update(json.dumps(dict(ask.candidates), sort_keys=True).encode())
    for name, stated in sorted(
        ask.statements.items()
    ):  # said again on another day, they are the same
        told = [[one.value, one.source, one.url, one.quote] for one in stated]
        pages.update(json.dumps([name, told], sort_keys=True).encode())
    return f"|{pages.hexdigest()}"
