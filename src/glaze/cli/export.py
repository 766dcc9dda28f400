"""A batch's rows as a file, whatever they came from: by pages, so that memory does not grow."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from glaze.boot.app import App
from glaze.cli.page_scores import page_scores
from glaze.files.cell import Cell, text_of
from glaze.files.parquet import INTEGER, TEXT
from glaze.files.reading import Row
from glaze.files.source import Format
from glaze.files.writing import (
    OwnColumns,
    Target,
    WriteRow,
    check_place,
    format_for,
    open_output,
)
from glaze.jobs.retry import until_available
from glaze.model.field import FIELDS
from glaze.model.request import EnrichResult, FieldValue
from glaze.model.value import DEFAULT_WORKSPACE, BatchId, FieldName
from glaze.store.batch import RowResult
from glaze.store.batch_control import BatchPlan

_PAGE = 500
_OWN = ("row", "state", "error")
_TAKEN = frozenset({*_OWN, "result"})


async def export_batch(
    app: App, batch_id: BatchId, plan: BatchPlan, path: Path, *, provenance: bool
) -> int:
    """Write every row to ``path`` and return how many.

    A batch that asks for fields has a column for each; any other has its results as JSON.

    Raises: InputError where the place or its format will not do.
    """
    target = Target(path, format_for(path, default=Format.CSV))
    if not target.is_stdout:
        check_place(path)
    fields = _fields(plan)
    inputs = await app.batch_control.input_names(DEFAULT_WORKSPACE, batch_id)
    names = _OWN + tuple(f"input_{name}" if name in _TAKEN else name for name in inputs)
    if not fields:
        names += ("result",)
    kinds = {name: INTEGER if name == "row" else TEXT for name in names}
    own = OwnColumns(names, names, lambda: kinds)
    count = after = 0
    scoring = await page_scores(app)
    with open_output(
        target, own, fields, provenance=provenance, scored=scoring is not None
    ) as write:
        while True:
            page = await until_available(
                partial(app.batches.results, DEFAULT_WORKSPACE, batch_id, after=after, n=_PAGE),
                "read the results",
            )
            scores = [None] * len(page) if scoring is None else await scoring(page)
            for found, icp in zip(page, scores, strict=True):
                _write(found, inputs, names, partial(write, icp=icp), with_fields=bool(fields))
            count += len(page)
            if len(page) < _PAGE:
                return count
            after = page[-1].row_no


def _fields(plan: BatchPlan) -> tuple[FieldName, ...]:
    asked = plan.settings.get("required_fields")
    known = [name for name in asked if name in FIELDS] if isinstance(asked, list) else []
    return tuple(FieldName(name) for name in known)


def _write(
    found: RowResult,
    inputs: tuple[str, ...],
    names: tuple[str, ...],
    write: WriteRow,
    *,
    with_fields: bool,
) -> None:
    given = found.input if isinstance(found.input, dict) else {}
    cells: list[Cell] = [found.row_no, found.state, found.error]
    cells += [given.get(name) for name in inputs]
    if with_fields:
        write(_row(found, names, cells), _data(found))
    else:
        write(_row(found, names, [*cells, text_of(found.result) or None]), {})


def _row(found: RowResult, names: tuple[str, ...], cells: list[Cell]) -> Row:
    return Row(found.row_no, found.row_no, dict(zip(names, cells, strict=True)))


def _data(found: RowResult) -> Mapping[FieldName, FieldValue]:
    try:
        return EnrichResult.model_validate(found.result).data
    except ValidationError:  # no result yet, or a failure's
        return {}
