"""``glaze plan``: what a run over a file would find and buy, before a cent is spent."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from glaze.boot.app import App
from glaze.boot.process import run, utc_now
from glaze.cli.ask import (
    FileAsk,
    Limits,
    ask_of_file,
    looks_like_file,
    parse_dollars,
    parse_names,
)
from glaze.cli.enrich_file import check_names, check_rows, show_mapping
from glaze.cli.opening import boot, workspace
from glaze.cli.options import (
    Allow,
    Budget,
    Columns,
    Encoding,
    Fields,
    MaxCost,
    Only,
    Order,
    SkipCache,
)
from glaze.cli.screen import AsJson, err, money, out, plain_table, print_json, quiet, say
from glaze.errors import InputError
from glaze.files.reading import Row, read_rows
from glaze.model.ledger import Refusal
from glaze.model.request import EnrichArgs
from glaze.model.value import MICROS_PER_CENT
from glaze.pipeline.forecast import Band, Forecast
from glaze.pipeline.plan import Plan
from glaze.pipeline.rates import LEAST
from glaze.settings import Settings, load_settings
from glaze.tasks.plan_document import binding_cents, plan_document


def plan(
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV, JSONL, Parquet, XLSX.")],
    *,
    fields: Fields = None,
    mapping: Columns = None,
    max_cost: MaxCost = None,
    budget: Budget = None,
    allow: Allow = None,
    providers: Only = None,
    order: Order = None,
    encoding: Encoding = None,
    skip_cache: SkipCache = False,
    as_json: AsJson = False,
) -> None:
    """Say what `glaze enrich` with the same options would find and cost; asks nobody.

    What the cache holds is exact. The rest is played through with the order that the run would take
    and the rates that the ledger taught: p50 is as likely passed as not, p95 one time in twenty.
    """
    if not Path(file).exists() and not looks_like_file(file):
        raise InputError(
            f"glaze plan takes a file of rows, and no file is called {file!r};"
            " what a single input may cost is bound by: glaze enrich URL --max-cost DOLLARS"
        )
    limits = Limits(
        skip_cache=skip_cache,
        max_cost_cents=parse_dollars(max_cost, "--max-cost"),
        budget_cents=parse_dollars(budget, "--budget"),
        allow=tuple(allow or ()),
        providers=parse_names(providers, "--providers"),
        order=parse_names(order, "--order"),
    )
    settings = quiet(load_settings())
    settings = settings.with_changes(allow=(*settings.allow, *limits.allow))
    ask = ask_of_file(
        Path(file),
        output=None,
        errors=None,
        fields=fields,
        given=mapping or (),
        limits=limits,
        provenance=False,
        as_json=as_json,
        encoding=encoding,
    )
    if not as_json:
        show_mapping(ask)
    check_rows(ask)
    made = run(_plan(settings, ask))
    print_json(plan_document(made, ask.fields)) if as_json else _show(made, ask)


async def _plan(settings: Settings, ask: FileAsk) -> Plan:
    async with boot(settings) as app:
        return await plan_of(app, settings, ask)


async def plan_of(app: App, settings: Settings, ask: FileAsk) -> Plan:
    """Plan a run over a checked file. Raises: InputError for a provider that is not installed."""
    check_names(app, ask)
    args = EnrichArgs.model_validate(ask.limits.shared(ask.fields))
    planner = app.planner(settings)
    return await planner.plan(workspace(), args, _inputs(ask), utc_now())


def _inputs(ask: FileAsk) -> Iterator[dict[str, str]]:
    """Yield what stands in each row; whom it identifies, if anybody, the planner finds out."""
    for row in read_rows(ask.source):
        if isinstance(row, Row):
            yield ask.mapping.input_of(row.values)


def priced(made: Plan) -> str:
    """Return on one line what would be bought and what is there already."""
    yours = made.yours.total() + made.given.total()
    there = f"{yours:,} of {made.wanted:,} values are already yours"
    if made.forecast is None or made.forecast.most_micros == 0:
        return f"would buy nothing; {there}"
    cost, answers = made.forecast.cost, made.forecast.answers
    return (
        f"would buy about {answers.p50:,.0f} answers, {_dollars(cost.p50)}"
        f" (p95 {_dollars(cost.p95)}); {there}"
    )


def agreed(made: Plan, *, yes: bool) -> bool:
    """Say what a run would buy and ask whether it may, where somebody is there to answer."""
    say(priced(made))
    for line in _bounds(made):
        say(line)
    asks = made.forecast is not None and made.forecast.most_micros > 0
    if yes or not asks or not is_interactive():
        return True
    return typer.confirm("go on?", default=True, err=True)


def is_interactive() -> bool:
    """Tell whether somebody sits at a terminal."""
    return sys.stdin.isatty() and err.is_terminal


def _show(made: Plan, ask: FileAsk) -> None:
    table = plain_table("field", numbers=("given", "yours", "p5", "p50", "p95"))
    for name in ask.fields:
        band = made.filled(name)
        there = (f"{made.given[name]:,}", f"{made.yours[name]:,}")
        table.add_row(name, *there, *(_share(part, made.rows) for part in _parts(band)))
    out.print(table)
    out.print(priced(made), markup=False)
    found = made.forecast
    if found is None:
        return
    costs = plain_table("provider", numbers=("asked", "spend"))
    for operation, times in found.asked.items():
        costs.add_row(operation, f"{times:,.0f}", _dollars(found.spent[operation]))
    if found.asked:
        out.print(costs)
    out.print(
        f"cost: p5 {_dollars(found.cost.p5)}, p50 {_dollars(found.cost.p50)},"
        f" p95 {_dollars(found.cost.p95)}; never above {_dollars(found.most_micros)} by the price list"
    )
    for line in _words(made, found, ask):
        out.print(line, markup=False)


def _words(made: Plan, found: Forecast, ask: FileAsk) -> Iterator[str]:
    """Yield what to think of the figures."""
    yield from _bounds(made)
    if found.unlearned:
        names = ", ".join(found.unlearned)
        yield (
            f"too little history (fewer than {LEAST} calls) of {names}:"
            " for these the figures are the price list and a guess of one half, not experience"
        )
    elif found.asked:
        yield f"learned from {found.learned_from:,} calls of {next(iter(found.asked))}"
    if made.twins:
        yield f"{made.twins:,} rows mean the same as an earlier one and cost nothing more"
    if (budget := _budget(ask)) is not None and found.cost.p50 > budget:
        rows = made.rows - made.open + round(made.open * budget / found.cost.p50)
        yield f"the budget of {_dollars(budget)} would stop it after about {rows:,} rows"
    elif found.most_micros and budget is None:
        yield f"to bind a run to this: --budget {binding_cents(made) / 100:.2f}"


def _bounds(made: Plan) -> Iterator[str]:
    """Yield who is not asked for its price, and which standing caps are nearer than the cost."""
    dear = [name for name, no in made.barred.items() if no.why is Refusal.BUDGET]
    for name, no in made.barred.items():
        if no.why is Refusal.PRICE:
            yield f"Not in it: {name}, {no.detail}; to ask it again: glaze budget resume {name}"
    if dear:
        yield f"Not in it, for a call may cost more than a cap leaves: {', '.join(dear)}"
    for budget in made.allowance.budgets:
        own = f"{budget.provider}." if budget.provider else ""
        if any(name.startswith(own) for name in dear) or _expected(made, own) > budget.left_micros:
            whose = f"{budget.provider}'s cap of the month" if own else "the day's cap"
            yield f"{whose} leaves {money(budget.left_micros)}"


def _expected(made: Plan, own: str) -> float:
    """Return the p95 of the whole, or the average of the operations whose names begin so, in micros."""
    found = made.forecast
    if found is None:
        return 0.0
    if not own:
        return found.cost.p95
    return sum(spent for name, spent in found.spent.items() if name.startswith(own))


def _budget(ask: FileAsk) -> int | None:
    cents = ask.limits.budget_cents
    return None if cents is None else cents * MICROS_PER_CENT


def _dollars(micros: float) -> str:
    """Return an amount that is not known to the cent in whole cents."""
    return money(round(micros / MICROS_PER_CENT) * MICROS_PER_CENT)


def _share(part: float, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"


def _parts(band: Band) -> tuple[float, float, float]:
    return band.p5, band.p50, band.p95
