"""``/kinds``: what jobs there are to ask for, and what each takes."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from glaze.api.auth import Reader
from glaze.api.schemas import PROBLEMS, V1
from glaze.api.services import Services
from glaze.model.job import RetryPolicy
from glaze.model.value import Json


class KindOut(BaseModel):
    """A kind of job that may be asked for, and what holds for its jobs unless one says otherwise."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "email_validation",
                    "description": "check e-mail addresses",
                    "queue": "default",
                    "timeout_s": 600,
                    "retry": {
                        "max_attempts": 5,
                        "base_s": 60,
                        "multiplier": 2,
                        "cap_s": 3600,
                        "jitter": 0.1,
                    },
                    "args": {"type": "object", "properties": {"emails": {"type": "array"}}},
                }
            ]
        }
    )

    name: str
    description: str
    queue: str
    timeout_s: float = Field(description="how long an attempt may last")
    retry: RetryPolicy
    args: Json = Field(description="the JSON schema of its arguments")


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["jobs"], responses=PROBLEMS)

    @router.get("/kinds", summary="List job kinds")
    async def listed(_who: Reader) -> list[KindOut]:
        """Return what `POST /v1/jobs`, schedules and workflows take, in the order of their names."""
        kinds = [kind for kind in services.kinds.values() if not kind.internal]
        kinds.sort(key=lambda kind: kind.name)
        return [KindOut.model_validate(kind.facts()) for kind in kinds]

    return router
