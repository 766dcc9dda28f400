"""Defuse pages built to stall a parser: its worst cases are quadratic in depth and attributes."""

import re
from collections import Counter
from collections.abc import Iterator

MAX_CHARS = 6_000_000
MAX_DEPTH = 2_000  # browsers stop at 512
MAX_ATTRIBUTES = 300
MAX_TAG_CHARS = 5_000
_FORMATTING = re.compile(
    r"</?(?:b|i|u|s|em|tt|big|font|code|nobr|small|strike|strong)(?=[\s>/])[^<>]*>", re.IGNORECASE
)
_VOID_OR_LOOSE = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
        "p",
        "li",
        "dt",
        "dd",
        "td",
        "th",
        "tr",
        "option",
        "thead",
        "tbody",
        "tfoot",
        "path",
        "use",
        "circle",
        "rect",
        "line",
        "polygon",
        "stop",
    ]
)
_TAG = re.compile(r"(/?)([a-zA-Z][\w:-]*)")
_CHECK_DEPTH_FROM = 20_000  # tags; below that, full depth still parses within half a second
_CHECK_FORMATTING_FROM = 4_000
_MOST_CLONES = 2_000_000


def tame(html: str) -> str:
    """Return ``html`` cut or simplified where parsing it would take more than linear time.

    Ordinary pages come back as they are, for the price of one split.
    """
    html = html[:MAX_CHARS]
    pieces = html.split("<")
    if any(len(piece) > MAX_TAG_CHARS for piece in pieces):
        pieces = [piece if len(piece) <= MAX_TAG_CHARS else _shorter(piece) for piece in pieces]
        html = "<".join(pieces)
    if len(pieces) > _CHECK_FORMATTING_FROM:
        # Each unclosed formatting element is cloned into every block that follows it.
        formatting = len(_FORMATTING.findall(html))
        if formatting * len(pieces) > _MOST_CLONES:
            html = _FORMATTING.sub("", html)
            pieces = html.split("<")
    if len(pieces) > _CHECK_DEPTH_FROM:
        html = "<".join(_until_too_deep(pieces))
    return html


def _shorter(piece: str) -> str:
    """Return one tag with its text, without the tag if it has absurdly many attributes."""
    end = piece.find(">")
    tag = piece if end < 0 else piece[:end]
    if not tag[:1].isalpha() or len(tag.split(None, MAX_ATTRIBUTES)) <= MAX_ATTRIBUTES:
        return piece
    return "x>" + piece[len(tag) + 1 :]


def _until_too_deep(pieces: list[str]) -> Iterator[str]:
    open_tags: Counter[str] = Counter()  # an end tag closes only what is open
    depth = 0
    for piece in pieces:
        match = _TAG.match(piece)
        name = match.group(2).lower() if match else ""
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
