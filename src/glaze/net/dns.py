"""DNS by a stub resolver of our own: no hosts file, no search list, answers cached by their TTL."""

import asyncio
from collections.abc import Sequence

import dns.asyncresolver
import dns.exception
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rdtypes.ANY.CNAME
import dns.rdtypes.ANY.MX
import dns.rdtypes.ANY.NS
import dns.rdtypes.ANY.TXT
import dns.resolver

from glaze.errors import AddressRefused, ConnectFailed, FetchError, NoSuchHost
from glaze.net.urls import vet_host

_TRY_S = 2.0  # one question to one server
_CACHED_ANSWERS = 20_000
_KEPT_S = 3_600  # an answer, whatever TTL its owner states
_MISS_KEPT_S = 60  # "no record of this type"
# A burst beyond a name server's receive buffer is dropped, and each drop costs a whole try.
_AT_ONCE = 100
_TYPES = frozenset({"A", "AAAA", "MX", "TXT", "NS", "CNAME", "CAA", "SOA"})


class Dns:
    """Asks the system's name servers, or the one given."""

    def __init__(
        self, *, nameserver: tuple[str, int] | None = None, lifetime_s: float = 5.0
    ) -> None:
        """Remember whom to ask; nothing is read or opened yet.

        Args:
            nameserver: IP literal and UDP port, None for those of the system's configuration.
            lifetime_s: Seconds that one question may take, all tries together.
        """
        self._nameserver = nameserver
        self._lifetime_s = lifetime_s
        self._resolver: dns.asyncresolver.Resolver | None = None
        self._at_once = asyncio.Semaphore(_AT_ONCE)

    async def resolve(self, name: str, record_type: str) -> Sequence[str]:
        """Return the records as text, names in them without their final dot.

        MX reads ``10 mx.example.com`` (a null MX ``0 .``); the strings of a TXT record are joined,
        without quotes. Empty where the name or the type does not exist.

        Raises: AddressRefused for names of the inner network, ConnectFailed when no server answers.
        """
        if record_type not in _TYPES:
            raise ValueError(f"record type {record_type!r} is not among {sorted(_TYPES)}")
        host = vet_host(_ascii(name))
        return await self._ask(host, record_type, self._lifetime_s)

    async def addresses(self, host: str) -> Sequence[str]:
        """Return all A and AAAA records of a vetted host, IPv4 first.

        Half an answer is used where the servers stay silent about the other half: many sites'
        servers fail on AAAA.

        Raises: NoSuchHost where there is none, ConnectFailed when no server answers.
        """
        halves = await asyncio.gather(
            self._ask(host, "A", self._lifetime_s),
            self._ask(host, "AAAA", min(_TRY_S, self._lifetime_s)),
            return_exceptions=True,
        )
        found: list[str] = []
        for half in halves:
            if isinstance(half, BaseException) and not isinstance(half, FetchError):
                raise half
            if not isinstance(half, BaseException):
                found.extend(half)
        if found:
            return found
        for half in halves:
            if isinstance(half, BaseException):
                raise half
        raise NoSuchHost(host)

    async def _ask(self, host: str, record_type: str, lifetime_s: float) -> Sequence[str]:
        try:
            async with self._at_once:
                answer = await self._stub().resolve(
                    host, record_type, lifetime=lifetime_s, search=False
                )
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except (dns.exception.DNSException, OSError) as error:
            why = type(error).__name__
            raise ConnectFailed(f"no DNS answer about {host}: {why}", sent=False) from error
        return tuple(_text(record) for record in answer)

    def _stub(self) -> dns.asyncresolver.Resolver:
        """Return the resolver, made at the first question: a machine may have none configured."""
        if self._resolver is None:
            stub = dns.asyncresolver.Resolver(configure=self._nameserver is None)
            if self._nameserver is not None:
                stub.nameservers = [self._nameserver[0]]
                stub.port = self._nameserver[1]
            stub.timeout = _TRY_S
            stub.cache = _Cache(_CACHED_ANSWERS)
            self._resolver = stub
        return self._resolver


class _Cache(dns.resolver.LRUCache):
    """dnspython's cache, without two habits of it that make names disappear.

    It keeps a negative answer that carries no SOA for 68 years; and it lets an NXDOMAIN about one
    type stand for all types, though many sites' servers wrongly say so about AAAA (RFC 4074).
    """

    def put(self, key: dns.resolver.CacheKey, value: dns.resolver.Answer) -> None:
        if value.response.rcode() == dns.rcode.NXDOMAIN:
            return
        kept_s = _MISS_KEPT_S if value.rrset is None else _KEPT_S
        value.expiration -= max(0, value.chaining_result.minimum_ttl - kept_s)
        super().put(key, value)


def _ascii(name: str) -> str:
    if name.isascii():
        return name.lower()
    try:
        return dns.name.from_text(name, idna_codec=dns.name.IDNA_2008_UTS_46).to_text().lower()
    except dns.exception.DNSException:
        raise AddressRefused("the host is not a well-formed name") from None


def _text(record: dns.rdata.Rdata) -> str:
    match record:
        case dns.rdtypes.ANY.TXT.TXT():
            return b"".join(record.strings).decode("utf-8", "replace")
        case dns.rdtypes.ANY.MX.MX():
            return f"{record.preference} {_name(record.exchange)}"
        case dns.rdtypes.ANY.NS.NS() | dns.rdtypes.ANY.CNAME.CNAME():
            return _name(record.target)
        case _:
            return record.to_text()


def _name(name: dns.name.Name) -> str:
    return "." if name == dns.name.root else name.to_text(omit_final_dot=True).lower()
