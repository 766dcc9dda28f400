"""``/healthz``, ``/readyz``, ``/metrics``: for who watches over the process."""

import asyncio
from collections.abc import Sequence
from importlib.metadata import version
from time import monotonic

from fastapi import APIRouter, Response

from glaze.api.auth import Admin
from glaze.api.operations import operator
from glaze.api.schemas import PROBLEMS, Health, Readiness
from glaze.api.services import Services
from glaze.errors import StoreError
from glaze.jobs.metrics import Metrics, look_through
from glaze.model.measure import Measures
from glaze.store.backlog import BacklogStore

_ASKED_EVERY_S = 2.0
"""Who asks more often, and anybody may, is told what was seen."""
_PATIENCE_S = 5.0


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(tags=["health"])
    watched = _Watched(services)

    @router.get("/healthz", summary="Health", responses={503: {"model": Health}})
    async def healthz(response: Response) -> Health:
        """Answer 200 while the database answers, else 503 and what is wrong."""
        try:
            await services.db.ping()
        except StoreError as error:
            response.status_code = 503
            return Health(status="unavailable", version=version("glaze"), database=error.code)
        return Health(status="ok", version=version("glaze"), database="ok")

    @router.get("/livez", summary="Whether the process lives")
    async def livez() -> dict[str, str]:
        """Answer 200 as long as the process answers at all, whatever else is down."""
        return {"status": "alive"}

    @router.get("/readyz", summary="Readiness", responses={503: {"model": Readiness}})
    async def readyz(response: Response) -> Readiness:
        """Answer 503 where the database is down; 200 else, and what does not work meanwhile."""
        told = await watched.look()
        if told.status == "down":
            response.status_code = 503
        return told

    @router.get(
        "/metrics",
        summary="Metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}}, **PROBLEMS},
    )
    async def metrics(who: Admin) -> Response:
        """Return what Prometheus reads: of this process, and of the fleet's queues and circuits."""
        operator(who)
        content_type, body = await watched.scrape(services.traffic)
        return Response(body, headers={"Content-Type": content_type})

    return router


class _Watched:
    """What was seen last."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._seen: Readiness | None = None
        self._until = 0.0
        self._looking = asyncio.Lock()
        self._look = look_through(BacklogStore(services.db), services.settings.queues)
        self._metrics: Metrics | None = None

    async def look(self) -> Readiness:
        """Return how the process stands, looked at every few seconds at most."""
        async with self._looking:
            if self._seen is None or monotonic() > self._until:
                self._seen = await self._stand()
                self._until = monotonic() + _ASKED_EVERY_S
            return self._seen

    async def _stand(self) -> Readiness:
        told: Sequence[str]
        try:
            async with asyncio.timeout(_PATIENCE_S):
                told = await self._services.degraded()
        except (StoreError, TimeoutError):
            return Readiness(status="down", degraded=["database"])
        return Readiness(status="degraded" if told else "ready", degraded=[*told])

    async def scrape(self, traffic: Measures) -> tuple[str, bytes]:
        """Return content type and body."""
        if self._metrics is None:
            self._metrics = Metrics(lambda: traffic, self._look)
        return await self._metrics.scrape()
