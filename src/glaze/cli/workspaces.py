"""``glaze workspaces``: who shares an installation without seeing one another."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer

from glaze.boot.process import run
from glaze.boot.server import fleet
from glaze.cli.screen import AsJson, cells, out, plain_table, print_json
from glaze.settings import load_settings
from glaze.store.workspace import Workspace, WorkspaceStore

workspaces = typer.Typer(
    help="Make and list workspaces; keys of each: glaze keys create NAME --workspace.",
    no_args_is_help=True,
)

T = TypeVar("T")


@workspaces.command()
def create(
    name: Annotated[str, typer.Argument(help="a-z, 0-9 and hyphens.")], *, as_json: AsJson = False
) -> None:
    """Make a workspace: its own jobs, values, ledger, budgets and keys."""
    made = run(_with_store(lambda store: store.create(name)))
    if as_json:
        print_json(_told(made))
        return
    out.print(f"workspace {made.name} has the id {made.id}", markup=False)


@workspaces.command("list")
def list_workspaces(*, as_json: AsJson = False) -> None:
    """List the workspaces, oldest first."""
    found = run(_with_store(lambda store: store.list()))
    if as_json:
        for one in found:
            print_json(_told(one))
        return
    table = plain_table("id", "made", elastic=("name",))
    for one in found:
        table.add_row(*cells(str(one.id), f"{one.created_at:%Y-%m-%d %H:%M}", one.name))
    out.print(table)


async def _with_store(ask: Callable[[WorkspaceStore], Awaitable[T]]) -> T:
    async with fleet(load_settings()) as db:
        return await ask(WorkspaceStore(db))


def _told(one: Workspace) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "created_at": one.created_at.isoformat()}
