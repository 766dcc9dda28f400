"""One request out, under one deadline: guarded hop by hop, or straight to what was configured."""

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from ipaddress import ip_address
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from glaze.errors import AddressRefused, ConnectFailed, FetchError, FetchTimeout
from glaze.model.provider import VendorResponse
from glaze.net.body import ACCEPT_ENCODING, BodyDecoder
from glaze.net.connect import PROGRESS, Hold, Progress, open_sessions
from glaze.net.dns import Dns
from glaze.net.sandbox import SANDBOX_ADDRESS, SandboxRoute
from glaze.net.urls import vet_url

MAX_REDIRECTS = 5
USER_AGENT = "Glaze/0.1 (enrichment; self-hosted)"

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_READ_BYTES = 64 * 1024
# What the connection itself decides; a caller's value would contradict it.
_OWN_HEADERS = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "cookie"}
)
# All else may be a secret meant for the first site only, under whatever name.
_HEADERS_FOR_ANOTHER_SITE = frozenset({"accept", "accept-language", "user-agent"})
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_BREAK = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class RequestFact:
    """What one attempt at a request came to: facts without query, headers or body."""

    method: str
    url: str  # without userinfo, query and fragment
    status: int | None  # None: no answer
    duration_ms: int
    body_bytes: int  # decoded
    sent: bool  # False: no byte of the call had left, also where it was cancelled
    error: str | None = None  # code of the error it ended in
    note: str | None = None  # what a person looking for a mistake would want to know


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request to send. ``deadline`` is a reading of ``time.monotonic()``, in seconds."""

    method: str
    url: str
    deadline: float
    max_bytes: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    follow: bool = True  # False: a redirect is the answer
    hold: Hold | None = None  # awaited when a connection stands, before the first byte


class HttpClient:
    """All HTTP that leaves Glaze. Open it once per process, as an async context manager."""

    def __init__(
        self,
        *,
        sandbox: SandboxRoute | None = None,
        dns: Dns | None = None,
        user_agent: str = USER_AGENT,
    ) -> None:
        """Open the ways out; must be called in a running event loop.

        With a sandbox, its DNS answers for all names, unless ``dns`` says otherwise.
        """
        nameserver = (sandbox.dns_host, sandbox.dns_port) if sandbox else None
        self.dns = dns or Dns(nameserver=nameserver)
        self._sandboxed = sandbox is not None
        self._user_agent = user_agent
        self._sessions = open_sessions(self.dns, sandbox)

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all connections."""
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._sessions.close()

    async def send(
        self, request: Outgoing, *, trusted: bool, facts: list[RequestFact]
    ) -> VendorResponse:
        """Send ``request`` once and read the whole answer.

        Args:
            request: What to send, and until when the answer must have been read.
            trusted: The URL is the administrator's own choice: no guard, and no redirect followed.
            facts: Receives one entry per attempt and hop, whatever its end.

        Raises: FetchError and its kinds; ``sent`` is False only where no byte can have left.
        """
        progress = Progress(request.hold)
        deadline = asyncio.timeout(request.deadline - time.monotonic())
        try:
            async with deadline:
                return await self._send(request, progress, trusted=trusted, facts=facts)
        except FetchError as error:
            error.sent = progress.sent
            raise
        except TimeoutError:
            if not deadline.expired():
                raise
            raise FetchTimeout("the call's deadline passed", sent=progress.sent) from None

    async def _send(
        self, request: Outgoing, progress: Progress, *, trusted: bool, facts: list[RequestFact]
    ) -> VendorResponse:
        if trusted and (not self._sandboxed or _on_this_machine(request.url)):
            return await self._straight(request, progress, facts)
        if trusted:
            # Under a sandbox nothing is resolved elsewhere, the vendors' own hosts included.
            exchange = await self._open(vet_url(request.url), request, progress)
            return await exchange.run(facts, follow=False)
        return await self._hop_by_hop(request, progress, facts)

    async def _straight(
        self, request: Outgoing, progress: Progress, facts: list[RequestFact]
    ) -> VendorResponse:
        dialled = URL(request.url)
        if dialled.scheme not in {"http", "https"} or not dialled.raw_host:
            raise ConnectFailed("the configured base URL is neither http nor https")
        shown = dialled.with_user(None)
        headers = self._headers(request)
        exchange = Exchange(self._sessions.direct, shown, dialled, request, headers, progress)
        return await exchange.run(facts, follow=False)

    async def _hop_by_hop(
        self, request: Outgoing, progress: Progress, facts: list[RequestFact]
    ) -> VendorResponse:
        seen: set[tuple[str, URL]] = set()
        secure = False
        for _ in range(MAX_REDIRECTS + 1):
            url = vet_url(request.url)
            if (request.method, url) in seen:
                raise ConnectFailed("the redirects go round in a loop")
            seen.add((request.method, url))
            exchange = await self._open(url, request, progress)
            if secure and url.scheme == "http":
                exchange.notes.append("redirected from https to http")
            secure = url.scheme == "https"
            answer = await exchange.run(facts, follow=request.follow)
            target = _target(url, answer) if request.follow else None
            if target is None:
                return answer
            request = _redirected(request, url, target, answer.status)
        raise ConnectFailed(f"more than {MAX_REDIRECTS} redirects")

    async def _open(self, url: URL, request: Outgoing, progress: Progress) -> "Exchange":
        headers = self._headers(request)
        sandbox = self._sessions.sandbox
        if sandbox is not None and await self._played_by_sandbox(url):
            headers["Host"] = url.host_port_subcomponent or ""
            headers["X-Forwarded-Proto"] = url.scheme
            dialled = URL.build(
                scheme="http",
                host=url.raw_host or "",
                path=url.raw_path,
                query_string=url.raw_query_string,
                encoded=True,
            )
            notes = ["played by the sandbox"]
            return Exchange(sandbox, url, dialled, request, headers, progress, notes)
        return Exchange(self._sessions.guarded, url, url, request, headers, progress)

    async def _played_by_sandbox(self, url: URL) -> bool:
        if _literal(url):
            return False
        return set(await self.dns.addresses(url.raw_host or "")) == {SANDBOX_ADDRESS}

    def _headers(self, request: Outgoing) -> dict[str, str]:
        headers = {"User-Agent": self._user_agent, "Accept": "*/*"}
        names = {name.lower(): name for name in headers}
        for name, value in request.headers.items():
            if not _HEADER_NAME.fullmatch(name) or _HEADER_BREAK.search(value):
                raise ConnectFailed(f"header {name[:40]!r} has characters HTTP does not allow")
            if name.lower() not in _OWN_HEADERS:
                headers.pop(names.get(name.lower(), ""), None)
                headers[name] = value
        headers["Accept-Encoding"] = ACCEPT_ENCODING
        return headers


@dataclass(slots=True)
class Exchange:
    """One request on the wire and its answer."""

    session: aiohttp.ClientSession
    url: URL  # as asked; what the answer and the facts name
    dialled: URL
    request: Outgoing
    headers: Mapping[str, str]
    progress: Progress
    notes: list[str] = field(default_factory=list)
    status: int | None = None
    body_bytes: int = 0

    async def run(self, facts: list[RequestFact], *, follow: bool) -> VendorResponse:
        """Send, read, and leave a fact. The body of a redirect to be followed is not read.

        Raises: ConnectFailed, BodyTooLarge.
        """
        started, held_s = time.perf_counter(), self.progress.held_s
        error: str | None = "interrupted"  # by the deadline or by cancellation, unless it ends
        try:
            answer = await self._attempt(follow=follow)
            error = None
        except FetchError as failure:
            error = failure.code
            raise
        finally:
            held_s = self.progress.held_s - held_s
            spent_ms = round((time.perf_counter() - started - held_s) * 1000)
            facts.append(self._fact(spent_ms, error))
        return answer

    async def _attempt(self, *, follow: bool) -> VendorResponse:
        PROGRESS.set(self.progress)
        try:
            async with self.session.request(
                self.request.method,
                self.dialled,
                headers=self.headers,
                data=self.request.body,
                allow_redirects=False,
                middlewares=(self._once,),
            ) as response:
                try:
                    return await self._read(response, follow=follow)
                except BaseException:
                    response.close()  # or leaving the block would wait for the rest of the body
                    raise
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken(error) from None

    async def _once(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Translate a broken connection before aiohttp sees it.

        aiohttp sends GET, HEAD, PUT and DELETE again when the connection breaks without an answer,
        a fresh connection included: a vendor that bills and then drops would bill twice.
        """
        try:
            return await handler(request)
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken(error) from None

    def _broken(self, error: Exception) -> ConnectFailed:
        """Name what broke. aiohttp's own text and chain may quote headers and query: not kept."""
        cause = getattr(error, "os_error", error)
        why = getattr(cause, "strerror", None) or type(cause).__name__
        return ConnectFailed(f"{self.url.raw_host}: {why}", sent=self.progress.sent)

    async def _read(self, response: aiohttp.ClientResponse, *, follow: bool) -> VendorResponse:
        self.status = response.status
        headers = _plain_headers(response)
        body = b""
        if follow and response.status in _REDIRECTS and headers.get("location"):
            response.close()
        else:
            decoder = BodyDecoder(headers.get("content-encoding", ""), self.request.max_bytes)
            async for piece in response.content.iter_chunked(_READ_BYTES):
                decoder.feed(piece)
            body = decoder.finish()
        self.body_bytes = len(body)
        return VendorResponse(response.status, headers, body, str(self.url))

    def _fact(self, duration_ms: int, error: str | None) -> RequestFact:
        return RequestFact(
            method=self.request.method,
            url=str(self.url.with_query(None).with_fragment(None)),
            status=self.status,
            duration_ms=duration_ms,
            body_bytes=self.body_bytes,
            sent=self.progress.sent,
            error=error,
            note="; ".join(self.notes) or None,
        )


def _plain_headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    """Return the headers in lower case, repeated ones joined, bytes outside UTF-8 replaced.

    aiohttp keeps such bytes as lone surrogates, which no database stores.
    """
    plain: dict[str, str] = {}
    for name, value in response.headers.items():
        clean = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        key = name.lower()
        plain[key] = f"{plain[key]}, {clean}" if key in plain else clean
    return plain


def _on_this_machine(text: str) -> bool:
    """Tell whether a configured URL needs no DNS: an IP literal or ``localhost``."""
    url = URL(text)
    return url.raw_host == "localhost" or _literal(url)


def _literal(url: URL) -> bool:
    try:
        ip_address(url.raw_host or "")
    except ValueError:
        return False
    return True


def _target(url: URL, answer: VendorResponse) -> URL | None:
    """Return where a redirect leads, None where the answer is no redirect."""
    location = answer.headers.get("location")
    if answer.status not in _REDIRECTS or not location:
        return None
    try:
        return url.join(URL(location)).with_fragment(None)
    except ValueError:
        raise AddressRefused("the redirect leads to a malformed URL") from None


def _redirected(request: Outgoing, url: URL, target: URL, status: int) -> Outgoing:
    """Return the request of the next hop, as RFC 9110 section 15.4 and the browsers have it."""
    headers = dict(request.headers)
    body, method = request.body, request.method
    to_get = status == HTTPStatus.SEE_OTHER or (
        status in {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND} and method == "POST"
    )
    if to_get and method != "HEAD":
        method, body = "GET", None
        headers = {k: v for k, v in headers.items() if not k.lower().startswith("content-")}
    if not target.absolute or target.origin() != url.origin():
        headers = {k: v for k, v in headers.items() if k.lower() in _HEADERS_FOR_ANOTHER_SITE}
    return replace(request, method=method, url=str(target), headers=headers, body=body)
