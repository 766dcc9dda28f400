"""Countries: any code or name to ISO 3166-1 alpha-2, by table and never by guess."""

from collections.abc import Mapping
from functools import cache

import pycountry

from glaze.model.text import fold

_ALIASES: Mapping[str, str] = {
    **dict.fromkeys(("usa", "us", "united states of america", "america", "estados unidos"), "US"),
    **dict.fromkeys(("etats unis", "vereinigte staaten", "stati uniti", "verenigde staten"), "US"),
    **dict.fromkeys(("uk", "great britain", "britain", "england", "scotland", "wales"), "GB"),
    **dict.fromkeys(("northern ireland", "grossbritannien", "vereinigtes konigreich"), "GB"),
    **dict.fromkeys(("royaume uni", "reino unido", "regno unito"), "GB"),
    **dict.fromkeys(("deutschland", "allemagne", "alemania", "germania", "duitsland"), "DE"),
    **dict.fromkeys(("federal republic of germany", "brd", "alemanha"), "DE"),
    **dict.fromkeys(("schweiz", "suisse", "svizzera", "suiza", "zwitserland"), "CH"),
    **dict.fromkeys(("osterreich", "autriche", "oostenrijk"), "AT"),
    **dict.fromkeys(("frankreich", "francia", "frankrijk"), "FR"),
    **dict.fromkeys(("espana", "spanien", "espagne", "spagna", "spanje"), "ES"),
    **dict.fromkeys(("italia", "italien", "italie"), "IT"),
    **dict.fromkeys(("nederland", "niederlande", "pays bas", "holland", "the netherlands"), "NL"),
    **dict.fromkeys(("belgie", "belgique", "belgien", "belgio", "belgica"), "BE"),
    **dict.fromkeys(("polska", "polen", "pologne"), "PL"),
    **dict.fromkeys(("danmark", "danemark", "dinamarca"), "DK"),
    **dict.fromkeys(("sverige", "schweden", "suede", "suecia"), "SE"),
    **dict.fromkeys(("norge", "norwegen", "norvege", "noruega"), "NO"),
    **dict.fromkeys(("suomi", "finnland", "finlande", "finlandia"), "FI"),
    **dict.fromkeys(("brasil", "bresil", "brasilien"), "BR"),
    **dict.fromkeys(("mexiko", "mexique"), "MX"),
    **dict.fromkeys(("ceska republika", "cesko", "czech republic", "tschechien"), "CZ"),
    **dict.fromkeys(("slovensko", "slowakei"), "SK"),
    **dict.fromkeys(("magyarorszag", "ungarn"), "HU"),
    **dict.fromkeys(("eire", "republic of ireland", "irland"), "IE"),
    **dict.fromkeys(("turkey", "turkiye", "turkei"), "TR"),
    **dict.fromkeys(("russia", "rossiya"), "RU"),
    **dict.fromkeys(("south korea", "korea", "republic of korea"), "KR"),
    **dict.fromkeys(("nippon", "nihon"), "JP"),
    **dict.fromkeys(("prc", "mainland china", "peoples republic of china"), "CN"),
    **dict.fromkeys(("uae", "emirates"), "AE"),
    **dict.fromkeys(("ksa",), "SA"),
    **dict.fromkeys(("hellas", "ellada", "griechenland"), "GR"),
    **dict.fromkeys(("luxemburg",), "LU"),
    **dict.fromkeys(("bharat",), "IN"),
    **dict.fromkeys(("macedonia",), "MK"),
    **dict.fromkeys(("ivory coast",), "CI"),
    **dict.fromkeys(("cape verde",), "CV"),
    **dict.fromkeys(("swaziland",), "SZ"),
    **dict.fromkeys(("burma",), "MM"),
    **dict.fromkeys(("vatican", "holy see"), "VA"),
    **dict.fromkeys(("palestine",), "PS"),
    "el": "GR",  # the European Union's own code for Greece
    "hongkong": "HK",
    "roumanie": "RO",
    "romania": "RO",
    "rumanien": "RO",
    "hrvatska": "HR",
    "kroatien": "HR",
    "slovenija": "SI",
    "eesti": "EE",
    "latvija": "LV",
    "lietuva": "LT",
    "island": "IS",
}


@cache
def _index() -> Mapping[str, str]:
    exact: dict[str, str] = {}
    short: dict[str, set[str]] = {}  # "Bolivia" of "Bolivia, Plurinational State of"
    for country in pycountry.countries:
        names = (getattr(country, name, None) for name in ("name", "official_name", "common_name"))
        for word in (country.alpha_2, country.alpha_3, *filter(None, names)):
            exact[fold(word)] = country.alpha_2
            short.setdefault(fold(word.partition(",")[0]), set()).add(country.alpha_2)
    clear = {word: codes.pop() for word, codes in short.items() if len(codes) == 1}
    return {**clear, **exact, **_ALIASES}


def country_code(text: str) -> str:
    """Return the ISO 3166-1 alpha-2 code of a code or name (English, or a common native one).

    Raises: ValueError where the table does not hold it; nothing is guessed.
    """
    word = fold(text)
    found = _index().get(word) or _index().get(word.removeprefix("the "))
    if found is None:
        raise ValueError("not a country")
    return found


# Country domains that companies anywhere use for their sound or shortness.
_ANYONES = frozenset(
    "ai am cc cd co fm gg im in io la ly me ms mu nu sc sh so st tk to tv ws".split()
)


def country_of_domain(domain: str) -> str | None:
    """Return the country whose top-level domain this is, where that says something.

    >>> country_of_domain("acme.co.uk"), country_of_domain("acme.io")
    ('GB', None)
    """
    ending = domain.rpartition(".")[2]
    if ending in _ANYONES:
        return None
    code = "GB" if ending == "uk" else ending.upper()
    return code if pycountry.countries.get(alpha_2=code) else None


def subdivision_name(code: str) -> str | None:
    """Return the name of a state or region by its ISO 3166-2 code, None for no such code.

    >>> subdivision_name("US-CA"), subdivision_name("nowhere")
    ('California', None)
    """
    return _subdivisions().get(code.upper())


@cache
def _subdivisions() -> Mapping[str, str]:
    return {one.code: one.name for one in pycountry.subdivisions}
