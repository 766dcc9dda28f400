"""``glaze enrich``: a file of rows, or one URL, domain or e-mail address."""

from pathlib import Path
from typing import Annotated

import typer

from glaze.boot.process import run
from glaze.cli.ask import (
    FileAsk,
    Limits,
    ask_of_file,
    fields_wanted,
    input_of,
    looks_like_file,
    parse_dollars,
    parse_names,
    parse_type,
)
from glaze.cli.enrich_file import check_rows, enrich_file, show_mapping
from glaze.cli.enrich_one import OneAsk, enrich_one, show_result
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
    Type,
)
from glaze.cli.plan import agreed, is_interactive, plan_of
from glaze.cli.screen import INTERRUPTED, quiet, say
from glaze.errors import InputError
from glaze.model.request import EnrichResult
from glaze.settings import Settings, load_settings


def enrich(
    what: Annotated[
        str,
        typer.Argument(
            metavar="FILE|URL", help="CSV, JSONL, Parquet, XLSX; or a URL, domain, e-mail."
        ),
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Output file, - for standard output.", dir_okay=False),
    ] = None,
    fields: Fields = None,
    type_: Type = None,
    mapping: Columns = None,
    max_cost: MaxCost = None,
    budget: Budget = None,
    allow: Allow = None,
    providers: Only = None,
    order: Order = None,
    errors: Annotated[
        Path | None, typer.Option(help="Where rows go that cannot be used.", dir_okay=False)
    ] = None,
    encoding: Encoding = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=5000, help="Rows worked on at once.")
    ] = None,
    provenance: Annotated[
        bool,
        typer.Option("--provenance", help="Add confidence, source, source URL, cost columns."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object, or one a row, for machines.")
    ] = False,
    skip_cache: SkipCache = False,
    verify: Annotated[
        bool,
        typer.Option(help="Have the LLM check what sources disagree on against the site."),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="On a terminal: do not ask before a file is paid for.")
    ] = False,
) -> None:
    """Fill what is missing, with a source for every value.

    On a terminal it first says what a file would buy, by what was learned, and asks.
    Stopped with Ctrl-C or killed, the same command goes on where it was and pays nothing twice.
    """
    limits = Limits(
        skip_cache=skip_cache,
        verify=verify,
        max_cost_cents=parse_dollars(max_cost, "--max-cost"),
        budget_cents=parse_dollars(budget, "--budget"),
        allow=tuple(allow or ()),
        providers=parse_names(providers, "--providers"),
        order=parse_names(order, "--order"),
        type=parse_type(type_),
    )
    if not what.strip():
        raise InputError(
            "there is nothing to enrich: give a file of rows, a URL, a domain or an e-mail address"
        )
    settings = quiet(load_settings())
    settings = settings.with_changes(allow=(*settings.allow, *limits.allow))
    if Path(what).exists() or looks_like_file(what):
        ask = ask_of_file(
            Path(what),
            output=output,
            errors=errors,
            fields=fields,
            given=mapping or (),
            limits=limits,
            provenance=provenance,
            as_json=as_json,
            encoding=encoding,
        )
        run_file(settings, ask, concurrency=concurrency, yes=yes)
        return
    if output or errors or mapping or encoding or provenance or budget or concurrency:
        raise InputError(
            "--output, --errors, --map, --encoding, --provenance, --budget and --concurrency go"
            f" with a file, and no file is called {what!r}; a single input's cap is --max-cost"
        )
    one = _one(what, fields, limits)
    show_result(run(_run_one(settings, one)), one, as_json=as_json)


def run_file(
    settings: Settings, ask: FileAsk, *, concurrency: int | None, yes: bool = True
) -> None:
    """Enrich a checked file; exits with 130 where the user stopped it."""
    show_mapping(ask)
    check_rows(ask)
    if not run(_run_file(settings, ask, concurrency=concurrency, yes=yes)):
        raise typer.Exit(INTERRUPTED)


async def _run_file(
    settings: Settings, ask: FileAsk, *, concurrency: int | None, yes: bool
) -> bool:
    async with boot(settings) as app:
        # Who was interrupted has agreed already; a script is held by its caps.
        begun = await app.batches.find(workspace(), ask.key) is not None
        if (
            is_interactive()
            and not begun
            and not agreed(await plan_of(app, settings, ask), yes=yes)
        ):
            say("nothing was asked and nothing paid")
            return True
        return await enrich_file(app, ask, concurrency=concurrency)


def _one(what: str, fields: str | None, limits: Limits) -> OneAsk:
    given = input_of(what)
    return OneAsk(given, fields_wanted(fields, limits.type, given), limits)


async def _run_one(settings: Settings, ask: OneAsk) -> EnrichResult:
    async with boot(settings) as app:
        return await enrich_one(app, ask)
