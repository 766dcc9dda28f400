"""``POST /enrich`` and ``GET /jobs/{id}``: ask, wait a while, follow."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Response

from glaze.api.auth import Reader, Writer
from glaze.api.schemas import EnrichBody, JobOut, Problem, ProgressOut, RowId
from glaze.api.services import Services
from glaze.errors import NotFound
from glaze.jobs.enqueue import enqueue, known_kind
from glaze.model.job import TERMINAL
from glaze.model.value import JobId, WorkspaceId
from glaze.store.job import JobView
from glaze.tasks.enrich import NAME

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "content": {"application/problem+json": {}}}
    for status in (401, 403, 404, 422, 429, 503)
}


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(responses=_PROBLEMS)

    @router.post("/enrich", responses={202: {"model": JobOut}}, summary="Enrich one input")
    async def enrich(
        body: EnrichBody,
        who: Writer,
        response: Response,
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
    ) -> JobOut:
        """Enrich a company or a person.

        Waits up to `wait_s` seconds. Answers 200 with the result, or 202 with the job to follow
        at the address in `Location`. The same `Idempotency-Key` with the same body names the same
        job; nothing is bought twice.
        """
        kind = known_kind(services.kinds, NAME)
        job = kind.job(body.args(), priority=1, idempotency_key=idempotency_key)
        (job_id,) = await enqueue(services.jobs, services.kinds, who.workspace_id, [job])
        view = await services.waiting.job(who.workspace_id, job_id, timeout_s=body.wait_s)
        if view.state not in TERMINAL:
            response.status_code = 202
            response.headers["Location"] = f"/v1/jobs/{job_id}"
        return _shown(view)

    @router.get("/jobs/{job_id}", summary="Follow a job")
    async def job(job_id: RowId, who: Reader) -> JobOut:
        """Return a job with its state and, once it has ended, its result."""
        return _shown(await _get(services, who.workspace_id, JobId(job_id)))

    return router


async def _get(services: Services, workspace_id: WorkspaceId, job_id: JobId) -> JobView:
    view = await services.jobs.get(workspace_id, job_id)
    if view is None:
        raise NotFound(f"there is no job {job_id}")
    return view


def _shown(view: JobView) -> JobOut:
    return JobOut(
        id=view.id,
        kind=view.kind,
        state=view.state,
        attempt=view.attempt,
        created_at=view.created_at,
        started_at=view.started_at,
        finished_at=view.finished_at,
        error=view.error,
        correlation_id=view.correlation_id,
        progress=view.progress and ProgressOut(**view.progress._asdict()),
        result=view.result,
    )
