"""``/order``: whom the workspace's jobs ask first, how sure a value has to be, who may be asked."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from glaze.api.auth import Admin, Reader
from glaze.api.etag import MeantForThis, Precondition, etag_of
from glaze.api.schemas import PROBLEMS, V1
from glaze.api.services import Services
from glaze.errors import NotFound
from glaze.model.asking_rule import EVERY, AskingRule, Way
from glaze.store.turns import Meets
from glaze.tasks.asking_rules import refuse_unknown

Name = Annotated[str, Field(min_length=1, max_length=100)]
_PLAIN = r"^[A-Za-z0-9_.-]*$"
_KIND = "the kind of job; left out: every kind"
_FIELD = "the canonical field; left out: every field"


class RuleIn(BaseModel):
    """A rule. What it leaves out is said by a wider one, or by the settings."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"field": "company_phone", "order": ["apollo"], "min_confidence": 70},
                {"kind": "enrich", "providers": ["website", "hunter"]},
            ]
        },
    )

    kind: Name | None = Field(default=None, pattern=_PLAIN, description=_KIND)
    field: Name | None = Field(default=None, pattern=_PLAIN, description=_FIELD)
    order: list[Name] | None = Field(
        default=None,
        max_length=100,
        description="whom to ask first: learned, cheapest, originals, or names; of a field, names",
    )
    min_confidence: int | None = Field(
        default=None, ge=0, le=100, description="a value below it counts as missing"
    )
    providers: list[Name] | None = Field(
        default=None,
        max_length=100,
        description="ask only these, providers or operations; names an opt-in provider too",
    )

    def rule(self) -> AskingRule:
        """Return it as a rule."""
        way = Way(
            None if self.order is None else tuple(self.order),
            self.min_confidence,
            None if self.providers is None else tuple(self.providers),
        )
        return AskingRule(self.kind or EVERY, self.field or EVERY, way)


class RuleOut(BaseModel):
    """A rule that holds; null: said elsewhere."""

    kind: str | None = Field(description="null: every kind of job")
    field: str | None = Field(description="null: every field")
    order: list[str] | None
    min_confidence: int | None
    providers: list[str] | None


class RulesOut(BaseModel):
    """The workspace's rules, and the order where none says one."""

    items: list[RuleOut]
    default_order: list[str] = Field(description="of the settings; empty: as learned")


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["order"], responses=PROBLEMS)

    @router.get("/order", summary="How jobs ask")
    async def rules(who: Reader, response: Response) -> RulesOut:
        """Return the rules by which the workspace's jobs ask; the `ETag` is for `If-Match` of a change.

        A job's own order, floor and providers go before all of them; then a rule about its field
        and kind, about the field, about the kind, about neither.
        """
        found = await services.asking_rules.of(who.workspace_id)
        response.headers["ETag"] = _etag(found)
        return RulesOut(
            items=[_out(one) for one in found], default_order=[*services.settings.order]
        )

    @router.put("/order", summary="Set how jobs ask")
    async def put(body: RuleIn, who: Admin, response: Response, meant: MeantForThis) -> RuleOut:
        """Set a rule, in place of the one about the same kind and field.

        It holds for what begins from now on; every process knows within 5 seconds. With `If-Match`
        it is a 412 `edit_conflict` where somebody else changed any rule meanwhile.
        """
        rule = body.rule()
        refuse_unknown(rule, services.kinds, services.provider_names)
        meets = _meets(meant)
        held = await services.asking_rules.put(who.workspace_id, rule, who.actor, meets)
        response.headers["ETag"] = _etag(held)
        return _out(rule)

    @router.delete("/order", status_code=204, summary="Remove a rule of asking")
    async def remove(
        who: Admin,
        meant: MeantForThis,
        *,
        kind: Annotated[str, Query(max_length=100, pattern=_PLAIN, description=_KIND)] = EVERY,
        field: Annotated[str, Query(max_length=100, pattern=_PLAIN, description=_FIELD)] = EVERY,
    ) -> None:
        """Remove the rule about a kind and a field; `If-Match` as for a change."""
        meets = _meets(meant)
        if not await services.asking_rules.remove(who.workspace_id, kind, field, who.actor, meets):
            raise NotFound("there is no rule about this kind and field")

    return router


def _meets(meant: Precondition) -> Meets[Sequence[AskingRule]]:
    return lambda there: meant.check(_etag(there), "the order")


def _etag(rules: Sequence[AskingRule]) -> str:
    return etag_of([_out(one).model_dump(mode="json") for one in rules])


def _out(rule: AskingRule) -> RuleOut:
    way = rule.way
    return RuleOut(
        kind=rule.kind or None,
        field=rule.field or None,
        order=None if way.order is None else [*way.order],
        min_confidence=way.floor,
        providers=None if way.providers is None else [*way.providers],
    )
