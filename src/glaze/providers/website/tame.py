"""Defuse pages built to stall a parser: its worst cases are quadratic in depth and attributes."""

import re
from collections import Counter
from collections.abc import Iterator

MAX_BYTES = 6_000_000  # more than is fetched of a page, which UTF-8 may lengthen
MAX_DEPTH = 2_000  # browsers stop at 512
MAX_ATTRIBUTES = 300
MAX_TAG_BYTES = 5_000
_FORMATTING = re.compile(
    rb"</?(?:b|i|u|s|em|tt|big|font|code|nobr|small|strike|strong)(?=[\s>/])[^<>]*>", re.IGNORECASE
)
_VOID_OR_LOOSE = frozenset(
    (
        b"area base br col embed hr img input link meta param source track wbr p li dt dd td th tr"
        b" option thead tbody tfoot path use circle rect line polygon stop"
    ).split()
)
_TAG = re.compile(rb"(/?)([a-zA-Z][\w:-]*)")
_CHECK_DEPTH_FROM = 20_000  # tags; below that, full depth still parses within half a second
_CHECK_FORMATTING_FROM = 4_000
_MOST_CLONES = 2_000_000


def tame(html: bytes) -> bytes:
    """Return ``html`` cut or simplified where parsing it would take more than linear time.

    Ordinary pages come back as they are, for the price of one count.
    """
    html = _without_monstrous_tags(html[:MAX_BYTES])
    tags = html.count(b"<")
    if tags > _CHECK_FORMATTING_FROM:
        # Each unclosed formatting element is cloned into every block that follows it.
        formatting = len(_FORMATTING.findall(html))
        if formatting * tags > _MOST_CLONES:
            html = _FORMATTING.sub(b"", html)
            tags = html.count(b"<")
    if tags > _CHECK_DEPTH_FROM:
        html = b"<".join(_until_too_deep(html.split(b"<")))
    return html


def _without_monstrous_tags(html: bytes) -> bytes:
    """Return ``html`` without the tags that have absurdly many attributes."""
    kept: list[bytes] = []
    done = 0
    # So long a stretch without "<" covers a multiple of that length: the rest need not be seen.
    for place in range(MAX_TAG_BYTES, len(html), MAX_TAG_BYTES):
        start = html.rfind(b"<", max(done, place - MAX_TAG_BYTES), place)
        if start < 0 or not html[start + 1 : start + 2].isalpha():
            continue
        if html.find(b">", start, place) > 0:
            continue
        opening = html.find(b"<", place)
        opening = len(html) if opening < 0 else opening
        closing = html.find(b">", place, opening)
        tag = html[start + 1 : closing if closing >= 0 else opening]
        if len(tag.split(None, MAX_ATTRIBUTES)) > MAX_ATTRIBUTES:
            kept += [html[done:start], b"<x"]
            done = start + 1 + len(tag)
    return b"".join((*kept, html[done:])) if kept else html


def _until_too_deep(pieces: list[bytes]) -> Iterator[bytes]:
    open_tags: Counter[bytes] = Counter()  # an end tag closes only what is open
    depth = 0
    for piece in pieces:
        match = _TAG.match(piece)
        name = match.group(2).lower() if match else b""
        if match and name not in _VOID_OR_LOOSE:
            if not match.group(1):
                open_tags[name] += 1
                depth += 1
            elif open_tags[name]:
                open_tags[name] -= 1
                depth -= 1
            if depth > MAX_DEPTH:
                return
        yield piece
