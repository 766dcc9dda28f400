"""Answers that come later: asked for when they are due, or when the vendor calls back."""

import asyncio
import hmac
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus

import structlog

from glaze.errors import FetchError, SecretError
from glaze.model.failpoint import At, nowhere
from glaze.model.ledger import CallEnd, Claimed, Delivery, RequestFacts, Settlement
from glaze.model.provider import (
    Announced,
    Ask,
    Collects,
    Defers,
    Operation,
    Provider,
    Reply,
    Resend,
    Unbilled,
    Verdict,
)
from glaze.model.value import CallId, Micros, WorkspaceId
from glaze.net.client import HttpClient
from glaze.net.vendor import BoundHttp
from glaze.pipeline.asking import Access
from glaze.pipeline.barring import is_barred, kept_of
from glaze.pipeline.beliefs import Beliefs
from glaze.pipeline.books import Bookkeeping, Books, Settling
from glaze.pipeline.channel import Channel, Channels
from glaze.pipeline.credentials import Credentials
from glaze.pipeline.departure import Departure
from glaze.pipeline.gateway import DEADLINE_MARGIN_S, Gateway
from glaze.pipeline.limiter import PATIENCE_S, Limiter, Wait
from glaze.pipeline.merge import merging
from glaze.pipeline.naming import callback_url, named_by, sealed, token_of
from glaze.pipeline.recorded import collected, deferred
from glaze.pipeline.settling import ANSWERS, poll_wait_s, settle_reply
from glaze.pipeline.validate import Judging
from glaze.store.due import DueStore
from glaze.store.entity import Remerge

log = structlog.get_logger("collecting")

MOST_AT_ONCE = 50
"""Answers that one process asks for at the same time."""
GONE_AFTER_POLLS = 5
"""As often a request whose answer was lost is looked for at its vendor, over a minute, before it
counts as never arrived: a slow one may still become known there."""
ABSENT_S = 60.0
"""How long a call waits whose provider or key this process does not have."""
_NOT_OF_THE_QUESTION = frozenset(
    {
        Verdict.PENDING,
        Verdict.RATE_LIMITED,
        Verdict.AUTH,
        Verdict.FORBIDDEN_PLAN,
        Verdict.OUT_OF_CREDITS,
    }
)
"""Verdicts after which the answer may still be had."""


@dataclass(frozen=True, slots=True)
class _Poll:
    """One answer about to be asked for, or those of one request that were handed in together."""

    all: Sequence[Claimed]
    provider: Provider
    operation: Operation
    channel: Channel
    books: Books
    begun: float  # monotonic, before the claim was made

    @property
    def claimed(self) -> Claimed:
        """What is the same of all: the question's provider, operation and handle."""
        return self.all[0]


_Replies = Mapping[CallId, Reply]


class Collector:
    """Asks for promised answers, for whoever they were promised to; any number may run at once."""

    def __init__(
        self,
        gateway: Gateway,
        due: DueStore,
        http: HttpClient,
        providers: Mapping[str, Provider],
        *,
        beliefs: Beliefs,
        clock: Callable[[], datetime],
        base_url: str = "",
        at: At = nowhere,
    ) -> None:
        """Share keys, limits and books with ``gateway``, which waits for polls under way."""
        self._bookkeeping: Bookkeeping = gateway.bookkeeping
        self._channels: Channels = gateway.channels
        self._credentials: Credentials = gateway.credentials
        self._due = due
        self._http = http
        self._providers = providers
        self._beliefs = beliefs
        self._clock = clock
        self._tasks = gateway.tasks
        self._base_url = base_url
        self._at = at
        self._polling = 0
        all_ = [one.deferred() for p in providers.values() for one in p.spec.operations]
        later = [one for one in all_ if one.collect_s]
        timeouts = [one.timeout_s for one in later]
        self._lease_s = max(timeouts, default=0.0) + DEADLINE_MARGIN_S

    async def sweep(self) -> None:
        """Treat calls that were left behind by their class, and begin to ask for what is due."""
        for workspace_id in await self._due.workspaces():
            await self._begin(workspace_id)

    async def deliver(
        self, provider: str, token: str, headers: Mapping[str, str], body: bytes
    ) -> Delivery:
        """Take a vendor's callback: it only says that there is something to collect.

        Its body is never taken for the answer. Once this returns ``ACCEPTED`` the vendor may
        forget the callback: the answer is collected now, or after a crash by the next sweep.

        Args:
            provider: The provider that the address it came to speaks of.
            token: The last part of that address: the call's token, sealed where there is a secret.
            headers: Header names in lower case.
            body: The body, byte for byte.
        """
        delivery = await self._deliver(provider, token, headers, body)
        say = log.info if delivery is Delivery.ACCEPTED else log.warning
        say("vendor called back", provider=provider, delivery=delivery.value)
        return delivery

    async def _deliver(
        self, name: str, token: str, headers: Mapping[str, str], body: bytes
    ) -> Delivery:
        named, provider = named_by(token.partition(".")[0]), self._providers.get(name)
        if named is None or not isinstance(provider, Announced):
            return Delivery.UNKNOWN
        try:
            books = await self._bookkeeping.of(named.workspace_id)
        except LookupError:
            return Delivery.FORGED
        access = await self._paid_by(named.workspace_id, named.call_id, name)
        if access is None:
            return Delivery.FORGED
        called = token_of(books.hash_key, named.workspace_id, named.call_id)
        genuine = sealed(called, access.webhook_secret)
        if not hmac.compare_digest(token.encode(), genuine.encode()):
            return Delivery.FORGED
        secret = access.webhook_secret or await self._credentials.key(name, access)
        handle = provider.announced(headers, body, secret)
        if handle is None:
            return Delivery.FORGED
        delivery = await self._due.called_back(
            named.workspace_id,
            named.call_id,
            name,
            handle=handle,
            body=body,
            hash_key=books.hash_key,
        )
        self._at("called_back")
        if delivery is Delivery.ACCEPTED:
            await self._begin(named.workspace_id)
        return delivery

    async def _paid_by(
        self, workspace_id: WorkspaceId, call_id: CallId, provider: str
    ) -> Access | None:
        """Return the access that a call was made by, None where its key is gone."""
        credential = await self._due.credential(workspace_id, call_id)
        if credential is None:  # there is no such call: whoever has its name is told so
            return (await self._credentials.of(workspace_id)).to(provider)
        return await self._credentials.held(workspace_id, provider, credential)

    async def _begin(self, workspace_id: WorkspaceId) -> None:
        begun = time.monotonic()
        room = max(0, MOST_AT_ONCE - self._polling)
        books = await self._bookkeeping.of(workspace_id)
        for group in _together(await self._due.claim(workspace_id, room, lease_s=self._lease_s)):
            self._at("claimed_due")
            self._polling += len(group)
            self._tasks.create_task(self._poll(group, books, begun))

    async def _poll(self, group: Sequence[Claimed], books: Books, begun: float) -> None:
        """Ask for what one request will be answered; whatever happens, its claims end by themselves."""
        try:
            poll = await self._poll_of(group, books, begun)
            if poll is None:
                await self._put_off(group, ABSENT_S)
            else:
                await self._ask(poll)
        except SecretError as error:
            log.error("no key", provider=group[0].provider, error=error)  # noqa: TRY400  told whole
            await self._put_off(group, ABSENT_S)
        except Exception:
            log.exception("no answer was collected", provider=group[0].provider)
        finally:
            self._polling -= len(group)

    async def _put_off(self, group: Iterable[Claimed], wait_s: float) -> None:
        for claimed in group:
            await self._due.put_off(claimed, wait_s)

    async def _poll_of(self, group: Sequence[Claimed], books: Books, begun: float) -> _Poll | None:
        """Find out how to ask, None where this process cannot."""
        claimed = group[0]
        provider = self._providers.get(claimed.provider)
        names = {one.name: one for one in provider.spec.operations} if provider else {}
        operation = names.get(claimed.operation)
        if provider is None or operation is None:
            return None
        access = await self._credentials.held(
            claimed.workspace_id, claimed.provider, claimed.credential
        )
        if access is None:
            return None
        channel = self._channels.of(provider.spec, access)
        if claimed.whole is not None:
            operation = operation.deferred()
        return _Poll(group, provider, operation, channel, books, begun)

    async def _ask(self, poll: _Poll) -> None:
        probe_s = poll.operation.timeout_s + PATIENCE_S
        async with poll.channel.room(), poll.channel.passing(probe_s=probe_s) as passing:
            if passing.wait_s:
                await self._put_off(poll.all, passing.wait_s)
                return
            limiter = poll.channel.limiter(poll.operation, asks=1)
            permit = await limiter.permit()
            if isinstance(permit, Wait):
                await self._put_off(poll.all, permit.wait_s)
                return
            departure = Departure(
                limiter, permit, begun=poll.begun, has_room=lambda: poll.channel.has_room
            )
            try:
                http = await self._bound(poll, departure)
                replies = await self._replies(poll, http)
            finally:
                await departure.close()
            if departure.refused is not None:
                await self._put_off(poll.all, 0.0)
                return
            self._at("collected")
            error = replies.code if isinstance(replies, FetchError) else ""
            await passing.record(failed=bool(error), error=error)
        await self._take_in(poll, replies, http, limiter)

    async def _take_in(
        self, poll: _Poll, replies: _Replies | FetchError, http: BoundHttp, limiter: Limiter
    ) -> None:
        if isinstance(replies, FetchError):
            log.debug(
                "promised answer not collected", provider=poll.claimed.provider, error=replies
            )
            await self._put_off(poll.all, poll_wait_s(None, poll.claimed.polls))
            return
        await poll.channel.heard(limiter, [*replies.values()], http.headers)
        ended: list[tuple[Claimed, Reply]] = []
        for claimed in poll.all:
            reply = replies[claimed.call_id]
            if _leaves_open(claimed, reply, http):
                wait_s = poll_wait_s(reply, claimed.polls)
                await self._due.put_off(claimed, wait_s, handle=reply.handle or None)
            else:
                ended.append((claimed, reply))
        if ended:
            await self._settle(poll, ended, http)

    def _token(self, poll: _Poll, claimed: Claimed) -> str:
        return token_of(poll.books.hash_key, claimed.workspace_id, claimed.call_id)

    async def _bound(self, poll: _Poll, departure: Departure) -> BoundHttp:
        claimed = poll.claimed
        key = await self._credentials.key(claimed.provider, poll.channel.access)
        token = self._token(poll, claimed)
        return BoundHttp(
            self._http,
            base_url=poll.channel.base_url,
            key=key,
            deadline=time.monotonic() + poll.operation.timeout_s,
            max_requests=1 if _is_resent(claimed) else None,
            token=token,
            callback_url=callback_url(
                self._base_url, claimed.provider, token, poll.channel.access.webhook_secret
            ),
            hold=departure,
        )

    async def _replies(self, poll: _Poll, http: BoundHttp) -> _Replies | FetchError:
        claimed, provider = poll.claimed, poll.provider
        ask = Ask(known=claimed.known, want=frozenset(claimed.wanted))
        try:
            async with asyncio.timeout(poll.operation.timeout_s):
                if _is_resent(claimed):
                    (reply,) = await provider.look_up(claimed.operation, [ask], http)
                    return {claimed.call_id: reply}
                if poll.operation.is_deferred and isinstance(provider, Defers):
                    return await self._handed_in(poll, provider, http)
                if isinstance(provider, Collects):
                    handle = claimed.handle or http.token
                    reply = await provider.collect(claimed.operation, handle, ask, http)
                    return {claimed.call_id: reply}
        except FetchError as error:
            return error
        except TimeoutError:
            return FetchError("no answer within the timeout", sent=True)
        return FetchError("the provider cannot collect any more", sent=False)

    async def _handed_in(self, poll: _Poll, provider: Defers, http: BoundHttp) -> _Replies:
        """Ask for what was handed in by one request, each question with its page."""
        asks = {self._token(poll, one): one.whole for one in poll.all if one.whole is not None}
        name, handle = poll.operation.name, poll.claimed.handle
        replies = await provider.collect_deferred(name, handle, asks, http)
        return {one.call_id: replies[self._token(poll, one)] for one in poll.all}

    async def _settle(
        self, poll: _Poll, ended: Sequence[tuple[Claimed, Reply]], http: BoundHttp
    ) -> None:
        settlements: list[Settlement] = []
        for claimed, reply in ended:
            settlement = await self._settlement(poll, claimed, reply, http)
            if settlement.end is CallEnd.PENDING:
                await self._due.put_off(claimed, poll_wait_s(reply, claimed.polls))
            else:
                settlements.append(settlement)
        if not settlements:
            return
        wire = http.facts
        facts = RequestFacts(
            request_id=poll.claimed.request_id,
            status=wire[-1].status if wire else None,
            exchanges=len(wire),
            bytes=sum(fact.body_bytes for fact in wire),
            billed_micros=Micros(sum(one.price_micros for one in settlements)),
        )
        names = {claimed.call_id: claimed.provider for claimed, _ in ended}
        await poll.books.settle(Settling(facts, tuple(settlements), names))
        self._at("resolved")
        for claimed, _ in ended:
            await self._due.wake(claimed)
        belief = await self._beliefs.of(poll.claimed.workspace_id)
        for settlement in settlements:
            if settlement.readings:  # nobody may be waiting for it any more
                merged = Remerge(settlement.entities, merging(belief), self._clock())
                await poll.books.remerge(merged)

    async def _settlement(
        self, poll: _Poll, claimed: Claimed, reply: Reply, http: BoundHttp
    ) -> Settlement:
        known = claimed.known if claimed.whole is None else claimed.whole.known
        judge = Judging(known, self._clock(), {})
        judged = await kept_of(poll.books, replace(reply, readings=judge(reply.readings)))
        settlement = settle_reply(claimed.call_id, judged, claimed.entities, poll.operation)
        if is_barred(judged.verdict, judged.detail):
            return settlement
        if claimed.whole is not None:
            return deferred(settlement, claimed.whole, reply, judge, http)
        return collected(settlement, claimed, judge, http, resent=_is_resent(claimed))


def _together(claimed: Iterable[Claimed]) -> list[list[Claimed]]:
    """Return what was handed in by one request, and is answered as one, in one group."""
    groups: defaultdict[tuple[object, ...], list[Claimed]] = defaultdict(list)
    for one in claimed:
        alone = one.call_id if one.whole is None else None
        groups[one.request_id, one.handle, alone].append(one)
    return [*groups.values()]


def _leaves_open(claimed: Claimed, reply: Reply, http: BoundHttp) -> bool:
    """Tell whether a reply says nothing of what became of the question.

    A refusal speaks of the request that it answers. That the first one, whose answer was lost, was
    not billed either only the vendor that promised an answer can say, and no server error does.
    """
    if reply.verdict in ANSWERS:
        return False
    failing = bool(http.facts) and (http.facts[-1].status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR
    nowhere_there = claimed.whole is not None and isinstance(reply.billing, Unbilled)
    if claimed.handle is None and nowhere_there and claimed.polls >= GONE_AFTER_POLLS:
        return failing or reply.verdict in _NOT_OF_THE_QUESTION
    return reply.verdict in _NOT_OF_THE_QUESTION or claimed.handle is None or failing


def _is_resent(claimed: Claimed) -> bool:
    """Tell whether the question is sent again under its key: there is nothing to collect."""
    return claimed.resend is Resend.IDEMPOTENT and claimed.handle is None
