"""What the words around a number say it is: a phone, a fax, or the number of something else."""

# ruff: noqa: RUF001  in the alphabets of their languages

import re
from collections.abc import Sequence
from enum import Enum, auto

_FAX_WORD = (
    r"(?:tele)?fax(?:es)?|facsimile|t[ée]l[ée]copie(?:ur)?|telefaks|faks[ui]?|факс|φαξ|팩스|ファッ?クス"
    r"|传真|傳真"
)
_FAX = re.compile(
    rf"(?:\bf|(?:\b|(?<=\d))(?:{_FAX_WORD})|ファッ?クス|传真|傳真|팩스)"
    r"(?:\s?(?:no|number|nr|line)\.?)?(?: is)?[\s.:#)\]]*(?:\+|\()?$",
    re.IGNORECASE,
)
_PHONE_AND_FAX = re.compile(r"(?:tel|ph|phone)\w*\.?\s*[/&+]\s*\S{0,4}fax", re.IGNORECASE)
_PHONE = re.compile(
    r"(?:\b(?:tele)?(?:ph(?:one)?|fon|fono|foon)s?|\btel\w{0,6}|\bt[ée]l(?:[ée]phone)?|\bcall(?: us)?(?: (?:at|on|now|today))?"
    r"|\bmob(?:ile?)?|\bcell|\bhandy|\bmobil|\bhotline|\bvoice|\btoll[- ]?free|\bfree ?phone|\bdirect|\boffice|\bmain"
    r"|\btlf\w{0,4}\.?(?: ?\w{4,12})?|\b[ptm]|\bwhatsapp|\bsms|\btext|\bring|\bcontact(?: us)?(?: (?:at|on))?"
    r"|\bpuh(?:elin)?|\bтел\w{0,5}|\bτηλ\w{0,6}|전화(?:번호)?|電話(?:番号)?|电话|☎|☏|\U0001f4de)"
    r"(?:\s?(?:no|number|nr|us|line|anfragen)\.?)?(?: is)?[\s.:#)\]/|]*(?:\+|\()?$",
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
# "212-736-5009 (fax)", "... - Fax"; not "... Fax: 212-736-5009", which names the next number.
_FAX_BEHIND = re.compile(
    rf"\s?(?:[-\u2013\u2014,]\s?)?[(\[]?\s?(?:{_FAX_WORD})\b\s?(?:[)\]]|[;,|\u2022]|$)"
    r"(?!\s*\(?\+?\d)",
    re.IGNORECASE,
)
_BEFORE = 45
_LABEL_ONLY = 28  # characters; a line that is nothing but a label speaks for the next line
_MOST_COLUMNS = 4
_DIGITS = re.compile(r"\d\D?\d\D?\d\D?\d\D?\d")
_BARE_NUMBER = re.compile(r"[+(]{0,2}\d[\d\s().\u2010-\u2015/-]{5,24}")


class Said(Enum):
    """What a label makes of the number that it stands at."""

    PHONE = auto()
    FAX = auto()
    OTHER = auto()
    NOTHING = auto()


def said_of(line: str, start: int, end: int, above: str) -> Said:
    """Return what is said of the number at ``line[start:end]``.

    ``above`` speaks for a number that begins its line; see ``label_above``.
    """
    label = line[max(0, start - _BEFORE) : start] or above
    if _FAX_BEHIND.match(line, end):
        return Said.FAX
    if _FAX.search(label) and not _PHONE_AND_FAX.search(label):
        return Said.FAX
    if _PHONE.search(label):
        return Said.PHONE
    return Said.OTHER if _OTHER_NUMBER.search(label) else Said.NOTHING


def is_fax(text: str) -> bool:
    """Tell whether ``text``, what a link shows, ends in a word for a fax."""
    return bool(_FAX.search(text))


def label_above(lines: Sequence[str], place: int) -> str:
    """Return the label that stands above a number, "" where there is none.

    That is the line before it, or the heading of its column: where "Phone" and "Fax" come first
    and then their numbers, each number has the label of its turn.
    """
    above = lines[place - 1] if place else ""
    if len(above) > _LABEL_ONLY:
        return ""
    if _BARE_NUMBER.fullmatch(lines[place]):
        heading = _column(lines, place)
        if heading:
            return heading
    # "212-736-5009 (fax)" is about itself; "212-736-5000 Fax:" is about what follows.
    return above if above.endswith(":") or not _DIGITS.search(above) else ""


def _column(lines: Sequence[str], place: int) -> str:
    """Return the heading of the number at ``place`` in a table that is written row by row."""
    first = place
    while first and place - first < _MOST_COLUMNS and _BARE_NUMBER.fullmatch(lines[first - 1]):
        first -= 1
    top = first
    while top and first - top < _MOST_COLUMNS and _is_label(lines[top - 1]):
        top -= 1
    headings = lines[top:first]
    row = lines[first : first + len(headings)]
    turn = place - first
    if len(headings) < 2 or turn >= len(row):  # noqa: PLR2004  one heading is the line above
        return ""
    return headings[turn] if all(map(_BARE_NUMBER.fullmatch, row)) else ""


def _is_label(line: str) -> bool:
    return len(line) <= _LABEL_ONLY and bool(_FAX.search(line) or _PHONE.search(line))
