"""Which rows of a table meet criteria, and by what they can be sorted: numbers, no cells."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from glaze.files.cell import text_of
from glaze.model.field import FIELDS, EntityKind
from glaze.model.value import BatchId, EntityId, Json, WorkspaceId
from glaze.pipeline.scoring import Scoring
from glaze.store.outline import By, Found, Look, OutlineStore
from glaze.tasks.cells import places_of

INPUT, FILE, CONFIDENCE = "input.", "file.", ".confidence"
SCORE = "icp"
_OF_ROWS: Mapping[str, By] = {"state": "state", SCORE: "icp"}
_LONGEST_KEY = 100

Key = str | int | float | None


def sorted_by(look: Look, by: str | None) -> Look:
    """Return the same look with what rows are sorted by.

    ``by`` is a field, ``<field>.confidence``, ``input.<column>``, ``file.<column>``, ``state``, ``icp``, or None.
    """
    if by is None:
        return look
    if by in _OF_ROWS:
        return replace(look, by=_OF_ROWS[by])
    if by.startswith(INPUT):
        return replace(look, by="input", name=by.removeprefix(INPUT))
    if by.startswith(FILE):
        return replace(look, by="carried", name=by.removeprefix(FILE))
    if by.endswith(CONFIDENCE):
        return replace(look, by="confidence", name=by.removesuffix(CONFIDENCE))
    return replace(look, by="value", name=by)


async def look_over(
    outlines: OutlineStore,
    workspace_id: WorkspaceId,
    batch_id: BatchId,
    look: Look,
    *,
    text: str,
    after: int,
    until: int,
) -> list[Found]:
    """Return the rows above ``after`` up to ``until`` that meet ``look`` and say ``text``, in order.

    ``text`` may stand in the input or in a value of the look's fields, whatever its case.
    """
    look = replace(look, says=bool(text))
    kinds = {FIELDS[name].entity for name in look.needed if name in FIELDS}
    if look.by == SCORE:
        kinds = set(EntityKind)
    found = await outlines.rows(
        workspace_id,
        batch_id,
        look,
        kinds=kinds,
        places_of=places_of,
        after=after,
        until=until,
    )
    wanted = text.casefold()
    return [row for row in found if _says(row.said, wanted)] if text else found


def _says(said: Sequence[Json] | None, wanted: str) -> bool:
    return any(wanted in text_of(one).casefold() for one in said or ())


async def keys_of(
    scoring: Scoring, workspace_id: WorkspaceId, look: Look, found: Sequence[Found]
) -> list[Key]:
    """Return by what each row is sorted; None: it has no such thing, and comes last."""
    if look.by != SCORE:
        return [_key(row.key) for row in found]
    told = [cast("Mapping[str, int | None]", row.key) for row in found]
    subjects = {EntityId(one["subject"]) for one in told if one["subject"] is not None}
    points = await scoring.points(workspace_id, subjects)
    if points is None:
        return [None] * len(found)
    # A row that does not name its record itself has what its job found.
    return [points.get(EntityId(one["subject"] or 0), one["own"]) for one in told]


def _key(value: Json) -> Key:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return text_of(value).casefold()[:_LONGEST_KEY] or None
