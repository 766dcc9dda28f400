"""Everything a page states about its company, each with the passage it stands in."""

from collections.abc import Iterable, Iterator

from glaze.model.value import FieldName, Json, Reading
from glaze.providers.website.addresses import address_readings, find_addresses
from glaze.providers.website.company_name import name_readings, site_labels
from glaze.providers.website.country import guess_country
from glaze.providers.website.document import Document
from glaze.providers.website.emails import email_readings
from glaze.providers.website.facts import fact_readings
from glaze.providers.website.logos import logo_readings
from glaze.providers.website.mentions import mentions
from glaze.providers.website.merge_pages import sameness
from glaze.providers.website.organisation import (
    country_of,
    organisation_readings,
    own_organisation,
    profiles_of,
)
from glaze.providers.website.parse import parse
from glaze.providers.website.phones import phone_readings
from glaze.providers.website.social import names_as_labels, profile_readings
from glaze.providers.website.structured import first_text, structured_data
from glaze.providers.website.technologies import technology_readings

_SOCIAL_URLS = FieldName("company_social_urls")
_LOGO_URL = FieldName("company_logo_url")
_AS_STATED = frozenset({FieldName("company_phone")})


def extract(html: bytes, url: str, *, content_type: str | None = None) -> list[Reading]:
    """Return every reading of a page, the best first within each field.

    Structured data outranks meta tags, and those the text. Each reading has ``url`` and ``quote``.
    Never raises, whatever ``html`` is; ``content_type`` is the HTTP header, for its charset.
    """
    return readings_of(parse(html, url, content_type))


def readings_of(document: Document) -> list[Reading]:
    """Return every reading of a parsed page; see ``extract``."""
    own = own_organisation(document, structured_data(document))
    country = guess_country(document, country_of(own) if own else None)
    named = mentions(document)
    addresses = find_addresses(document, country, named)
    lands = tuple(dict.fromkeys((country, *(address.country for address in addresses))))
    found = list(organisation_readings(document, own, lands)) if own else []
    emails = list(email_readings(document))
    labels = site_labels(document, [str(reading.value) for reading in emails])
    names = list(name_readings(document, labels))
    found += [*names, *emails]
    found += phone_readings(document, lands)
    found += address_readings(document, addresses, named)
    stated_name = first_text(own.get("name")) if own else ""
    labels |= names_as_labels([stated_name, *(str(one.value) for one in names[:1])])
    found += profile_readings(document, labels, profiles_of(own) if own else ())
    if all(reading.field != _LOGO_URL for reading in found):
        found += logo_readings(document, labels)
    found += fact_readings(document, country)
    found += technology_readings(document)
    return _best_first(found)


def _best_first(found: Iterable[Reading]) -> list[Reading]:
    """Return each value of a field once, at its best, fields in order of their first reading."""
    best: dict[tuple[FieldName, str], Reading] = {}
    for reading in found:
        key = (reading.field, sameness(reading))
        known = best.get(key)
        if known is None or reading.confidence > known.confidence:
            best[key] = reading
    order = {name: place for place, name in enumerate(dict.fromkeys(one.field for one in found))}
    return sorted(best.values(), key=lambda one: (order[one.field], -one.confidence))


def rows(readings: Iterable[Reading]) -> Iterator[dict[str, Json]]:
    """Yield readings as flat rows: field, value, confidence, quote, url.

    Phone numbers and profiles come as the page writes them, with ``normalised`` beside; the list
    ``company_social_urls`` comes as one ``company_social_url`` for each profile.
    """
    for reading in readings:
        shared: dict[str, Json] = {
            "confidence": reading.confidence,
            "quote": reading.quote,
            "url": reading.url,
        }
        if reading.field == _SOCIAL_URLS:
            for profile in (reading.raw or "").split("\n"):
                yield {"field": "company_social_url", "value": profile, **shared}
        elif reading.field in _AS_STATED and reading.raw:
            yield {
                "field": reading.field,
                "value": reading.raw,
                **shared,
                "normalised": reading.value,
            }
        else:
            yield {"field": reading.field, "value": reading.value, **shared}
