"""The readings of a site's pages, put together: agreement counts, and so does the page's kind."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from glaze.model.names import company_key
from glaze.model.value import FieldName, Json, Reading

_CONTACT = frozenset({"contact", "imprint"})
_LEGAL_FIELDS = frozenset(
    {
        *("company_legal_name", "company_vat_id", "company_registry_ids"),
        *("company_registration_number", "company_lei"),
    }
)
_CONTACT_FIELDS = frozenset(
    {
        *("company_phone", "company_email", "company_street", "company_city", "company_region"),
        *("company_postal_code", "company_country", "company_opening_hours"),
    }
)
_UNITED = frozenset({"company_technologies", "company_social_urls", "company_tags"})
_AT_HOME, _FOR_PLACE, _FOR_AGREEMENT, _MOST_SURE = 3, 3, 2, 93
_ELSEWHERE = 4
_MOST_OF_A_FIELD = 6


@dataclass(frozen=True, slots=True)
class PageReadings:
    """What one page stated. ``kind`` is home, contact, imprint, about, team or careers."""

    url: str
    kind: str
    readings: Sequence[Reading]


def merged(pages: Sequence[PageReadings]) -> tuple[Reading, ...]:
    """Return each value once, the best first within each field, at most a handful of a field.

    A value gains where several pages agree on it, and where it stands on the page that is made for
    it: contacts on the contact page, registered facts on the imprint, all else on the first page.
    """
    best: dict[tuple[FieldName, str], Reading] = {}
    for page in pages:
        for reading in page.readings:
            key = (reading.field, sameness(reading))
            placed = replace(reading, confidence=_placed(reading, page.kind))
            known = best.get(key)
            if known is None:
                best[key] = placed
            else:
                first = max(known, placed, key=lambda one: one.confidence)
                sure = min(max(_MOST_SURE, first.confidence), first.confidence + _FOR_AGREEMENT)
                best[key] = replace(first, confidence=sure)
    found = sorted(best.values(), key=lambda one: -one.confidence)
    united = [reading for name in sorted(_UNITED) for reading in _united(name, pages)]
    fields: dict[FieldName, list[Reading]] = {}
    for reading in (*(one for one in found if one.field not in _UNITED), *united):
        fields.setdefault(reading.field, []).append(reading)
    return tuple(one for readings in fields.values() for one in readings[:_MOST_OF_A_FIELD])


def _placed(reading: Reading, kind: str) -> int:
    if reading.field in _LEGAL_FIELDS:
        return reading.confidence + _FOR_PLACE * (kind == "imprint")
    if reading.field in _CONTACT_FIELDS:
        return reading.confidence + _FOR_PLACE * (kind in _CONTACT)
    shift = _AT_HOME if kind == "home" else -_ELSEWHERE
    return max(1, min(_MOST_SURE, reading.confidence + shift))


def sameness(reading: Reading) -> str:
    """Return what two readings of a field have in common if they state the same value."""
    text = str(reading.value)
    return company_key(text) if reading.field == "company_name" else text.casefold()


def _united(field: str, pages: Iterable[PageReadings]) -> list[Reading]:
    """Return one reading with the entries that any page lists, in the order they were met."""
    parts = [one for page in pages for one in page.readings if one.field == field]
    if not parts:
        return []
    entries: dict[str, Json] = {}
    stated: dict[str, None] = {}
    for part in parts:
        for entry in part.value if isinstance(part.value, list | tuple) else ():
            entries.setdefault(str(entry).casefold(), entry)
        stated.update(dict.fromkeys((part.raw or "").split("\n")))
    raw = "\n".join(filter(None, stated)) or None
    best = max(parts, key=lambda one: one.confidence)
    return [replace(best, value=list(entries.values()), raw=raw)]
