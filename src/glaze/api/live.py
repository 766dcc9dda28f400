"""``/events`` and ``/ws``: what changes in a workspace, as it happens."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import aclosing
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, Depends, Header, Query, Request, WebSocket, WebSocketDisconnect
from fastapi.security import HTTPAuthorizationCredentials
from fastapi.security.utils import get_authorization_scheme_param
from pydantic import BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse
from sse_starlette.sse import SendTimeoutError
from starlette.requests import HTTPConnection
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from glaze.api.auth import COOKIE, Gate, bearer, cookie, must, text_of
from glaze.api.schemas import PROBLEMS, V1
from glaze.api.services import Services
from glaze.errors import KeyRefused, NotFound, OriginRefused, StoreUnavailable
from glaze.jobs.live import Told, Which
from glaze.model.access import Principal, Scope
from glaze.model.value import BatchId, JobId
from glaze.store.event import Cursor
from glaze.store.token import is_token

log = structlog.get_logger("live")

SEND_S = 10.0
"""For so long a subscriber may take nothing before it is let go."""
GOING_AWAY, TRY_AGAIN_LATER, UNAUTHORIZED = 1001, 1013, 3000
"""Close codes of WebSockets, as IANA lists them: Glaze ends; too slow; the key or token does."""

Id = Annotated[int | None, Field(ge=1, lt=1 << 63)]


class Subscription(BaseModel):
    """What is wanted, and from when on."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"job": 4711}]})

    job: Id = Field(default=None, description="only this job")
    batch: Id = Field(default=None, description="only this batch and its rows")
    types: list[Annotated[str, Field(max_length=64)]] = Field(
        default=[], max_length=50, description="only events of these types"
    )
    after: str | None = Field(
        default=None,
        max_length=50,
        description="the `id` of the last event that was seen; 0-0: all that are kept",
    )
    access_token: str | None = Field(
        default=None, max_length=2500, description="a read token, where no header can be sent"
    )

    def which(self, who: Principal) -> Which:
        """Return it within what ``who`` may see. Raises: NotFound."""
        narrowed = who.narrowed
        job, batch = self.job, self.batch
        if narrowed is not None:
            job, batch = job or narrowed.job_id, batch or narrowed.batch_id
            if (narrowed.job_id, narrowed.batch_id) != (
                narrowed.job_id and job,
                narrowed.batch_id and batch,
            ):
                raise NotFound("the token is for one job or batch, and this is not it")
        return Which(
            None if job is None else JobId(job),
            None if batch is None else BatchId(batch),
            frozenset(self.types) or None,
        )


class Shown(NamedTuple):
    """Who subscribes to what, and the key or token that was shown."""

    who: Principal
    text: str
    asked: Subscription


async def _admitted(
    request: Request,
    shown: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    session: Annotated[str | None, Depends(cookie)],
    asked: Annotated[Subscription, Query()],
) -> Shown:
    return await _admit(request, shown.credentials if shown else None, session, asked)


async def _connected(socket: WebSocket, asked: Annotated[Subscription, Query()]) -> Shown:
    scheme, text = get_authorization_scheme_param(socket.headers.get("authorization"))
    key = text if scheme.lower() == "bearer" else None
    return await _admit(socket, key, socket.cookies.get(COOKIE), asked)


async def _admit(
    asking: HTTPConnection, shown: str | None, session: str | None, asked: Subscription
) -> Shown:
    gate: Gate = asking.app.state.gate
    if shown is None and (asked.access_token is not None or session is None):
        text = _token_only(asked.access_token)
    else:
        text = text_of(asking, shown, session)
    who = await gate.admit(text)
    gate.count(who, asking)
    must(who, Scope.READ)
    return Shown(who, text, asked)


def _token_only(given: str | None) -> str:
    """Return a token from a query, which ends up in logs and histories, so no key is taken there."""
    if given is None:
        raise KeyRefused("show a key or a read token: Authorization: Bearer ..., or ?access_token=")
    if not is_token(given):
        raise KeyRefused("only a read token may stand in a query; get one: POST /v1/tokens")
    return given


class _Stream(EventSourceResponse):
    """Lets go of a subscriber that takes nothing; it goes on from its cursor."""

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            log.info("subscriber took nothing", seconds=SEND_S)


_SSE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}
}


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["live"], responses=PROBLEMS)

    @router.get(
        "/events",
        summary="What changes, as it happens",
        response_class=EventSourceResponse,
        responses=_SSE,
    )
    async def events(
        shown: Annotated[Shown, Depends(_admitted)],
        request: Request,
        last_event_id: Annotated[str | None, Header(max_length=50)] = None,
    ) -> EventSourceResponse:
        """Tell what changes in the workspace, one job or one batch, as Server-Sent Events.

        Each has an `id`; who comes back with it (`Last-Event-ID`, or `after`) has missed nothing.
        An event `reset` says that this is not so, for it was too long ago: read everything again.
        """
        tellings = await _begun(services, request, shown, last_event_id or shown.asked.after)
        return _Stream(_as_sse(tellings), ping=0, send_timeout=SEND_S)

    @router.websocket("/ws")
    async def ws(socket: WebSocket, shown: Annotated[Shown, Depends(_connected)]) -> None:
        """Tell the same over a WebSocket; what the subscriber says is not listened to."""
        _check_origin(socket, services.settings.api_cors_origins)
        tellings = await _begun(services, socket, shown, shown.asked.after)
        await socket.accept()
        await _converse(services, socket, tellings)

    return router


async def _begun(
    services: Services, asking: HTTPConnection, shown: Shown, after: str | None
) -> AsyncGenerator[Told | None, None]:
    """Return what is told; it begins once it is asked for. Raises: NotFound, TooManyRequests."""
    which = await _checked(services, shown.who, shown.asked)
    cursor = Cursor.parse(after) if after else None
    services.live.check_room(shown.who.workspace_id)
    return _followed(services, asking.app.state.gate, shown, which, cursor)


def _check_origin(socket: WebSocket, allowed: Collection[str]) -> None:
    """Let no page of a strange origin in: browsers ask nobody before they open a WebSocket.

    Programs send no origin. Raises: OriginRefused.
    """
    origin = socket.headers.get("origin")
    own = urlsplit(origin).netloc if origin else None
    if origin and origin not in allowed and (not own or own != socket.headers.get("host")):
        raise OriginRefused(f"pages of {origin[:100]} may not subscribe: GLAZE_API_CORS_ORIGINS")


async def _checked(services: Services, who: Principal, asked: Subscription) -> Which:
    """Return what is asked for. Raises: NotFound for what is not there, or not to be seen."""
    which = asked.which(who)
    if which.job_id is not None:
        job = await services.jobs.get(who.workspace_id, which.job_id)
        if job is None or not who.sees(job.id, job.batch_id):
            raise NotFound(f"there is no job {which.job_id}")
    if which.batch_id is not None:
        batch = await services.batches.progress(who.workspace_id, which.batch_id)
        if batch is None:
            raise NotFound(f"there is no batch {which.batch_id}")
    return which


async def _followed(
    services: Services, gate: Gate, shown: Shown, which: Which, after: Cursor | None
) -> AsyncGenerator[Told | None, None]:
    """Yield what changes for as long as what was shown counts, and None at its end."""
    now = asyncio.get_running_loop().time
    beat_s = services.settings.api_beat_s
    checked = now()
    live = services.live.follow(shown.who.workspace_id, which, after, beat_s=beat_s)
    async with aclosing(live) as tellings:
        async for told in tellings:
            yield told
            if now() - checked >= beat_s:
                if not await _counts(gate, shown.text):
                    yield None
                    return
                checked = now()


async def _counts(gate: Gate, text: str) -> bool:
    try:
        await gate.admit(text)
    except KeyRefused:
        return False
    except StoreUnavailable as error:  # nothing can be read either
        log.warning("database not available", step="check a subscriber", error=str(error))
    return True


async def _as_sse(tellings: AsyncGenerator[Told | None, None]) -> AsyncIterator[bytes]:
    async with aclosing(tellings):
        async for told in tellings:
            if told is not None:
                yield _sse(told).encode()


def _sse(told: Told) -> str:
    if told.changes:
        return "".join(f"id: {one.cursor}\ndata: {one.text}\n\n" for one in told.changes)
    if told.reset:
        return f"id: {told.cursor}\nevent: reset\ndata: {_of_itself('reset', told)}\n\n"
    # Without data it is no event, but the client knows its cursor.
    return f": beat\nid: {told.cursor}\n\n"


async def _converse(
    services: Services, socket: WebSocket, tellings: AsyncGenerator[Told | None, None]
) -> None:
    """Tell until either side has enough; say why where it is ours."""
    async with asyncio.TaskGroup() as group:
        telling = group.create_task(_tell(services, socket, tellings))
        leaving = group.create_task(_left(socket))
        await asyncio.wait((telling, leaving), return_when=asyncio.FIRST_COMPLETED)
        telling.cancel()
        leaving.cancel()


async def _left(socket: WebSocket) -> None:
    """Return when the subscriber has gone."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _tell(
    services: Services, socket: WebSocket, tellings: AsyncGenerator[Told | None, None]
) -> None:
    code, why = TRY_AGAIN_LATER, "too slow: come back with the last id"
    try:
        async with aclosing(tellings):
            async for told in tellings:
                if told is None:
                    code, why = UNAUTHORIZED, "the key or token counts no more"
                    break
                async with asyncio.timeout(SEND_S):
                    for text in _messages(told):
                        await socket.send_text(text)
        if services.live.closed:
            code, why = GOING_AWAY, "Glaze ends"
        async with asyncio.timeout(SEND_S):
            await socket.close(code, why)
    except TimeoutError:  # not even the end of it is taken
        log.info("subscriber took nothing", seconds=SEND_S)
    except WebSocketDisconnect:
        return
    except RuntimeError as error:  # so the server tells that it hung up: no answer to its pings
        log.info("subscriber is gone", why=str(error))


def _messages(told: Told) -> Sequence[str]:
    if told.changes:
        return [one.text for one in told.changes]
    return [_of_itself("reset" if told.reset else "beat", told)]


def _of_itself(event: str, told: Told) -> str:
    return json.dumps({"event": event, "id": str(told.cursor)})
