"""Rows as a stream in constant memory: what cannot be used is a BadRow, never a stop."""

import csv
import io
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from glaze.errors import InputError
from glaze.files.cell import Cell, text_of
from glaze.files.columns import ColumnMapping
from glaze.files.parquet import parquet_rows
from glaze.files.source import Format, Source
from glaze.files.text import (
    MAX_LINE,
    OverLong,
    csv_reader,
    is_blank,
    is_separator_hint,
    lines,
    open_text,
    parse_object,
)
from glaze.files.workbook import sheet_rows
from glaze.model.identity import identify


@dataclass(frozen=True, slots=True)
class Row:
    """One row as the file has it. ``values`` is by unique column name, in the file's order."""

    row_no: int  # place among the file's rows, good and bad, from 1
    line_no: int  # first physical line, or the row of the sheet, from 1; in Parquet as row_no
    values: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used, and for people why."""

    row_no: int
    line_no: int
    reason: str
    values: Mapping[str, Cell]  # as far as they could be read
    raw: str = ""  # as the file has it, where the values are not all of it; at most MAX_LINE


def read_rows(source: Source) -> Iterator[Row | BadRow]:
    """Yield every row of ``source`` in order; equal files yield equal row numbers.

    A CSV row with fewer values than columns is padded, one with more is bad, and so is one whose
    quotes do not close: reading goes on at the very next line. Blank lines are no rows.

    Raises: UnreadableFile where a damaged place of a Parquet or XLSX file is reached.
    """
    match source.format:
        case Format.JSONL:
            return _jsonl(source)
        case Format.CSV:
            return _csv(source)
        case Format.PARQUET:
            return _parquet(source)
        case Format.XLSX:
            return _sheet(source)


def _parquet(source: Source) -> Iterator[Row | BadRow]:
    for row_no, values in enumerate(parquet_rows(source.path), start=1):
        yield Row(row_no, row_no, dict(zip(source.columns, values, strict=True)))


def _sheet(source: Source) -> Iterator[Row | BadRow]:
    rows = sheet_rows(source.path)
    next(rows)  # the header
    width = len(source.columns)
    for row_no, (line_no, values) in enumerate(rows, start=1):
        named = dict(zip(source.columns, values, strict=False))
        if any(value is not None for value in values[width:]):
            raw = _as_line(values)
            reason = "it has a value to the right of the last column"
            yield BadRow(row_no, line_no, reason, named, raw)
        else:
            yield Row(row_no, line_no, named)


def _as_line(values: Sequence[Cell]) -> str:
    """Return a sheet's row as one line of CSV."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([text_of(value) for value in values])
    return line.getvalue()


def read_identified(source: Source, mapping: ColumnMapping) -> Iterator[Row | BadRow]:
    """Yield the rows, those as BadRow that hold nothing to identify a company or person by."""
    for row in read_rows(source):
        yield row if isinstance(row, BadRow) else identified(row, mapping)


def identified(row: Row, mapping: ColumnMapping) -> Row | BadRow:
    """Return the row itself, or a BadRow where it names no company or person."""
    try:
        identify(mapping.input_of(row.values))
    except InputError as error:
        return BadRow(row.row_no, row.line_no, str(error), row.values)
    return row


def left_aside(row: Row, mapping: ColumnMapping) -> str | None:
    """Return which values of a usable row identify nobody, and why; None where all are sound."""
    notes = identify(mapping.input_of(row.values)).notes
    return "; ".join(notes) or None


def _jsonl(source: Source) -> Iterator[Row | BadRow]:
    row_no = 0
    with open_text(source.path, source.encoding) as file:
        for line_no, line in enumerate(lines(file), start=1):
            text = line.lstrip("\ufeff").strip()
            if not text:
                continue
            row_no += 1
            record = _TOO_LONG if isinstance(line, OverLong) else parse_object(text)
            if isinstance(record, str):
                yield BadRow(row_no, line_no, record, {}, text)
            else:
                yield Row(row_no, line_no, record)


def _csv(source: Source) -> Iterator[Row | BadRow]:
    with open_text(source.path, source.encoding) as file:
        records = _records(source, _Feed(lines(file)))
        rows = (record for record in records if record.fault or not is_blank(record.values))
        next(rows)  # the header
        for row_no, record in enumerate(rows, start=1):
            yield _row(source, row_no, record)


@dataclass(frozen=True, slots=True)
class _Record:
    line_no: int
    values: list[str]
    raw: str
    fault: str | None = None


class _Feed:
    """Physical lines for the csv module, remembering those of the current record."""

    def __init__(self, physical: Iterator[str]) -> None:
        self._physical = physical
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self.line_no = 0

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._physical)
        self.taken.append(line)
        self.line_no += 1
        if isinstance(line, OverLong):
            raise _LineTooLong
        return line

    def begin(self) -> int:
        """Forget the last record's lines and return the number of the next line."""
        self.taken = []
        return self.line_no + 1

    def back_to_second(self) -> None:
        """Give back all lines of the current record but the first."""
        self._again.extendleft(reversed(self.taken[1:]))
        self.line_no -= len(self.taken) - 1


_TOO_LONG = f"line too long: over {MAX_LINE:,} characters"


class _LineTooLong(Exception):
    """A physical line over the limit; it was skipped."""


def _records(source: Source, feed: _Feed) -> Iterator[_Record]:
    """Yield the parsed records; a record that swallowed other lines by a stray quote is undone."""
    reader = csv_reader(feed, source.dialect)
    while True:
        line_no = feed.begin()
        try:
            values = next(reader)
        except StopIteration:
            return
        except (csv.Error, _LineTooLong) as error:
            fault = _TOO_LONG if isinstance(error, _LineTooLong) else str(error)
            feed.back_to_second()
            yield _Record(line_no, [], feed.taken[0], fault)
            continue
        stray = _stray_quote(source, feed.taken) if len(feed.taken) > 1 else None
        if stray:
            feed.back_to_second()
            yield _Record(line_no, [], feed.taken[0], stray)
        elif not (line_no == 1 and is_separator_hint(feed.taken[0])):
            if line_no == 1 and values:
                values[0] = values[0].lstrip("\ufeff")
            yield _Record(line_no, values, "".join(feed.taken))


def _stray_quote(source: Source, taken: list[str]) -> str | None:
    """Tell why a record of several lines is not one: a strict reader refuses it."""
    strict = csv.reader(
        taken,
        delimiter=source.dialect.delimiter,
        skipinitialspace=source.dialect.skip_initial_space,
        strict=True,
    )
    try:
        next(strict)
    except csv.Error as error:
        return f"a quote that is opened here does not close properly ({error})"
    return None


def _row(source: Source, row_no: int, record: _Record) -> Row | BadRow:
    columns = source.columns
    raw = record.raw.rstrip("\r\n")
    if record.fault is not None:
        return BadRow(row_no, record.line_no, record.fault, {}, raw)
    values = record.values
    if len(values) > len(columns):
        if any(value.strip() for value in values[len(columns) :]):
            reason = (
                f"{len(values)} values for {len(columns)} columns:"
                " a value that holds the separator must stand in double quotes"
            )
            shown = dict(zip(columns, values, strict=False))
            return BadRow(row_no, record.line_no, reason, shown, raw)
        values = values[: len(columns)]
    if len(values) < len(columns):
        values = values + [""] * (len(columns) - len(values))
    return Row(row_no, record.line_no, dict(zip(columns, values, strict=True)))
