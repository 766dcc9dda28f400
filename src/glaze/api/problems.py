"""Errors as RFC 9457 problem details: one table says which error is which status."""

from collections.abc import Mapping
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from glaze.api.following import HEADER
from glaze.api.schemas import Problem
from glaze.errors import (
    ArgsInvalid,
    BatchStateConflict,
    ConfirmationNeeded,
    CreditShort,
    CsrfRefused,
    EditConflict,
    GlazeError,
    InputError,
    JobStateConflict,
    KeyRefused,
    KeyReplaced,
    LoginRefused,
    NotFound,
    OriginRefused,
    RoleRefused,
    RowsInvalid,
    ScheduleBusy,
    ScopeMissing,
    SearchStateConflict,
    SecretsUnavailable,
    StoreUnavailable,
    TooManyRequests,
    UploadTooLarge,
)
from glaze.logs import correlation

log = structlog.get_logger("api")

_STATUS: Mapping[type[GlazeError], int] = {
    NotFound: 404,
    JobStateConflict: 409,
    BatchStateConflict: 409,
    SearchStateConflict: 409,
    CreditShort: 402,
    ScheduleBusy: 409,
    KeyReplaced: 409,
    UploadTooLarge: 413,
    ConfirmationNeeded: 409,
    EditConflict: 412,
    InputError: 422,
    KeyRefused: 401,
    ScopeMissing: 403,
    RoleRefused: 403,
    LoginRefused: 401,
    CsrfRefused: 403,
    OriginRefused: 403,
    SecretsUnavailable: 409,
    TooManyRequests: 429,
    StoreUnavailable: 503,
}
_TITLES = {
    400: "The request cannot be read",
    401: "No key that counts",
    402: "Not enough money",
    403: "The key is not for this",
    404: "Not found",
    405: "Method not allowed",
    408: "Too slow",
    409: "Not in this state",
    410: "Not waited for any more",
    412: "Changed by somebody else",
    413: "Too large",
    422: "The request cannot be used",
    429: "Too many requests",
    500: "Something went wrong",
    503: "Not available now",
}
_RETRY_AFTER_S = "5"


def install(api: FastAPI) -> None:
    """Answer every error of ``api`` with problem details."""

    @api.exception_handler(GlazeError)
    async def glaze_error(_: Request, error: Exception) -> JSONResponse:
        status = next((s for kind, s in _STATUS.items() if isinstance(error, kind)), 500)
        code = error.code if isinstance(error, GlazeError) else "internal_error"
        # What went wrong inside is for the log, not for the caller.
        detail = str(error) if status < HTTPStatus.INTERNAL_SERVER_ERROR else _TITLES[status]
        faults = error.faults if isinstance(error, ArgsInvalid | RowsInvalid) else ()
        quote = error.quote if isinstance(error, ConfirmationNeeded) else None
        told = answer(status, code, detail, errors=[one._asdict() for one in faults], quote=quote)
        if status == HTTPStatus.UNAUTHORIZED:
            told.headers["WWW-Authenticate"] = "Bearer"
        if isinstance(error, TooManyRequests):
            told.headers["Retry-After"] = str(error.retry_after_s)
        return told

    @api.exception_handler(WebSocketRequestValidationError)
    @api.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: Exception) -> JSONResponse:
        faults = (
            [
                {"path": ".".join(str(part) for part in one["loc"]), "message": str(one["msg"])}
                for one in error.errors()
            ]
            if isinstance(error, RequestValidationError | WebSocketRequestValidationError)
            else []
        )
        detail = "; ".join(f"{fault['path']}: {fault['message']}" for fault in faults)
        return answer(422, "request_invalid", detail, errors=faults)

    @api.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> JSONResponse:
        log.error("request failed", path=request.url.path, exc_info=error)
        return answer(500, "internal_error", _TITLES[500])

    @api.exception_handler(HTTPException)
    async def http(request: Request, error: Exception) -> JSONResponse:
        return _of_http(api, request, error)


def _of_http(api: FastAPI, request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    told = answer(error.status_code, f"http_{error.status_code}", str(error.detail))
    told.headers.update(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        told.headers["Allow"] = ", ".join(_allowed(api, request))
    return told


def _allowed(api: FastAPI, request: Request) -> list[str]:
    """Return every method that a path answers: the error knows those of one route alone.

    A path that is spelt out goes before one with a parameter in its place.
    """
    routes = [route for route in api.routes if isinstance(route, Route)]
    met = (one.path for one in routes if one.matches(request.scope)[0] is not Match.NONE)
    path = min(met, key=lambda path: path.count("{"), default=None)
    return sorted({name for one in routes if one.path == path for name in one.methods or ()})


def answer(
    status: int,
    code: str,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    quote: Mapping[str, int] | None = None,
) -> JSONResponse:
    """Return problem details; ``errors`` are the faults of a body, each with its path."""
    problem = Problem(
        type=f"urn:glaze:problem:{code}",
        title=_TITLES.get(status, "Error"),
        status=status,
        detail=detail,
        code=code,
        errors=errors or [],
        quote=None if quote is None else {**quote},
    )
    return JSONResponse(
        problem.model_dump(mode="json"),
        status_code=status,
        media_type="application/problem+json",
        headers=_headers(status),
    )


def _headers(status: int) -> dict[str, str]:
    headers = {HEADER: correlation.get() or ""}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = _RETRY_AFTER_S
    return headers
