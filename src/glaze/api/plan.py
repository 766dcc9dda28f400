"""``POST /plan``: what a run would find and cost, before a cent is spent."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from glaze.api.auth import Writer
from glaze.api.schemas import PROBLEMS, V1, EnrichOptions
from glaze.api.services import Services
from glaze.errors import Fault, InputError, RowsInvalid
from glaze.jobs.enqueue import known_kind
from glaze.model.field import known_field
from glaze.model.identity import identify
from glaze.tasks.enrich import NAME as ENRICH
from glaze.tasks.plan_document import binding_cents, plan_document

MOST_ROWS = 2_000

Text = Annotated[str, Field(max_length=2048)]
RowIn = Annotated[dict[Annotated[str, Field(max_length=100)], Text], Field(max_length=100)]


class PlanIn(EnrichOptions):
    """Rows, each an input as an enrichment has it, and what is wanted of them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"rows": [{"domain": "example.com"}], "fields": ["company_name", "company_phone"]}
            ]
        }
    )

    rows: list[RowIn] = Field(min_length=1, max_length=MOST_ROWS)
    fields: list[Annotated[str, Field(max_length=100)]] = Field(min_length=1, max_length=100)


class BandOut(BaseModel):
    """p50 is as likely passed as not, p5 nineteen times in twenty, p95 one time in twenty."""

    p5: float
    p50: float
    p95: float


class FieldForecastOut(BandOut):
    """In how many rows a field will be there."""

    given: int = Field(description="rows that state it themselves")
    yours: int = Field(description="rows for which the cache has it")


class AskedOut(BaseModel):
    """How often an operation would be asked, and for how much, on average."""

    asked: float
    cost_micros: int


class CapOut(BaseModel):
    """What a standing cap leaves now; of the whole workspace where ``provider`` is null."""

    provider: str | None
    left_micros: int


class PlanOut(BaseModel):
    """What a run over these rows would find, and what it would probably buy. Money in micros."""

    rows: int
    rows_with_gaps: int
    rows_seen_before: int = Field(description="that mean the same as an earlier one: for nothing")
    values_wanted: int
    values_yours: int = Field(description="that are there already")
    fields: dict[str, FieldForecastOut]
    cost_micros: BandOut
    answers: BandOut
    most_micros: int = Field(description="never more, by the price list")
    bind_cents: int = Field(
        description="to hold a run to this: `budget_cents` of a batch, `max_cost_cents` of one row"
    )
    providers: dict[str, AskedOut]
    learned_from_calls: int
    unlearned: list[str] = Field(description="operations with too little history: a guess")
    not_payable: dict[str, str] = Field(description="operations that cannot be paid now, and why")
    caps: list[CapOut]


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["enrichment"], responses=PROBLEMS)

    @router.post("/plan", summary="What a run would cost")
    async def plan(body: PlanIn, who: Writer) -> PlanOut:
        """Foresee what rows would cost and how complete they would become; asks nobody.

        What the cache holds is exact, the rest is played through with the workspace's own history.
        """
        fields = tuple(known_field(name).name for name in body.fields)
        _check(body.rows)
        args = body.args_for({}, fields)
        known_kind(services.kinds, ENRICH).check(args)
        made = await services.planner().plan(who.workspace_id, args, body.rows, services.clock())
        told: dict[str, Any] = {
            **plan_document(made, fields),
            "bind_cents": binding_cents(made),
        }
        return PlanOut.model_validate(told)

    return router


def _check(rows: list[dict[str, str]]) -> None:
    """Raises: RowsInvalid where some identify nobody."""
    faults: list[Fault] = []
    for number, row in enumerate(rows, 1):
        try:
            identify(row)
        except InputError as error:
            faults.append(Fault(f"rows.{number}", str(error)))
    if faults:
        raise RowsInvalid(f"{len(faults)} of {len(rows)} rows cannot be used", faults[:100])
