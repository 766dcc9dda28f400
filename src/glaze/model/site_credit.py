"""Where a page credits the maker of the site: what stands behind it is the maker's."""

import re

_CREDIT = re.compile(
    r"(?:web ?site|web ?page|site|web ?design|page|theme|template|crafted|hosted|hosting|built"
    r"|designed|design|developed|powered|maintained|made|created)(?: (?:design|development|and"
    r"|&|designed|developed|hosted|maintained|created|built|made|with \S{1,3}|♥))*"
    r" by\b"
    r"|\bweb ?design(?:er)?\s?[:|]|\b(?:webdesign|umsetzung|programmierung|realisierung)\b.{0,25}?"
    r"(?:[:|]|\b(?:von|durch|by)\b)"
    r"|\b(?:r[ée]alis(?:ation|[ée])|conception|cr[ée]ation)\b.{0,15}?(?::|\b(?:site|web|par)\b)"
    r"|\b(?:realizzazione|realizzato|sviluppo|progetto)\b.{0,15}?(?::|\b(?:siti?|web|da)\b)"
    r"|\b(?:dise[ñn]o|desarrollo)\b.{0,12}?(?::|\b(?:web|por)\b)"
    r"|\b(?:website|webdesign|realisatie|ontwerp)\b.{0,12}?(?::|\bdoor\b)|(?:制作|製作)\s?[:\uff1a]"
)
_FIRST_WORDS = re.compile(
    "by|design|umsetz|programm|r[ée]ali|conception|cr[ée]ation|sviluppo|progetto|dise|desarr|ontwerp"
    "|door|作"
)


def credit_start(line: str) -> int:
    """Return where the credit of the site's maker begins in ``line``, its length without one."""
    lower = line.lower()
    if not _FIRST_WORDS.search(lower):
        return len(line)
    found = _CREDIT.search(lower)
    return min(found.start(), len(line)) if found else len(line)


def without_credits(text: str) -> str:
    """Return ``text`` with each line cut where the credit of the site's maker begins."""
    return "\n".join(line[: credit_start(line)] for line in text.splitlines())


def credits_maker(text: str) -> bool:
    """Tell whether ``text``, a link's own, credits the maker of the site ("Site by Pixelhut")."""
    return credit_start(text) < len(text)
