"""``glaze calibrate``: how often sources were right where they were sure, and believe them so."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from glaze.boot.process import run
from glaze.cli.opening import boot, workspace
from glaze.cli.screen import AsJson, cells, out, plain_table, print_json, quiet, say
from glaze.errors import InputError
from glaze.model.calibration import Calibration, Judged, Origin, cross_validated, fit
from glaze.model.field import FIELDS
from glaze.model.normalise import Invalid, normalise
from glaze.model.value import FieldName, Json
from glaze.settings import load_settings
from glaze.store.calibration import CalibrationStore

_LINES = 500


def calibrate(
    *,
    show: Annotated[
        bool, typer.Option("--show", help="Show the curves that count; change nothing.")
    ] = False,
    reset: Annotated[
        bool, typer.Option("--reset", help="Believe sources as they state again.")
    ] = False,
    from_sandbox: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Judge by the sandbox's truth instead, JSON lines of its route truth/companies.jsonl;"
            " the curves are called simulated.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fit how far each source is believed to what people confirmed, chose or corrected.

    From then on merges use it, in every process within 5 seconds; each fit takes the place of the
    one before. Nothing is asked or bought.
    """
    if show + reset + (from_sandbox is not None) > 1:
        raise InputError("give one of --show, --reset and --from-sandbox")
    if show:
        _show(run(_newest()), as_json=as_json)
    elif reset:
        say(f"version {run(_reset()).version}: sources are believed as they state")
    else:
        made = run(_fit(from_sandbox, _read(from_sandbox)))
        word = "simulated, " if made.origin is Origin.SIMULATED else ""
        told = f"{len(made.curves):,} curves of {made.samples:,} statements"
        say(f"version {made.version}: {word}{told}; {_held_out(made)}")


def _held_out(made: Calibration) -> str:
    """Return how well it tells of what it was not fitted to, for people."""
    if made.held_out is None:
        return "too few records to tell how well it holds for others"
    before, after = made.held_out
    figures = (
        f"ECE {before.ece:.3f} -> {after.ece:.3f}, Brier {before.brier:.3f} -> {after.brier:.3f}"
    )
    return f"{figures} (each record by what the others taught)"


def _told(newest: Calibration) -> dict[str, Json]:
    """Return the same figures for programs: nothing where they were not tried."""
    if newest.held_out is None:
        return {}
    before, after = newest.held_out
    return {
        "ece_before": before.ece,
        "ece_after": after.ece,
        "brier_before": before.brier,
        "brier_after": after.brier,
    }


def _read(path: Path | None) -> list[str]:
    return [] if path is None else path.read_text("utf-8").splitlines()


def _show(newest: Calibration | None, *, as_json: bool) -> None:
    if newest is None or not newest.curves:
        say("there is no calibration: sources are believed as they state")
        return
    lines = list(_lines(newest))
    if as_json:
        for line in lines:
            print_json(
                {"version": newest.version, "origin": newest.origin, **line, **_told(newest)}
            )
        return
    said = f"version {newest.version}, {newest.origin}, {newest.samples:,} statements"
    say(f"{said}, {newest.fitted_at:%Y-%m-%d %H:%M}; {_held_out(newest)}")
    table = plain_table(
        "provider", "field", numbers=("stated", "n", "right %", "95 %", "believed %")
    )
    for line in lines:
        low, high = line["low"], line["high"]
        shares = (f"{line['observed']:.0%}", f"{low:.0%} to {high:.0%}", f"{line['believed']:.0%}")
        stated = (f"{line['stated']:.0f}", str(line["n"]))
        table.add_row(*cells(str(line["provider"]), str(line["field"]), *stated, *shares))
    out.print(table)


def _lines(newest: Calibration) -> Iterator[dict[str, Json]]:
    for (provider, name), curve in sorted(newest.curves.items()):
        for one in curve.bins:
            low, high = one.interval
            yield {
                "provider": provider,
                "field": name,
                "stated": one.stated,
                "n": one.n,
                "observed": one.observed,
                "low": low,
                "high": high,
                "believed": curve.sure(one.stated),
            }


async def _newest() -> Calibration | None:
    async with boot(quiet(load_settings())) as app:
        return await CalibrationStore(app.db).newest(workspace())


async def _reset() -> Calibration:
    async with boot(quiet(load_settings())) as app:
        return await CalibrationStore(app.db).add(workspace(), Origin.USERS, 0, {})


async def _fit(truth: Path | None, lines: Sequence[str]) -> Calibration:
    """Judge, fit and store. Raises: InputError where there is nothing to judge by."""
    async with boot(quiet(load_settings())) as app:
        store = CalibrationStore(app.db)
        if truth is None:
            origin, judged = Origin.USERS, await store.judged_by_people(workspace())
        else:
            origin, judged = Origin.SIMULATED, await _simulated(store, truth, lines)
        if not judged:
            raise InputError(
                "nothing was confirmed, chosen or corrected yet: glaze values confirm RECORD FIELD"
                if truth is None
                else f"{truth}: nothing is known of the companies in it"
            )
        curves = fit(judged)
        held_out = cross_validated(judged)
        return await store.add(workspace(), origin, len(judged), curves, held_out)


async def _simulated(store: CalibrationStore, path: Path, lines: Sequence[str]) -> list[Judged]:
    judged: list[Judged] = []
    for start in range(0, len(lines), _LINES):
        truth = dict(_truth(lines[start : start + _LINES], path))
        judged += await store.judged_by(workspace(), truth)
    return judged


def _truth(lines: Sequence[str], path: Path) -> Iterator[tuple[str, dict[FieldName, Json]]]:
    """Yield the true values of each company in canonical form, by its domain. Raises: InputError."""
    for line in lines:
        try:
            told = json.loads(line)
            domain = told["company_domain"]
        except (ValueError, KeyError, TypeError):
            raise InputError(f"{path}: a line is no JSON object with a company_domain") from None
        yield (
            domain,
            {
                FieldName(name): value
                for name, given in told.items()
                for value in _canonical(name, given)
            },
        )


def _canonical(name: str, given: Json) -> list[Json]:
    if name not in FIELDS:
        return []
    try:
        return [normalise(FieldName(name), given)]
    except Invalid:
        return []  # of the sandbox's world, nothing that a source could be judged by
