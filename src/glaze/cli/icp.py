"""``glaze icp``: the ideal customer profile, and how well records fit it."""

import csv
import json
import sys
import tomllib
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from glaze.boot.process import run
from glaze.cli.icp_file import ask_of, score_file
from glaze.cli.opening import boot, workspace
from glaze.cli.screen import AsJson, cells, out, plain_table, print_json, quiet, say, shown
from glaze.cli.values import Record, who_is
from glaze.errors import InputError
from glaze.files.writing import defuse
from glaze.model.icp import Profile
from glaze.model.icp_score import Reason, Score
from glaze.model.value import Json
from glaze.pipeline.scoring import Scoring
from glaze.settings import load_settings
from glaze.store.entity import EntityStore
from glaze.store.icp import IcpStore, Scored

icp = typer.Typer(
    help="Set the ideal customer profile, and score records by it.", no_args_is_help=True
)


@icp.command("set")
def set_profile(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="JSON or TOML.")
    ],
) -> None:
    """Set the profile; what is stored is scored by it with `glaze icp score`, for nothing."""
    profile = _read(file)
    version = run(_set(profile))
    count = len(profile.criteria)
    say(f"{profile.name}: version {version}, {count} {'criterion' if count == 1 else 'criteria'}")


@icp.command()
def show() -> None:
    """Print the profile as JSON, as `glaze icp set` takes it."""
    _, profile = run(_get())
    out.print_json(data=profile.model_dump(mode="json", exclude_defaults=True))


@icp.command()
def schema() -> None:
    """Print the JSON Schema of a profile, for editors and for whoever writes one by program."""
    out.print_json(data=Profile.model_json_schema())


@icp.command("score")
def score_all(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            exists=True,
            dir_okay=False,
            help="CSV, JSONL, Parquet, XLSX: score whom its rows identify.",
        ),
    ] = None,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Where the scored rows go, by default FILE.scored; without FILE all scores as CSV;"
            " - for standard output.",
        ),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=FIELD", help="What a column is; repeatable."),
    ] = None,
) -> None:
    """Score what is stored and not yet scored by this profile, or changed since; nothing is bought.

    With FILE it writes the rows with the score and the reasons of whom each identifies. Without, it
    goes on where a broken run stopped.
    """
    if file is not None:
        ask = ask_of(file, output, mapping or ())
        count = run(score_file(ask))
        aside = f", {count.bad:,} name nobody: {ask.errors}" if count.bad else ""
        say(f"{count.rows:,} rows written to {ask.target.path}, {count.scored:,} scored{aside}")
        return
    scored, written = run(_score(output))
    say(f"{scored:,} scored" + ("" if output is None else f", {written:,} written"))


@icp.command()
def explain(record: Record, *, as_json: AsJson = False) -> None:
    """Show how well one record fits: each criterion met, not met, or unknown, and on what."""
    found = run(_explain(record))
    if as_json:
        reasons: list[Json] = [_plain(one) for one in found.reasons]
        print_json({"score": found.score, "certainty": found.certainty, "reasons": reasons})
        return
    told = "nothing that counts is known" if found.score is None else f"score {found.score}"
    out.print(f"{told}, certainty {found.certainty}", markup=False)
    table = plain_table("", "field", numbers=("weight", "sure"), elastic=("wanted", "is"))
    for one in found.reasons:
        weight = str(one.weight) if one.role != "excludes" else "-"
        is_ = "-" if one.met is None else shown(one.value)
        words = (one.word, one.field, weight, str(one.confidence))
        table.add_row(*cells(*words, f"{one.role}: {one.wanted}", is_))
    out.print(table)


def _read(file: Path) -> Profile:
    """Return the profile in a file. Raises: InputError that names each fault and its place."""
    try:
        text = file.read_text("utf-8-sig")
        told = tomllib.loads(text) if file.suffix.lower() == ".toml" else json.loads(text)
        return Profile.model_validate(told)
    except ValidationError as error:
        raise InputError(f"{file}: {'; '.join(_faults(error))}") from None
    except ValueError as error:
        raise InputError(f"{file}: {error}") from None


def _faults(error: ValidationError) -> list[str]:
    """Return each fault with its place; that a list is short for want of what is wrong is none."""
    faults = error.errors(include_input=False, include_url=False)
    inner = {fault["loc"][:1] for fault in faults if len(fault["loc"]) > 1}
    return [
        f"{'.'.join(map(str, fault['loc'])) or 'profile'}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in faults
        if fault["loc"] not in inner
    ]


def _plain(reason: Reason) -> dict[str, Json]:
    return {
        "field": reason.field,
        "wanted": reason.wanted,
        "role": reason.role,
        "weight": reason.weight,
        "met": reason.met,
        "value": reason.value,
        "confidence": reason.confidence,
    }


async def _set(profile: Profile) -> int:
    async with boot(quiet(load_settings())) as app:
        return await IcpStore(app.db).put(workspace(), profile)


async def _get() -> tuple[int, Profile]:
    async with boot(quiet(load_settings())) as app:
        return await _profile(IcpStore(app.db))


async def _profile(store: IcpStore) -> tuple[int, Profile]:
    found = await store.get(workspace())
    if found is None:
        raise InputError("no profile is set: glaze icp set FILE")
    return found


async def _explain(record: str) -> Score:
    async with boot(quiet(load_settings())) as app:
        store = IcpStore(app.db)
        await _profile(store)
        scoring = Scoring(store, EntityStore(app.db))
        (found,) = await scoring.of_inputs(workspace(), [who_is(record)])
    if found is None:
        raise InputError(f"nothing is known of {record}: enrich it first")
    return found


async def _score(output: Path | None) -> tuple[int, int]:
    written = 0
    async with boot(quiet(load_settings())) as app:
        store = IcpStore(app.db)
        await _profile(store)
        scored = await store.rescore(workspace())
        if output is None:
            return scored, 0
        to_screen = str(output) == "-"
        target = sys.stdout if to_screen else output.open("w", encoding="utf-8", newline="")
        try:
            writer = csv.writer(target)
            writer.writerow(("kind", "record", "icp_score", "icp_certainty", "icp_reasons"))
            async for one in store.scores(workspace()):
                writer.writerow(_line(one))
                written += 1
        finally:
            if not to_screen:
                target.close()
    return scored, written


def _line(one: Scored) -> list[str]:
    found = one.score
    marks = ("" if found.score is None else str(found.score), str(found.certainty))
    return [one.kind, defuse(" ".join(one.keys)), *marks, defuse("; ".join(found.said))]
