"""What a running job says of itself: progress and log lines, masked and bounded."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import structlog

from glaze.logs import heard
from glaze.model.job import ClaimedJob
from glaze.model.redact import Redactor
from glaze.model.value import Json
from glaze.store.event import LOG, PROGRESS, NewEvent

COMPONENT = "job"
log = structlog.get_logger(COMPONENT)

Level: TypeAlias = Literal["debug", "info", "warning", "error"]
Write: TypeAlias = Callable[[ClaimedJob, NewEvent], None]
"""Takes an event; it is written with the next group of outcomes."""

MOST_LINES = 200
"""Of one attempt; a last one says that there were more."""
LONGEST_MESSAGE = 500
MOST_FACTS = 4_000
"""Characters of a line's facts as JSON."""
_PERCENT = 100
_KEPT: frozenset[Level] = frozenset({"info", "warning", "error"})
_KEPT_OF_ROWS: frozenset[Level] = frozenset({"warning", "error"})
"""Of a batch's rows only what is abnormal: a million rows would log millions of lines."""


class Journal:
    """Takes what one attempt says; a fresh one for each."""

    __slots__ = ("_lines", "_redactor", "_write")

    def __init__(self, write: Write, redactor: Redactor) -> None:
        """Hand events to ``write``, masked by ``redactor``."""
        self._write = write
        self._redactor = redactor
        self._lines = 0

    def masked(self, job: ClaimedJob, text: str) -> str:
        """Return ``text`` without secrets and without the personal data among the job's arguments."""
        return self._redactor.text(text, job.args)

    def progress(self, job: ClaimedJob, percent: float, message: str) -> None:
        """Take how far the job is; what is beyond 0 to 100 is brought to the nearer end."""
        if heard(COMPONENT, "debug"):
            log.debug("progress", percent=percent, at=_cut(message, LONGEST_MESSAGE))
        if job.batch_id is not None:
            return  # the batch has counters
        data: dict[str, Json] = {
            "percent": _bounded(percent),
            "message": self._message(job, message),
        }
        self._say(job, PROGRESS, data | {"claim": job.claim_no})

    def log(self, job: ClaimedJob, level: Level, message: str, facts: Mapping[str, object]) -> None:
        """Take a line; it goes to standard error and, from info on, into the job's log."""
        kept = level in (_KEPT if job.batch_id is None else _KEPT_OF_ROWS)
        if not (kept or heard(COMPONENT, level)):
            return
        message = self._message(job, message)
        plain = _short(self._redactor.facts(facts, job.args))
        getattr(log, level)(message, **{_free(name): fact for name, fact in plain.items()})
        if kept:
            data: dict[str, Json] = {"level": level, "message": message}
            if plain:
                data["facts"] = plain
            self._add_line(job, data)

    def _add_line(self, job: ClaimedJob, line: dict[str, Json]) -> None:
        self._lines += 1
        if self._lines == MOST_LINES + 1:
            line = {"level": "warning", "message": f"more than {MOST_LINES} lines: dropped"}
        if self._lines <= MOST_LINES + 1:
            self._say(job, LOG, line | {"attempt": job.attempt})

    def _message(self, job: ClaimedJob, message: str) -> str:
        return _cut(self.masked(job, message), LONGEST_MESSAGE)

    def _say(self, job: ClaimedJob, type_: str, data: Json) -> None:
        self._write(job, NewEvent(type_, data, job.id, job.batch_id))


_TAKEN = {"event", "level", "logger", "timestamp", "exc_info", "exception", "stack_info"}


def _free(name: str) -> str:
    """Return the name of a fact in a log line, beside the line's own parts."""
    return f"{name}_" if name in _TAKEN else name


def _bounded(percent: float) -> int:
    return 0 if math.isnan(percent) else round(min(_PERCENT, max(0, percent)))


def _short(facts: dict[str, Json]) -> dict[str, Json]:
    """Return facts that fit: long ones as the beginning of their JSON text."""
    text = json.dumps(facts, ensure_ascii=False)
    return facts if len(text) <= MOST_FACTS else {"cut": _cut(text, MOST_FACTS)}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
