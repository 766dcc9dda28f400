"""``POST /enrich``: ask, wait a while, follow."""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from glaze.api.auth import Writer
from glaze.api.schemas import PROBLEMS, V1, EnrichBody, JobOut, shown
from glaze.api.services import Services
from glaze.jobs.enqueue import enqueue, known_kind
from glaze.model.job import TERMINAL
from glaze.model.request import EnrichArgs
from glaze.model.value import WorkspaceId
from glaze.tasks.answering import Known
from glaze.tasks.enrich import NAME


def routes(services: Services, *, prefix: str = V1, include_in_schema: bool = True) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(
        prefix=prefix, include_in_schema=include_in_schema, tags=["enrichment"], responses=PROBLEMS
    )

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
        return await answered(
            services, who.workspace_id, body.args(), response, idempotency_key, wait_s=body.wait_s
        )

    return router


async def answered(
    services: Services,
    workspace_id: WorkspaceId,
    args: EnrichArgs,
    response: Response,
    key: str | None,
    *,
    wait_s: float,
) -> JobOut:
    """Return the job: at its end, where the cache knows all, else as it is after a while.

    As a 202 where it is not at its end by then.
    """
    kind = known_kind(services.kinds, NAME)
    kind.check(args)
    job = kind.job(args, priority=1, idempotency_key=key)
    found = await services.answering.answer(workspace_id, job, args)
    if isinstance(found, Known):
        return shown(found.job, found.result)
    if found is None:
        (found,) = await enqueue(services.jobs, services.kinds, workspace_id, [job])
    job_id = found
    view = await services.waiting.job(workspace_id, job_id, timeout_s=wait_s)
    if view.state not in TERMINAL:
        response.status_code = 202
        response.headers["Location"] = f"/v1/jobs/{job_id}"
    return shown(view)
