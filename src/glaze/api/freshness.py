"""``/freshness``: how long values stay fresh for the workspace, before they are asked again."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from glaze.api.auth import Admin, Reader
from glaze.api.etag import MeantForThis, Precondition, etag_of
from glaze.api.schemas import PROBLEMS, V1
from glaze.api.services import Services
from glaze.errors import NotFound
from glaze.model.field import DAY_S, FIELDS
from glaze.model.freshness import EVERY, MOST_DAYS
from glaze.store.fresh_time import Days
from glaze.store.turns import Meets

_FIELD = "the canonical field; left out: every one that has no longer time of its own"
_PLAIN = r"^[a-z0-9_]*$"


class FreshTimeIn(BaseModel):
    """For how many days values stay fresh."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"field": "company_phone", "days": 365}]}
    )

    field: Annotated[str, Field(min_length=1, max_length=100, pattern=_PLAIN)] | None = Field(
        default=None, description=_FIELD
    )
    days: float = Field(ge=0, le=MOST_DAYS, description="0: it is asked again each time")


class FreshTimeOut(BaseModel):
    """A time that the workspace has set."""

    field: str | None = Field(description="null: every field that has no longer time of its own")
    days: float


class FreshnessOut(BaseModel):
    """What the workspace has set, and what follows for each field."""

    items: list[FreshTimeOut]
    days: dict[str, float] = Field(description="for every field, with what the settings say")


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["freshness"], responses=PROBLEMS)

    @router.get("/freshness", summary="How long values stay fresh")
    async def read(who: Reader, response: Response) -> FreshnessOut:
        """Return the workspace's own times and those of every field; the `ETag` is for `If-Match`."""
        own = await services.fresh_times.of(who.workspace_id)
        response.headers["ETag"] = _etag(own)
        fresh = services.beliefs.fresh_with(own)
        days = {str(name): fresh.of(name).total_seconds() / DAY_S for name in FIELDS}
        return FreshnessOut(items=_out(own), days=days)

    @router.put("/freshness", summary="Set how long values stay fresh")
    async def put(
        body: FreshTimeIn, who: Admin, response: Response, meant: MeantForThis
    ) -> FreshTimeOut:
        """Set for how long values of a field stay fresh, in place of what was said of it.

        It holds for what begins from now on; every process knows within 5 seconds. With `If-Match`
        it is a 412 `edit_conflict` where somebody else changed any time meanwhile.
        """
        field = body.field or EVERY
        held = await services.fresh_times.put(
            who.workspace_id, field, body.days, who.actor, _meets(meant)
        )
        response.headers["ETag"] = _etag(held)
        return FreshTimeOut(field=body.field, days=body.days)

    @router.delete("/freshness", status_code=204, summary="Let the settings say again")
    async def remove(
        who: Admin,
        meant: MeantForThis,
        *,
        field: Annotated[str, Query(max_length=100, pattern=_PLAIN, description=_FIELD)] = EVERY,
    ) -> None:
        """Remove what the workspace said of a field; `If-Match` as for a change."""
        if not await services.fresh_times.remove(who.workspace_id, field, who.actor, _meets(meant)):
            raise NotFound("the workspace has set no time for this field")

    return router


def _meets(meant: Precondition) -> Meets[Days]:
    return lambda there: meant.check(_etag(there), "the freshness")


def _etag(own: Days) -> str:
    return etag_of(dict(own))


def _out(own: Days) -> list[FreshTimeOut]:
    return [FreshTimeOut(field=field or None, days=days) for field, days in own.items()]
