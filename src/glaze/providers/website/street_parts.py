"""The parts of an address around its postal code: street, building and city."""

# ruff: noqa: RUF001  addresses are written with typographic dashes

import re
from collections.abc import Sequence
from typing import NamedTuple

from glaze.model.names import has_legal_form
from glaze.providers.website.places import STREET_WORD, UNIT_WORD
from glaze.providers.website.postal_anchors import holds_code

MAX_CITY = 40
_LINES_BACK = 7
_PARTS_BACK = 5
_MAX_PART = 70
_MAX_WORDS = 9
_MAX_STREET = 150
_SEPARATORS = re.compile(r"\s*(?:[,;|•·●■►»]|\\\\|(?<!\d)\s[-–—*]\s(?!\d)|\s/\s)\s*")
_LABEL = re.compile(
    r".*(?:\b(?:registered (?:office|address)(?: is)?(?: at)?|head ?(?:office|quarters)(?: is)?"
    r"|corporate (?:office|headquarters)|(?:mailing|postal|street|physical|business|our|office"
    r"|billing|visiting|shipping)? ?address(?: is)?|located (?:at|in)|visit us(?: at)?"
    r"|find us(?: at)?|offices? (?:at|in)|based (?:at|in)|write to(?: us)?(?: at)?|c/o"
    r"|mail(?:ed)? to|send (?:\w+ )?to|sede legale|sede|si[èe]ge social|adresse|anschrift"
    r"|direcci[óo]n|domicilio|indirizzo|adres|add|location|hq|england (?:and|&) wales|office)\b"
    r"\s*[:.\-–]?|[:：]|\bat(?=\s+\d)|(?<=[a-z]{3})[.!?](?=\s+[A-Z\d]))\s*",
    re.IGNORECASE,
)
_NOT_ADDRESS = re.compile(
    r"[@©=?!]|https?:|www\.|\(\d{3}\)|\d{3}[-. ]\d{3}[-. ]\d{4}|\+\d{2}|\d{1,2}:\d{2}|\d\s?[ap]\.?m\b"
    r"|\d{4}-\d{2}-\d{2}|\b(?:tel|phone|fax|e-?mail|copyright|rights reserved|opening|hours|click"
    r"|vat|reg(?:istered)? no|company no|mon|monday|read more|contact us|directions"
    r"|map)\b[:.]?",
    re.IGNORECASE,
)
_COMPANY_WORD = re.compile(
    r"\b(?:society|association|company|group|inc|llc|ltd|limited|gmbh|corp|corporation"
    r"|foundation|department|team|services?)\b",
    re.IGNORECASE,
)
_DUTCH_END = re.compile(r"(?:NL-)?\d{4} ?[A-Z]{2} [A-Z]")  # the end of another address
_HOUSE_NUMBER = re.compile(
    r"\b(?:No\.? ?)?(?:[NSEW]\d+ )?\d+(?:[-–/&]\d+)?[A-Za-z]?(?:[-–/]\d+[A-Za-z]?)?(?: ?[½¼])?"
    r"[,.]? +(?=[A-Z0-9À-Þ'])"
)
_BOX = re.compile(r"\b(?:box|postfach|b\.?p\.?|postbus|apartado|bag)\b\.?\s*\d", re.IGNORECASE)
_NUMBER_FIRST = re.compile(r"\W*(?:No\.? ?)?\d+[A-Za-z]?(?:[-–/&]\d+[A-Za-z]?){0,2}[,.]? +[A-ZÀ-Þ]")
_NUMBER_LAST = re.compile(r"[^\W\d_]\s+\d+\s?[a-zA-Z]?(?:\s?[-–/+]\s?\d+\s?[a-zA-Z]?)*\W*$")
_UNIT = re.compile(
    r"(?:\b(?:suite|ste|unit|floor|fl|apt|room|rm|box|bldg|building)\.?\s*#?\s*[\w-]{1,6}"
    r"|#\s?[\w-]+|\d+(?:st|nd|rd|th) (?:floor|fl))\b[. ]*",
    re.IGNORECASE,
)
_NO_STREET_START = frozenset({"the", "our", "we", "in", "on"})
_LOWER_STREETS = ("via ", "rue ", "calle ")
_FEW_WORDS = range(2, 6)
_CITY_WORDS = 5


class Part(NamedTuple):
    """A piece of an address between commas, and the line it stands on."""

    text: str
    line: int


def parts_before(lines: Sequence[str], place: int, before: str) -> list[Part]:
    """Return the parts that lead up to an anchor on line ``place``, whose line starts ``before``."""
    parts = _split(before, place)
    for back in range(place - 1, max(-1, place - 1 - _LINES_BACK), -1):
        if _ends_block(lines[back]):
            break
        parts[:0] = _split(lines[back], back)
    return parts


def _split(text: str, line: int) -> list[Part]:
    return [Part(part, line) for part in _SEPARATORS.split(text) if part.strip(" .,-〒")]


def _ends_block(line: str) -> bool:
    return (
        len(line) > 2 * _MAX_PART
        or len(line.split()) > 2 * _MAX_WORDS
        or line.endswith(":")
        or bool(_NOT_ADDRESS.search(line))
        or holds_code(line)
        or bool(_DUTCH_END.match(line))
    )


def street_of(parts: Sequence[str], *, strict: bool) -> tuple[str, int]:
    """Return the street that the last parts make, and how many of them it took.

    With ``strict`` it must end next to the anchor; else a quarter may stand in between.
    """
    texts = [_without_label(text) for text in parts if not re.fullmatch(r"[\d\s]{6,}", text)]
    start = None
    for at in range(len(texts) - 1, max(-1, len(texts) - 1 - _PARTS_BACK), -1):
        if is_street(texts[at]):
            start = at
        elif _is_too_long(texts[at]):
            break
        elif start is None:
            if strict and at < len(texts) - 2:
                break
        elif not UNIT_WORD.search(texts[at]) or _is_company(texts[at]):
            break
        else:
            start = at  # a building or unit above its street
    if start is None:
        return "", 0
    taken = [_without_lead(texts[start]), *texts[start + 1 :]]
    tidy = [re.sub(r"\s*\([^)]{3,60}\)$", "", text).strip(" .,-") for text in taken]
    return ", ".join(filter(None, tidy))[:_MAX_STREET], len(texts) - start


def _is_too_long(text: str) -> bool:
    return len(text.split()) > _MAX_WORDS or len(text) > _MAX_PART


def _is_company(text: str) -> bool:
    return has_legal_form(text) or bool(_COMPANY_WORD.search(text))


def is_street(text: str) -> bool:
    """Tell whether a part of an address is (or holds) a street or a box."""
    if len(text) > 2 * _MAX_PART or re.fullmatch(r"[\d\s().+-]+", text):
        return False
    words = text.split()
    if any(map(str.isdigit, text)):
        if _BOX.search(text):
            return True
        if len(words) > _MAX_WORDS + 3:
            return False
        shapes = (STREET_WORD.search, UNIT_WORD.search, _NUMBER_FIRST.match, _NUMBER_LAST.search)
        return any(shape(text) for shape in shapes)
    return (
        len(words) in _FEW_WORDS
        and bool(STREET_WORD.search(text))
        and (text[0].isupper() or text.startswith(_LOWER_STREETS))
        and words[0].lower() not in _NO_STREET_START
    )


def is_quarter(text: str) -> bool:
    """Tell whether a part between street and city names a quarter, which many take for a city."""
    plain = text.replace(" ", "").isalpha() and text.istitle()
    return plain and not is_street(text) and not UNIT_WORD.search(text)


def _without_label(text: str) -> str:
    labelled = _LABEL.match(text)
    return text[labelled.end() :] if labelled and len(text) > labelled.end() + 3 else text


def _without_lead(text: str) -> str:
    """Return a street without the company's name in front of it."""
    words = text.split()
    for taken in range(2, min(len(words) - 1, _MAX_WORDS)):
        rest = " ".join(words[taken:])
        named = any(map(str.isalpha, "".join(words[: taken - 1])))  # "SE" alone is where it lies
        if named and has_legal_form(" ".join(words[:taken])) and is_street(rest):
            return rest
    number = _HOUSE_NUMBER.search(text)
    if number and number.start():
        lead = text[: number.start()].strip(" ,.-–")
        if lead and not UNIT_WORD.search(lead) and not STREET_WORD.search(lead):
            return text[number.start() :]
    return text


def split_city(text: str) -> tuple[str, str]:
    """Return (city, street before it) of the part next to a region or postal code."""
    text = text.strip(" ,.-–(")
    if not any(map(str.isalpha, text)):
        return "", ""
    cut = _end_of_street(text)
    city = text
    if cut:
        city = re.sub(r"^[\s.,]*(?:[NSEW]{1,2}\b\.?(?=\s+[A-Z]))?[\s.,]*", "", text[cut:])
        if not city:
            return "", text
    elif labelled := _LABEL.match(text):
        city = text[labelled.end() :]
    if any(map(str.isdigit, city)):
        if not cut and STREET_WORD.search(city):
            return "", city
        city = re.sub(r"^.*\d\S*\s+", "", city)
    return _city_name(city), text[:cut].strip(" ,.-")


def _end_of_street(text: str) -> int:
    ends = [unit.end() for unit in _UNIT.finditer(text)]
    if any(map(str.isdigit, text)):
        words = STREET_WORD.finditer(text)
        ends += [word.end() for word in words if word.start() and word.end() < len(text)]
    return max(ends, default=0)


def _city_name(text: str) -> str:
    words = text.split()
    if words and len(text) <= MAX_CITY and len(words) <= _CITY_WORDS and words[0][0].isupper():
        return text.strip(" .,-")
    tail = re.search(r"(?:[A-Z][\w'’.-]+(?: |$)){1,3}$", text[-3 * MAX_CITY :])
    return tail[0].strip(" .,-") if tail else ""
