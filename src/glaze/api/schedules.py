"""``/schedules``: jobs that recur."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from glaze.api.auth import Reader, Writer
from glaze.api.etag import Meant, MeantForThis, Precondition, etag_of
from glaze.api.schemas import PROBLEMS, V1, JobOut, Tag, shown
from glaze.api.services import Services
from glaze.errors import NotFound
from glaze.jobs.enqueue import checked, known_kind
from glaze.model.cron import Recurrence
from glaze.model.job import JobState
from glaze.model.schedule import LONGEST_NAME, Missed, NewSchedule, Overlap
from glaze.model.value import Json, WorkspaceId
from glaze.store.schedule import ScheduleView
from glaze.store.turns import Meets

Name = Annotated[str, Path(min_length=1, max_length=LONGEST_NAME)]


class ScheduleIn(BaseModel):
    """When a job is made, and which."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "cron": "0 6 * * MON",
                    "zone": "Europe/Berlin",
                    "kind": "company_data_update",
                    "args": {"inputs": [{"domain": "example.com"}]},
                }
            ]
        },
    )

    cron: str = Field(max_length=200, description="five fields, or @daily and the like")
    zone: str = Field(default="UTC", max_length=100, description="an IANA time zone")
    kind: str = Field(max_length=255)
    args: dict[str, Any] = Field(default_factory=dict)
    queue: str | None = Field(default=None, max_length=255, description="null: the kind's own")
    priority: int = Field(default=3, ge=1, le=5)
    tags: list[Tag] = Field(default_factory=list, max_length=20)
    overlap: Overlap = Field(
        default=Overlap.SKIP, description="whether a job is made while the last has not ended"
    )
    missed: Missed = Field(
        default=Missed.ONCE, description="jobs for times at which nobody was there"
    )


class ScheduleOut(BaseModel):
    """A schedule, its next time and its last job."""

    id: int
    name: str
    cron: str
    zone: str
    kind: str
    args: Json
    queue: str
    priority: int
    max_attempts: int
    tags: list[str]
    overlap: Overlap
    missed: Missed
    paused_at: datetime | None
    next_at: datetime = Field(description="while it is paused: the first time that is open")
    last_fired_for: datetime | None
    last_job_id: int | None
    last_job_state: JobState | None
    created_at: datetime


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["schedules"], responses=PROBLEMS)

    @router.get("/schedules", summary="List schedules")
    async def listed(who: Reader) -> list[ScheduleOut]:
        """Return all schedules in the order of their names."""
        return [_shown(view) for view in await services.schedules.listed(who.workspace_id)]

    @router.get("/schedules/{name}", summary="One schedule")
    async def show(name: Name, who: Reader, response: Response) -> ScheduleOut:
        """Return a schedule; its `ETag` is for `If-Match` of a change."""
        return _told(await _get(services, who.workspace_id, name), response)

    @router.put("/schedules/{name}", summary="Make or change a schedule")
    async def save(
        name: Name, body: ScheduleIn, who: Writer, response: Response, meant: Meant
    ) -> ScheduleOut:
        """Make a schedule, or change the one of this name; 201 where it is new.

        With `If-Match` one that somebody else changed meanwhile is a 412 `edit_conflict`.
        """
        kind = known_kind(services.kinds, body.kind)
        new = NewSchedule(
            name=name,
            when=Recurrence.parse(body.cron, body.zone),
            kind=body.kind,
            args=body.args,
            queue=kind.queue if body.queue is None else body.queue,
            priority=body.priority,
            max_attempts=kind.retry.max_attempts,
            tags=tuple(body.tags),
            overlap=body.overlap,
            missed=body.missed,
        )
        saved = await services.schedules.save(
            who.workspace_id,
            new,
            lambda job: checked(services.kinds, job),
            _meets(name, meant) if meant.asked else None,
        )
        response.status_code = 201 if saved.created else 200
        return _told(await _get(services, who.workspace_id, name), response)

    router.routes.extend(_steering(services).routes)
    return router


def _steering(services: Services) -> APIRouter:
    router = APIRouter(prefix=V1, tags=["schedules"], responses=PROBLEMS)

    @router.post("/schedules/{name}/pause", summary="Pause a schedule")
    async def pause(name: Name, who: Writer, response: Response) -> ScheduleOut:
        """Let it make no more jobs; those that there are go on."""
        await services.schedules.pause(who.workspace_id, name)
        return _told(await _get(services, who.workspace_id, name), response)

    @router.post("/schedules/{name}/resume", summary="Resume a schedule")
    async def resume(name: Name, who: Writer, response: Response) -> ScheduleOut:
        """Let it go on; for times in between its `missed` decides."""
        await services.schedules.resume(who.workspace_id, name)
        return _told(await _get(services, who.workspace_id, name), response)

    @router.post("/schedules/{name}/run", status_code=202, summary="Run a schedule now")
    async def run(name: Name, who: Writer, response: Response) -> JobOut:
        """Make one job at once, beside the schedule's times."""
        job_id = await services.schedules.run_now(who.workspace_id, name)
        view = None if job_id is None else await services.jobs.get(who.workspace_id, job_id)
        if view is None:
            raise NotFound(f"no schedule is called {name}")
        response.headers["Location"] = f"/v1/jobs/{job_id}"
        return shown(view)

    @router.delete("/schedules/{name}", status_code=204, summary="Delete a schedule")
    async def delete(name: Name, who: Writer, meant: MeantForThis) -> None:
        """Delete a schedule; its jobs stay. `If-Match` as for a change."""
        meets = _meets(name, meant) if meant.asked else None
        if not await services.schedules.delete(who.workspace_id, name, meets):
            raise NotFound(f"no schedule is called {name}")

    return router


async def _get(services: Services, workspace_id: WorkspaceId, name: str) -> ScheduleView:
    view = await services.schedules.get(workspace_id, name)
    if view is None:
        raise NotFound(f"no schedule is called {name}")
    return view


def _meets(name: str, meant: Precondition) -> Meets[ScheduleView | None]:
    return lambda there: meant.check(None if there is None else _etag(there), f"schedule {name}")


def _etag(view: ScheduleView) -> str:
    """Return what differs wherever two would see another definition."""
    moving = {"next_at", "last_fired_for", "last_job_id", "last_job_state"}
    return etag_of(_shown(view).model_dump(mode="json", exclude=moving))


def _told(view: ScheduleView, response: Response) -> ScheduleOut:
    response.headers["ETag"] = _etag(view)
    return _shown(view)


def _shown(view: ScheduleView) -> ScheduleOut:
    return ScheduleOut.model_validate(view, from_attributes=True)
