"""What every answer carries: the request's id, as its log lines and its job do, and the key's limit."""

import re
import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glaze.logs import correlation, new_correlation, valid_correlation

log = structlog.get_logger("api")

HEADER = "X-Correlation-ID"
_GIVEN_IN = ("x-correlation-id", "x-request-id")


_ANSWERS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})
_SWITCHED = 101
_SECRET = re.compile(r"(?<=/hooks/)[^/]*/.*")
"""Where a vendor calls back is known to it alone."""


class Following:
    """Takes the caller's id where it is sound, else makes one; returns it with the answer."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on under its id, and log how it was answered."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = (valid_correlation(headers.get(name)) for name in _GIVEN_IN)
        followed_by = next(filter(None, given), None) or new_correlation()
        # Not taken back: each request runs in a context of its own, and what answers an error
        # that nobody foresaw stands outside of here.
        correlation.set(followed_by)
        begun = time.monotonic()

        async def answer(message: Message) -> None:
            if message["type"] in _ANSWERS:
                headers = MutableHeaders(scope=message)
                headers[HEADER] = followed_by
                headers.update(scope.get("state", {}).get("limit", {}))
                log.info(
                    "request",
                    method=scope.get("method", "GET"),
                    path=_SECRET.sub("***", scope["path"]),
                    status=message.get("status", _SWITCHED),
                    ms=round((time.monotonic() - begun) * 1000),
                )
            await send(message)

        await self._app(scope, receive, answer)
