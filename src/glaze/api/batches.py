"""``/batches``: tables sent as files, worked on row by row, paused, resumed, cancelled, tried again."""

import asyncio
import hashlib
import json
import os
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from glaze.api.auth import Canceller, Reader, Retrier, Watcher, Writer, must_see_batch
from glaze.api.schemas import PROBLEMS, V1, RowId, Tag
from glaze.api.services import Services
from glaze.api.uploads import MEDIA_TYPES, Upload, uploaded
from glaze.errors import BatchStateConflict, Fault, IdempotencyConflict, InputError, NotFound
from glaze.jobs.enqueue import known_kind
from glaze.model.input_type import TYPES, InputType, field_of
from glaze.model.label import checked_tags
from glaze.model.value import BatchId, FieldName, Json, WorkspaceId
from glaze.store.batch import NewBatch, Progress
from glaze.store.lock import session_lock
from glaze.tasks.enrich import NAME as ENRICH
from glaze.tasks.table import Loaded, Table, load, open_table

BatchState = Literal["loading", "running", "paused", "finished", "cancelled"]
Name = Annotated[str, Field(max_length=255)]


class TableIn(BaseModel):
    """What is asked of a table: in the query, or as parts of the form beside the file."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, min_length=1, max_length=100, description="for people")
    kind: Name = Field(default=ENRICH, description="the kind of each row's job; it takes `input`")
    fields: list[Name] = Field(
        default_factory=list,
        max_length=100,
        description="what is wanted, repeated or comma-separated; none: the usual ones",
    )
    type: InputType | None = Field(
        default=None, description="what each row is about; a row that is not of it fails"
    )
    map: list[Annotated[str, Field(max_length=1000)]] = Field(
        default_factory=list,
        max_length=2000,
        description="COLUMN=FIELD, repeated; other columns are guessed. `COLUMN=` leaves one out",
    )
    providers: list[Name] = Field(
        default_factory=list, max_length=100, description="ask only these; none: all"
    )
    order: list[Name] = Field(
        default_factory=list,
        max_length=100,
        description="whom to ask first: learned, cheapest, originals, or names; none: as set",
    )
    min_confidence: int | None = Field(default=None, ge=0, le=100)
    max_cost_cents: int | None = Field(
        default=None, ge=0, le=10_000_000, description="most that one row may cost"
    )
    budget_cents: int | None = Field(
        default=None, ge=0, le=1_000_000_000, description="most that all rows may cost together"
    )
    skip_cache: bool = Field(default=False, description="ask again, whatever is known")
    verify: bool = Field(
        default=False, description="have the LLM check what sources disagree on against the site"
    )
    args: str | None = Field(
        default=None,
        max_length=100_000,
        description="of other kinds than `enrich`: the arguments that all rows share, as JSON",
    )
    tags: list[Tag] = Field(default_factory=list, max_length=20)
    priority: int = Field(default=3, ge=1, le=5, description="1 is the most urgent")
    queue: Annotated[str | None, Field(min_length=1, max_length=255)] = None
    bad_rows: Literal["refuse", "skip"] = Field(
        default="refuse", description="what becomes of a table in which rows cannot be used"
    )
    encoding: Annotated[str | None, Field(max_length=40)] = Field(
        default=None, description="of text, if it is misjudged"
    )

    @field_validator("fields", "providers", "order")
    @classmethod
    def _split(cls, names: list[str]) -> list[str]:
        return [name for text in names for part in text.split(",") if (name := part.strip())]

    def settings(self) -> dict[str, Json]:
        """Return the arguments that all rows share. Raises: UnknownField, InputError."""
        if self.kind != ENRICH:
            return _object(self.args or "{}")
        return {
            **({} if self.type is None else {"type": self.type}),
            "required_fields": self._wanted(),
            "skip_cache": self.skip_cache,
            "verify": self.verify,
            "max_cost_cents": self.max_cost_cents,
            "batch_max_cost_cents": self.budget_cents,
            "providers": [*self.providers] or None,
            "order": [*self.order] or None,
            "min_confidence": self.min_confidence,
        }

    def _wanted(self) -> list[FieldName]:
        if not self.fields and self.type is not None:
            return [*TYPES[self.type].fields]
        return [field_of(name, self.type) for name in self.fields]

    def mapping(self) -> dict[str, str]:
        """Return what the caller says of columns. Raises: InputError."""
        mapping: dict[str, str] = {}
        for option in self.map:
            column, separator, target = option.rpartition("=")
            if not separator or not column:
                raise InputError(f"map={option}: write it as COLUMN=FIELD, as in map=Web=website")
            mapping[column.strip()] = target.strip()
        return mapping


class SpendOut(BaseModel):
    """What a batch caused at one provider. Money in micros of a US dollar."""

    provider: str
    calls: int
    matches: int
    price_micros: int
    unknown_micros: int = Field(description="reserved for calls that are open or unknown")


class BatchOut(BaseModel):
    """A batch with its counters. What is not counted is not begun yet."""

    id: int
    name: str | None
    kind: str
    state: BatchState
    tags: list[str]
    total: int
    queued: int = Field(description="rows that are jobs now")
    running: int = Field(description="of these, in the hands of workers")
    completed: int
    partial: int
    failed: int
    cancelled: int
    draining: int = Field(description="rows of a cancelled batch that are still under way")
    percent: float
    created_at: datetime
    finished_at: datetime | None
    cancelled_at: datetime | None = None


class FileColumn(BaseModel):
    """A column of the file that a batch was made from."""

    name: str
    taken_for: str | None = Field(
        description="an input word or field; null: for nothing, and it is carried through"
    )


class BatchDetail(BatchOut):
    """A batch with what it asks and what it cost so far."""

    queue: str
    priority: int
    settings: dict[str, Json] = Field(description="the arguments that all rows share")
    file_columns: list[FileColumn] = Field(
        default_factory=list, description="of its file, in order; none where it came from no file"
    )
    cost_micros: int
    unknown_micros: int = Field(description="reserved for calls that are open or unknown")
    open_calls: int = Field(description="paid calls that are under way or of unknown outcome")
    stopped_micros: int | None = Field(
        description="what calls begun since it was cancelled cost; null: it was not"
    )
    budget_cents: int | None = Field(description="most that all rows may cost together")
    spend: list[SpendOut]


class LeftOut(BaseModel):
    """Something in a row that could not be used."""

    path: str = Field(description="rows.<number>.<column>")
    message: str


class BatchMade(BatchDetail):
    """A new batch, what its columns are taken for, and the rows that were left out."""

    columns: dict[str, str] = Field(description="column -> input word or field")
    left_out: int = Field(description="rows that cannot be used, with `bad_rows=skip`")
    faults: list[LeftOut] = Field(description="what is wrong with the first of them")


class BatchPage(BaseModel):
    """Batches, newest first."""

    items: list[BatchOut]
    next_before: int | None = Field(description="`before` of the next page; null: this is the last")


class RetryIn(BaseModel):
    """Which rows are tried again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"partial": True}]})

    partial: bool = Field(default=False, description="partial rows, too")


class Retried(BaseModel):
    """What came of it."""

    rows: int = Field(description="how many are tried again")


_FILE: dict[str, Any] = {"type": "string", "format": "binary"}
_OPTIONS = TableIn.model_json_schema()["properties"]
BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": _FILE, **_OPTIONS},
            }
        },
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["rows"],
                "properties": {
                    "rows": {"type": "array", "items": {"type": "object"}, "maxItems": 10_000},
                    **_OPTIONS,
                },
            },
            "example": {
                "rows": [{"website": "example.com"}],
                "fields": ["company_name", "company_phone"],
                "budget_cents": 500,
            },
        },
        "text/csv": {"schema": {"type": "string"}, "example": "website\nexample.com\n"},
        **{media: {"schema": _FILE} for media in MEDIA_TYPES if media != "text/csv"},
    },
}


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["batches"], responses=PROBLEMS)

    @router.post(
        "/batches",
        status_code=202,
        summary="Enrich a table",
        openapi_extra={"requestBody": BODY},
    )
    async def create(
        request: Request,
        asked: Annotated[TableIn, Query()],
        who: Writer,
        response: Response,
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
    ) -> BatchMade:
        """Take a table of up to 1,000,000 rows and work on it.

        The body is the table itself (CSV, JSONL, Parquet, XLSX) with the options in the query, a
        form with the part `file`, or JSON with `rows`. All rows are taken or none; the problem
        names rows and columns that cannot be used. The same `Idempotency-Key` with the same body
        and options names the same batch.
        """
        async with uploaded(request) as upload:
            batch_id, table, loaded = await _made(
                services, who.workspace_id, upload, options_of(asked, upload), idempotency_key
            )
            columns = {**table.columns}
        response.headers["Location"] = f"/v1/batches/{batch_id}"
        told = await detail_of(services, who.workspace_id, batch_id)
        return BatchMade(
            **told.model_dump(),
            columns=columns,
            left_out=loaded.left_out,
            faults=[_left_out(fault) for fault in loaded.faults],
        )

    @router.get("/batches", summary="List batches")
    async def page(
        who: Reader,
        state: Annotated[
            list[BatchState] | None, Query(max_length=20, description="in one of these")
        ] = None,
        tag: Annotated[list[Tag] | None, Query(max_length=20, description="with all")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        before: Annotated[int | None, Query(ge=1, lt=1 << 63, description="an id")] = None,
    ) -> BatchPage:
        """Return batches, newest first, with how far they are."""
        found = await services.batch_control.page(
            who.workspace_id,
            limit,
            before=None if before is None else BatchId(before),
            states=state,
            tags=tag or (),
        )
        last = found[-1].id if len(found) == limit else None
        return BatchPage(items=[BatchOut(**_facts(one)) for one in found], next_before=last)

    @router.get("/batches/{batch_id}", summary="Follow a batch")
    async def show(batch_id: RowId, who: Watcher) -> BatchDetail:
        """Return a batch with counts by state, what it asks and what it cost so far."""
        must_see_batch(who, batch_id)
        return await detail_of(services, who.workspace_id, BatchId(batch_id))

    router.routes.extend(_steering(services).routes)
    return router


def _steering(services: Services) -> APIRouter:
    router = APIRouter(prefix=V1, tags=["batches"], responses=PROBLEMS)
    batches, control = services.batches, services.batch_control

    @router.post("/batches/{batch_id}/pause", summary="Pause a batch")
    async def pause(batch_id: RowId, who: Writer) -> BatchDetail:
        """Begin no further row; what runs goes on to its end."""
        await detail_of(services, who.workspace_id, BatchId(batch_id))
        await batches.pause(who.workspace_id, BatchId(batch_id))
        return await detail_of(services, who.workspace_id, BatchId(batch_id))

    @router.post("/batches/{batch_id}/resume", summary="Resume a batch")
    async def resume(batch_id: RowId, who: Writer) -> BatchDetail:
        """Go on with a paused batch."""
        await detail_of(services, who.workspace_id, BatchId(batch_id))
        await batches.resume(who.workspace_id, BatchId(batch_id))
        return await detail_of(services, who.workspace_id, BatchId(batch_id))

    @router.post("/batches/{batch_id}/cancel", summary="Cancel a batch")
    async def cancel(batch_id: RowId, who: Canceller) -> BatchDetail:
        """Begin no further row and make no further vendor call; what was found is kept."""
        must_see_batch(who, batch_id)
        await detail_of(services, who.workspace_id, BatchId(batch_id))
        if not await batches.cancel(who.workspace_id, BatchId(batch_id)):
            raise BatchStateConflict(f"batch {batch_id} is at its end already")
        return await detail_of(services, who.workspace_id, BatchId(batch_id))

    @router.post("/batches/{batch_id}/retry", summary="Try failed rows again")
    async def retry(batch_id: RowId, body: RetryIn, who: Retrier) -> Retried:
        """Try the rows that failed again, in the same batch; no answer is bought twice."""
        must_see_batch(who, batch_id)
        await detail_of(services, who.workspace_id, BatchId(batch_id))
        rows = await control.retry_failed(who.workspace_id, BatchId(batch_id), partial=body.partial)
        return Retried(rows=rows)

    return router


def options_of(asked: TableIn, upload: Upload) -> TableIn:
    """Return the options of the query with those that stood beside the table in their place."""
    given: dict[str, Any] = asked.model_dump(exclude_unset=True)
    for name, values in upload.options.items():
        known = TableIn.model_fields.get(name)
        is_list = known is not None and known.default_factory is list
        given[name] = [*values] if is_list else values[-1] if values else None
    if upload.name is not None:
        given.setdefault("name", upload.name)
    try:
        return TableIn.model_validate(given)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from None


async def _made(
    services: Services,
    workspace_id: WorkspaceId,
    upload: Upload,
    asked: TableIn,
    key: str | None,
) -> tuple[BatchId, Table, Loaded]:
    """Make the batch, or find the one that the same request made before."""
    kind = known_kind(services.kinds, asked.kind)
    tags = checked_tags(asked.tags)
    table = await asyncio.to_thread(
        open_table,
        upload.path,
        kind,
        asked.settings(),
        given=asked.mapping(),
        encoding=asked.encoding,
    )
    options: dict[str, Any] = {"priority": asked.priority, "name": asked.name, "tags": tags}
    if asked.queue is not None:
        options["queue"] = asked.queue
    new = kind.batch(
        table.settings,
        request_key=hashlib.sha256(key.encode()).digest() if key else os.urandom(32),
        request_hash=_hash(table, asked),
        **options,
    )
    skip_bad = asked.bad_rows == "skip"
    if key is None:
        return await _load(services, workspace_id, table, new, skip_bad=skip_bad)
    mark = b"batch request" + workspace_id.to_bytes(8, "big") + (new.request_key or b"")
    async with session_lock(services.db.dsn, mark) as lock:
        if not await lock.hold():
            raise BatchStateConflict("a request with this idempotency key is being read just now")
        found = await services.batches.of_request(workspace_id, new.request_key or b"")
        if found is not None and found.state == "loading":  # whoever read it is gone
            await services.batches.discard(workspace_id, found.id)
            found = None
        if found is None:
            return await _load(services, workspace_id, table, new, skip_bad=skip_bad)
    if found.request_hash != new.request_hash:
        raise IdempotencyConflict(
            f"idempotency key {key!r} was used with another table or other options"
        )
    return found.id, table, Loaded()


async def _load(
    services: Services, workspace_id: WorkspaceId, table: Table, new: NewBatch, *, skip_bad: bool
) -> tuple[BatchId, Table, Loaded]:
    batch_id, loaded = await load(
        services.batches, services.kinds, workspace_id, table, new, skip_bad=skip_bad
    )
    return batch_id, table, loaded


def _hash(table: Table, asked: TableIn) -> bytes:
    text = json.dumps(asked.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(table.source.digest + text.encode()).digest()


async def detail_of(
    services: Services, workspace_id: WorkspaceId, batch_id: BatchId
) -> BatchDetail:
    """Return a batch with what it asks and what it cost. Raises: NotFound."""
    progress = await services.batches.progress(workspace_id, batch_id)
    plan = await services.batch_control.plan(workspace_id, batch_id)
    if progress is None or plan is None:
        raise NotFound(f"there is no batch {batch_id}")
    spent = await services.ledger.spend_of_batch(workspace_id, batch_id)
    spend = [SpendOut(**{name: row[name] for name in SpendOut.model_fields}) for row in spent]
    stopped = progress.cancelled_at is not None
    cap = plan.settings.get("batch_max_cost_cents")
    return BatchDetail(
        **_facts(progress),
        queue=plan.queue,
        priority=plan.priority,
        settings={**plan.settings},
        file_columns=[FileColumn(name=name, taken_for=word) for name, word in plan.columns],
        cost_micros=sum(one.price_micros for one in spend),
        unknown_micros=sum(one.unknown_micros for one in spend),
        open_calls=sum(row["unknown_calls"] for row in spent),
        stopped_micros=await services.batch_control.since_stopped(workspace_id, batch_id)
        if stopped
        else None,
        budget_cents=cap if isinstance(cap, int) else None,
        spend=spend,
    )


def _facts(progress: Progress) -> dict[str, Any]:
    facts = {name: getattr(progress, name) for name in BatchOut.model_fields if name != "percent"}
    share = 100 * progress.ended / progress.total if progress.total else 100.0
    percent = 0.0 if progress.state == "loading" else round(share, 2)
    return facts | {"tags": [*progress.tags], "percent": percent}


def _left_out(fault: Fault) -> LeftOut:
    return LeftOut(path=fault.path, message=fault.message)


def _object(text: str) -> dict[str, Json]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InputError(f"args is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise InputError("args is no JSON object")
    return found
