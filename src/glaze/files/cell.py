"""One value as a file holds it: JSON, or what Parquet and spreadsheets have beside it."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from typing import TypeAlias

from glaze.model.value import Json

Cell: TypeAlias = Json | date | time | timedelta | Decimal | bytes
"""A ``datetime`` is a ``date``. Lists and maps of Parquet may hold such values at any depth."""


def text_of(cell: Cell) -> str:
    """Return a cell as plain text: text as it is, nothing for None, times in ISO form, else JSON.

    >>> text_of("a"), text_of(None), text_of(True), text_of(date(2026, 1, 2)), text_of(["a", 1])
    ('a', '', 'true', '2026-01-02', '["a", 1]')
    """
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    plain = _foreign(cell) if _is_foreign(cell) else cell
    return (
        plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False, default=_foreign)
    )


def json_text(record: Mapping[str, Cell]) -> str:
    """Return a record as one line of JSON; a number that JSON has no form for is null.

    ASCII, for a lone surrogate of the input must survive as the escape that it was.
    """
    try:
        return json.dumps(record, default=_foreign, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(record), default=_foreign, allow_nan=False)


def _is_foreign(cell: Cell) -> bool:
    return isinstance(cell, date | time | timedelta | Decimal | bytes)


def _foreign(cell: object) -> str:
    match cell:
        case date() | time():
            return cell.isoformat()
        case timedelta() | Decimal():
            return str(cell)
        case bytes():
            return cell.decode("utf-8", "replace")
        case _:
            raise TypeError(f"no cell: {type(cell).__name__}")


def _finite(value: object) -> object:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {key: _finite(item) for key, item in value.items()}
        case str() | bytes():
            return value
        case Sequence():
            return [_finite(item) for item in value]
        case _:
            return value
