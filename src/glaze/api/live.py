"""``/events`` and ``/ws``: what changes in a workspace, as it happens."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, NamedTuple

import structlog
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse
from sse_starlette.sse import SendTimeoutError
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from glaze.api.auth import Gate, bearer, must
from glaze.api.schemas import PROBLEMS
from glaze.api.services import Services
from glaze.errors import KeyRefused, NotFound, StoreUnavailable
from glaze.jobs.live import Told, Which
from glaze.model.access import Principal, Scope
from glaze.model.value import BatchId, JobId
from glaze.store.event import Cursor
from glaze.store.token import is_token

log = structlog.get_logger("live")

BEAT_S = 15.0
"""So often a connection shows that it lives, and the key that it still counts."""
SEND_S = 10.0
"""For so long a subscriber may take nothing before it is let go."""

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
    asked: Annotated[Subscription, Query()],
) -> Shown:
    gate: Gate = request.app.state.gate
    text = shown.credentials if shown else _token_only(asked.access_token)
    who = await gate.admit(text)
    request.state.limit = await gate.count(who)
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
    router = APIRouter(tags=["live"], responses=PROBLEMS)

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
        which = await _checked(services, shown.who, shown.asked)
        given = last_event_id or shown.asked.after
        after = Cursor.parse(given) if given else None
        services.live.check_room(shown.who.workspace_id)
        tellings = _followed(services, request.app.state.gate, shown, which, after)
        return _Stream(_as_sse(tellings), ping=0, send_timeout=SEND_S)

    return router


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
) -> AsyncGenerator[Told, None]:
    """Yield what changes for as long as what was shown counts."""
    now = asyncio.get_running_loop().time
    checked = now()
    live = services.live.follow(shown.who.workspace_id, which, after, beat_s=BEAT_S)
    async with aclosing(live) as tellings:
        async for told in tellings:
            yield told
            if now() - checked >= BEAT_S:
                if not await _counts(gate, shown.text):
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


async def _as_sse(tellings: AsyncGenerator[Told, None]) -> AsyncIterator[bytes]:
    async with aclosing(tellings):
        async for told in tellings:
            yield _sse(told).encode()


def _sse(told: Told) -> str:
    if told.changes:
        return "".join(f"id: {one.cursor}\ndata: {one.text}\n\n" for one in told.changes)
    if told.reset:
        return f"id: {told.cursor}\nevent: reset\ndata: {_reset(told)}\n\n"
    # Without data it is no event, but the client knows its cursor.
    return f": beat\nid: {told.cursor}\n\n"


def _reset(told: Told) -> str:
    return json.dumps({"event": "reset", "id": str(told.cursor)})
