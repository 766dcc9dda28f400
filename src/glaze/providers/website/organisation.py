"""The page's own organisation among its structured data, and what that states."""

import re
from collections.abc import Iterator

from glaze.model.country import country_code
from glaze.model.names import company_key
from glaze.model.text import clean
from glaze.model.value import Reading
from glaze.providers.website.addresses import find_addresses
from glaze.providers.website.document import Document, domain_or_host, host_of
from glaze.providers.website.mentions import mentions
from glaze.providers.website.opening import opening_hours
from glaze.providers.website.phones import region_of
from glaze.providers.website.structured import (
    OTHERS,
    Item,
    all_texts,
    first_text,
    listed,
    objects,
    types_of,
)

_MAX_ADDRESS = 400
_MAX_TAGS, _TAG_LENGTH = 30, range(2, 61)
_ORGANISATION = re.compile(
    r"(?:Organization|Organisation|Corporation|Business|Company|NGO|Store|Shop|Restaurant|Hotel|Dentist"
    r"|Attorney|Physician|Agency|Agent|Clinic|Hospital|Pharmacy|School|University|Bank|Bakery|Brewery"
    r"|Winery|Cafe\w*|Bar\w*|Salon|Spa|Gym|Club|Dealer|Repair|Rental|Contractor|Electrician|Plumber"
    r"|Locksmith|Library|Museum|Service|Publisher|Resort|Motel|Hostel|Lodging\w*|Office|Notary"
    r"|Station|Association|Team|Center|Church|Laboratory)$"
)
_NOT_ORGANISATION = frozenset({"Service", "WebService", "BroadcastService", "FinancialService"})
_POINTS = {"publisher": 3, "mainEntity": 4, "about": 3, "provider": 1, "sourceOrganization": 2}
_GATHERED = frozenset({"logo", "sameAs"})  # of which each statement may name others
_SURE = 6.0  # a rank that takes a link to this site, its name or its publisher
_LONG_NAME, _SLOGAN = 6, 58  # words, and the confidence in a name that has more
_STRUCTURED = 88
_MOST_BRANCHES = 10
_SECOND = 78  # of a part, a department or a contact point


def _is_organisation(item: Item) -> bool:
    types = types_of(item)
    if any(_ORGANISATION.search(one) for one in types - _NOT_ORGANISATION):
        return True
    return bool(types & {"Place", "Brand", ""}) and bool({"telephone", "address"} & item.keys())


def own_organisation(document: Document, data: list[Item]) -> Item | None:
    """Return the organisation whose site this is, its scattered statements put together."""
    ranked = sorted(
        (
            (_rank(document, item, data), -place, item)
            for place, item in enumerate(data)
            if _is_organisation(item) and item["\0role"] not in OTHERS
        ),
        key=lambda entry: entry[:2],
        reverse=True,
    )
    if not ranked:
        return None
    best = ranked[0][2]
    names = {company_key(first_text(item.get("name"))) for _, _, item in ranked}
    if len(names) > 2 and ranked[0][0] < _SURE:  # noqa: PLR2004  a directory: none is its own
        return None
    merged = dict(best)
    for _, _, item in ranked[1:]:
        if _same(best, item):
            for name, value in item.items():
                if name in _GATHERED and name in merged and merged[name] != value:
                    merged[name] = [*listed(merged[name]), *listed(value)]
                else:
                    merged.setdefault(name, value)
    branches = [item for _, _, item in ranked[1:] if _is_branch(best, item)]
    if branches:
        merged["department"] = [*objects(merged.get("department")), *branches[:_MOST_BRANCHES]]
    return merged


def _is_branch(own: Item, other: Item) -> bool:
    """Tell whether ``other`` is a place of the organisation: it says so, or is called after it."""
    if _same(own, other):
        return False
    for parent in objects(other.get("parentOrganization")) + objects(other.get("branchOf")):
        if _same(own, parent):
            return True
    name, longer = (company_key(first_text(item.get("name"))) for item in (own, other))
    return bool(name) and longer.startswith(f"{name} ")


def _rank(document: Document, item: Item, data: list[Item]) -> float:
    points = float(_POINTS.get(item["\0role"], 0 if item["\0role"] else 3))
    points += 3 if types_of(item) & {"Organization", "LocalBusiness", "Corporation"} else 1
    home = first_text(item.get("url")) or first_text(item.get("@id"))
    if home and domain_or_host(host_of(home)) == document.domain:
        points += 4
    elif home.startswith("http"):
        points -= 4
    own_id = item.get("@id")
    if isinstance(own_id, str) and any(
        isinstance(pointer := other.get("publisher"), dict) and pointer.get("@id") == own_id
        for other in data
    ):
        points += 3
    key = company_key(first_text(item.get("name"))).replace(" ", "")
    label = document.domain.partition(".")[0].replace("-", "")
    if key and (key in label or label in key):
        points += 3
    return points + min(3, 0.3 * len(item)) + (0 if item.get("name") else -5)


def _same(one: Item, other: Item) -> bool:
    if isinstance(one.get("@id"), str) and one.get("@id") == other.get("@id"):
        return True
    name = company_key(first_text(one.get("name")))
    return bool(name) and name == company_key(first_text(other.get("name")))


def country_of(item: Item) -> str | None:
    """Return the country of the organisation's address as ISO alpha-2, None where none is stated."""
    for address in addresses_of(item):
        try:
            return country_code(first_text(address.get("addressCountry")))
        except ValueError:
            continue  # absent, or no country's name
    return None


def addresses_of(item: Item) -> list[Item]:
    """Return the organisation's postal addresses, its own before those of its places."""
    found: list[Item] = []
    for holder in (item, *objects(item.get("location")), *objects(item.get("department"))):
        found += [
            address
            for address in objects(holder.get("address"))
            if {"streetAddress", "addressLocality", "postalCode"} & address.keys()
        ]
    return found


_TEXTS = {  # property: (field, confidence)
    "name": ("company_name", 90),
    "legalName": ("company_legal_name", 90),
    "description": ("company_description", 85),
    "foundingDate": ("company_founded_year", 85),
    "vatID": ("company_vat_id", 88),
    "tickerSymbol": ("company_ticker", 80),
    "industry": ("company_industry", 80),
    "leiCode": ("company_lei", 85),
}
_REGISTRY_IDS = {"leiCode": "lei", "duns": "duns", "taxID": "tax", "globalLocationNumber": "gln"}


def organisation_readings(
    document: Document, item: Item, countries: tuple[str, ...]
) -> Iterator[Reading]:
    """Yield what the organisation's structured data states, the best first within each field.

    A phone number without country code is read in the first of ``countries`` that it is valid in.
    """
    for name, (field, sure) in _TEXTS.items():
        for text in all_texts(item.get(name)):
            slogan = name == "name" and len(text.split()) > _LONG_NAME
            yield from document.reading(field, text, _SLOGAN if slogan else sure, text)
    yield from _emails(document, item)
    yield from _phones(document, item, countries)
    yield from _places(document, item, countries)
    yield from _employees(document, item)
    for text in all_texts(item.get("logo")):
        if address := document.absolute(text):
            yield from document.reading("company_logo_url", address, _STRUCTURED, text)
    codes = [*all_texts(item.get("naics"))]
    yield from document.reading("company_naics", codes, 80, ", ".join(codes))
    ids = {key: text for name, key in _REGISTRY_IDS.items() if (text := first_text(item.get(name)))}
    yield from document.reading("company_registry_ids", ids, 85, ", ".join(ids.values()))
    hours = opening_hours(item)
    yield from document.reading("company_opening_hours", hours, 85, "; ".join(hours))
    yield from _tags(document, item)


def _emails(document: Document, item: Item) -> Iterator[Reading]:
    for holder, sure in (
        (item, _STRUCTURED),
        *((p, _SECOND) for p in objects(item.get("contactPoint"))),
    ):
        for text in all_texts(holder.get("email")):
            address = text.removeprefix("mailto:").partition("?")[0]
            yield from document.reading("company_email", address, sure, text)


def _phones(document: Document, item: Item, countries: tuple[str, ...]) -> Iterator[Reading]:
    faxes = set(all_texts(item.get("faxNumber")))
    holders = [(item, _STRUCTURED)]
    holders += [(one, _SECOND) for one in objects(item.get("contactPoint"))]
    holders += [(one, _SECOND) for one in objects(item.get("address"))]
    holders += [(one, _SECOND) for one in objects(item.get("department"))]
    for holder, sure in holders:
        for text in all_texts(holder.get("telephone")):
            if text not in faxes:
                land = region_of(clean(text), countries) or countries[0]
                yield from document.reading("company_phone", text, sure, text, country=land)


def _places(document: Document, item: Item, countries: tuple[str, ...]) -> Iterator[Reading]:
    for text in (one for one in listed(item.get("address")) if isinstance(one, str)):
        lines = [clean(line) for line in text[:_MAX_ADDRESS].splitlines()]
        written = Document(document.url, lines=lines)
        for found in find_addresses(written, countries[0], mentions(written))[:1]:
            for field, part in found.fields():
                yield from document.reading(field, part, _STRUCTURED, text)
    for place, address in enumerate(addresses_of(item)):
        sure = _STRUCTURED if place == 0 else _SECOND
        street = ", ".join(
            text
            for name in ("streetAddress", "extendedAddress", "postOfficeBoxNumber")
            if (text := ", ".join(all_texts(address.get(name))))
        )
        parts = {
            "company_street": street,
            "company_city": first_text(address.get("addressLocality")),
            "company_region": first_text(address.get("addressRegion")),
            "company_postal_code": first_text(address.get("postalCode")),
            "company_country": first_text(address.get("addressCountry")),
        }
        city = parts["company_city"]
        if city and (tail := re.search(rf",\s*{re.escape(city)}\b.*$", street)):
            parts["company_street"] = street[: tail.start()]  # the whole address in one property
        for field, text in parts.items():
            yield from document.reading(field, text, sure, text)


def _employees(document: Document, item: Item) -> Iterator[Reading]:
    stated = item.get("numberOfEmployees")
    for one in stated if isinstance(stated, list) else [stated]:
        if isinstance(one, dict):
            low, high = first_text(one.get("minValue")), first_text(one.get("maxValue"))
            text = f"{low}-{high}" if low and high else first_text(one.get("value"))
        else:
            text = first_text(one)
        field = "company_size" if "-" in text or "+" in text else "company_employee_count"
        yield from document.reading(field, text, 82, text)


def _tags(document: Document, item: Item) -> Iterator[Reading]:
    words = [
        word.strip()
        for name in ("keywords", "knowsAbout")
        for text in all_texts(item.get(name))
        for word in text.split(",")
        if len(word.strip()) in _TAG_LENGTH
    ]
    yield from document.reading("company_tags", words[:_MAX_TAGS], 70, ", ".join(words[:_MAX_TAGS]))


def profiles_of(item: Item) -> list[str]:
    """Return the addresses that the organisation calls its own elsewhere (``sameAs``)."""
    return [text for text in all_texts(item.get("sameAs")) if text.startswith(("http", "//"))]
