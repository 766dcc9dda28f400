"""``glaze budget``: what may be spent in a day and on a provider in a month, and what is left."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from glaze.boot.process import run
from glaze.boot.providers import configure_providers, standing_caps
from glaze.cli.ask import parse_dollars
from glaze.cli.opening import boot, workspace
from glaze.cli.screen import AsJson, cells, money, out, plain_table, print_json, quiet, say
from glaze.errors import InputError
from glaze.model.ledger import PausedPrice
from glaze.model.value import MICROS_PER_CENT, Json, Micros
from glaze.settings import Settings, load_settings
from glaze.store.budget import WHOLE_WORKSPACE, BudgetView

budget = typer.Typer(
    help="See and set what may be spent in a day, and on a provider in a month.",
    no_args_is_help=True,
)

DAY = "day"
What = Annotated[
    str,
    typer.Argument(
        metavar="WHAT", help="`day`: the workspace, each day (UTC). A provider: it, each month."
    ),
]


@budget.command("list")
def list_budgets(
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Those of jobs, batches and past days and months too.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="With --all: how many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the caps in force, what is reserved and spent below them, and what is left.

    Reserved is what calls under way or of unknown outcome may cost; overrun is the part of what
    was spent that a vendor billed beyond its reservation. Below them: prices that are paused.
    """
    settings = load_settings()
    found, paused = run(_list(settings, limit if every else None))
    if as_json:
        for view in found:
            print_json(_as_json(view))
        for price in paused:
            print_json({"paused": _paused_as_json(price)})
        return
    if not found:
        say("no cap is set: glaze budget set day DOLLARS, glaze budget set PROVIDER DOLLARS")
    else:
        out.print(_table(found))
    for price in paused:
        out.print(_said(price), markup=False)


@budget.command("set", context_settings={"ignore_unknown_options": True})  # -1 is an amount
def set_budget(
    what: What,
    dollars: Annotated[str, typer.Argument(metavar="DOLLARS", help="The cap, such as 25 or 2.50.")],
) -> None:
    """Set a cap for each day of the workspace, or for each month of a provider.

    It counts what is reserved from now on, and holds at once for the present day or month. Below
    what is committed already it is clamped there, and nothing more is bought in that period.
    """
    settings = load_settings()
    cap = Micros((parse_dollars(dollars, "DOLLARS") or 0) * MICROS_PER_CENT)
    provider = _provider(settings, what)
    view = run(_set(settings, provider, cap))
    said = "each day" if provider == WHOLE_WORKSPACE else f"on {provider} each month"
    clamped = f"; {money(view.cap_micros)} are committed already" if view.cap_micros > cap else ""
    say(f"at most {money(cap)} {said}{clamped}")


@budget.command()
def remove(what: What) -> None:
    """Remove a cap; what the settings say of it, if anything, holds again."""
    settings = load_settings()
    if not run(_remove(settings, _provider(settings, what))):
        raise InputError(f"no cap is set for {what}")
    say(f"removed: {what}")


@budget.command()
def resume(
    what: Annotated[
        str, typer.Argument(metavar="PROVIDER[.OPERATION]", help="Whose price is paused.")
    ],
) -> None:
    """Ask again at a price that a vendor has passed, although it may pass it again.

    A price that is set to what was billed (GLAZE_PROVIDER__<NAME>__PRICE_CENTS) needs no resuming.
    """
    settings = load_settings()
    provider, _, operation = what.partition(".")
    resumed = run(_resume(settings, provider, operation or None))
    if not resumed:
        raise InputError(f"no price of {what} is paused")
    say(f"resumed: {', '.join(f'{provider}.{name}' for name in resumed)}")


def _provider(settings: Settings, what: str) -> str:
    """Return the key of a standing cap. Raises: InputError."""
    if what == DAY:
        return WHOLE_WORKSPACE
    installed = configure_providers(settings).by_name
    if what not in installed:
        known = ", ".join(sorted(installed))
        raise InputError(f"give `day` or a provider: {what!r} is none; installed are {known}")
    return what


def _table(found: list[BudgetView]) -> Table:
    sums = ("cap", "reserved", "spent", "overrun", "left")
    table = plain_table("budget", "of", numbers=sums, elastic=("set by",))
    sources = {None: "", True: "the settings", False: "glaze budget"}
    for view in found:
        amounts = (
            view.cap_micros,
            view.reserved_micros,
            view.spent_micros,
            view.overrun_micros,
            view.left_micros,
        )
        scope = view.scope.replace("_", " ")
        table.add_row(*cells(scope, view.scope_key, *map(money, amounts), sources[view.by_default]))
    return table


def _said(price: PausedPrice) -> str:
    name = f"{price.provider}.{price.operation}"
    billed, reserved = money(price.billed_micros), money(price.reserved_micros)
    return (
        f"paused: {name} billed {billed} where {reserved} was the most"
        f" ({price.paused_at:%Y-%m-%d %H:%M:%S}); glaze budget resume {name}"
    )


def _as_json(view: BudgetView) -> dict[str, Json]:
    return {**asdict(view), "left_micros": view.left_micros}


def _paused_as_json(price: PausedPrice) -> dict[str, Json]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(price).items()
    }


async def _list(
    settings: Settings, limit: int | None
) -> tuple[list[BudgetView], list[PausedPrice]]:
    async with boot(quiet(settings)) as app:
        if limit is None:
            found = await app.budgets.in_force(workspace(), standing_caps(settings))
        else:
            found = await app.budgets.page(workspace(), limit)
        return found, await app.budgets.paused(workspace())


async def _set(settings: Settings, provider: str, cap: Micros) -> BudgetView:
    async with boot(quiet(settings)) as app:
        return await app.budgets.set_cap(workspace(), provider, cap)


async def _remove(settings: Settings, provider: str) -> bool:
    async with boot(quiet(settings)) as app:
        return await app.budgets.remove_cap(workspace(), provider)


async def _resume(settings: Settings, provider: str, operation: str | None) -> list[str]:
    async with boot(quiet(settings)) as app:
        return await app.budgets.resume(workspace(), provider, operation)
