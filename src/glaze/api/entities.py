"""``/entities``: who is known, with every value's sources, alternatives and history."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from glaze.api.auth import Reader
from glaze.api.schemas import PROBLEMS, V1, RowId
from glaze.api.services import Services
from glaze.errors import NotFound
from glaze.model.decision import Decision
from glaze.model.field import EntityKind, known_field
from glaze.model.identity import identify
from glaze.model.request import FieldValue
from glaze.model.value import EntityId, FieldName, Json, WorkspaceId
from glaze.pipeline.deciding import Standing
from glaze.store.entity_view import EntityView

Word = Annotated[str | None, Field(min_length=1, max_length=2048)]
Below = Annotated[int | None, Query(ge=1, lt=1 << 63, description="an id: go on below it")]


class EntityKeyOut(BaseModel):
    """What leads to an entity, normalised: a domain, an e-mail address, a profile."""

    scheme: str
    key: str


class EntityOut(BaseModel):
    """A company or person that is known."""

    id: int
    kind: EntityKind
    keys: list[EntityKeyOut]
    names: dict[FieldName, Json] = Field(description="the few fields by which people know it")
    employer_id: int | None = Field(description="of a person: the company named beside it")
    created_at: datetime


class EntityPage(BaseModel):
    """Entities, newest first."""

    items: list[EntityOut]
    next_before: int | None = Field(description="`before` of the next page; null: this is the last")


class EntityDecisionOut(BaseModel):
    """What a person decided of a value."""

    value: Json
    act: str
    by: str | None
    at: datetime


class EntityFieldOut(FieldValue):
    """A value with its source and alternatives, who agrees, and what a person decided."""

    witnesses: list[str] = Field(description="every source that agrees")
    decided: EntityDecisionOut | None


class EntityDetail(EntityOut):
    """An entity with what is true of it now."""

    fields: dict[FieldName, EntityFieldOut]


class EntityStatedOut(BaseModel):
    """What one source stated once. Money in micros."""

    id: int
    field: FieldName
    value: Json
    raw: str | None = Field(description="as the source wrote it, where that differs")
    confidence: int = Field(description="the source's own, before others agreed or not")
    provider: str
    source_url: str | None
    quote: str | None
    call_id: int
    cost_micros: int
    retrieved_at: datetime
    job_id: int | None


class HistoryPage(BaseModel):
    """What sources stated, newest first."""

    items: list[EntityStatedOut]
    next_before: int | None = Field(description="`before` of the next page; null: this is the last")


class Which(BaseModel):
    """Which entities: all, those of one kind, or those that an input means."""

    model_config = ConfigDict(extra="forbid")

    kind: EntityKind | None = None
    domain: Word = Field(default=None, description="a company's")
    email: Word = Field(default=None, description="a person's, or the company's own")
    linkedin_url: Word = Field(default=None, description="of a profile or a company page")
    lead_id: Word = Field(default=None, description="your own id of a person")
    account_id: Word = Field(default=None, description="your own id of a company")
    limit: int = Field(default=100, ge=1, le=1000)
    before: int | None = Field(default=None, ge=1, lt=1 << 63, description="an id: go on below it")

    def who(self) -> dict[str, str]:
        """Return the input that names somebody, empty where none does."""
        words = ("domain", "email", "linkedin_url", "lead_id", "account_id")
        return {word: text for word in words if (text := getattr(self, word)) is not None}


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["entities"], responses=PROBLEMS)

    @router.get("/entities", summary="List entities")
    async def page(asked: Annotated[Which, Query()], who: Reader) -> EntityPage:
        """Return companies and people that are known, newest first.

        With a domain, an e-mail address, a profile or an id of your own: those that it means.
        """
        if given := asked.who():
            found = await _meant(services, who.workspace_id, given)
            items = [one for one in found if asked.kind in {None, one.kind}]
            return EntityPage(items=[_shown(one) for one in items], next_before=None)
        views = services.entity_views
        found = await views.page(
            who.workspace_id, asked.limit, kind=asked.kind, before=asked.before
        )
        last = found[-1].id if len(found) == asked.limit else None
        return EntityPage(items=[_shown(one) for one in found], next_before=last)

    @router.get("/entities/{entity_id}", summary="One entity")
    async def show(entity_id: RowId, who: Reader) -> EntityDetail:
        """Return what is true of an entity now: each value with its source and alternatives.

        One that turned out to be another is answered with the other.
        """
        view = await services.entity_views.get(who.workspace_id, EntityId(entity_id))
        standing = await services.deciding.standing_of_entity(who.workspace_id, view.id)
        return EntityDetail(**_shown(view).model_dump(), fields=_fields(standing))

    @router.get("/entities/{entity_id}/history", summary="What was stated of an entity")
    async def history(
        entity_id: RowId,
        who: Reader,
        field: Annotated[
            str | None, Query(max_length=100, description="only of this field")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        before: Below = None,
    ) -> HistoryPage:
        """Return everything that sources stated, newest first, with what each answer did cost."""
        view = await services.entity_views.get(who.workspace_id, EntityId(entity_id))
        found = await services.entity_views.history(
            who.workspace_id,
            view.id,
            limit,
            field=None if field is None else known_field(field).name,
            before=before,
        )
        last = found[-1].id if len(found) == limit else None
        items = [EntityStatedOut.model_validate(one, from_attributes=True) for one in found]
        return HistoryPage(items=items, next_before=last)

    return router


async def _meant(
    services: Services, workspace_id: WorkspaceId, given: dict[str, str]
) -> list[EntityView]:
    """Raises: NotFound where nothing is known of who is meant, InputError where nobody is."""
    homes = await services.entities.find(workspace_id, identify(given).keys)
    if not homes:
        raise NotFound(f"nothing is known of {', '.join(given.values())[:200]}")
    return [await services.entity_views.get(workspace_id, home) for home in homes.values()]


def _shown(view: EntityView) -> EntityOut:
    return EntityOut(
        id=view.id,
        kind=view.kind,
        keys=[EntityKeyOut(scheme=scheme, key=key) for scheme, key in view.keys],
        names={**view.names},
        employer_id=view.employer_id,
        created_at=view.created_at,
    )


def _fields(standing: Mapping[FieldName, Standing]) -> dict[FieldName, EntityFieldOut]:
    return {
        name: EntityFieldOut(
            **dict(one.winner.as_field_value()),
            witnesses=[*one.winner.witnesses],
            decided=None if one.decision is None else _decided(one.decision),
        )
        for name, one in standing.items()
    }


def _decided(made: Decision) -> EntityDecisionOut:
    return EntityDecisionOut(value=made.value, act=made.act.value, by=made.by, at=made.at)
