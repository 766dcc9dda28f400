"""Rows out: the caller's columns as they were, then what was found; whole files or none."""

import csv
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from glaze.errors import GlazeError, InputError
from glaze.files.reading import BadRow, Row
from glaze.files.source import Format, Source
from glaze.model.request import FieldValue
from glaze.model.value import FieldName, Json

MICROS_PER_DOLLAR = 1_000_000
_NOT_WRITTEN = frozenset({".xlsx", ".xls", ".parquet", ".ods", ".json", ".gz", ".zip"})
PROVENANCE = ("confidence", "source", "source_url", "cost_usd")
"""Suffixes of the columns that ``--provenance`` adds after each field; cost is in US dollars."""

# A cell that begins like this may run as a formula; white space before it and the full-width forms
# do not change that. E.164 numbers are the one exception: they are values, and cannot be formulas.
_FORMULA = re.compile(r"[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_E164 = re.compile(r"\+\d{3,15}")


@dataclass(frozen=True, slots=True)
class Target:
    """Where the result goes and in which form."""

    path: Path  # "-" is standard output
    format: Format
    delimiter: str = ","
    encoding: str = "utf-8"

    @property
    def is_stdout(self) -> bool:
        """Whether the rows go to standard output."""
        return str(self.path) == "-"


def target_for(path: Path, source: Source, *, as_json: bool = False) -> Target:
    """Decide the output's form from its name, and the rest from the input's.

    ``.jsonl`` and ``.ndjson`` (or ``as_json``) make JSONL, ``.csv`` and ``.tsv`` CSV; any other
    name, and ``-`` for standard output, keeps the input's format. A CSV keeps the input's separator
    and gets a byte-order mark where the input was no plain UTF-8, for Excel to read it.

    Raises: InputError where the folder is missing or read-only, or the input would be overwritten.
    """
    suffix = path.suffix.lower()
    if suffix in _NOT_WRITTEN:
        raise InputError(f"{path.name}: only CSV (.csv, .tsv) and JSON lines (.jsonl) are written")
    stays_json = source.format is Format.JSONL and suffix not in (".csv", ".tsv")
    if as_json or suffix in (".jsonl", ".ndjson") or stays_json:
        target = Target(path, Format.JSONL)
    else:
        delimiter = "\t" if suffix == ".tsv" else source.dialect.delimiter
        plain = source.encoding == "utf-8" or source.format is Format.JSONL
        target = Target(path, Format.CSV, delimiter, "utf-8" if plain else "utf-8-sig")
    if not target.is_stdout:
        _check_place(path, source.path)
    return target


def _check_place(path: Path, source: Path) -> None:
    if path.exists() and path.samefile(source):
        raise InputError(f"{path} is the input: give another output file with -o")
    if path.is_dir():
        raise InputError(f"{path} is a folder: give an output file with -o")
    folder = path.resolve().parent
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder} to write {path.name} into")
    if not os.access(folder, os.W_OK):
        raise InputError(f"the folder {folder} may not be written to")


def errors_path(output: Path) -> Path:
    """Return where bad rows go when the user names no place: ``out.csv``: ``out.errors.csv``."""
    return output.with_name(f"{output.stem}.errors.csv")


def defuse(text: str) -> str:
    """Return ``text`` so that no spreadsheet runs it as a formula: ``'`` before ``= + - @`` ...

    >>> defuse("=1+1"), defuse("+49301234567"), defuse("+1+cmd")
    ("'=1+1", '+49301234567', "'+1+cmd")
    """
    return f"'{text}" if _FORMULA.match(text) and not _E164.fullmatch(text) else text


def dollars(micros: int) -> str:
    """Return millionths of a dollar as exact decimal dollars: 100_000 is ``0.1``."""
    whole, part = divmod(micros, MICROS_PER_DOLLAR)
    return f"{whole}.{part:06d}".rstrip("0").removesuffix(".")


WriteRow = Callable[[Row, Mapping[FieldName, FieldValue]], None]


@contextmanager
def open_output(
    target: Target, source: Source, fields: Sequence[FieldName], *, provenance: bool = False
) -> Iterator[WriteRow]:
    """Yield a function that writes a row with what was found for it.

    The file appears whole when the block ends well, and not at all otherwise.
    """
    columns = output_columns(source.columns, fields, provenance=provenance)
    with _whole_file(target.path, target.encoding) as file:
        if target.format is Format.CSV:
            yield _csv_writer(file, target, source, columns)
        else:
            yield _jsonl_writer(file, columns)


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """One added column: ``part`` is value or one of PROVENANCE."""

    name: str
    field: FieldName
    part: str


def output_columns(
    taken: Sequence[str], fields: Sequence[FieldName], *, provenance: bool
) -> list[OutputColumn]:
    """Return the columns after the caller's own; a name already taken gets ``glaze_`` before it."""
    parts = ("value", *PROVENANCE) if provenance else ("value",)
    names = set(taken)
    added = []
    for field in fields:
        for part in parts:
            name = field if part == "value" else f"{field}_{part}"
            while name in names:
                name = f"glaze_{name}"
            names.add(name)
            added.append(OutputColumn(name, field, part))
    return added


def _csv_writer(
    file: TextIO, target: Target, source: Source, columns: Sequence[OutputColumn]
) -> WriteRow:
    writer = csv.writer(file, delimiter=target.delimiter)
    own = source.header if source.format is Format.CSV else source.columns
    writer.writerow([*own, *(column.name for column in columns)])

    def write(row: Row, data: Mapping[FieldName, FieldValue]) -> None:
        kept = [_plain(row.values.get(name)) for name in source.columns]
        added = [_cell(data.get(column.field), column.part) for column in columns]
        writer.writerow(kept + added)

    return write


def _jsonl_writer(file: TextIO, columns: Sequence[OutputColumn]) -> WriteRow:
    def write(row: Row, data: Mapping[FieldName, FieldValue]) -> None:
        record = dict(row.values)
        for column in columns:
            record[column.name] = _part(data.get(column.field), column.part)
        # ASCII, for a lone surrogate of the input must survive as the escape that it was.
        file.write(json.dumps(record) + "\n")

    return write


def _part(value: FieldValue | None, part: str) -> Json:
    """Return one part of a field's answer; cost in dollars, None where nothing was found."""
    if value is None:
        return None
    if part == "value":
        return value.value
    if part == "confidence":
        return value.confidence
    if part == "cost_usd":
        return value.cost_micros / MICROS_PER_DOLLAR
    return value.source if part == "source" else value.source_url


def _cell(found: FieldValue | None, part: str) -> str:
    """Return one part of an answer as a CSV cell: lists joined by "; ", maps as JSON, defused."""
    value = _part(found, part)
    if found is not None and part == "cost_usd":
        return dollars(found.cost_micros)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return defuse("; ".join(_plain(item) for item in value))
    return defuse(_plain(value)) if isinstance(value, str | Mapping) else _plain(value)


def _plain(value: Json) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


class ErrorLog:
    """Collects bad rows into a CSV of line, reason and the caller's columns; no rows, no file."""

    def __init__(self, file: TextIO, source: Source) -> None:
        """Begin the file with its header."""
        self.count = 0
        self._columns = source.columns
        self._writer = csv.writer(file)
        self._writer.writerow(["line", "reason", *(source.header or source.columns)])

    def add(self, row: BadRow) -> None:
        """Write one row with its first line in the file and why it was left out."""
        self.count += 1
        values = [_plain(row.values.get(name)) for name in self._columns]
        self._writer.writerow([row.line_no, row.reason, *values])


@contextmanager
def open_errors(path: Path, source: Source) -> Iterator[ErrorLog]:
    """Yield a log of bad rows that becomes ``path`` at the end.

    An earlier ``path`` is removed where this time nothing is wrong, so that it never misleads.
    """
    encoding = "utf-8" if source.encoding == "utf-8" else "utf-8-sig"
    with _whole_file(path, encoding, keep=lambda: log.count > 0) as file:
        log = ErrorLog(file, source)
        yield log


def _always() -> bool:
    return True


@contextmanager
def _whole_file(
    path: Path, encoding: str, *, keep: Callable[[], bool] = _always
) -> Iterator[TextIO]:
    """Write beside ``path`` and rename at the end: a reader sees the old file or the whole new one."""
    if str(path) == "-":
        yield from _standard_output()
        return
    path = path.resolve()  # through a link: the file changes, not the link
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("w", encoding=encoding, errors="replace", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if keep():
            beside.replace(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise GlazeError(
            f"cannot write {path}: {error.strerror or error}; what was found is kept: give another"
            " place with -o, and only the writing is done again"
        ) from error
    finally:
        beside.unlink(missing_ok=True)


def _standard_output() -> Iterator[TextIO]:
    try:
        yield sys.stdout
        sys.stdout.flush()
    except OSError as error:
        # Whatever still waits to be written has nowhere to go: not at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise GlazeError(f"cannot write to standard output: {error.strerror or error}") from error
