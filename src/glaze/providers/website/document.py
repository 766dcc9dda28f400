"""One parsed page, as the finders need it: lines of text, links, images, meta tags, raw data."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from glaze.model.normalise import Invalid, normalise
from glaze.model.text import clean, is_placeholder
from glaze.model.value import FieldName, Json, Reading
from glaze.model.web_address import registrable

PLATFORMS = frozenset(
    "substack.com ghost.io beehiiv.com wordpress.com hubspotpagebuilder.com blogspot.com tumblr.com"
    " wixsite.com weebly.com webflow.io square.site".split()
)
_FROM_DIGIT = re.compile(r"\d[^\n]*")
_FROM_ASCII_DIGIT = re.compile(r"\d[^\n]*", re.ASCII)
MENU_LENGTH = 31  # one more than an entry of a menu has
_MAX_URL = 2_000
_MAX_QUOTE = 300


class Link(NamedTuple):
    """An anchor. ``places`` says what surrounds it: footer, header, social, share, article..."""

    url: str  # absolute; tel: and mailto: as they stand
    text: str  # also its title, aria-label or image's alternative text, where it has no text
    places: frozenset[str]
    on_profile_site: bool = False  # leads to a social network, to whatever there


class Image(NamedTuple):
    """A picture. ``hint`` is what its class, id and wrapping elements are called."""

    url: str
    alt: str
    hint: str
    places: frozenset[str]
    leads_home: bool
    order: int


@dataclass
class Document:
    """A page taken apart once; nothing in it refers to the parser's tree any more."""

    url: str
    title: str = ""
    language: str = ""
    metas: dict[str, list[str]] = field(default_factory=dict)
    rels: dict[str, list[str]] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    assets: list[str] = field(default_factory=list)  # scripts, styles and frames, as written
    script_ids: list[str] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)  # names in lower case
    data: list[str] = field(default_factory=list)  # JSON-LD, as it stands
    scripted: list[Any] = field(default_factory=list)  # JSON-LD out of scripts' strings
    items: list[dict[str, Any]] = field(default_factory=list)  # microdata and hCard, as JSON-LD
    state_logos: set[str] = field(default_factory=set)  # file names, out of scripts
    hidden_emails: list[str] = field(default_factory=list)  # kept from robots, put together again
    lines: list[str] = field(default_factory=list)

    @cached_property
    def host(self) -> str:
        """The page's host in lower case, "" where its URL has none."""
        return host_of(self.url)

    @cached_property
    def domain(self) -> str:
        """The registrable domain of the page, or its host where it has none."""
        return domain_or_host(self.host)

    @cached_property
    def on_platform(self) -> bool:
        """Whether the site is one of many that a publishing platform serves below its own name."""
        return any(self.host.endswith(f".{platform}") for platform in PLATFORMS)

    @cached_property
    def text(self) -> str:
        """All lines in one; to search it first spares searching every line."""
        return "\n".join(self.lines)

    @cached_property
    def numbered(self) -> list[int]:
        """The places of the lines that hold a digit: numbers, addresses, years, hours."""
        text = self.text
        digits = _FROM_ASCII_DIGIT if text.isascii() else _FROM_DIGIT
        return [self.line_number(match.start()) for match in digits.finditer(text)]

    @cached_property
    def figures(self) -> "Document":
        """The lines that hold a digit, as a page of their own: fewer to search for facts."""
        return Document(self.url, lines=[self.lines[place] for place in self.numbered])

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *accumulate(len(line) + 1 for line in self.lines)]

    def line_number(self, place: int) -> int:
        """Return which line of ``text`` holds the character at ``place``, from 0."""
        return bisect_right(self._starts, place) - 1

    def places_of(self, words: Iterable[str]) -> list[int]:
        """Return where in ``text`` any of the words begins, in order.

        To look for each word in the whole text costs a fraction of one pattern of them all.
        """
        found: list[int] = []
        for word in words:
            place = self.text.find(word)
            while place >= 0:
                found.append(place)
                place = self.text.find(word, place + 1)
        return sorted(found)

    @cached_property
    def _bytes(self) -> bytes:
        return self.text.encode("utf-8", "replace")

    def lines_with(self, words: Iterable[bytes]) -> list[str]:
        """Return the lines that hold any of the words, which are in UTF-8; each once, in order."""
        return [self.lines[number] for number in sorted(self.numbers_with(words))]

    def numbers_with(self, words: Iterable[bytes]) -> set[int]:
        """Return which lines hold any of the words, which are in UTF-8, from 0.

        One letter beyond Latin-1 makes each search in a text a multiple dearer, but not in bytes.
        """
        text, numbers = self._bytes, set[int]()
        for word in words:
            place = text.find(word)
            counted = number = 0
            while place >= 0:
                number += text.count(b"\n", counted, place)
                numbers.add(number)
                end = counted = text.find(b"\n", place)
                place = text.find(word, end) if end >= 0 else -1
        return numbers

    @cached_property
    def menu(self) -> "Document":
        """The beginning of each link's text and its address, in small letters, a line for each."""
        lines = [f"{link.text[:MENU_LENGTH]} {link.url}".lower() for link in self.links]
        return Document(self.url, lines=lines)

    def meta(self, name: str) -> str:
        """Return the first content of a meta tag by name or property, "" where it is absent."""
        return next(iter(self.metas.get(name, ())), "")

    def absolute(self, link: str) -> str:
        """Return ``link`` as an absolute http(s) URL, "" where it is none."""
        return absolute(self.url, link)

    def reading(
        self, name: str, value: Json, confidence: int, quote: str, *, country: str | None = None
    ) -> Iterator[Reading]:
        """Yield the one reading of a field, normalised; none where the value cannot be one."""
        if not value or (isinstance(value, str) and is_placeholder(clean(value))):
            return
        quote = clean(quote[: 8 * _MAX_QUOTE])[:_MAX_QUOTE].strip()
        try:
            normal = normalise(FieldName(name), value, country=country)
        except Invalid:
            return  # not a value of this field, whatever it is
        stated = clean(value) if isinstance(value, str) else None
        if quote and normal:
            raw = stated if stated != normal else None
            yield Reading(FieldName(name), normal, confidence, quote, self.url, raw)


def absolute(base: str, link: str) -> str:
    """Return ``link`` resolved against ``base`` if that is a http(s) URL, else ""."""
    if len(link) > _MAX_URL:
        return ""
    try:
        found = urljoin(base, link.strip())
        parts = urlsplit(found)
    except ValueError:
        return ""
    return clean(found) if parts.scheme in ("http", "https") and parts.netloc else ""


def host_of(url: str) -> str:
    """Return the host of ``url`` in lower case, "" where it has none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def domain_or_host(host: str) -> str:
    """Return the registrable domain of ``host``, or ``host`` itself where it has none."""
    try:
        return registrable(host)
    except ValueError:
        return host
