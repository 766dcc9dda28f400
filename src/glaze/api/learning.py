"""``/learned`` and ``/calibration``: what was learned of providers, and how far each is believed."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from glaze.api.auth import Reader
from glaze.api.schemas import PROBLEMS, V1
from glaze.api.services import Services
from glaze.model.calibration import Calibration
from glaze.model.field import known_field
from glaze.pipeline.lessons import Lesson, lessons, lifts

Share = Annotated[float, Field(ge=0, le=1)]


class LessonOut(BaseModel):
    """What an operation is expected to do for a field, in circumstances that occurred. Money in micros."""

    field: str
    operation: str = Field(description="`apollo.people_match`")
    missed: list[str] = Field(description="paid operations that had missed the field before")
    asked_by: str = Field(description='identifiers, joined by "+"; "" for all together')
    country: str = Field(description='"" for all, or where nobody knew')
    calls: int = Field(description="in these very circumstances")
    rate: Share = Field(description="chance that it fills the field")
    low: Share = Field(description="with its 90 % interval")
    high: Share
    cost_micros: float = Field(description="price to expect, misses as they are billed")
    per_fill_micros: float
    seconds: float | None = Field(description="mean time to the answer; null: never asked")
    known: bool = Field(description="whether enough was asked to act upon it")


class LiftOut(BaseModel):
    """What a paid operation filled that the paid ones before it had not."""

    field: str
    operation: str
    calls: int = Field(description="made after others had missed")
    rate: Share = Field(description="of these, the share that it filled")
    low: Share = Field(description="with its 90 % interval")
    high: Share
    points: Share = Field(description="the same as a share of all runs that asked about the field")


class LearnedOut(BaseModel):
    """What the workspace's latest calls teach."""

    lessons: list[LessonOut] = Field(
        description="within a field what fills most for a dollar first"
    )
    lifts: list[LiftOut]


class BinOut(BaseModel):
    """Statements about which the truth is known, of about the same stated confidence."""

    stated: float = Field(description="mean confidence that the source stated, 0 to 100")
    statements: int
    right: int


class PointOut(BaseModel):
    """Where a curve is fixed."""

    stated: float = Field(description="confidence that the source stated, 0 to 100")
    sure: Share = Field(description="the chance that it is right")


class CurveOut(BaseModel):
    """How far one source is believed about one field."""

    provider: str
    field: str
    points: list[PointOut] = Field(description="by rising confidence")
    bins: list[BinOut] = Field(description="what the curve was fitted to")


class FitOut(BaseModel):
    """How far confidences lie from what came true; 0 is best."""

    brier: float
    ece: float


class HeldOutOut(BaseModel):
    """The errors on records that were held out of the fitting."""

    before: FitOut
    after: FitOut


class CalibrationOut(BaseModel):
    """The calibration that counts; without one sources are believed as they state."""

    version: int | None = Field(description="null: there never was one")
    origin: str | None = Field(description="who knew what is true: users or simulated")
    samples: int
    fitted_at: datetime | None
    held_out: HeldOutOut | None = Field(description="null: too few records were judged to try")
    curves: list[CurveOut]


_NONE = CalibrationOut(
    version=None, origin=None, samples=0, fitted_at=None, held_out=None, curves=[]
)


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["operations"], responses=PROBLEMS)

    @router.get("/learned", summary="What was learned of providers")
    async def learned(
        who: Reader,
        *,
        field: Annotated[str | None, Query(max_length=100)] = None,
        provider: Annotated[str | None, Query(max_length=100)] = None,
        segments: Annotated[
            bool, Query(description="tell identifiers and countries apart")
        ] = False,
    ) -> LearnedOut:
        """Return hit rates by circumstance, and what each paid operation adds to those before it.

        They are of the workspace's last 10,000 calls; the order `learned` is arranged by them.
        """
        wanted = None if field is None else known_field(field).name
        specs = services.provider_specs
        tallies = await services.history.tallies(who.workspace_id, specs)
        runs = await services.history.runs(who.workspace_id, specs)

        def meant(one: Any) -> bool:
            named = one.operation.partition(".")[0]
            return wanted in (None, one.field) and provider in (None, named)

        return LearnedOut(
            lessons=[
                _lesson(one) for one in lessons(tallies, specs, segments=segments) if meant(one)
            ],
            lifts=[
                LiftOut.model_validate(one, from_attributes=True)
                for one in lifts(tallies, specs, runs)
                if meant(one)
            ],
        )

    @router.get("/calibration", summary="How far sources are believed")
    async def calibration(
        who: Reader, provider: Annotated[str | None, Query(max_length=100)] = None
    ) -> CalibrationOut:
        """Return the curves that the workspace's confidences are drawn by, as `glaze calibrate` fitted them."""
        found = await services.calibrations.newest(who.workspace_id)
        return _NONE if found is None else _calibration(found, provider)

    return router


def _lesson(one: Lesson) -> LessonOut:
    estimate = one.estimate
    return LessonOut(
        field=one.field,
        operation=one.operation,
        missed=[*one.missed],
        asked_by=one.asked_by,
        country=one.country,
        calls=one.calls,
        rate=estimate.rate,
        low=estimate.low,
        high=estimate.high,
        cost_micros=estimate.cost_micros,
        per_fill_micros=one.per_fill_micros,
        seconds=estimate.seconds,
        known=estimate.known,
    )


def _calibration(found: Calibration, provider: str | None) -> CalibrationOut:
    held_out = found.held_out and HeldOutOut.model_validate(found.held_out, from_attributes=True)
    return CalibrationOut(
        version=found.version,
        origin=found.origin.value,
        samples=found.samples,
        fitted_at=found.fitted_at,
        held_out=held_out,
        curves=[
            CurveOut(
                provider=named,
                field=name,
                points=[PointOut(stated=one.stated, sure=one.sure) for one in curve.points],
                bins=[
                    BinOut(stated=one.stated, statements=one.n, right=one.right)
                    for one in curve.bins
                ],
            )
            for (named, name), curve in sorted(found.curves.items())
            if provider in (None, named)
        ],
    )
