"""A cell or a column asked again: what it would cost, and then within what may be spent on it."""

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from glaze.errors import ConfirmationNeeded, InputError
from glaze.files.writing import dollars
from glaze.model.personal import is_erased
from glaze.model.request import EnrichArgs
from glaze.model.value import MICROS_PER_CENT, BatchId, FieldName, Json, WorkspaceId
from glaze.pipeline.plan import Planner
from glaze.store.batch import BatchStore
from glaze.store.batch_control import BatchPlan
from glaze.store.entity import EntityStore
from glaze.tasks.cells import cells_of
from glaze.tasks.enrich import NAME as ENRICH

Which = Literal["missing", "all"]
MOST_LOOKED_AT = 10_000
"""So many rows are looked at for a quote; beyond, it is the same for each further one."""
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Quote:
    """What asking again would cost, in micros: half of such runs stay below ``p50``."""

    rows: int
    p50_micros: int
    p95_micros: int
    most_micros: int  # by the price list

    def confirmed(self, max_cost_cents: int | None) -> int:
        """Return what may be spent, in cents.

        Raises: ConfirmationNeeded where it would cost something and nobody said how much it may.
        """
        if max_cost_cents is not None:
            return max_cost_cents
        if self.most_micros:
            cents = max(1, math.ceil(self.p95_micros / MICROS_PER_CENT))
            raise ConfirmationNeeded(
                f"it would cost about ${dollars(self.p50_micros)} and at most"
                f" ${dollars(self.most_micros)}: say what it may cost with max_cost_cents,"
                f" such as {cents}",
                {
                    "rows": self.rows,
                    "p50_micros": self.p50_micros,
                    "p95_micros": self.p95_micros,
                    "most_micros": self.most_micros,
                },
            )
        return 0


def asked_again(plan: BatchPlan, field: str) -> EnrichArgs:
    """Return the arguments that ask for one field of a batch's rows, whatever is known of it.

    Raises: InputError where the batch does not ask for it.
    """
    asked = plan.settings.get("required_fields")
    if plan.kind != ENRICH or not isinstance(asked, list) or field not in asked:
        raise InputError(f"the batch has no column {field}")
    return _asked(plan, field, skip_cache=True)


def asked_more(plan: BatchPlan, field: FieldName) -> EnrichArgs:
    """Return the arguments that ask for one more field of a batch's rows, as it asks for others.

    Raises: InputError where its rows are no enrichments.
    """
    if plan.kind != ENRICH:
        raise InputError("its rows are no enrichments: it has no columns of fields")
    return _asked(plan, field, skip_cache=bool(plan.settings.get("skip_cache")))


def _asked(plan: BatchPlan, field: str, *, skip_cache: bool) -> EnrichArgs:
    dropped = {"max_cost_cents", "batch_max_cost_cents"}
    kept = {name: value for name, value in plan.settings.items() if name not in dropped}
    return EnrichArgs.model_validate({**kept, "required_fields": [field], "skip_cache": skip_cache})


async def quote(
    planner: Planner,
    workspace_id: WorkspaceId,
    args: EnrichArgs,
    inputs: Sequence[Mapping[str, str]],
    *,
    rows: int,
    now: datetime,
) -> Quote:
    """Foresee what asking ``rows`` rows would cost, of which ``inputs`` are the first."""
    plan = await planner.plan(workspace_id, args, map(dict, inputs), now)
    found = plan.forecast
    if found is None:
        return Quote(rows, 0, 0, 0)
    share = rows / max(1, len(inputs))
    parts = (found.cost.p50, found.cost.p95, found.most_micros)
    return Quote(rows, *(math.ceil(part * share) for part in parts))


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a batch: the rows that are meant are read from it as often as needed."""

    batches: BatchStore
    entities: EntityStore
    workspace_id: WorkspaceId
    batch_id: BatchId
    field: FieldName
    which: Which

    async def inputs(self) -> AsyncIterator[dict[str, Json]]:
        """Yield the inputs of the rows that are meant, in order."""
        after = 0
        while page := await self.batches.results(
            self.workspace_id, self.batch_id, after=after, n=_PAGE
        ):
            cells = await cells_of(self.entities, self.workspace_id, page, (self.field,))
            for row, own in zip(page, cells, strict=True):
                is_meant = self.which == "all" or self.field not in own
                if is_meant and isinstance(row.input, dict) and not is_erased(row.input):
                    yield row.input
            after = page[-1].row_no

    async def counted(self) -> tuple[int, list[dict[str, str]]]:
        """Return how many rows are meant, and the first of them."""
        rows = 0
        first: list[dict[str, str]] = []
        async for given in self.inputs():
            rows += 1
            if len(first) < MOST_LOOKED_AT:
                first.append({word: str(text) for word, text in given.items()})
        return rows, first
