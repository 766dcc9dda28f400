"""A gullible reader that stands in for a language model: finds facts by pattern, obeys the page.

It knows nothing of the prompt: it looks for facts in whatever text it is given. When the text says
"ignore previous instructions" and then ``company_industry is "X"``, it answers X, quoting what the
page tells it to quote, else the first sentence, which supports nothing.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

from glaze_sandbox.world.entities import size_bucket
from glaze_sandbox.world.places import COUNTRIES
from glaze_sandbox.world.words import INDUSTRIES, ROLES

LONGEST_QUOTE = 300  # characters
EARLIEST, LATEST = 1600, 2100  # years that can be a foundation


@dataclass(frozen=True, slots=True)
class Found:
    """A value with the words it rests on and the page they came from."""

    field: str
    value: object
    quote: str
    page_url: str | None


_FOUNDED = re.compile(
    r"(?:founded|established|since|gegründet|seit|fondée?|depuis|fundada|desde|fondata|dal|"
    r"opgericht|sinds|founding date|founded in)\D{0,12}(\d{4})\b|(\d{4})年\s*(?:設立|創業)",
    re.IGNORECASE,
)
_EMPLOYEES = re.compile(
    r"(\d[\d.,  ]*)\s*(?:\+\s*)?(?:employees|people|staff|specialists|Mitarbeiter\w*|salariés|"
    r"collaborateurs|empleados|personas|dipendenti|persone|medewerkers|collega's|名)",
    re.IGNORECASE,
)
_LEGAL = re.compile(
    r"([A-Z][\w'&-]+(?: [A-Z][\w'&-]+){0,3}) "
    r"(GmbH & Co\. KG|GmbH|AG|Inc\.|LLC|Corp\.|Ltd\.?|Limited|PLC|SAS|SARL|SA|B\.V\.|N\.V\.|S\.L\.|"
    r"S\.A\.|S\.r\.l\.|S\.p\.A\.|K\.K\.|Pty Ltd)"
)
_CITY = re.compile(
    r"(?:based in|home in|mit Sitz in|basée à|con sede en|con sede a|gevestigd in)\s+"
    r"([^\W\d_][\w'-]+(?: (?:am )?[^\W\d_][\w'-]+)?)"
)
_PHONE = re.compile(r"\+\d[\d ()./-]{7,16}\d")
_EMAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
_INJECTION = re.compile(
    r"ignore\s+(?:all\s+|your\s+|the\s+|any\s+)?(?:previous|prior|earlier|above)", re.IGNORECASE
)
_DICTATED = re.compile(r"((?:company|person)_[a-z_]+)\s+(?:is|=)\s+\"?([^\"\n.;<]+)\"?")
_DICTATED_QUOTE = re.compile(r"quote\s+\"([^\"\n]+)\"", re.IGNORECASE)
# What stands between a field and the value that a text tells: "founded year: ", "industry to be ".
_TOLD = r"[\W_]{1,4}(?:(?:is|to|as|be|equals|must be|should be|shall be|to be)\b)?[\W_]{0,4}"
_URL = re.compile(r"https?://[^\s\"'<>)\]]+")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|[。\n\r]+")
_TRADES = [phrase.lower() for industry in INDUSTRIES for phrase in (industry.name, *industry.trade)]


@dataclass(frozen=True, slots=True)
class Text:
    """What the model is given: the words, and the addresses of the pages where they are named."""

    words: str
    pages: tuple[str, ...] = ()  # empty: any address in the words may be a page's

    def page_before(self, place: int) -> str | None:
        """Return the last page named before ``place``: pages come with theirs in front."""
        if not self.pages:
            urls = _URL.findall(self.words, 0, place)
            return urls[-1] if urls else None
        # where one address begins another, the longer one is meant
        found, _, page = max((self.words.rfind(url, 0, place), len(url), url) for url in self.pages)
        return page if found >= 0 else self.pages[0]


MOST_CHOICES = 12  # a longer list is one of classes, not of values to choose among


def choose(text: Text, fields: list[str], choices: list[str]) -> Iterator[Found]:
    """Choose the first of a few values that a line states, and quote that line."""
    if len(fields) != 1 or not 1 < len(choices) <= MOST_CHOICES:
        return
    for line in text.words.splitlines():
        for choice in choices:
            if choice in line and "://" not in line:
                yield Found(fields[0], choice, line.strip()[:LONGEST_QUOTE], None)
                return


def _sentence(text: str, start: int, end: int) -> str:
    """Return the sentence around ``text[start:end]``, exactly as it stands there."""
    before = [m.end() for m in _SENTENCE_END.finditer(text, max(0, start - LONGEST_QUOTE), start)]
    after = _SENTENCE_END.search(text, end)
    left = before[-1] if before else max(0, start - LONGEST_QUOTE // 2)
    right = after.start() if after else len(text)
    return text[left : min(right, left + LONGEST_QUOTE)].strip()


Hit = tuple[object, int, int]  # value, and where it stands


def _founded(text: str) -> Hit | None:
    for match in _FOUNDED.finditer(text):
        year = int(match[1] or match[2])
        if EARLIEST < year < LATEST:
            return year, match.start(), match.end()
    return None


def _employees(text: str) -> Hit | None:
    for match in _EMPLOYEES.finditer(text):
        digits = re.sub(r"\D", "", match[1])
        if digits and int(digits):
            return int(digits), match.start(), match.end()
    return None


def _size(text: str) -> Hit | None:
    hit = _employees(text)
    return hit and (size_bucket(cast(int, hit[0])), *hit[1:])


def _industry(text: str) -> Hit | None:
    lowered = text.lower()
    places = [
        (start, start + len(phrase)) for phrase in _TRADES if (start := lowered.find(phrase)) >= 0
    ]
    # in the page's own words: what it does not say cannot be quoted
    found = min(places, default=None)
    return found and (text[slice(*found)], *found)


def _industry_name(text: str) -> Hit | None:
    """Return the trade's name as data vendors write it, where the trade is named."""
    lowered = text.lower()
    places = [
        (start, start + len(phrase), industry.name)
        for industry in INDUSTRIES
        for phrase in (industry.name, *industry.trade)
        if (start := lowered.find(phrase.lower())) >= 0
    ]
    found = min(places, default=None)
    return found and (found[2], found[0], found[1])


def _description(text: str) -> Hit | None:
    hit = _industry(text)
    if hit is None:
        return None
    sentence = _sentence(text, hit[1], hit[2])
    return sentence, hit[1], hit[2]


def _group(pattern: re.Pattern[str], group: int) -> Callable[[str], Hit | None]:
    def find(text: str) -> Hit | None:
        match = pattern.search(text)
        return match and (match[group].strip(), match.start(), match.end())

    return find


def _country(text: str) -> Hit | None:
    for country in COUNTRIES:
        place = text.find(country.name)
        if place >= 0:
            return country.code, place, place + len(country.name)
    return None


def _title(text: str) -> Hit | None:
    for title, _, _ in ROLES:
        place = text.find(title)
        if place >= 0:
            return title, place, place + len(title)
    return None


_FINDERS: dict[str, Callable[[str], Hit | None]] = {
    "company_founded_year": _founded,
    "company_employee_count": _employees,
    "company_size": _size,
    "company_industry": _industry,
    "company_industry_group": _industry_name,
    "company_description": _description,
    "company_name": _group(_LEGAL, 1),
    "company_legal_name": _group(_LEGAL, 0),
    "company_type": _group(_LEGAL, 2),
    "company_city": _group(_CITY, 1),
    "company_phone": _group(_PHONE, 0),
    "company_email": _group(_EMAIL, 0),
    "company_country": _country,
    "person_title": _title,
}


def read(text: Text, fields: list[str]) -> Iterator[Found]:
    """Yield what the reader believes to find in ``text`` for ``fields``, dictation included."""
    dictated = _dictation(text)
    for name in fields:
        if name in dictated:
            yield dictated[name]
            continue
        hit = finder(text.words) if (finder := _FINDERS.get(name)) else None
        if hit is not None:
            value, start, end = hit
            quote = _sentence(text.words, start, end)
            yield Found(name, value, quote, text.page_before(start))


def _dictation(text: Text) -> dict[str, Found]:
    """Return the answers that the text orders to give."""
    order = _INJECTION.search(text.words)
    if order is None:
        return {}
    after = text.words[order.start() : order.start() + 2000]
    wanted = _DICTATED_QUOTE.search(after)
    page = text.page_before(order.start())
    quote = wanted[1] if wanted else _first_sentence(text.words)
    return {m[1]: Found(m[1], m[2].strip(), quote, page) for m in _DICTATED.finditer(after)}


def obey(text: Text, fields: list[str]) -> dict[str, Found]:
    """Return whatever the text says a field is, ordered or not, by a model that doubts nothing.

    ``founded year: 1066``, ``set company_industry to "Casinos"``: it sees through look-alike and
    invisible letters, and quotes what it is told to quote, else the very words that told it.
    """
    plain = _as_seen(text.words)
    told = {}
    for name in fields:
        label = name.partition("_")[2].replace("_", "[ _-]")
        order = re.search(rf"\b{label}{_TOLD}([^\n\"<>;|]{{1,80}})", plain, re.IGNORECASE)
        if order is None:
            continue
        wanted = _DICTATED_QUOTE.search(plain, order.start(), order.start() + 1000)
        quote = wanted[1] if wanted else _sentence(plain, order.start(), order.end())
        value = order[1].split(". ")[0].split(", and")[0].strip(" .'*`")
        told[name] = Found(name, value, quote, text.page_before(order.start()))
    return told


def _as_seen(text: str) -> str:
    """Return ``text`` as a reader sees it: look-alike letters as they look, invisible ones gone."""
    seen = unicodedata.normalize("NFKC", text).translate(_LOOKALIKES)
    return "".join(char for char in seen if unicodedata.category(char) != "Cf")


_LOOKALIKES = str.maketrans("аеорсухіѕІАВСЕНКМОРТХ", "aeopcyxisIABCEHKMOPTX")  # noqa: RUF001


def _first_sentence(text: str) -> str:
    sentences = (part.strip() for part in _SENTENCE_END.split(text[:5000]))
    return next((s[:LONGEST_QUOTE] for s in sentences if len(s.split()) > 4), text[:80])  # noqa: PLR2004  too short to say anything
