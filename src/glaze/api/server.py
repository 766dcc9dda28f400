"""The HTTP server in front of the application: how long a client may take, and whose word counts."""

import asyncio
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from glaze.api.app import create_app
from glaze.api.services import Services

MOST_HEAD_BYTES: Final = 64 * 1024
"""Of a request line and its headers: the parser has no bound of its own."""
_LONGEST_WORD = 64 * 1024
"""Bytes of a message that a WebSocket is read for."""

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
    b"Connection: close\r\n\r\n"
)


def configured(services: Services, **options: Any) -> uvicorn.Config:
    """Return how ``services`` are served; ``options`` are uvicorn's own."""
    settings = services.settings

    class _Prompt(Prompt):
        within_s = settings.api_receive_s
        taken_s = settings.api_send_s
        most = settings.api_max_connections

    return uvicorn.Config(
        create_app(services),
        http=_Prompt,
        log_config=None,
        access_log=False,
        # Who may say for whom they ask: without a proxy anybody could, and be somebody else each time.
        proxy_headers=settings.forwarded_allow_ips is not None,
        forwarded_allow_ips=settings.forwarded_allow_ips or "",
        # Subscribers say nothing, and what they are told is too short to be worth compressing.
        ws_max_size=_LONGEST_WORD,
        ws_per_message_deflate=False,
        # A subscriber that does not read what it was sent cannot keep the process.
        timeout_graceful_shutdown=round(settings.shutdown_s),
        **options,
    )


class Prompt(HttpToolsProtocol):
    """Lets go of a connection whose request does not begin, or whose head does not end, in time.

    So it does of one that takes nothing of its answer for ``taken_s``. Of more than ``most`` at once
    the last to come is refused.
    """

    within_s: float
    taken_s: float
    most: int

    def __init__(self, *args: Any, **named: Any) -> None:
        """Take what uvicorn gives a protocol."""
        super().__init__(*args, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._taking: asyncio.TimerHandle | None = None
        self._untaken = 0
        self._refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a head from now on."""
        super().connection_made(transport)
        self._refused = len(self.connections) > self.most
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._head_there()
        self._taken()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless a head goes on and on."""
        if self._refused:  # only now: what is closed with something unread loses its answer
            self.transport.write(_FULL)
            self.transport.close()
            return
        waiting = self._deadline is not None
        super().data_received(data)
        if waiting and self._deadline is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self.transport.abort()

    def on_message_begin(self) -> None:
        """Wait for the head of a further request on the same connection."""
        super().on_message_begin()
        if self._deadline is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """Serve the request."""
        self._head_there()
        super().on_headers_complete()

    def pause_writing(self) -> None:
        """Give the client its time to take what waits for it: nothing is added before."""
        super().pause_writing()
        self._await_taking()

    def resume_writing(self) -> None:
        """Go on: most of it was taken."""
        self._taken()
        super().resume_writing()
        self._end_in_time()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the end of the answer."""
        super().on_response_complete()
        self._end_in_time()

    def timeout_keep_alive_handler(self) -> None:
        """Close what is quiet."""
        super().timeout_keep_alive_handler()
        self._end_in_time()

    def _end_in_time(self) -> None:
        if self.transport.is_closing():  # it does so once all was taken
            self._await_taking()

    def _await_taking(self) -> None:
        self._untaken = self.transport.get_write_buffer_size()
        if self._untaken and self._taking is None:
            self._taking = self.loop.call_later(self.taken_s, self._look_what_was_taken)

    def _look_what_was_taken(self) -> None:
        self._taking, before = None, self._untaken
        self._await_taking()
        if self._untaken >= before:
            self.transport.abort()

    def _taken(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None

    def _await_head(self) -> None:
        self._head_bytes = 0
        # Nothing is answered: nothing was asked yet.
        self._deadline = self.loop.call_later(self.within_s, self.transport.abort)

    def _head_there(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
