"""``/kinds``: what jobs there are to ask for, and what each takes."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from glaze.api.auth import Reader
from glaze.api.schemas import PROBLEMS, V1
from glaze.api.services import Services
from glaze.jobs.kind import Kind
from glaze.model.value import Json


class KindOut(BaseModel):
    """A kind of job that may be asked for, and what holds for its jobs unless one says otherwise."""

    name: str
    description: str
    queue: str
    timeout_s: float = Field(description="how long an attempt may last")
    max_attempts: int
    args: Json = Field(description="the JSON schema of its arguments")


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["jobs"], responses=PROBLEMS)

    @router.get("/kinds", summary="List job kinds")
    async def listed(_who: Reader) -> list[KindOut]:
        """Return what `POST /v1/jobs`, schedules and workflows take, in the order of their names."""
        asked_for = (kind for kind in services.kinds.values() if not kind.internal)
        return sorted((_shown(kind) for kind in asked_for), key=lambda kind: kind.name)

    return router


def _shown(kind: Kind[Any]) -> KindOut:
    return KindOut(
        name=kind.name,
        description=kind.description,
        queue=kind.queue,
        timeout_s=kind.timeout_s,
        max_attempts=kind.retry.max_attempts,
        args=kind.args.model_json_schema(),
    )
