"""Postal addresses in running text: a postal code anchors one, its neighbours complete it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from glaze.model.country import country_code
from glaze.model.names import has_legal_form
from glaze.model.value import Reading
from glaze.providers.website.document import Document
from glaze.providers.website.places import (
    AU_STATES,
    CA_POSTCODE,
    CA_PROVINCES,
    CODE_FIRST,
    STREET_WORD,
    UK_COUNTIES,
    UK_POSTCODE,
    UNIT_WORD,
    US_STATES,
)

_WHOLE, _NO_STREET, _MENTION = 76, 64, 40
_MOST_ON_A_PAGE = 25
_LINES_BACK = 7
_MAX_PART = 70
_MAX_WORDS = 9
_MAX_CITY = 40


@dataclass(frozen=True, slots=True)
class Address:
    """An address as it was read; ``quote`` is the lines it stands on."""

    street: str
    city: str
    region: str
    postal_code: str
    country: str
    quote: str
    locality: str = ""  # a part of the city that stands where its name is expected


def _names(table: dict[str, str], codes: str = "") -> str:
    full = "|".join(re.escape(name) for name in sorted(table, key=len, reverse=True))
    return f"(?i:{full})|{'|'.join(sorted(set(table.values())))}{codes}"


_CITY_BEFORE = r"(?:^|(?<=[\s,;|•·>:/\\)]))"
_US = re.compile(
    rf"\b(?P<region>{_names(US_STATES, '|D[.]C[.]|Calif[.]?|Fla[.]?|Mass[.]?|Penn[.]?|Tex[.]?|Wash[.]?')})\.?"
    r"(?:\s*[,.\u2013-]?\s*|\s+(?:Zip:?\s*)?)(?P<code>\d{5}(?:\s?[-\u2013]\s?\d{4})?)(?![\d-])"
)
_CA = re.compile(
    rf"\b(?P<region>{_names(CA_PROVINCES)})\.?[)]?\s*[,.\u2013-]?\s*(?:Canada,?\s*)?(?P<code>{CA_POSTCODE})\b"
)
_AU = re.compile(rf"\b(?P<region>{_names(AU_STATES)})\.?\s*[,.]?\s*(?:Australia,?\s*)?(?P<code>\d{{4}})(?![\d-])")
_UK = re.compile(rf"(?<![\w-])(?P<code>{UK_POSTCODE})(?![\w-])")
_IE = re.compile(r"(?<![\w-])(?P<code>(?:D6W|[AC-FHKNPRTV-Y]\d{2}) ?[\dAC-FHKNPRTV-Y]{4})(?![\w-])")
_SUFFIX = {  # countries that write "city code"
    "IN": re.compile(r"(?<=[\s,-])(?P<code>[1-9]\d{2} ?\d{3})(?![\d-])"),
    "SG": re.compile(r"(?<=Singapore )\(?(?P<code>\d{6})\)?"),
    "NZ": re.compile(r"(?<=[a-z,] )(?P<code>\d{4})(?![\d-])"),
    "ZA": re.compile(r"(?<=[a-z,] )(?P<code>\d{4})(?![\d-])"),
}
_JP = re.compile(
    r"〒?\s*(?P<code>\d{3}[-－‐]\d{4})\s*(?P<region>東京都|北海道|(?:京都|大阪)府|[\u4e00-\u9fff]{2,3}県)?"
    r"(?P<city>[\u4e00-\u9fff\u3040-\u30ffヶ]{1,8}?[市区町村])(?P<street>[^\s|,、]{2,60})"
)
_AFTER_CITY = re.compile(
    r"\s*(?:[,;|•·(\[/]|\s[-–—]\s|\b(?:Tel|T[ée]l|Phone|Fon|Fax|E-?mail|Mail|Web|www|http|Germany|Deutschland"
    r"|France|Italy|Italia|Spain|España|Schweiz|Suisse|Switzerland|Svizzera|Austria|Österreich|Netherlands|Nederland"
    r"|Belgium|België|Belgique|CEDEX|Cedex|cedex|P\.?\s?IVA|HRB|USt|Mobil|Telefon|Tlf|T\.|F\.)\b).*",
    re.DOTALL,
)
_CITY_NAME = re.compile(r"(?:[A-ZÀ-ÖØ-ÞŁŚŠŽČ][\w'’.\u00c0-\u024f-]*|[a-zà-ÿ'’]{1,4}\.?)(?:[ /-](?:[A-ZÀ-ÖØ-ÞŁŚŠŽČ(][\w'’.\u00c0-\u024f)-]*|(?:am|an|der|den|im|in|bei|ob|de|la|le|les|sur|sous|en|du|des|di|del|della|dei|al|el|los|las|upon|on|of|the|and|y|d')(?![\w])|[1-9]\d?(?=$)))*")
_SEPARATORS = re.compile(r"\s*(?:[,;|•·●■►»\u2022]|\\\\|\s[-–—*]\s|\s/\s)\s*")
_LABEL = re.compile(
    r".*(?:\b(?:registered (?:office|address)(?: is)?(?: at)?|head ?(?:office|quarters)(?: is)?|corporate (?:office|headquarters)"
    r"|(?:mailing|postal|street|physical|business|our|office|billing|visiting|shipping)? ?address(?: is)?|located (?:at|in)|visit us(?: at)?"
    r"|find us(?: at)?|offices? (?:at|in)|based (?:at|in)|write to(?: us)?(?: at)?|c/o|mail(?:ed)? to|send (?:\w+ )?to|sede legale"
    r"|sede|si[èe]ge social|adresse|anschrift|direcci[óo]n|domicilio|indirizzo|adres|add|location|hq|england (?:and|&) wales|office)\b\s*[:.\-–]?"
    r"|[:：]|\bat(?=\s+\d)|(?<=[a-z]{3})[.!?](?=\s+[A-Z\d]))\s*",
    re.IGNORECASE,
)
_NOT_ADDRESS = re.compile(
    r"[@©=?!]|https?:|www\.|\b(?:tel|phone|fax|e-?mail|copyright|rights reserved|opening|hours|click|vat|reg(?:istered)? no|company no"
    r"|mon|monday|am|pm|read more|contact us|directions|map)\b[:.]?|\(\d{3}\)|\d{3}[-. ]\d{3}[-. ]\d{4}|\+\d{2}|\d{1,2}:\d{2}|\d{4}-\d{2}-\d{2}",
    re.IGNORECASE,
)
_HOUSE_NUMBER = re.compile(r"\b(?:No\.? ?)?(?:[NSEW]\d+ )?\d+(?:[-–/&]\d+)?[A-Za-z]?(?:[-–/]\d+[A-Za-z]?)?(?: ?[½¼])?[,.]? +(?=[A-Z0-9À-Þ'])")
_COMPANY_WORD = re.compile(
    r"\b(?:society|association|company|group|inc|llc|ltd|limited|gmbh|corp|corporation|foundation|department|team|services?)\b",
    re.IGNORECASE,
)
_MENTIONED = re.compile(
    r"\b(?P<city>(?:(?:St|Ft|Mt)\. )?[A-Z][a-z'’]+(?:[ -](?:[A-Z][a-z'’]+|of|du|de|la)){0,2}),\s?"
    rf"(?P<region>{'|'.join(sorted(set(US_STATES.values())))}|{'|'.join(US_STATES)})\b(?!\.?\s*,?\s*\d{{5}})"
)


def address_readings(document: Document, found: Sequence[Address]) -> Iterator[Reading]:
    """Yield the parts of the addresses found in the text, then cities that it merely mentions."""
    for address in found[:_MOST_ON_A_PAGE]:
        sure = _WHOLE if address.street else _NO_STREET
        for name, value in (
            ("company_street", address.street),
            ("company_city", address.city),
            ("company_city", address.locality),
            ("company_region", address.region),
            ("company_postal_code", address.postal_code),
            ("company_country", address.country),
        ):
            yield from document.reading(name, value, sure, address.quote)
    yield from _mentions(document, {address.city for address in found})


def _mentions(document: Document, known: set[str]) -> Iterator[Reading]:
    for line in document.lines:
        if ", " in line or "," in line:
            for match in _MENTIONED.finditer(line):
                city = match["city"]
                if city not in known and not STREET_WORD.search(city):
                    known.add(city)
                    yield from document.reading("company_city", city, _MENTION, line)


def find_addresses(lines: Sequence[str], country: str) -> list[Address]:
    """Return the addresses in ``lines``, those with a street first, each once.

    ``country`` (ISO alpha-2) decides between readings that look alike, such as 1234 AB and 12345.
    """
    found: dict[tuple[str, str], Address] = {}
    for place, line in enumerate(lines):
        if not any(map(str.isdigit, line)):
            continue
        for address in _in_line(lines, place, line, country):
            key = (address.postal_code.replace(" ", ""), address.street[:12].lower())
            found.setdefault(key, address)
    coded = {address.postal_code for address in found.values() if address.street}
    kept = [a for a in found.values() if a.street or a.postal_code not in coded]
    return sorted(kept, key=lambda address: not address.street)


def _in_line(lines: Sequence[str], place: int, line: str, country: str) -> Iterator[Address]:
    start = 0
    for match, land in sorted(_anchors(line, country), key=lambda one: one[0].start()):
        if match.start() < start:
            continue
        if land == "JP":
            address: Address | None = Address(
                match["street"], match["city"], match["region"] or "", match["code"], land, line
            )
        elif "after" in match.groupdict():
            address = _code_first(lines, place, line[start:], match, land, start)
        else:
            address = _code_last(lines, place, line[start : match.start()], match, land)
        if address:
            start = match.end()
            yield address


def _anchors(line: str, country: str) -> Iterator[tuple[re.Match[str], str]]:
    for pattern, land in ((_US, "US"), (_CA, "CA"), (_UK, "GB")):
        for match in pattern.finditer(line):
            yield match, land
    if country in {"AU", "US", "GB", "NZ"}:
        for match in _AU.finditer(line):
            yield match, "AU"
    if country == "IE":
        yield from ((match, "IE") for match in _IE.finditer(line))
    if country in _SUFFIX:
        yield from ((match, country) for match in _SUFFIX[country].finditer(line))
    if "-" in line or "－" in line or "〒" in line:
        yield from ((match, "JP") for match in _JP.finditer(line))
    yield from _code_first_anchors(line, country)


_PREFIXED = re.compile(r"\b(?P<land>DE?|AT?|CH|FR?|NL|BE?|LU?|IT?|ES?|DK|SE?|NO?|CZ|SK|PL|FI?)[-–]\s?(?P<code>\d{3} ?\d{2}|\d{4}(?: ?[A-Z]{2}\b)?)(?P<after>\s+[^\d\s].*)")
_PREFIXES = {"D": "DE", "A": "AT", "F": "FR", "B": "BE", "L": "LU", "I": "IT", "E": "ES", "S": "SE", "N": "NO"}
_CODES = {
    land: re.compile(rf"(?<![\w./#€$-])(?P<code>{shape})(?P<after>[ ,]+[^\d\s,].*)")
    for land, shape in CODE_FIRST.items()
}
_STYLES = (  # how streets are written tells the country of a page that does not
    ("DE", re.compile(r"(?:stra(?:ß|ss)e|str\.|platz|allee|gasse)\s*\d", re.IGNORECASE)),
    ("FR", re.compile(r"\d+,?\s*(?:bis,?\s*|ter,?\s*)?(?:rue|avenue|boulevard|bd|place|quai|chemin)\b", re.IGNORECASE)),
    ("IT", re.compile(r"\b(?:via|viale|piazza|corso)\s+\S.*\d", re.IGNORECASE)),
    ("ES", re.compile(r"\b(?:calle|c/|avda|avenida|plaza|paseo|carrer)\s*\S.*\d", re.IGNORECASE)),
    ("NL", re.compile(r"(?:straat|laan|plein|gracht|kade|dijk)\s*\d", re.IGNORECASE)),
)


def _code_first_anchors(line: str, country: str) -> Iterator[tuple[re.Match[str], str]]:
    for match in _PREFIXED.finditer(line):
        yield match, _PREFIXES.get(match["land"], match["land"])
    pattern = _CODES.get(country)
    if pattern:
        yield from ((match, country) for match in pattern.finditer(line))
        return
    for land in ("NL", "DE"):  # unmistakable, and with a street before it good enough
        yield from ((match, land) for match in _CODES[land].finditer(line))
    yield from ((match, "SK") for match in _CODES["SK"].finditer(line) if " " in match["code"])


def _code_first(
    lines: Sequence[str], place: int, line: str, match: re.Match[str], land: str, start: int
) -> Address | None:
    city = _AFTER_CITY.sub("", match["after"].strip(" ,"))
    named = _CITY_NAME.match(city)
    city = named[0].strip(" -.") if named else ""
    if not (1 < len(city) <= _MAX_CITY) or not city[0].isupper() and city[:2] not in {"'s", "’s"}:
        return None
    street, used = _street(lines, place, line[: match.start() - start], strict=True)
    if not street:
        return None
    if land == "DE":
        land = next((one for one, style in _STYLES if style.search(street)), land)
    return Address(street, city, "", match["code"], land, _quote(lines, place - used, place))


def _code_last(
    lines: Sequence[str], place: int, before: str, match: re.Match[str], land: str
) -> Address | None:
    region = match.groupdict().get("region") or ""
    parts = _parts_before(lines, place, before)
    texts = [text for text, _ in parts]
    while texts and land == "GB" and (texts[-1].lower().strip(". ") in UK_COUNTIES or _is_country(texts[-1])):
        region = region or texts[-1]
        texts.pop()
    if not texts:
        return None
    city, rest = _split_city(texts[-1], land)
    if not city:
        return None
    locality = ""
    if city == "London" and not rest and len(texts) > 2 and _is_locality(texts[-2]):
        locality = texts.pop(-2)
    street, used = _street_of([*texts[:-1], *([rest] if rest else [])], strict=False)
    if land == "GB" and not street and not re.search(r" ", match["code"]):
        return None  # a part number looks like a postcode, too
    if land in {"AU", "NZ", "ZA", "IN"} and not street:
        return None
    first = min((where for _, where in parts[max(0, len(parts) - 1 - used) :]), default=place)
    code = re.sub(r"\s?[-–]\s?", "-", match["code"]) if land == "US" else " ".join(match["code"].split())
    return Address(street, city, region, code, land, _quote(lines, first, place), locality)


def _is_locality(text: str) -> bool:
    """Tell whether a part before "London" names a quarter, which people take for the city."""
    return text.replace(" ", "").isalpha() and text.istitle() and not _is_street(text) and not UNIT_WORD.search(text)


def _quote(lines: Sequence[str], first: int, last: int) -> str:
    return " ".join(lines[max(0, first) : last + 1])[-300:]


def _is_country(text: str) -> bool:
    try:
        return bool(country_code(text.strip(" .")))
    except ValueError:
        return False


def _split_city(text: str, land: str) -> tuple[str, str]:
    """Return (city, what stands before it) of the part next to the region or code."""
    text = text.strip(" ,.-–(")
    if not text or text[0].isdigit() and not re.search(r"[A-Za-z]", text):
        return "", ""
    cut = 0
    for word in STREET_WORD.finditer(text):
        if word.end() < len(text) and word.start() > 0 and any(map(str.isdigit, text)):
            cut = word.end()
    unit = None
    for unit in re.finditer(r"(?:\b(?:suite|ste|unit|floor|fl|apt|room|rm|box|bldg|building)\.?\s*#?\s*[\w-]{1,6}|#\s?[\w-]+|\d+(?:st|nd|rd|th) (?:floor|fl))\b[. ]*", text, re.IGNORECASE):
        cut = max(cut, unit.end())
    after = re.sub(r"^[\s.,]*(?:[NSEW]{1,2}\b\.?(?=\s+[A-Z]))?[\s.,]*", "", text[cut:]) if cut else text
    if not after:
        return "", text
    labelled = _LABEL.match(after)
    if labelled and not cut:
        after = after[labelled.end() :]
    if re.search(r"\d", after):
        if not cut and STREET_WORD.search(after):
            return "", after
        after = re.sub(r"^.*\d\S*\s+", "", after)
    words = after.split()
    if not words or len(after) > _MAX_CITY or len(words) > 5 or not words[0][0].isupper():
        tail = re.search(r"(?:[A-Z][\w'’.-]+(?: |$)){1,3}$", after)
        after = tail[0].strip() if tail else ""
    return after.strip(" .,-"), text[:cut].strip(" ,.-")


def _parts_before(lines: Sequence[str], place: int, before: str) -> list[tuple[str, int]]:
    """Return the comma-separated parts that lead up to an anchor, with their line numbers."""
    parts = [(part, place) for part in _SEPARATORS.split(before) if part.strip(" .,-")]
    for back in range(place - 1, max(-1, place - 1 - _LINES_BACK), -1):
        line = lines[back]
        if len(line) > 2 * _MAX_PART or _stops(line):
            break
        parts[:0] = [(part, back) for part in _SEPARATORS.split(line) if part.strip(" .,-")]
    return parts


def _stops(line: str) -> bool:
    return bool(_NOT_ADDRESS.search(line)) or line.endswith(":") or len(line.split()) > 2 * _MAX_WORDS


def _street(lines: Sequence[str], place: int, before: str, *, strict: bool) -> tuple[str, int]:
    parts = _parts_before(lines, place, before)
    street, used = _street_of([text for text, _ in parts], strict=strict)
    first = parts[len(parts) - used][1] if used else place
    return street, place - first


def _street_of(parts: list[str], *, strict: bool) -> tuple[str, int]:
    """Return the street made of the last parts, and how many of them it took."""
    start = None
    parts = [_without_label(text) for text in parts]
    for at in range(len(parts) - 1, max(-1, len(parts) - 6), -1):
        text = parts[at]
        if _is_street(text):
            start = at
        elif start is not None and (not UNIT_WORD.search(text) or _is_company(text)):
            break
        elif len(text.split()) > _MAX_WORDS or len(text) > _MAX_PART:
            break
        elif start is not None:
            start = at  # a building or unit above its street
        elif strict and at < len(parts) - 2:
            break  # what stands further off belongs to something else
    if start is None:
        return "", 0
    taken = [_without_lead(parts[start]), *parts[start + 1 :]]
    return ", ".join(text.strip(" .,-") for text in taken if text.strip(" .,-"))[:150], len(parts) - start


def _is_company(text: str) -> bool:
    return has_legal_form(text) or bool(_COMPANY_WORD.search(text))


def _is_street(text: str) -> bool:
    if len(text) > 2 * _MAX_PART or re.fullmatch(r"[\d\s().+-]+", text):
        return False
    has_number = bool(re.search(r"\d", text))
    if has_number and re.search(r"\b(?:box|postfach|b\.?p\.?|postbus|apartado|bag)\b\.?\s*\d", text, re.IGNORECASE):
        return True
    short = len(text.split()) <= _MAX_WORDS + 3
    if has_number and short and (STREET_WORD.search(text) or UNIT_WORD.search(text)):
        return True
    if re.match(r"\W*(?:No\.? ?)?\d+[A-Za-z]?(?:[-–/&]\d+[A-Za-z]?)?[,.]? +[A-ZÀ-Þ]", text) and short:
        return True
    if re.search(r"[a-zß]\s+\d+\s?[a-zA-Z]?(?:\s?[-–/+]\s?\d+\s?[a-zA-Z]?)*\W*$", text) and short:
        return True  # "Hauptstraße 12a": the number last
    return bool(STREET_WORD.search(text)) and 2 <= len(text.split()) <= 5 and text[:1].isupper() and text.split()[0].lower() not in {"the", "our", "we", "in", "on"}


def _without_label(text: str) -> str:
    labelled = _LABEL.match(text)
    return text[labelled.end() :] if labelled and len(text) - labelled.end() > 3 else text


def _without_lead(text: str) -> str:
    """Return a street without the company's name in front of it."""
    for word in STREET_WORD.finditer(text):
        if word.start() and has_legal_form(text[: word.start()]):
            return text[word.start() :]
    number = _HOUSE_NUMBER.search(text)
    if number and number.start() > 0:
        lead = text[: number.start()].strip(" ,.-–")
        if lead and not UNIT_WORD.search(lead) and not STREET_WORD.search(lead):
            return text[number.start() :]
    return text
