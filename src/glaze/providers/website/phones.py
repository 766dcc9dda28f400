"""Phone numbers: in links, behind labels and by their shape, without fax and other numbers."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from urllib.parse import unquote

import phonenumbers

from glaze.model.site_credit import credit_start
from glaze.model.text import clean
from glaze.model.value import Reading
from glaze.providers.website.document import Document
from glaze.providers.website.phone_labels import Said, is_fax, label_above, said_of

_LINKED = 84
_LABELLED = 82
_SHAPED = 72
_STATED = 80  # in a meta tag made for it
_CHATTED = 70
_ABROAD = 66  # a number of another country than the page's
_MIN_DIGITS, _MAX_DIGITS = 7, 15
_MOST_ON_A_PAGE = 40
_DIRECTORY = 8  # bare numbers, without label or link, that no company has of its own
# Each looks back from its first sign, which goes first: a search leaps from one to the next.
_NUMBER = re.compile(
    r"([+(\d]"
    r"(?:(?<![\w/@#=$€£%.,:+-].)|(?<=[^\W\d_][:#].)|(?<=[.)]:.)|(?<=[^\W\d_] #.)|(?<=\d{4},.))"
    r"(?:(?<=\+)\(?\+?\d|(?<=\()\+?\d|(?<=0)0\(?\+?\d|(?<=\d))"
    r"[\d\s().\u2010-\u2015/\xa0-]{5,32}\d"
    r"(?:\s?\(\d{4}\))?)"
    r"(?:(?=[Ee]xt|x\s?\d|[Ff]ax|FAX|Tel|TEL|Phone|PHONE|E-?[Mm]ail|E-?MAIL|Mob|Cell|Toll)"
    r"|(?![\w@%€$£]|[.:/-]\d|,\d(?!\d\d[-.)])))"
)
_VANITY = re.compile(
    r"([12-9(](?<![\w/@#=$.-].)(?:(?<=1)[-. ]?\(?[2-9]|(?<=\()[2-9]|(?<=[2-9]))"
    r"\d{2}\)?[-. ](?=[\dA-Z .-]*[A-Z]{3})"
    r"[\dA-Z]{3}[-. ]?[\dA-Z]{3,6}(?:\s?\(\d{3}-?\d{4}\)|\s?\(\d{4}\))?)(?![\w@])"
)
_TOLL_FREE = re.compile(  # in small letters, too: no other word stands behind 1-800
    r"(1(?<![\w/@#=$.-]1)[-. ]\(?8(?:00|[2-8]{2})\)?[-. ](?:[A-Za-z]{7}|(?=[A-Za-z-]{8}\b)[A-Za-z]+-[A-Za-z]+))\b"
)
_DIGITS_BELOW = re.compile(r"\(\d{3}-?\d{4}\)")
_GAP = re.compile(r"\s*/\s*|\s+(?:[-\u2013]\s+)?")
_MOST_GROUPS = 12
_PAUSE = re.compile(r"[,;]|(?<=\d)[xpw](?=\d)")
_CHAT = re.compile(
    r"https?://(?:wa\.me/\+?|api\.whatsapp\.com/send/?\?phone=(?:\+|%2B)?)(\d{8,15})(?=$|[/?&#])",
    re.IGNORECASE,
)
_METAS = ("business:contact_data:phone_number", "og:phone_number")
# Full-width signs, as Japanese and Chinese pages set them, each for its ASCII twin.
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_WIDE = re.compile("[\u3000\uff01-\uff5e]")
_MAY_BE_NUMBER = re.compile(
    r"\d(?:[\d\s().\u2010-\u2015/\xa0-]{5,24}\d"
    r"|(?<=[2-9])\d\d\)?[-. ][\dA-Za-z .-]*[A-Za-z]{3})"
)
_DATE = re.compile(
    r"(?:(?:19|20)\d{2}[-./ ](?:0?[1-9]|1[0-2])[-./ ][0-3]?\d|[0-3]?\d[-./ ][0-3]?\d[-./ ](?:19|20)\d{2}"
    r"|(?:19|20)\d{2}\s*[-\u2013/]\s*(?:19|20)?\d{2})(?:\D+.*)?"
)
_NANP = re.compile(r"(?:1[-. ]?)?(?:\([2-9]\d{2}\)[-. ]{0,2}|[2-9]\d{2}[-. ]{1,2})\d{3}[-. ]\d{4}")


def phone_readings(document: Document, countries: Sequence[str]) -> Iterator[Reading]:
    """Yield the phone numbers of links and text, each once, the best attested first.

    A number without country code is read in the first of ``countries`` that it is valid in.
    """
    found: dict[str, Reading] = {}
    faxes: set[str] = set()
    for number, sure, quote in _in_text(document, countries, faxes):
        land = region_of(number, tuple(countries))
        for reading in document.reading("company_phone", number, sure, quote, country=land):
            _keep_best(found, reading)
    for number, sure, quote in (*_in_metas(document), *_in_links(document)):
        land = region_of(number, tuple(countries))
        if land:
            for reading in document.reading("company_phone", number, sure, quote, country=land):
                _keep_best(found, reading)
    ranked = sorted(found.values(), key=lambda reading: -reading.confidence)
    own = [one for one in ranked if one.value not in faxes]
    bare = [one for one in own if one.confidence <= _SHAPED]
    if len(bare) > _DIRECTORY and len(bare) < len(own):
        own = own[: -len(bare)]  # a list of others' numbers beside the page's own
    yield from own[:_MOST_ON_A_PAGE]


def _keep_best(found: dict[str, Reading], reading: Reading) -> None:
    known = found.get(str(reading.value))
    if known is None or reading.confidence > known.confidence:
        found[str(reading.value)] = reading


def _in_metas(document: Document) -> Iterator[tuple[str, int, str]]:
    for name in _METAS:
        if number := document.meta(name):
            yield number, _STATED, number


def _in_links(document: Document) -> Iterator[tuple[str, int, str]]:
    chats = bool(document.menu.numbers_with([b"wa.me/", b"api.whatsapp.com/"]))
    for link in document.links:
        if link.url[:1] in "tTcC" and link.url[:7].lower().startswith(("tel:", "callto:")):
            number = unquote(link.url.partition(":")[2]).lstrip("/")
            if not is_fax(link.text[:20]):
                yield clean(_PAUSE.split(number)[0]), _LINKED, link.text or link.url
        elif chats and (chat := _CHAT.match(link.url)):
            yield f"+{chat[1]}", _CHATTED, link.url


def _in_text(
    document: Document, countries: Sequence[str], faxes: set[str]
) -> Iterator[tuple[str, int, str]]:
    for place in document.numbered:
        line = document.lines[place]
        if not line.isascii() and _WIDE.search(line):
            line = line.translate(_NARROW)
        if _MAY_BE_NUMBER.search(line):
            line = _with_its_digits(line, document.lines[place + 1 : place + 2])
            above = label_above(document.lines, place)
            for number, sure in _in_line(line, above, countries, faxes):
                yield number, sure, document.lines[place]


def _with_its_digits(line: str, below: Sequence[str]) -> str:
    """Return a line that ends in a number of letters with the digits that are set below it."""
    spelt = below and _DIGITS_BELOW.match(below[0])
    return f"{line} {spelt[0]}" if spelt and line[-2:-1].isupper() else line


def _in_line(
    line: str, above: str, countries: Sequence[str], faxes: set[str]
) -> Iterator[tuple[str, int]]:
    own = credit_start(line)
    matches = [
        match for shape in (_NUMBER, _VANITY, _TOLL_FREE) for match in shape.finditer(line, 0, own)
    ]
    for match in sorted(matches, key=re.Match.start)[:_MOST_ON_A_PAGE]:
        said = said_of(line, match.start(), match.end(), above)
        numbers = _numbers(match[1], countries, labelled=said in {Said.PHONE, Said.FAX})
        if said is Said.FAX:
            faxes.update(one for number in numbers for one in _canonical(number, countries))
            continue
        for number in numbers:
            if said is Said.PHONE or (said is Said.NOTHING and _looks_like_one(number, line)):
                domestic = country_of_number(number, _land(number, countries)) in (*countries, None)
                yield number, _sure(labelled=said is Said.PHONE, domestic=domestic)


def _sure(*, labelled: bool, domestic: bool) -> int:
    if labelled:
        return _LABELLED
    return _SHAPED if domestic else _ABROAD


def _land(number: str, countries: Sequence[str]) -> str:
    return region_of(number, tuple(countries)) or countries[0]


def _numbers(written: str, countries: Sequence[str], *, labelled: bool) -> list[str]:
    """Return the numbers in a stretch of digits: one, most often.

    What is none as a whole may be several ("212-736-5000 / 736-5001"), one behind a postal code,
    or one with a short end for another line ("... 34 56 - 57"). Without a label only what is
    written as a phone number beyond doubt is cut out.
    """
    whole = _spelt_out(_trimmed(written))
    if region_of(whole, tuple(countries)):
        return [whole]
    gaps = [match.span() for match in _GAP.finditer(written)][:_MOST_GROUPS]
    starts = [0, *(end for _, end in gaps)]
    ends = [*(start for start, _ in gaps), len(written)]
    found: list[str] = []
    at = 0
    while at < len(starts):
        for last in range(len(ends) - 1, at - 1, -1):
            piece = _trimmed(written[starts[at] : ends[last]])
            certain = labelled or piece.startswith(("+", "(")) or _NANP.fullmatch(piece)
            if certain and region_of(piece, tuple(countries)):
                found.append(piece)
                at = last
                break
        at += 1
    return found


def _trimmed(number: str) -> str:
    number = number.strip(" .-/*\u2022\u00b7\u2013\u2014\xa0")
    if number.count("(") > number.count(")") and number.startswith("("):
        return number if ")" in number else number[1:]
    return number


def _spelt_out(number: str) -> str:
    """Return a vanity number by its digits where they stand behind it: "494 STAR (7827)"."""
    behind = re.search(r"\s?\((?:(\d{3}-?\d{4})|(\d{4}))\)$", number)
    if not behind or not any(map(str.isalpha, number)):
        return number
    head = re.match(r"((?:1[-. ]?)?\(?\d{3}\)?[-. ])(\d{3}[-. ]?)?", number)
    if not head:
        return number
    return head[1] + behind[1] if behind[1] else head[0] + behind[2]


def _looks_like_one(number: str, line: str) -> bool:
    """Tell whether an unlabelled number is written as phone numbers are."""
    if _DATE.fullmatch(number):
        return False
    if number.startswith(("+", "00", "(", "0")) or any(map(str.isalpha, number)):
        return True
    groups = re.findall(r"\d+", number)
    # 413-732-8702 and 413.732.8702; ten digits alone on their line
    if [len(group) for group in groups] in (
        [3, 3, 4],
        [1, 3, 3, 4],
        [4, 3, 3],
        [2, 3, 3],
        [3, 3, 3],
    ):
        return True
    return len(groups) > 1 and number == line.strip()


@lru_cache(maxsize=8192)
def _parsed(number: str, country: str) -> phonenumbers.PhoneNumber | None:
    digits = sum(map(str.isdigit, number))
    letters = sum(map(str.isalpha, number))
    if not (digits + letters >= _MIN_DIGITS and digits <= _MAX_DIGITS + 2):
        return None
    written = "+" + number[2:] if number.startswith("00") else number
    try:
        found = phonenumbers.parse(written, country)
    except phonenumbers.NumberParseException:
        return None
    return found


@lru_cache(maxsize=8192)
def region_of(number: str, countries: tuple[str, ...]) -> str | None:
    """Return the first country that ``number`` is valid in, None where it is in none of them."""
    for country in countries:
        if is_number(number, country):
            return country
    if _NANP.fullmatch(number) and is_number(number, "US"):
        return "US"
    # A trunk zero is never American; in English it is British, most often.
    if countries[:1] == ("US",) and number.startswith(("0", "(0")) and is_number(number, "GB"):
        return "GB"
    return None


@lru_cache(maxsize=8192)
def is_number(number: str, country: str) -> bool:
    """Tell whether ``number`` is assigned in some numbering plan, read in ``country``."""
    found = _parsed(number, country)
    return found is not None and phonenumbers.is_valid_number(found)


def country_of_number(number: str, country: str) -> str | None:
    """Return the country of a number's plan, None where it is in none."""
    found = _parsed(number, country)
    if found is None or found.country_code is None:
        return None
    main = phonenumbers.region_code_for_country_code(found.country_code)
    return phonenumbers.region_code_for_number(found) or main


def _canonical(number: str, countries: Sequence[str]) -> list[str]:
    found = _parsed(number, region_of(number, tuple(countries)) or countries[0])
    return [phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)] if found else []
