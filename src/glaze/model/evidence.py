"""Whether a quote stands on a page and supports a value: what an inferred value must pass (E11)."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping

import phonenumbers

from glaze.model.field import FieldType, known_field
from glaze.model.normalise import Invalid, normalise
from glaze.model.quantity import usd
from glaze.model.text import fold
from glaze.model.value import FieldName, Json

LEAST_WEIGHT = 8
"""The shortest quote that means something: 8 letters or digits, or 4 ideographs."""
LONGEST_QUOTE = 600
"""A longer quote proves nothing: it is the page."""
_STEM = 5  # letters that two forms of a word share: develop, developer, development

_SAME = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff", None),
    }
)

# A number is only what it is called: without such a word a copyright year would be a foundation.
_FOUNDED = re.compile(
    r"found|establish|since|started|start of|incorporat|inception|born in|history|launched|est\.?\s"
    r"|gegründet|gründung|seit|bestehen|fond[éea]|créé|depuis|création|fundad|desde|fundaci|creada"
    r"|dal |dal\b|nata nel|nasce|opgericht|sinds|gestart|założon|od roku|založen|grundad|grunnlagt"
    r"|stiftet|perustettu|設立|創業|創立|成立|основан",
    re.IGNORECASE,
)
_HEADCOUNT = re.compile(
    r"employ|staff|people|person|team|colleague|workforce|headcount|specialist|expert|engineer"
    r"|professional|mitarbeit|beschäftigt|kolleg|salari|collaborat|effectif|emplead|plantilla"
    r"|dipendent|addett|medewerk|collega|anställd|ansatte|medarbejd|pracown|zaměstnan|työntekij"
    r"|従業員|社員|\d\s*名|员工|сотрудник",
    re.IGNORECASE,
)
_DOLLARS = re.compile(r"\$|\busd\b|dollar", re.IGNORECASE)
_NUMBER = re.compile(r"\d[\d.,'\u2019\s]*\d|\d")
_MONEY = re.compile(
    r"\d[\d.,]*\s*(?:k|m|mm|mn|mio|million|b|bn|billion|t|trillion|thousand)?\b", re.IGNORECASE
)
_IDEOGRAPH = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_INSIDE_NUMBER = re.compile(r"\d[.,' ]\d")
_HOST_MARK = re.compile(r"https?://(?:www\.)?|www\.", re.IGNORECASE)
_SHORTEST_COUNTRY = 4  # letters: "IT" and "in" are words
_SHORT_COUNTRIES = frozenset(
    {"USA", "UK", "UAE", "U.S.", "U.S.A.", "U.K.", "日本", "中国", "韩国", "한국"}
)
_CLASSES = frozenset({"company_industry", "company_type", "person_department"})


def as_read(text: str) -> str:
    """Return ``text`` in the form in which quotes are compared: NFKC, plain marks, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(_SAME).split())


def find_quote(quote: str, page: str) -> str | None:
    """Return ``quote`` as it stands in ``page``, None where it does not or means too little.

    Both are compared by ``as_read``, case included, and the quote must not begin or end within a
    word. It must weigh at least ``LEAST_WEIGHT`` and be no longer than ``LONGEST_QUOTE``.
    """
    wanted, text = as_read(quote), as_read(page)
    if len(wanted) > LONGEST_QUOTE or _weight(wanted) < LEAST_WEIGHT:
        return None
    start = text.find(wanted)
    while start >= 0:
        if _is_whole(text, start, start + len(wanted)):
            return wanted
        start = text.find(wanted, start + 1)
    return None


def _weight(text: str) -> int:
    return sum(1 + bool(_IDEOGRAPH.match(char)) for char in text if char.isalnum())


def _is_whole(text: str, start: int, end: int) -> bool:
    """Tell whether a passage begins and ends between words."""
    return not (_joined(text, start) or _joined(text, end))


def _joined(text: str, place: int) -> bool:
    """Tell whether ``place`` is inside a word, or inside a number such as 1,200 or 1 200."""
    if not 0 < place < len(text):
        return False
    if _INSIDE_NUMBER.match(text, max(0, place - 2)) or _INSIDE_NUMBER.match(text, place - 1):
        return True
    pair = text[place - 1 : place + 1]
    return all(char.isalnum() and not _IDEOGRAPH.match(char) for char in pair)


def supports(field: FieldName, value: Json, quote: str) -> bool:
    """Tell whether ``quote`` states ``value``, which is in the canonical form of ``field``.

    - Numbers: the same number stands there, beside a word that says what is counted (employees,
      founded), or dollars.
    - Phone, email, URL, domain, code: the same characters, however they are punctuated.
    - Country: its name or an unmistakable code.
    - Classifications (industry, type, department): at least half of the value's words share
      their stem with a word of the quote, and no fewer than one.
    - Every other text: each of its words stands there.
    """
    rule = _RULES.get(known_field(field).type)
    if rule is None:
        return False
    text = as_read(quote)
    if field in _CLASSES:
        return isinstance(value, str) and _shares_stems(value, text)
    return rule(field, value, text)


def _number(field: FieldName, value: Json, quote: str) -> bool:
    cue = _FOUNDED if known_field(field).type is FieldType.YEAR else _HEADCOUNT
    return bool(cue.search(quote)) and value in _values(field, _numbers(quote))


def _numbers(quote: str) -> Iterator[str]:
    for found in _NUMBER.findall(quote):
        yield found
        yield from found.split()


def _size(field: FieldName, value: Json, quote: str) -> bool:
    ranges = re.findall(r"\d[\d.,]*\s*(?:-|to|bis|à)\s*\d[\d.,]*|\d[\d.,]*\s*\+", quote)
    stated = [*ranges, *_numbers(quote)]
    return bool(_HEADCOUNT.search(quote)) and value in _values(field, stated)


def _money(_field: FieldName, value: Json, quote: str) -> bool:
    if not _DOLLARS.search(quote):
        return False
    return any(value == _usd(found) for found in _MONEY.findall(quote))


def _usd(text: str) -> int | None:
    try:
        return usd(text.strip())
    except ValueError:
        return None


def _country(field: FieldName, value: Json, quote: str) -> bool:
    words = [word.strip(",;:()\"'") for word in quote.split()]
    runs = (
        " ".join(words[start : start + length]).rstrip(".,")
        for length in range(1, 5)
        for start in range(len(words) - length + 1)
    )
    named = (run for run in runs if len(run) >= _SHORTEST_COUNTRY or run in _SHORT_COUNTRIES)
    return value in _values(field, named) or any(
        mark in quote and value in _values(field, [mark])
        for mark in _SHORT_COUNTRIES
        if _IDEOGRAPH.match(mark)
    )


def _values(field: FieldName, texts: Iterator[str] | list[str]) -> list[Json]:
    """Return the canonical values of the texts that are values of ``field`` at all."""
    found = []
    for text in texts:
        try:
            found.append(normalise(field, text))
        except Invalid:
            continue  # most words are no value
    return found


def _phone(_field: FieldName, value: Json, quote: str) -> bool:
    try:
        number = phonenumbers.parse(str(value), None)
    except phonenumbers.NumberParseException:
        return False
    national = phonenumbers.national_significant_number(number)
    digits = re.findall(r"\+?\(?\d[\d\s()./-]*\d", quote)
    return any(re.sub(r"\D", "", run).endswith(national) for run in digits)


def _address(_field: FieldName, value: Json, quote: str) -> bool:
    """Tell whether an email, domain or URL stands there as a whole, scheme and www. aside."""
    wanted = _HOST_MARK.sub("", str(value).lower()).rstrip("/")
    text = _HOST_MARK.sub("", quote.lower())
    return bool(re.search(rf"(?<![\w.@-]){re.escape(wanted)}(?![\w@-]|\.\w)", text))


def _domain(field: FieldName, value: Json, quote: str) -> bool:
    """A domain also stands in an email address or below a longer host name."""
    text = quote.lower()
    whole = rf"(?<![\w-]){re.escape(str(value).lower())}(?![\w-]|\.\w)"
    return bool(re.search(whole, text)) or _address(field, value, quote)


def _code(_field: FieldName, value: Json, quote: str) -> bool:
    wanted = re.sub(r"[^0-9A-Z]", "", str(value).upper())
    runs = (re.sub(r"[^0-9A-Z]", "", run.upper()) for run in _code_runs(quote))
    return bool(wanted) and wanted in runs


def _code_runs(quote: str) -> Iterator[str]:
    words = quote.split()
    for length in range(1, 6):
        for start in range(len(words) - length + 1):
            yield "".join(words[start : start + length])
            yield words[start].rpartition(":")[2]


def _text(_field: FieldName, value: Json, quote: str) -> bool:
    words = fold(str(value)).split()
    there = fold(quote)
    known = set(there.split())
    return bool(words) and all(
        word in known or (bool(_IDEOGRAPH.search(word)) and word in there) for word in words
    )


def _shares_stems(value: str, quote: str) -> bool:
    words = [word for word in fold(value).split() if word not in _EMPTY_WORDS]
    there = fold(quote)
    stems = {word[:_STEM] for word in there.split()}
    hits = sum(
        word[:_STEM] in stems or (bool(_IDEOGRAPH.search(word)) and word in there) for word in words
    )
    return hits > 0 and 2 * hits >= len(words)


_EMPTY_WORDS = frozenset(
    [
        "and",
        "or",
        "of",
        "the",
        "for",
        "in",
        "a",
        "an",
        "services",
        "service",
        "company",
        "companies",
        "industry",
        "und",
        "der",
        "die",
        "das",
        "et",
        "de",
        "la",
        "le",
        "y",
        "e",
        "di",
        "other",
    ]
)

_RULES: Mapping[FieldType, Callable[[FieldName, Json, str], bool]] = {
    FieldType.TEXT: _text,
    FieldType.EMAIL: _address,
    FieldType.PHONE: _phone,
    FieldType.URL: _address,
    FieldType.DOMAIN: _domain,
    FieldType.COUNTRY: _country,
    FieldType.YEAR: _number,
    FieldType.COUNT: _number,
    FieldType.SIZE: _size,
    FieldType.MONEY: _money,
    FieldType.CODE: _code,
}
