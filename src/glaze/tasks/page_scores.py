"""The scores of a batch's rows by the profile that counts now, page by page."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from pydantic import ValidationError

from glaze.jobs.retry import until_available
from glaze.model.icp_score import Score
from glaze.model.request import EnrichResult
from glaze.model.value import Json, WorkspaceId
from glaze.pipeline.scoring import Scoring
from glaze.store.batch import RowResult

PageScores = Callable[[Sequence[RowResult]], Awaitable[list[Score | None]]]


async def page_scores(scoring: Scoring, workspace_id: WorkspaceId) -> PageScores | None:
    """Return what scores a page of rows; None where the workspace has no profile."""
    looked = partial(scoring.counts, workspace_id)
    if not await until_available(looked, "look for a profile"):
        return None

    async def scores(rows: Sequence[RowResult]) -> list[Score | None]:
        given = [_given(row.input) for row in rows]
        found = await until_available(
            partial(scoring.of_inputs, workspace_id, given), "read the scores"
        )
        # A row that does not name its record itself has what its job found.
        return [one or _own(row) for one, row in zip(found, rows, strict=True)]

    return scores


def _given(told: Json) -> dict[str, str]:
    pairs = told.items() if isinstance(told, Mapping) else ()
    return {word: text for word, text in pairs if isinstance(text, str)}


def _own(row: RowResult) -> Score | None:
    try:
        return EnrichResult.model_validate(row.result).icp
    except ValidationError:
        return None
