"""``/queues``, ``/workers``, ``/providers``, ``/settings``: what the installation is at, and steering it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, Field, SecretStr

from glaze.api.auth import Admin, Reader
from glaze.api.jobs import ActionOut, acted
from glaze.api.schemas import PROBLEMS, V1, RowId
from glaze.api.services import Services
from glaze.api.standing import StandingOut
from glaze.errors import NotFound, ScopeMissing
from glaze.jobs.enqueue import LONGEST_NAME
from glaze.model.access import Principal
from glaze.model.bulk import NOT_BEGUN, Filter
from glaze.model.value import DEFAULT_WORKSPACE, WorkerId
from glaze.store.audit import Deed

Queue = Annotated[str, Path(min_length=1, max_length=LONGEST_NAME)]


class QueueOut(BaseModel):
    """A queue with the jobs of all workspaces that it holds, by state."""

    name: str
    paused_at: datetime | None = Field(description="null: its jobs are handed out")
    waiting: int
    scheduled: int
    pending: int
    processing: int
    oldest_s: float | None = Field(description="how long the oldest pending job has been due")
    ended_per_min: int = Field(description="jobs that ended within the last minute, up to 10,000")


class WorkerOut(BaseModel):
    """A worker that lives. Totals are of its whole process."""

    id: int
    name: str
    version: str
    queues: list[str]
    kinds: list[str] | None = Field(description="null: every kind")
    concurrency: int | None
    host: str | None
    pid: int | None
    memory_bytes: int | None
    done: int
    failed: int
    started_at: datetime
    lease_until: datetime
    lease_left_s: float = Field(description="below 0: silent for too long, about to be buried")
    drain_at: datetime | None = Field(description="when it was asked to end")
    jobs: int
    job_ids: list[int] = Field(description="of those that it holds the first 20")
    oldest_job_s: float | None = Field(description="how long it has held the one begun first")


def operator(who: Principal) -> None:
    """Let who runs the installation pass: an admin of its first workspace.

    Queues and workers serve every workspace, and what waits in them tells of all.

    Raises: ScopeMissing.
    """
    if who.workspace_id != DEFAULT_WORKSPACE:
        raise ScopeMissing(
            f"this is the whole installation's: it needs an admin of workspace {DEFAULT_WORKSPACE}"
        )


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["operations"], responses=PROBLEMS)

    @router.get("/queues", summary="List queues")
    async def queues(who: Admin) -> list[QueueOut]:
        """Return the queues that hold jobs or are paused, with their depth by state."""
        operator(who)
        return [_shown(QueueOut, one) for one in await services.queues.list()]

    @router.post("/queues/{queue}/pause", status_code=204, summary="Pause a queue")
    async def pause(queue: Queue, who: Admin) -> None:
        """Hand out nothing from a queue until it is resumed; what runs goes on."""
        operator(who)
        await services.queues.pause(queue)
        await services.audit.note(who.workspace_id, Deed(who.actor, "queue.pause", queue))

    @router.post("/queues/{queue}/resume", status_code=204, summary="Resume a queue")
    async def resume(queue: Queue, who: Admin) -> None:
        """Hand out jobs from a queue again."""
        operator(who)
        await services.queues.resume(queue)
        await services.audit.note(who.workspace_id, Deed(who.actor, "queue.resume", queue))

    @router.post("/queues/{queue}/clear", summary="Clear a queue")
    async def clear(queue: Queue, who: Admin) -> ActionOut:
        """Cancel this workspace's jobs that wait in a queue; batches keep their rows.

        It answers after 20 seconds at the latest; with `complete` false the same request goes on.
        """
        which = Filter(queues=(queue,), states=frozenset(NOT_BEGUN))
        told = await acted(services.control.cancel(who.workspace_id, which))
        deed = Deed(who.actor, "queue.clear", queue, {"cancelled": told.done})
        await services.audit.note(who.workspace_id, deed)
        return told

    @router.get("/workers", summary="List workers")
    async def workers(who: Admin) -> list[WorkerOut]:
        """Return the workers that live."""
        operator(who)
        return [_shown(WorkerOut, one) for one in await services.workers.living()]

    @router.post("/workers/{worker_id}/drain", status_code=204, summary="Drain a worker")
    async def drain(worker_id: RowId, who: Admin) -> None:
        """Let a worker end what runs, hand back the rest, and leave."""
        operator(who)
        if not await services.workers.drain([WorkerId(worker_id)]):
            raise NotFound(f"there is no worker {worker_id} that lives")
        deed = Deed(who.actor, "worker.drain", str(worker_id))
        await services.audit.note(who.workspace_id, deed)

    router.routes.extend(_looking(services).routes)
    return router


def _looking(services: Services) -> APIRouter:
    router = APIRouter(prefix=V1, tags=["operations"], responses=PROBLEMS)

    @router.get("/providers", summary="List providers")
    async def providers(
        who: Reader,
        since: Annotated[
            AwareDatetime | None, Query(description="count calls since then; null: a day ago")
        ] = None,
    ) -> list[StandingOut]:
        """Return whom can be asked, at what price, and how each fares.

        Calls and money are the workspace's; limits, circuits and refused keys are the fleet's.
        """
        begun = since or services.clock() - timedelta(days=1)
        found = await services.provider_documents(who.workspace_id, begun)
        return [StandingOut.model_validate(one) for one in found]

    @router.get("/settings", summary="Settings")
    async def settings(who: Admin) -> dict[str, Any]:
        """Return what the API process was started with; secrets only as whether they are set."""
        operator(who)
        told = services.settings.model_dump()
        return {name: _plain(value) for name, value in told.items()}

    return router


def _plain(value: Any) -> Any:
    match value:
        case SecretStr():
            return {"set": bool(value.get_secret_value())}
        case Mapping():
            return {str(name): _plain(one) for name, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(one) for one in value]
        case None | bool() | int() | float():
            return value
        case _:
            return str(value)


def _shown(model: type[Any], view: object) -> Any:
    return model.model_validate(view, from_attributes=True)
