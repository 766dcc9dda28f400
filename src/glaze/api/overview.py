"""``/overview``: how a workspace stands at a glance."""

import math
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from glaze.api.auth import Reader
from glaze.api.money import BudgetOut, PausedOut
from glaze.api.schemas import PROBLEMS, V1
from glaze.api.services import Services
from glaze.store.overview import MOST, MOST_CALLS, Overview

_BUSY_CIRCUITS = frozenset({"open", "half-open"})


class EndedOut(BaseModel):
    """Single jobs that ended in a slot of time, by state."""

    at: datetime = Field(description="where the slot begins")
    completed: int
    partial: int
    failed: int
    dead: int
    cancelled: int
    about: bool = Field(description="extrapolated from the latest of the slot: it has many")


class SpentOut(BaseModel):
    """What the calls cost that were made in a slot of time. Slots without calls are left out."""

    at: datetime = Field(description="where the slot begins")
    calls: int
    settled_micros: int


class MoneyOut(BaseModel):
    """What was paid and what may still be. Money in micros."""

    settled_micros: int = Field(description="of the calls that were made in the window")
    since: datetime | None = Field(
        description=f"only the latest {MOST_CALLS:,} calls, since then; null: all of the window"
    )
    reserved_micros: int = Field(description="for calls under way")
    unknown_micros: int = Field(description="for calls of unknown outcome")
    slots: list[SpentOut]
    caps: list[BudgetOut] = Field(description="the standing caps, for this day or month")


class FailingOut(BaseModel):
    """An endpoint that is not reached."""

    id: int
    url: str
    failing_since: datetime | None
    why: str | None = Field(description="it was disabled: `failing` or `gone`; null: it listens")


class CircuitOut(BaseModel):
    """A provider that is left alone for a while, after errors."""

    provider: str
    state: str = Field(description="`open`, or `half-open`: one probe may go")


class PausedQueueOut(BaseModel):
    """A queue that hands out nothing."""

    name: str
    paused_at: datetime


class AttentionOut(BaseModel):
    """What wants somebody. Counts end at a bound."""

    dead: int = Field(description=f"dead letters; {MOST:,}: or more")
    unknown_calls: int = Field(description=f"to be resolved; {MOST:,}: or more")
    circuits: list[CircuitOut] = Field(description="of the whole fleet")
    webhooks: list[FailingOut]
    queues: list[PausedQueueOut] = Field(description="paused ones, of the whole fleet")
    prices: list[PausedOut] = Field(description="that vendors have passed")


class OverviewOut(BaseModel):
    """How a workspace stands."""

    begin: datetime
    slot_s: int = Field(description="how long a slot of time is")
    ended: list[EndedOut]
    money: MoneyOut
    oldest_s: float | None = Field(description="how long the oldest pending job has been due")
    attention: AttentionOut


def routes(services: Services) -> APIRouter:
    """Return the route over ``services``."""
    router = APIRouter(prefix=V1, tags=["jobs"], responses=PROBLEMS)

    @router.get("/overview", summary="How the workspace stands")
    async def overview(
        who: Reader,
        slot_s: Annotated[
            int, Query(ge=60, le=86_400, description="how long a slot of time is")
        ] = 1800,
        slots: Annotated[int, Query(ge=1, le=100, description="how many there are")] = 48,
    ) -> OverviewOut:
        """Return what ended and what was spent over time, what may be spent, and what wants somebody.

        The last slot is the present one; slots begin at whole multiples of their length (UTC). What is
        read is bounded, so that the answer comes as quickly however many jobs and calls there are.
        """
        now, slot = services.clock(), timedelta(seconds=slot_s)
        end = math.floor(now.timestamp() / slot_s + 1) * slot_s
        begin = datetime.fromtimestamp(end, UTC) - slot * slots
        found = await services.overview.look(who.workspace_id, begin, slot, slots, now)
        caps = await services.budgets.in_force(who.workspace_id, services.standing_caps)
        prices = await services.budgets.paused(who.workspace_id)
        return OverviewOut(
            begin=begin,
            slot_s=slot_s,
            ended=[EndedOut.model_validate(one, from_attributes=True) for one in found.jobs],
            money=_money(
                found, [BudgetOut.model_validate(one, from_attributes=True) for one in caps]
            ),
            oldest_s=found.oldest_s,
            attention=AttentionOut(
                dead=found.dead,
                unknown_calls=found.unknown_calls,
                circuits=await _circuits(services),
                webhooks=[
                    FailingOut.model_validate(one, from_attributes=True) for one in found.failing
                ],
                queues=[
                    PausedQueueOut(name=name, paused_at=at)
                    for name, at in (await services.overview.paused_queues()).items()
                ],
                prices=[PausedOut.model_validate(one, from_attributes=True) for one in prices],
            ),
        )

    return router


async def _circuits(services: Services) -> list[CircuitOut]:
    """Return the circuits that are not closed, of the providers that are installed."""
    return [
        CircuitOut(provider=one.provider, state=one.state)
        for one in await services.backlog.circuits()
        if one.state in _BUSY_CIRCUITS and one.provider in services.provider_names
    ]


def _money(found: Overview, caps: list[BudgetOut]) -> MoneyOut:
    return MoneyOut(
        settled_micros=sum(one.settled_micros for one in found.spent),
        since=found.spent_since,
        reserved_micros=found.reserved_micros,
        unknown_micros=found.unknown_micros,
        slots=[SpentOut.model_validate(one, from_attributes=True) for one in found.spent],
        caps=caps,
    )
