"""``/budgets`` and ``/calls``: what may be spent, what was, and what nobody knows yet."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from glaze.api.auth import Admin, Reader
from glaze.api.etag import Meant, MeantForThis, Precondition, etag_of
from glaze.api.schemas import PROBLEMS, V1, RowId
from glaze.api.services import Services
from glaze.errors import InputError, NotFound
from glaze.model.ledger import CallState
from glaze.model.value import (
    MICROS_PER_CENT,
    BatchId,
    CallId,
    JobId,
    Json,
    Micros,
    WorkspaceId,
)
from glaze.store.audit import Deed
from glaze.store.budget import WHOLE_WORKSPACE, BudgetView
from glaze.store.calls import CallFilter, CallView
from glaze.store.ledger_check import Verified, verify
from glaze.store.turns import Meets
from glaze.tasks.call_export import BILLED, COLUMNS, line_of, plain

DAY = "day"
_PAGE = 500
What = Annotated[
    str,
    Path(max_length=100, description="`day`: the workspace, each day. A provider: it, each month"),
]


class BudgetOut(BaseModel):
    """What may be spent in a period. Money in micros of a US dollar."""

    id: int | None = Field(description="null: nothing was spent from it yet")
    scope: str = Field(description="job, batch, workspace_day or provider_month")
    scope_key: str
    cap_micros: int
    reserved_micros: int = Field(description="what calls under way or unknown may cost")
    spent_micros: int
    overrun_micros: int = Field(description="of what was spent, billed beyond its reservation")
    left_micros: int
    by_default: bool | None = Field(description="of a standing cap: whether the settings made it")


class PausedOut(BaseModel):
    """A price that a vendor has passed; it is not asked again until somebody resumes it."""

    provider: str
    operation: str
    reserved_micros: int
    billed_micros: int
    paused_at: datetime


class BudgetsOut(BaseModel):
    """The caps, and the prices that are paused."""

    items: list[BudgetOut]
    paused: list[PausedOut]


class CapIn(BaseModel):
    """A cap."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"cap_cents": 2500}]})

    cap_cents: int = Field(ge=0, le=1_000_000_000)


class CallOut(BaseModel):
    """A call to a provider. Money in micros."""

    id: int
    state: CallState
    provider: str
    operation: str
    credential: str
    generation: int = Field(description="the how manyth time that its question was asked")
    job_id: int | None
    batch_id: int | None
    request_id: int
    created_at: datetime
    settled_at: datetime | None
    deadline: datetime
    reserved_micros: int
    price_micros: int | None = Field(description="null until it is known")
    verdict: str | None
    detail: str | None
    resolved_by: str | None
    wanted: list[str]
    position: int = Field(description="its place in the waterfall, from 1")
    missed: list[str] = Field(description="providers that were asked before it in vain")
    reason: str
    resend: str
    collect_until: datetime | None


class CallDetail(CallOut):
    """A call with its exchange and with what it stated."""

    request: dict[str, Any]
    brought: list[dict[str, Any]]


class CallPage(BaseModel):
    """Calls, newest first."""

    items: list[CallOut]
    next_before: int | None = Field(description="`before` of the next page; null: this is the last")


class Which(BaseModel):
    """Which calls; a criterion that is not given asks for nothing."""

    model_config = ConfigDict(extra="forbid")

    state: list[CallState] = Field(default_factory=list, max_length=20)
    provider: str | None = Field(default=None, max_length=100)
    job: int | None = Field(default=None, ge=1, lt=1 << 63)
    batch: int | None = Field(default=None, ge=1, lt=1 << 63)
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    paid: bool = Field(default=False, description="only those that cost something, or may")

    def filter(self) -> CallFilter:
        """Return it as a filter."""
        return CallFilter(
            states=tuple(self.state) or None,
            provider=self.provider,
            job=None if self.job is None else JobId(self.job),
            batch=None if self.batch is None else BatchId(self.batch),
            since=self.since,
            until=self.until,
            paid=self.paid,
        )


class PageOf(Which):
    """A page of the calls asked for."""

    limit: int = Field(default=100, ge=1, le=1000)
    before: int | None = Field(default=None, ge=1, lt=1 << 63, description="an id: go on below it")


class ResolveIn(BaseModel):
    """What an unknown call did cost, as the vendor's own account tells."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"billed_micros": 0, "by": "usage page of 3 March"}]},
    )

    billed_micros: int = Field(ge=0, le=10**12, description="0: nothing was billed")
    by: str = Field(min_length=1, max_length=200, description="how this was found out")


class InvariantOut(BaseModel):
    """What always holds of the ledger, and whether it does."""

    invariant: str = Field(description="`budgets_hold_what_their_calls_hold`")
    holds: bool
    rows: int = Field(description="how many it was judged of")
    broken: int
    examples: list[str] = Field(description="a few that break it: `id: what is wrong`")


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["money"], responses=PROBLEMS)

    @router.get("/budgets", summary="Budgets")
    async def budgets(
        who: Reader,
        *,
        every: Annotated[
            bool, Query(description="those of jobs, batches and past periods too, newest first")
        ] = False,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> BudgetsOut:
        """Return the caps in force, what is spent below them and what is left."""
        if every:
            found = await services.budgets.page(who.workspace_id, limit)
        else:
            found = await services.budgets.in_force(who.workspace_id, services.standing_caps)
        paused = await services.budgets.paused(who.workspace_id)
        return BudgetsOut(
            items=[_budget(one) for one in found],
            paused=[PausedOut.model_validate(one, from_attributes=True) for one in paused],
        )

    router.routes.extend(_caps(services).routes)

    router.routes.extend(_calls(services).routes)
    return router


def _caps(services: Services) -> APIRouter:
    router = APIRouter(prefix=V1, tags=["money"], responses=PROBLEMS)
    budgets = services.budgets

    @router.get("/budgets/{what}", summary="One budget")
    async def show(what: What, who: Reader, response: Response) -> BudgetOut:
        """Return a cap in force; its `ETag` is for `If-Match` of a change."""
        provider = _provider(services, what)
        found = await budgets.in_force(who.workspace_id, services.standing_caps)
        view = next((one for one in found if one.provider == provider), None)
        if view is None:
            raise NotFound(f"no budget is set for {what}")
        response.headers["ETag"] = _etag(await budgets.own_cap(who.workspace_id, provider))
        return _budget(view)

    @router.put("/budgets/{what}", summary="Set a budget")
    async def put(
        what: What, body: CapIn, who: Admin, response: Response, meant: Meant
    ) -> BudgetOut:
        """Set a cap for each day of the workspace, or for each month of a provider.

        It holds at once. Below what is committed already it is clamped there. With `If-Match` one
        that somebody else changed meanwhile is a 412 `edit_conflict`.
        """
        provider, cap = _provider(services, what), Micros(body.cap_cents * MICROS_PER_CENT)
        view = await budgets.set_cap(
            who.workspace_id, provider, cap, _meets(services, what, meant), actor=who.actor
        )
        response.headers["ETag"] = _etag(cap)
        return _budget(view)

    @router.delete("/budgets/{what}", status_code=204, summary="Remove a budget")
    async def remove(what: What, who: Admin, meant: MeantForThis) -> None:
        """Remove a cap; what the settings say of it, if anything, holds again. `If-Match` as for a change."""
        provider, meets = _provider(services, what), _meets(services, what, meant)
        if not await budgets.remove_cap(who.workspace_id, provider, meets, actor=who.actor):
            raise NotFound(f"no budget is set for {what}")

    @router.post("/budgets/{what}/resume", summary="Ask at a paused price again")
    async def resume(
        what: What,
        who: Admin,
        operation: Annotated[
            str | None, Query(max_length=100, description="null: all of the provider's")
        ] = None,
    ) -> list[PausedOut]:
        """Ask a provider again whose bill passed its price; return the prices still paused."""
        provider = _provider(services, what)
        if provider == WHOLE_WORKSPACE:
            raise InputError("give a provider: `day` has no price")
        await budgets.resume(who.workspace_id, provider, operation, actor=who.actor)
        paused = await budgets.paused(who.workspace_id)
        return [PausedOut.model_validate(one, from_attributes=True) for one in paused]

    return router


def _meets(services: Services, what: str, meant: Precondition) -> Meets[Micros | None]:
    default = _provider(services, what) in services.standing_caps

    def meets(own: Micros | None) -> None:
        there = None if own is None and not default else _etag(own)
        meant.check(there, f"the budget of {what}")

    return meets


def _etag(own: Micros | None) -> str:
    """Return what differs wherever the workspace says another cap; None: the settings say it."""
    return etag_of({"cap_micros": own})


def _calls(services: Services) -> APIRouter:
    router = APIRouter(prefix=V1, tags=["money"], responses=PROBLEMS)

    @router.get("/calls", summary="List calls")
    async def page(asked: Annotated[PageOf, Query()], who: Reader) -> CallPage:
        """Return calls to providers, newest first: who was asked, what it cost, what came of it."""
        before = None if asked.before is None else CallId(asked.before)
        found = await services.calls.page(who.workspace_id, asked.filter(), asked.limit, before)
        last = found[-1].id if len(found) == asked.limit else None
        return CallPage(items=[_call(one) for one in found], next_before=last)

    @router.get(
        "/calls/export",
        summary="Calls as CSV",
        response_class=Response,
        responses={200: {"content": {"text/csv": {}}}},
    )
    async def export(asked: Annotated[Which, Query()], who: Reader) -> Response:
        """Return calls as CSV, newest first; money in dollars."""
        text = _lines(services, who.workspace_id, asked.filter())
        headers = {"Content-Disposition": 'attachment; filename="calls.csv"'}
        return StreamingResponse(text, media_type="text/csv; charset=utf-8", headers=headers)

    @router.get("/calls/verify", summary="Whether the books are right")
    async def verify_books(who: Admin) -> list[InvariantOut]:
        """Judge every invariant of the ledger from its rows alone, as `glaze ledger verify` does.

        It reads the whole ledger of the workspace, as it stood at one moment; nothing is changed.
        """
        return [_invariant(one) for one in await verify(services.db, who.workspace_id)]

    @router.get("/calls/{call_id}", summary="One call")
    async def show(call_id: RowId, who: Reader) -> CallDetail:
        """Return why a call was made, what the vendor said and billed, and what it stated."""
        return await _detail(services, who.workspace_id, CallId(call_id))

    @router.post("/calls/{call_id}/resolve", summary="Resolve an unknown call")
    async def resolve(call_id: RowId, body: ResolveIn, who: Admin) -> CallDetail:
        """Record what an unknown call did cost; what was not billed may be asked again."""
        await _detail(services, who.workspace_id, CallId(call_id))
        found = {CallId(call_id): Micros(body.billed_micros)}
        await services.calls.resolve(who.workspace_id, found, body.by)
        facts: dict[str, Json] = {"billed_micros": body.billed_micros, "by": body.by}
        deed = Deed(who.actor, "call.resolve", str(call_id), facts)
        await services.audit.note(who.workspace_id, deed)
        return await _detail(services, who.workspace_id, CallId(call_id))

    return router


async def _detail(services: Services, workspace_id: WorkspaceId, call_id: CallId) -> CallDetail:
    """Raises: NotFound."""
    if not await services.calls.page(workspace_id, CallFilter(ids=(call_id,)), 1):
        raise NotFound(f"there is no call {call_id}")
    story = await services.calls.story(workspace_id, call_id)
    return CallDetail(
        **_call(story.call).model_dump(),
        request=plain(story.request),
        brought=[plain(one) for one in story.brought],
    )


async def _lines(
    services: Services, workspace_id: WorkspaceId, which: CallFilter
) -> AsyncIterator[bytes]:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow((*COLUMNS, BILLED))
    count = 0
    async for call in services.calls.all(workspace_id, which):
        writer.writerow(line_of(call))
        count += 1
        if count % _PAGE == 0:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _provider(services: Services, what: str) -> str:
    """Return the key of a standing cap. Raises: InputError."""
    if what == DAY:
        return WHOLE_WORKSPACE
    if what not in services.provider_names:
        known = ", ".join(sorted(services.provider_names))
        raise InputError(f"give `day` or a provider: {what!r} is none; installed are {known}")
    return what


def _invariant(one: Verified) -> InvariantOut:
    return InvariantOut.model_validate(one, from_attributes=True)


def _budget(view: BudgetView) -> BudgetOut:
    return BudgetOut.model_validate(view, from_attributes=True)


def _call(view: CallView) -> CallOut:
    return CallOut.model_validate(view, from_attributes=True)
