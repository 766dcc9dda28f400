"""``/tokens``: what a browser may show instead of a key."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from glaze.api.auth import Reader, must
from glaze.api.schemas import PROBLEMS, V1
from glaze.api.services import Services
from glaze.errors import InputError, NotFound, ScopeMissing
from glaze.model.access import Act, Narrowed, Principal, Scope
from glaze.model.value import BatchId, JobId
from glaze.store.token import LONGEST_S

Id = Annotated[int | None, Field(ge=1, lt=1 << 63)]


class TokenIn(BaseModel):
    """For how long, and what of the workspace may be seen."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"ttl_s": 600, "job_id": 4711}]}
    )

    ttl_s: int = Field(default=600, ge=1, le=LONGEST_S, description="seconds that it counts")
    job_id: Id = Field(default=None, description="only this job")
    batch_id: Id = Field(default=None, description="only this batch and its rows")
    may: list[Act] = Field(
        default=[],
        max_length=len(Act),
        description="do this to the job or batch, too; needs the scope `write`",
    )


class TokenOut(BaseModel):
    """A token."""

    token: str
    expires_at: datetime


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["access"], responses=PROBLEMS)

    @router.post("/tokens", status_code=201, summary="Make a token for a browser")
    async def create(body: TokenIn, who: Reader) -> TokenOut:
        """Make a token with which a browser reads for a while, perhaps one job or batch alone.

        It ends with the key that made it, and makes no other. With `may` it also retries or
        cancels that job or batch, or jobs of that batch; it is in the audit log then.
        """
        if who.by_token:
            raise ScopeMissing("a token makes no other; this needs a key")
        if body.may:
            must(who, Scope.WRITE)
            if body.job_id is None and body.batch_id is None:
                raise InputError("may: of one job or batch alone; give job_id or batch_id")
        narrowed = await _narrowed(services, who, body)
        issued = await services.tokens.issue(who, body.ttl_s, narrowed, body.may)
        return TokenOut(token=issued.text, expires_at=issued.expires_at)

    return router


async def _narrowed(services: Services, who: Principal, body: TokenIn) -> Narrowed | None:
    """Return what alone the token is for. Raises: NotFound."""
    workspace_id, narrowed = who.workspace_id, None
    if body.job_id is not None:
        narrowed = Narrowed(job_id=JobId(body.job_id))
        if await services.jobs.get(workspace_id, JobId(body.job_id)) is None:
            raise NotFound(f"there is no job {body.job_id}")
    if body.batch_id is not None:
        narrowed = Narrowed(narrowed and narrowed.job_id, BatchId(body.batch_id))
        if await services.batches.progress(workspace_id, BatchId(body.batch_id)) is None:
            raise NotFound(f"there is no batch {body.batch_id}")
    return narrowed
