"""Where connections may go: one aiohttp session per way out, each bound to its own addresses."""

import errno
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection

from glaze.errors import AddressRefused
from glaze.net.addresses import vet
from glaze.net.dns import Dns
from glaze.net.sandbox import SandboxRoute

_AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]

# A kept connection may have been closed by the other side a moment ago, and the request on it is
# then lost; so it is kept only while the next page of the same site is likely.
_KEPT_S = 3.0

MAX_HEADERS = 200
MAX_HEADER_BYTES = 32 * 1024


Hold = Callable[[], Awaitable[None]]
"""Returns when a request may leave; raises where it must not."""


@dataclass(slots=True)
class Progress:
    """How far one call has come. ``sent`` is set at the last moment that is certainly before."""

    hold: Hold | None = None
    held_s: float = 0.0  # how long it was held back
    sent: bool = False

    async def leave(self, connection: Connection) -> None:
        """Wait as long as the request is held back; from then on it may have left.

        Raises: aiohttp.ServerDisconnectedError where the other side closed the connection meanwhile.
        """
        if self.hold is not None:
            since = time.monotonic()
            try:
                await self.hold()
            finally:
                self.held_s += time.monotonic() - since
        if connection.transport is None or connection.transport.is_closing():
            raise aiohttp.ServerDisconnectedError
        self.sent = True


PROGRESS: ContextVar[Progress] = ContextVar("progress")
"""Of the call that the connector is asked for a connection for: aiohttp hands it nothing of ours."""


class _Connector(aiohttp.TCPConnector):
    """Gives a connection away at the moment when its request may leave, and says that it may have.

    Connecting takes anything from nothing to seconds, TLS included: a limit kept before it would
    not be kept where the vendor counts.
    """

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Any],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  aiohttp's signature
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        try:
            await PROGRESS.get().leave(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def literals(hostname: str, addresses: Sequence[str], port: int) -> list[ResolveResult]:
    """Return the addresses in the form in which aiohttp's connector dials them."""
    return [
        ResolveResult(
            hostname=hostname,
            host=address,
            port=port,
            family=socket.AF_INET6 if ip_address(address).version == 6 else socket.AF_INET,  # noqa: PLR2004  IP versions
            proto=0,
            flags=socket.AI_NUMERICHOST,
        )
        for address in addresses
    ]


class GuardedResolver(AbstractResolver):
    """Resolves once per connection and hands over only what it vetted.

    aiohttp keeps the URL's own host for the Host header, SNI and the certificate check, and dials
    the literals returned here: no second lookup exists that could answer differently.
    """

    def __init__(self, dns: Dns) -> None:
        """Ask ``dns``."""
        self._dns = dns

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002  aiohttp's signature
    ) -> list[ResolveResult]:
        """Return all addresses of ``host``, or none of them.

        Raises: AddressRefused if any one is not dialled: a site with one foot in a private network
            chooses by chance which one we would reach.
        """
        addresses = await self._dns.addresses(host)
        for address in addresses:
            vet(address)
        return literals(host, addresses, port)

    async def close(self) -> None:
        """Hold nothing open."""


class SandboxResolver(AbstractResolver):
    """Sends every name to the sandbox."""

    def __init__(self, route: SandboxRoute) -> None:
        """Go by ``route``."""
        self._route = route

    async def resolve(
        self,
        host: str,
        port: int = 0,  # noqa: ARG002  aiohttp's signature; the sandbox has one port
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002  as above
    ) -> list[ResolveResult]:
        """Return the sandbox's own address and port, whatever the URL's."""
        return literals(host, [self._route.http_host], self._route.http_port)

    async def close(self) -> None:
        """Hold nothing open."""


def guarded_socket(info: _AddressInfo) -> socket.socket:
    """Open a socket for an address that is vetted again: the last moment before dialling.

    Raises: PermissionError, which the connector reports as a connection that was not made.
    """
    family, kind, protocol, _, target = info
    try:
        vet(target[0])
    except AddressRefused as refusal:
        raise PermissionError(errno.EACCES, str(refusal)) from None
    return socket.socket(family, kind, protocol)


@dataclass(frozen=True, slots=True)
class Sessions:
    """The ways out. Only ``guarded`` keeps connections: it carries no call that costs money."""

    guarded: aiohttp.ClientSession
    direct: aiohttp.ClientSession  # to what the administrator configured, by the system's resolver
    sandbox: aiohttp.ClientSession | None

    async def close(self) -> None:
        """Close all connections."""
        for session in (self.guarded, self.direct, self.sandbox):
            if session is not None:
                await session.close()


def open_sessions(dns: Dns, sandbox: SandboxRoute | None) -> Sessions:
    """Open the ways out, in a running event loop; the sandbox's only where there is one."""
    guarded = _Connector(
        resolver=GuardedResolver(dns),
        socket_factory=guarded_socket,
        keepalive_timeout=_KEPT_S,
        use_dns_cache=False,  # Dns caches by TTL; a second cache would outlive it
        limit=0,  # how much runs at once is decided where calls are permitted
    )
    return Sessions(
        guarded=_session(guarded),
        direct=_session(_fresh_connections(aiohttp.ThreadedResolver())),
        sandbox=_session(_fresh_connections(SandboxResolver(sandbox))) if sandbox else None,
    )


def _fresh_connections(resolver: AbstractResolver) -> aiohttp.TCPConnector:
    return _Connector(resolver=resolver, use_dns_cache=False, limit=0, force_close=True)


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        trust_env=False,  # a proxy would dial where it pleases
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,  # aiohttp's own would inflate a whole piece before any cap
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),  # the call has one deadline
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
        max_headers=MAX_HEADERS,
    )
