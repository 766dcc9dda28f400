"""How much of a body is taken, and how long it may take: before anybody has said who they are."""

import asyncio
from collections.abc import Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glaze.api import problems

MOST_BYTES: Final = 2 << 20
"""Of every body but a table: FastAPI reads it whole before it looks at the key."""
_STARTS = "http.response.start"
_GONE: Final[Message] = {"type": "http.disconnect"}


class Bounded:
    """Refuses a body that is too long or comes too slowly, whatever it is for.

    What it says of its length is looked at first; a body that says nothing, or lies, is counted.
    """

    def __init__(
        self, app: ASGIApp, tables: Mapping[tuple[str, str], int], within_s: float
    ) -> None:
        """Wrap ``app``.

        Args:
            app: What reads the bodies.
            tables: Method and path of the routes that take tables -> bytes that one may have; they
                look at the key before they read.
            within_s: Seconds for a whole body; of a table, for each piece.
        """
        self._app = app
        self._tables = tables
        self._within_s = within_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on whose body is bounded."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._tables.get((scope["method"], scope["path"]))
        if most is None:
            body = _Body(receive, MOST_BYTES, self._within_s, as_a_whole=True)
        else:
            body = _Body(receive, most, self._within_s, as_a_whole=False)
        await body.answer(self._app, scope, send)


class _Body:
    """One body on its way in, and what is answered where it is refused."""

    def __init__(self, receive: Receive, most: int, within_s: float, *, as_a_whole: bool) -> None:
        self._receive = receive
        self._most = most
        self._within_s = within_s
        self._as_a_whole = as_a_whole
        self._until = asyncio.get_running_loop().time() + within_s
        self._size = 0
        self._complete = False
        self._refused: tuple[int, str, str] | None = None
        self._started = False

    async def answer(self, app: ASGIApp, scope: Scope, send: Send) -> None:
        headers = Headers(scope=scope)
        said = headers.get("content-length", "")
        self._complete = said in {"", "0"} and "transfer-encoding" not in headers
        if said.isdecimal() and int(said) > self._most:
            await self._refuse(*self._too_long(), scope, send)
            return

        async def sent(message: Message) -> None:
            if self._refused is not None and not self._started:
                return
            if message["type"] == _STARTS:
                self._started = True
                if not self._complete:
                    # What is left of it would be read for as long as it comes.
                    MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        try:
            await app(scope, self._next, sent)
        finally:
            if self._refused is not None and not self._started:
                await self._refuse(*self._refused, scope, send)

    async def _next(self) -> Message:
        if self._refused is not None:
            return _GONE
        if self._complete:
            return await self._receive()
        now = asyncio.get_running_loop().time()
        until = self._until if self._as_a_whole else now + self._within_s
        try:
            async with asyncio.timeout_at(until):
                message = await self._receive()
        except TimeoutError:
            self._refused = (
                408,
                "http_408",
                f"the body did not come within {self._within_s:g} s",
            )
            return _GONE
        self._size += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._size > self._most:
            self._refused = self._too_long()
            return _GONE
        return message

    def _too_long(self) -> tuple[int, str, str]:
        hint = "" if self._as_a_whole else "; split the table, or raise GLAZE_API_MAX_UPLOAD_MB"
        return 413, "upload_too_large", f"the body has more than {self._most:,} bytes{hint}"

    async def _refuse(self, status: int, code: str, detail: str, scope: Scope, send: Send) -> None:
        told = problems.answer(status, code, detail)
        told.headers["Connection"] = "close"
        await told(scope, self._receive, send)
