"""``glaze providers``: whom can be asked, how each fares, and what keeps one back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated

import typer

from glaze.boot.process import run
from glaze.boot.providers import Providers, configure_providers
from glaze.boot.server import fleet
from glaze.cli.choose import parse_past
from glaze.cli.screen import cells, harmless, money, out, plain_table, print_json
from glaze.errors import InputError
from glaze.model.provider import Limit, ProviderSpec
from glaze.model.room import Cause, span_name
from glaze.model.value import DEFAULT_WORKSPACE, FREE, Json
from glaze.settings import Settings, load_settings
from glaze.store.health import Calls, CircuitView, Health, HealthStore, Told, Window

_SAID: Mapping[Cause, str] = {
    Cause.KEY: "key refused",
    Cause.CREDITS: "out of credits",
    Cause.QUOTA: "quota used up",
    Cause.PAUSE: "asked to wait",
    Cause.WINDOW: "limit reached",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One provider: what it declares, what the settings make of it, and how it fares."""

    spec: ProviderSpec
    not_in_use: str  # why, "" where it can be asked
    key: str  # set, missing, not needed, optional
    base_url: str
    calls: Calls
    windows: tuple[Window, ...]
    told: tuple[Told, ...]
    circuit: CircuitView | None

    @property
    def state(self) -> str:
        """What keeps it back, or ``ready``."""
        if self.not_in_use:
            return "not in use"
        if self.circuit and self.circuit.state != "closed":
            return f"circuit {self.circuit.state}"
        for cause, said in _SAID.items():
            if any(one.cause is cause and one.calls_left == 0 for one in self.told):
                return said
        return "ready"

    @property
    def advice(self) -> str:
        """What to do about what keeps it back."""
        if self.state == _SAID[Cause.KEY]:
            return "correct its key: a new one is tried at once"
        if self.state == _SAID[Cause.CREDITS]:
            return "buy credits, or set another key; it is tried again every five minutes"
        return f"it is tried again by itself; see glaze providers {self.spec.name}"


def standings(settings: Settings, installed: Providers, health: Health) -> list[Standing]:
    """Put together what is known of each provider, in name order."""
    return [_standing(spec, settings, installed, health) for spec in installed.specs]


def _standing(
    spec: ProviderSpec, settings: Settings, installed: Providers, health: Health
) -> Standing:
    access = installed.access[spec.name]
    closed = spec.opt_in and spec.name not in settings.allow
    why = f"opt-in: GLAZE_ALLOW={spec.name}" if closed else ""

    def is_ours(one: Window | Told) -> bool:
        name, _, _endpoint = one.name.partition(".")
        return (name, one.credential) == (spec.name, access.credential)

    needed = spec.key_setting is not None
    missing = "optional" if spec.key_optional else "missing"
    return Standing(
        spec=spec,
        not_in_use=installed.unusable.get(spec.name, why),
        key="set" if access.key else missing if needed else "not needed",
        base_url=access.base_url,
        calls=health.calls.get(spec.name, Calls()),
        windows=tuple(filter(is_ours, health.windows)),
        told=tuple(filter(is_ours, health.told)),
        circuit=next(
            (
                one
                for one in health.circuits
                if (one.name, one.base_url) == (spec.name, access.base_url)
            ),
            None,
        ),
    )


def providers(
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


async def read_standings(settings: Settings, since: datetime) -> list[Standing]:
    """Read how every installed provider stands, with its calls since then.

    Raises: StoreError, SettingsError.
    """
    installed = configure_providers(settings)
    async with fleet(settings) as db:
        health = await HealthStore(db).read(DEFAULT_WORKSPACE, since=since)
    return standings(settings, installed, health)


def as_document(one: Standing) -> Json:
    """Return a standing for machines: times as ISO 8601, money in micros, spans in seconds."""
    spec = one.spec
    operations: list[Json] = [
        {
            "name": op.name,
            "price_micros": op.price_micros,
            "batch_size": op.batch_size,
            "timeout_s": op.timeout_s,
            "gives": sorted(op.gives),
            "limits": [_limit(limit) for limit in (*op.limits, *op.bulk_limits)],
        }
        for op in spec.operations
    ]
    return {
        "name": spec.name,
        "state": one.state,
        "in_use": not one.not_in_use,
        "reason": one.not_in_use,
        "key": one.key,
        "opt_in": spec.opt_in,
        "notice": spec.notice,
        "base_url": one.base_url,
        "retries": spec.retries,
        "concurrency": spec.concurrency,
        "operations": operations,
        "limits": [_limit(limit) for limit in spec.limits],
        "headroom": [_plain(asdict(window)) for window in one.windows],
        "told": [_plain(asdict(told)) for told in one.told],
        "circuit": _plain(asdict(one.circuit)) if one.circuit else {"state": "closed"},
        "calls": _plain(asdict(one.calls)),
    }


def _limit(limit: Limit) -> Json:
    return {"calls": limit.calls, "window_s": limit.window_s}


def _plain(row: Mapping[str, object]) -> Json:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value  # type: ignore[misc]
        for name, value in row.items()
    }


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
        (one.spec.name, one.spec.limits),
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
