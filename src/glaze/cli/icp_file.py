"""``glaze icp score FILE``: the rows of a file, each with the score of whom it identifies."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from glaze.cli.ask import parse_map
from glaze.cli.opening import boot, workspace
from glaze.cli.screen import quiet
from glaze.errors import InputError
from glaze.files.columns import ColumnMapping, map_columns
from glaze.files.reading import BadRow, Row, read_identified
from glaze.files.source import Source, inspect
from glaze.files.writing import (
    Target,
    WriteRow,
    errors_path,
    open_errors,
    open_output,
    own_columns,
    target_for,
)
from glaze.pipeline.scoring import Scoring
from glaze.settings import load_settings
from glaze.store.entity import EntityStore
from glaze.store.icp import IcpStore

_PAGE = 500


@dataclass(frozen=True, slots=True)
class ScoreAsk:
    """A file to score, checked."""

    source: Source
    mapping: ColumnMapping
    target: Target
    errors: Path


@dataclass(slots=True)
class Scores:
    """How many rows were written, how many of them with a score, and how many name nobody."""

    rows: int = 0
    scored: int = 0
    bad: int = 0


def ask_of(path: Path, output: Path | None, given: Sequence[str]) -> ScoreAsk:
    """Check the file and where the output goes. Raises: InputError; nothing was written."""
    source = inspect(path)
    mapping = map_columns(source, parse_map(given))
    target = target_for(output or path.with_name(f"{path.stem}.scored{path.suffix}"), source)
    errors = errors_path(path if target.is_stdout else target.path)
    if path.resolve() in (errors.resolve(), target.path.resolve()):
        raise InputError(f"{path} would be overwritten: give another file with --output")
    return ScoreAsk(source, mapping, target, errors)


async def score_file(ask: ScoreAsk) -> Scores:
    """Write every usable row with its score and reasons; what is unknown has none.

    Raises: InputError where no profile is set.
    """
    count = Scores()
    async with boot(quiet(load_settings())) as app:
        scoring = Scoring(IcpStore(app.db), EntityStore(app.db))
        if not await scoring.counts(workspace()):
            raise InputError("no profile is set: glaze icp set FILE")
        rows = read_identified(ask.source, ask.mapping)
        with (
            open_errors(ask.errors, ask.source) as log,
            open_output(ask.target, own_columns(ask.source), (), scored=True) as write,
        ):
            while page := list(islice(rows, _PAGE)):
                good = [row for row in page if isinstance(row, Row)]
                for bad in page:
                    if isinstance(bad, BadRow):
                        log.add(bad)
                await _write(good, ask.mapping, scoring, write, count)
            count.bad = log.count
    return count


async def _write(
    rows: Sequence[Row], mapping: ColumnMapping, scoring: Scoring, write: WriteRow, count: Scores
) -> None:
    given = [mapping.input_of(row.values) for row in rows]
    found = await scoring.of_inputs(workspace(), given)
    for row, icp in zip(rows, found, strict=True):
        write(row, {}, icp)
        count.rows += 1
        count.scored += icp is not None and icp.score is not None
