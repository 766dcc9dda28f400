"""``/app``: the dashboard. It asks the API as any page of a member does; nothing else is served here."""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from glaze.api.built import HOME, MISSING, WHERE
from glaze.api.services import Services
from glaze.errors import NotFound

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Nothing from outside, nothing inline, and no text that becomes markup."""
_SAFE = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Vary": "Accept-Encoding",
}
FOREVER = "public, max-age=31536000, immutable"
_ASSETS = "assets/"
"""Files there have a hash of what is in them in their names."""
_WORTH_PACKING = 1024  # bytes


class File(NamedTuple):
    """A file as it is served."""

    media_type: str
    etag: str
    plain: bytes
    packed: bytes | None


def routes(_: Services) -> APIRouter:
    """Return the routes of the build that is in the package."""
    return pages(WHERE)


def pages(where: Path) -> APIRouter:
    """Return the routes of the build in a folder, which is read once."""
    router = APIRouter(include_in_schema=False)
    files = _read(where)

    @router.get("/")
    async def root() -> RedirectResponse:
        _index(files)
        return RedirectResponse(HOME, headers={"Cache-Control": "no-store"})

    @router.get("/app")
    @router.get(HOME + "{path:path}")
    async def page(request: Request, path: str = "") -> Response:
        """Return a file of the build; every other path is a page, which the index shows."""
        index = _index(files)
        found = files.get(path)
        if found is None and path.startswith(_ASSETS):
            raise NotFound("the dashboard has no such file")
        return _answer(request, found or index, forever=path.startswith(_ASSETS))

    return router


def _index(files: Mapping[str, File]) -> File:
    if "index.html" not in files:
        raise NotFound(f"the dashboard is {MISSING}")
    return files["index.html"]


def _answer(request: Request, file: File, *, forever: bool) -> Response:
    return answer(request, file, {**_SAFE, "Cache-Control": FOREVER if forever else "no-cache"})


def answer(request: Request, file: File, given: Mapping[str, str]) -> Response:
    """Return a file under the headers that are given, packed where the browser takes that."""
    headers = {**given, "ETag": file.etag}
    if request.headers.get("If-None-Match") == file.etag:
        return Response(status_code=304, headers=headers)
    if file.packed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(file.packed, media_type=file.media_type, headers=headers)
    return Response(file.plain, media_type=file.media_type, headers=headers)


def _read(where: Path) -> Mapping[str, File]:
    found = (one for one in where.rglob("*") if one.is_file())
    return {one.relative_to(where).as_posix(): file_of(one) for one in found}


def file_of(path: Path) -> File:
    """Return the file of a build at ``path``, read once."""
    body = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    text = kind.startswith("text/") or kind in {"image/svg+xml", "application/javascript"}
    packed = gzip.compress(body, mtime=0) if text and len(body) >= _WORTH_PACKING else None
    return File(kind, etag, body, packed)
