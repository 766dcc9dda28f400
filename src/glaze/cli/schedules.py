"""``glaze schedules``: jobs that recur."""

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from itertools import islice
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table
from rich.text import Text

from glaze.boot.app import App
from glaze.boot.process import run
from glaze.cli.opening import boot, workspace
from glaze.cli.screen import err, out, print_json, quiet, say
from glaze.errors import InputError
from glaze.jobs.enqueue import checked, known_kind
from glaze.model.cron import Recurrence
from glaze.model.schedule import Missed, NewSchedule, Overlap
from glaze.model.value import Json
from glaze.settings import load_settings
from glaze.store.schedule import ScheduleView

NEXT_RUNS = 3
_SHOWN_RUNS = 5

schedules = typer.Typer(
    help="Jobs that recur: a cron expression in a time zone.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="The schedule's name.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, for machines.")]


@schedules.command()
def add(
    name: Annotated[str, typer.Argument(help="Its name; a known one is changed.")],
    *,
    cron: Annotated[str, typer.Option(help='Five fields such as "0 6 * * MON", or @daily.')],
    kind: Annotated[str, typer.Option(help="Kind of the job.")],
    zone: Annotated[str, typer.Option(help="IANA time zone, such as Europe/Berlin.")] = "UTC",
    args: Annotated[str, typer.Option(metavar="JSON", help="Arguments of the job.")] = "{}",
    queue: Annotated[str | None, typer.Option(help="Queue; else that of the kind.")] = None,
    priority: Annotated[int, typer.Option(min=1, max=5, help="1 is the most urgent.")] = 3,
    tags: Annotated[str | None, typer.Option(help="Tags of its jobs, comma-separated.")] = None,
    overlap: Annotated[
        Overlap, typer.Option(help="Whether a job is made while the last one has not ended.")
    ] = Overlap.SKIP,
    missed: Annotated[
        Missed, typer.Option(help="Jobs for times at which nobody was there; all: up to 100.")
    ] = Missed.ONCE,
    as_json: AsJson = False,
) -> None:
    """Create a schedule, or change the one of this name."""
    when = Recurrence.parse(cron, zone)
    body = _parsed(args)
    own_tags = tuple(tag for tag in map(str.strip, (tags or "").split(",")) if tag)

    async def work(app: App) -> None:
        of = known_kind(app.kinds, kind)
        new = NewSchedule(
            name=name,
            when=when,
            kind=kind,
            args=body,
            queue=of.queue if queue is None else queue,
            priority=priority,
            max_attempts=of.retry.max_attempts,
            tags=own_tags,
            overlap=overlap,
            missed=missed,
        )
        saved = await app.schedules.save(workspace(), new, lambda job: checked(app.kinds, job))
        view = await _known(app, name)
        if as_json:
            print_json(_as_json(view))
        else:
            say(f"{'created' if saved.created else 'changed'} {name}: next {_next(view)}")

    run(_with_app(work))


@schedules.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """Show all schedules with their next runs and last job."""

    async def work(app: App) -> None:
        views = await app.schedules.listed(workspace())
        if as_json:
            for view in views:
                print_json(_as_json(view))
        else:
            out.print(_table(views))

    run(_with_app(work))


@schedules.command()
def show(name: Name, *, as_json: AsJson = False) -> None:
    """Show one schedule with its arguments."""

    async def work(app: App) -> None:
        view = await _known(app, name)
        told = _as_json(view)
        if as_json:
            print_json(told)
            return
        for key, value in told.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            out.print(f"{key}: {text}", markup=False)

    run(_with_app(work))


@schedules.command()
def pause(name: Name) -> None:
    """Let a schedule make no more jobs; those that there are go on."""

    async def work(app: App) -> None:
        changed = await app.schedules.pause(workspace(), name)
        await _known(app, name)
        say(f"{name} is paused" if changed else f"{name} was paused already")

    run(_with_app(work))


@schedules.command()
def resume(name: Name) -> None:
    """Let a paused schedule go on; for times in between its --missed decides."""

    async def work(app: App) -> None:
        changed = await app.schedules.resume(workspace(), name)
        view = await _known(app, name)
        say(f"{name} goes on: next {_next(view)}" if changed else f"{name} was not paused")

    run(_with_app(work))


@schedules.command("run-now")
def run_now(name: Name, *, as_json: AsJson = False) -> None:
    """Make one job at once, beside the schedule's times."""

    async def work(app: App) -> None:
        job_id = await app.schedules.run_now(workspace(), name)
        if job_id is None:
            raise await _unknown(app, name)
        if as_json:
            print_json({"job": job_id})
        else:
            say(f"{name}: job {job_id}")

    run(_with_app(work))


@schedules.command()
def delete(name: Name) -> None:
    """Delete a schedule; its jobs stay."""

    async def work(app: App) -> None:
        if not await app.schedules.delete(workspace(), name):
            raise await _unknown(app, name)
        say(f"deleted {name}")

    run(_with_app(work))


async def _with_app(work: Callable[[App], Awaitable[None]]) -> None:
    async with boot(quiet(load_settings())) as app:
        await work(app)


def _parsed(args: str) -> Json:
    try:
        body: Json = json.loads(args)
    except ValueError as error:
        raise InputError(f"--args is not JSON: {error}") from None
    return body


async def _known(app: App, name: str) -> ScheduleView:
    """Return the schedule. Raises: InputError with the names that there are."""
    view = await app.schedules.get(workspace(), name)
    if view is None:
        raise await _unknown(app, name)
    return view


async def _unknown(app: App, name: str) -> InputError:
    names = ", ".join(view.name for view in await app.schedules.listed(workspace()))
    return InputError(f"no schedule is called {name!r}; there are {names or 'none'}")


# -- what is shown -----------------------------------------------------------------------------------


def _runs(view: ScheduleView, n: int) -> list[datetime]:
    """Return the next ``n`` times in the schedule's zone; none while it is paused."""
    if view.paused_at is not None:
        return []
    try:
        when = Recurrence.parse(view.cron, view.zone)
    except InputError:
        return [view.next_at]  # a zone that another machine knows
    times = [view.next_at, *islice(when.upcoming(max(view.next_at, view.now)), n - 1)]
    return [time.astimezone(ZoneInfo(view.zone)) for time in times]


def _next(view: ScheduleView) -> str:
    runs = _runs(view, 1)
    return f"{runs[0]:%a %Y-%m-%d %H:%M %Z}" if runs else "none, it is paused"


def _as_json(view: ScheduleView) -> dict[str, Json]:
    last = None if view.last_job_id is None else [view.last_job_id, view.last_job_state]
    return {
        "name": view.name,
        "cron": view.cron,
        "zone": view.zone,
        "kind": view.kind,
        "args": view.args,
        "queue": view.queue,
        "priority": view.priority,
        "max_attempts": view.max_attempts,
        "tags": view.tags,
        "overlap": view.overlap,
        "missed": view.missed,
        "paused_at": _iso(view.paused_at),
        "next": [time.isoformat() for time in _runs(view, _SHOWN_RUNS)],
        "last_fired_for": _iso(view.last_fired_for),
        "last_job": last and dict(zip(("id", "state"), last, strict=True)),
        "created_at": view.created_at.isoformat(),
    }


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def _table(views: Sequence[ScheduleView]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", width=err.width)
    for name in ("name", "cron", "zone", "kind", "next runs", "last job"):
        table.add_column(name, overflow="fold")
    for view in views:
        runs = "\n".join(f"{time:%a %Y-%m-%d %H:%M %Z}" for time in _runs(view, NEXT_RUNS))
        last = "" if view.last_job_id is None else f"{view.last_job_id} {view.last_job_state or ''}"
        cells = (view.name, view.cron, view.zone, view.kind, runs or "paused", last)
        table.add_row(*map(Text, cells))
    return table
