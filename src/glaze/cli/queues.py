"""``glaze queues``: what waits in each queue, and whether it is handed out."""

from dataclasses import asdict
from typing import Annotated

import typer

from glaze.boot.process import run
from glaze.cli.act import Action, Yes, act
from glaze.cli.opening import fleet, workspace
from glaze.cli.screen import AsJson, cells, out, plain_table, print_json, quiet, say
from glaze.errors import InputError
from glaze.jobs.enqueue import LONGEST_NAME
from glaze.model.bulk import NOT_BEGUN, Filter
from glaze.settings import load_settings
from glaze.store.queues import QueueStore, QueueView

queues = typer.Typer(help="See what waits in each queue, and steer it.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="QUEUE")]

_MINUTE = 60
_HOUR = 3600


@queues.command("list")
def list_queues(*, as_json: AsJson = False) -> None:
    """List the queues that hold jobs or are paused, with their depth by state."""
    found = run(_list())
    if as_json:
        for queue in found:
            paused_at = None if queue.paused_at is None else queue.paused_at.isoformat()
            print_json({**asdict(queue), "paused_at": paused_at})
        return
    if not found:
        say("no queue holds a job")
        return
    counted = ("pending", "oldest", "processing", "scheduled", "waiting")
    table = plain_table("queue", numbers=counted, elastic=("",))
    for queue in found:
        counts = (queue.processing, queue.scheduled, queue.waiting)
        oldest = "-" if queue.oldest_s is None else age(queue.oldest_s)
        paused = queue.paused_at and f"paused since {queue.paused_at:%Y-%m-%d %H:%M}"
        depth = (f"{queue.pending:,}", oldest, *(f"{n:,}" for n in counts))
        table.add_row(*cells(queue.name, *depth, paused or ""))
    out.print(table)


@queues.command()
def pause(queue: Name) -> None:
    """Hand out nothing from a queue until it is resumed; what runs goes on."""
    _checked(queue)
    run(_pause(queue))
    out.print(f"queue {queue} is paused", markup=False)


@queues.command()
def resume(queue: Name) -> None:
    """Hand out jobs from a queue again."""
    run(_resume(queue))
    out.print(f"queue {queue} is handed out", markup=False)


@queues.command()
def clear(queue: Name, *, yes: Yes = False, as_json: AsJson = False) -> None:
    """Cancel everything that waits in a queue; what runs goes on, and batches keep their rows."""
    action = Action(
        "cancel",
        "cancelled",
        NOT_BEGUN,
        lambda app, which: app.control.cancel(workspace(), which),
        NOT_BEGUN,
    )
    act(action, Filter(queues=(queue,)), every=False, yes=yes, as_json=as_json)


def _checked(queue: str) -> None:
    if not 1 <= len(queue) <= LONGEST_NAME:
        raise InputError(f"a queue's name has 1 to {LONGEST_NAME} characters")


async def _list() -> list[QueueView]:
    async with fleet(quiet(load_settings())) as db:
        return await QueueStore(db).list()


async def _pause(queue: str) -> None:
    async with fleet(quiet(load_settings())) as db:
        await QueueStore(db).pause(queue)


async def _resume(queue: str) -> None:
    async with fleet(quiet(load_settings())) as db:
        await QueueStore(db).resume(queue)


def age(seconds: float) -> str:
    """Return a duration for people, in its largest unit."""
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.0f} min" if seconds < _HOUR else f"{seconds / _HOUR:,.1f} h"
