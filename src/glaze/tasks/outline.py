"""Which rows of a table meet criteria, and by what they can be sorted: numbers, no cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from glaze.files.cell import text_of
from glaze.model.belief import USER
from glaze.model.icp_score import Score
from glaze.model.request import FieldValue
from glaze.model.value import FieldName, Json
from glaze.store.batch import RowResult
from glaze.tasks.cells import Cells

Trait = Literal["missing", "low", "conflicting", "found", "decided"]
INPUT, SCORE, CONFIDENCE = "input.", "icp", ".confidence"
_LONGEST_KEY = 100

Key = str | int | float | None


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a row must meet: all that is said. Those of cells are met where one cell meets them.

    ``fields`` are the cells that are looked at. ``low``: below ``below``, in percent;
    ``conflicting``: another value lost.
    """

    fields: Sequence[FieldName]
    states: Sequence[str] = ()
    traits: Sequence[Trait] = ()
    sources: Sequence[str] = ()
    below: int = 70
    text: str = ""  # in the input or a value, whatever its case

    @property
    def needed(self) -> Sequence[FieldName]:
        """The cells without which it cannot be told whether a row meets them."""
        return self.fields if self.text or self.traits or self.sources else ()

    def met(self, row: RowResult, cells: Cells) -> bool:
        """Tell whether a row meets them."""
        if self.states and row.state not in self.states:
            return False
        if self.text and not self._says(row, cells):
            return False
        if not self.traits and not self.sources:
            return True
        return any(self._cell(cells.get(name)) for name in self.fields)

    def _says(self, row: RowResult, cells: Cells) -> bool:
        given = row.input.values() if isinstance(row.input, dict) else ()
        said = [*given, *(cells[name].value for name in self.fields if name in cells)]
        wanted = self.text.casefold()
        return any(wanted in text_of(one).casefold() for one in said)

    def _cell(self, cell: FieldValue | None) -> bool:
        if self.sources and (cell is None or cell.source not in self.sources):
            return False
        return not self.traits or any(self._has(cell, trait) for trait in self.traits)

    def _has(self, cell: FieldValue | None, trait: Trait) -> bool:
        if cell is None:
            return trait == "missing"
        match trait:
            case "missing":
                return False
            case "low":
                return cell.confidence < self.below
            case "conflicting":
                return bool(cell.alternatives)
            case "found":
                return True
            case "decided":
                return cell.source == USER


def key_of(by: str, row: RowResult, cells: Cells, score: Score | None) -> Key:
    """Return by what a row is sorted; None: it has no such thing, and comes last.

    ``by`` is a field, ``<field>.confidence``, ``input.<column>``, ``icp`` or ``state``.
    """
    if by == SCORE:
        return None if score is None else score.score
    if by == "state":
        return row.state
    if by.startswith(INPUT):
        given = row.input if isinstance(row.input, dict) else {}
        return _comparable(given.get(by.removeprefix(INPUT)))
    name = cell_of(by)
    cell = None if name is None else cells.get(name)
    if cell is None:
        return None
    return cell.confidence if by.endswith(CONFIDENCE) else _comparable(cell.value)


def cell_of(by: str) -> FieldName | None:
    """Return whose cell a row is sorted by; None: by something else."""
    if by in (SCORE, "state") or by.startswith(INPUT):
        return None
    return FieldName(by.removesuffix(CONFIDENCE))


def _comparable(value: Json) -> Key:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return text_of(value).casefold()[:_LONGEST_KEY] or None
