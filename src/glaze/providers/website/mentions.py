"""Cities that a page names without a postal code: before their state, or as where it is based."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from glaze.model.country import country_code
from glaze.providers.website.document import Document
from glaze.providers.website.places import (
    AU_STATES,
    CA_PROVINCES,
    STREET_WORD,
    UK_COUNTIES,
    US_STATES,
)

_STATES = {**AU_STATES, **CA_PROVINCES, **US_STATES}
_LANDS = {
    **{name: "AU" for pair in AU_STATES.items() for name in pair},
    **{name: "CA" for pair in CA_PROVINCES.items() for name in pair},
    **{name: "US" for pair in US_STATES.items() for name in pair},
}
_NAMES = "|".join(sorted({*_STATES, *_STATES.values()}, key=len, reverse=True))
_BEHIND_CITY = re.compile(rf", ?(?=[A-Z])(?P<region>{_NAMES})\b(?!\.?\s*,?\s*\d{{5}})")
_CITY = r"(?:(?:St|Ft|Mt)\. )?[A-Z][a-z'\u2019]+(?:[ -](?:[A-Z][a-z'\u2019]+|of|du|de|la)){0,2}"
_CITY_BEFORE = re.compile(rf"\b{_CITY}\Z")
_BASED_WORDS = (
    *("ased in ", "ocated in ", "quartered in ", "quarters in ", "ffices in "),
    *("ased near ", "ocated near "),
)
_BASED = re.compile(r"[a-z]+ (?:in|near) (?:the )?")
_CITY_THERE = re.compile(_CITY)
_AREA_WORDS = (" area", " region")
_METRO = " metro"
_CITY_OF_AREA = re.compile(rf"\b(?:(?:in|around|serving|serves|of) the |(?i:greater ))+({_CITY})\Z")
_NOT_CITY = re.compile(
    r"\b(?:Coll?eges?|University|School|Institute|Academy|Medicine|Hospital|Church|Museum|Attorneys?"
    r"|Lawyers?|Dentists?|Builders?|Contractors?|Group|Company|Services?|Solutions|Systems|County"
    r"|States|Authority|Association|Council|Department|Bank|Real Estate|Conference|Airport)\b"
    r"|(?:The|Our|Your|We|In|North|South|East|West|Northern|Southern|Eastern|Western|Central|Midwest"
    r"|Downtown|America|Europe|Asia|Africa|Inc|January|February|March|April|May|June|July|August"
    r"|September|October|November|December|Bay|Valley|Metro|Suite|Floor)(?: (?:Coast|Side|Area))?\Z"
)
_LEAD = re.compile(r"^(?:From|In|Near|Around|Visit|Serving|At) ")
_COUNTY = re.compile(
    rf",? (?:{'|'.join(sorted(UK_COUNTIES, key=len, reverse=True))})\Z", re.IGNORECASE
)
_LONGEST_CITY = 60
_MOST = 60


@dataclass(frozen=True, slots=True)
class Mention:
    """A city's name at ``start`` of the line ``place``; region and country where they follow."""

    city: str
    place: int
    start: int
    region: str = ""
    country: str = ""  # ISO alpha-2, only where a region tells it


def mentions(document: Document) -> list[Mention]:
    """Return the cities that the text names with their state or as where the company is."""
    return [*_before_region(document), *_based_in(document)][:_MOST]


def _before_region(document: Document) -> Iterator[Mention]:
    for match in _BEHIND_CITY.finditer(document.text):
        before = max(0, match.start() - _LONGEST_CITY)
        city = _CITY_BEFORE.search(document.text, before, match.start())
        name = _LEAD.sub("", city[0]) if city else ""
        if name and _may_be_city(name):
            yield _mention(document, name, match.start() - len(name), match["region"])


def _based_in(document: Document) -> Iterator[Mention]:
    text = document.text
    leads = (_BASED.match(text, place) for place in document.places_of(_BASED_WORDS))
    found = [_CITY_THERE.match(text, lead.end()) for lead in leads if lead]
    for tail in document.places_of(_AREA_WORDS):
        end = tail - len(_METRO) if text.endswith(_METRO, 0, tail) else tail
        found.append(_CITY_OF_AREA.search(text, max(0, end - _LONGEST_CITY), end))
    for match in filter(None, found):
        group = match.lastindex or 0
        city = _COUNTY.sub("", match[group])
        if _may_be_city(city) and city.lower() not in UK_COUNTIES:
            yield _mention(document, city, match.start(group))


def _mention(document: Document, city: str, at: int, region: str = "") -> Mention:
    place = document.line_number(at)
    start = at - document.text.rfind("\n", 0, at) - 1
    return Mention(city, place, start, region, _LANDS.get(region, ""))


def _may_be_city(name: str) -> bool:
    if STREET_WORD.search(name) or _NOT_CITY.search(name):
        return False
    return name not in _STATES and not _is_country(name)


@lru_cache(maxsize=4096)
def _is_country(name: str) -> bool:
    try:
        return bool(country_code(name))
    except ValueError:
        return False
