"""``/batches/{id}/rows``: a batch as a table: its rows and cells, what people decide of them, export."""

import os
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Query, Response
from fastapi.responses import FileResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask

from glaze.api.auth import Watcher, Writer, must_see_batch
from glaze.api.batches import BatchDetail, detail_of
from glaze.api.etag import MeantForThis, Precondition, etag_of
from glaze.api.schemas import PROBLEMS, V1, Cell, JobOut, RowId, shown
from glaze.api.services import Services
from glaze.errors import BatchStateConflict, InputError, NotFound
from glaze.files.source import TEXT_FORMATS, Format
from glaze.files.writing import Target
from glaze.jobs.enqueue import enqueue, known_kind
from glaze.model.access import Principal
from glaze.model.decision import Decision
from glaze.model.icp_score import Score
from glaze.model.request import EnrichArgs, FieldValue
from glaze.model.value import BatchId, FieldName, Json, WorkspaceId
from glaze.pipeline.deciding import Meant, Standing
from glaze.store.batch import RowResult
from glaze.store.batch_control import BatchPlan
from glaze.tasks.asking_again import Column, Which, asked_again, quote
from glaze.tasks.cells import Cells, cells_of, fields_of
from glaze.tasks.enrich import NAME as ENRICH
from glaze.tasks.export import export_of
from glaze.tasks.page_scores import page_scores

_STRETCH = 20_000
_LONGEST_LOOK_S = 2.0
_MEDIA = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.JSONL: "application/x-ndjson",
    Format.PARQUET: "application/vnd.apache.parquet",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

RowNo = Annotated[int, Field(ge=1, lt=1 << 31)]
RowState = Literal["new", "queued", "completed", "partial", "failed", "cancelled"]


class RowOut(BaseModel):
    """A row with its cells: for each field that has a value, the value and where it came from."""

    row: int = Field(description="from 1, in the order of the table")
    state: RowState
    input: Json
    carried: dict[str, Json] = Field(
        default_factory=dict, description="what its file has in columns that are taken for nothing"
    )
    cells: dict[FieldName, FieldValue] = Field(
        description="as they stand now: what a person decided (source `user`), else the newest"
    )
    missing: list[FieldName] = Field(description="fields that are asked for and have no value")
    error: str | None = Field(description='"code: message"')
    result: Json = Field(default=None, description="of rows that are no enrichments")
    icp: Score | None = Field(
        default=None, description="how well it fits the ideal customer profile, where there is one"
    )


class RowPage(BaseModel):
    """Rows in the order of the table."""

    items: list[RowOut] = Field(description="with a `state` perhaps fewer than `limit`, or none")
    next_after: int | None = Field(description="`after` of the next page; null: this is the last")
    scored: bool = Field(description="whether the workspace has an ideal customer profile")


class CellDecisionOut(BaseModel):
    """What a person decided of a cell."""

    field: FieldName
    value: Json
    act: Literal["confirmed", "chosen", "corrected", "locked"]
    by: str | None
    at: datetime


class RowDetail(RowOut):
    """A row with what was decided of its cells."""

    decided: list[CellDecisionOut]


class ChooseIn(BaseModel):
    """The value that is true."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"value": "Acme"}]})

    value: Json = Field(description="an alternative, or one that no source stated")


class AskIn(BaseModel):
    """What asking again may cost."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}]})

    max_cost_cents: int | None = Field(
        default=None, ge=0, le=10_000_000, description="null: tell me first what it would cost"
    )


class AskColumnIn(AskIn):
    """Which rows are asked again, and what it may cost."""

    rows: Which = Field(default="missing", description="where the cell has no value, or all")


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["tables"], responses=PROBLEMS)

    @router.get("/batches/{batch_id}/rows", summary="Rows of a table")
    async def page(
        batch_id: RowId,
        who: Watcher,
        state: Annotated[
            list[RowState] | None, Query(max_length=20, description="in one of these")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        after: Annotated[int, Query(ge=0, lt=1 << 31, description="a row's number")] = 0,
        *,
        row: Annotated[
            list[RowNo] | None, Query(max_length=500, description="these alone; all else is moot")
        ] = None,
    ) -> RowPage:
        """Return rows with their cells, in the order of the table."""
        must_see_batch(who, batch_id)
        plan, total = await plan_of(services, who.workspace_id, BatchId(batch_id))
        next_after: int | None = None
        if row:
            rows = await services.batches.named_rows(who.workspace_id, BatchId(batch_id), row)
        else:
            rows, next_after = await _look(
                services,
                who.workspace_id,
                BatchId(batch_id),
                [*(state or get_args(RowState))],
                after=after,
                total=total,
                limit=limit,
            )
        fields = fields_of(plan.settings)
        cells = await cells_of(services.entities, who.workspace_id, rows, fields)
        scores = await page_scores(services.scoring, who.workspace_id)
        none: list[Score | None] = [None] * len(rows)
        icp = none if scores is None else await scores(rows)
        items = [
            _row(one, own, fields).model_copy(update={"icp": score})
            for one, own, score in zip(rows, cells, icp, strict=True)
        ]
        return RowPage(items=items, next_after=next_after, scored=scores is not None)

    @router.get("/batches/{batch_id}/rows/{row_no}", summary="One row")
    async def show(batch_id: RowId, row_no: RowId, who: Watcher) -> RowDetail:
        """Return a row with its cells and what was decided of them."""
        must_see_batch(who, batch_id)
        plan, row = await row_of(services, who.workspace_id, BatchId(batch_id), row_no)
        fields = fields_of(plan.settings)
        (cells,) = await cells_of(services.entities, who.workspace_id, [row], fields)
        decided = await _decisions(services, who.workspace_id, row) if fields else []
        shown_row = _row(row, cells, fields)
        return RowDetail(**dict(shown_row), decided=decided)

    @router.get(
        "/batches/{batch_id}/export",
        summary="A table as a file",
        response_class=Response,
        responses={200: {"content": {media.partition(";")[0]: {} for media in _MEDIA.values()}}},
    )
    async def export(
        batch_id: RowId,
        who: Watcher,
        format: Annotated[Format, Query()] = Format.CSV,  # noqa: A002  as callers know it
        *,
        provenance: Annotated[
            bool, Query(description="confidence, source, source URL and cost beside each value")
        ] = False,
    ) -> Response:
        """Return all rows as they stand: number, state, error, input, and what was found.

        Values that a spreadsheet would run as a formula are defused in CSV.
        """
        must_see_batch(who, batch_id)
        plan, _ = await plan_of(services, who.workspace_id, BatchId(batch_id))
        told = await export_of(
            services.batches,
            services.batch_control,
            services.entities,
            who.workspace_id,
            BatchId(batch_id),
            scoring=services.scoring,
            plan=plan,
            provenance=provenance,
        )
        name = f"batch-{batch_id}.{format}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        if format in TEXT_FORMATS:
            text = told.as_text(Target(Path(name), format))
            return StreamingResponse(text, media_type=_MEDIA[format], headers=headers)
        folder = tempfile.TemporaryDirectory(prefix="glaze-export-")
        path = Path(folder.name) / name
        try:
            await told.to_file(Target(path, format))
        except BaseException:
            folder.cleanup()
            raise
        return FileResponse(
            path,
            media_type=_MEDIA[format],
            headers=headers,
            background=BackgroundTask(folder.cleanup),
        )

    router.routes.extend(_deciding(services).routes)
    router.routes.extend(_asking(services).routes)
    return router


def _deciding(services: Services) -> APIRouter:
    router = APIRouter(prefix=V1, tags=["tables"], responses=PROBLEMS)
    cell = "/batches/{batch_id}/rows/{row_no}/cells/{field}"

    @router.post(f"{cell}/choose", summary="Choose a cell's value")
    async def choose(
        batch_id: RowId,
        row_no: RowId,
        field: Cell,
        *,
        body: ChooseIn,
        who: Writer,
        meant: MeantForThis,
        response: Response,
    ) -> CellDecisionOut:
        """Say which value is true: an alternative, or one that no source stated. It stays."""
        given = await _input(services, who.workspace_id, batch_id, row_no, field)
        made = await services.deciding.choose(
            who.workspace_id, given, field, body.value, by=who.actor, meant=_for_cell(meant)
        )
        response.headers["ETag"] = _etag(made.value, made)
        return await _tell(services, who, batch_id, row_no, made)

    @router.post(f"{cell}/confirm", summary="Confirm a cell's value")
    async def confirm(
        batch_id: RowId,
        row_no: RowId,
        field: Cell,
        *,
        who: Writer,
        meant: MeantForThis,
        response: Response,
    ) -> CellDecisionOut:
        """Say that the value is true: it stays, and its sources were right."""
        given = await _input(services, who.workspace_id, batch_id, row_no, field)
        made = await services.deciding.confirm(
            who.workspace_id, given, field, by=who.actor, meant=_for_cell(meant)
        )
        response.headers["ETag"] = _etag(made.value, made)
        return await _tell(services, who, batch_id, row_no, made)

    @router.post(f"{cell}/lock", summary="Lock a cell")
    async def lock(
        batch_id: RowId,
        row_no: RowId,
        field: Cell,
        *,
        who: Writer,
        meant: MeantForThis,
        response: Response,
    ) -> CellDecisionOut:
        """Keep the value as it is, whatever sources say; this does not say that it is true."""
        given = await _input(services, who.workspace_id, batch_id, row_no, field)
        made = await services.deciding.lock(
            who.workspace_id, given, field, by=who.actor, meant=_for_cell(meant)
        )
        response.headers["ETag"] = _etag(made.value, made)
        return await _tell(services, who, batch_id, row_no, made)

    @router.post(f"{cell}/unlock", status_code=204, summary="Take a decision back")
    async def unlock(
        batch_id: RowId, row_no: RowId, field: Cell, who: Writer, meant: MeantForThis
    ) -> None:
        """Let the sources speak again."""
        given = await _input(services, who.workspace_id, batch_id, row_no, field)
        await services.deciding.unlock(who.workspace_id, given, field, meant=_for_cell(meant))
        await services.batch_control.tell_decided(
            who.workspace_id, BatchId(batch_id), row_no, field
        )

    return router


async def _tell(
    services: Services, who: Principal, batch_id: int, row_no: int, made: Decision
) -> CellDecisionOut:
    """Let whoever looks at the table see the decision, and return it."""
    await services.batch_control.tell_decided(
        who.workspace_id, BatchId(batch_id), row_no, made.field
    )
    return decided_of(made)


def _asking(services: Services) -> APIRouter:
    router = APIRouter(prefix=V1, tags=["tables"], responses=PROBLEMS)

    @router.post(
        "/batches/{batch_id}/rows/{row_no}/cells/{field}/ask",
        status_code=202,
        summary="Ask for a cell again",
    )
    async def ask_cell(
        batch_id: RowId,
        row_no: RowId,
        field: Cell,
        *,
        body: AskIn,
        who: Writer,
        response: Response,
    ) -> JobOut:
        """Ask the sources for one value again, whatever is known; it may be paid for again.

        Without `max_cost_cents` what would be paid for is a 409 `confirmation_needed` with a
        `quote`; with it the request starts a job that never spends more. The cell shows what the
        job finds.
        """
        plan, row = await row_of(services, who.workspace_id, BatchId(batch_id), row_no)
        args = asked_again(plan, field)
        given = words_of(row)
        told = await quote(
            services.planner(), who.workspace_id, args, [given], rows=1, now=services.clock()
        )
        cents = told.confirmed(body.max_cost_cents)
        args = args.model_copy(update={"input": given, "max_cost_cents": cents})
        job = known_kind(services.kinds, ENRICH).job(args, priority=1)
        (job_id,) = await enqueue(services.jobs, services.kinds, who.workspace_id, [job])
        response.headers["Location"] = f"/v1/jobs/{job_id}"
        view = await services.jobs.get(who.workspace_id, job_id)
        if view is None:
            raise NotFound(f"there is no job {job_id}")
        return shown(view)

    @router.post(
        "/batches/{batch_id}/columns/{field}/ask",
        status_code=202,
        summary="Ask for a column again",
    )
    async def ask_column(
        batch_id: RowId, field: Cell, body: AskColumnIn, who: Writer, response: Response
    ) -> BatchDetail:
        """Ask the sources for one value of many rows again; confirmed as a single cell is.

        The rows are asked as a batch of their own, which never spends more than `max_cost_cents`;
        the cells of this table show what it finds. Its tag is `table-<id of this one>`.
        """
        plan, _ = await plan_of(services, who.workspace_id, BatchId(batch_id))
        args = asked_again(plan, field)
        made = await column_asked(
            services,
            who.workspace_id,
            BatchId(batch_id),
            plan,
            args,
            which=body.rows,
            max_cost_cents=body.max_cost_cents,
        )
        if made is None:
            raise BatchStateConflict(f"every row has a value for {field}: ask for all rows")
        response.headers["Location"] = f"/v1/batches/{made}"
        return await detail_of(services, who.workspace_id, made)

    return router


async def column_asked(
    services: Services,
    workspace_id: WorkspaceId,
    batch_id: BatchId,
    plan: BatchPlan,
    args: EnrichArgs,
    *,
    which: Which,
    max_cost_cents: int | None,
    is_new: bool = False,
) -> BatchId | None:
    """Ask for the one field of ``args`` as a batch of its own; None: no row lacks it.

    ``is_new``: the table gets the field as a further column, once it may cost what it costs.

    Raises: ConfirmationNeeded; BatchStateConflict where there can be no such column.
    """
    (field,) = args.required_fields
    column = Column(services.batches, services.entities, workspace_id, batch_id, field, which)
    rows, first = await column.counted()
    if rows:
        told = await quote(
            services.planner(), workspace_id, args, first, rows=rows, now=services.clock()
        )
        args = args.model_copy(update={"batch_max_cost_cents": told.confirmed(max_cost_cents)})
    if is_new:
        await services.batch_control.add_column(workspace_id, batch_id, field)
    if not rows:
        return None
    new = known_kind(services.kinds, ENRICH).batch(
        args.model_dump(mode="json", exclude={"input"}),
        name=f"{field} of batch {batch_id}",
        tags=[f"table-{batch_id}"],
        priority=plan.priority,
        request_key=os.urandom(32),
    )
    made = await services.batches.create(workspace_id, new)
    try:
        await services.batches.add_rows(workspace_id, made, column.inputs())
        await services.batches.start(workspace_id, made)
    except BaseException:
        await services.batches.discard(workspace_id, made)
        raise
    return made


async def plan_of(
    services: Services, workspace_id: WorkspaceId, batch_id: BatchId
) -> tuple[BatchPlan, int]:
    """Return what a batch asks, and how many rows it has. Raises: NotFound."""
    plan = await services.batch_control.plan(workspace_id, batch_id)
    progress = await services.batches.progress(workspace_id, batch_id)
    if plan is None or progress is None:
        raise NotFound(f"there is no batch {batch_id}")
    return plan, progress.total


async def row_of(
    services: Services, workspace_id: WorkspaceId, batch_id: BatchId, row_no: int
) -> tuple[BatchPlan, RowResult]:
    """Return what a batch asks, and one row of it. Raises: NotFound."""
    plan, total = await plan_of(services, workspace_id, batch_id)
    if row_no <= total:
        for row in await services.batches.results(workspace_id, batch_id, after=row_no - 1, n=1):
            if row.row_no == row_no:
                return plan, row
    raise NotFound(f"batch {batch_id} has no row {row_no}")


async def _look(
    services: Services,
    workspace_id: WorkspaceId,
    batch_id: BatchId,
    states: list[str],
    *,
    after: int,
    total: int,
    limit: int,
) -> tuple[list[RowResult], int | None]:
    """Return rows in these states, and where to go on: of a million few may be meant."""
    rows: list[RowResult] = []
    begun = time.monotonic()
    while after < total and time.monotonic() - begun < _LONGEST_LOOK_S:
        until = after + _STRETCH
        left = limit - len(rows)
        found = await services.batches.stretch(
            workspace_id, batch_id, states, after=after, until=until, n=left
        )
        rows += found
        if len(found) == left:
            last = found[-1].row_no
            return rows, last if last < total else None
        after = until
    return rows, after if after < total else None


def _row(row: RowResult, cells: Cells, fields: tuple[FieldName, ...]) -> RowOut:
    facts: dict[str, Any] = {"state": row.state, "input": row.input, "error": row.error}
    facts["carried"] = {**(row.carried or {})}
    return RowOut(
        row=row.row_no,
        cells={name: value for name, value in cells.items() if name in fields},
        missing=[name for name in fields if name not in cells],
        result=None if fields else row.result,
        **facts,
    )


def words_of(row: RowResult) -> dict[str, str]:
    """Return who a row is about, as the input of an enrichment names them."""
    given = row.input if isinstance(row.input, dict) else {}
    return {word: str(text) for word, text in given.items()}


async def _input(
    services: Services, workspace_id: WorkspaceId, batch_id: int, row_no: int, field: str
) -> dict[str, str]:
    """Return who a row is about. Raises: NotFound, InputError where it has no such column."""
    plan, row = await row_of(services, workspace_id, BatchId(batch_id), row_no)
    if field not in fields_of(plan.settings):
        raise NotFound(f"batch {batch_id} has no column {field}")
    return words_of(row)


async def _decisions(
    services: Services, workspace_id: WorkspaceId, row: RowResult
) -> list[CellDecisionOut]:
    try:
        standing = await services.deciding.standing(workspace_id, words_of(row))
    except InputError:  # nothing is known of it yet
        return []
    decisions = (one.decision for one in standing.values())
    return [decided_of(made) for made in decisions if made is not None]


def cell_etag(standing: Standing | None) -> str:
    """Return what differs wherever a cell's best value, or what was decided of it, does."""
    if standing is None:
        return etag_of(None)
    return _etag(standing.winner.observation.value, standing.decision)


def _etag(value: Json, made: Decision | None) -> str:
    decided: Json = [made.act.value, made.value, made.by] if made else None
    return etag_of({"value": value, "decided": decided})


def _for_cell(meant: Precondition) -> Meant | None:
    if not meant.asked:
        return None
    return lambda there: meant.check(cell_etag(there), "the cell")


def decided_of(made: Decision) -> CellDecisionOut:
    """Return a decision as the API shows it."""
    return CellDecisionOut(
        field=made.field, value=made.value, act=made.act.value, by=made.by, at=made.at
    )
