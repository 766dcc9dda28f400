"""A batch's rows as a file, whatever they came from: by pages, so that memory does not grow."""

import asyncio
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from glaze.files.cell import Cell, text_of
from glaze.files.parquet import INTEGER, TEXT
from glaze.files.reading import Row
from glaze.files.writing import (
    OwnColumns,
    Target,
    WriteRow,
    open_output,
    output_columns,
    text_writer,
)
from glaze.jobs.retry import until_available
from glaze.model.icp_score import Score
from glaze.model.value import BatchId, FieldName, WorkspaceId
from glaze.pipeline.scoring import Scoring
from glaze.store.batch import BatchStore, RowResult
from glaze.store.batch_control import BatchControl, BatchPlan
from glaze.store.entity import EntityStore
from glaze.tasks.cells import Cells, cells_of, fields_of
from glaze.tasks.page_scores import PageScores, page_scores

_PAGE = 500
_OWN = ("row", "state", "error")
_TAKEN = frozenset({*_OWN, "result"})

_Written = tuple[RowResult, Cells, Score | None]


class Given(NamedTuple):
    """A column of what was given: a part of the input, or one of the file's that was carried through."""

    name: str
    column: str  # what it is called where it is written
    is_carried: bool


@dataclass(frozen=True, slots=True)
class Export:
    """One batch to be written. Its columns: number, state, error, input, and what is asked for.

    The input of a file's rows is in the order of the file, with what was carried through in its place.
    A batch that asks for no fields has its results as JSON.
    """

    batches: BatchStore
    entities: EntityStore
    workspace_id: WorkspaceId
    batch_id: BatchId
    given: tuple[Given, ...]
    fields: tuple[FieldName, ...]
    provenance: bool
    scores: PageScores | None  # None: the workspace has no profile

    async def to_file(self, target: Target) -> int:
        """Write every row, a whole file or none; return how many rows.

        Raises: GlazeError where the file cannot be written.
        """
        count = 0
        scored = self.scores is not None
        with open_output(
            target, self._own(), self.fields, provenance=self.provenance, scored=scored
        ) as write:
            async for page in self._pages():
                await asyncio.to_thread(self._write, write, page)
                count += len(page)
        return count

    async def as_text(self, target: Target) -> AsyncIterator[bytes]:
        """Yield a CSV or JSONL file piece by piece, each as soon as its rows are read."""
        buffer = io.StringIO(newline="")
        own, scored = self._own(), self.scores is not None
        added = output_columns(own.names, self.fields, provenance=self.provenance, scored=scored)
        write = text_writer(buffer, target, own, added)
        async for page in self._pages():
            await asyncio.to_thread(self._write, write, page)
            yield buffer.getvalue().encode(target.encoding, "replace")
            buffer.seek(0)
            buffer.truncate()
        if rest := buffer.getvalue():  # the header of a batch without rows
            yield rest.encode(target.encoding, "replace")

    async def _pages(self) -> AsyncIterator[Sequence[_Written]]:
        after = 0
        while True:
            read = partial(
                self.batches.results, self.workspace_id, self.batch_id, after=after, n=_PAGE
            )
            page = await until_available(read, "read the results")
            if page:
                look = partial(cells_of, self.entities, self.workspace_id, page, self.fields)
                cells = await until_available(look, "read the cells")
                none: list[Score | None] = [None] * len(page)
                icp = none if self.scores is None else await self.scores(page)
                yield [*zip(page, cells, icp, strict=True)]
            if len(page) < _PAGE:
                return
            after = page[-1].row_no

    def _own(self) -> OwnColumns:
        names = self._names()
        kinds = {name: INTEGER if name == "row" else TEXT for name in names}
        # Vendors and other members gave rows, too: what they wrote is opened elsewhere.
        return OwnColumns(names, names, lambda: kinds, own_file=False)

    def _names(self) -> tuple[str, ...]:
        given = (one.column for one in self.given)
        return (*_OWN, *given, *(() if self.fields else ("result",)))

    def _write(self, write: WriteRow, page: Sequence[_Written]) -> None:
        names = self._names()
        for found, data, icp in page:
            given = found.input if isinstance(found.input, dict) else {}
            carried = found.carried or {}
            cells: list[Cell] = [found.row_no, found.state, found.error]
            cells += [(carried if one.is_carried else given).get(one.name) for one in self.given]
            if not self.fields:
                cells.append(text_of(found.result) or None)
            row = Row(found.row_no, found.row_no, dict(zip(names, cells, strict=True)))
            write(row, data if self.fields else {}, icp)


async def export_of(
    batches: BatchStore,
    control: BatchControl,
    entities: EntityStore,
    workspace_id: WorkspaceId,
    batch_id: BatchId,
    *,
    scoring: Scoring,
    plan: BatchPlan,
    provenance: bool,
) -> Export:
    """Look up the columns of a batch."""
    inputs = await control.input_names(workspace_id, batch_id)
    given = _given(inputs, plan.columns)
    fields = fields_of(plan.settings)
    scores = await page_scores(scoring, workspace_id)
    return Export(batches, entities, workspace_id, batch_id, given, fields, provenance, scores)


def _given(inputs: Sequence[str], columns: Sequence[tuple[str, str | None]]) -> tuple[Given, ...]:
    """Return the columns of what was given; those of a file as it has them, others after them."""
    ordered = [(word or name, word is None) for name, word in columns]
    words = {name for name, is_carried in ordered if not is_carried}
    ordered += [(name, False) for name in inputs if name not in words]
    taken = {*_TAKEN, *(name for name, is_carried in ordered if not is_carried)}
    found = []
    for name, is_carried in ordered:
        column = name if is_carried or name not in _TAKEN else f"input_{name}"
        while is_carried and column in taken:
            column = f"file_{column}"
        taken.add(column)
        found.append(Given(name, column, is_carried))
    return tuple(found)
