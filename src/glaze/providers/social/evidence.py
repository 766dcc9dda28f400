"""Whether a page is somebody's profile: it must name them and show what only they would."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser

from glaze.model.names import company_key, person_key
from glaze.model.text import clean, fold

EXACT, CONTAINED = 85, 75
_LONGEST_QUOTE = 300
_METAS = "meta[property='og:title'], meta[name='twitter:title'], meta[property='og:description'], meta[name='description']"
_BETWEEN = re.compile(r"\s+[-–—|·•:/]\s+|\s*\(@|\s*\(|\s*\|\s*|\s+on\s+")  # noqa: RUF001  as titles have them


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose profile is looked for. Both a name and a mark of theirs must stand on the page.

    ``domain`` is the company's own, ``employer`` a company's name that counts as a mark of its
    people.
    """

    name: str
    is_person: bool
    domain: str = ""
    employer: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words of the page that name the subject, and how sure they make it (0 to 100)."""

    quote: str
    sure: int


def evidence(body: bytes, subject: Subject, *, proven: bool = False) -> Evidence | None:
    """Return what makes a page the subject's own profile, None where it may be anybody's.

    Args:
        body: The page, HTML in UTF-8.
        subject: Who is meant.
        proven: The address itself is the mark: a handle that is the subject's own domain.
    """
    text = body.decode("utf-8", "replace")
    said = _said(text)
    mark = "" if proven else _mark(text, said, subject)
    if mark is None:
        return None
    for words in said:
        if sure := _names(words, subject):
            quote = words if mark in words else f"{words} | {mark}"
            return Evidence(quote[:_LONGEST_QUOTE], sure)
    return None


def _said(text: str) -> list[str]:
    """Return title and descriptions, the title first."""
    page = LexborHTMLParser(text)
    title = page.css_first("title")
    found = [title.text()] if title is not None else []
    found += [node.attributes.get("content") or "" for node in page.css(_METAS)]
    return [words for words in map(clean, found) if words]


def _mark(text: str, said: Sequence[str], subject: Subject) -> str | None:
    """Return the words that show a mark of the subject's, "" for the domain, None for none."""
    if subject.domain and _domain(subject.domain).search(text):
        return ""
    employer = company_key(subject.employer)
    return next((words for words in said if employer and _holds(fold(words), employer)), None)


def _domain(domain: str) -> re.Pattern[str]:
    """Match the domain itself, alone or with www., not as part of another and not as a mailbox."""
    return re.compile(
        rf"(?<![\w.@-])(?:www\.)?{re.escape(domain)}(?![\w-]|\.[a-z0-9])", re.IGNORECASE
    )


def _names(words: str, subject: Subject) -> int:
    """Return how surely ``words`` name the subject, 0 for not at all."""
    key_of = person_key if subject.is_person else company_key
    key = key_of(subject.name)
    if not key:
        return 0
    if any(key_of(part) == key for part in _BETWEEN.split(words) if part):
        return EXACT
    return CONTAINED if _holds(fold(words), key) else 0


def _holds(folded: str, phrase: str) -> bool:
    return f" {phrase} " in f" {folded} "
