"""``glaze jobs retry``, ``replay``, ``cancel``, ``change``, ``purge``: the same to any number of jobs."""

import json
import sys
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from glaze.boot.process import run
from glaze.cli.choose import chooses, parse_due
from glaze.cli.opening import boot, fleet, workspace
from glaze.cli.screen import AsJson, err, out, print_json, quiet, say
from glaze.errors import InputError
from glaze.jobs.enqueue import checked, replayable, vetted_webhook
from glaze.model.bulk import NOT_BEGUN, OPEN, Change, Filter
from glaze.model.job import TERMINAL, JobState
from glaze.model.value import Json
from glaze.settings import load_settings
from glaze.store.control import ControlStore, Step, Sum
from glaze.store.job import JobStore

if TYPE_CHECKING:
    from glaze.boot.app import App

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
All = Annotated[bool, typer.Option("--all", help="Every job of this workspace that allows it.")]

_IN_VAIN = frozenset({JobState.FAILED, JobState.DEAD})
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Action:
    """What is done to jobs in one of the states ``allowed``; ``done`` says so afterwards."""

    verb: str
    done: str
    allowed: Collection[JobState]
    start: Callable[["App", Filter], AsyncIterator[Step]]
    usual: Collection[JobState] | None = None  # where neither ids nor states are given


@chooses
def retry(which: Filter, *, every: All = False, yes: Yes = False, as_json: AsJson = False) -> None:
    """Open jobs that have ended again, as a new round of the same job.

    Without ids and --state: those that failed or are dead.
    """
    action = Action(
        "retry",
        "retried",
        TERMINAL,
        lambda app, which: app.control.retry(workspace(), which),
        _IN_VAIN,
    )
    act(action, which, every=every, yes=yes, as_json=as_json)


@chooses
def replay(
    which: Filter,
    *,
    args: Annotated[
        str | None,
        typer.Option(metavar="JSON", help="Change arguments: a JSON merge patch, null removes."),
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="Repeated with the same key, nothing is made twice (24 h).")
    ] = None,
    every: All = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Make a new job of each that has ended, linked to it; the old one stays as it is.

    Without ids and --state: of those that failed or are dead.
    """
    patch = _parse_patch(args)
    action = Action(
        "replay",
        "replayed",
        TERMINAL,
        lambda app, which: app.control.replay(
            workspace(),
            replayable(app.kinds, which),
            patch=patch,
            key=key,
            check=lambda job: checked(app.kinds, job),
        ),
        _IN_VAIN,
    )
    act(action, which, every=every, yes=yes, as_json=as_json)


@chooses
def cancel(which: Filter, *, every: All = False, yes: Yes = False, as_json: AsJson = False) -> None:
    """Cancel what has not begun at once, and ask what runs to stop."""
    action = Action(
        "cancel",
        "cancelled",
        OPEN,
        lambda app, which: app.control.cancel(workspace(), which),
    )
    act(action, which, every=every, yes=yes, as_json=as_json)


@chooses
def purge(which: Filter, *, every: All = False, yes: Yes = False, as_json: AsJson = False) -> None:
    """Delete jobs that have ended, with arguments, result and log; the ledger stays."""
    action = Action(
        "purge",
        "purged",
        TERMINAL,
        lambda app, which: app.control.purge(workspace(), which),
    )
    act(action, which, every=every, yes=yes, as_json=as_json)


@chooses
def change(
    which: Filter,
    *,
    set_priority: Annotated[
        int | None, typer.Option(min=1, max=5, help="1 is the most urgent.")
    ] = None,
    run_at: Annotated[
        str | None, typer.Option(metavar="WHEN", help="A time, from now (2h), or now.")
    ] = None,
    set_tag: Annotated[
        list[str] | None, typer.Option(help="In place of its tags; repeatable.")
    ] = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="Take its tags off.")] = False,
    set_webhook: Annotated[
        str | None, typer.Option(metavar="URL", help="What is told of its end.")
    ] = None,
    no_webhook: Annotated[bool, typer.Option("--no-webhook", help="Tell nobody.")] = False,
    every: All = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Change jobs that no worker holds: priority, run time, tags, webhook."""
    if (set_tag and no_tags) or (set_webhook and no_webhook):
        raise InputError("--no-tags and --no-webhook take off what --set-tag and --set-webhook set")
    wanted = Change(
        priority=set_priority,
        due_at=parse_due(run_at, "--run-at"),
        tags=() if no_tags else tuple(set_tag) if set_tag else None,
        webhook_url="" if no_webhook else set_webhook and vetted_webhook(set_webhook),
    ).checked()
    action = Action(
        "change",
        "changed",
        NOT_BEGUN,
        lambda app, which: app.control.change(workspace(), which, wanted),
    )
    act(action, which, every=every, yes=yes, as_json=as_json)


def act(action: Action, which: Filter, *, every: bool, yes: bool, as_json: bool) -> None:
    """Do it to the jobs chosen, once the user has agreed; exits with 1 where one was refused."""
    if which.is_everything and not every:
        raise InputError(f"which jobs? Give ids, a filter, or --all; nothing was {action.done}")
    if which.ids is None and not which.states and action.usual:
        which = replace(which, states=frozenset(action.usual))
    fit = which.within(action.allowed)
    if not yes and not agreed(action.verb, run(_count(fit))):
        say(f"nothing was {action.done}")
        raise typer.Exit(1)
    came_to = run(_act(action, which))
    if as_json:
        print_json(_as_json(came_to))
    else:
        _tell(action, came_to)
    if came_to.refused or came_to.missing:
        raise typer.Exit(1)


async def _count(which: Filter) -> int:
    async with fleet(quiet(load_settings())) as db:
        return await ControlStore(db, JobStore(db)).count(workspace(), which)


async def _act(action: Action, which: Filter) -> Sum:
    async with boot(quiet(load_settings())) as app:
        came_to = Sum()
        with err.status(f"{action.done} 0 jobs") as status:
            async for step in action.start(app, which):
                came_to.add(step)
                status.update(f"{action.done} {came_to.done:,} jobs")
        return came_to


def agreed(verb: str, jobs_: int) -> bool:
    """Ask whether to do it to so many jobs; where there are none nobody is asked.

    Raises: InputError where nobody is there to answer.
    """
    if jobs_ == 0:
        return True
    if not sys.stdin.isatty():
        raise InputError(f"this would {verb} {counted(jobs_)}: say --yes")
    return typer.confirm(f"{verb} {counted(jobs_)}?", err=True)


def counted(jobs_: int) -> str:
    """Return a number of jobs in words."""
    return f"{jobs_:,} job{'' if jobs_ == 1 else 's'}"


def _tell(action: Action, came_to: Sum) -> None:
    out.print(f"{action.done} {counted(came_to.done)}")
    if came_to.stopping and action.done == "cancelled":
        out.print(f"of them running and asked to stop: {came_to.stopping:,}")
    _some([f"{old} again as {new}" for old, new in came_to.replays.items()])
    _some([f"{id_} was not {action.done}: it is {now}" for id_, now in came_to.refused.items()])
    _some([f"{id_} is no such job, or does not meet the filter" for id_ in came_to.missing])


def _some(lines: Sequence[str]) -> None:
    for line in lines[:_MOST_NAMED]:
        say(line)
    if len(lines) > _MOST_NAMED:
        say(f"and {len(lines) - _MOST_NAMED:,} more")


def _as_json(came_to: Sum) -> Json:
    return {
        "done": came_to.done,
        "stopping": came_to.stopping,
        "refused": {str(id_): state for id_, state in came_to.refused.items()},
        "missing": list(came_to.missing),
        "replays": {str(old): new for old, new in came_to.replays.items()},
    }


def _parse_patch(text: str | None) -> Json:
    if text is None:
        return None
    try:
        patch: Json = json.loads(text)
    except ValueError as error:
        raise InputError(f"--args is not JSON: {error}") from None
    if not isinstance(patch, dict):
        raise InputError("--args is a JSON object of the arguments to change")
    return patch
