"""A table that was sent as a file becomes a batch: checked row by row, loaded whole or not at all."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from glaze.errors import ArgsInvalid, Fault, InputError, RowsInvalid, UnreadableFile
from glaze.files.cell import Cell, text_of
from glaze.files.columns import ColumnMapping, map_columns
from glaze.files.reading import BadRow, Row, read_rows
from glaze.files.source import Source, inspect
from glaze.jobs.enqueue import checked
from glaze.jobs.kind import Kind, Kinds
from glaze.model.field import known_field
from glaze.model.field_group import default_fields
from glaze.model.identity import identify
from glaze.model.value import BatchId, Json, WorkspaceId
from glaze.store.batch import BatchStore, NewBatch, NewRow
from glaze.tasks.cells import places_in
from glaze.tasks.enrich import NAME as ENRICH

MOST_FAULTS = 20
"""So many bad rows are told of at once."""
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Table:
    """A file of rows, and what is asked of each; ``settings`` are the arguments that all share."""

    source: Source
    kind: Kind[Any]
    mapping: ColumnMapping | None  # None: a row is its columns as they are
    settings: Mapping[str, Json]

    @property
    def columns(self) -> Mapping[str, str]:
        """What each column that is used is taken for."""
        if self.mapping is None:
            return {name: name for name in self.source.columns}
        return self.mapping.used

    @property
    def layout(self) -> Sequence[tuple[str, str | None]] | None:
        """Every column in the file's order, with what it is taken for; None where none is left alone."""
        if self.mapping is None:
            return None
        return [(one.name, one.target) for one in self.mapping.columns]

    def judged(self) -> Iterator[NewRow | BadRow]:
        """Yield each row as its job takes it, or as a bad one; reads the file."""
        for row in read_rows(self.source):
            yield row if isinstance(row, BadRow) else self._judge(row)

    def _judge(self, row: Row) -> NewRow | BadRow:
        if self.mapping is not None:
            return _identified(row, self.mapping)
        given = {name: text for name, cell in row.values.items() if (text := text_of(cell))}
        try:
            self.kind.parse({**self.settings, "input": given})
        except ArgsInvalid as error:
            reason = "; ".join(map(str, error.faults))
            return BadRow(row.row_no, row.line_no, reason, row.values)
        return NewRow(given)


def _identified(row: Row, mapping: ColumnMapping) -> NewRow | BadRow:
    given = mapping.input_of(row.values)
    try:
        keys = identify(given).keys
    except InputError as error:
        return BadRow(row.row_no, row.line_no, str(error), row.values)
    carried = {
        column.name: _carried(value)
        for column in mapping.columns
        if column.target is None and text_of(value := row.values.get(column.name))
    }
    return NewRow({**given}, places_in(keys), carried)


def _carried(value: Cell) -> Json:
    """Return a cell as it is kept: a number stays one, all else is text."""
    if isinstance(value, int | float) and math.isfinite(value):
        return value
    return text_of(value)


@dataclass(slots=True)
class Loaded:
    """What became of a file: how many rows were taken, and which were left out."""

    rows: int = 0
    left_out: int = 0
    faults: list[Fault] = field(default_factory=list)  # of the first that were left out


def look_at(path: Path, *, encoding: str | None) -> Source:
    """Tell what a file that was sent is. Raises: UnreadableFile, in which it is called by its name alone."""
    try:
        return inspect(path, encoding=encoding)
    except InputError as error:
        raise type(error)(_as_sent(str(error), path)) from None


def open_table(
    path: Path,
    kind: Kind[Any],
    settings: Mapping[str, Json],
    *,
    given: Mapping[str, str],
    encoding: str | None,
) -> Table:
    """Look at a file and decide what its columns mean; it is read once, so call it in a thread.

    Args:
        path: CSV, JSONL, Parquet or XLSX.
        kind: What each row is a job of; it takes ``input``.
        settings: Arguments that all rows share. Of an enrichment that names no fields, the usual
            ones are asked.
        given: Columns that the caller explains, column to input word or field.
        encoding: Of text, if it is misjudged.

    Raises: InputError and its kinds, in which the file is called by its name alone.
    """
    if "input" not in kind.args.model_fields:
        raise InputError(f"a job of kind {kind.name} is about no row: it takes no input")
    source = look_at(path, encoding=encoding)
    if kind.name != ENRICH:
        return Table(source, kind, None, settings)
    try:
        mapping = map_columns(source, given)
    except InputError as error:
        raise type(error)(_as_sent(str(error), path)) from None
    if not settings.get("required_fields"):
        usual = [known_field(name).name for name in default_fields(mapping.used.values())]
        settings = {**settings, "required_fields": usual}
    return Table(source, kind, mapping, settings)


async def load(
    batches: BatchStore,
    kinds: Kinds,
    workspace_id: WorkspaceId,
    table: Table,
    new: NewBatch,
    *,
    skip_bad: bool,
) -> tuple[BatchId, Loaded]:
    """Make a batch of a table's rows and start it.

    Where that does not come to its end, whatever the reason, nothing is left of it. With
    ``skip_bad`` rows that cannot be used are left out and told of.

    Raises: RowsInvalid where rows cannot be used; InputError where there is none that can, or
        more than a batch has; ArgsInvalid where no worker could run them.
    """
    batch_id = await batches.create(workspace_id, replace(new, columns=table.layout))
    loaded = Loaded()
    try:
        rows = _rows(kinds, table, loaded, skip_bad=skip_bad)
        loaded.rows = await batches.add_rows(workspace_id, batch_id, rows)
        await batches.start(workspace_id, batch_id)
    except BaseException:
        await asyncio.shield(batches.discard(workspace_id, batch_id))
        raise
    return batch_id, loaded


async def _rows(
    kinds: Kinds, table: Table, loaded: Loaded, *, skip_bad: bool
) -> AsyncIterator[NewRow]:
    """Yield the good rows; bad ones are counted, and end it unless they may be left out."""
    rows = table.judged()
    is_first = True
    try:
        while chunk := await asyncio.to_thread(lambda: [*islice(rows, _CHUNK)]):
            for row in chunk:
                if isinstance(row, BadRow):
                    _leave_out(table, row, loaded)
                    continue
                if is_first:
                    _check(kinds, table, row.input)
                    is_first = False
                yield row
            if loaded.left_out >= MOST_FAULTS and not skip_bad:
                break
    except UnreadableFile as error:
        raise UnreadableFile(_as_sent(str(error), table.source.path)) from None
    if is_first or (loaded.left_out and not skip_bad):
        why = _why_none(table, loaded) if is_first else _why_refused(loaded)
        raise RowsInvalid(why, loaded.faults)


def _check(kinds: Kinds, table: Table, given: Json) -> None:
    """Raises: ArgsInvalid, InputError where no worker could run such a row."""
    args = table.kind.parse({**table.settings, "input": given})
    checked(kinds, table.kind.job(args))


def _leave_out(table: Table, row: BadRow, loaded: Loaded) -> None:
    loaded.left_out += 1
    if len(loaded.faults) < MOST_FAULTS:
        loaded.faults += faults_of(table, row)


def faults_of(table: Table, row: BadRow) -> Sequence[Fault]:
    """Tell what is wrong with a row, by column where columns are to blame."""
    where = f"rows.{row.row_no}"
    blamed = [] if row.raw or table.mapping is None else [*_blamed(table.mapping, row)]
    found = blamed or [Fault("", row.reason)]
    return [
        Fault(f"{where}.{path}" if path else where, f"line {row.line_no}: {message}")
        for path, message in found
    ]


def _blamed(mapping: ColumnMapping, row: BadRow) -> Iterator[Fault]:
    for name, word in mapping.used.items():
        one = replace(mapping, columns=tuple(c for c in mapping.columns if c.name == name))
        given = one.input_of(row.values)
        if not given:
            continue
        try:
            notes: Sequence[str] = identify(given).notes
        except InputError as error:
            notes = [str(error)]
        for note in notes:
            yield Fault(name, f"as {word}: {note}")


def _why_refused(loaded: Loaded) -> str:
    many = f"{loaded.left_out} rows" if loaded.left_out > 1 else "1 row"
    return (
        f"{many} cannot be used, and nothing was taken; the first: {loaded.faults[0]}."
        " Correct them, or send bad_rows=skip to leave them out"
    )


def _why_none(table: Table, loaded: Loaded) -> str:
    if not loaded.faults:
        return f"{table.source.path.name} has a header but no rows"
    return f"no row of {table.source.path.name} can be used; the first: {loaded.faults[0]}"


def _as_sent(message: str, path: Path) -> str:
    """Speak of a file and of options as who sent them knows them, not as they lie here."""
    named = message.replace(f"{path.parent}/", "")
    for option in ("map", "encoding"):
        named = named.replace(f"--{option} ", f"{option}=")
    return named
