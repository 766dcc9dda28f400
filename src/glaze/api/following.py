"""What every answer carries: the request's id, as its log lines and its job do, and the key's limit."""

import re
import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glaze.logs import correlation, heard, new_correlation, valid_correlation
from glaze.model.measure import Measures
from glaze.traces import span

log = structlog.get_logger("api")

HEADER = "X-Correlation-ID"
_GIVEN_IN = ("x-correlation-id", "x-request-id")


_ANSWERS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})
_SWITCHED = 101
_SECRET = re.compile(r"(?<=/hooks/)[^/]*/.*")
"""Where a vendor calls back is known to it alone."""


_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


class Following:
    """Takes the caller's id where it is sound, else makes one; returns it with the answer."""

    def __init__(self, app: ASGIApp, traffic: Measures) -> None:
        """Wrap ``app``; requests are counted in ``traffic``."""
        self._app = app
        self._traffic = traffic

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
                self._answered(scope, message.get("status", _SWITCHED), time.monotonic() - begun)
            await send(message)

        method = scope.get("method", "GET")
        with span(method, "server", parent=headers.get("traceparent")) as traced:
            try:
                await self._app(scope, receive, answer)
            finally:
                if traced is not None:
                    route = _route(scope)
                    traced.update_name(f"{method} {route}")
                    traced.set_attributes({"http.route": route, "glaze.correlation": followed_by})

    def _answered(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope.get("method", "GET")
        if heard("api", "info"):
            path = _SECRET.sub("***", scope["path"])
            log.info("request", method=method, path=path, status=status, ms=round(seconds * 1000))
        # Labels are bounded: a path that leads nowhere, or a method that nobody knows, is none.
        route = _route(scope)
        named = method if method in _METHODS else "other"
        self._traffic.count("glaze_http_requests", named, route, str(status))
        self._traffic.time("glaze_http_request_seconds", route, seconds=seconds)


def _route(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", "none"))
