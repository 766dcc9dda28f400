"""``/callbacks/jobs``: tells a job what it waits for."""

from typing import Annotated, Literal

import structlog
from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from glaze.api.auth import Needs
from glaze.api.schemas import PROBLEMS, V1
from glaze.api.services import Services
from glaze.errors import GlazeError
from glaze.model.access import Principal, Scope
from glaze.model.value import JobId, Json

log = structlog.get_logger("callbacks")

Caller = Annotated[Principal, Depends(Needs(Scope.CALLBACK))]
"""Who may answer jobs, and nothing else."""


class CallbackIn(BaseModel):
    """What a job is told."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"jobId": 4711, "event": "approved", "data": {"by": "ada"}}]
        },
    )

    job_id: int = Field(alias="jobId", ge=1, lt=1 << 63)
    event: str = Field(min_length=1, max_length=100, description="as the job's kind names it")
    data: dict[str, Json] = Field(default_factory=dict, max_length=1000)


class CallbackOut(BaseModel):
    """It was taken."""

    status: Literal["accepted"] = "accepted"


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["jobs"], responses=PROBLEMS)

    @router.post("/callbacks/jobs", status_code=202, summary="Tell a job what it waits for")
    async def told(body: CallbackIn, who: Caller) -> CallbackOut:
        """Take what one job waits for, once; it goes on at once.

        A job that waits for nothing of the kind is not there (404); one that was told before, has
        given up or has ended is a 409.
        """
        job_id = JobId(body.job_id)
        try:
            await services.callbacks.answer(who.workspace_id, job_id, body.event, body.data)
        except GlazeError as error:
            log.warning("callback refused", job=job_id, actor=who.actor, code=error.code)
            raise
        return CallbackOut()

    return router
