"""URLs, hosts and registrable domains, decided offline."""

import ipaddress
import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import idna
import tldextract

_MAX_URL = 2048
_MAX_HOST = 253
_PLAIN_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))+")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(?!\d)", re.IGNORECASE)
_TRACKING = re.compile(
    r"(utm_\w+|gclid|gclsrc|dclid|gbraid|wbraid|fbclid|msclkid|yclid|ttclid|twclid|igshid|igsh"
    r"|mc_cid|mc_eid|_ga|_gl|_hsenc|_hsmi|hsctatracking|trk|trkinfo|originalsubdomain|vero_id"
    r"|mkt_tok|wt_mc|sessionid|phpsessid|jsessionid)",
    re.IGNORECASE,
)
# RFC 2606 keeps these for tests and examples; no list of public suffixes holds them.
_RESERVED_TLDS = frozenset({"test", "example"})

# The snapshot in the package, never fetched. Private suffixes count, so that foo.github.io is
# somebody of its own and not GitHub.
_extract = tldextract.TLDExtract(
    suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True
)

SHARED_HOSTS = frozenset(
    """
    linkedin.com facebook.com fb.com instagram.com twitter.com x.com youtube.com youtu.be
    tiktok.com pinterest.com github.com gitlab.com medium.com reddit.com threads.net bsky.app
    t.me telegram.me wa.me whatsapp.com vimeo.com snapchat.com xing.com vk.com weibo.com
    crunchbase.com angel.co wellfound.com glassdoor.com indeed.com yelp.com tripadvisor.com
    trustpilot.com google.com goo.gl g.page bit.ly linktr.ee about.me wikipedia.org wikidata.org
    bloomberg.com zoominfo.com apollo.io pitchbook.com dnb.com kompass.com europages.com
    yellowpages.com amazon.com ebay.com etsy.com apple.com eventbrite.com meetup.com behance.net
    mastodon.social mastodon.online mstdn.social fosstodon.org hachyderm.io mas.to
    dribbble.com soundcloud.com spotify.com patreon.com gofundme.com notion.site carrd.co
    """.split()
)
"""Hosts whose paths belong to many parties: a path there is not its owner's own site."""


class WebAddress(NamedTuple):
    """The parts of a normalised URL. ``query`` is without tracking, sorted."""

    scheme: str
    host: str  # lower case, A-label
    port: int | None  # None: the scheme's own
    path: str  # "" or from its "/"
    query: str

    def __str__(self) -> str:
        """Return the URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port else ""
        query = f"?{self.query}" if self.query else ""
        return f"{self.scheme}://{host}{port}{self.path}{query}"


@lru_cache(maxsize=4096)
def parse_url(text: str) -> WebAddress:
    """Read a web address, with or without scheme.

    http becomes https (equal sites must be one entity) unless a port is named, which then speaks
    what it speaks. User info, fragment, default port and tracking parameters go.

    Raises: ValueError, with a reason for people.
    """
    text = text.strip()
    if len(text) > _MAX_URL:
        raise ValueError(f"longer than {_MAX_URL} characters")
    scheme = _SCHEME.match(text)
    if scheme and scheme[1].lower() not in ("http", "https"):
        raise ValueError(f"not a web address but {scheme[1].lower()}:")
    rest = text[scheme.end() :] if scheme else text
    parts = urlsplit("//" + rest.lstrip("/").replace("\\", "/"))
    host = ascii_host(parts.hostname or "")
    port = parts.port if parts.port not in (None, 0, 80, 443) else None
    secure = port is None or not (scheme and scheme[1].lower() == "http")
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._")
    if len(path) > _MAX_URL:
        raise ValueError(f"longer than {_MAX_URL} characters")
    return WebAddress(
        "https" if secure else "http", host, port, "" if path == "/" else path, _query(parts.query)
    )


def _query(query: str) -> str:
    kept = {
        quote(part, safe="/%:@!$'()*+,;=~-._?")
        for part in query.split("&")
        if part and not _TRACKING.fullmatch(part.partition("=")[0])
    }
    return "&".join(sorted(kept))


@lru_cache(maxsize=4096)
def ascii_host(host: str) -> str:
    """Return a host name in lower case and ASCII (A-labels), or an IP address as it is.

    Raises: ValueError where it is neither a name with a dot nor an address.
    """
    host = host.strip().rstrip(".").lower()
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise ValueError("not a host name") from error
    if ":" in host or is_ip(host):
        return str(ipaddress.ip_address(host))
    if len(host) > _MAX_HOST or not _PLAIN_HOST.fullmatch(host):
        raise ValueError(f"{host!r} is not a host name with a dot" if host else "no host name")
    return host


def is_ip(host: str) -> bool:
    """Tell whether ``host`` is an IP address rather than a name."""
    if ":" not in host and not host[-1:].isdigit():  # no such address: quick, for tables are long
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=4096)
def registrable(host: str) -> str:
    """Return the registrable domain of a host name (``shop.acme.co.uk``: ``acme.co.uk``).

    Raises: ValueError for addresses, bare suffixes and names under no public suffix.
    """
    host = ascii_host(host)
    if is_ip(host):
        raise ValueError("an IP address, not a domain")
    found = _extract.extract_str(host)
    if found.suffix and found.domain:
        return f"{found.domain}.{found.suffix}"
    labels = host.split(".")
    if labels[-1] in _RESERVED_TLDS:
        return ".".join(labels[-2:])
    raise ValueError(
        f"{host} is a public suffix, nobody's domain"
        if found.suffix
        else f"{host} ends in no public suffix"
    )


def domain_of(text: str) -> str:
    """Return the registrable domain in a domain, host, URL or e-mail address.

    Raises: ValueError, with a reason for people.
    """
    text = text.strip()
    if "@" in text and "/" not in text:
        text = text.rpartition("@")[2]
    return registrable(parse_url(text).host)


def is_shared_host(host: str) -> bool:
    """Tell whether paths at ``host`` belong to many parties (profiles, directories, shops)."""
    try:
        return registrable(host) in SHARED_HOSTS
    except ValueError:
        return False


def page_of(url: str | None) -> str | None:
    """Return what names the page at ``url``, however it is linked to; None where that is no page.

    Scheme, ``www.``, fragment and a trailing slash make no other page of it; a query does.
    """
    if not url or not url.lower().startswith(("http://", "https://")):
        return None
    page = url.partition("://")[2].partition("#")[0]
    host, slash, rest = page.partition("/")
    return f"{host.lower().removeprefix('www.')}{slash}{rest}".rstrip("/")
