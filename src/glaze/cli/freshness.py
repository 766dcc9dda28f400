"""``glaze freshness``: how long values stay fresh for the workspace, before they are asked again."""

from typing import Annotated

import typer

from glaze.boot.process import run
from glaze.cli.opening import boot, workspace
from glaze.cli.screen import AsJson, cells, out, plain_table, print_json, quiet, say
from glaze.errors import InputError
from glaze.model.field import DAY_S, FIELDS
from glaze.model.freshness import EVERY, Freshness
from glaze.settings import load_settings
from glaze.store.fresh_time import Days

freshness = typer.Typer(
    help="Show and set how long values stay fresh for this workspace, before they are asked again.",
    invoke_without_command=True,
)

_ACTOR = "command line"
About = Annotated[
    str,
    typer.Option(
        "--field", help="Only this field; else every one that has no longer time of its own."
    ),
]


@freshness.callback()
def show(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Show for how many days values of each field stay fresh, and what this workspace has set."""
    if context.invoked_subcommand is not None:
        return
    own, fresh = run(_read())
    days: dict[str, float] = {name: fresh.of(name).total_seconds() / DAY_S for name in FIELDS}
    if as_json:
        print_json({"set": {field or "*": said for field, said in own.items()}, "days": {**days}})
        return
    table = plain_table("field", "said by", numbers=("days",))
    for name, span in days.items():
        by = "workspace" if name in own else "every" if EVERY in own else "settings"
        table.add_row(*cells(name, by, f"{span:g}"))
    out.print(table)


@freshness.command("set")
def set_time(
    days: Annotated[float, typer.Argument(min=0, max=3650, help="0: it is asked each time.")],
    *,
    field: About = EVERY,
) -> None:
    """Let values stay fresh for so many days in this workspace, from now on."""

    async def put() -> None:
        async with boot(quiet(load_settings())) as app:
            await app.fresh_times.put(workspace(), field, days, _ACTOR)

    run(put())
    say(f"set: {field or 'every field'} stays fresh for {days:g} days")


@freshness.command()
def remove(*, field: About = EVERY) -> None:
    """Let the settings say again how long values stay fresh."""

    async def forget() -> bool:
        async with boot(quiet(load_settings())) as app:
            return await app.fresh_times.remove(workspace(), field, _ACTOR)

    if not run(forget()):
        raise InputError(f"the workspace has set no time for {field or 'every field'}")
    say(f"removed: {field or 'every field'}; the settings hold again")


async def _read() -> tuple[Days, Freshness]:
    async with boot(quiet(load_settings())) as app:
        own = await app.fresh_times.of(workspace())
        return own, app.beliefs.fresh_with(own)
