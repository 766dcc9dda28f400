"""``/icp``: the workspace's ideal customer profile, by which its records are scored."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from glaze.api.auth import Admin, Reader
from glaze.api.etag import MeantForThis, Precondition, etag_of
from glaze.api.schemas import PROBLEMS, V1
from glaze.api.services import Services
from glaze.errors import NotFound
from glaze.model.icp import NewProfile, Profile
from glaze.store.icp import Standing
from glaze.store.turns import Meets

_EXAMPLE: dict[str, Any] = {
    "name": "Machine builders in DACH",
    "criteria": [
        {"field": "company_country", "any_of": ["DE", "AT", "CH"], "role": "must"},
        {"field": "company_employee_count", "at_least": 50, "at_most": 500, "weight": 3},
    ],
}


class ProfileIn(NewProfile):
    """Whom the workspace looks for."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})


class ProfileOut(BaseModel):
    """What counts now."""

    version: int = Field(description="grows with each change; 0: none was ever set")
    profile: Profile | None = Field(description="null: none counts, and nothing is scored")
    set_at: datetime | None


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["icp"], responses=PROBLEMS)

    @router.get("/icp", summary="The ideal customer profile")
    async def profile(who: Reader, response: Response) -> ProfileOut:
        """Return the profile by which records are scored; the `ETag` is for `If-Match` of a change."""
        return _told(response, await services.icp.standing(who.workspace_id))

    @router.put("/icp", summary="Set the ideal customer profile")
    async def put(
        body: ProfileIn, who: Admin, response: Response, meant: MeantForThis
    ) -> ProfileOut:
        """Set whom the workspace looks for, in place of what was said before; nothing is bought.

        Scores are renewed where they are next shown. One that no record can fit is refused. With
        `If-Match` it is a 412 `edit_conflict` where somebody else changed it meanwhile.
        """
        found = await services.icp.put(who.workspace_id, body, who.actor, _meets(meant))
        return _told(response, found)

    @router.delete("/icp", status_code=204, summary="Remove the ideal customer profile")
    async def remove(who: Admin, meant: MeantForThis) -> None:
        """Let none count any more: nothing is scored; `If-Match` as for a change."""
        if (await services.icp.standing(who.workspace_id)).profile is None:
            raise NotFound("there is no ideal customer profile")
        await services.icp.put(who.workspace_id, None, who.actor, _meets(meant))

    return router


def _meets(meant: Precondition) -> Meets[int]:
    return lambda version: meant.check(_etag(version), "the ideal customer profile")


def _etag(version: int) -> str:
    return etag_of({"icp": version})


def _told(response: Response, found: Standing) -> ProfileOut:
    response.headers["ETag"] = _etag(found.version)
    return ProfileOut(version=found.version, profile=found.profile, set_at=found.set_at)
