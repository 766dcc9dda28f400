"""Which URLs may be asked for at all, before any name is resolved (S3)."""

import re
from ipaddress import IPv4Address, IPv6Address

from yarl import URL

from glaze.errors import AddressRefused
from glaze.net.addresses import vet

MAX_URL_CHARS = 8_192

# Ports of services that speak something else than HTTP, or that administer a machine. Below 1024
# only the web's own two pass.
_WEB_PORTS = frozenset({80, 443})
_FIRST_FREE_PORT = 1_024
_SERVICE_PORTS = frozenset(
    {
        1_080,  # SOCKS
        1_433,  # SQL Server
        1_521,  # Oracle
        1_719,  # H.323
        1_720,  # H.323
        1_723,  # PPTP
        1_883,  # MQTT
        2_049,  # NFS
        2_181,  # ZooKeeper
        2_375,  # Docker
        2_376,  # Docker
        2_379,  # etcd
        2_380,  # etcd
        3_128,  # Squid
        3_306,  # MySQL
        3_389,  # RDP
        3_659,  # Apple SASL
        4_045,  # NFS lock
        4_369,  # Erlang
        5_060,  # SIP
        5_061,  # SIP
        5_432,  # PostgreSQL
        5_672,  # AMQP
        5_900,  # VNC
        5_984,  # CouchDB
        5_985,  # WinRM
        5_986,  # WinRM
        6_000,  # X11
        6_379,  # Redis
        6_432,  # PgBouncer
        6_443,  # Kubernetes
        6_566,  # SANE
        6_665,  # IRC
        6_666,  # IRC
        6_667,  # IRC
        6_668,  # IRC
        6_669,  # IRC
        6_679,  # IRC
        6_697,  # IRC
        7_000,  # Cassandra
        7_001,  # Cassandra
        8_500,  # Consul
        9_042,  # Cassandra
        9_092,  # Kafka
        9_200,  # Elasticsearch
        9_300,  # Elasticsearch
        10_080,  # Amanda
        10_250,  # kubelet
        10_255,  # kubelet
        11_211,  # memcached
        27_017,  # MongoDB
        27_018,  # MongoDB
        61_616,  # ActiveMQ
    }
)

# Names that mean a machine of one's own network, wherever they happen to resolve.
_INNER_SUFFIXES = (
    "localhost",
    "localdomain",
    "local",
    "internal",  # also metadata.google.internal
    "intranet",
    "lan",
    "home",
    "corp",
    "private",
    "home.arpa",
)

_MAX_NAME_CHARS = 253
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def vet_url(text: str) -> URL:
    """Return the URL as it will be dialled: no fragment, host in A-labels without final dot.

    The same parser serves the check and the dialling, so the two cannot read a URL differently.

    Raises: AddressRefused where scheme, port, userinfo or host are not those of a public site.
    """
    if len(text) > MAX_URL_CHARS or _CONTROL.search(text):
        raise AddressRefused("the URL is overlong or holds control characters")
    try:
        url = URL(text).with_fragment(None)
        host, _readable = url.raw_host, url.host  # both are decoded later, so both must decode
        port = url.port
    except ValueError:
        raise AddressRefused("the URL is malformed") from None
    if url.scheme not in {"http", "https"}:
        raise AddressRefused(f"the scheme {url.scheme[:20]!r} is neither http nor https")
    if url.raw_user is not None or url.raw_password is not None:
        raise AddressRefused("the URL carries a user name or password")
    if not host or port is None:
        raise AddressRefused("the URL names no host")
    _vet_port(port)
    vetted = vet_host(host)
    return url if vetted == host else url.with_host(vetted)


def _vet_port(port: int) -> None:
    if port in _WEB_PORTS:
        return
    if port < _FIRST_FREE_PORT or port in _SERVICE_PORTS:
        raise AddressRefused(f"port {port} belongs to another service than the web")


def vet_host(host: str) -> str:
    """Return the host without its final dot: a public-looking name or a public IP literal.

    Args:
        host: In A-labels and lower case, an IPv6 literal without brackets.

    Raises: AddressRefused for inner names, odd spellings of addresses and addresses not dialled.
    """
    if ":" in host:
        vet(host)
        return str(IPv6Address(host))
    name = host.removesuffix(".")
    labels = name.split(".")
    if len(name) > _MAX_NAME_CHARS or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressRefused("the host is not a well-formed name")
    if _NUMBER.fullmatch(labels[-1]):
        # No top-level domain is a number: this is an address, and only its one canonical spelling
        # means the same to everyone (2130706433, 0x7f.1, 127.1 and 0177.0.0.1 do not).
        vet(name)
        return str(IPv4Address(name))
    if len(labels) == 1:
        raise AddressRefused(f"{name!r} has no domain: a name of the inner network")
    for suffix in _INNER_SUFFIXES:
        if name.endswith(f".{suffix}"):
            raise AddressRefused(f"names below .{suffix} belong to the inner network")
    return name
