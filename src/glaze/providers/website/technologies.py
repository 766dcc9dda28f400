"""Technologies that a page shows: rules of our own over generator, addresses and markers."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib.resources import files

from glaze.model.value import Reading
from glaze.providers.website.document import Document

_CONFIDENCE = 78
_MAX_ADDRESS = 300


@cache
def _rules() -> Mapping[str, re.Pattern[str]]:
    """Return the pattern of addresses and generators of each technology, from the data file."""
    text = files(__package__).joinpath("technologies.json").read_text("utf-8")
    rules: Mapping[str, str] = json.loads(text)
    return {name: re.compile(pattern) for name, pattern in rules.items()}


@cache
def _any() -> re.Pattern[str]:
    return re.compile("|".join(pattern.pattern for pattern in _rules().values()))


@lru_cache(maxsize=16_384)
def _shown_by(text: str) -> tuple[str, ...]:
    """Return what one address or generator gives away, in small letters; sites share most."""
    found: dict[str, None] = {}
    match = _any().search(text)
    while match:
        found.update(dict.fromkeys(_named(match[0])))
        match = _any().search(text, match.start() + 1)  # two may share their letters
    return tuple(found)


@lru_cache(maxsize=4096)
def _named(sign: str) -> tuple[str, ...]:
    return tuple(name for name, pattern in _rules().items() if pattern.match(sign))


def technology_readings(document: Document) -> Iterator[Reading]:
    """Yield one reading with every technology that the page's own markup shows."""
    shown = [f"generator:{text}" for text in document.metas.get("generator", ())]
    shown += document.assets
    found: dict[str, str] = {}
    for text in shown:
        for name in _shown_by(text[:_MAX_ADDRESS].lower()):
            found.setdefault(name, text)
    quote = " ".join(dict.fromkeys(found.values()))
    yield from document.reading("company_technologies", sorted(found), _CONFIDENCE, quote)
