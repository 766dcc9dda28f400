"""Which country a page speaks from: its address, its domain, its language, its words."""

import re
from collections import Counter
from functools import lru_cache

from glaze.model.country import country_code, country_of_domain
from glaze.providers.website.document import Document

_LANGUAGES = {
    **dict(
        zip(
            [
                "de",
                "fr",
                "it",
                "es",
                "nl",
                "pt",
                "pl",
                "sv",
                "da",
                "nb",
                "no",
                "fi",
                "cs",
                "sk",
                "hu",
                "ja",
                "ko",
            ],
            [
                "DE",
                "FR",
                "IT",
                "ES",
                "NL",
                "PT",
                "PL",
                "SE",
                "DK",
                "NO",
                "NO",
                "FI",
                "CZ",
                "SK",
                "HU",
                "JP",
                "KR",
            ],
            strict=True,
        )
    ),
    **dict(
        zip(
            ["zh", "tr", "el", "ro", "bg", "hr", "sl", "et", "lv", "lt", "uk", "ru", "he", "en"],
            ["CN", "TR", "GR", "RO", "BG", "HR", "SI", "EE", "LV", "LT", "UA", "RU", "IL", "US"],
            strict=True,
        )
    ),
}
# Each looks back from its first digit, for a search leaps from digit to digit.
_UK_POSTCODE = re.compile(r"\d(?<=[A-Z]\d)[A-Z\d]? ?\d[ABD-HJLNP-UW-Z]{2}\b")
_US_ZIP = re.compile(r"\d(?:(?<=[A-Z]{2} \d)|(?<=[A-Z]{2}[.,] \d)|(?<=[A-Z]{2}\., \d))\d{4}\b")
_NAME_MIN, _NAME_MAX = 4, 24  # a country alone on its line, as addresses end
_MOST_TEXT = 40_000
_INDIA = {"in": "IN"}


def guess_country(document: Document, stated: str | None) -> str:
    """Return the most likely country as ISO alpha-2: what is stated, then what hints at it.

    Numbers and addresses without a country are read in it; without any hint it is the US.
    """
    if stated:
        return stated
    # Companies anywhere use "in", but those whose numbers have no country code are in India.
    if found := country_of_domain(document.host) or _INDIA.get(document.host.rpartition(".")[2]):
        return found
    language, _, region = document.language.replace("_", "-").partition("-")
    if region[:2].isalpha() and len(region) == 2:  # noqa: PLR2004  ISO alpha-2
        try:
            regional = country_code(region)
        except ValueError:
            regional = ""
        if regional not in {"", "US"}:  # en-US is what every template starts with
            return regional
    if (found := _LANGUAGES.get(language, "US")) != "US":
        return found
    return _from_words(document) if language else _spoken(document) or _from_words(document)


_FREQUENT = {  # the commonest words tell a page's language where it does not
    "US": "the and of our with",
    "DE": "und der die für mit",
    "FR": "les des est pour nous",
    "ES": "los las el para por",
    "IT": "della per che sono di",
    "NL": "het een voor wij van",
    "PT": "os para uma com do",
    "PL": "oraz na się jest do",
}
_MIN_WORDS = 12


def _spoken(document: Document) -> str | None:
    counts = Counter(" ".join(document.lines[:150])[:20_000].lower().split())
    votes = {land: sum(counts[word] for word in words.split()) for land, words in _FREQUENT.items()}
    best = max(votes, key=lambda land: votes[land])
    return best if best != "US" and votes[best] >= max(_MIN_WORDS, 2 * votes["US"]) else None


def _from_words(document: Document) -> str:
    text = document.figures.text[:_MOST_TEXT]
    british, american = len(_UK_POSTCODE.findall(text)), len(_US_ZIP.findall(text))
    if british or american:
        return "GB" if british > american else "US"
    named = {
        code
        for line in document.lines
        if _NAME_MIN <= len(line) <= _NAME_MAX and (code := _country_named(line))
    }
    return named.pop() if len(named) == 1 else "US"


@lru_cache(maxsize=16_384)
def _country_named(line: str) -> str | None:
    try:
        return country_code(line.strip(" .,"))
    except ValueError:
        return None
