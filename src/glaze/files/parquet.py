"""Parquet in and out: batches of rows, never a whole file in memory."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from glaze.errors import GlazeError, UnreadableFile
from glaze.files.cell import Cell, text_of

# pyarrow takes longer to import than most commands run, so it is imported where it is needed.

MAX_VALUE = 1_000_000
"""Characters of one value, as of a line elsewhere: a column may hold one huge value many times."""
_MAX_CHUNK = 512 * 1024 * 1024  # bytes of one column in one row group, unpacked
_BATCH_BYTES = 8 * 1024 * 1024  # about what one batch of rows takes
_BATCH_ROWS = 1_000
_GROUP_ROWS = 20_000
_LARGEST_INT = 2**63
_SURROGATE = re.compile("[\ud800-\udfff]")


def parquet_names(path: Path) -> tuple[str, ...]:
    """Return the names of the columns, as the file has them.

    Raises: UnreadableFile where it is truncated or damaged, or a part of it unpacks to too much.
    """
    with _opened(path) as file:
        for group in map(file.metadata.row_group, range(file.metadata.num_row_groups)):
            for place in range(group.num_columns):
                size = group.column(place).total_uncompressed_size
                if not 0 <= size <= _MAX_CHUNK:
                    raise UnreadableFile(
                        f"{path}: one column of one row group unpacks to {size:,} bytes, and"
                        f" {_MAX_CHUNK:,} is the most that is read: write smaller row groups"
                    )
        return tuple(str(name) for name in file.schema_arrow.names)


def parquet_rows(path: Path) -> Iterator[list[Cell]]:
    """Yield every row, a value a column; times and decimals as Python has them.

    Raises: UnreadableFile where the file is damaged; what came before was right.
    """
    with _opened(path) as file:
        metadata = file.metadata
        unpacked = sum(
            metadata.row_group(n).total_byte_size for n in range(metadata.num_row_groups)
        )
        size = max(1, _BATCH_BYTES * max(1, metadata.num_rows) // max(1, unpacked))
        for batch in file.iter_batches(batch_size=min(_BATCH_ROWS, size), use_threads=False):
            batch.validate(full=True)  # a damaged file may point outside its own dictionary
            columns = [_values(path, column) for column in batch.columns]
            yield from (list(row) for row in zip(*columns, strict=True))


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import pyarrow as pa  # noqa: PLC0415  see above
    import pyarrow.parquet as pq  # noqa: PLC0415  see above

    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            texts = [
                field.name
                for field in file.schema_arrow
                if pa.types.is_string(field.type) or pa.types.is_binary(field.type)
            ]
        # Texts as dictionaries: a value that stands in every row is in memory once.
        with pq.ParquetFile(path, pre_buffer=False, read_dictionary=texts) as file:
            yield file
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UnreadableFile(f"cannot read {path} as Parquet: {reason}") from error


def _values(path: Path, column: Any) -> list[Cell]:
    """Return a column of a batch as Python values; what Python has no form for becomes text."""
    import pyarrow as pa  # noqa: PLC0415  see above
    import pyarrow.compute as pc  # noqa: PLC0415  see above

    if pa.types.is_dictionary(column.type):
        kinds = column.dictionary
        if pa.types.is_string(kinds.type) or pa.types.is_binary(kinds.type):
            longest = pc.max(pc.binary_length(kinds)).as_py() or 0
            if longest > MAX_VALUE:
                raise UnreadableFile(
                    f"{path} holds a value of {longest:,} bytes; {MAX_VALUE:,} is the most"
                )
        known = _plain_values(kinds)
        return [None if place is None else known[place] for place in column.indices.to_pylist()]
    return _plain_values(column)


def _plain_values(column: Any) -> list[Cell]:
    import pyarrow as pa  # noqa: PLC0415  see above

    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    try:
        values: list[Cell] = column.to_pylist()
    except (pa.ArrowException, ValueError, OverflowError):  # a time beyond the year 9999
        values = column.cast(pa.string()).to_pylist()
    return values


# -- out -----------------------------------------------------------------------------------------

TEXT, INTEGER, NUMBER, TRUTH, TEXTS = "text", "integer", "number", "truth", "texts"
_TIME, _DATE = "time", "date"


def kinds_of(names: Sequence[str], rows: Iterator[Mapping[str, Cell]]) -> dict[str, str]:
    """Return what each column holds in all rows: one kind, or text where it is mixed."""
    seen: dict[str, set[str]] = {name: set() for name in names}
    for row in rows:
        for name, cell in row.items():
            if cell is not None and name in seen:
                seen[name].add(_kind(cell))
    return {name: _common(kinds) for name, kinds in seen.items()}


def _kind(cell: Cell) -> str:
    match cell:
        case bool():
            return TRUTH
        case int():
            return INTEGER if -_LARGEST_INT <= cell < _LARGEST_INT else TEXT
        case float():
            return NUMBER
        case datetime():
            return _TIME if cell.tzinfo is None else TEXT
        case date():
            return _DATE
        case _:
            return TEXT


def _common(kinds: set[str]) -> str:
    if len(kinds) == 1:
        return kinds.pop()
    return NUMBER if kinds == {INTEGER, NUMBER} else TEXT


def schema_of(names: Sequence[str], kinds: Mapping[str, str], like: Path | None = None) -> Any:
    """Return the schema of columns of these kinds.

    Args:
        names: Unique names, in order.
        kinds: What each holds; a column that is not here is one of ``like``, by its place.
        like: A Parquet file whose columns keep their types.
    """
    import pyarrow as pa  # noqa: PLC0415  see above
    import pyarrow.parquet as pq  # noqa: PLC0415  see above

    types = {
        TEXT: pa.string(),
        INTEGER: pa.int64(),
        NUMBER: pa.float64(),
        TRUTH: pa.bool_(),
        TEXTS: pa.list_(pa.string()),
        _TIME: pa.timestamp("us"),
        _DATE: pa.date32(),
    }
    given = pq.read_schema(path).types if (path := like) is not None else []
    return pa.schema(
        [
            pa.field(name, types[kinds[name]] if name in kinds else _kept(given[place]))
            for place, name in enumerate(names)
        ]
    )


def _kept(type_: Any) -> Any:
    """Return the type that values keep on their way through Python; text where they do not."""
    import pyarrow as pa  # noqa: PLC0415  see above

    if pa.types.is_timestamp(type_):
        return pa.timestamp("us", type_.tz) if type_.unit == "ns" else type_
    if pa.types.is_dictionary(type_):
        return _kept(type_.value_type)
    if pa.types.is_list(type_):
        return pa.list_(_kept(type_.value_type))
    simple = (
        *(pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal),
        *(pa.types.is_string, pa.types.is_large_string, pa.types.is_date, pa.types.is_binary),
        pa.types.is_large_binary,
    )
    return type_ if any(is_(type_) for is_ in simple) else pa.string()


@contextmanager
def open_parquet(path: Path, schema: Any) -> Iterator[Callable[[Sequence[Cell]], None]]:
    """Yield a function that writes one row; a row group leaves memory as soon as it is full.

    Raises: GlazeError where a value does not fit its column.
    """
    import pyarrow as pa  # noqa: PLC0415  see above
    import pyarrow.parquet as pq  # noqa: PLC0415  see above

    rows: list[Sequence[Cell]] = []

    def flush(writer: Any) -> None:
        columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
        arrays = [_array(column, field) for column, field in zip(columns, schema, strict=True)]
        writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
        rows.clear()

    with pq.ParquetWriter(path, schema, compression="zstd") as writer:

        def write(row: Sequence[Cell]) -> None:
            rows.append(row)
            if len(rows) == _GROUP_ROWS:
                flush(writer)

        yield write
        if rows:
            flush(writer)


def _array(cells: Sequence[Cell], field: Any) -> Any:
    import pyarrow as pa  # noqa: PLC0415  see above

    if field.type == pa.string():
        cells = [
            None if cell is None else _SURROGATE.sub("\ufffd", text_of(cell)) for cell in cells
        ]
    try:
        return pa.array(cells, type=field.type)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise GlazeError(
            f"column {field.name!r} holds a value that is no {field.type} ({error}): name the"
            " output .csv or .jsonl; what was found is kept, and only the writing is done again"
        ) from error
