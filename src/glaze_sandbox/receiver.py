"""A customer's own application: it takes webhooks at a public name and remembers them."""

from dataclasses import dataclass, field

from aiohttp import web

from glaze_sandbox.wire import Answer

RECEIVER_HOST = "hooks.customer-app.com"
_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Message:
    """One request that arrived, as it came."""

    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: str


@dataclass(slots=True)
class Receiver:
    """Takes everything with 204, unless a fault for its host says otherwise.

    ``/moved`` leads away, ``/wordy`` thanks at length.
    """

    messages: list[Message] = field(default_factory=list)

    async def remember(self, request: web.BaseRequest) -> None:
        """Keep one request, whatever it will be answered; the oldest are forgotten first."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = (await request.read()).decode("utf-8", "replace")
        self.messages.append(Message(request.method, request.path, headers, body))
        del self.messages[:-_KEPT]

    def answer(self, path: str) -> Answer:
        """Thank for a request."""
        if path == "/moved":
            return Answer(301, b"", headers={"Location": "/new"})
        if path == "/wordy":
            return Answer(200, b"thank you " * 100_000, "text/plain")
        return Answer(204, b"")
