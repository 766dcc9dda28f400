"""``glaze ledger``: what was bought, what is unknown, and whether the books are right."""

import csv
import sys
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from glaze.boot.process import run
from glaze.cli.choose import chooses_calls
from glaze.cli.opening import fleet, workspace
from glaze.cli.screen import (
    AsJson,
    cells,
    harmless,
    money,
    out,
    plain_table,
    print_json,
    quiet,
    say,
    shown,
)
from glaze.errors import InputError
from glaze.model.ledger import CallState
from glaze.model.value import MICROS_PER_DOLLAR, CallId, Json, Micros
from glaze.settings import load_settings
from glaze.store.calls import CallFilter, CallStore, CallStory, CallView
from glaze.store.ledger_check import Verified, verify
from glaze.tasks.call_export import BILLED, COLUMNS, as_document, line_of, plain

ledger = typer.Typer(
    help="See what was bought, resolve what is unknown, and verify the books.",
    no_args_is_help=True,
)

_LARGEST_ID = 2**63 - 1
By = Annotated[
    str,
    typer.Option(metavar="TEXT", help="How this was found out; it is kept with the call."),
]


@ledger.command("list")
@chooses_calls
def list_calls(
    which: CallFilter,
    *,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List calls, the newest first: who was asked, what it cost, what came of it.

    WHEN is a time (2026-01-31T10:00Z) or an age (30m, 12h, 7d).
    """
    found = run(_list(which, limit))
    if as_json:
        for call in found:
            print_json(as_document(call))
        return
    if not found:
        say("no such calls")
        return
    sums = ("reserved", "price", "job")
    words = ("made at", "provider", "operation", "verdict")
    table = plain_table("call", "state", numbers=sums, elastic=words)
    for call in found:
        price = "-" if call.price_micros is None else money(call.price_micros)
        made = f"{call.created_at:%Y-%m-%d %H:%M:%S}"
        facts = (str(call.id), call.state, money(call.reserved_micros), price)
        asked = (call.provider, call.operation, call.verdict or "-")
        table.add_row(*cells(*facts, str(call.job_id or "-"), made, *asked))
    out.print(table)
    if len(found) == limit:
        say("there may be more: --limit")


@ledger.command()
def show(
    call: Annotated[int, typer.Argument(metavar="ID", min=1, max=_LARGEST_ID)],
    *,
    as_json: AsJson = False,
) -> None:
    """Show one call: why it was made, what the vendor said and billed, what it stated."""
    story = run(_story(CallId(call)))
    if as_json:
        print_json(
            {
                **as_document(story.call),
                "request": plain(story.request),
                "brought": [plain(one) for one in story.brought],
            }
        )
        return
    facts: dict[str, Json] = {**as_document(story.call), "request": plain(story.request)}
    for name, value in facts.items():
        if value not in (None, [], ""):
            out.print(harmless(f"{name}: {shown(value)}"), markup=False)
    for one in story.brought:
        line = f"  {one['field']} = {shown(one['value'])} ({one['confidence']})"
        source = one["source_url"] or ""
        out.print(harmless(f"{line}  {source}".rstrip()), markup=False)
    if told := _what_to_do(story.call):
        say(told)


@ledger.command()
def resolve(
    calls: Annotated[
        list[int], typer.Argument(metavar="ID...", min=1, max=_LARGEST_ID, help="Unknown calls.")
    ],
    *,
    billed: Annotated[
        str | None, typer.Option(metavar="DOLLARS", help="What the vendor billed for each.")
    ] = None,
    not_billed: Annotated[bool, typer.Option("--not-billed", help="Nothing was billed.")] = False,
    by: By,
) -> None:
    """Record what unknown calls did cost, as the vendor's own account tells.

    What was not billed may be asked again. What was billed counts, and is not asked again while a
    miss would not be.
    """
    if (billed is None) is not not_billed:
        raise InputError("say either --billed DOLLARS or --not-billed")
    micros = Micros(0) if billed is None else _micros(billed, "--billed")
    if billed is not None and not micros:
        raise InputError("--billed 0 is --not-billed")
    run(_resolve({CallId(call): micros for call in calls}, by))
    say(f"{len(set(calls)):,} resolved")


@ledger.command()
def reconcile(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)],
    *,
    by: By,
) -> None:
    """Resolve unknown calls from an exported CSV in which the column "billed" was filled in.

    "billed" is what the vendor's own account shows for the call, in dollars; 0 for nothing. Rows
    where it is empty are left as they are. All of it is recorded or, where one row is wrong, none.
    """
    found = _read(file)
    run(_resolve(found, by)) if found else say(f'no row of {file} has "{BILLED}" filled in')
    if found:
        say(f"{len(found):,} resolved, {money(sum(found.values()))} of it billed")


@ledger.command()
@chooses_calls
def export(
    which: CallFilter,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Output file; standard output without.")
    ] = None,
) -> None:
    """Write calls as CSV, the newest first; money in dollars.

    Its column "billed" is empty: fill it in for unknown calls, and `glaze ledger reconcile` reads it.
    """
    count = run(_export(which, output))
    say(f"{count:,} calls written")


@ledger.command("verify")
def verify_books(*, as_json: AsJson = False) -> None:
    """Judge every invariant of the ledger from its rows; exits with 1 where one is broken."""
    verified = run(_verify())
    for one in verified:
        if as_json:
            print_json({**asdict(one), "holds": one.holds, "examples": list(one.examples)})
            continue
        words = one.invariant.replace("_", " ")
        mark = "ok    " if one.holds else "BROKEN"
        out.print(f"{mark} {words}: {one.rows:,} looked at, {one.broken:,} broken", markup=False)
        for example in one.examples:
            out.print(harmless(f"       {example}"), markup=False)
    if not all(one.holds for one in verified):
        raise typer.Exit(1)


def _what_to_do(call: CallView) -> str | None:
    """Say what becomes of a call that is open, and what a user can do about it."""
    if call.state is CallState.UNKNOWN and call.reserved_micros:
        return (
            f"perhaps billed: look into {call.provider}'s own usage page for"
            f" {call.created_at:%Y-%m-%d %H:%M:%S} UTC, then\n"
            f"  glaze ledger resolve {call.id} --not-billed --by TEXT\n"
            f"  glaze ledger resolve {call.id} --billed DOLLARS --by TEXT"
        )
    if call.state is CallState.PENDING_VENDOR:
        how = "sent again under its key" if call.resend == "idempotent" else "collected, for free"
        return (
            f"nothing to do: its answer is {how}, until {call.collect_until:%Y-%m-%d %H:%M:%S} UTC"
        )
    return None


def _read(file: Path) -> dict[CallId, Micros]:
    """Return the prices of a reconciled export. Raises: InputError with the line at fault."""
    found: dict[CallId, Micros] = {}
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        if not {"id", BILLED} <= set(rows.fieldnames or ()):
            raise InputError(f'{file}: the columns "id" and "{BILLED}" are needed')
        for row in rows:
            where = f"{file}, line {rows.line_num}"
            if not (billed := (row[BILLED] or "").strip()):
                continue
            number = (row["id"] or "").strip()
            if not (number.isdecimal() and 0 < int(number) <= _LARGEST_ID):
                raise InputError(f"{where}: {number!r} is no call's id")
            if CallId(int(number)) in found:
                raise InputError(f"{where}: call {number} is there twice")
            found[CallId(int(number))] = _micros(billed, where)
    return found


def _micros(dollars: str, where: str) -> Micros:
    """Return an amount of dollars in micros. Raises: InputError."""
    try:
        micros = Decimal(dollars.strip().removeprefix("$")) * MICROS_PER_DOLLAR
    except InvalidOperation:
        raise InputError(f"{where}: {dollars!r} is no amount of dollars") from None
    if not micros.is_finite() or not 0 <= micros <= 10**12 or micros != micros.to_integral_value():
        raise InputError(f"{where}: {dollars!r} is no amount from $0 to $1,000,000 in millionths")
    return Micros(int(micros))


async def _list(which: CallFilter, limit: int) -> list[CallView]:
    async with fleet(quiet(load_settings())) as db:
        return await CallStore(db).page(workspace(), which, limit)


async def _story(call: CallId) -> CallStory:
    async with fleet(quiet(load_settings())) as db:
        return await CallStore(db).story(workspace(), call)


async def _resolve(found: Mapping[CallId, Micros], by: str) -> None:
    async with fleet(quiet(load_settings())) as db:
        await CallStore(db).resolve(workspace(), found, by)


async def _export(which: CallFilter, output: Path | None) -> int:
    count = 0
    async with fleet(quiet(load_settings())) as db:
        target = sys.stdout if output is None else output.open("w", encoding="utf-8", newline="")
        try:
            writer = csv.writer(target)
            writer.writerow((*COLUMNS, BILLED))
            async for call in CallStore(db).all(workspace(), which):
                writer.writerow(line_of(call))
                count += 1
        finally:
            if output is not None:
                target.close()
    return count


async def _verify() -> list[Verified]:
    async with fleet(quiet(load_settings())) as db:
        return await verify(db, workspace())
