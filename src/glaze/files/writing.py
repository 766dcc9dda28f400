"""Rows out: the caller's columns as they were, then what was found; whole files or none."""

import csv
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO

from glaze.errors import GlazeError, InputError
from glaze.files.cell import Cell, json_text, text_of
from glaze.files.parquet import INTEGER, NUMBER, TEXT, TEXTS, kinds_of, open_parquet, schema_of
from glaze.files.reading import BadRow, Row, read_rows
from glaze.files.source import TEXT_FORMATS, Format, Source
from glaze.files.workbook import open_workbook
from glaze.model.field import FIELDS, FieldType
from glaze.model.icp_score import Score
from glaze.model.request import FieldValue
from glaze.model.value import MICROS_PER_DOLLAR, FieldName, Json

_NOT_WRITTEN = frozenset({".xlsm", ".xls", ".ods", ".json", ".gz", ".zip"})
_WRITTEN = {
    **dict.fromkeys((".csv", ".tsv"), Format.CSV),
    **dict.fromkeys((".jsonl", ".ndjson"), Format.JSONL),
    ".parquet": Format.PARQUET,
    ".xlsx": Format.XLSX,
}
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

    ``.jsonl`` and ``.ndjson`` (or ``as_json``) make JSONL, ``.csv`` and ``.tsv`` CSV, ``.parquet``
    and ``.xlsx`` what they say; any other name keeps the input's format. ``-``, standard output, is
    JSONL for JSONL, else CSV. A CSV keeps the input's separator and gets a byte-order mark where
    the input was no plain UTF-8, for Excel to read it.

    Raises: InputError where the folder is missing or read-only, or the input would be overwritten.
    """
    format_ = format_for(path, default=source.format, as_json=as_json)
    if format_ is Format.CSV:
        delimiter = "\t" if path.suffix.lower() == ".tsv" else source.dialect.delimiter
        plain = source.encoding == "utf-8" or source.format is not Format.CSV
        target = Target(path, format_, delimiter, "utf-8" if plain else "utf-8-sig")
    else:
        target = Target(path, format_)
    if not target.is_stdout:
        if path.exists() and source.path.exists() and path.samefile(source.path):
            raise InputError(f"{path} is the input: give another output file with -o")
        check_place(path)
    return target


def format_for(path: Path, *, default: Format, as_json: bool = False) -> Format:
    """Return the format that a name, ``-`` included, stands for. Raises: InputError."""
    suffix = path.suffix.lower()
    if suffix in _NOT_WRITTEN or (suffix and suffix not in _WRITTEN):
        raise InputError(
            f"{path.name}: what is written is CSV (.csv, .tsv), JSON lines (.jsonl), .parquet, .xlsx"
        )
    found = _WRITTEN.get(suffix, default)
    if as_json:
        if suffix in _WRITTEN and found not in TEXT_FORMATS:
            raise InputError(f"--json writes JSON lines: name the output .jsonl, not {path.name}")
        return Format.JSONL
    return Format.CSV if str(path) == "-" and found not in TEXT_FORMATS else found


def check_place(path: Path) -> None:
    """See that a file can be written there. Raises: InputError."""
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


_Data = Mapping[FieldName, FieldValue]
ICP = ("icp_score", "icp_reasons")
"""The last columns, where the workspace has an ideal customer profile."""


class WriteRow(Protocol):
    """Writes a row with what was found for it, and how well it fits the profile if there is one."""

    def __call__(
        self, row: Row, data: Mapping[FieldName, FieldValue], icp: Score | None = None
    ) -> None:
        """Write one row; call it for each, in order."""


@dataclass(frozen=True, slots=True)
class OwnColumns:
    """The columns before those that are added: unique ``names``, and ``header`` as it is written.

    ``kinds`` tells Parquet what each holds, of all rows; a column that it leaves out has the type
    that it has in the Parquet file ``like``.
    """

    names: tuple[str, ...]
    header: tuple[str, ...]
    kinds: Callable[[], Mapping[str, str]]
    like: Path | None = None
    own_file: bool = True
    """Whether they go back to whoever gave them: then they stay as they are, formulas included."""


def own_columns(source: Source) -> OwnColumns:
    """Return the columns of a file. Only where their kinds are asked for it is read for them."""

    def kinds() -> Mapping[str, str]:
        if source.format is Format.CSV:
            return dict.fromkeys(source.columns, TEXT)
        if source.format is Format.PARQUET:
            return {}
        rows = (row.values for row in read_rows(source) if isinstance(row, Row))
        return kinds_of(source.columns, rows)

    like = source.path if source.format is Format.PARQUET else None
    return OwnColumns(source.columns, source.header, kinds, like)


@contextmanager
def open_output(
    target: Target,
    own: OwnColumns,
    fields: Sequence[FieldName],
    *,
    provenance: bool = False,
    scored: bool = False,
) -> Iterator[WriteRow]:
    """Yield a function that writes a row with what was found for it.

    ``scored`` adds the columns of ``ICP``. The file appears whole when the block ends well, and not at all otherwise.
    """
    added = output_columns(own.names, fields, provenance=provenance, scored=scored)
    match target.format:
        case Format.CSV | Format.JSONL:
            with _whole_text(target.path, target.encoding) as file:
                yield text_writer(file, target, own, added)
        case Format.PARQUET:
            kinds = {**own.kinds(), **{c.name: _kind_of(c) for c in added}}
            names = (*own.names, *(column.name for column in added))
            with (
                _whole_file(target.path) as beside,
                open_parquet(beside, schema_of(names, kinds, own.like)) as write,
            ):
                yield _table_writer(write, own, added, _typed)
        case Format.XLSX:
            header = (*own.header, *(column.name for column in added))
            with _whole_file(target.path) as beside, open_workbook(beside, header) as write:
                yield _table_writer(write, own, added, _flat)


def text_writer(
    file: TextIO, target: Target, own: OwnColumns, added: Sequence["OutputColumn"]
) -> WriteRow:
    """Return a function that writes a row as CSV or JSONL; a CSV begins with its header at once."""
    if target.format is Format.CSV:
        return _csv_writer(file, target.delimiter, own, added)
    return _jsonl_writer(file, added)


@dataclass(frozen=True, slots=True)
class OutputColumn:
    """One added column: ``part`` is value, one of PROVENANCE, or one of ICP and of no field."""

    name: str
    field: FieldName | None
    part: str


def output_columns(
    taken: Sequence[str], fields: Sequence[FieldName], *, provenance: bool, scored: bool = False
) -> list[OutputColumn]:
    """Return the columns after the caller's own; a name already taken gets ``glaze_`` before it."""
    parts = ("value", *PROVENANCE) if provenance else ("value",)
    wanted: list[tuple[str, FieldName | None, str]] = [
        (field if part == "value" else f"{field}_{part}", field, part)
        for field in fields
        for part in parts
    ]
    wanted += [(part, None, part) for part in ICP if scored]
    names = set(taken)
    added = []
    for wish, field, part in wanted:
        name = wish
        while name in names:
            name = f"glaze_{name}"
        names.add(name)
        added.append(OutputColumn(name, field, part))
    return added


def _csv_writer(
    file: TextIO, delimiter: str, own: OwnColumns, added: Sequence[OutputColumn]
) -> WriteRow:
    writer = csv.writer(file, delimiter=delimiter)
    form = text_of if own.own_file else _defused
    writer.writerow([*map(form, own.header), *(column.name for column in added)])

    def write(row: Row, data: _Data, icp: Score | None = None) -> None:
        kept = [form(row.values.get(name)) for name in own.names]
        writer.writerow(kept + [_cell(column, data, icp) for column in added])

    return write


def _defused(value: Cell) -> str:
    """Return a value as a CSV cell; a number is one, however it begins."""
    return text_of(value) if isinstance(value, int | float) else defuse(text_of(value))


def _jsonl_writer(file: TextIO, added: Sequence[OutputColumn]) -> WriteRow:
    def write(row: Row, data: _Data, icp: Score | None = None) -> None:
        found = {column.name: _value(column, data, icp) for column in added}
        file.write(json_text({**row.values, **found}) + "\n")

    return write


def _table_writer(
    write_cells: Callable[[Sequence[Cell]], None],
    own: OwnColumns,
    added: Sequence[OutputColumn],
    form: Callable[[Json], Cell],
) -> WriteRow:
    def write(row: Row, data: _Data, icp: Score | None = None) -> None:
        kept = [row.values.get(name) for name in own.names]
        write_cells([*kept, *(form(_value(column, data, icp)) for column in added)])

    return write


_KINDS = {
    "confidence": INTEGER,
    "cost_usd": NUMBER,
    "icp_score": INTEGER,
    "icp_reasons": TEXTS,
}


def _kind_of(column: OutputColumn) -> str:
    """Return what an added column holds, as Parquet types it."""
    if column.field is None or column.part != "value":
        return _KINDS.get(column.part, TEXT)
    match FIELDS[column.field].type:
        case FieldType.YEAR | FieldType.COUNT | FieldType.MONEY:
            return INTEGER
        case FieldType.LIST:
            return TEXTS
        case _:
            return TEXT


def _typed(value: Json) -> Cell:
    """Return an answer as Parquet takes it: lists of texts, maps as JSON."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [text_of(item) for item in value]
    return text_of(value) if isinstance(value, Mapping) else value


def _flat(value: Json) -> Cell:
    """Return an answer as one cell of a sheet: lists joined by "; ", maps as JSON."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(text_of(item) for item in value)
    return text_of(value) if isinstance(value, Mapping) else value


def _value(column: OutputColumn, data: _Data, icp: Score | None) -> Json:
    if column.field is not None:
        return _part(data.get(column.field), column.part)
    if icp is None:
        return None
    return icp.score if column.part == "icp_score" else list(icp.said)


def _part(value: FieldValue | None, part: str) -> Json:
    if value is None:
        return None
    if part == "value":
        return value.value
    if part == "confidence":
        return value.confidence
    if part == "cost_usd":
        return value.cost_micros / MICROS_PER_DOLLAR
    return value.source if part == "source" else value.source_url


def _cell(column: OutputColumn, data: _Data, icp: Score | None) -> str:
    """Return what belongs in a column as a CSV cell, defused where it is text."""
    found = None if column.field is None else data.get(column.field)
    if found is not None and column.part == "cost_usd":
        return dollars(found.cost_micros)
    value = _value(column, data, icp)
    return _defused(_flat(value))


class ErrorLog:
    """Collects bad rows into a CSV: line, reason, the caller's columns, and the line as it stands.

    The last is empty where the columns hold all of a row. No rows, no file.
    """

    def __init__(self, file: TextIO, source: Source) -> None:
        """Begin the file with its header."""
        self.count = 0
        self._columns = source.columns
        self._writer = csv.writer(file)
        self._writer.writerow(["line", "reason", *source.header, "raw line"])

    def add(self, row: BadRow) -> None:
        """Write one row with its first line in the file and why it was left out."""
        self.count += 1
        values = [text_of(row.values.get(name)) for name in self._columns]
        self._writer.writerow([row.line_no, row.reason, *values, row.raw])


@contextmanager
def open_errors(path: Path, source: Source) -> Iterator[ErrorLog]:
    """Yield a log of bad rows that becomes ``path`` at the end.

    An earlier ``path`` is removed where this time nothing is wrong, so that it never misleads.
    """
    encoding = "utf-8" if source.encoding == "utf-8" else "utf-8-sig"
    with _whole_text(path, encoding, keep=lambda: log.count > 0) as file:
        log = ErrorLog(file, source)
        yield log


def _always() -> bool:
    return True


@contextmanager
def _whole_text(
    path: Path, encoding: str, *, keep: Callable[[], bool] = _always
) -> Iterator[TextIO]:
    """Give a text file that is whole or not there; or standard output."""
    if str(path) == "-":
        yield from _standard_output()
        return
    with (
        _whole_file(path, keep=keep) as beside,
        beside.open("w", encoding=encoding, errors="replace", newline="") as file,
    ):
        yield file


@contextmanager
def _whole_file(path: Path, *, keep: Callable[[], bool] = _always) -> Iterator[Path]:
    """Give a place beside ``path``, renamed at the end: readers see the old or the whole new file."""
    path = path.resolve()  # through a link: the file changes, not the link
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield beside
        with beside.open("rb") as file:
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
