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
def _rules() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return (technology, pattern of addresses or generator), from the data file."""
    text = files(__package__).joinpath("technologies.json").read_text("utf-8")
    rules: Mapping[str, str] = json.loads(text)
    return tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in rules.items())


@cache
def _any() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern.pattern})" for _, pattern in _rules()), re.IGNORECASE)


@lru_cache(maxsize=16_384)
def _shown_by(text: str) -> tuple[str, ...]:
    """Return what one address or generator gives away; sites share most of theirs."""
    if not _any().search(text):
        return ()
    return tuple(name for name, pattern in _rules() if pattern.search(text))


def technology_readings(document: Document) -> Iterator[Reading]:
    """Yield one reading with every technology that the page's own markup shows."""
    shown = [f"generator:{text}" for text in document.metas.get("generator", ())]
    shown += document.scripts
    shown += [
        link
        for rel in ("stylesheet", "preload", "preconnect", "dns-prefetch")
        for link in document.rels.get(rel, ())
    ]
    found: dict[str, str] = {}
    for text in shown:
        for name in _shown_by(text[:_MAX_ADDRESS]):
            found.setdefault(name, text)
    quote = " ".join(dict.fromkeys(found.values()))
    yield from document.reading("company_technologies", sorted(found), _CONFIDENCE, quote)
