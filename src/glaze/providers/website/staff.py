"""How many people a page says the company has."""

import re
from collections.abc import Iterator
from typing import NamedTuple

STAFF_WORDS = tuple(
    word.encode()
    for word in (
        *(
            "employ",
            "Employ",
            "EMPLOY",
            "taff",
            "eam of",
            "eam m",
            "orkforce",
            "eadcount",
            "itarbeit",
        ),
        *(
            "eschäftigte",
            "ollabor",
            "alarié",
            "mplead",
            "ipend",
            "edewerkers",
            "racowni",
            "nställda",
        ),
        *("nsatte", "uncion", "strong team", "従業員"),
    )
)
"""What stands in every line that states a number of staff."""
_ABOUT = (
    r"(?:(?:over|more than|about|around|some|approximately|nearly|almost|up to|über|mehr als|rund"
    r"|ca\.?|etwa|plus de|environ|más de|oltre|circa|meer dan|ruim|mais de|około|ponad) )?"
)
_COUNT = r"(?P<count>\d{1,3}(?:[,.\u202f \u2019']\d{3})+|\d{1,6})\+?"
_RANGE = re.compile(
    r"(?<![\d.,])(?P<low>\d{1,3}(?:,\d{3})*)\s?(?:[-\u2013]|to)\s?(?P<high>\d{1,3}(?:,\d{3})*)\s+"
    r"(?:employees|staff|Mitarbeiter\w*|employés|empleados|dipendenti|medewerkers)\b",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    rf"(?<![\d.,\u2013-]){_COUNT}\s+(?:full[- ]time |dedicated |talented |skilled )?(?:employees|staff members"
    r"|team members|Mitarbeiter(?:innen|\w{0,12})|Mitarbeitende\w*|Beschäftigte\w*|collaborateurs|salariés|employés"
    r"|empleados|colaboradores|dipendenti|medewerkers|pracowników|anställda|ansatte|funcionários)\b"
    rf"|\b(?:employs|employing|workforce of|headcount of|staff of) {_ABOUT}"
    r"(?P<led>\d{1,3}(?:,\d{3})+|\d{1,6})\+?(?! ?%)\b"
    rf"|\bteam of {_ABOUT}(?P<team>\d{{1,3}}(?:,\d{{3}})+|\d{{1,6}})\+? (?:people|professionals|experts|employees)\b"
    r"|\b(?P<strong>\d{1,5})[- ]strong team\b",
    re.IGNORECASE,
)
# Of the companies that a product is for, or that answered a survey.
_OF_OTHERS = re.compile(
    r"\b(?:companies|businesses|organi[sz]ations|firms|teams|customers|clients|employers|enterprises"
    r"|Unternehmen mit|Betriebe\w* mit|entreprises d[e']|plans?|per)\b[^.]{0,30}$",
    re.IGNORECASE,
)
_JAPANESE = re.compile(r"従業員数?[\s:\uff1a]*約?(\d[\d,]*)\s?[名人]")


class Staff(NamedTuple):
    """A number of people: ``size`` where a range is stated, else ``number``."""

    number: str = ""
    size: str = ""


def staff_in(line: str) -> Iterator[Staff]:
    """Yield the numbers of people that a line states of the company.

    >>> [*staff_in("We are a company of 51-200 employees.")], [*staff_in("employs over 1,200 people")]
    ([Staff(number='', size='51-200')], [Staff(number='1200', size='')])
    """
    ranges = _own(_RANGE.finditer(line), line)
    for found in ranges:
        low, high = (found[name].replace(",", "") for name in ("low", "high"))
        yield Staff(size=f"{low}-{high}")
    for found in () if ranges else _own(_COUNTED.finditer(line), line):
        yield Staff(_digits(next(filter(None, found.groups()))))
    for found in _JAPANESE.finditer(line):
        yield Staff(_digits(found[1]))


def _own(matches: Iterator[re.Match[str]], line: str) -> list[re.Match[str]]:
    return [one for one in matches if not _OF_OTHERS.search(line, 0, one.start())]


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))
