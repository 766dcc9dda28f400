"""``glaze order``: what was learned of the providers, and by which rules the workspace has jobs ask."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from glaze.boot.process import run
from glaze.cli.ask import parse_names
from glaze.cli.opening import boot, workspace
from glaze.cli.screen import AsJson, cells, money, out, plain_table, print_json, quiet, say
from glaze.errors import InputError
from glaze.model.asking_rule import EVERY, AskingRule, Way
from glaze.model.field import known_field
from glaze.model.history import HALF_LIFE, WINDOW
from glaze.model.value import Micros
from glaze.pipeline.lessons import Lesson, Lift, lessons, lifts
from glaze.pipeline.order import arranged
from glaze.pipeline.rates import LEAST
from glaze.settings import load_settings
from glaze.store.history import HistoryStore
from glaze.tasks.asking_rules import refuse_unknown

order = typer.Typer(
    help="Show what the order of asking was learned from; list and set the workspace's own rules.",
    invoke_without_command=True,
)

_ACTOR = "command line"
Kind = Annotated[str, typer.Option(help="Only for this kind of job; see: glaze kinds.")]
About = Annotated[str, typer.Option("--field", help="Only for this field; see docs/fields.md.")]


@order.callback()
def learned(
    context: typer.Context,
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
    if context.invoked_subcommand is not None:
        return
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
    first, as_learned = arranged(load_settings().order)
    then = "as learned" if as_learned else "cheapest first"
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


@order.command("list")
def list_rules(*, as_json: AsJson = False) -> None:
    """List the rules by which this workspace's jobs ask, the widest first.

    What a job says itself goes before all of them; then a rule about its field and kind, about the
    field, about the kind, about neither; then the settings.
    """
    found = run(_rules())
    if as_json:
        for rule in found:
            print_json({"kind": rule.kind or None, "field": rule.field or None, **asdict(rule.way)})
        return
    if not found:
        say("no rule is set: glaze order set --first NAMES --floor N --only NAMES")
        return
    table = plain_table("kind", "field", "first", "only", numbers=("floor",))
    for rule in found:
        way = rule.way
        names = ("-" if one is None else ", ".join(one) for one in (way.order, way.providers))
        floor = "-" if way.floor is None else str(way.floor)
        table.add_row(*cells(rule.kind or "every", rule.field or "every", *names, floor))
    out.print(table)


@order.command("set")
def set_rule(
    *,
    kind: Kind = EVERY,
    field: About = EVERY,
    first: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Whom to ask first: learned, cheapest, originals, or names, comma-separated.",
        ),
    ] = None,
    floor: Annotated[
        int | None, typer.Option(min=0, max=100, help="A value below it counts as missing.")
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Ask only these, comma-separated; an opt-in provider is allowed by it, too.",
        ),
    ] = None,
) -> None:
    """Set a rule for this workspace's jobs, in place of the one about the same kind and field.

    What it leaves out is said by a wider rule, or by the settings. It holds for what begins from
    now on.
    """
    way = Way(parse_names(first, "--first"), floor, parse_names(only, "--only"))
    run(_set(AskingRule(kind, field, way)))
    say(f"set: {_about(kind, field)}")


@order.command()
def remove(*, kind: Kind = EVERY, field: About = EVERY) -> None:
    """Remove the rule about a kind and a field; wider ones, or the settings, hold again."""
    if not run(_remove(kind, field)):
        raise InputError(f"no rule is set for {_about(kind, field)}")
    say(f"removed: {_about(kind, field)}")


def _about(kind: str, field: str) -> str:
    return f"{kind or 'every kind of job'}, {field or 'every field'}"


async def _rules() -> list[AskingRule]:
    async with boot(quiet(load_settings())) as app:
        return await app.asking_rules.of(workspace())


async def _set(rule: AskingRule) -> None:
    async with boot(quiet(load_settings())) as app:
        refuse_unknown(rule, app.kinds, app.provider_names)
        await app.asking_rules.put(workspace(), rule, _ACTOR)


async def _remove(kind: str, field: str) -> bool:
    async with boot(quiet(load_settings())) as app:
        return await app.asking_rules.remove(workspace(), kind, field, _ACTOR)


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
        history = HistoryStore(app.db)
        tallies = await history.tallies(workspace(), specs)
        runs = await history.runs(workspace(), specs)
    return lessons(tallies, specs, segments=segments), lifts(tallies, specs, runs)
