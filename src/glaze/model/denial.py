"""What a quote denies or tells of the past: words that occur, and state nothing (E11)."""

import re

_DENIES = (
    r"not|never|cannot|\w+n't|neither|nor|without|no longer|formerly|previously|former"
    r"|no(?=\s+[^\W\d]{2})"  # no offices, but No. 5
    r"|nicht|kein\w{0,2}|niemals|weder|ohne|ehemals|vormals|früher|frühere[rsn]?"
    r"|pas|jamais|ni|sans|anciennement|ancien(?:ne)?|nunca|tampoco|sin|não|sem"
    r"|non|mai|senza|niet|geen|nooit|zonder|voorheen"
)
_BUT_NOT = r"(?:only|just|merely|simply|nur|bloß|seulement|solo|sólo|solamente|soltanto|alleen|só)"
_DENIED = re.compile(
    rf"(?<![\w'-])(?:{_DENIES})(?![\w'-])(?!\s+{_BUT_NOT}\b)"
    # as far as the clause goes
    r".*?(?=[,;:!?)。]|\.(?:\s|$)|\s(?:but|sondern|mais|sino|ma|maar|mas)\s|$)",
    re.IGNORECASE,
)


def affirmed(quote: str) -> str:
    """Return ``quote`` without the clauses that deny something or tell what is over.

    >>> affirmed("Not founded in 1998, but in 2004")
    ';, but in 2004'
    """
    return _DENIED.sub(";", quote)
