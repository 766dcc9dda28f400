"""Postal addresses in running text: a postal code anchors one, its neighbours complete it."""

# ruff: noqa: RUF001  addresses are written with typographic dashes

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from glaze.model.country import country_code
from glaze.model.value import Reading
from glaze.providers.website.document import Document
from glaze.providers.website.mentions import Mention
from glaze.providers.website.places import STREET_WORD, UK_COUNTIES, UNIT_WORD
from glaze.providers.website.postal_anchors import Anchor, anchors, code_joined
from glaze.providers.website.street_parts import (
    MAX_CITY,
    Part,
    is_quarter,
    parts_before,
    split_city,
    street_of,
)

_WHOLE, _IN_PART, _MENTION = 76, 64, 40
_MOST_ON_A_PAGE = 25
_MOST_LINES, _MOST_IN_A_LINE = 3_000, 12  # a page made of postal codes is no company's
_MAX_QUOTE = 300
_PLAIN_STREET = re.compile(
    rf"(?:\d+(?:[-–]\d+)?[A-Za-z]?\.? (?:[\w.'’]+ ){{0,4}}?(?:{STREET_WORD.pattern})|P\.? ?O\.? ?Box \d)",
    re.IGNORECASE,
)
_MIN_PARTS_WITH_QUARTER = 3
_MOST_BEFORE_CITY = 3  # parts of a street that no postal code vouches for
_NEEDS_STREET = frozenset({"AU", "NZ", "ZA", "IN"})  # four or six digits alone prove nothing
_AFTER_CITY = re.compile(
    r"\s*(?:[,;|•·(\[/]|\s[-–—]\s|\b(?:Tel|T[ée]l|Phone|Fon|Fax|E-?mail|Mail|Web|www|http|Germany"
    r"|Deutschland|France|Italy|Italia|Spain|España|Schweiz|Suisse|Switzerland|Svizzera|Austria"
    r"|Österreich|Netherlands|Nederland|Belgium|België|Belgique|CEDEX|Cedex|cedex|P\.?\s?IVA|HRB"
    r"|USt|Mobil|Telefon|Tlf|T\.|F\.)\b).*",
    re.DOTALL,
)
_UPPER = "A-ZÀ-ÖØ-ÞŁŚŠŽČ"
_CITY_NAME = re.compile(
    rf"(?:[{_UPPER}][\w'’.\u00c0-\u024f-]*|[a-zà-ÿ'’]{{1,4}}\.?)"
    rf"(?:[ /-](?:[{_UPPER}(][\w'’.\u00c0-\u024f)-]*|(?:am|an|der|den|im|in|bei|ob|de|la|le|les|sur"
    r"|sous|en|du|des|di|del|della|dei|al|el|los|las|upon|on|of|the|and|y|d')(?![\w])"
    r"|[1-9]\d?(?=$)))*"
)
_STYLES = tuple(  # how streets are written tells the country of a page that does not
    (land, re.compile(style, re.IGNORECASE))
    for land, style in (
        ("DE", r"(?:stra(?:ß|ss)e|str\.|platz|allee|gasse)\s*\d"),
        ("FR", r"\d+,?\s*(?:(?:bis|ter),?\s*)?(?:rue|avenue|boulevard|bd|place|quai|chemin)\b"),
        ("IT", r"\b(?:via|viale|piazza|corso)\s+\S.*\d"),
        ("ES", r"\b(?:calle|c/|avda|avenida|plaza|paseo|carrer)\s*\S.*\d"),
        ("NL", r"(?:straat|laan|plein|gracht|kade|dijk)\s*\d"),
    )
)
_NUMBER_LAST = re.compile(r"[^\W\d_]{3}\.?,?\s+\d{1,4}\s?[a-zA-Z]?(?:\s?[-–/]\s?\d+\w?)?$")


@dataclass(frozen=True, slots=True)
class Address:
    """An address as it was read; ``quote`` is the lines it stands on."""

    street: str
    city: str
    region: str
    postal_code: str
    country: str
    quote: str
    quarter: str = ""  # a part of the city that stands where a city's name is expected

    def fields(self) -> tuple[tuple[str, str], ...]:
        """Return the parts by the fields that they are values of."""
        return (
            ("company_street", self.street),
            ("company_city", self.city),
            ("company_city", self.quarter),
            ("company_region", self.region),
            ("company_postal_code", self.postal_code),
            ("company_country", self.country),
        )


def address_readings(
    document: Document, found: Sequence[Address], named: Sequence[Mention]
) -> Iterator[Reading]:
    """Yield the parts of the addresses found in the text, then cities that it merely mentions."""
    for address in found[:_MOST_ON_A_PAGE]:
        sure = _WHOLE if address.street and address.postal_code else _IN_PART
        for name, value in address.fields():
            yield from document.reading(name, value, sure, address.quote)
    known = {address.city for address in found}
    for mention in named:
        if mention.city not in known:
            known.add(mention.city)
            line = document.lines[mention.place]
            yield from document.reading("company_city", mention.city, _MENTION, line)


def find_addresses(
    document: Document, country: str, named: Sequence[Mention] = ()
) -> list[Address]:
    """Return the addresses in the text, those with a street first, each once.

    A city of ``named`` ends an address without a postal code where a street leads up to it.
    ``country`` (ISO alpha-2) decides between readings that look alike, such as 1234 AB and 12345.
    """
    lines, places = code_joined(document.lines, document.numbered)
    found: dict[tuple[str, str], Address] = {}
    for place in places[:_MOST_LINES]:
        for address in _in_line(lines, place, country):
            key = (address.postal_code.replace(" ", ""), address.street[:12].lower())
            found.setdefault(key, address)
    for mention in named:
        part = _without_code(document.lines, mention)
        if part and not _known(found, part):
            found["", part.street] = part
    complete = {address.postal_code for address in found.values() if address.street}
    kept = [one for one in found.values() if one.street or one.postal_code not in complete]
    return sorted(kept, key=lambda address: not address.street)


def _known(found: Mapping[tuple[str, str], Address], address: Address) -> bool:
    street = address.street.lower()
    return any(
        known.street and (street in known.street.lower() or known.street.lower() in street)
        for known in found.values()
    )


def _without_code(lines: Sequence[str], mention: Mention) -> Address | None:
    """Return the address of "5 Main St, Springfield, IL"; the street must have its number."""
    if not mention.country:
        return None
    parts = parts_before(lines, mention.place, lines[mention.place][: mention.start])
    street, used = street_of([part.text for part in parts], strict=True)
    if not _PLAIN_STREET.match(street) or used > _MOST_BEFORE_CITY:
        return None
    quote = _quote(lines, parts, used, mention.place)
    return Address(street, mention.city, mention.region, "", mention.country, quote)


def _in_line(lines: Sequence[str], place: int, country: str) -> Iterator[Address]:
    line, start = lines[place], 0
    for anchor in anchors(line, country)[:_MOST_IN_A_LINE]:
        if anchor.start < start:
            continue
        parts = parts_before(lines, place, line[start : anchor.start])
        if anchor.city:
            address = _whole(anchor, line)
        elif anchor.after is not None:
            address = _code_first(lines, place, parts, anchor)
        else:
            address = _city_first(lines, place, parts, anchor)
        if address:
            start = anchor.end
            yield address


def _whole(anchor: Anchor, line: str) -> Address | None:
    return Address(
        anchor.street, anchor.city, anchor.region, anchor.code, anchor.country, line[:_MAX_QUOTE]
    )


def _code_first(
    lines: Sequence[str], place: int, parts: Sequence[Part], anchor: Anchor
) -> Address | None:
    """Return the address of "Hauptstraße 5, 10115 Berlin"; the street must be there."""
    behind = _AFTER_CITY.sub("", (anchor.after or "").strip(" ,"))
    named = _CITY_NAME.match(behind)
    city = named[0].strip(" -.") if named else ""
    if not 1 < len(city) <= MAX_CITY or not (city[0].isupper() or city[:2] in {"'s", "’s"}):
        return None
    street, used = street_of([part.text for part in parts], strict=True)
    if not street:
        return None
    land = anchor.country
    if anchor.unsure:
        styled = next((one for one, style in _STYLES if style.search(street)), None)
        if not styled and not _NUMBER_LAST.search(street):
            return None
        land = styled or land if land == "DE" else land
    quote = _quote(lines, parts, used, place)
    return Address(street, city, "", anchor.code, land, quote)


def _city_first(
    lines: Sequence[str], place: int, parts: Sequence[Part], anchor: Anchor
) -> Address | None:
    """Return the address of "5 Main St, Springfield, IL 62701" or "... Kent TN14 7QU"."""
    texts = [
        part.text for part in parts if anchor.code not in part.text and part.text != anchor.region
    ]
    region = anchor.region
    while texts and anchor.country == "GB" and _is_beyond_city(texts[-1]):
        region = region or texts[-1]
        texts.pop()
    city, beside = split_city(texts[-1]) if texts else ("", "")
    if not city:
        return None
    if UNIT_WORD.search(city) and anchor.country == "GB":
        city, beside = "", texts[-1]  # a business park, not a town
    quarter = ""
    may_have_quarter = city == "London" and not beside and len(texts) >= _MIN_PARTS_WITH_QUARTER
    if may_have_quarter and is_quarter(texts[-2]):
        quarter = texts.pop(-2)
    above = [text for text in texts[:-1] if text != city]
    street, used = street_of([*above, *filter(None, [beside])], strict=False)
    if not street and _needs_street(anchor):
        return None
    quote = _quote(lines, parts, used + 1, place)
    return Address(street, city, region, anchor.code, anchor.country, quote, quarter)


def _needs_street(anchor: Anchor) -> bool:
    # A part number looks like a British postcode without its space, too.
    return anchor.country in _NEEDS_STREET or (anchor.country == "GB" and " " not in anchor.code)


def _is_beyond_city(text: str) -> bool:
    """Tell whether a part between a British city and its postcode is a county or the country."""
    if text.lower().strip(". ") in UK_COUNTIES:
        return True
    try:
        return bool(country_code(text.strip(" .")))
    except ValueError:
        return False


def _quote(lines: Sequence[str], parts: Sequence[Part], used: int, place: int) -> str:
    first = parts[-used].line if 0 < used <= len(parts) else place
    return " ".join(lines[first : place + 1])[-_MAX_QUOTE:]
