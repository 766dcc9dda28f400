"""``/hooks``: what vendors call back, at addresses that only they were told."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request, Response

from glaze.api.schemas import PROBLEMS, V1
from glaze.api.services import Services
from glaze.model.ledger import Delivery

MOST_BYTES = 1_000_000
"""No vendor's notice is as long; what it announces is collected, never taken out of it."""
_REFUSALS: dict[Delivery, tuple[int, str]] = {
    Delivery.UNKNOWN: (404, "nothing is expected here"),
    Delivery.FORGED: (404, "nothing is expected here"),  # who guesses learns no more than this
    Delivery.REPLAYED: (409, "it was delivered before"),
    Delivery.STALE: (410, "it is not waited for any more"),
}

_ANSWERS: dict[int | str, dict[str, Any]] = {
    status: {"description": why} for status, why in (*_REFUSALS.values(), (413, "too long"))
}

ProviderName = Annotated[str, Path(pattern="^[a-z][a-z0-9_]{0,63}$")]
Token = Annotated[
    str, Path(pattern=r"^[a-z0-9.-]{1,200}$", description="as in the address that it was told")
]


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["vendors"], responses=PROBLEMS)

    @router.post(
        "/hooks/{provider}/{token}",
        status_code=204,
        response_class=Response,
        summary="Say that an answer is there (vendors only)",
        responses=_ANSWERS,
    )
    async def called_back(provider: ProviderName, token: Token, request: Request) -> Response:
        """Collect a promised answer now: the vendor says that it is there.

        Needs no key: the address is the vendor's secret, and a signature is checked where the
        vendor signs. What the body says is not believed, it only names what is to be fetched.
        """
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await body_of(request)
        delivery = await services.collector.deliver(provider, token, headers, body)
        if delivery is not Delivery.ACCEPTED:
            status, why = _REFUSALS[delivery]
            raise HTTPException(status, why)
        return Response(status_code=204)

    return router


async def body_of(request: Request) -> bytes:
    """Return the body byte for byte, for that is what was signed."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"more than {MOST_BYTES} bytes")
    return bytes(body)
