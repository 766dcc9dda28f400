"""The courier: tells endpoints what happened, each at its own pace; one that hangs delays no other."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from http import HTTPStatus
from random import Random
from typing import Self

import structlog
from standardwebhooks import Webhook

from glaze.errors import AddressRefused, FetchError, StoreUnavailable
from glaze.model.failpoint import At, nowhere
from glaze.model.provider import VendorResponse
from glaze.model.value import WorkspaceId
from glaze.model.vendor_body import retry_after_s
from glaze.model.webhook import wait_s
from glaze.net.client import HttpClient, Outgoing, RequestFact
from glaze.store.webhook_delivery import PAGE, Attempt, DeliveryStore, Due

log = structlog.get_logger("webhooks")

ANSWER_WITHIN_S = 15.0
LEASE_S = 3 * ANSWER_WITHIN_S
"""Past it somebody else sends what a dead process was at."""
MOST_AT_ONCE = 256
"""Attempts under way in one process; half of them may be at endpoints that failed last."""
EACH_AT_ONCE = 4
"""Attempts under way at one endpoint, in the whole fleet."""
VISIT_S = 5.0
"""How long one endpoint that takes what it is told is told more, before others have their turn."""
_ENDING_S = 5.0
_MOST_ANSWER_BYTES = 64 * 1024
_EXCERPT_CHARS = 500
_ASKS_TO_WAIT = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


class Courier:
    """Fans events out and sends what is due; any number may do so at once."""

    def __init__(
        self,
        store: DeliveryStore,
        http: HttpClient,
        *,
        clock: Callable[[], datetime],
        rng: Random,
        at: At = nowhere,
    ) -> None:
        """Send through ``http``, guarded; ``rng`` spreads retries."""
        self._store = store
        self._http = http
        self._clock = clock
        self._rng = rng
        self._at = at
        self._under_way: dict[asyncio.Task[None], bool] = {}  # whether its endpoint failed last
        self._closing = False

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        store: DeliveryStore,
        http: HttpClient,
        *,
        clock: Callable[[], datetime],
        rng: Random,
        at: At = nowhere,
    ) -> AsyncIterator[Self]:
        """Give a courier; leaving waits a little for what is under way, then leaves it to others."""
        courier = cls(store, http, clock=clock, rng=rng, at=at)
        try:
            yield courier
        finally:
            await courier.close()

    async def close(self) -> None:
        """End; what was not answered is sent again by somebody else, under the same id."""
        self._closing = True
        if not self._under_way:
            return
        _, late = await asyncio.wait(self._under_way, timeout=_ENDING_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def sweep(self) -> None:
        """Make deliveries of what happened, and begin to send what is due."""
        for workspace_id in await self._store.listened_to():
            while await self._store.fan_out(workspace_id) == PAGE:
                continue
        for workspace_id in await self._store.due():
            for failing in (False, True):
                await self._begin(workspace_id, failing=failing)

    async def _begin(self, workspace_id: WorkspaceId, *, failing: bool) -> None:
        room = MOST_AT_ONCE - len(self._under_way)
        if failing:
            room = min(room, MOST_AT_ONCE // 2 - sum(self._under_way.values()))
        if room <= 0:
            return
        for due in await self._store.claim(
            workspace_id, room, each=EACH_AT_ONCE, failing=failing, lease_s=LEASE_S
        ):
            self._at("webhook_claimed")
            task = asyncio.get_running_loop().create_task(self._visit(due))
            self._under_way[task] = failing
            task.add_done_callback(self._under_way.pop)

    async def _visit(self, first: Due) -> None:
        """Tell an endpoint one thing after the other, as long as it takes them."""
        ends = time.monotonic() + VISIT_S
        due: Due | None = first
        while due is not None:
            due = await self._deliver(due, ends)

    async def _deliver(self, due: Due, ends: float) -> Due | None:
        """Make one attempt and return the next, claimed, until ``ends``, monotonic seconds.

        Whatever happens, a claim ends by itself.
        """
        try:
            attempt = await self._attempt(due)
            self._at("webhook_sent")
            go_on = time.monotonic() < ends and not self._closing
            each = EACH_AT_ONCE if go_on else 0
            settled = await self._store.settle(due, attempt, each=each, lease_s=LEASE_S)
        except StoreUnavailable as error:
            log.warning("delivery not recorded: it is sent again", error=str(error))
        except Exception:
            log.exception("delivery broke off", webhook=due.webhook_id)
        else:
            if (why := settled.disabled) is not None:
                log.warning(
                    "webhook disabled", workspace=due.workspace_id, webhook=due.webhook_id, why=why
                )
            return settled.next
        return None

    async def _attempt(self, due: Due) -> Attempt:
        facts: list[RequestFact] = []
        begun = time.monotonic()
        answer: VendorResponse | None = None
        error: FetchError | None = None
        try:
            answer = await answered(self._http, self._request(due), facts)
        except FetchError as failure:
            error = failure
        spent_ms = round((time.monotonic() - begun) * 1000)
        if answer is None:
            again = None if isinstance(error, AddressRefused) else wait_s(due.attempt, self._rng)
            why = f"{error.code}: {error}" if error else None
            return Attempt(False, None, spent_ms, why, None, again)
        return self._judged(due, answer, spent_ms)

    def _judged(self, due: Due, answer: VendorResponse, spent_ms: int) -> Attempt:
        """Taken is any 2xx; 410 says that nobody listens there any more; all else may pass."""
        status = answer.status
        text = answer.body[: 4 * _EXCERPT_CHARS].decode("utf-8", "replace")
        excerpt = text.replace("\x00", "\ufffd")[:_EXCERPT_CHARS] or None
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return Attempt(True, status, spent_ms, None, excerpt, None)
        gone = status == HTTPStatus.GONE
        asked_s = retry_after_s(answer) if status in _ASKS_TO_WAIT else None
        again = None if gone else wait_s(due.attempt, self._rng, asked_s)
        code = "webhook_gone" if gone else "webhook_refused"
        told = f"{code}: the receiver answers {status}"
        return Attempt(False, status, spent_ms, told, excerpt, again, gone)

    def _request(self, due: Due) -> Outgoing:
        """Return the request, signed as Standard Webhooks say; a retry has the same id and body."""
        return Outgoing(
            "POST",
            due.url,
            time.monotonic() + ANSWER_WITHIN_S,
            _MOST_ANSWER_BYTES,
            signed(due.message_id, due.body, due.secrets, now=self._clock()),
            due.body.encode(),
            follow=False,  # a POST that is redirected would arrive as a GET without its body
        )


async def answered(http: HttpClient, request: Outgoing, facts: list[RequestFact]) -> VendorResponse:
    """Send, and return what was answered; ``facts`` receives one entry per attempt.

    The status is what counts, and it comes before the body: one that is too long, cut off or in an
    encoding that nobody offered is left out.

    Raises: FetchError where no status came.
    """
    try:
        return await http.send(request, trusted=False, facts=facts)
    except FetchError:
        status = facts[-1].status if facts else None
        if status is None:
            raise
        return VendorResponse(status, {}, b"", request.url)


def signed(
    message_id: str, body: str, secrets: tuple[str, ...], *, now: datetime
) -> dict[str, str]:
    """Return the headers of a message: any of ``secrets`` verifies it."""
    signatures = [Webhook(secret).sign(message_id, now, body) for secret in secrets]
    return {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
