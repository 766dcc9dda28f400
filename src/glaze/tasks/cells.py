"""A row's cells as they stand now: what its job found, and what was decided or found since then."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from glaze.errors import InputError
from glaze.model.belief import USER
from glaze.model.field import FIELDS, EntityKind
from glaze.model.identity import Key, identify
from glaze.model.observation import Kept
from glaze.model.request import EnrichResult, FieldValue
from glaze.model.value import FieldName, Json, WorkspaceId
from glaze.store.batch import RowResult
from glaze.store.entity import EntityStore, Since
from glaze.store.outline import Places

Cells = Mapping[FieldName, FieldValue]

_NEVER = datetime.max.replace(tzinfo=UTC)
_ABOUT = ("status", "timestamp", "missing")  # of a result, what tells how its values stand


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
    *,
    only: Collection[FieldName] | None = None,
) -> list[Cells]:
    """Return the cells of each row: a value that a person decided, else the newest.

    What was learned of a company or person after the row was worked on stands in place of what the
    row's own job found; values from before then were its job's to judge.

    Args:
        entities: What is known of companies and people.
        workspace_id: Whose rows these are.
        rows: One after the other.
        fields: Those of the table.
        only: Cells of these alone, which is quicker; None: all that was found.
    """
    if only is not None:
        fields = [name for name in fields if name in only]
    found = [_result(row.result, only) for row in rows]
    if not fields:
        return [_present(result, {}, ()) for result in found]
    told = [result for result in found if result is not None]
    since = Since(
        fields,
        min((one.timestamp for one in told), default=_NEVER),
        [name for name in fields if not all(_judged(one, name) for one in told)],
    )
    keys = [_keys(row.input) for row in rows]
    known = await entities.peek(workspace_id, keys, since=since)
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


def _result(body: Json, only: Collection[FieldName] | None) -> EnrichResult | None:
    if only is not None and isinstance(body, dict) and isinstance(body.get("data"), dict):
        told = {name: body[name] for name in _ABOUT if name in body}
        data = body["data"]
        body = told | {"data": {name: data[name] for name in only if name in data}}
    try:
        return EnrichResult.model_validate(body)
    except ValidationError:  # no result yet, a failure's, or another kind's
        return None


def _keys(given: Json) -> Mapping[EntityKind, tuple[Key, ...]]:
    words: Any = given
    try:
        return identify(words).keys if isinstance(given, dict) else {}
    except (InputError, TypeError, AttributeError):  # another kind's input names nobody
        return {}


def places_of(given: Json) -> Places:
    """Return whom an input names, as a row keeps it."""
    return places_in(_keys(given))


def places_in(keys: Mapping[EntityKind, tuple[Key, ...]]) -> Places:
    """Return keys as a row keeps them."""
    return {kind.value: [(one.scheme, one.value) for one in own] for kind, own in keys.items()}
