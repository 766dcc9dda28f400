"""JSON-LD that a framework keeps inside its scripts, as an escaped string."""

import json
import re
from typing import Any

_START = re.compile(rb'"@(?:context|type|graph)(\\*)"')
_BRACE = re.compile(rb"\{(?:\s|\\+[nrt])*\\*\Z")
# The escaped backslash is set aside first, so that what follows it is not taken for its escape;
# JSON itself reads the escapes by number.
_ESCAPES = (
    *(("\\\\", "\0"), ('\\"', '"'), ("\\/", "/"), ("\\'", "'")),
    *(("\\n", "\n"), ("\\r", " "), ("\\t", " "), ("\0", "\\")),
)
_WINDOW = 30_000
_LEAD = 200  # bytes before a name in which its brace must stand
_MOST = 20  # starts that are tried; a real page has a few
_DECODER = json.JSONDecoder(strict=False)


def scripted_data(html: bytes, *, escaped_only: bool) -> list[Any]:
    r"""Return the JSON-LD objects inside script strings (``\"@context\": ...``) of a UTF-8 page.

    With ``escaped_only``, what stands there unescaped is left out: a script tag of its own has it.
    """
    found: list[Any] = []
    end = tried = 0
    for match in _START.finditer(html):
        brace = _BRACE.search(html, max(end, match.start() - _LEAD), match.start())
        if not brace or (escaped_only and not match[1]):
            continue
        tried += 1
        if tried > _MOST:
            break
        window = html[brace.start() : brace.start() + _WINDOW].decode("utf-8", "replace")
        for _ in range(_levels(len(match[1]))):
            window = _unescaped(window)
        try:
            value, length = _DECODER.raw_decode(window)
        except (ValueError, RecursionError):
            continue  # cut short by the window, or code rather than data
        found.append(value)
        end = brace.start() + length  # escaped, it is longer still
    return found


def _levels(backslashes: int) -> int:
    """Return how often a quote with so many backslashes was escaped: 1, 3, 7 are 1, 2, 3 times."""
    return min(3, (backslashes + 1).bit_length() - 1)


def _unescaped(text: str) -> str:
    """Return ``text`` as the string that these letters write in a script, for the parts of JSON."""
    for escape, sign in _ESCAPES:
        text = text.replace(escape, sign)
    return text
