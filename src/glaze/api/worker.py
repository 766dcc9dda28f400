"""``/worker``: work in bounded runs, for places where a request may last and no process stays."""

import hmac
import os
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from glaze.api.schemas import PROBLEMS, V1
from glaze.api.services import Services
from glaze.errors import KeyRefused
from glaze.jobs.burst import LONGEST_MS, MOST_JOBS, SHORTEST_MS, Summary

_REGION = ("VERCEL_REGION", "AWS_REGION", "FLY_REGION", "GOOGLE_CLOUD_REGION")
_ENVIRONMENT = ("VERCEL_ENV", "GLAZE_ENV")

_bearer = HTTPBearer(auto_error=False, scheme_name="worker", description="WORKER_SECRET_TOKEN")
_cron_bearer = HTTPBearer(auto_error=False, scheme_name="cron", description="CRON_SECRET")
"""Cron platforms send it themselves, as Vercel does under this very name."""


class RunIn(BaseModel):
    """How much may be done at most."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"max_jobs": 10, "timeout_ms": 25_000}]}
    )

    max_jobs: int = Field(default=10, ge=1, le=MOST_JOBS)
    timeout_ms: int = Field(default=25_000, ge=SHORTEST_MS, le=LONGEST_MS)


class RunOut(BaseModel):
    """What a run did."""

    claimed: int
    completed: int = Field(description="attempts that ended well")
    failed: int = Field(description="attempts that did not; some will be tried again")
    left: int = Field(description="jobs that are due still, counted up to 10,000")
    duration_ms: int


class WorkerHealth(BaseModel):
    """Whether somebody works."""

    status: Literal["healthy", "idle"] = Field(description="idle: no process stays to work")
    worker_exists: bool
    worker_id: str | None = Field(description="the one that was heard of last")
    timestamp: datetime
    environment: dict[str, str] = Field(description="region and env, as the platform names them")


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["serverless"], responses=PROBLEMS)
    settings = services.settings
    token = _shows(_bearer, settings.worker_secret_token, "WORKER_SECRET_TOKEN")
    secret = _shows(_cron_bearer, settings.cron_secret, "CRON_SECRET")

    @router.post("/worker/run", dependencies=[Depends(token)], summary="Run some jobs")
    async def run(body: RunIn | None = None) -> RunOut:
        """Run up to `max_jobs` within `timeout_ms` and tell what came of it.

        A job that could not end in the time that is left is not begun.
        """
        much = body or RunIn()
        return _told(await services.run_some(max_jobs=much.max_jobs, timeout_ms=much.timeout_ms))

    @router.get("/worker/cron", dependencies=[Depends(secret)], summary="Run some jobs, by cron")
    async def cron(body: Annotated[RunIn, Query()]) -> RunOut:
        """Do the same for platforms whose cron sends a GET."""
        return _told(await services.run_some(max_jobs=body.max_jobs, timeout_ms=body.timeout_ms))

    @router.get("/worker/run", dependencies=[Depends(token)], summary="Whether somebody works")
    async def health() -> WorkerHealth:
        """Return whether a process stays and works; without one, runs and crons do."""
        living = [one for one in await services.workers.living() if one.lease_left_s > 0]
        last = max(living, key=lambda one: one.lease_left_s, default=None)
        return WorkerHealth(
            status="healthy" if last else "idle",
            worker_exists=last is not None,
            worker_id=f"{last.name} ({last.id})" if last else None,
            timestamp=services.clock(),
            environment=_environment(),
        )

    return router


def _shows(
    bearer: HTTPBearer, secret: SecretStr | None, variable: str
) -> Callable[..., Awaitable[None]]:
    """Return the dependency of a route that wants ``secret`` and no other key."""

    async def check(shown: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> None:
        if secret is None:
            raise KeyRefused(f"nobody may run jobs by request: set {variable}")
        given = shown.credentials.encode() if shown else b""
        if not hmac.compare_digest(given, secret.get_secret_value().encode()):
            raise KeyRefused(f"show the value of {variable}: Authorization: Bearer ...")

    return check


def _told(summary: Summary) -> RunOut:
    return RunOut.model_validate(summary, from_attributes=True)


def _environment() -> dict[str, str]:
    named = {"region": _REGION, "env": _ENVIRONMENT}
    found = {
        name: next(filter(None, map(os.environ.get, variables)), None)
        for name, variables in named.items()
    }
    return {name: value for name, value in found.items() if value}
