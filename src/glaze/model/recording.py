"""How an answer was come by: what was asked, and every exchange, so that it can be read again."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from glaze.model.field import EntityKind
from glaze.model.provider import Ask, Page, Statement
from glaze.model.value import EntityId, FieldName, Json

MOST_BYTES = 2_000_000
"""Of the bodies of one call; what is more is not kept, and that answer is not read again."""
_LONGEST_FACT = 200
"""Characters of a known value that is no identifier of the question: what judges look at is short."""
HIDDEN = "hidden"
"""Stands for our key in what is kept of an address."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request of a provider and its answer: an HTTP answer, DNS records, or an error.

    ``method`` is ``DNS`` where a name was resolved; then ``url`` is ``name type`` and ``body`` the
    records as JSON. ``body`` is None where the call's raw slice is the body.
    """

    method: str
    url: str  # as it was asked for, our key hidden
    status: int = 0  # 0 with an error, and for DNS
    headers: Mapping[str, str] | None = None
    body: bytes | None = None
    came_from: str = ""  # the address after redirects
    error: str = ""  # code of the error it ended in
    message: str = ""
    sent: bool = True  # of an error: whether bytes may have left


@dataclass(frozen=True, slots=True)
class Recording:
    """What a provider was asked, and what its readings were judged by.

    Where the request carried several questions the one exchange has neither address nor body: the
    raw slice, which is this question's own, stands for an answer of its own.
    """

    ask: Ask
    entities: Mapping[EntityKind, EntityId]
    judged_at: datetime
    mx: Mapping[str, bool]
    base_url: str = ""  # where the vendor was reached
    exchanges: tuple[Exchange, ...] = ()
    handle: str | None = None  # of an answer that came later
    had_key: bool = True

    @property
    def is_whole(self) -> bool:
        """Tell whether the bodies are few enough to be kept."""
        return sum(len(one.body or b"") for one in self.exchanges) <= MOST_BYTES


def short_facts(
    known: Mapping[FieldName, Json], identifiers: frozenset[FieldName]
) -> dict[FieldName, Json]:
    """Return of what was known the identifiers and what is short: nothing else is looked at."""
    return {
        name: value
        for name, value in known.items()
        if name in identifiers
        or isinstance(value, int | float)
        or (isinstance(value, str) and len(value) <= _LONGEST_FACT)
    }


def as_json(recording: Recording, raw: bytes) -> dict[str, Json]:
    """Return a recording as it is stored beside ``raw``; a body that equals it is left out."""
    return {
        **ask_as_json(recording.ask),
        "entities": {str(kind): id_ for kind, id_ in recording.entities.items()},
        "judged_at": recording.judged_at.isoformat(),
        "mx": dict(recording.mx),
        "base_url": recording.base_url,
        "handle": recording.handle,
        "had_key": recording.had_key,
        "exchanges": [_exchange_as_json(one, raw) for one in recording.exchanges],
    }


def ask_as_json(ask: Ask) -> dict[str, Json]:
    """Return a question as it is stored, with its page and whatever else it is told by."""
    return {
        "known": {str(name): value for name, value in ask.known.items()},
        "want": sorted(ask.want),
        "evidence": [{"url": page.url, "text": page.text} for page in ask.evidence],
        "candidates": {name: list(values) for name, values in ask.candidates.items()},
        "statements": {
            name: [asdict(one) for one in told] for name, told in ask.statements.items()
        },
    }


def ask_from_json(stored: Mapping[str, Any]) -> Ask:
    """Return a question as ``ask_as_json`` gave it; older ones hold no statements."""
    return Ask(
        known={FieldName(name): value for name, value in stored["known"].items()},
        want=frozenset(FieldName(name) for name in stored["want"]),
        evidence=tuple(Page(page["url"], page["text"]) for page in stored["evidence"]),
        candidates={
            FieldName(name): tuple(values) for name, values in stored["candidates"].items()
        },
        statements={
            FieldName(name): tuple(Statement(**one) for one in told)
            for name, told in stored.get("statements", {}).items()
        },
    )


def from_json(stored: Mapping[str, Any]) -> Recording:
    """Return a recording as ``as_json`` gave it."""
    return Recording(
        ask=ask_from_json(stored),
        entities={EntityKind(kind): EntityId(id_) for kind, id_ in stored["entities"].items()},
        judged_at=datetime.fromisoformat(stored["judged_at"]),
        mx=stored["mx"],
        base_url=stored["base_url"],
        exchanges=tuple(_exchange_of(one) for one in stored["exchanges"]),
        handle=stored["handle"],
        had_key=stored["had_key"],
    )


def _exchange_as_json(one: Exchange, raw: bytes) -> dict[str, Json]:
    # Latin-1 maps each byte to one character: markup stays text, and compresses as such.
    body = None if one.body is None or one.body == raw else one.body.decode("latin-1")
    return {
        "method": one.method,
        "url": one.url,
        "status": one.status,
        "headers": dict(one.headers or {}),
        "body": body,
        "came_from": one.came_from,
        "error": one.error,
        "message": one.message,
        "sent": one.sent,
    }


def _exchange_of(stored: Mapping[str, Any]) -> Exchange:
    body = stored["body"]
    return Exchange(**{**stored, "body": None if body is None else body.encode("latin-1")})
