"""The pages that a site lists for robots, for first pages whose menu is drawn by a script."""

import re
from html import unescape

from glaze.model.provider import VendorHttp
from glaze.providers.website.document import Document, domain_or_host, host_of
from glaze.providers.website.fetch import Failure, Robots, get

_PLACE = re.compile(rb"<loc>\s*(?:<!\[CDATA\[)?\s*([^<\]\s]{10,2000})")
_INDEX = re.compile(rb"<(?:\w+:)?sitemapindex\b")
_MOST = 5_000


async def listed_pages(http: VendorHttp, robots: Robots, home: Document) -> list[str]:
    """Return the pages of the site in the sitemap that robots.txt names; [] where none is read.

    At most two requests: of an index, the part that holds plain pages is read, else the first.
    """
    for url in robots.sitemaps[:1]:
        body = await _read(http, home, url)
        if _INDEX.search(body[:2_000]):
            parts = _places(body)
            chosen = next((one for one in parts if "page" in one.rpartition("/")[2]), "")
            body = await _read(http, home, chosen or next(iter(parts), ""))
        return [one for one in _places(body) if domain_or_host(host_of(one)) == home.domain]
    return []


async def _read(http: VendorHttp, home: Document, url: str) -> bytes:
    if domain_or_host(host_of(url)) != home.domain:
        return b""
    answer = await get(http, url, tries=1)
    return b"" if isinstance(answer, Failure) else answer.body


def _places(body: bytes) -> list[str]:
    found = (unescape(place.decode("utf-8", "replace")) for place in _PLACE.findall(body)[:_MOST])
    return [place for place in found if place.startswith("http")]
