"""Log lines: ``[service] [timestamp] [level] message {context}`` or JSON, to standard error."""

import json
import logging
import re
import sys
import uuid
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Literal, Protocol, TypeAlias

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger


class Named(Protocol):
    """A running job: its lines name it, and its ``args`` tell whom to mask."""

    @property
    def id(self) -> int:
        """Its id."""
        ...

    @property
    def correlation_id(self) -> str | None:
        """What the request is followed by that asked for it."""
        ...

    @property
    def args(self) -> object:
        """What it was given, as JSON."""
        ...


running: ContextVar[Named | None] = ContextVar("running", default=None)
"""The job on whose behalf this task works; every line it logs names it."""

correlation: ContextVar[str | None] = ContextVar("correlation", default=None)
"""What a request or a command's run is followed by; a running job's own goes before it."""

Mask: TypeAlias = Callable[[Mapping[str, object], object], Mapping[str, object]]
"""Masks secrets and personal data in a line's facts; the second is the running job's arguments."""

_CORRELATION = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_OURS = ("timestamp", "level", "logger", "job", "correlation")
"""Parts of a line that hold no one's data."""
_levels: dict[str, int] = {"": _LEVELS["info"]}
"""Least level by component; "" is for all others."""


def new_correlation() -> str:
    """Return an id by which a request or a run can be followed through every process."""
    return uuid.uuid4().hex


def valid_correlation(text: str | None) -> str | None:
    """Return ``text`` where it may serve as a correlation id: up to 128 letters, digits, marks."""
    return text if text and _CORRELATION.fullmatch(text) else None


def followed() -> str | None:
    """Return the id that what is done here is followed by: the running job's, else the request's."""
    job = running.get()
    return (job and job.correlation_id) or correlation.get()


def heard(component: str, level: str) -> bool:
    """Tell whether a line of ``component`` would be logged: for what is too hot to try."""
    return _LEVELS[level] >= _least(component)


def configure_logs(
    level: str,
    form: Literal["text", "json"],
    *,
    levels: Mapping[str, str] | None = None,
    mask: Mask | None = None,
) -> None:
    """Set what is logged and in which form, for the whole process.

    ``level`` is the least severe one of all components (loggers) but those in ``levels``;
    ``mask`` is applied to every line, libraries' own included.
    """
    _levels.clear()
    _levels.update({name: _LEVELS[given] for name, given in (levels or {}).items()})
    _levels[""] = _LEVELS[level]
    last: Processor = structlog.processors.JSONRenderer(default=str)
    if form == "text":
        last = _text_line
    shared: list[Processor] = [
        _name_job,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    if mask is not None:
        shared.append(_masking(mask))
    structlog.configure(
        processors=[_name_component, *shared, last],
        wrapper_class=_bound,  # type: ignore[arg-type]  # called as a class would be
        logger_factory=_Component,
        cache_logger_on_first_use=False,
    )
    _configure_libraries(shared, last, levels or {})


def _configure_libraries(
    shared: list[Processor], last: Processor, levels: Mapping[str, str]
) -> None:
    """Give libraries' own lines the same form; what psycopg warns of, the pools mend or we raise."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[ProcessorFormatter.remove_processors_meta, last],
        )
    )
    logging.basicConfig(level=max(_levels[""], logging.WARNING), handlers=[handler], force=True)
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    for name, given in levels.items():
        logging.getLogger(name).setLevel(_LEVELS[given])


class _Component(structlog.PrintLogger):
    """Prints the lines of one component to standard error."""

    def __init__(self, name: str = "glaze") -> None:
        super().__init__(sys.stderr)
        self.component = name


_CLASSES = {number: structlog.make_filtering_bound_logger(number) for number in _LEVELS.values()}


def _bound(logger: _Component, **parts: object) -> object:
    """Return a logger that does nothing below its component's level."""
    return _CLASSES[_least(logger.component)](logger, **parts)  # type: ignore[call-arg]


def _least(component: str) -> int:
    return _levels.get(component, _levels[""])


def _name_component(logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {"logger": logger.component, **event}


def _name_job(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    job, followed_by = running.get(), followed()
    known: EventDict = {} if job is None else {"job": job.id}
    if followed_by is not None:
        known["correlation"] = followed_by
    return {**known, **event}


def _masking(mask: Mask) -> Processor:
    def masked(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        job = running.get()
        ours = {name: event.pop(name) for name in _OURS if name in event}
        # Marks of structlog's own, which its formatter takes out again.
        ours |= {name: event.pop(name) for name in [*event] if name.startswith("_")}
        return {**mask(event, job.args if job else None), **ours}

    return masked


def _text_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    service = event.pop("logger", "glaze")
    stamp, level, message = event.pop("timestamp"), event.pop("level"), event.pop("event")
    trace = event.pop("exception", None)
    line = f"[{service}] [{stamp}] [{level}] {message}"
    if event:
        line += " " + json.dumps(event, default=str, ensure_ascii=False)
    return f"{line}\n{trace}" if trace else line
