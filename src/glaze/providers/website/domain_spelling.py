"""Words that spell a site's domain: what a company is called by those who registered it."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

_ENDING = re.compile(
    r"(?:co|inc|ltd|llc|gmbh|group|online|shop|store|uk|us|usa|hq|app|web|site|official)$"
)
_LEADING = re.compile(r"^(?:go|my|the|get|try|use|join|we|call|visit|shop|hello|team)(?=\w)")
_SHORTEST_WORD = 5  # what is left of a label is a word, not a syllable
_LENGTHS = range(3, 41)  # two letters spell anything
_BETWEEN = bytes(set(range(128)) - set(b"\n0123456789abcdefghijklmnopqrstuvwxyz"))
_WORD = re.compile(r"[^\W_]+|&")
_WIDEST_GAP = 3  # signs between the words that spell a domain
_ADDRESS_SIGNS = frozenset("@./-_")
_GOES_ON = re.compile(r"[_@]|\.\w|/\w")


def variants(label: str) -> list[str]:
    """Return a domain's label, and what is left without a usual ending or lead ("go", "get")."""
    shorter = [_ENDING.sub("", label), _LEADING.sub("", label)]
    return [label, *(one for one in shorter if one != label and len(one) >= _SHORTEST_WORD)]


def best_spelling(lines: Sequence[str], squeezed: bytes, label: str) -> tuple[str, int]:
    """Return how ``lines`` spell ``label`` most often, and how often they do.

    ``squeezed`` is the lines in small letters without spaces and signs.
    """
    if len(label) not in _LENGTHS:
        return "", 0
    seen: Counter[str] = Counter()
    number = done = 0
    while (place := squeezed.find(label.encode(), done)) >= 0:
        number += squeezed.count(b"\n", done, place)
        seen.update(_spellings(lines[number], label))
        done = squeezed.find(b"\n", place)
        if done < 0:
            break
    shown = {one: count for one, count in seen.items() if not one.islower()}
    best = max(shown, key=lambda one: shown[one] + 2 * (not one.isupper()), default="")
    return best, sum(shown.values())


def squeezed_text(text: str) -> bytes:
    """Return ``text`` in small letters without spaces and signs, its line breaks kept."""
    return text.replace("&", "and").lower().encode("utf-8", "replace").translate(None, _BETWEEN)


def _spellings(line: str, label: str) -> Iterator[str]:
    """Yield the words of ``line`` that together spell ``label``."""
    words = [*_WORD.finditer(line)]
    letters = ["and" if word[0] == "&" else word[0].lower() for word in words]
    for first, begun in enumerate(letters):
        if not label.startswith(begun):
            continue
        text, last = begun, first
        while label.startswith(text) and len(text) < len(label) and last + 1 < len(words):
            last += 1
            near = words[last].start() - words[last - 1].end() <= _WIDEST_GAP
            text += letters[last] if near else "\n"
        start, end = words[first].start(), words[last].end()
        in_address = line[max(0, start - 1) : start] in _ADDRESS_SIGNS or _GOES_ON.match(line, end)
        if text == label and not in_address:
            yield line[start:end]
