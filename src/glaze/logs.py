"""Log lines: ``[service] [timestamp] [level] message {context}`` or JSON, to standard error."""

import json
import logging
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure_logs(level: str, form: Literal["text", "json"]) -> None:
    """Set the least level that is logged and the form of a line, for the whole process."""
    number = _LEVELS[level]
    last: Processor = structlog.processors.JSONRenderer() if form == "json" else _text_line
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
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


def _text_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    service = event.pop("logger", None) or event.pop("service", "glaze")
    stamp, level, message = event.pop("timestamp"), event.pop("level"), event.pop("event")
    trace = event.pop("exception", None)
    line = f"[{service}] [{stamp}] [{level}] {message}"
    if event:
        line += " " + json.dumps(event, default=str, ensure_ascii=False)
    return f"{line}\n{trace}" if trace else line
