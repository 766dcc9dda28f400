"""``glaze jobs list``, ``show`` and ``dead``: which jobs there are and what became of them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from glaze.boot.process import run
from glaze.cli.choose import chooses
from glaze.cli.opening import fleet, workspace
from glaze.cli.screen import AsJson, cells, harmless, out, plain_table, print_json, quiet, say
from glaze.errors import InputError
from glaze.model.bulk import Filter
from glaze.model.job import JobState
from glaze.model.value import JobId, Json
from glaze.settings import load_settings
from glaze.store.control import ControlStore, Group
from glaze.store.event import Event, EventStore
from glaze.store.job import JobStore, JobView

_PAGE = 500
_SHOWN = 2000
"""Characters of arguments or a result that people are shown; --json has all of it."""


@chooses
def list_jobs(
    which: Filter,
    *,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    before: Annotated[
        int | None, typer.Option(metavar="ID", min=1, help="Go on below this id.")
    ] = None,
    count: Annotated[bool, typer.Option("--count", help="Only say how many there are.")] = False,
    as_json: AsJson = False,
) -> None:
    """List jobs, the newest first; rows of a batch are not among them.

    WHEN is a time (2026-01-31T10:00Z) or an age (30m, 12h, 7d). Options of one name that are given
    several times mean any of them, but for --tag.
    """
    if count:
        print_count(which, as_json=as_json)
        return
    shown = run(_list(which, limit, None if before is None else JobId(before)))
    if as_json:
        for job in shown:
            print_json(job_as_json(job))
    else:
        out.print(_table(shown)) if shown else say("no such jobs")
        if len(shown) == limit:
            say(f"there may be more: --before {shown[-1].id}")


def print_count(which: Filter, *, as_json: bool) -> None:
    """Print how many jobs there are, by state."""
    states: dict[str, int] = {}
    for group in run(_groups(which)):
        states[group.state] = states.get(group.state, 0) + group.jobs
    if as_json:
        print_json({"jobs": sum(states.values()), "states": states})
        return
    for state, jobs_ in states.items():
        out.print(f"{state}: {jobs_:,}")
    out.print(f"{sum(states.values()):,} jobs")


def show(
    job: Annotated[int, typer.Argument(metavar="ID", min=1, max=2**63 - 1)],
    *,
    as_json: AsJson = False,
) -> None:
    """Show one job: where it stands, its error and stack, arguments, result and log."""
    found, log = run(_show(JobId(job)))
    if as_json:
        events: list[Json] = [
            {"at": event.at.isoformat(), "type": event.type, "data": event.data} for event in log
        ]
        print_json({**job_as_json(found), "log": events})
        return
    for line in (*_facts(found), *_log_lines(log)):
        out.print(harmless(line), markup=False)


@chooses
def dead(which: Filter, *, as_json: AsJson = False) -> None:
    """Count dead jobs by kind and error code, the most frequent first."""
    groups = run(_groups(which.within({JobState.DEAD})))
    if as_json:
        print_json([_group_as_json(group) for group in groups])
        return
    if not groups:
        say("no dead jobs")
        return
    table = plain_table("kind", "error code", "first", "last", numbers=("jobs",))
    for group in groups:
        times = (_minute(group.first_at), _minute(group.last_at))
        table.add_row(*cells(group.kind, group.code or "-", *times, f"{group.jobs:,}"))
    out.print(table)


async def _list(which: Filter, limit: int, before: JobId | None) -> list[JobView]:
    shown: list[JobView] = []
    async with fleet(quiet(load_settings())) as db:
        control = ControlStore(db, JobStore(db))
        while len(shown) < limit:
            n = min(_PAGE, limit - len(shown))
            page = await control.page(workspace(), which, n, before=before)
            shown += page.jobs
            before = page.next_before
            if before is None:
                break
    return shown


async def _groups(which: Filter) -> list[Group]:
    async with fleet(quiet(load_settings())) as db:
        return await ControlStore(db, JobStore(db)).groups(workspace(), which)


async def _show(job_id: JobId) -> tuple[JobView, list[Event]]:
    async with fleet(quiet(load_settings())) as db:
        found = await JobStore(db).get(workspace(), job_id)
        if found is None:
            raise InputError(f"there is no job {job_id}")
        return found, await EventStore(db).log(workspace(), job_id)


def job_as_json(job: JobView) -> dict[str, Json]:
    """Return a job for machines: times as ISO 8601."""
    return {name: _plain(value) for name, value in asdict(job).items()}


def _group_as_json(group: Group) -> Json:
    return {name: _plain(value) for name, value in asdict(group).items() if name != "state"}


def _plain(value: Any) -> Json:
    if isinstance(value, datetime):
        return value.isoformat()
    plain: Json = list(value) if isinstance(value, tuple) else value
    return plain


def _table(shown: Sequence[JobView]) -> Table:
    table = plain_table(
        "id", "kind", "state", "attempt", "made", elastic=("queue", "tags", "error")
    )
    for job in shown:
        attempt = f"{job.attempt}/{job.max_attempts}"
        facts = (str(job.id), job.kind, job.state, attempt, _minute(job.created_at), job.queue)
        table.add_row(*cells(*facts, " ".join(job.tags), (job.error or "").partition("\n")[0]))
    return table


def _facts(job: JobView) -> Iterator[str]:
    asked = ", asked to stop" if job.cancel_requested and job.finished_at is None else ""
    yield f"job {job.id}, {job.kind}: {job.state}{asked}"
    yield (
        f"queue {job.queue}, priority {job.priority}, round {job.round},"
        f" attempt {job.attempt} of {job.max_attempts}, {job.deaths} workers died with it"
    )
    for name in ("created", "due", "started", "finished", "expires"):
        if (time := getattr(job, f"{name}_at")) is not None:
            yield f"{name}: {_second(time)}"
    if job.tags:
        yield f"tags: {', '.join(job.tags)}"
    for said, value in (
        ("webhook", job.webhook_url),
        ("replays job", job.replay_of),
        ("correlation id", job.correlation_id),
        ("error", job.error),
    ):
        if value is not None:
            yield f"{said}: {value}"
    yield f"arguments: {_cut(job.args)}"
    if job.result is not None:
        yield f"result: {_cut(job.result)}"


def _log_lines(log: Sequence[Event]) -> Iterator[str]:
    yield "log:"
    stack: str | None = None
    for event in log:
        data = event.data if isinstance(event.data, Mapping) else {"data": event.data}
        said = {name: value for name, value in data.items() if value is not None}
        stack = str(said.pop("stack", "")) or stack
        words = ", ".join(f"{name} {_cut(value)}" for name, value in said.items())
        yield f"  {_second(event.at)}  {event.type}{'  ' if words else ''}{words}"
    if stack:
        yield "stack of the last failure:"
        yield from (f"  {line}" for line in stack.rstrip().splitlines())


def _cut(value: Json) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text):,} characters)"


def _minute(time: datetime | None) -> str:
    return "-" if time is None else f"{time:%Y-%m-%d %H:%M}"


def _second(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}.{time.microsecond // 1000:03} UTC"
