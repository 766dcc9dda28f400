"""On whose behalf a request is answered: its key, what that may do, and how often it may ask."""

import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Annotated, NamedTuple

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from glaze.errors import KeyRefused, NotFound, ScopeMissing, TooManyRequests
from glaze.model.access import Principal, Scope, digest_of
from glaze.model.value import BatchId
from glaze.store.access import KeyStore
from glaze.store.token import TokenStore, is_token

REMEMBERED_S = 5.0
"""For so long another process may take a key that was revoked meanwhile."""
_REMEMBERED = 10_000

bearer = HTTPBearer(
    auto_error=False, scheme_name="key", description="an API key of the workspace, or a read token"
)


class _Known(NamedTuple):
    principal: Principal
    until: float  # monotonic seconds


class Gate:
    """Knows keys that were shown lately, and counts what each asks for in a minute."""

    def __init__(
        self,
        keys: KeyStore,
        tokens: TokenStore,
        per_minute: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Let each key make ``per_minute`` requests in any minute, in this process."""
        self._keys = keys
        self._tokens = tokens
        self._clock = clock
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._limit = RateLimitItemPerMinute(per_minute)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def admit(self, text: str) -> Principal:
        """Return on whose behalf who shows ``text`` acts.

        Raises: KeyRefused.
        """
        digest, now = digest_of(text), self._clock()
        known = self._known.get(digest)
        if known is not None and known.until > now:
            return known.principal
        principal, lasts_s = await self._look_up(text)
        self._known[digest] = _Known(principal, now + min(lasts_s, REMEMBERED_S))
        self._known.move_to_end(digest)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return principal

    async def _look_up(self, text: str) -> tuple[Principal, float]:
        if is_token(text):
            found = await self._tokens.authenticate(text)
            if found is None:
                raise KeyRefused("the token is forged or expired; get one: POST /v1/tokens")
            return found
        principal = await self._keys.authenticate(text)
        if principal is None:
            raise KeyRefused("the key is unknown, revoked or expired; make one: glaze keys create")
        return principal, math.inf

    def forget(self) -> None:
        """Look every key up again: one was revoked."""
        self._known.clear()

    async def count(self, principal: Principal) -> dict[str, str]:
        """Count one request and return the headers that tell how many are left.

        Raises: TooManyRequests.
        """
        whose = f"{principal.workspace_id} {principal.actor}"
        allowed = await self._limiter.hit(self._limit, whose)
        reset, left = await self._limiter.get_window_stats(self._limit, whose)
        wait_s = max(1, math.ceil(reset - time.time()))  # noqa: TID251  limits tells the wall clock's
        if not allowed:
            raise TooManyRequests(
                f"more than {self._limit.amount} requests in a minute; wait {wait_s} s",
                retry_after_s=wait_s,
            )
        return {
            "RateLimit-Policy": f'"key";q={self._limit.amount};w=60',
            "RateLimit": f'"key";r={left};t={wait_s}',
        }


def must(who: Principal, scope: Scope) -> None:
    """Let who may do it pass. Raises: ScopeMissing."""
    if not who.may(scope):
        raise ScopeMissing(f"this needs the scope {scope}, which the key does not have")


def must_see_batch(who: Principal, batch_id: int) -> None:
    """Let who may see the batch pass. Raises: NotFound."""
    if not who.sees(batch_id=BatchId(batch_id)):
        raise NotFound(f"there is no batch {batch_id}")


def needs(scope: Scope, *, narrowed: bool = False) -> Callable[..., Awaitable[Principal]]:
    """Return the dependency of a route that wants ``scope``.

    Who may see one job or batch alone gets a 404, but where ``narrowed`` says that the route
    looks whether it is that one.
    """

    async def principal(
        request: Request,
        shown: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    ) -> Principal:
        gate: Gate = request.app.state.gate
        if shown is None:
            raise KeyRefused("show an API key: Authorization: Bearer glz_...")
        found = await gate.admit(shown.credentials)
        request.state.limit = await gate.count(found)
        must(found, scope)
        if found.narrowed is not None and not narrowed:
            raise NotFound("the token is for one job or batch, and this is not it")
        return found

    return principal


Reader = Annotated[Principal, Depends(needs(Scope.READ))]
"""Who may see."""
Watcher = Annotated[Principal, Depends(needs(Scope.READ, narrowed=True))]
"""Who may see, perhaps one job or batch alone: the route asks ``sees``."""
Writer = Annotated[Principal, Depends(needs(Scope.WRITE))]
"""Who may ask for work, and change it."""
Admin = Annotated[Principal, Depends(needs(Scope.ADMIN))]
"""Who may change keys, money and settings."""
