"""Which rows of a table meet criteria, and by what they can be sorted: numbers, no cells."""

from collections.abc import Sequence
from dataclasses import replace

from glaze.files.cell import text_of
from glaze.model.field import FIELDS
from glaze.model.value import BatchId, Json, WorkspaceId
from glaze.store.outline import Found, Look, OutlineStore
from glaze.tasks.cells import places_of

INPUT, FILE, SCORE, CONFIDENCE = "input.", "file.", "icp", ".confidence"
_LONGEST_KEY = 100

Key = str | int | float | None


def sorted_by(look: Look, by: str | None) -> Look:
    """Return the same look with what rows are sorted by.

    ``by`` is a field, ``<field>.confidence``, ``input.<column>``, ``file.<column>``, ``state``, or None. A score is
    none of a row's own: it is looked up beside.
    """
    if by is None or by == SCORE:
        return look
    if by == "state":
        return replace(look, by="state")
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


def key_of(found: Found) -> Key:
    """Return by what a row is sorted; None: it has no such thing, and comes last."""
    value = found.key
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return text_of(value).casefold()[:_LONGEST_KEY] or None
