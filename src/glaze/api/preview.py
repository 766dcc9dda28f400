"""``/batches/preview`` and ``/fields``: a table looked at before it is sent, and what can be asked."""

import asyncio
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from glaze.api.auth import Reader, Writer
from glaze.api.batches import BODY, LeftOut, TableIn, options_of
from glaze.api.plan import PlanOut
from glaze.api.schemas import PROBLEMS, V1
from glaze.api.services import Services
from glaze.api.uploads import uploaded
from glaze.errors import Fault, InputError
from glaze.files.cell import Cell, text_of
from glaze.files.reading import BadRow
from glaze.files.source import Format, Source
from glaze.jobs.enqueue import known_kind
from glaze.model.field import FIELDS, EntityKind, FieldType
from glaze.model.identity import PLAIN_WORDS
from glaze.model.request import EnrichArgs
from glaze.model.value import MICROS_PER_CENT, FieldName, WorkspaceId
from glaze.tasks.enrich import NAME as ENRICH
from glaze.tasks.plan_document import binding_cents, plan_document
from glaze.tasks.table import MOST_FAULTS, Table, faults_of, look_at, open_table

MOST_PLANNED = 5_000
"""So many rows are planned; beyond, each further one is reckoned as these are."""
_SHOWN = 5
_LONGEST_SAMPLE = 200


class ColumnPreview(BaseModel):
    """A column of a file, and what it is taken for."""

    name: str
    taken_for: str | None = Field(description="an input word or field; null: it is carried through")
    reason: str
    sample: list[str] = Field(description="its values in the first rows")


class PreviewOut(BaseModel):
    """What would become of a table if it were sent. Nothing is kept of it."""

    format: Format
    columns: list[ColumnPreview]
    fault: str | None = Field(description="why no row can be used as the columns are taken")
    rows: int = Field(description="that can be used")
    left_out: int = Field(
        description="that cannot: they are refused, or skipped as `bad_rows` says"
    )
    faults: list[LeftOut] = Field(description="what is wrong with the first of them")
    fields: list[FieldName] = Field(description="what would be asked")
    planned_rows: int = Field(description="the first ones; the plan is reckoned up from these")
    plan: PlanOut | None = Field(description="null: there is nothing to plan")


class FieldOut(BaseModel):
    """A field that can be asked for."""

    name: FieldName
    entity: EntityKind
    type: FieldType
    description: str


class FieldsOut(BaseModel):
    """What can be asked for, and what a column can be taken for beside it."""

    fields: list[FieldOut]
    words: dict[str, str] = Field(description="plain words of inputs, and what they mean")


@dataclass(slots=True)
class _Counted:
    rows: int = 0
    left_out: int = 0
    faults: list[Fault] = field(default_factory=list)
    first: list[dict[str, str]] = field(default_factory=list)


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["batches"], responses=PROBLEMS)

    @router.post(
        "/batches/preview",
        summary="Look at a table before it is sent",
        openapi_extra={"requestBody": BODY},
    )
    async def preview(
        request: Request, asked: Annotated[TableIn, Query()], who: Writer
    ) -> PreviewOut:
        """Tell what columns would be taken for, which rows can be used, and what a run would cost.

        The body and the options are those of `POST /batches`. Asks nobody, keeps nothing.
        """
        async with uploaded(request) as upload:
            options = options_of(asked, upload)
            if options.kind != ENRICH:
                raise InputError("only a table of enrichments can be previewed")
            source = await asyncio.to_thread(look_at, upload.path, encoding=options.encoding)
            try:
                table = await asyncio.to_thread(
                    open_table,
                    upload.path,
                    known_kind(services.kinds, ENRICH),
                    options.settings(),
                    given=options.mapping(),
                    encoding=options.encoding,
                )
            except InputError as error:
                return _unusable(source, options, str(error))
            known_kind(services.kinds, ENRICH).check(EnrichArgs.model_validate(table.settings))
            counted = await asyncio.to_thread(_count, table)
            return await _previewed(services, who.workspace_id, table, counted)

    @router.get("/fields", summary="What can be asked for")
    async def fields(who: Reader) -> FieldsOut:  # noqa: ARG001  only who may read is answered
        """Return every canonical field, and the plain words that columns can be taken for."""
        return FieldsOut(
            fields=[FieldOut.model_validate(one, from_attributes=True) for one in FIELDS.values()],
            words={**PLAIN_WORDS},
        )

    return router


def _unusable(source: Source, options: TableIn, why: str) -> PreviewOut:
    """Return what there is to correct: columns that nothing is known by, or taken for nonsense."""
    given = options.mapping()
    columns = [
        ColumnPreview(
            name=name,
            taken_for=given.get(name) or None,
            reason="given" if name in given else "",
            sample=_sample(source, name),
        )
        for name in source.columns
    ]
    return PreviewOut(
        format=source.format,
        columns=columns,
        fault=why,
        rows=0,
        left_out=0,
        faults=[],
        fields=[],
        planned_rows=0,
        plan=None,
    )


def _count(table: Table) -> _Counted:
    counted = _Counted()
    for row in table.judged():
        if isinstance(row, BadRow):
            counted.left_out += 1
            if len(counted.faults) < MOST_FAULTS:
                counted.faults += faults_of(table, row)
            continue
        counted.rows += 1
        if len(counted.first) < MOST_PLANNED and isinstance(row.input, dict):
            counted.first.append({word: str(text) for word, text in row.input.items()})
    return counted


async def _previewed(
    services: Services, workspace_id: WorkspaceId, table: Table, counted: _Counted
) -> PreviewOut:
    args = EnrichArgs.model_validate(table.settings)
    return PreviewOut(
        format=table.source.format,
        columns=[
            ColumnPreview(
                name=one.name,
                taken_for=one.target,
                reason=one.reason,
                sample=_sample(table.source, one.name),
            )
            for one in (table.mapping.columns if table.mapping else ())
        ],
        fault=None if counted.rows else "no row can be used",
        rows=counted.rows,
        left_out=counted.left_out,
        faults=[LeftOut(path=one.path, message=one.message) for one in counted.faults],
        fields=[*args.required_fields],
        planned_rows=len(counted.first),
        plan=await _planned(services, workspace_id, args, counted) if counted.rows else None,
    )


async def _planned(
    services: Services, workspace_id: WorkspaceId, args: EnrichArgs, counted: _Counted
) -> PlanOut:
    made = await services.planner().plan(workspace_id, args, counted.first, services.clock())
    told: dict[str, Any] = {
        **plan_document(made, args.required_fields),
        "bind_cents": binding_cents(made),
    }
    if counted.rows > len(counted.first):
        _reckon_up(told, counted.rows / len(counted.first))
    return PlanOut.model_validate(told)


def _reckon_up(told: dict[str, Any], times: float) -> None:
    """Let each further row be as the planned ones are: a p95 becomes a cautious one."""
    counts = ("rows", "rows_with_gaps", "rows_seen_before", "values_wanted", "values_yours")
    for name in (*counts, "most_micros"):
        told[name] = round(told[name] * times)
    for band in (told["cost_micros"], told["answers"], *told["fields"].values()):
        for part in band:
            band[part] = round(band[part] * times)
    for one in told["providers"].values():
        one["asked"] = round(one["asked"] * times, 1)
        one["cost_micros"] = round(one["cost_micros"] * times)
    told["bind_cents"] = math.ceil(told["cost_micros"]["p95"] / MICROS_PER_CENT)


def _sample(source: Source, name: str) -> list[str]:
    values: Iterable[Cell] = (row.get(name) for row in source.sample[:_SHOWN])
    return [text_of(one)[:_LONGEST_SAMPLE] for one in values]
