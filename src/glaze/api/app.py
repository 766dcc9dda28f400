"""The ASGI application: routes, problems, and an OpenAPI page that needs nothing from outside."""

from importlib.metadata import version

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi_offline import FastAPIOffline

from glaze.api import (
    batches,
    callbacks,
    component,
    dashboard,
    document,
    enrich,
    entities,
    freshness,
    grid,
    health,
    hooks,
    jobs,
    keys,
    kinds,
    learning,
    linkedin,
    live,
    members,
    metrics,
    money,
    operations,
    order,
    overview,
    people,
    plan,
    preview,
    problems,
    schedules,
    searches,
    session,
    tables,
    tokens,
    vendor_keys,
    views,
    webhooks,
    worker,
    workflows,
)
from glaze.api.auth import Gate
from glaze.api.bodies import Bounded
from glaze.api.following import Following
from glaze.api.schemas import V1
from glaze.api.services import Services

_MODULES = (
    enrich,
    linkedin,
    plan,
    preview,
    batches,
    tables,
    grid,
    entities,
    metrics,
    overview,
    jobs,
    kinds,
    views,
    schedules,
    workflows,
    callbacks,
    hooks,
    webhooks,
    money,
    operations,
    learning,
    people,
    order,
    freshness,
    searches,
    keys,
    session,
    members,
    vendor_keys,
    live,
    tokens,
    worker,
    dashboard,
    component,
)


def create_app(services: Services) -> FastAPI:
    """Return the API over ``services``; its documentation is at ``/docs``."""
    api = FastAPIOffline(
        title="Glaze",
        version=version("glaze"),
        summary="Rows with gaps in, sourced values out, never paid for twice.",
        redoc_url=None,
    )
    upload = services.settings.api_max_upload_mb << 20
    api.add_middleware(
        Bounded,
        tables={("POST", f"{V1}/batches"): upload, ("POST", f"{V1}/batches/preview"): upload},
        within_s=services.settings.api_receive_s,
    )
    if services.settings.api_cors_origins:
        api.add_middleware(
            CORSMiddleware,
            allow_origins=services.settings.api_cors_origins,
            allow_methods=["GET", "POST", "PATCH", "PUT", "DELETE"],
            allow_headers=[
                "Authorization",
                "Content-Type",
                "Idempotency-Key",
                "If-Match",
                "If-None-Match",
                "Last-Event-ID",
            ],
            expose_headers=["ETag", "Location", "RateLimit", "Retry-After", "X-Correlation-ID"],
        )
    api.add_middleware(Following, traffic=services.traffic)
    problems.install(api)
    document.install(api)
    per_minute = services.settings.api_requests_per_minute
    api.state.gate = Gate(services.keys, services.tokens, services.sign_ins, per_minute)
    # Laid flat: FastAPI goes through routers within routers at each request, and builds all twice.
    for module in (*_MODULES, health):
        api.router.routes.extend(module.routes(services).routes)
    # As they were called before there were versions.
    for old in (enrich.routes, jobs.following):
        api.router.routes.extend(old(services, prefix="", include_in_schema=False).routes)
    return api
