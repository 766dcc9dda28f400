"""Names of people and companies: split, repaired and made comparable."""

# ruff: noqa: PLR2004  word tables read best as text; numbers of words speak for themselves

import re
from functools import lru_cache

from glaze.model.text import fold

_LEGAL_FORMS = frozenset(
    """
    inc incorporated llc llp lp ltd limited corp corporation co company plc pbc pllc pc gmbh mbh ag
    kg kgaa ohg gbr ug ev eg se sa sas sasu sarl eurl snc srl spa srls sapa sl slu sau sae sca
    scop bv nv cv vof bvba ab hb kb as asa ans aps oy oyj oü ou as uab sia zrt kft bt nyrt doo dd
    ad ead eood ood sro spol spzoo sp zoo sk pty proprietary pte pvt private sdn bhd kk gk yk jsc
    ojsc cjsc pjsc ooo oao zao pao tov ltda lda eireli me sapi rl de cv holding holdings group
    """.split()
) - {"de", "me"}
_SHORT_FORMS = {
    "limited": "ltd",
    "incorporated": "inc",
    "corporation": "corp",
    "company": "co",
    "private": "pvt",
    "proprietary": "pty",
}
_LONGEST_END = 40  # characters: a legal form with its dots, and a part of the word before it
_ENTITY_WORDS = re.compile(r"\b(?:sp z o o|s r o|s a de c v|sa de cv|s de rl de cv|& co|und co)\b")
_ENDS_IN_LETTERS = re.compile(r" (?:sp z o o|s r o|s a de c v|sa de cv|s de rl de cv|a s|d o o)$")

_HONORIFICS = frozenset(
    "mr mrs ms miss mx dr prof professor sir dame herr frau dipl ing mag med rer nat hc".split()
)
_SUFFIXES = frozenset(
    "jr sr ii iii iv phd md mba cpa esq msc bsc ma dds cfa pmp jd llm rn pe".split()
)
_PARTICLES = frozenset(
    "van von der den de da das do dos di del della du des la le el al bin ibn ter ten zu zur af"
    " av dal lo y e".split()
)


@lru_cache(maxsize=8192)
def company_key(name: str) -> str:
    """Return a company name for comparison: folded, without legal form and a leading "the".

    >>> company_key("The Acme Widgets Co., Ltd.") == company_key("ACME Widgets")
    True
    """
    return " ".join(_parts(name)[0])


def legal_form(name: str) -> str:
    """Return the legal form that a company name ends in, "" where it has none.

    >>> legal_form("Acme Widgets Limited") == legal_form("ACME WIDGETS LTD.") == "ltd"
    True
    """
    words = _parts(name)[1]
    return " ".join(_SHORT_FORMS.get(word, word) for word in words if word != "and")


def _parts(name: str) -> tuple[list[str], list[str]]:
    """Return the words of a company name and those of its legal form, folded."""
    folded = _ENTITY_WORDS.sub(" ", fold(name.replace("&", " and ")))
    words = folded.split()
    if words[:1] == ["the"] and len(words) > 1:
        words = words[1:]
    end = len(words)
    while end > 1 and (words[end - 1] in _LEGAL_FORMS or words[end - 1] == "and"):
        end -= 1
    return words[:end], words[end:]


@lru_cache(maxsize=8192)
def has_legal_form(name: str) -> bool:
    """Tell whether a name ends in a legal form ("Acme GmbH"): it is a company's, then."""
    folded = fold(name[-_LONGEST_END:])
    words = folded.split()
    if len(words) > 1 and words[-1] in _LEGAL_FORMS:
        return True
    return bool(_ENDS_IN_LETTERS.search(folded))


def person_key(name: str) -> str:
    """Return a person's name for comparison: first and last name, folded, no titles."""
    first, last = split_name(name)
    return fold(f"{first or ''} {last or ''}") or fold(name)


def split_name(full: str) -> tuple[str | None, str | None]:
    """Return (given name, family name); both None where the name is a single word.

    Titles and suffixes go; "Doe, Jane" is turned; particles stay with the family name; names in
    between belong to neither.

    >>> split_name("Dr. Maria Elena de la Cruz, PhD")
    ('Maria', 'de la Cruz')
    """
    head, comma, tail = full.partition(",")
    if comma and not all(_bare(word) in _SUFFIXES for word in tail.replace(",", " ").split()):
        full = f"{tail} {head}"
    words = full.replace(",", " ").split()
    while len(words) > 1 and _bare(words[0]) in _HONORIFICS:
        words = words[1:]
    while len(words) > 2 and _bare(words[-1]) in _SUFFIXES:
        words = words[:-1]
    if len(words) < 2:
        return None, None
    start = len(words) - 1
    while start > 1 and _bare(words[start - 1]) in _PARTICLES:
        start -= 1
    return words[0], " ".join(words[start:])


def _bare(word: str) -> str:
    return word.strip(".,()").replace(".", "").casefold()


def repair_case(name: str) -> str:
    """Return a person's name in mixed case where it came in capitals or small letters only.

    >>> repair_case("JANE O'NEIL-MCDONALD"), repair_case("vincent van gogh")
    ("Jane O'Neil-McDonald", 'Vincent van Gogh')
    """
    letters = [c for c in name if c.isalpha()]
    if len(letters) < 3 or not (name.isupper() or name.islower()):
        return name
    return " ".join(
        word.lower() if place and word.lower() in _PARTICLES else _capital(word.lower())
        for place, word in enumerate(name.split(" "))
    )


def _capital(word: str) -> str:
    parts = re.split(r"([-'\u2019.])", word)
    shown = "".join(part[:1].upper() + part[1:] for part in parts)
    return re.sub(r"\bMc([a-z])(?=[a-z])", lambda m: f"Mc{m[1].upper()}", shown)
