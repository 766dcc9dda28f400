"""What an enrichment came to: hit rate by field and provider, and every cent."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from glaze.cli.ask import FileAsk
from glaze.cli.progress import Tally
from glaze.cli.screen import err, money, out
from glaze.model.ledger import PausedPrice
from glaze.model.value import FieldName

_MOST_TROUBLES = 5


def show_summary(
    ask: FileAsk,
    tally: Tally,
    spend: Sequence[Mapping[str, Any]],
    paused: Sequence[PausedPrice],
) -> None:
    """Print the tables; on standard error where standard output carries the rows.

    ``paused`` are the prices that are paused now; those that kept a row from an answer are told.
    """
    console = err if ask.target.is_stdout else out
    console.print(field_table(ask.fields, tally))
    if spend:
        console.print(provider_table(spend, tally))
    paid = sum(int(row["price_micros"]) for row in spend)
    console.print(
        f"total spend: {money(paid)} for {tally.rows:,} rows;"
        f" {tally.cached:,} of {tally.filled.total():,} values came from the cache",
        markup=False,
    )
    show_unknown(console, spend)
    show_stop(console, tally, paid)
    show_paused(console, tally, paused)
    show_troubles(console, tally)
    if not ask.target.is_stdout:
        console.print(f"written: {ask.target.path}", markup=False)
    if tally.bad:
        console.print(f"rows that could not be used: {tally.bad:,}, in {ask.errors}", markup=False)
    if tally.partly:
        console.print(
            f"rows with a value that could not be used, asked for by the rest: {tally.partly:,},"
            f" in {ask.errors}",
            markup=False,
        )


def show_unknown(console: Console, spend: Sequence[Mapping[str, Any]]) -> None:
    """Say what may have been billed without an answer."""
    calls = sum(int(row["unknown_calls"]) for row in spend)
    if calls:
        kept = sum(int(row["unknown_micros"]) for row in spend)
        console.print(
            f"calls whose outcome is unknown: {calls:,}, counted at {money(kept)} until resolved",
            markup=False,
        )


def show_stop(console: Console, tally: Tally, paid_micros: int) -> None:
    """Say how far the money went where it did not reach for all that was wanted."""
    if tally.over_budget:
        console.print(
            f"stopped at {money(paid_micros)}: {tally.complete:,} rows complete,"
            f" {tally.rows - tally.complete:,} partial; for {tally.over_budget:,} of them the next"
            " source did not fit a cap. With a higher cap the same command goes on and pays nothing"
            " twice",
            markup=False,
        )


def show_paused(console: Console, tally: Tally, paused: Sequence[PausedPrice]) -> None:
    """Say which prices vendors have passed, for how many rows nobody was asked for it, and what helps."""
    for price in paused:
        if rows := tally.price_paused[price.provider]:
            name = f"{price.provider}.{price.operation}"
            console.print(
                f"{price.provider} was not asked for {rows:,} rows: {name} billed"
                f" {money(price.billed_micros)} where {money(price.reserved_micros)} was the most, and"
                f" its price is paused. To ask it again: glaze budget resume {name}",
                markup=False,
            )


def show_troubles(console: Console, tally: Tally) -> None:
    """Say which sources gave no answer and why, the most frequent reasons first."""
    for (name, error), times in tally.troubles.most_common(_MOST_TROUBLES):
        console.print(f"{name}: {times:,} times {error}", markup=False)


def field_table(fields: Sequence[FieldName], tally: Tally) -> Table:
    """Return for how many rows each field was found, of those that did not have it already."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("field")
    for name in ("given", "filled", "hit rate") if tally.given else ("filled", "hit rate"):
        table.add_column(name, justify="right")
    for field in fields:
        given, filled = tally.given[field], tally.filled[field]
        counts = (given, filled) if tally.given else (filled,)
        table.add_row(field, *(f"{n:,}" for n in counts), _share(filled, tally.rows - given))
    return table


def provider_table(spend: Sequence[Mapping[str, Any]], tally: Tally) -> Table:
    """Return what each provider was asked, how often it knew, what it gave and what it cost."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("provider")
    for name in ("calls", "matches", "hit rate", "values used", "spend"):
        table.add_column(name, justify="right")
    for row in spend:
        calls, matches = int(row["calls"]), int(row["matches"])
        table.add_row(
            str(row["provider"]),
            f"{calls:,}",
            f"{matches:,}",
            _share(matches, calls),
            f"{tally.by_source[str(row['provider'])]:,}",
            money(int(row["price_micros"])),
        )
    return table


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "-"
