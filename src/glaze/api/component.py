"""``/component``: the script of `<glaze-job-status>`, for pages of any origin."""

from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, Request, Response

from glaze.api.built import MISSING, WHERE
from glaze.api.dashboard import FOREVER, answer, file_of
from glaze.api.services import Services
from glaze.errors import NotFound

NAME = "glaze-job-status.js"
_HEADERS = {
    # It is the same for everybody and tells nothing, so that any page may load it.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Encoding",
}
_A_WHILE = "public, max-age=300, stale-while-revalidate=86400"


def routes(_: Services) -> APIRouter:
    """Return the route of the build that is in the package."""
    return script(WHERE / "component" / NAME)


def script(where: Path) -> APIRouter:
    """Return the route of a build, which is read once."""
    router = APIRouter(include_in_schema=False)
    file = file_of(where) if where.is_file() else None

    @router.get(f"/component/{NAME}")
    async def component(request: Request, v: str = "") -> Response:
        """Return the script; with ``?v=`` and this version of Glaze it is kept for ever."""
        if file is None:
            raise NotFound(f"the component is {MISSING}")
        kept = FOREVER if v == version("glaze") else _A_WHILE
        return answer(request, file, {**_HEADERS, "Cache-Control": kept})

    return router
