"""``/people`` and ``/retention``: a person's rights, and for how long things are kept.

Who is meant stands in bodies, never in an address: addresses end up in logs.
"""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from glaze.api.auth import Admin
from glaze.api.etag import MeantForThis, etag_of
from glaze.api.schemas import PROBLEMS, V1, RowId
from glaze.api.services import Services
from glaze.jobs.enqueue import known_kind
from glaze.jobs.erasing import person_keys
from glaze.model.value import Json
from glaze.store.personal import Erasure, Retained
from glaze.tasks.erase_person import NAME, ErasePerson
from glaze.tasks.where_from import where_from

_DAYS = 36_500
Days = Annotated[float | None, Field(ge=1, le=_DAYS)]


class PersonIn(BaseModel):
    """Who is meant, by as much as is known of them."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"input": {"email": "jane@example.com", "name": "Jane Doe"}}]
        },
    )

    input: dict[str, Annotated[str, Field(max_length=2048)]] = Field(
        min_length=1,
        max_length=20,
        description="identifiers: email, linkedin_url, lead_id, contact_id, name with company",
    )


class ErasureOut(BaseModel):
    """A request to erase a person. It does not say whom."""

    id: int
    state: str = Field(description="running or done")
    asked_by: str
    created_at: datetime
    finished_at: datetime | None
    removed: dict[str, int] = Field(description="rows that were removed or changed, by table")
    job_id: int | None = Field(description="the job that does it")


class ErasurePage(BaseModel):
    """Erasures, newest first."""

    items: list[ErasureOut]
    next_before: int | None = Field(description="`before` of the next page; null: this is the last")


class SuppressedOut(BaseModel):
    """What came of it."""

    keys: int = Field(description="how many keys of the person came onto the list, or left it")


class PersonStatedOut(BaseModel):
    """One value that a source stated of the person. Money in micros of a US dollar."""

    field: str
    value: Json
    wins: bool = Field(description="it is what the field is taken to be")
    confidence: int
    provider: str
    source_url: str | None
    quote: str | None
    retrieved_at: datetime
    cost_micros: int
    call_id: int
    asked_at: datetime
    reason: str = Field(description="why this provider was asked")
    asked_by: str | None = Field(description="the identifiers that it was asked by")
    job_id: int | None
    job_kind: str | None
    batch_id: int | None
    correlation_id: str | None = Field(description="of whoever asked")


class PersonDecisionOut(BaseModel):
    """What somebody of the workspace decided of a field."""

    field: str
    value: Json
    act: str
    decided_by: str | None
    decided_at: datetime


class ReportOut(BaseModel):
    """All that is known of a person, and where it came from."""

    suppressed: bool
    entities: list[int]
    keys: list[str] = Field(description="what leads to them: `scheme:value`")
    values: list[PersonStatedOut]
    decisions: list[PersonDecisionOut]
    found_in: dict[str, int] = Field(description="rows that name them, by table")


class RetentionIo(BaseModel):
    """For how many days things are kept; null: as the settings say, answers and results for good."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"answers_days": 90, "logs_days": 14}]},
    )

    answers_days: Days = Field(default=None, description="raw answers of providers")
    results_days: Days = Field(default=None, description="results of jobs and rows")
    events_days: Days = Field(default=None, description="events, and deliveries of webhooks")
    logs_days: Days = Field(default=None, description="what jobs logged")


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["people"], responses=PROBLEMS)
    _list(services, router)
    _retention(services, router)
    eraser = services.eraser

    @router.post("/people/erase", status_code=202, summary="Erase a person")
    async def erase(body: PersonIn, who: Admin) -> ErasureOut:
        """Keep a person away from now on, and erase them from everything that is stored.

        A job does it; what was paid stays on record without them. Follow it at
        `/v1/people/erasures/{id}`.
        """
        erasure_id = await eraser.begin(who.workspace_id, body.input, who.actor)
        kind = known_kind(services.kinds, NAME)
        job = kind.job(ErasePerson(erasure_id=erasure_id), priority=1)
        (job_id,) = await services.jobs.enqueue(who.workspace_id, [job])
        await eraser.personal.given_to(who.workspace_id, erasure_id, job_id)
        return _erasure(await eraser.personal.get(who.workspace_id, erasure_id))

    @router.get("/people/erasures", summary="List erasures")
    async def page(
        who: Admin,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        before: Annotated[int | None, Query(ge=1, lt=1 << 63, description="an id")] = None,
    ) -> ErasurePage:
        """Return requests to erase people, newest first."""
        found = await eraser.personal.page(who.workspace_id, limit, before=before)
        last = found[-1].id if len(found) == limit else None
        return ErasurePage(items=[_erasure(one) for one in found], next_before=last)

    @router.get("/people/erasures/{erasure_id}", summary="Follow an erasure")
    async def show(erasure_id: RowId, who: Admin) -> ErasureOut:
        """Return how far the erasing of a person is."""
        return _erasure(await eraser.personal.get(who.workspace_id, erasure_id))

    return router


def _list(services: Services, router: APIRouter) -> None:
    eraser = services.eraser

    @router.post("/people/suppress", summary="Suppress a person")
    async def suppress(body: PersonIn, who: Admin) -> SuppressedOut:
        """Buy and keep nothing about a person from now on; what is stored stays."""
        added = await eraser.suppress(who.workspace_id, body.input, who.actor)
        return SuppressedOut(keys=added)

    @router.post("/people/unsuppress", summary="Take a person off the suppression list")
    async def unsuppress(body: PersonIn, who: Admin) -> SuppressedOut:
        """Let a person be enriched again. What was erased does not come back."""
        keys = person_keys(body.input)
        removed = await eraser.suppression.remove(who.workspace_id, keys, who.actor)
        return SuppressedOut(keys=removed)

    @router.post("/people/where-from", summary="Where what is known of a person came from")
    async def report(body: PersonIn, who: Admin) -> ReportOut:
        """Return every value, its source and quote, the call, its price, and who asked for it."""
        found = await where_from(eraser, who.workspace_id, body.input)
        return ReportOut.model_validate(found, from_attributes=True)


def _retention(services: Services, router: APIRouter) -> None:
    personal = services.eraser.personal

    @router.get("/retention", summary="Retention")
    async def retention(who: Admin, response: Response) -> RetentionIo:
        """Return for how many days this workspace keeps things; the `ETag` is for `If-Match`."""
        days = _io(await personal.retained(who.workspace_id))
        response.headers["ETag"] = _etag(days)
        return days

    @router.put("/retention", summary="Set retention")
    async def retain(
        body: RetentionIo, who: Admin, response: Response, meant: MeantForThis
    ) -> RetentionIo:
        """Set for how many days this workspace keeps things; what is older goes within the hour.

        With `If-Match` it is a 412 `edit_conflict` where somebody else set it meanwhile.
        """

        def meets(there: Retained) -> None:
            meant.check(_etag(_io(there)), "the retention")

        days = Retained(**body.model_dump())
        await personal.retain(who.workspace_id, days, who.actor, meets)
        response.headers["ETag"] = _etag(body)
        return body


def _io(days: Retained) -> RetentionIo:
    return RetentionIo.model_validate(days, from_attributes=True)


def _etag(days: RetentionIo) -> str:
    return etag_of(days.model_dump(mode="json"))


def _erasure(one: Erasure) -> ErasureOut:
    return ErasureOut(
        id=one.id,
        state="running" if one.finished_at is None else "done",
        asked_by=one.asked_by,
        created_at=one.created_at,
        finished_at=one.finished_at,
        removed={**one.removed},
        job_id=one.job_id,
    )
