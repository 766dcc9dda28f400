"""Where the sandbox stands that plays the vendors and sites of the demo and the tests (P13)."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from glaze.errors import SettingsError

SANDBOX_ADDRESS = "203.0.113.10"
"""The documentation address by which the sandbox's DNS says "I play this host"."""


@dataclass(frozen=True, slots=True)
class SandboxRoute:
    """The sandbox's two doors: HTTP over TCP, and DNS over UDP."""

    http_host: str  # an IP literal, as is dns_host
    http_port: int
    dns_host: str
    dns_port: int

    @classmethod
    def from_url(cls, url: str) -> "SandboxRoute":
        """Read the route from an address like ``http://127.0.0.1:9400``.

        DNS is UDP on the same host and port number.

        Raises: SettingsError where the address is no plain ``http://HOST:PORT``.
        """
        wrong = SettingsError(f"the sandbox's address {url!r} is not like http://127.0.0.1:9400")
        try:
            parts = urlsplit(url)
            port = parts.port
            host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
            ip_address(host)
        except ValueError:
            raise wrong from None
        if not port or parts.scheme != "http" or parts.path not in {"", "/"}:
            raise wrong
        return cls(http_host=host, http_port=port, dns_host=host, dns_port=port)
