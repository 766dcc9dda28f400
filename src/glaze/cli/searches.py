"""``glaze searches``: people or companies by criteria, what they cost, and the credit that unlocks them."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

import typer

from glaze.boot.app import App
from glaze.boot.process import run
from glaze.cli.opening import boot, workspace
from glaze.cli.screen import AsJson, cells, out, plain_table, print_json, say
from glaze.model.value import WorkspaceId
from glaze.settings import load_settings
from glaze.store.search import OF_COMPANIES, Search

searches = typer.Typer(
    help="Look at searches, unlock whom they found, give credit.", no_args_is_help=True
)

Id = Annotated[int, typer.Argument(metavar="ID", min=1, help="As `glaze searches list` shows.")]
T = TypeVar("T")
_ACTOR = "command line"


@searches.command("list")
def list_searches(*, as_json: AsJson = False) -> None:
    """List the searches, newest first."""
    found = _with(lambda app, of: app.searches.page(of))
    if as_json:
        for one in found:
            print_json(_told(one))
        return
    if not found:
        say("there is no search; make one: POST /v1/searches")
        return
    table = plain_table("id", "about", "state", "shown", "found", "price", elastic=("criteria",))
    for one in found:
        price = "" if one.price_cents is None else f"${one.price_cents / 100:.2f}"
        counts = (str(len(one.contacts or ())), str(one.found or ""))
        told = (str(one.id), one.about, one.state, *counts, price, json.dumps(one.criteria))
        table.add_row(*cells(*told))
    out.print(table)


@searches.command()
def show(search_id: Id) -> None:
    """Show a search as JSON, with those whom it found as they are shown before they are paid for."""
    print_json(_told(_with(lambda app, of: app.searches.get(of, search_id))))


@searches.command()
def unlock(search_id: Id) -> None:
    """Pay for a search with the workspace's credit."""
    _with(lambda app, of: app.searches.pay_by_credit(of, search_id, _ACTOR))
    out.print(f"search {search_id} is paid; a worker enriches its contacts")


@searches.command()
def retry(search_id: Id) -> None:
    """Try a search that failed again, without paying again."""
    _with(lambda app, of: app.searches.retry(of, search_id, _ACTOR))
    out.print(f"search {search_id} is tried again")


@searches.command()
def refund(search_id: Id) -> None:
    """Give what was paid for a search that failed back, as credit."""
    _with(lambda app, of: app.searches.refund(of, search_id, _ACTOR))
    out.print(f"what was paid for search {search_id} is credit again")


@searches.command()
def credit(
    *,
    grant: Annotated[
        int | None, typer.Option(metavar="CENTS", help="Add this; below 0: take it.")
    ] = None,
) -> None:
    """Print the workspace's credit, after adding to it where asked."""
    if grant:
        balance = _with(lambda app, of: app.searches.grant(of, grant, _ACTOR))
    else:
        balance = _with(lambda app, of: app.searches.balance(of))
    out.print(f"credit: ${balance / 100:.2f}")


def _told(one: Search) -> Any:
    told = json.loads(json.dumps(asdict(one), default=str))
    for found in told["contacts"] or ():
        for name in OF_COMPANIES:
            found.pop(name, None)
    return told


def _with(do: Callable[[App, WorkspaceId], Awaitable[T]]) -> T:
    async def done() -> T:
        async with boot(load_settings()) as app:
            return await do(app, workspace())

    return run(done())
