"""``glaze order``: what was learned of the providers, and what each of them adds."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from glaze.boot.process import run
from glaze.cli.opening import boot, workspace
from glaze.cli.screen import AsJson, cells, money, out, plain_table, print_json, quiet, say
from glaze.model.field import known_field
from glaze.model.history import HALF_LIFE, WINDOW
from glaze.model.value import Micros
from glaze.pipeline.lessons import Lesson, Lift, lessons, lifts
from glaze.pipeline.order import arranged
from glaze.pipeline.rates import LEAST
from glaze.settings import load_settings
from glaze.store.history import HistoryStore


def order(
    *,
    field: Annotated[
        str | None, typer.Option(help="Only of this field; see docs/fields.md.")
    ] = None,
    segments: Annotated[
        bool, typer.Option("--segments", help="Tell identifiers and countries apart.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what the order of asking was learned from: rates by circumstance, and each one's lift.

    A rate belongs to what had missed the field before; with its 90 % interval, leaning on wider
    circumstances where calls are few. The lift is what an operation filled that the paid ones
    before it had not.
    """
    wanted = None if field is None else known_field(field).name
    found, added = run(_read(segments=segments))
    found = [one for one in found if wanted in (None, one.field)]
    added = [one for one in added if wanted in (None, one.field)]
    if as_json:
        print_json(
            {
                "lessons": [_as_json(one) for one in found],
                "lifts": [asdict(one) for one in added],
            }
        )
        return
    first, learned = arranged(load_settings().order)
    then = "as learned" if learned else "cheapest first"
    say(f"asked first: {', '.join(first) or 'what is free'}; then {then}")
    if not found:
        say("nothing was asked yet")
        return
    _print_lessons(found, segments=segments)
    if added:
        out.print()
        _print_lifts(added)
    say(
        f"of the last {WINDOW:,} calls; one counts half after {HALF_LIFE:,} newer ones about its field;"
        f" below {LEAST} a rate is not acted upon"
    )


def _print_lessons(found: list[Lesson], *, segments: bool) -> None:
    more = ("asked by", "country") if segments else ()
    numbers = ("calls", "fills", "90 %", "price", "a fill", "seconds")
    table = plain_table("field", "operation", *more, numbers=numbers, elastic=("after",))
    for one in found:
        seen = one.estimate
        figures = (
            f"{one.calls:,}" + ("" if seen.known else " few"),
            f"{seen.rate:.0%}",
            f"{100 * seen.low:.0f}-{100 * seen.high:.0f} %",
            money(Micros(round(seen.cost_micros))),
            money(Micros(round(one.per_fill_micros))),
            "-" if seen.seconds is None else f"{seen.seconds:.1f}",
        )
        segment = (one.asked_by or "-", one.country or "-") if segments else ()
        after = ", ".join(one.missed) or "-"
        table.add_row(*cells(one.field, one.operation, *segment, *figures, after))
    out.print(table)


def _print_lifts(added: list[Lift]) -> None:
    table = plain_table("field", "operation", numbers=("after misses", "fills", "90 %", "adds"))
    for one in added:
        interval = f"{100 * one.low:.0f}-{100 * one.high:.0f} %"
        figures = (f"{one.calls:,}", f"{one.rate:.0%}", interval, f"{100 * one.points:.1f} points")
        table.add_row(*cells(one.field, one.operation, *figures))
    out.print(table)


def _as_json(one: Lesson) -> dict[str, Any]:
    facts = asdict(one)
    return {**facts, "per_fill_micros": one.per_fill_micros, "known": one.estimate.known}


async def _read(*, segments: bool) -> tuple[list[Lesson], list[Lift]]:
    async with boot(quiet(load_settings())) as app:
        specs = app.providers.specs
        tallies = await HistoryStore(app.db).tallies(workspace(), specs)
    return lessons(tallies, specs, segments=segments), lifts(tallies, specs)
