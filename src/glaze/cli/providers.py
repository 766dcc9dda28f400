"""``glaze providers``: whom can be asked, how each fares, and what keeps one back."""

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from getpass import getpass
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from glaze.boot.process import run
from glaze.boot.providers import checked_vendor, configure_providers, sharing
from glaze.boot.secrets import vendor_keys
from glaze.boot.standing import Standing, as_document, standings
from glaze.cli.choose import parse_past
from glaze.cli.opening import fleet, workspace
from glaze.cli.screen import cells, harmless, money, out, plain_table, print_json
from glaze.errors import InputError
from glaze.model.provider import ProviderSpec
from glaze.model.room import span_name
from glaze.model.value import FREE
from glaze.settings import Settings, load_settings
from glaze.store.health import CircuitView, HealthStore
from glaze.store.vendor_key import VendorKeyView


class _ByName(TyperGroup):
    """``glaze providers`` and ``glaze providers NAME`` are ``show``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not {*ctx.help_option_names} & {*args[:1]} and (
            not args or args[0] not in self.commands
        ):
            args = ["show", *args]
        return super().parse_args(ctx, args)


providers = typer.Typer(
    cls=_ByName, help="Show whom can be asked and how each fares; keep a workspace's own keys."
)

Provider = Annotated[str, typer.Argument(metavar="NAME", help="As `glaze providers` shows it.")]


@providers.command()
def show(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Only this one, in detail.")
    ] = None,
    *,
    since: Annotated[str, typer.Option(metavar="WHEN", help="Count the calls since then.")] = "24h",
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a provider, for machines.")
    ] = False,
) -> None:
    """Show whom can be asked and how each fares, in the whole fleet; NAME shows one in detail.

    Calls and money are the workspace's; limits, circuits and refused keys are the fleet's.
    WHEN is a time (2026-01-31T10:00Z) or an age (30m, 12h, 7d).
    """
    begun = parse_past(since, "--since")
    if begun is None:
        raise InputError("--since: give a time or an age (30m, 12h, 7d)")
    found = run(read_standings(load_settings(), begun))
    if name is not None:
        found = [one for one in found if one.spec.name == name]
        if not found:
            raise InputError(f"no provider is called {name}: see glaze providers")
    if as_json:
        for one in found:
            print_json(as_document(one))
    elif name is not None:
        for line in _detail(found[0], since):
            out.print(harmless(line), markup=False)
    else:
        _print_table(found)


@providers.command("set-key")
def set_key(name: Provider) -> None:
    """Keep a vendor's key of the workspace's own, encrypted; it is read from standard input.

    It is used instead of the one in the settings, and never shown again.
    """
    settings = load_settings()
    checked_vendor(configure_providers(settings), name)
    key = getpass(f"key of {name}: ") if sys.stdin.isatty() else sys.stdin.readline()

    async def keep() -> VendorKeyView:
        async with fleet(settings) as db:
            return await vendor_keys(settings, db).put(workspace(), name, key)

    kept = run(keep())
    ending = f" that ends in {kept.last_four}" if kept.last_four else ""
    out.print(f"{name} is asked with the key{ending} from now on, everywhere within 5 seconds")


@providers.command("forget-key")
def forget_key(name: Provider) -> None:
    """Delete the workspace's own key of a vendor: the one in the settings, if any, is used again."""
    settings = load_settings()

    async def forget() -> VendorKeyView | None:
        async with fleet(settings) as db:
            return await vendor_keys(settings, db).forget(workspace(), name)

    if run(forget()) is None:
        raise InputError(f"the workspace has no key of its own for {name}")
    out.print(f"the key of {name} is deleted")


async def read_standings(settings: Settings, since: datetime) -> list[Standing]:
    """Read how every installed provider stands, with its calls since then.

    Raises: StoreError, SettingsError.
    """
    installed = configure_providers(settings)
    async with fleet(settings) as db:
        health = await HealthStore(db).read(workspace(), since=since)
        known = installed.credentials(vendor_keys(settings, db), sharing(settings))
        reach = await known.of(workspace())
    return standings(settings, installed, health, reach)


def _print_table(found: Sequence[Standing]) -> None:
    numbers = ("price", "calls", "hits", "errors", "p50", "p95", "spent")
    table = plain_table("provider", "state", "key", numbers=numbers, elastic=("note",))
    for one in found:
        calls = one.calls
        row = (
            one.spec.name,
            one.state,
            one.key,
            _prices(one.spec),
            f"{calls.calls:,}",
            _share(calls.hits, calls.hits + calls.misses),
            f"{calls.errors:,}",
            _seconds(calls.p50_s),
            _seconds(calls.p95_s),
            money(calls.spent_micros) if calls.spent_micros else "-",
            one.not_in_use or _note(one),
        )
        table.add_row(*cells(*row))
    out.print(table)


def _prices(spec: ProviderSpec) -> str:
    prices = sorted({op.price_micros for op in spec.operations})
    if prices == [FREE]:
        return "free"
    low, high = money(prices[0]), money(prices[-1])
    return low if low == high else f"{low} to {high}"


def _note(one: Standing) -> str:
    if one.circuit and one.circuit.open_until:
        return f"{one.circuit.last_error}, since {_time(one.circuit.opened_at)}"
    kept = [told for told in one.told if told.calls_left == 0]
    return f"{kept[0].detail}, until {_time(kept[0].until)}" if kept else ""


def _detail(one: Standing, since: str) -> Iterator[str]:
    spec, calls = one.spec, one.calls
    yield f"{spec.name}: {one.not_in_use or one.state}"
    yield f"key: {one.key}; address: {one.base_url or 'the sites themselves'}"
    if spec.opt_in:
        yield f"opt-in: {spec.notice}"
    for op in spec.operations:
        size = f", up to {op.batch_size} in a request" if op.batch_size > 1 else ""
        price = money(op.price_micros) if op.price_micros else "free"
        yield f"  {op.name}: {price}{size}, at most {op.timeout_s:g} s; gives {', '.join(op.gives)}"
    yield from _limit_lines(one)
    yield from _circuit_lines(one.circuit)
    yield (
        f"since {since} ago: {calls.calls:,} calls, {calls.hits:,} hits, {calls.misses:,} misses,"
        f" {calls.errors:,} errors, {calls.told_to_wait:,} told to wait,"
        f" {calls.unknown:,} unknown"
    )
    yield f"  half within {_seconds(calls.p50_s)}, 95 % within {_seconds(calls.p95_s)}"
    yield f"  spent {money(calls.spent_micros)}, reserved {money(calls.open_micros)}"
    if calls.error:
        yield f"last error: {calls.error} at {_time(calls.error_at)}: {calls.error_detail or '-'}"


def _limit_lines(one: Standing) -> Iterator[str]:
    declared = (
        (one.spec.name, one.limits),
        *(
            (f"{one.spec.name}.{op.name}{bulk}", limits)
            for op in one.spec.operations
            for bulk, limits in (("", op.limits), (".bulk", op.bulk_limits))
        ),
    )
    for name, limits in declared:
        for limit in limits:
            free = [w.free for w in one.windows if (w.name, w.window_s) == (name, limit.window_s)]
            left = free[0] if free else limit.calls
            yield (
                f"limit of {name}: {limit.calls:,} in {span_name(limit.window_s)}, {left:,} free now"
            )
    if one.spec.concurrency:
        under_way, waiting = (one.seats.under_way, one.seats.waiting) if one.seats else (0, 0)
        yield (
            f"calls under way: {under_way:,} of {one.spec.concurrency:,},"
            f" {waiting:,} processes want more"
        )
    for told in one.told:
        until = "one call is to try again" if told.lapsed else f"until {_time(told.until)}"
        yield f"the vendor: {told.detail}, {told.calls_left:,} calls left, {until}"


def _circuit_lines(circuit: CircuitView | None) -> Iterator[str]:
    if circuit is None or (circuit.state == "closed" and not circuit.failures):
        yield "circuit: closed"
        return
    told = f"{circuit.failures:,} failures in a row, the last {_time(circuit.failed_at)}"
    told += f" ({circuit.last_error})"
    if circuit.state == "open":
        told += f"; since {_time(circuit.opened_at)}, until {_time(circuit.open_until)}"
    elif circuit.state == "half-open":
        told += f"; open since {_time(circuit.opened_at)}, the next call tries it"
    yield f"circuit: {circuit.state}: {told}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "-"


def _seconds(span_s: float | None) -> str:
    return "-" if span_s is None else f"{span_s * 1000:,.0f} ms"


def _time(moment: datetime | None) -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
