"""A page's structured data: JSON-LD however sloppy, microdata and hCard, as one list of objects."""

import json
import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

from glaze.providers.website.document import Document

Item = Mapping[str, Any]

OTHERS = frozenset(
    {
        *("hiringOrganization", "itemReviewed", "review", "reviews", "brand", "manufacturer"),
        *("memberOf", "sponsor", "worksFor", "alumniOf", "affiliation", "performer", "seller"),
        *(
            "funder",
            "client",
            "customer",
            "owns",
            "subOrganization",
            "itemListElement",
            "competitor",
        ),
        *("isBasedOn", "citation", "mentions", "award", "hasCredential", "recognizedBy", "offers"),
        *("parentOrganization", "branchOf", "ownedBy"),
    }
)
"""The properties that name another company than the page's own."""
_MAX_NODES = 2_000
_MAX_DEPTH = 12
_MAX_DATA = 1_000_000
_MAX_LISTED, _MAX_INSIDE = 50, 4
_MOST_VALUES = 20  # of one script element
_VALUE_NAMES = ("@value", "url", "contentUrl", "name", "value", "@id")
_JSON_NOISE = re.compile(r"^\s*(?:<!--|//\s*<!\[CDATA\[|/\*.*?\*/)|(?:-->|//\s*\]\]>|;)\s*$")
_CONTROL = re.compile(r"[\x00-\x1f]")
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_DECODER = json.JSONDecoder(strict=False)


def structured_data(document: Document) -> list[Item]:
    """Return every object of the page's JSON-LD, then microdata and hCard, parents first."""
    found: list[Item] = []
    for text in document.data:
        _collect(_loads(text), found, 0)
    for item in (*document.scripted, *document.items):
        _collect(item, found, 0)
    return found


def _loads(text: str) -> list[Any]:
    """Return the JSON values of a script element; what cannot be mended is left out."""
    if len(text) > _MAX_DATA:
        return []
    text = _JSON_NOISE.sub("", text).strip()
    for attempt in (text, _TRAILING_COMMA.sub(r"\1", _CONTROL.sub(" ", text)), unescape(text)):
        if values := _values(attempt):
            return values  # the further attempts mend what templates commonly break
    return []


def _values(text: str) -> list[Any]:
    """Return the JSON values that ``text`` holds, one after the other; [] if the first is broken."""
    found: list[Any] = []
    place = 0
    while place < len(text) and len(found) < _MOST_VALUES:
        try:
            value, end = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            break
        found.append(value)
        place = end + len(text[end:]) - len(text[end:].lstrip(" \r\n\t,;"))
    return found


def _collect(value: Any, found: list[Item], depth: int, role: str = "") -> None:
    if depth > _MAX_DEPTH or len(found) >= _MAX_NODES:
        return
    if isinstance(value, list):
        for one in value[:_MAX_NODES]:
            _collect(one, found, depth + 1, role)
    elif isinstance(value, dict):
        found.append({**value, "\0role": role})
        for name, inner in value.items():
            if isinstance(inner, dict | list):
                inside = name if name != "@graph" else ""
                # What belongs to another company stays another's all the way down.
                _collect(inner, found, depth + 1, role if role in OTHERS else inside)


def types_of(item: Item) -> set[str]:
    """Return the item's types without their vocabulary."""
    stated = item.get("@type")
    names = stated if isinstance(stated, list) else [stated]
    return {one.rpartition("/")[2].rpartition(":")[2] for one in names if isinstance(one, str)}


def first_text(value: Any) -> str:
    """Return the first text in a property's value: a text, a list, an object's name or value."""
    for one in all_texts(value):
        return one
    return ""


def all_texts(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield the texts of a property, of lists and objects too."""
    if isinstance(value, str):
        text = unescape(value) if "&" in value else value
        yield from filter(None, [text.strip()])
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    elif depth > _MAX_INSIDE:
        return
    elif isinstance(value, list):
        for one in value[:_MAX_LISTED]:
            yield from all_texts(one, depth + 1)
    elif isinstance(value, dict):
        stated = next(filter(None, map(value.get, _VALUE_NAMES)), None)
        yield from all_texts(stated, depth + 1)


def listed(value: Any) -> list[Any]:
    """Return a property's values as a list, whether it holds one or several."""
    return value if isinstance(value, list) else [value]


def objects(value: Any) -> list[Item]:
    """Return the objects among a property's values, at most as many as a page is read for."""
    return [one for one in listed(value)[:_MAX_LISTED] if isinstance(one, dict)]
