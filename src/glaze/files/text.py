"""Text files of rows, taken apart: lines, CSV by a dialect that is guessed, JSON by the line."""

import contextlib
import csv
import io
import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

from glaze.model.value import Json

MAX_LINE = 1_000_000
"""Characters of one physical line; a longer one is reported, not held in memory."""
SAMPLE_BYTES = 256 * 1024
SAMPLE_ROWS = 200
_DELIMITERS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV separates its values; quotes are always double, doubled inside."""

    delimiter: str = ","
    skip_initial_space: bool = False


@contextlib.contextmanager
def open_text(source_path: Path, encoding: str) -> Iterator[TextIO]:
    """Open a file as text: line ends as they are, undecodable bytes replaced."""
    with source_path.open(encoding=encoding, errors="replace", newline="") as file:
        yield file


class OverLong(str):
    """The first MAX_LINE characters of a line that is longer."""

    __slots__ = ()


def lines(file: TextIO) -> Iterator[str]:
    """Yield physical lines without NUL characters; one over MAX_LINE as OverLong."""
    while line := file.readline(MAX_LINE):
        if len(line) == MAX_LINE and line[-1] not in "\r\n":
            while (rest := file.readline(MAX_LINE)) and rest[-1] not in "\r\n":
                pass
            yield OverLong(line.replace("\0", ""))
        else:
            yield line.replace("\0", "")


def parse_object(line: str) -> dict[str, Json] | str:
    """Return the JSON object on a line, or for people why there is none."""
    try:
        record = json.loads(line, parse_constant=_refuse_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        return f"not JSON: {error}"
    return record if isinstance(record, dict) else "not a JSON object"


def _refuse_constant(name: str) -> Json:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is beyond what a number can be")
    return number


def dialect_of(text: str) -> Dialect:
    """Return the dialect under which the sample's rows agree best on how many values they have."""
    best, best_score = Dialect(), (0.0, 0)
    for delimiter in _DELIMITERS:
        spaced = f'{delimiter} "' in text
        widths = [len(row) for row in sample_rows(text, Dialect(delimiter, spaced))]
        if not widths or widths[0] < 2:  # noqa: PLR2004  a separator separates
            continue
        agree = sum(width == widths[0] for width in widths) / len(widths)
        score = (round(agree, 1), widths[0])
        if score > best_score:
            best, best_score = Dialect(delimiter, spaced), score
    return best


def sample_rows(text: str, dialect: Dialect) -> list[list[str]]:
    """Parse the sample's complete rows, at most header and SAMPLE_ROWS."""
    if len(text) > SAMPLE_BYTES // 4:  # it may end inside a row
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1]
    physical = list(io.StringIO(text, newline=""))
    start = 1 if physical and is_separator_hint(physical[0]) else 0
    reader = csv_reader(iter(physical[start:]), dialect)
    rows: list[list[str]] = []
    with contextlib.suppress(csv.Error):  # a stray quote ends the sample, no more
        rows.extend(islice((row for row in reader if not is_blank(row)), SAMPLE_ROWS + 1))
    return rows


def csv_reader(physical: Iterator[str], dialect: Dialect) -> Iterator[list[str]]:
    """Return a lenient reader of ``dialect`` over physical lines."""
    return csv.reader(
        physical, delimiter=dialect.delimiter, skipinitialspace=dialect.skip_initial_space
    )


def is_separator_hint(line: str) -> bool:
    """Tell whether ``line`` is Excel's ``sep=;``, which is no row."""
    return bool(re.fullmatch(r'"?sep=.?"?\s*', line.lstrip("\ufeff"), re.IGNORECASE))


def is_blank(values: Sequence[str]) -> bool:
    """Tell whether a record holds no text: an empty line, or separators alone."""
    return not any(value.strip() for value in values)
