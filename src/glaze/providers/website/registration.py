"""Numbers in national registers, as imprints and footers state them behind their labels."""

import re
from collections.abc import Iterator

REGISTER_WORDS = tuple(
    word.encode()
    for word in (
        *(
            "HRB",
            "HRA",
            "FN ",
            "SIRE",
            "RCS ",
            "KvK",
            "KVK",
            "kvk",
            "K.v.K",
            "ABN",
            "ACN",
            "CVR",
            "Org.",
        ),
        *(
            "Organisationsn",
            "KRS",
            "REA",
            "法人番号",
            "ompany N",
            "ompany n",
            "ompany R",
            "ompany r",
        ),
        *("ompanies House", "COMPANY N", "egistered", "egistration", "REGISTER", "Reg. ", "egd"),
    )
)
"""What stands in every line that states a register number."""
_NO = r"\W{0,3}(?:(?:no|nr|num(?:ber|mer)?|n[°o\u00ba])\b)?[\s.:#\u00b0\u00ba\uff1a]{0,4}"
_ENGLISH = re.compile(
    r"(?:(?:company|companies house)(?: reg(?:istration|istered)?\.?)?|reg(?:istration|istered|d)?\.?(?: company)?"
    r"|registered in (?:england|scotland|wales|northern ireland|the uk)[\w &,]{0,30}?"
    r"(?:under |with )?(?:company |registration )?)"
    r"\s?\(?(?:no|nr|number)[\s.:#]{1,4}"
    r"(?P<number>(?:SC|NI|OC|SO|NC)\d{6}|0\d{7}|1\d{7}|[1-9]\d{6})\b",
    re.IGNORECASE,
)
_LABELLED: tuple[tuple[str, re.Pattern[str]], ...] = tuple(  # what goes before the number; where
    (kept, re.compile(pattern))
    for kept, pattern in (
        ("", r"\b(?P<number>HR[AB]\s?(?:-?(?:Nr|Nummer)\.?:?\s*)?\d{1,6}(?: ?[A-Z]{1,2}\b)?)"),
        ("FN", r"\bFN\s?(?P<number>\d{5,6} ?[a-z])\b"),
        ("", rf"\bSIREN{_NO}(?P<number>\d{{3}} ?\d{{3}} ?\d{{3}})\b"),
        ("", rf"\bSIRET{_NO}(?P<number>\d{{3}} ?\d{{3}} ?\d{{3}}) ?\d{{5}}\b"),
        ("", rf"\bRCS(?: [A-ZÀ-Ý][\w'-]{{1,20}}){{0,3}}(?: [AB])?{_NO}(?P<number>\d{{3}} ?\d{{3}} ?\d{{3}})\b"),
        ("", r"(?i:\bk\.?v\.?k\.?(?:[- ]?(?:nummer|number|nr\.?|no\.?))?)[\s.:]{0,4}(?P<number>\d{8})\b"),
        ("", r"\bA(?:BN|CN)[\s.:]{0,4}(?P<number>\d{2,3}(?: ?\d{3}){2,3})\b"),
        ("", r"\bCVR(?i:[-. ]{0,2}(?:nr|nummer|no))?[\s.:]{0,4}(?P<number>\d{2} ?\d{2} ?\d{2} ?\d{2})\b"),
        ("", r"\b[Oo]rg(?:anisations)?[. -]{0,2}(?i:nr|nummer|no)[\s.:]{0,4}(?P<number>\d{6}-\d{4}|\d{3} ?\d{3} ?\d{3})\b"),
        ("", rf"\bKRS{_NO}(?P<number>\d{{10}})\b"),
        ("", r"\bREA[\s.:n°]{0,5}(?P<number>[A-Z]{2} ?[-\u2013]? ?\d{5,7})\b"),
        ("", r"法人番号[\s:\uff1a]{0,3}(?P<number>\d{13})\b"),
    )
)  # fmt: skip
_NUMBER_WORD = re.compile(r"-?(?:Nr|Nummer)\.?:?", re.IGNORECASE)


def registration_numbers(line: str) -> Iterator[str]:
    """Yield the register numbers in a line, with the letters that belong to them (HRB, FN).

    >>> [*registration_numbers("Amtsgericht München, HRB 123456")]
    ['HRB 123456']
    """
    for match in _ENGLISH.finditer(line):
        yield match["number"].upper()
    for kept, pattern in _LABELLED:
        for match in pattern.finditer(line):
            number = _NUMBER_WORD.sub(" ", match["number"]).replace("\u2013", "-")
            yield " ".join(f"{kept} {number}".split())
