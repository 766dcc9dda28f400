"""Options that choose jobs or calls, the same for every command that is about many."""

import inspect
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Annotated, Any

import typer

from glaze.boot.process import utc_now
from glaze.errors import InputError
from glaze.model.bulk import Filter
from glaze.model.job import JobState
from glaze.model.ledger import CallState
from glaze.model.value import BatchId, JobId
from glaze.store.calls import CallFilter

_LARGEST_ID = 2**63 - 1
_AGE = re.compile(r"(\d{1,4})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_TIME = "a time (2026-01-31T10:00Z) or an age (30m, 12h, 7d)"


def _options(
    *,
    ids: Annotated[
        list[int] | None, typer.Argument(metavar="[ID]...", min=1, max=_LARGEST_ID)
    ] = None,
    state: Annotated[list[JobState] | None, typer.Option(help="In this state.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Of this kind.")] = None,
    queue: Annotated[list[str] | None, typer.Option(help="In this queue.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="With this tag, and all others given.")
    ] = None,
    any_tag: Annotated[list[str] | None, typer.Option(help="With one of these tags.")] = None,
    created_after: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Made since then.")
    ] = None,
    created_before: Annotated[str | None, typer.Option(metavar="WHEN", help="Made before.")] = None,
    finished_after: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Ended since then.")
    ] = None,
    finished_before: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Ended before.")
    ] = None,
    error_code: Annotated[
        str | None, typer.Option(metavar="CODE", help="Whose last error has this code.")
    ] = None,
    slower_than: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0, help="That took so long, or longer.")
    ] = None,
    text: Annotated[
        str | None, typer.Option(help="With these words, or how they begin, in the arguments.")
    ] = None,
) -> Filter:
    return Filter(
        ids=tuple(JobId(one) for one in ids) if ids else None,
        states=frozenset(state or ()),
        kinds=tuple(kind or ()),
        queues=tuple(queue or ()),
        tags_all=tuple(tag or ()),
        tags_any=tuple(any_tag or ()),
        created_after=parse_past(created_after, "--created-after"),
        created_before=parse_past(created_before, "--created-before"),
        finished_after=parse_past(finished_after, "--finished-after"),
        finished_before=parse_past(finished_before, "--finished-before"),
        error_code=error_code,
        slower_s=slower_than,
        text=text,
    )


def _options_of_calls(
    *,
    state: Annotated[
        list[CallState] | None, typer.Option(help="In this state; repeatable.")
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Of this provider.")] = None,
    job: Annotated[
        int | None, typer.Option(min=1, max=_LARGEST_ID, help="Caused by this job.")
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, max=_LARGEST_ID, help="Caused by this batch.")
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="WHEN", help="Made since then.")] = None,
    until: Annotated[str | None, typer.Option(metavar="WHEN", help="Made before.")] = None,
    paid: Annotated[
        bool, typer.Option("--paid", help="Only what cost something, or may have.")
    ] = False,
) -> CallFilter:
    return CallFilter(
        states=tuple(state) if state else None,
        provider=provider,
        job=None if job is None else JobId(job),
        batch=None if batch is None else BatchId(batch),
        since=parse_past(since, "--since"),
        until=parse_past(until, "--until"),
        paid=paid,
    )


def _chooses(
    options: Callable[..., object],
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    choosing = inspect.signature(options).parameters

    def give(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command, eval_str=True)
        kept = [param for name, param in own.parameters.items() if name != "which"]

        @wraps(command)
        def chosen(**given: Any) -> None:
            which = options(**{name: given.pop(name) for name in choosing})
            command(which=which, **given)

        chosen.__signature__ = own.replace(parameters=[*choosing.values(), *kept])  # type: ignore[attr-defined]
        return chosen

    return give


chooses = _chooses(_options)
"""Gives a command the options of a filter of jobs in place of its parameter ``which``.

The command raises InputError for a time that cannot be read.
"""

chooses_calls = _chooses(_options_of_calls)
"""The same with a filter of calls."""


def parse_past(text: str | None, option: str) -> datetime | None:
    """Return a moment that is given as a time or as how long ago it was; UTC unless it says so.

    Raises: InputError.
    """
    return _parse(text, option, -1)


def parse_due(text: str | None, option: str) -> datetime | None:
    """Return a moment that is given as a time, as how long from now, or as ``now``.

    Raises: InputError.
    """
    return utc_now() if text == "now" else _parse(text, option, 1)


def _parse(text: str | None, option: str, sign: int) -> datetime | None:
    if text is None:
        return None
    if age := _AGE.fullmatch(text):
        return utc_now() + sign * timedelta(**{_UNITS[age[2]]: int(age[1])})
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option} {text!r}: give {_TIME}") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
