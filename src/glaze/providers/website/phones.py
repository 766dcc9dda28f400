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

_LINKED = 84
_LABELLED = 82
_SHAPED = 72
_ABROAD = 66  # a number of another country than the page's
_MIN_DIGITS, _MAX_DIGITS = 7, 15
_MOST_ON_A_PAGE = 40
_DIRECTORY = 8  # bare numbers, without label or link, that no company has of its own
_NUMBER = re.compile(
    r"(?<![\w/@#=$€£%.,:+-])"
    r"((?:\+|00)?\(?\+?\d[\d\s().\u2010-\u2015/\xa0-]{5,24}\d"
    r"(?:\s?\(\d{4}\))?)"
    r"(?![\w@%€$£]|[.,:/-]\d)"
)
_VANITY = re.compile(
    r"(?<![\w/@#=$.-])((?:1[-. ]?)?\(?[2-9]\d{2}\)?[-. ](?=[\dA-Z .-]*[A-Z]{3})"
    r"[\dA-Z]{3}[-. ]?[\dA-Z]{3,6}(?:\s?\(\d{3}-?\d{4}\)|\s?\(\d{4}\))?)(?![\w@])"
)
_MAY_BE_NUMBER = re.compile(
    r"\d[\d\s().\u2010-\u2015/\xa0-]{5,24}\d|[2-9]\d\d\)?[-. ][\dA-Z .-]*[A-Z]{3}"
)
_FAX = re.compile(
    r"(?:\b(?:tele)?fax(?:\s?(?:no|number|nr|line))?|\bfacsimile|\bt[ée]l[ée]copie(?:ur)?|\bf|ファックス|传真)"
    r"\s*[.:#)\]]*\s*(?:\+|\()?$",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?:\b(?:tele)?(?:ph(?:one)?|fon|fono|foon)s?|\btel\w{0,6}|\bt[ée]l(?:[ée]phone)?|\bcall(?: us)?(?: (?:at|on|now|today))?"
    r"|\bmob(?:ile?)?|\bcell|\bhandy|\bmobil|\bhotline|\bvoice|\btoll[- ]?free|\bfree ?phone|\bdirect|\boffice|\bmain"
    r"|\btlf\w{0,4}\.?(?: ?\w{4,12})?|\b[ptm]|\bwhatsapp|\bsms|\btext|\bring|\bcontact(?: us)?(?: (?:at|on))?|電話|电话|☎|☏|\U0001f4de)"
    r"(?:\s?(?:no|number|nr|us|line|anfragen))?\s*[.:#)\]/|]*\s*(?:\+|\()?$",
    re.IGNORECASE,
)
_OTHER_NUMBER = re.compile(
    r"(?:\b(?:vat|ust|mwst|tva|btw|iva|p\.?\s?iva|partita|siret|siren|rcs|kvk|abn|acn|ein|duns|iban|bic|swift"
    r"|konto|account|blz|isbn|issn|sku|art(?:icle|ikel)?|item|model|part|order|ref(?:erence)?|lic(?:en[sc]e)?"
    r"|reg(?:ist(?:ered|ration|ernummer))?|company|charity|hr[ab]|handelsregister|steuer\w*|zip|plz|postcode|dx"
    r"|lat(?:itude)?|long?(?:itude)?|id|sra|fca|nmls|cin|gst|cage|npi|patent|serial|version|build|case)"
    r"[\w. ]{0,25}[.:#]?\s*)$",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?:(?:19|20)\d{2}[-./ ](?:0?[1-9]|1[0-2])[-./ ][0-3]?\d|[0-3]?\d[-./ ][0-3]?\d[-./ ](?:19|20)\d{2}"
    r"|(?:19|20)\d{2}\s*[-\u2013/]\s*(?:19|20)?\d{2})(?:\D+.*)?"
)
_NANP = re.compile(r"(?:1[-. ])?\(?[2-9]\d{2}\)?[-. ]{1,2}\d{3}[-. ]\d{4}")
_LABEL_ONLY = 28  # characters; a line that is nothing but a label speaks for the next line
_BEFORE = 45


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
    for link in document.links:
        if link.url[:7].lower().startswith(("tel:", "callto:")):
            number = clean(unquote(link.url.partition(":")[2]).lstrip("/").partition(";")[0])
            land = region_of(number, tuple(countries))
            if land and not _FAX.search(link.text[:20]):
                quote = link.text or link.url
                for reading in document.reading(
                    "company_phone", number, _LINKED, quote, country=land
                ):
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


def _in_text(
    document: Document, countries: Sequence[str], faxes: set[str]
) -> Iterator[tuple[str, int, str]]:
    for place in document.numbered:
        line = document.lines[place]
        if _MAY_BE_NUMBER.search(line):
            above = document.lines[place - 1] if place else ""
            yield from _in_line(line, above if len(above) <= _LABEL_ONLY else "", countries, faxes)


def _in_line(
    line: str, before: str, countries: Sequence[str], faxes: set[str]
) -> Iterator[tuple[str, int, str]]:
    own = credit_start(line)
    matches = [*_NUMBER.finditer(line, 0, own), *_VANITY.finditer(line, 0, own)]
    for match in sorted(matches, key=re.Match.start)[:_MOST_ON_A_PAGE]:
        number = _spelt_out(_trimmed(match[1]))
        label = line[max(0, match.start() - _BEFORE) : match.start()]
        label = label or before
        if _FAX.search(label) and not re.search(
            r"(?:tel|ph|phone)\w*\.?\s*[/&+]\s*\S{0,4}fax", label, re.IGNORECASE
        ):
            faxes.update(_canonical(number, countries))
            continue
        named = bool(_PHONE.search(label))
        if not named and (_OTHER_NUMBER.search(label) or not _looks_like_one(number, line)):
            continue
        land = region_of(number, tuple(countries))
        if land:
            domestic = country_of_number(number, land) in (*countries, None)
            shaped = _SHAPED if domestic else _ABROAD
            yield number, _LABELLED if named else shaped, line


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
