"""What a sentence denies, supposes or tells of the past: words that state nothing (E11)."""

import re

# In small letters alone: what begins a name or a date with a capital (Mai Nguyen, 1. Mai).
_DENIES = (
    r"not|never|cannot|\w+n't|neither|nor|without|no longer|formerly|previously|former"
    r"|used to (?:be|have|live|work)"
    r"|no(?=\s+[^\W\d]{2})"  # no offices, but No. 5
    r"|nicht|kein\w{0,2}|niemals|weder|ohne|ehemals|vormals|früher|frühere[rsn]?"
    r"|pas|jamais|(?-i:ni)|sans|anciennement|ancien(?:ne)?|nunca|tampoco|(?-i:sin)|não|(?-i:sem)"
    r"|non|(?-i:mai)|senza|niet|geen|nooit|zonder|voorheen"
)
_BUT_NOT = r"(?:only|just|merely|simply|nur|bloß|seulement|solo|sólo|solamente|soltanto|alleen|só)"
_DENIED = re.compile(
    rf"(?<![\w'-])(?:{_DENIES})(?![\w'-])(?!\s+{_BUT_NOT}\b)"
    # as far as the clause goes
    r".*?(?=,(?!\d)|[;:!?)。]|\.(?:\s|$)|\s(?:but|sondern|mais|sino|ma|maar|mas)\s|$)",
    re.IGNORECASE,
)
_WHITHER = r"(?:to|for|nach|à|a|pour|para|vers)"
_LEFT = re.compile(
    r"(?<!\bthe )(?<!\bon )(?<![\w'-])(?:left|quitt\w+|dej(?:ó|amos|aron)"
    r"|(?:moved|relocated|d[ée]m[ée]nag\w+|traslad\w+)\b[^,;.!?]{0,40}?\b(?:from|de|desde)"
    r"|(?:zog|zogen|umzug)\b[^,;.!?]{0,40}?\b(?:von|aus))(?![\w'-])"
    rf".*?(?=,(?!\d)|[;:!?)。]|\.(?:\s|$)|\s(?:and|und|et|y)\s|\s{_WHITHER}\s+(?-i:[A-ZÀ-Þ])|$)"
    r"|\bvon\s[^,;.!?]{1,40}?(?=\snach\s[^,;.!?]{1,40}\s(?:um)?gezogen\b)"
    r"|(?<!\S)\S+ (?:verlassen|verließ(?:en)?)\b",
    re.IGNORECASE,
)


_SUPPOSED = re.compile(
    r"(?<![\w'-])(?:if|imagine|suppose|unless|whether|wenn|falls|ob|(?-i:[Ss]i(?=\s+[a-zß-ÿ])|[Ss]'il))\b"
    r".*?(?=,(?!\d)|[;:!?)。]|\.(?:\s|$)|$)"
    r"|(?<![\w'-])(?:(?:plan|aim|hope|intend|want|expect)\w{0,4} to|will (?:open|grow|employ|reach|move)"
    r"|(?:goal|target|ziel|objectif|objetivo)\s*(?:is\b|:|ist\b|est\b|es\b))"
    r".*?(?=,(?!\d)|[;!?)。]|\.(?:\s|$)|\s(?:and|und|et|y)\s|$)",
    re.IGNORECASE,
)
_QUESTION = re.compile(r"(?<![^.!?。])[^.!?。]+\?")


def denied(text: str) -> list[tuple[int, int]]:
    """Return the spans of ``text`` that deny something, or name what was left behind.

    >>> text = "Not founded in 1998, but in 2004"
    >>> [text[start:end] for start, end in denied(text)]
    ['Not founded in 1998']
    """
    return [found.span() for each in (_DENIED, _LEFT) for found in each.finditer(text)]


def supposed(text: str) -> list[tuple[int, int]]:
    """Return the spans of ``text`` that ask, suppose or plan something.

    >>> text = "We plan to have 500 people and are 50"
    >>> [text[start:end] for start, end in supposed(text)]
    ['plan to have 500 people']
    """
    return [found.span() for each in (_SUPPOSED, _QUESTION) for found in each.finditer(text)]
