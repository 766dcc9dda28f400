"""``/jobs``: make, find, follow and steer jobs, one or any number of them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from glaze.api.auth import Admin, Canceller, Reader, Retrier, Watcher, Writer, must
from glaze.api.etag import MeantForThis, etag_of
from glaze.api.schemas import PROBLEMS, V1, JobOut, RowId, ShortName, Tag, shown
from glaze.api.services import Services
from glaze.errors import InputError, JobStateConflict, NotFound
from glaze.jobs.enqueue import checked, enqueue, new_job, replayable, vetted_webhook
from glaze.model.access import Principal, Scope
from glaze.model.bulk import Change, Filter
from glaze.model.job import After, IfFailed, JobState
from glaze.model.value import BatchId, JobId, WorkspaceId
from glaze.model.webhook import without_secrets
from glaze.store.control import Changeable, Group, Step, Sum
from glaze.store.job import JobView
from glaze.tasks.deliver_webhook import NAME as DELIVERY
from glaze.tasks.retry_quote import retry_quote

LONGEST_ACTION_S = 20.0
"""So long one request acts on jobs before it answers how far it came."""
_MOST_IDS = 10_000

Ids = Annotated[list[RowId], Field(max_length=_MOST_IDS)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AfterIn(_Strict):
    """What a job waits for: another job, or a batch."""

    job: RowId | None = None
    batch: RowId | None = None
    if_failed: IfFailed = Field(
        default=IfFailed.CANCEL, description="what becomes of it where the other does not succeed"
    )

    def after(self) -> After:
        """Return it as a predecessor. Raises: InputError where it names both or none."""
        return After(
            None if self.job is None else JobId(self.job),
            self.if_failed,
            None if self.batch is None else BatchId(self.batch),
        )


class JobIn(_Strict):
    """A job to be made."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "enrich",
                    "args": {
                        "input": {"domain": "example.com"},
                        "required_fields": ["company_name"],
                    },
                    "tags": ["spring"],
                }
            ]
        }
    )

    kind: str = Field(
        max_length=255, description="as `glaze kinds` lists them, none that is internal"
    )
    args: dict[str, Any] = Field(default_factory=dict, description="as the kind's schema has it")
    queue: str | None = Field(default=None, max_length=255, description="null: the kind's own")
    priority: int = Field(default=3, ge=1, le=5, description="1 is the most urgent")
    max_retries: int | None = Field(
        default=None, ge=0, le=99, description="tries after the first; null: the kind's own"
    )
    tags: list[Tag] = Field(default_factory=list, max_length=20)
    webhook_url: str | None = Field(
        default=None, max_length=2048, description="told of the job's end"
    )
    run_at: AwareDatetime | None = Field(default=None, description="not before")
    expires_at: AwareDatetime | None = Field(
        default=None, description="dead unless it was begun by then"
    )
    after: list[AfterIn] = Field(default_factory=list, max_length=1000)


class Which(_Strict):
    """Which jobs; a criterion that is not given asks for nothing."""

    state: list[JobState] = Field(
        default_factory=list, max_length=20, description="in one of these states"
    )
    kind: list[ShortName] = Field(default_factory=list, max_length=100)
    queue: list[ShortName] = Field(default_factory=list, max_length=100)
    tag: list[Tag] = Field(default_factory=list, max_length=20, description="with all of these")
    any_tag: list[Tag] = Field(
        default_factory=list, max_length=100, description="with one of these"
    )
    created_after: AwareDatetime | None = None
    created_before: AwareDatetime | None = None
    finished_after: AwareDatetime | None = None
    finished_before: AwareDatetime | None = None
    error_code: str | None = Field(
        default=None, max_length=200, description="the code of the last error"
    )
    slower_than_s: float | None = Field(
        default=None, ge=0, le=10**9, description="took so many seconds or more to its end"
    )
    text: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="every word of it stands in the arguments, or one that begins so",
    )

    def filter(self, ids: list[int] | None = None) -> Filter:
        """Return it as a filter."""
        return Filter(
            ids=None if ids is None else tuple(map(JobId, ids)),
            states=frozenset(self.state),
            kinds=tuple(self.kind),
            queues=tuple(self.queue),
            tags_all=tuple(self.tag),
            tags_any=tuple(self.any_tag),
            created_after=self.created_after,
            created_before=self.created_before,
            finished_after=self.finished_after,
            finished_before=self.finished_before,
            error_code=self.error_code,
            slower_s=self.slower_than_s,
            text=self.text,
        )


class PageOf(Which):
    """A page of the jobs asked for."""

    limit: int = Field(default=100, ge=1, le=1000)
    before: int | None = Field(default=None, ge=1, lt=1 << 63, description="an id: go on below it")
    count: bool = Field(default=False, description="say how many there are, at least about")


class EstimateOut(BaseModel):
    """How many jobs meet the criteria, on all pages."""

    jobs: int
    exact: bool = Field(description="false: about so many, for counting would take long")


class JobPage(BaseModel):
    """Jobs, newest first, without arguments and results."""

    items: list[JobOut]
    next_before: int | None = Field(description="`before` of the next page; null: this is the last")
    estimate: EstimateOut | None = Field(
        default=None, description="with `count=true`; null with `text`, where nobody knows"
    )


class GroupOut(BaseModel):
    """Jobs of one state, kind and error code."""

    state: JobState
    kind: str
    code: str | None
    jobs: int
    first_at: datetime | None = Field(description="when the first of them ended")
    last_at: datetime | None


class ChangeIn(_Strict):
    """What becomes different about jobs that no worker holds; what is not given stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"priority": 1}]})

    priority: int | None = Field(default=None, ge=1, le=5)
    run_at: AwareDatetime | None = Field(default=None, description="a moment that has passed: now")
    tags: list[Tag] | None = Field(
        default=None, max_length=20, description="in place of those it has"
    )
    webhook_url: str | None = Field(default=None, max_length=2048, description='"" takes it off')

    def change(self) -> Change:
        """Return it checked. Raises: InputError."""
        url = vetted_webhook(self.webhook_url) if self.webhook_url else self.webhook_url
        tags = None if self.tags is None else tuple(self.tags)
        return Change(self.priority, self.run_at, tags, url).checked()


class JobReplayIn(_Strict):
    """How a job that has ended is done anew."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"args": {"skip_cache": True}}]})

    args: dict[str, Any] | None = Field(
        default=None, description="changes to the arguments: a JSON merge patch (RFC 7396)"
    )


class ActionIn(_Strict):
    """What is done to many jobs: to those named by ``ids``, or all that meet ``where``."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"action": "retry", "where": {"state": ["dead"]}}]}
    )

    action: Literal["cancel", "retry", "replay", "change", "purge"]
    ids: Ids | None = None
    where: Which | None = None
    change: ChangeIn | None = Field(default=None, description="for `change`")
    args: dict[str, Any] | None = Field(
        default=None, description="for `replay`: changes to the arguments, a JSON merge patch"
    )

    def filter(self) -> Filter:
        """Return which jobs are meant. Raises: InputError where nothing says so."""
        if self.ids is None and self.where is None:
            raise InputError("which jobs? Give ids, or where; where {} means every job")
        return (self.where or Which()).filter(self.ids)


class ActionOut(BaseModel):
    """How far an action came."""

    done: int
    stopping: int = Field(description="of them: asked to stop, and running still")
    refused: dict[int, JobState] = Field(description="named, but in no state for it")
    missing: list[int] = Field(description="named, but there is no such job that meets `where`")
    replays: dict[int, int] = Field(description="old job -> new one")
    complete: bool = Field(description="false: there are more; send the same request again")


class QuoteIn(_Strict):
    """Which jobs somebody thinks of retrying: those named by ``ids``, or all that meet ``where``."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"where": {"state": ["dead"], "kind": ["enrich"]}}]}
    )

    ids: Ids | None = None
    where: Which | None = None

    def filter(self) -> Filter:
        """Return which jobs are meant."""
        return (self.where or Which()).filter(self.ids)


class QuoteOut(BaseModel):
    """What retrying jobs would cost. Money in micros of a US dollar."""

    jobs: int = Field(description="that can be retried")
    priced: int = Field(description="of them, enrichments: the amounts are for these")
    p50_micros: int = Field(description="half of such runs stay below")
    p95_micros: int
    most_micros: int = Field(description="by the price list")


class LogOut(BaseModel):
    """Something that happened to a job."""

    at: datetime
    type: str
    data: Any


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["jobs"], responses=PROBLEMS)
    control = services.control

    @router.post("/jobs", status_code=202, summary="Make a job")
    async def create(
        body: JobIn,
        who: Writer,
        response: Response,
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
    ) -> JobOut:
        """Put a job of any kind into its queue.

        The same `Idempotency-Key` with the same body names the same job.
        """
        job = new_job(services.kinds, body.kind, body.args, **_options(body, idempotency_key))
        (job_id,) = await enqueue(services.jobs, services.kinds, who.workspace_id, [job])
        response.headers["Location"] = f"/v1/jobs/{job_id}"
        return shown(await _get(services, who.workspace_id, job_id))

    @router.get("/jobs", summary="List jobs")
    async def page(asked: Annotated[PageOf, Query()], who: Reader) -> JobPage:
        """Return jobs, newest first. Rows of a batch are not among them."""
        before = None if asked.before is None else JobId(asked.before)
        found = await control.page(who.workspace_id, asked.filter(), asked.limit, before=before)
        told = await control.estimate(who.workspace_id, asked.filter()) if asked.count else None
        return JobPage(
            items=[_shown_to(who, view) for view in found.jobs],
            next_before=found.next_before,
            estimate=None if told is None else EstimateOut(jobs=told.jobs, exact=told.exact),
        )

    @router.get("/jobs/groups", summary="Count jobs by state, kind and error")
    async def groups(asked: Annotated[Which, Query()], who: Reader) -> list[GroupOut]:
        """Return how many jobs there are by state, kind and error code, the largest group first."""
        return [_group(one) for one in await control.groups(who.workspace_id, asked.filter())]

    @router.post("/jobs/actions", summary="Act on many jobs")
    async def act(
        body: ActionIn,
        who: Writer,
        idempotency_key: Annotated[
            str | None, Header(min_length=1, max_length=200, description="for `replay`")
        ] = None,
    ) -> ActionOut:
        """Do something to jobs by id or by filter, on the server.

        It answers after 20 seconds at the latest; with `complete` false the same request goes on.
        What is done is in no state for it any more; but what is replayed stays as it is, and is
        replayed once in 24 hours only under the same `Idempotency-Key`.
        """
        if body.action == "purge":
            must(who, Scope.ADMIN)
        return await acted(_steps(services, who.workspace_id, body, idempotency_key))

    @router.post("/jobs/quote", summary="What retrying jobs would cost")
    async def quote(body: QuoteIn, who: Reader) -> QuoteOut:
        """Return what retrying jobs would cost, as `glaze plan` reckons; nothing is asked or changed.

        What they bought already is known and costs nothing again. Of many the newest 1,000 are looked at.
        """
        found = await retry_quote(
            control, services.planner(), who.workspace_id, body.filter(), services.clock()
        )
        return QuoteOut.model_validate(found, from_attributes=True)

    @router.get("/jobs/{job_id}/log", summary="What happened to a job")
    async def log(job_id: RowId, who: Watcher) -> list[LogOut]:
        """Return every change of state, progress and log line of a job, in order."""
        await _seen(services, who, JobId(job_id))
        found = await services.events.log(who.workspace_id, JobId(job_id))
        return [LogOut(at=one.at, type=one.type, data=one.data) for one in found]

    router.routes.extend(following(services).routes)
    router.routes.extend(_steering(services).routes)
    return router


def _steering(services: Services) -> APIRouter:
    router = APIRouter(prefix=V1, tags=["jobs"], responses=PROBLEMS)
    control = services.control

    @router.patch("/jobs/{job_id}", summary="Change a job that has not begun")
    async def change(
        job_id: RowId, body: ChangeIn, who: Writer, response: Response, meant: MeantForThis
    ) -> JobOut:
        """Change priority, run time, tags or webhook of a job that no worker holds."""
        which = Filter(ids=(JobId(job_id),))
        steps = control.change(
            who.workspace_id,
            which,
            body.change(),
            meant=lambda there: meant.check(_etag(there), f"job {job_id}"),
        )
        await _did(services, who.workspace_id, steps)
        view = await _get(services, who.workspace_id, JobId(job_id))
        response.headers["ETag"] = _etag(view)
        return shown(view)

    @router.post("/jobs/{job_id}/cancel", summary="Cancel a job")
    async def cancel(job_id: RowId, who: Canceller) -> JobOut:
        """Cancel a job that has not begun; ask one that runs to stop."""
        await _check_seen(services, who, JobId(job_id))
        which = Filter(ids=(JobId(job_id),))
        return await _one(who, control.cancel(who.workspace_id, which))

    @router.post("/jobs/{job_id}/retry", summary="Open a job again")
    async def retry(job_id: RowId, who: Retrier) -> JobOut:
        """Open a job that has ended again, as a new round of the same job."""
        await _check_seen(services, who, JobId(job_id))
        which = Filter(ids=(JobId(job_id),))
        return await _one(who, control.retry(who.workspace_id, which))

    @router.post("/jobs/{job_id}/replay", status_code=202, summary="Do a job anew")
    async def replay(
        job_id: RowId,
        body: JobReplayIn,
        who: Writer,
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
    ) -> JobOut:
        """Make a new job like one that has ended, linked to it, perhaps with other arguments."""
        which = Filter(ids=(JobId(job_id),))
        steps = control.replay(
            who.workspace_id,
            which,
            patch=body.args,
            key=idempotency_key,
            check=lambda new: checked(services.kinds, new),
        )
        return await _one(who, steps)

    @router.delete("/jobs/{job_id}", status_code=204, summary="Delete a job that has ended")
    async def purge(job_id: RowId, who: Admin) -> None:
        """Delete a job with arguments, result and log; what it paid stays in the ledger."""
        steps = control.purge(who.workspace_id, Filter(ids=(JobId(job_id),)))
        await _did(services, who.workspace_id, steps)

    async def _one(who: Principal, steps: AsyncIterator[Step]) -> JobOut:
        step = await _did(services, who.workspace_id, steps)
        [job_id] = step.replays.values() or step.done
        return _shown_to(who, await _get(services, who.workspace_id, job_id))

    return router


def following(services: Services, *, prefix: str = V1, include_in_schema: bool = True) -> APIRouter:
    """Return the route that follows one job."""
    router = APIRouter(
        prefix=prefix, include_in_schema=include_in_schema, tags=["jobs"], responses=PROBLEMS
    )

    @router.get("/jobs/{job_id}", summary="Follow a job")
    async def job(job_id: RowId, who: Watcher, response: Response) -> JobOut:
        """Return a job with its arguments and, once it has ended, its result.

        Its `ETag` changes with its state and what can be changed of it.
        """
        view = await _seen(services, who, JobId(job_id))
        response.headers["ETag"] = _etag(view)
        return _shown_to(who, view)

    return router


def _shown_to(who: Principal, view: JobView) -> JobOut:
    """Return a job; who only reads sees of the URL that is told of its end the host alone."""
    if not who.may(Scope.WRITE):
        url = view.webhook_url
        view = replace(view, webhook_url=None if url is None else without_secrets(url))
        if view.kind == DELIVERY and isinstance(view.args, dict):
            told = without_secrets(str(view.args.get("url", "")))
            view = replace(view, args={**view.args, "url": told})
    return shown(view)


def _etag(there: JobView | Changeable) -> str:
    return etag_of(
        {
            "state": str(there.state),
            "priority": there.priority,
            "due_at": there.due_at.timestamp(),
            "tags": [*(there.tags or ())],
            "webhook_url": there.webhook_url,
        }
    )


async def _seen(services: Services, who: Principal, job_id: JobId) -> JobView:
    view = await _get(services, who.workspace_id, job_id)
    if not who.sees(view.id, view.batch_id):
        raise NotFound(f"there is no job {job_id}")
    return view


async def _check_seen(services: Services, who: Principal, job_id: JobId) -> None:
    """Let who sees the job pass; who sees all is not asked. Raises: NotFound."""
    if who.narrowed is not None:
        await _seen(services, who, job_id)


async def _get(services: Services, workspace_id: WorkspaceId, job_id: JobId) -> JobView:
    view = await services.jobs.get(workspace_id, job_id)
    if view is None:
        raise NotFound(f"there is no job {job_id}")
    return view


def _options(body: JobIn, key: str | None) -> dict[str, Any]:
    options: dict[str, Any] = {
        "priority": body.priority,
        "tags": tuple(body.tags),
        "webhook_url": body.webhook_url,
        "due_at": body.run_at,
        "expires_at": body.expires_at,
        "after": tuple(one.after() for one in body.after),
        "idempotency_key": key,
    }
    if body.queue is not None:
        options["queue"] = body.queue
    if body.max_retries is not None:
        options["max_attempts"] = body.max_retries + 1
    return options


def _steps(
    services: Services, workspace_id: WorkspaceId, body: ActionIn, key: str | None
) -> AsyncIterator[Step]:
    control, which = services.control, body.filter()
    match body.action:
        case "cancel":
            return control.cancel(workspace_id, which)
        case "retry":
            return control.retry(workspace_id, which)
        case "purge":
            return control.purge(workspace_id, which)
        case "change":
            wanted = (body.change or ChangeIn()).change()
            return control.change(workspace_id, which, wanted)
        case "replay":
            return control.replay(
                workspace_id,
                replayable(services.kinds, which),
                patch=body.args,
                key=key,
                check=lambda new: checked(services.kinds, new),
            )


async def acted(steps: AsyncIterator[Step]) -> ActionOut:
    """Act for as long as one request may, and tell how far it came."""
    came_to, complete = Sum(), True
    try:
        async with asyncio.timeout(LONGEST_ACTION_S):
            async for step in steps:
                came_to.add(step)
    except TimeoutError:  # a chunk that was broken off is rolled back
        complete = False
    return ActionOut(
        done=came_to.done,
        stopping=came_to.stopping,
        refused={int(job_id): state for job_id, state in came_to.refused.items()},
        missing=[*came_to.missing],
        replays={int(old): new for old, new in came_to.replays.items()},
        complete=complete,
    )


async def _did(services: Services, workspace_id: WorkspaceId, steps: AsyncIterator[Step]) -> Step:
    """Return what was done to the one job that ``steps`` are about.

    Raises: NotFound, JobStateConflict.
    """
    step = await anext(aiter(steps))
    for job_id in step.missing:
        row = await _get(services, workspace_id, job_id)
        why = f"job {job_id} is a row of batch {row.batch_id}: this is done to the batch"
        raise JobStateConflict(why)
    for job_id, state in step.refused.items():
        raise JobStateConflict(f"job {job_id} is {state}, and this cannot be done to it then")
    return step


def _group(group: Group) -> GroupOut:
    return GroupOut.model_validate(group, from_attributes=True)
