"""Postal codes in a line of text: what an address is recognised by, in each country's way."""

# ruff: noqa: RUF001  addresses are written with typographic dashes

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from glaze.providers.website.places import (
    AU_STATES,
    CA_POSTCODE,
    CA_PROVINCES,
    CODE_FIRST,
    UK_POSTCODE,
    US_STATES,
)


@dataclass(frozen=True, slots=True)
class Anchor:
    """A postal code at ``start`` to ``end`` of a line, with what stands next to it."""

    start: int
    end: int
    code: str
    country: str  # ISO alpha-2
    region: str = ""
    after: str | None = None  # the text behind a code that stands before its city; None: city first
    unsure: bool = False  # of another country than the page's: the street must bear it out
    city: str = ""  # known at once only where the pattern spans the whole address
    street: str = ""


def _names(table: dict[str, str], extra: str = "") -> str:
    full = "|".join(re.escape(name) for name in sorted(table, key=len, reverse=True))
    return f"(?i:{full})|{'|'.join(sorted(set(table.values())))}{extra}"


_US = re.compile(
    rf"\b(?P<region>{_names(US_STATES, '|D[.]C[.]|Calif|Fla|Mass|Penn|Tex|Wash')})\.?"
    r"(?:\s*[,.–-]?\s*|\s+(?:Zip:?\s*)?)(?P<code>\d{5}(?:\s?[-–]\s?\d{4})?)(?![\d-])"
)
_CA = re.compile(
    rf"\b(?P<region>{_names(CA_PROVINCES)})\.?[)]?\s*[,.–-]?\s*(?:Canada,?\s*)?"
    rf"(?P<code>{CA_POSTCODE})\b"
)
_AU = re.compile(
    rf"\b(?P<region>{_names(AU_STATES)})\.?\s*[,.]?\s*(?:Australia,?\s*)?(?P<code>\d{{4}})(?![\d-])"
)
_UK = re.compile(rf"(?<![\w-])(?P<code>{UK_POSTCODE})(?![\w-])")
_EVERYWHERE = (  # what each is recognised by, for the patterns of names are dear; pattern; country
    (re.compile(r"\d\d{4}"), _US, "US"),
    (re.compile(r"[A-Z]\d[A-Z]"), _CA, "CA"),
    (re.compile(r"\d[A-Z]{2}"), _UK, "GB"),
)
_REGION_ENDS = frozenset(
    name[-2:].lower()
    for name in (
        *(
            name
            for table in (US_STATES, CA_PROVINCES, AU_STATES)
            for pair in table.items()
            for name in pair
        ),
        *("Calif", "Fla", "Mass", "Penn", "Tex", "Wash", "Zip", "Canada", "Australia"),
    )
)
_BEFORE, _BEHIND = 50, 20  # the most that a region takes before those signs, a code behind them
_ANY_SIGN = re.compile(r"\d(?:\d{4}|[A-Z]{2}|(?<=[A-Z]\d)[A-Z])")
_ANY_CODE = re.compile(r"\d[\dA-Z]")
_MAY_HOLD_CODE = re.compile(r"\d(?:\d[- ]?\d[-－‐ ]?\d|[A-Z]{2}|(?<=[A-Z]\d)[A-Z])")
_JP_CODE = re.compile(r"\d\d\d[-－‐]\d{4}")
_YEAR_LIKE = re.compile(r"\d\d{3}")
_FOUR_DIGITS = re.compile(r"\d\d[- ]?\d[-－‐ ]?\d")
_PREFIX = re.compile(r"[A-Z][-–]\s?\d\d\d")
_CITY_FIRST = {  # with a code that only the page's own country makes believable
    "IE": re.compile(
        r"(?<![\w-])(?P<code>(?:D6W|[AC-FHKNPRTV-Y]\d{2}) ?[\dAC-FHKNPRTV-Y]{4})(?![\w-])"
    ),
    "IN": re.compile(r"(?<=[\s,-])(?P<code>[1-9]\d{2} ?\d{3})(?![\d-])"),
    "SG": re.compile(r"(?<=Singapore )\(?(?P<code>\d{6})\)?"),
    "NZ": re.compile(r"(?<=[a-z,] )(?P<code>\d{4})(?![\d-])"),
    "JP": re.compile(r"(?<=[a-zō,] )(?P<code>\d{3}-\d{4})(?=\W*$|,? Japan)"),
    "ZA": re.compile(r"(?<=[a-z,] )(?P<code>\d{4})(?![\d-])"),
    **dict.fromkeys(("AU", "US", "GB"), _AU),
}
_JP = re.compile(
    r"〒?\s*(?P<code>\d{3}[-－‐]\d{4})\s*"
    r"(?P<region>東京都|北海道|(?:京都|大阪)府|[\u4e00-\u9fff]{2,3}県)?"
    r"(?P<city>[\u4e00-\u9fff\u3040-\u30ffヶ]{1,8}?[市区町村])(?P<street>[^\s|,、]{2,60})"
)
_PREFIXED = re.compile(
    r"\b(?P<land>DE?|AT?|CH|FR?|NL|BE?|LU?|IT?|ES?|DK|SE?|NO?|CZ|SK|PL|FI?)[-–]\s?"
    r"(?P<code>\d{3} ?\d{2}|\d{4}(?: ?[A-Z]{2}\b)?)(?P<after>\s+[^\d\s].*)"
)
_PREFIXES = {
    "D": "DE",
    "A": "AT",
    "F": "FR",
    "B": "BE",
    "L": "LU",
    "I": "IT",
    "E": "ES",
    "S": "SE",
    "N": "NO",
}
# The first digit stands before what must not precede it: a search leaps from digit to digit, then.
_CODES = {
    land: re.compile(
        rf"(?P<code>\d(?<![\w./#€$-]\d)\d{{{int(shape[3]) - 1}}}{shape[5:]})(?P<after>[ ,]+[^\d\s,].*)"
    )
    for land, shape in CODE_FIRST.items()
}
_UNMISTAKABLE = ("NL", "DE", "SK")  # read on other countries' pages, too
_ABROAD = re.compile(r"\d\d(?:\d(?:\d ?[A-Z]{2}|\d\d| \d\d)|\d \d\d)[ ,]")  # what they take
_JP_ALONE = re.compile(r"〒\s?\d{3}[-－‐]\d{4}")
_CODE_ALONE = re.compile(
    r"(?:\d{5}(?:-\d{4})?(?=\s*(?:$|[,|(]|USA?\b|United|Phone|Tel))"
    rf"|{CA_POSTCODE}|\d{{4}}(?=\W*$))(?![\w-])"
)
_ENDS_IN_REGION = re.compile(
    rf"[\s,](?:{_names(US_STATES)}|{_names(CA_PROVINCES)}|{_names(AU_STATES)})\.?,?$"
)


def anchors(line: str, country: str) -> list[Anchor]:
    """Return the postal codes in ``line``, in order; ``country`` is the page's, ISO alpha-2."""
    if not (_MAY_HOLD_CODE if country != "IE" else _ANY_CODE).search(line):
        return []
    return sorted(_found(line, country), key=lambda anchor: anchor.start)


def holds_code(line: str) -> bool:
    """Tell whether ``line`` ends an address of its own, by a code that needs no context."""
    if not _ANY_SIGN.search(line):
        return False
    return any(_near(signs, shape, line) for signs, shape, _ in _EVERYWHERE)


def code_joined(lines: Sequence[str], places: Sequence[int]) -> tuple[list[str], list[int]]:
    """Return ``lines`` with a postal code that begins a line moved behind the region before it.

    ``places`` are those of the lines that hold a digit; they come back as they are afterwards.
    """
    joined = list(lines)
    moved = set(places)
    for place in places:
        if _JP_ALONE.fullmatch(joined[place]) and place + 1 < len(joined):
            joined[place] += f" {joined[place + 1]}"
        code = _CODE_ALONE.match(joined[place])
        if code and place and _ENDS_IN_REGION.search(joined[place - 1]):
            joined[place - 1] += " " + code[0]
            joined[place] = joined[place][code.end() :].strip(" ,")
            moved.add(place - 1)
    return joined, sorted(moved)


def _near(signs: re.Pattern[str], shape: re.Pattern[str], line: str) -> list[re.Match[str]]:
    """Return the matches of ``shape`` in ``line``, which it is searched for around ``signs`` only."""
    found: list[re.Match[str]] = []
    done = 0
    for sign in signs.finditer(line):
        if sign.start() >= done and (shape is _UK or _may_end_region(line, sign.start())):
            first = max(done, sign.start() - _BEFORE)
            match = shape.search(line, first, sign.end() + _BEHIND)
            if match:
                found.append(match)
                done = match.end()
    return found


def _may_end_region(line: str, place: int) -> bool:
    """Tell whether what stands before ``place`` ends like a region: most words do not."""
    end = line[max(0, place - 8) : place].rstrip(" ,.):–-")[-2:].lower()
    return end in _REGION_ENDS or end[:1] == "."


def _found(line: str, country: str) -> Iterator[Anchor]:
    for signs, pattern, land in _EVERYWHERE if _ANY_SIGN.search(line) else ():
        yield from (_city_first(match, land) for match in _near(signs, pattern, line))
    if country != "IE" and not _FOUR_DIGITS.search(line):
        return
    if pattern_ := _CITY_FIRST.get(country):
        if pattern_ is _AU:
            yield from (_city_first(match, "AU") for match in _near(_YEAR_LIKE, _AU, line))
        else:
            yield from (_city_first(match, country) for match in pattern_.finditer(line))
    if not line.isascii() and _JP_CODE.search(line):
        yield from map(_japanese, _JP.finditer(line))
    yield from _codes_first(line, country)


def _codes_first(line: str, country: str) -> Iterator[Anchor]:
    for match in _PREFIXED.finditer(line) if _PREFIX.search(line) else ():
        yield _code_first(match, _PREFIXES.get(match["land"], match["land"]))
    if country in _CODES:
        yield from (_code_first(match, country) for match in _CODES[country].finditer(line))
    else:
        yield from _from_abroad(line)


def _from_abroad(line: str) -> Iterator[Anchor]:
    for land in _UNMISTAKABLE if _ABROAD.search(line) else ():
        for match in _CODES[land].finditer(line):
            if land != "SK" or " " in match["code"]:
                yield _code_first(match, land, unsure=True)


def _japanese(match: re.Match[str]) -> Anchor:
    code, region, city, street = (
        part or "" for part in match.group("code", "region", "city", "street")
    )
    return Anchor(match.start(), match.end(), code, "JP", region=region, city=city, street=street)


def _city_first(match: re.Match[str], land: str) -> Anchor:
    code = " ".join(match["code"].split())
    code = re.sub(r"\s?[-–]\s?", "-", code) if land == "US" else code
    region = match.groupdict("").get("region", "")
    return Anchor(match.start(), match.end(), code, land, region=region)


def _code_first(match: re.Match[str], land: str, *, unsure: bool = False) -> Anchor:
    code, after = match["code"], match["after"]
    return Anchor(match.start(), match.end(), code, land, after=after, unsure=unsure)
