"""A row's cells as they stand now: what its job found, and what was decided or found since then."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from glaze.errors import InputError
from glaze.model.belief import USER
from glaze.model.field import FIELDS
from glaze.model.identity import identify
from glaze.model.observation import Kept
from glaze.model.request import EnrichResult, FieldValue
from glaze.model.value import FieldName, Json, WorkspaceId
from glaze.store.batch import RowResult
from glaze.store.entity import EntityStore, Keys

Cells = Mapping[FieldName, FieldValue]


def fields_of(settings: Mapping[str, Json]) -> tuple[FieldName, ...]:
    """Return the fields that a batch asks for; none where its rows are no enrichments."""
    asked = settings.get("required_fields")
    known = [name for name in asked if name in FIELDS] if isinstance(asked, list) else []
    return tuple(FieldName(name) for name in known)


async def cells_of(
    entities: EntityStore,
    workspace_id: WorkspaceId,
    rows: Sequence[RowResult],
    fields: Sequence[FieldName],
) -> list[Cells]:
    """Return the cells of each row: a value that a person decided, else the newest.

    What was learned of a company or person after the row was worked on stands in place of what the
    row's own job found; values from before then were its job's to judge.
    """
    found = [_result(row.result) for row in rows]
    keys = [_keys(row.input) for row in rows]
    known = await entities.peek(workspace_id, keys) if fields else [{} for _ in rows]
    return [_present(result, kept, fields) for result, kept in zip(found, known, strict=True)]


def _present(
    result: EnrichResult | None, known: Mapping[FieldName, Kept], fields: Sequence[FieldName]
) -> Cells:
    cells: dict[FieldName, FieldValue] = {} if result is None else {**result.data}
    for name in fields:
        if (kept := known.get(name)) is None:
            continue
        won = kept.winner.observation
        is_newer = result is not None and won.retrieved_at > result.timestamp
        if won.provider == USER or is_newer or not _judged(result, name):
            cells[name] = kept.winner.as_field_value()
    return cells


def _judged(result: EnrichResult | None, name: FieldName) -> bool:
    """Tell whether the row's own job was asked for a field; a column may have come later."""
    return result is None or name in result.data or name in result.missing


def _result(body: Json) -> EnrichResult | None:
    try:
        return EnrichResult.model_validate(body)
    except ValidationError:  # no result yet, a failure's, or another kind's
        return None


def _keys(given: Json) -> Keys:
    words: Any = given
    try:
        return identify(words).keys if isinstance(given, dict) else {}
    except (InputError, TypeError, AttributeError):  # another kind's input names nobody
        return {}
