"""The only lock there is without API keys: requests meant for this machine, from no other's page."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from glaze.api.problems import answer


class OwnHost:
    """Refuses a Host that is not this machine's and an Origin that is another site.

    A page of another site can have its own name resolve to 127.0.0.1 (DNS rebinding), and then its
    requests are of its own origin and come with its own name as Host.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        """Wrap ``app``, which is bound to ``host``."""
        self._app = app
        self._host = host.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 421 or 403."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            host, origin = headers.get("host", ""), headers.get("origin")
            if not self._is_ours(host):
                detail = f"Host {host[:100]!r} is not this machine: ask localhost or its address"
                await answer(421, "host_refused", detail)(scope, receive, send)
                return
            if origin is not None and not _is_same(origin, host):
                detail = f"a page of {origin[:100]!r} may not ask: only pages of this host may"
                await answer(403, "origin_refused", detail)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        name = _name(host)
        return name in ("localhost", self._host) or _is_loopback(name)


def _name(host: str) -> str:
    """Return the name or address in a Host header, "" where it is none."""
    try:
        parts = urlsplit(f"//{host}")
        plain = parts.netloc == host and parts.username is None and parts.port != 0
    except ValueError:
        return ""
    return (parts.hostname or "") if plain else ""


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _is_same(origin: str, host: str) -> bool:
    scheme, _, rest = origin.partition("://")
    return scheme in ("http", "https") and rest.lower() == host.lower()
