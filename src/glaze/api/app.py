"""The ASGI application: routes, problems, and an OpenAPI page that needs nothing from outside."""

from importlib.metadata import version

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from glaze.api import enrich, health, problems
from glaze.api.following import Following
from glaze.api.own_host import OwnHost
from glaze.api.services import Services


def create_app(services: Services, *, host: str = "localhost") -> FastAPI:
    """Return the API over ``services``, bound to ``host``; its documentation is at ``/docs``."""
    api = FastAPIOffline(
        title="Glaze",
        version=version("glaze"),
        summary="Rows with gaps in, sourced values out, never paid for twice.",
        redoc_url=None,
    )
    api.add_middleware(OwnHost, host=host)
    api.add_middleware(Following)
    problems.install(api)
    for module in (enrich, health):
        api.include_router(module.routes(services))
    return api
