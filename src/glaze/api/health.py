"""``GET /healthz``: whether this process can do its work."""

from importlib.metadata import version

from fastapi import APIRouter, Response

from glaze.api.schemas import Health
from glaze.api.services import Services
from glaze.errors import StoreError


def routes(services: Services) -> APIRouter:
    """Return the route over ``services``."""
    router = APIRouter()

    @router.get("/healthz", summary="Health", responses={503: {"model": Health}})
    async def healthz(response: Response) -> Health:
        """Answer 200 while the database answers, else 503 and what is wrong."""
        try:
            await services.db.ping()
        except StoreError as error:
            response.status_code = 503
            return Health(status="unavailable", version=version("glaze"), database=error.code)
        return Health(status="ok", version=version("glaze"), database="ok")

    return router
