"""Log lines: ``[service] [timestamp] [level] message {context}`` or JSON, to standard error."""

import json
import logging
import sys
from contextvars import ContextVar
from typing import Literal, NamedTuple

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger


class JobName(NamedTuple):
    """What a line about a running job says of it."""

    job: int
    correlation: str | None


running: ContextVar[JobName | None] = ContextVar("running", default=None)
"""The job on whose behalf this task works; every line it logs names it."""

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure_logs(level: str, form: Literal["text", "json"]) -> None:
    """Set the least level that is logged and the form of a line, for the whole process."""
    number = _LEVELS[level]
    last: Processor = structlog.processors.JSONRenderer() if form == "json" else _text_line
    structlog.configure(
        processors=[
            _name_job,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Libraries' own lines take the same form; what psycopg warns of, the pools mend or we raise.
    logging.basicConfig(
        level=max(number, logging.WARNING),
        format="[%(name)s] [%(asctime)s] [%(levelname)s] %(message)s",
        stream=sys.stderr,
        force=True,
    )
    logging.getLogger("psycopg").setLevel(logging.ERROR)


def _name_job(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    name = running.get()
    return {**name._asdict(), **event} if name else event


def _text_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    service = event.pop("logger", None) or event.pop("service", "glaze")
    stamp, level, message = event.pop("timestamp"), event.pop("level"), event.pop("event")
    trace = event.pop("exception", None)
    line = f"[{service}] [{stamp}] [{level}] {message}"
    if event:
        line += " " + json.dumps(event, default=str, ensure_ascii=False)
    return f"{line}\n{trace}" if trace else line
