"""``/webhooks``: endpoints of the workspace that are told what happens, and what they were told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from glaze.api.auth import Admin, Reader
from glaze.api.etag import MeantForThis, Precondition, etag_of
from glaze.api.schemas import PROBLEMS, V1, RowId
from glaze.api.services import Services
from glaze.jobs.enqueue import vetted_webhook
from glaze.model.access import Principal, Scope
from glaze.model.webhook import MOST_TYPES, checked_types, without_secrets
from glaze.store.turns import Meets
from glaze.store.webhook import Webhook, WebhookChange, WithSecret
from glaze.store.webhook_delivery import Delivered

_LONGEST_OVERLAP_S = int(timedelta(days=30).total_seconds())
_TYPES = "`job.created`, `job.*`, `batch.completed`, `search.*`, `*`; docs/webhooks.md has all"

Url = Annotated[str, Field(min_length=1, max_length=2048, description="http or https, public")]
EventType = Annotated[str, Field(min_length=1, max_length=100)]
Types = Annotated[list[EventType], Field(min_length=1, max_length=MOST_TYPES, description=_TYPES)]
Description = Annotated[str, Field(max_length=200)]


class WebhookIn(BaseModel):
    """An endpoint to be made."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"url": "https://crm.example.com/glaze", "events": ["job.completed", "batch.*"]}
            ]
        },
    )

    url: Url
    events: Types
    description: Description = ""


class WebhookPatch(BaseModel):
    """What to change; what is left out stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"disabled": True}]})

    url: Url | None = None
    events: Types | None = None
    description: Description | None = None
    disabled: bool | None = Field(
        default=None, description="false: enabled again, with what was still to be told before"
    )


class SecretRotateIn(BaseModel):
    """How a secret is replaced."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"overlap_s": 86_400}]}
    )

    overlap_s: int = Field(
        default=86_400, ge=0, le=_LONGEST_OVERLAP_S, description="seconds that both sign"
    )


class DeliveryReplayIn(BaseModel):
    """Which deliveries are told again."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"since": "2026-11-01T00:00:00Z"}]}
    )

    since: AwareDatetime = Field(description="all that failed and were made since then")


class WebhookOut(BaseModel):
    """An endpoint, without its secret."""

    id: int
    url: str
    description: str
    events: list[str]
    since: datetime = Field(description="what happened before is not told")
    failing_since: datetime | None = Field(description="null: the last attempt was taken")
    disabled_at: datetime | None
    disabled_why: Literal["asked", "gone", "failing"] | None = Field(
        description="gone: it answered 410; failing: it took nothing for 5 days"
    )
    created_at: datetime
    old_secret_until: datetime | None = Field(description="until then two secrets sign")


class WebhookWithSecret(WebhookOut):
    """An endpoint with a new secret."""

    secret: str = Field(description="whsec_...: shown now and never again")


class JobSecret(BaseModel):
    """What signs deliveries to the `webhook_url` of a job."""

    secret: str


class AttemptOut(BaseModel):
    """One attempt at a delivery."""

    round: int = Field(description="counts replays, from 1")
    attempt: int
    at: datetime
    status: int | None = Field(description="null: no answer")
    duration_ms: int
    error: str | None
    excerpt: str | None = Field(description="the first 500 characters of the answer")


class DeliveryOut(BaseModel):
    """What an endpoint was told, or will be."""

    id: int
    type: str
    job_id: int | None
    batch_id: int | None
    state: Literal["pending", "delivered", "failed"]
    round: int
    attempt: int = Field(description="attempts that were begun in this round")
    created_at: datetime
    ended_at: datetime | None
    next_attempt_at: datetime | None = Field(
        description="null: it has ended, or the endpoint is disabled"
    )
    body: str = Field(description="as it is signed and sent")
    attempts: list[AttemptOut] = Field(description="the last 50")


class DeliveryPage(BaseModel):
    """Deliveries, newest first."""

    items: list[DeliveryOut]
    next_before: int | None = Field(description="`before` of the next page; null: this is the last")


class Replayed(BaseModel):
    """How many deliveries are due again."""

    deliveries: int


class Tested(BaseModel):
    """The delivery of a test."""

    delivery_id: int


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["webhooks"], responses=PROBLEMS)
    _endpoints(router, services)
    _deliveries(router, services)
    return router


def _endpoints(router: APIRouter, services: Services) -> None:
    @router.get("/webhooks", summary="List webhooks")
    async def list_webhooks(who: Reader) -> list[WebhookOut]:
        """Return the endpoints of the workspace, newest first, without their secrets.

        Who is no admin sees of a URL only the host: the rest is often a secret of the receiver.
        """
        return [_seen(one, who) for one in await services.webhooks.list(who.workspace_id)]

    @router.post("/webhooks", status_code=201, summary="Make a webhook")
    async def create(body: WebhookIn, who: Admin) -> WebhookWithSecret:
        """Make an endpoint that is told what happens from now on. The answer has its secret, once."""
        url, types = vetted_webhook(body.url), checked_types(body.events)
        made = await services.webhooks.create(
            who.workspace_id, url, types, body.description, actor=who.actor
        )
        return _with_secret(made)

    @router.get("/webhooks/job-secret", summary="The secret of jobs' own URLs")
    async def job_secret(who: Admin) -> JobSecret:
        """Return what deliveries to the `webhook_url` of a job are signed with."""
        return JobSecret(secret=await services.webhooks.job_secret(who.workspace_id))

    @router.get("/webhooks/{webhook_id}", summary="Show a webhook")
    async def get(webhook_id: RowId, who: Reader, response: Response) -> WebhookOut:
        """Return one endpoint, without its secret; its `ETag` is for `If-Match` of a change."""
        found = await services.webhooks.get(who.workspace_id, webhook_id)
        response.headers["ETag"] = _etag(found)
        return _seen(found, who)

    @router.patch("/webhooks/{webhook_id}", summary="Change a webhook")
    async def change(
        webhook_id: RowId, body: WebhookPatch, who: Admin, response: Response, meant: MeantForThis
    ) -> WebhookOut:
        """Change its URL, its event types or its description; disable it or enable it again.

        With `If-Match` one that was changed meanwhile is a 412 `edit_conflict`.
        """
        wanted = WebhookChange(
            url=None if body.url is None else vetted_webhook(body.url),
            description=body.description,
            events=None if body.events is None else checked_types(body.events),
            disabled=body.disabled,
        )
        changed = await services.webhooks.change(
            who.workspace_id, webhook_id, wanted, _meets(meant), actor=who.actor
        )
        return _tagged(changed, response)

    @router.delete("/webhooks/{webhook_id}", status_code=204, summary="Remove a webhook")
    async def remove(webhook_id: RowId, who: Admin, meant: MeantForThis) -> None:
        """Take an endpoint away, with the log of what it was told; `If-Match` as for a change."""
        meets = _meets(meant)
        await services.webhooks.remove(who.workspace_id, webhook_id, meets, actor=who.actor)

    @router.post("/webhooks/{webhook_id}/rotate", summary="Replace a webhook's secret")
    async def rotate(webhook_id: RowId, body: SecretRotateIn, who: Admin) -> WebhookWithSecret:
        """Make a new secret; for a while the old one signs beside it."""
        made = await services.webhooks.rotate(
            who.workspace_id, webhook_id, overlap_s=body.overlap_s, actor=who.actor
        )
        return _with_secret(made)


def _deliveries(router: APIRouter, services: Services) -> None:
    @router.get("/webhooks/{webhook_id}/deliveries", summary="What a webhook was told")
    async def deliveries(
        webhook_id: RowId,
        who: Reader,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        before: Annotated[int | None, Query(ge=1, lt=1 << 63, description="an id")] = None,
        state: Literal["pending", "delivered", "failed"] | None = None,
    ) -> DeliveryPage:
        """Return deliveries with their attempts, newest first."""
        await services.webhooks.get(who.workspace_id, webhook_id)
        found = await services.deliveries.page(
            who.workspace_id, webhook_id, limit, before=before, state=state
        )
        return DeliveryPage(items=_told(found), next_before=_next(found, limit))

    @router.post("/webhooks/{webhook_id}/test", status_code=202, summary="Try a webhook")
    async def test(webhook_id: RowId, who: Admin) -> Tested:
        """Tell it `webhook.test`; a worker sends it."""
        now = services.clock()
        made = await services.deliveries.test(who.workspace_id, webhook_id, now, actor=who.actor)
        return Tested(delivery_id=made)

    @router.post("/webhooks/{webhook_id}/replay", status_code=202, summary="Tell again what failed")
    async def replay(webhook_id: RowId, body: DeliveryReplayIn, who: Admin) -> Replayed:
        """Tell it again all that failed since a time, under the same ids."""
        made = await services.deliveries.replay(
            who.workspace_id, webhook_id, since=body.since, actor=who.actor
        )
        return Replayed(deliveries=made)

    @router.post(
        "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
        status_code=202,
        summary="Tell one thing again",
    )
    async def replay_one(webhook_id: RowId, delivery_id: RowId, who: Admin) -> Replayed:
        """Tell it again one delivery that has ended, well or not, under the same id."""
        made = await services.deliveries.replay(
            who.workspace_id, webhook_id, delivery_id=delivery_id, actor=who.actor
        )
        return Replayed(deliveries=made)


def _shown(webhook: Webhook) -> WebhookOut:
    return WebhookOut.model_validate(webhook, from_attributes=True)


def _seen(webhook: Webhook, who: Principal) -> WebhookOut:
    if who.may(Scope.ADMIN):
        return _shown(webhook)
    return _shown(replace(webhook, url=without_secrets(webhook.url)))


def _meets(meant: Precondition) -> Meets[Webhook]:
    return lambda there: meant.check(_etag(there), f"webhook {there.id}")


def _tagged(webhook: Webhook, response: Response) -> WebhookOut:
    response.headers["ETag"] = _etag(webhook)
    return _shown(webhook)


def _etag(webhook: Webhook) -> str:
    """Return what differs wherever it would be told something else, or elsewhere, or nothing."""
    told = {"id", "url", "description", "events", "disabled_at", "disabled_why"}
    return etag_of(_shown(webhook).model_dump(mode="json", include=told))


def _with_secret(made: WithSecret) -> WebhookWithSecret:
    return WebhookWithSecret(**_shown(made.webhook).model_dump(), secret=made.secret)


def _told(found: Sequence[Delivered]) -> list[DeliveryOut]:
    return [DeliveryOut.model_validate(one, from_attributes=True) for one in found]


def _next(found: Sequence[Delivered], limit: int) -> int | None:
    return found[-1].id if len(found) == limit else None
