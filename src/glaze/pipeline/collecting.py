"""Answers that come later: asked for when they are due, or when the vendor calls back."""

import asyncio
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus

import structlog

from glaze.errors import FetchError
from glaze.model.failpoint import At, nowhere
from glaze.model.ledger import CallEnd, Claimed, Delivery, RequestFacts
from glaze.model.provider import (
    Announced,
    Ask,
    Collects,
    Operation,
    Provider,
    Reply,
    Resend,
    Verdict,
)
from glaze.model.value import Micros, WorkspaceId
from glaze.net.client import HttpClient
from glaze.net.vendor import BoundHttp
from glaze.pipeline.beliefs import Beliefs
from glaze.pipeline.books import Bookkeeping, Books, Settling
from glaze.pipeline.channel import Channel, Channels
from glaze.pipeline.gateway import DEADLINE_MARGIN_S, SEND_WITHIN_S, Gateway
from glaze.pipeline.limiter import PATIENCE_S, Limiter, Wait
from glaze.pipeline.merge import merging
from glaze.pipeline.naming import callback_url, named_by, sealed, token_of
from glaze.pipeline.recorded import collected
from glaze.pipeline.settling import ANSWERS, poll_wait_s, settle_reply
from glaze.pipeline.validate import Judging
from glaze.store.due import DueStore
from glaze.store.entity import Remerge

log = structlog.get_logger("collecting")

MOST_AT_ONCE = 50
"""Answers that one process asks for at the same time."""
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
    """One answer about to be asked for."""

    claimed: Claimed
    provider: Provider
    operation: Operation
    channel: Channel
    books: Books
    begun: float  # monotonic, before the claim was made


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
        self._due = due
        self._http = http
        self._providers = providers
        self._beliefs = beliefs
        self._clock = clock
        self._tasks = gateway.tasks
        self._base_url = base_url
        self._at = at
        self._polling = 0
        later = [one for p in providers.values() for one in p.spec.operations if one.collect_s]
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
        access = self._channels.of(provider.spec).access
        called = token_of(books.hash_key, named.workspace_id, named.call_id)
        genuine = sealed(called, access.webhook_secret)
        if not hmac.compare_digest(token.encode(), genuine.encode()):
            return Delivery.FORGED
        handle = provider.announced(headers, body, access.webhook_secret or access.key)
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

    async def _begin(self, workspace_id: WorkspaceId) -> None:
        begun = time.monotonic()
        room = max(0, MOST_AT_ONCE - self._polling)
        books = await self._bookkeeping.of(workspace_id)
        for claimed in await self._due.claim(workspace_id, room, lease_s=self._lease_s):
            self._at("claimed_due")
            self._polling += 1
            self._tasks.create_task(self._poll(claimed, books, begun))

    async def _poll(self, claimed: Claimed, books: Books, begun: float) -> None:
        """Ask for one answer; whatever happens, its claim ends by itself."""
        try:
            poll = self._poll_of(claimed, books, begun)
            if poll is None:
                await self._due.put_off(claimed, ABSENT_S)
            else:
                await self._ask(poll)
        except Exception:
            log.exception("no answer was collected", provider=claimed.provider)
        finally:
            self._polling -= 1

    def _poll_of(self, claimed: Claimed, books: Books, begun: float) -> _Poll | None:
        """Find out how to ask, None where this process cannot."""
        provider = self._providers.get(claimed.provider)
        names = {one.name: one for one in provider.spec.operations} if provider else {}
        operation = names.get(claimed.operation)
        if provider is None or operation is None:
            return None
        channel = self._channels.of(provider.spec)
        if channel.access.credential != claimed.credential:
            return None
        return _Poll(claimed, provider, operation, channel, books, begun)

    async def _ask(self, poll: _Poll) -> None:
        probe_s = poll.operation.timeout_s + PATIENCE_S
        async with poll.channel.room, poll.channel.passing(probe_s=probe_s) as passing:
            if passing.wait_s:
                await self._due.put_off(poll.claimed, passing.wait_s)
                return
            limiter = poll.channel.limiter(poll.operation, asks=1)
            permit = await limiter.permit()
            if isinstance(permit, Wait):
                await self._due.put_off(poll.claimed, permit.wait_s)
                return
            if not await limiter.use(permit):
                await self._due.put_off(poll.claimed, 0.0)
                return
            if time.monotonic() - poll.begun > SEND_WITHIN_S:
                await limiter.give_back(permit)
                await self._due.put_off(poll.claimed, 0.0)
                return
            http = self._bound(poll)
            reply = await self._reply(poll, http)
            self._at("collected")
            error = reply.code if isinstance(reply, FetchError) else ""
            await passing.record(failed=bool(error), error=error)
        await self._take_in(poll, reply, http, limiter)

    async def _take_in(
        self, poll: _Poll, reply: Reply | FetchError, http: BoundHttp, limiter: Limiter
    ) -> None:
        if isinstance(reply, FetchError):
            log.debug("promised answer not collected", provider=poll.claimed.provider, error=reply)
            await self._due.put_off(poll.claimed, poll_wait_s(None, poll.claimed.polls))
            return
        await poll.channel.heard(limiter, [reply], http.headers)
        if _leaves_open(poll.claimed, reply, http):
            wait_s = poll_wait_s(reply, poll.claimed.polls)
            await self._due.put_off(poll.claimed, wait_s, handle=reply.handle or None)
            return
        await self._settle(poll, reply, http)

    def _bound(self, poll: _Poll) -> BoundHttp:
        claimed = poll.claimed
        token = token_of(poll.books.hash_key, claimed.workspace_id, claimed.call_id)
        return BoundHttp(
            self._http,
            base_url=poll.channel.base_url,
            key=poll.channel.access.key,
            deadline=time.monotonic() + poll.operation.timeout_s,
            max_requests=1 if _is_resent(claimed) else None,
            token=token,
            callback_url=callback_url(
                self._base_url, claimed.provider, token, poll.channel.access.webhook_secret
            ),
        )

    async def _reply(self, poll: _Poll, http: BoundHttp) -> Reply | FetchError:
        claimed, provider = poll.claimed, poll.provider
        ask = Ask(known=claimed.known, want=frozenset(claimed.wanted))
        try:
            async with asyncio.timeout(poll.operation.timeout_s):
                if _is_resent(claimed):
                    (reply,) = await provider.look_up(claimed.operation, [ask], http)
                    return reply
                if isinstance(provider, Collects):
                    handle = claimed.handle or http.token
                    return await provider.collect(claimed.operation, handle, ask, http)
        except FetchError as error:
            return error
        except TimeoutError:
            return FetchError("no answer within the timeout", sent=True)
        return FetchError("the provider cannot collect any more", sent=False)

    async def _settle(self, poll: _Poll, reply: Reply, http: BoundHttp) -> None:
        claimed = poll.claimed
        judge = Judging(claimed.known, self._clock(), {})
        judged = replace(reply, readings=judge(reply.readings))
        settlement = settle_reply(claimed.call_id, judged, claimed.entities, poll.operation)
        settlement = collected(settlement, claimed, judge, http, resent=_is_resent(claimed))
        if settlement.end is CallEnd.PENDING:
            await self._due.put_off(claimed, poll_wait_s(reply, claimed.polls))
            return
        wire = http.facts
        facts = RequestFacts(
            request_id=claimed.request_id,
            status=wire[-1].status if wire else None,
            exchanges=len(wire),
            bytes=sum(fact.body_bytes for fact in wire),
            billed_micros=Micros(settlement.price_micros),
        )
        names = {claimed.call_id: claimed.provider}
        await poll.books.settle(Settling(facts, (settlement,), names))
        self._at("resolved")
        await self._due.wake(claimed)
        if settlement.readings:  # nobody may be waiting for it any more
            belief = await self._beliefs.of(claimed.workspace_id)
            await poll.books.remerge(Remerge(claimed.entities, merging(belief), self._clock()))


def _leaves_open(claimed: Claimed, reply: Reply, http: BoundHttp) -> bool:
    """Tell whether a reply says nothing of what became of the question.

    A refusal speaks of the request that it answers. That the first one, whose answer was lost, was
    not billed either only the vendor that promised an answer can say, and no server error does.
    """
    if reply.verdict in ANSWERS:
        return False
    failing = bool(http.facts) and (http.facts[-1].status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR
    return reply.verdict in _NOT_OF_THE_QUESTION or claimed.handle is None or failing


def _is_resent(claimed: Claimed) -> bool:
    """Tell whether the question is sent again under its key: there is nothing to collect."""
    return claimed.resend is Resend.IDEMPOTENT and claimed.handle is None
