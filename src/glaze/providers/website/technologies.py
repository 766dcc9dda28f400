"""Technologies that a page and its answer show: generator, addresses, headers, cookies."""

from collections.abc import Iterator

from glaze.model.technology import (
    shown_by_address,
    shown_by_headers,
    shown_by_markup,
    with_implied,
)
from glaze.model.value import Json, Reading
from glaze.providers.website.document import Document

_CONFIDENCE = 78


def technology_readings(document: Document) -> Iterator[Reading]:
    """Yield one reading with every technology that the page and its headers show."""
    found: dict[str, str] = {}
    generators = document.metas.get("generator", ())
    for name, quote in shown_by_markup(generators, document.metas, document.script_ids):
        found.setdefault(name, quote)
    for address in document.assets:
        for name in shown_by_address(address):
            found.setdefault(name, address)
    for name, quote in shown_by_headers(document.headers):
        found.setdefault(name, quote)
    found = with_implied(found)
    quote = " ".join(dict.fromkeys(found.values()))
    names: list[Json] = [*sorted(found, key=str.casefold)]
    yield from document.reading("company_technologies", names, _CONFIDENCE, quote)
