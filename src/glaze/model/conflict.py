"""Values that sources disagree on: how a model is told of them, and which choice counts (E11).

A model that is to choose sees one field: every value with who stated it, when, where and in which
words. It can only name one of these values, and has to quote words by which that value was
stated: those of the source, or this list's own line where the source gave none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from glaze.model.agreement import comparable
from glaze.model.evidence import as_read, find_quote
from glaze.model.provider import Page, Statement
from glaze.model.untrusted import without_instructions
from glaze.model.value import FieldName, Json

CHOICE = "chosen among: "
"""How the ``raw`` of a chosen value begins; then what it was chosen among."""
LISTED = "glaze://statements"
"""What the list of statements is called where a page has its address."""
_LONGEST_WORDS, _LONGEST_VALUE = 600, 300


def as_page(statements: Mapping[FieldName, Sequence[Statement]]) -> Page:
    """Return statements as the text that a model reads instead of a page."""
    lines = [
        line
        for name, stated in sorted(statements.items())
        for one in stated
        for line in (_line(name, one), *filter(None, [_words(one)]))
    ]
    return Page(LISTED, "\n".join(lines))


def told(stated: Sequence[Statement]) -> tuple[tuple[Statement, ...], int]:
    """Return what a model may be told of statements, and how many passages were left out.

    A value that addresses a model, or is too long to be one, is not told; of a source's words
    the passages are cut that do, as of any page; and of an address only the host is.
    """
    kept = []
    cut = 0
    for one in stated:
        if not is_plain(one.value):
            continue
        words, gone = without_instructions(one.quote or "")
        cut += gone
        kept.append(replace(one, quote=words or None))
    return tuple(kept), cut


def is_plain(value: Json) -> bool:
    """Tell whether a value can be told to a model: it is short, and addresses none."""
    text = value if isinstance(value, str) else str(value)
    return len(text) <= _LONGEST_VALUE and without_instructions(text)[1] == 0


def values_of(stated: Sequence[Statement]) -> tuple[Json, ...]:
    """Return the values, each once, in order."""
    found: list[Json] = []
    for one in stated:
        if one.value not in found:
            found.append(one.value)
    return tuple(found)


def proven_by(
    name: FieldName, value: Json, quote: str, stated: Sequence[Statement]
) -> Statement | None:
    """Return the statement of ``value`` whose words hold ``quote``, None where none does."""
    meant = comparable(name, value)
    for one in stated:
        words = _words(one) or _line(name, one)
        if comparable(name, one.value) == meant and find_quote(quote, words) is not None:
            return one
    return None


def is_listed(name: FieldName, value: Json, quote: str, stated: Sequence[Statement]) -> bool:
    """Tell whether ``quote`` is the list's own line of ``value``: field and value, whatever they are.

    So a code or a name in any spelling ("DE", "Not Boring") is proven as its source gave it.
    """
    return any(
        quote == begins or quote.startswith(f"{begins} (")
        for one in stated
        if one.value == value and not _words(one)
        for begins in [as_read(f"{name}: {one.value}")]
    )


def _line(name: FieldName, one: Statement) -> str:
    host = urlsplit(one.url or "").hostname
    where = f", {host}" if host else ""
    follow = ", in these words:" if _words(one) else ""
    return f"{name}: {one.value} ({one.source}, {one.stated_on}{where}){follow}"


def _words(one: Statement) -> str:
    """Return the source's own words where they are long enough to be quoted, else ""."""
    words = " ".join((one.quote or "").split())[:_LONGEST_WORDS]
    return words if find_quote(words, words) is not None else ""
