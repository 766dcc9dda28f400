"""On whose behalf a request is answered: its key, what that may do, and how often it may ask."""

import asyncio
import hmac
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.requests import HTTPConnection
from fastapi.security import APIKeyCookie, HTTPBearer
from fastapi.security.base import SecurityBase
from fastapi.security.utils import get_authorization_scheme_param

from glaze.api.pace import Pace
from glaze.api.signing_in import SignIns
from glaze.errors import CsrfRefused, KeyRefused, NotFound, ScopeMissing, TooManyRequests
from glaze.model.access import Act, Principal, Scope, digest_of
from glaze.model.member import Kind, csrf_token, workspace_of
from glaze.model.value import BatchId
from glaze.store.access import KeyStore
from glaze.store.token import TokenStore, is_token

REMEMBERED_S = 5.0
"""For so long another process may take a key that was revoked meanwhile."""
_REMEMBERED = 10_000
_MINUTE_S = 60.0

bearer = HTTPBearer(
    auto_error=False, scheme_name="key", description="an API key of the workspace, or a read token"
)

COOKIE = "__Host-glaze"
"""Of this very host, over TLS or loopback alone, for all paths: no other host can set it."""
CSRF_HEADER = "X-CSRF-Token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

cookie = APIKeyCookie(
    name=COOKIE,
    auto_error=False,
    scheme_name="session",
    description=f"of who signed in; changes need {CSRF_HEADER}, too",
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
        sign_ins: SignIns,
        per_minute: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Let each key make ``per_minute`` requests in any minute, in this process."""
        self._keys = keys
        self._tokens = tokens
        self._sign_ins = sign_ins
        self._clock = clock
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._asking: dict[tuple[bytes, int], asyncio.Task[Principal]] = {}
        self._revoked = 0
        self._pace = Pace(per_minute, _MINUTE_S, clock)

    async def admit(self, text: str) -> Principal:
        """Return on whose behalf who shows ``text`` acts.

        Raises: KeyRefused, StoreUnavailable.
        """
        digest, now = digest_of(text), self._clock()
        known = self._known.get(digest)
        if known is not None and known.until > now:
            return known.principal
        # Who asks meanwhile has the same answer, or the same error: a thousand subscribers are one
        # look, and nobody waits for the database longer than the first. After a revocation it is
        # looked anew.
        asked = digest, self._revoked
        asking = self._asking.get(asked)
        if asking is None:
            looking = self._ask(text, digest, now)
            asking = self._asking[asked] = asyncio.get_running_loop().create_task(looking)
            asking.add_done_callback(lambda _: self._asking.pop(asked))
        return await asyncio.shield(asking)

    async def _ask(self, text: str, digest: bytes, now: float) -> Principal:
        revoked = self._revoked
        principal, lasts_s = await self._look_up(text)
        if revoked == self._revoked:  # else it may be this one
            self._remember(digest, _Known(principal, now + min(lasts_s, REMEMBERED_S)))
        return principal

    def _remember(self, digest: bytes, known: _Known) -> None:
        self._known[digest] = known
        self._known.move_to_end(digest)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    async def _look_up(self, text: str) -> tuple[Principal, float]:
        if is_token(text):
            found = await self._tokens.authenticate(text)
            if found is None:
                raise KeyRefused("the token is forged or expired; get one: POST /v1/tokens")
            return found
        if workspace_of(Kind.SESSION, text) is not None:
            signed_in = await self._sign_ins.admit(text)
            if signed_in is None:
                raise KeyRefused("the session is over: sign in")
            return signed_in
        principal = await self._keys.authenticate(text)
        if principal is None:
            raise KeyRefused("the key is unknown, revoked or expired; make one: glaze keys create")
        return principal, math.inf

    def forget(self) -> None:
        """Look every key up again: one was revoked."""
        self._known.clear()
        self._revoked += 1

    def count(self, principal: Principal, asking: HTTPConnection) -> None:
        """Count one request; its answer, whatever it is, tells how many are left.

        Raises: TooManyRequests.
        """
        paced = self._pace.hit(f"{principal.workspace_id} {principal.counted_as}")
        wait_s = max(1, math.ceil(paced.reset_s))
        asking.state.limit = {
            "RateLimit-Policy": f'"key";q={self._pace.most};w=60',
            "RateLimit": f'"key";r={paced.left};t={wait_s}',
        }
        if not paced.allowed:
            raise TooManyRequests(
                f"more than {self._pace.most} requests in a minute; wait {wait_s} s",
                retry_after_s=wait_s,
            )


def text_of(request: HTTPConnection, key: str | None, session: str | None) -> str:
    """Return what was shown: a key or token, else the cookie of a session, whose changes are checked.

    Raises: KeyRefused for nothing, or a session elsewhere than in its cookie; CsrfRefused.
    """
    if key is not None:
        if workspace_of(Kind.SESSION, key) is not None:
            raise KeyRefused("a session is shown by its cookie alone")
        return key
    if session is None or workspace_of(Kind.SESSION, session) is None:
        raise KeyRefused("show an API key: Authorization: Bearer glz_...; or sign in")
    check_page(request, session)
    return session


def check_page(request: HTTPConnection, session: str | None) -> None:
    """Let a change pass that a page of ours asks for: browsers send cookies along for any page.

    Where there is a ``session`` yet, its page must show the token that belongs to it.

    Raises: CsrfRefused.
    """
    if request.scope.get("method", "GET") in _SAFE:
        return
    headers = request.headers
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise CsrfRefused("a page of another site may not do this")
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        raise CsrfRefused("a page of another origin may not do this")
    shown = headers.get(CSRF_HEADER, "")
    if session is not None and not hmac.compare_digest(
        shown.encode(), csrf_token(session).encode()
    ):
        raise CsrfRefused(f"a change needs {CSRF_HEADER}: csrf_token of GET /v1/session")


def must(who: Principal, scope: Scope) -> None:
    """Let who may do it pass. Raises: ScopeMissing."""
    if not who.may(scope):
        raise ScopeMissing(f"this needs the scope {scope}, which the key does not have")


def must_see_batch(who: Principal, batch_id: int) -> None:
    """Let who may see the batch pass. Raises: NotFound."""
    if not who.sees(batch_id=BatchId(batch_id)):
        raise NotFound(f"there is no batch {batch_id}")


class Needs(SecurityBase):
    """The dependency of a route that wants ``scope``: a key or token, or the cookie of a session.

    It reads both itself, for every further dependency is a tenth of what a request costs at all;
    in the OpenAPI document it stands as ``bearer``, with ``cookie`` beside it (``document.py``).
    Who may see one job or batch alone gets a 404, but where ``narrowed`` says that the route
    looks whether it is that one. A token that may ``act`` needs no scope for it, and the route
    looks, too.
    """

    model = bearer.model
    scheme_name = bearer.scheme_name

    def __init__(self, scope: Scope, *, narrowed: bool = False, act: Act | None = None) -> None:
        """Let who may do ``scope`` pass."""
        self._scope = scope
        self._narrowed = narrowed or act is not None
        self._act = act

    async def __call__(self, request: Request) -> Principal:
        """Return on whose behalf the request is answered. Raises: AccessError, NotFound."""
        gate: Gate = request.app.state.gate
        scheme, key = get_authorization_scheme_param(request.headers.get("authorization"))
        shown = key if key and scheme.lower() == "bearer" else None
        found = await gate.admit(text_of(request, shown, request.cookies.get(COOKIE)))
        gate.count(found, request)
        if self._act not in found.acts:
            must(found, self._scope)
        if found.narrowed is not None and not self._narrowed:
            raise NotFound("the token is for one job or batch, and this is not it")
        return found


Reader = Annotated[Principal, Depends(Needs(Scope.READ))]
"""Who may see."""
Watcher = Annotated[Principal, Depends(Needs(Scope.READ, narrowed=True))]
"""Who may see, perhaps one job or batch alone: the route asks ``sees``."""
Writer = Annotated[Principal, Depends(Needs(Scope.WRITE))]
"""Who may ask for work, and change it."""
Retrier = Annotated[Principal, Depends(Needs(Scope.WRITE, act=Act.RETRY))]
"""Who may ask for work, or try one job or batch alone again: the route asks ``sees``."""
Canceller = Annotated[Principal, Depends(Needs(Scope.WRITE, act=Act.CANCEL))]
"""Who may ask for work, or cancel one job or batch alone: the route asks ``sees``."""
Admin = Annotated[Principal, Depends(Needs(Scope.ADMIN))]
"""Who may change keys, money and settings."""
