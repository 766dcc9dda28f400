"""``/keys``: the workspace's API keys, and ``/audit``: who did what."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from glaze.api.auth import Admin
from glaze.api.schemas import PROBLEMS, V1, RowId
from glaze.api.services import Services
from glaze.errors import NotFound
from glaze.model.access import LONGEST_NAME, Scope
from glaze.model.value import Json
from glaze.store.access import IssuedKey, KeyView

_LONGEST_OVERLAP_S = int(timedelta(days=30).total_seconds())


class KeyIn(BaseModel):
    """A key to be made."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "crm", "scopes": ["write"]}]}
    )

    name: str = Field(min_length=1, max_length=LONGEST_NAME, description="what it is for")
    scopes: list[Scope] = Field(min_length=1, max_length=4)
    expires_at: AwareDatetime | None = Field(default=None, description="null: never")


class KeyRotateIn(BaseModel):
    """How a key is replaced."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"overlap_s": 3600}]})

    overlap_s: int = Field(
        default=0, ge=0, le=_LONGEST_OVERLAP_S, description="seconds that the old one still counts"
    )


class KeyOut(BaseModel):
    """A key, without its secret part."""

    id: int
    name: str
    prefix: str = Field(description="how to recognise it: glz_<workspace>_<prefix>_...")
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="to the minute")
    revoked_at: datetime | None
    replaced_by: int | None = Field(description="the id of the key that it was rotated to")


class IssuedOut(KeyOut):
    """A new key."""

    key: str = Field(description="the key itself: shown now and never again")


class AuditOut(BaseModel):
    """One change."""

    id: int
    at: datetime
    actor: str = Field(description='"key 12", "user 3" or "command line"')
    action: str = Field(description="subject and verb: `api_key.create`")
    target: str | None
    detail: dict[str, Json]


class AuditPage(BaseModel):
    """Changes, newest first."""

    items: list[AuditOut]
    next_before: int | None = Field(description="`before` of the next page; null: this is the last")


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["access"], responses=PROBLEMS)
    keys = services.keys

    @router.get("/keys", summary="List API keys")
    async def list_keys(who: Admin) -> list[KeyOut]:
        """Return all keys of the workspace, also those that count no more, newest first."""
        return [_shown(view) for view in await keys.list(who.workspace_id)]

    @router.post("/keys", status_code=201, summary="Make an API key")
    async def create(body: KeyIn, who: Admin) -> IssuedOut:
        """Make a key. The answer has it in full, once."""
        issued = await keys.create(
            who.workspace_id, body.name, body.scopes, body.expires_at, actor=who.actor
        )
        return _issued(issued)

    @router.post("/keys/{key_id}/rotate", status_code=201, summary="Replace an API key")
    async def rotate(key_id: RowId, body: KeyRotateIn, who: Admin, request: Request) -> IssuedOut:
        """Make a key with the same name and scopes; the old one counts for a while beside it.

        Asked again, as after an answer that was lost, it takes back the successor that nobody used
        and makes another; where one is in use there is a 409 `key_replaced`.
        """
        issued = await keys.rotate(
            who.workspace_id, key_id, overlap_s=body.overlap_s, actor=who.actor
        )
        request.app.state.gate.forget()
        return _issued(issued)

    @router.delete("/keys/{key_id}", summary="Revoke an API key")
    async def revoke(key_id: RowId, who: Admin, request: Request) -> KeyOut:
        """Let a key count no more: here at once, in other processes within 5 seconds."""
        view = await keys.revoke(who.workspace_id, key_id, actor=who.actor)
        request.app.state.gate.forget()
        if view is None:
            raise NotFound(f"there is no key {key_id} that counts")
        return _shown(view)

    @router.get("/audit", summary="Who did what")
    async def audit(
        who: Admin,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        before: Annotated[int | None, Query(ge=1, lt=1 << 63, description="an id")] = None,
    ) -> AuditPage:
        """Return changes to keys, money, settings and data, newest first."""
        found = await services.audit.page(who.workspace_id, limit, before=before)
        items = [
            AuditOut(
                id=one.id,
                at=one.at,
                actor=one.deed.actor,
                action=one.deed.action,
                target=one.deed.target,
                detail=dict(one.deed.detail),
            )
            for one in found
        ]
        return AuditPage(items=items, next_before=items[-1].id if len(items) == limit else None)

    return router


def _shown(view: KeyView) -> KeyOut:
    return KeyOut.model_validate(view, from_attributes=True)


def _issued(issued: IssuedKey) -> IssuedOut:
    return IssuedOut(**_shown(issued.view).model_dump(), key=issued.text)
