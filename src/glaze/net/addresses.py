"""Which network addresses may be dialled for a URL that somebody else chose (S3)."""

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from glaze.errors import AddressRefused

# The table is our own because ``is_global`` differs between Python releases: 3.11.7 calls the
# whole of 64:ff9b::/96, 2002::/16 and 3fff::/20 global. Both must agree before we dial.
_DENIED: tuple[tuple[str, str], ...] = (
    ("0.0.0.0/8", "this network"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "carrier-grade NAT"),  # also 100.100.100.200, Alibaba's metadata
    ("127.0.0.0/8", "loopback"),
    ("168.63.129.16/32", "metadata"),  # Azure's host agent, on a public address
    ("169.254.0.0/16", "link-local"),  # also 169.254.169.254, most clouds' metadata
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "protocol assignments"),  # also 192.0.0.192, Oracle's metadata
    ("192.0.2.0/24", "documentation"),
    ("192.31.196.0/24", "AS112"),
    ("192.52.193.0/24", "AMT relays"),
    ("192.88.99.0/24", "6to4 relays"),
    ("192.168.0.0/16", "private"),
    ("192.175.48.0/24", "AS112"),
    ("198.18.0.0/15", "benchmarking"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/96", "IPv4-compatible"),  # also :: and ::1
    ("::ffff:0:0:0/96", "IPv4-translated"),
    ("64:ff9b:1::/48", "local NAT64"),
    ("100::/64", "discard"),
    ("100:0:0:1::/64", "dummy"),
    ("2001::/23", "protocol assignments"),  # also Teredo, ORCHID, IPv6 benchmarking
    ("2001:db8::/32", "documentation"),
    ("2002::/16", "6to4"),
    ("2620:4f:8000::/48", "AS112"),
    ("3fff::/20", "documentation"),
    ("5f00::/16", "segment routing"),
    ("fc00::/7", "unique local"),  # also fd00:ec2::254, AWS's metadata
    ("fe80::/10", "link-local"),
    ("fec0::/10", "site-local"),
    ("ff00::/8", "multicast"),
)

_Network = IPv4Network | IPv6Network
_NETWORKS: tuple[tuple[_Network, str], ...] = tuple((ip_network(c), why) for c, why in _DENIED)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_MAPPED = IPv6Network("::ffff:0:0/96")
# An IPv6-only machine sees every IPv4 site through this prefix, so the inner address is judged.
_NAT64 = IPv6Network("64:ff9b::/96")
# Upper half of the interface identifier of a tunnel endpoint (RFC 5214); the lower half is IPv4.
_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})


def vet(address: str | IPv4Address | IPv6Address) -> None:
    """Let an ordinary public unicast address pass.

    Args:
        address: A canonical literal (``192.0.2.1``, ``2001:db8::1``) or a parsed address.

    Raises: AddressRefused, naming what the address is.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        raise AddressRefused(f"{address!r} is not a network address") from None
    why = _refusal(parsed)
    if why:
        raise AddressRefused(f"{parsed} is not dialled: {why}")


def _refusal(address: IPv4Address | IPv6Address) -> str | None:
    if isinstance(address, IPv4Address):
        return _listed(address)
    if address.scope_id is not None:
        return "it names an interface"
    if address in _MAPPED or address in _NAT64:
        return _listed(_last_32_bits(address))
    why = _listed(address)
    if why is None and address not in _GLOBAL_UNICAST:
        return "outside the global unicast space"
    if why is None and (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP:
        return _listed(_last_32_bits(address))
    return why


def _listed(address: IPv4Address | IPv6Address) -> str | None:
    for network, why in _NETWORKS:
        if address.version == network.version and address in network:
            return why
    return None if address.is_global else "not global"


def _last_32_bits(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFF_FFFF)
