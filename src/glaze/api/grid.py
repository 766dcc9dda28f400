"""``/batches/{id}/outline``, ``/cells``, ``/columns``: what a table on a screen needs beside its rows."""

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from glaze.api.auth import Watcher, Writer, must_see_batch
from glaze.api.batches import BatchDetail, detail_of
from glaze.api.entities import EntityStatedOut
from glaze.api.schemas import PROBLEMS, V1, Cell, RowId
from glaze.api.services import Services
from glaze.api.tables import (
    AskIn,
    CellDecisionOut,
    RowState,
    cell_etag,
    column_asked,
    decided_of,
    plan_of,
    row_of,
    words_of,
)
from glaze.errors import InputError, NotFound
from glaze.model.field import FIELDS, FieldType, known_field
from glaze.model.identity import identify
from glaze.model.request import Costs, EnrichResult, FieldValue, Stage
from glaze.model.value import BatchId, EntityId, FieldName, WorkspaceId
from glaze.pipeline.deciding import Standing
from glaze.store.batch import RowResult
from glaze.store.batch_control import BatchPlan
from glaze.store.outline import Found, Look, Trait
from glaze.tasks.asking_again import asked_more
from glaze.tasks.cells import cells_of, fields_of
from glaze.tasks.outline import SCORE, Key, keys_of, look_over, sorted_by

_STRETCH = 25_000
_SCORED_AT_ONCE = 10_000  # a score that is out of date takes 0.15 ms to renew
_AT_ONCE = 2
_LONGEST_LOOK_S = 1.5
_MOST_STATED = 100
Name = Annotated[str, Field(max_length=100)]


class OutlineIn(BaseModel):
    """Which rows, and what they shall be sorted by."""

    model_config = ConfigDict(extra="forbid")

    state: list[RowState] = Field(default_factory=list, max_length=6, description="in one of these")
    is_: list[Trait] = Field(
        default_factory=list,
        alias="is",
        max_length=5,
        description="a cell that is one of these: missing, of low confidence, contradicted by"
        " another source, found, decided by a person",
    )
    source: list[Name] = Field(
        default_factory=list, max_length=100, description="a cell from one of these"
    )
    field: list[Name] = Field(
        default_factory=list, max_length=100, description="cells of these fields count; none: all"
    )
    below: int = Field(default=70, ge=1, le=100, description="confidence from which it is not low")
    text: str = Field(default="", max_length=200, description="in the input or a value")
    sort: str | None = Field(
        default=None,
        max_length=200,
        description="what `keys` are: a field, `<field>.confidence`, `input.<column>`,"
        " `file.<column>`, `icp`, `state`",
    )
    after: int = Field(default=0, ge=0, lt=1 << 31, description="a row's number")


class OutlineOut(BaseModel):
    """Rows of a table by number, as far as was looked within a second or two."""

    rows: list[int] = Field(description="that meet the criteria, in the order of the table")
    keys: list[Key] = Field(description="of `sort`, one for each row; empty without")
    looked_at: int = Field(description="rows")
    next_after: int | None = Field(description="go on there; null: these were all")


class CellOut(BaseModel):
    """All there is to know of a cell: its value, who was asked for it, and what they stated."""

    row: int
    field: FieldName
    type: FieldType
    value: FieldValue | None
    decided: CellDecisionOut | None
    witnesses: list[str] = Field(description="every source that agrees with the value")
    stated: list[EntityStatedOut] = Field(description="by sources, newest first, losers too")
    stages: list[Stage] = Field(
        description="of the row's own job, in order: who was asked, and why"
    )
    costs: Costs | None = Field(description="of the row's own job, all its fields together")
    error: str | None = Field(description='of the row: "code: message"')


class ColumnIn(AskIn):
    """A further field, and what it may cost to ask for it."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"field": "company_phone"}]}
    )

    field: Name


class ColumnOut(BaseModel):
    """What came of it."""

    field: FieldName
    asked: BatchDetail | None = Field(
        description="the batch that asks for what is missing; null: every row has a value already"
    )


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["tables"], responses=PROBLEMS)

    @router.get("/batches/{batch_id}/outline", summary="Which rows meet criteria")
    async def outline(
        batch_id: RowId, asked: Annotated[OutlineIn, Query()], who: Watcher
    ) -> OutlineOut:
        """Return the numbers of the rows that meet criteria, and what to sort them by.

        A table of a million rows is gone through in several requests: go on at `next_after`. The
        rows themselves are at `/rows?row=`.
        """
        must_see_batch(who, batch_id)
        plan, total = await plan_of(services, who.workspace_id, BatchId(batch_id))
        return await _outline(services, who.workspace_id, batch_id, asked, plan=plan, total=total)

    @router.get("/batches/{batch_id}/rows/{row_no}/cells/{field}", summary="One cell")
    async def cell(
        batch_id: RowId, row_no: RowId, field: Cell, who: Watcher, response: Response
    ) -> CellOut:
        """Return a cell with everything that is known of it, and how its row's job went.

        Its `ETag`, sent as `If-Match`, lets a decision pass only while the best value, and what was
        decided of it, are as they were read.
        """
        must_see_batch(who, batch_id)
        plan, row = await row_of(services, who.workspace_id, BatchId(batch_id), row_no)
        if field not in fields_of(plan.settings):
            raise NotFound(f"batch {batch_id} has no column {field}")
        entity = await _entity(services, who.workspace_id, row, field)
        standing: Standing | None = None
        if entity is not None:
            known = await services.deciding.standing_of_entity(who.workspace_id, entity)
            standing = known.get(field)
        response.headers["ETag"] = cell_etag(standing)
        return await _cell(services, who.workspace_id, row, field, entity=entity, standing=standing)

    @router.post("/batches/{batch_id}/columns", status_code=202, summary="Add a column")
    async def add_column(batch_id: RowId, body: ColumnIn, who: Writer) -> ColumnOut:
        """Ask for one more field in a table that is at its end.

        Without `max_cost_cents` what would be paid for is a 409 `confirmation_needed` with a
        `quote`, and nothing is changed. With it the rows that lack it are asked as a batch of its
        own with the tag `table-<id>`, which never spends more; values that are known already stand
        there at once.
        """
        plan, _ = await plan_of(services, who.workspace_id, BatchId(batch_id))
        field = known_field(body.field).name
        args = asked_more(plan, field)
        made = await column_asked(
            services,
            who.workspace_id,
            BatchId(batch_id),
            plan,
            args,
            which="missing",
            max_cost_cents=body.max_cost_cents,
            is_new=True,
        )
        asked = None if made is None else await detail_of(services, who.workspace_id, made)
        return ColumnOut(field=field, asked=asked)

    return router


async def _outline(
    services: Services,
    workspace_id: WorkspaceId,
    batch_id: int,
    asked: OutlineIn,
    *,
    plan: BatchPlan,
    total: int,
) -> OutlineOut:
    own = fields_of(plan.settings)
    wanted = [name for name in own if not asked.field or name in asked.field]
    look = Look(wanted, asked.state, asked.is_, asked.source, asked.below)
    look = sorted_by(look, asked.sort)
    at_once = _SCORED_AT_ONCE if asked.sort == SCORE else _AT_ONCE * _STRETCH
    found = OutlineOut(rows=[], keys=[], looked_at=0, next_after=None)
    begun, after = time.monotonic(), asked.after
    while after < total:
        until = min(total, after + at_once)
        rows = await _looked_over(
            services, workspace_id, batch_id, look, text=asked.text, after=after, until=until
        )
        found.rows += [row.row_no for row in rows]
        if asked.sort:
            found.keys += await keys_of(services.scoring, workspace_id, look, rows)
        found.looked_at += until - after
        after = until
        if time.monotonic() - begun > _LONGEST_LOOK_S:
            break
    found.next_after = after if after < total else None
    return found


async def _looked_over(
    services: Services,
    workspace_id: WorkspaceId,
    batch_id: int,
    look: Look,
    *,
    text: str,
    after: int,
    until: int,
) -> list[Found]:
    """Return what is found between two numbers; the stretches are looked over side by side."""
    parts = [
        look_over(
            services.outlines,
            workspace_id,
            BatchId(batch_id),
            look,
            text=text,
            after=first,
            until=min(until, first + _STRETCH),
        )
        for first in range(after, until, _STRETCH)
    ]
    return [row for part in await asyncio.gather(*parts) for row in part]


async def _cell(
    services: Services,
    workspace_id: WorkspaceId,
    row: RowResult,
    field: FieldName,
    *,
    entity: EntityId | None,
    standing: Standing | None,
) -> CellOut:
    (cells,) = await cells_of(services.entities, workspace_id, [row], (field,))
    stated: list[EntityStatedOut] = []
    if entity is not None:
        history = await services.entity_views.history(
            workspace_id, entity, _MOST_STATED, field=field
        )
        stated = [EntityStatedOut.model_validate(one, from_attributes=True) for one in history]
    told = _told(row)
    return CellOut(
        row=row.row_no,
        field=field,
        type=FIELDS[field].type,
        value=cells.get(field),
        decided=decided_of(standing.decision) if standing and standing.decision else None,
        witnesses=[*standing.winner.witnesses] if standing else [],
        stated=stated,
        stages=[*told.stages] if told else [],
        costs=told.costs if told else None,
        error=row.error,
    )


async def _entity(
    services: Services, workspace_id: WorkspaceId, row: RowResult, field: FieldName
) -> EntityId | None:
    try:
        keys = identify(words_of(row)).keys
    except InputError:  # it names nobody, so nothing is known
        return None
    homes = await services.entities.find(workspace_id, keys)
    return homes.get(FIELDS[field].entity)


def _told(row: RowResult) -> EnrichResult | None:
    try:
        return EnrichResult.model_validate(row.result)
    except ValidationError:  # not at its end, or it failed
        return None
