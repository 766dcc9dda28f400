"""What one enrichment is asked and what it answers: the shapes of E1 and E6."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    computed_field,
    field_validator,
    model_validator,
)

from glaze.errors import UnknownField
from glaze.model.field import known_field
from glaze.model.icp_score import Score
from glaze.model.input_type import TYPES, InputType, default_fields_of, field_of
from glaze.model.value import MICROS_PER_CENT, FieldName, Json


class ResultStatus(StrEnum):
    """How an enrichment ended."""

    SUCCESS = "success"  # every required field is filled above its floor
    PARTIAL = "partial"  # asked properly, some or none filled
    FAILED = "failed"  # invalid input, or every source errored


class Strict(BaseModel):
    """A frozen model that refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _canonical(name: FieldName) -> FieldName:
    try:
        return known_field(name).name
    except UnknownField as error:
        raise ValueError(str(error)) from None


Wanted = Annotated[FieldName, AfterValidator(_canonical)]
"""A canonical field as an argument: an unknown one is a fault at its own place."""


def _long(name: object, type_: InputType) -> object:
    try:
        return field_of(name, type_) if isinstance(name, str) else name
    except UnknownField:
        return name  # the field's own validator says what is wrong, and where


class EnrichArgs(Strict):
    """One enrichment to do: who (``input``), what (``required_fields``), within which limits.

    ``input`` maps canonical field names or the plain words ``url``, ``website``, ``domain``,
    ``email``, ``name``, ``first_name``, ``last_name``, ``company``, ``linkedin_url``, ``phone``,
    ``country`` to the caller's values. They are normalised before anything else sees them.
    ``type`` says what it is about; it lets field names be short, and without any field the type's
    own are wanted, or those of the type that the input looks like.
    """

    input: dict[str, str] = Field(default_factory=dict, max_length=100)
    type: InputType | None = Field(default=None, exclude_if=lambda type_: type_ is None)
    required_fields: tuple[Wanted, ...] = Field(min_length=1, max_length=100)
    skip_cache: bool = False
    verify: bool = False  # have a model check values that sources disagree on against the site
    max_cost_cents: int | None = Field(default=None, ge=0, le=100_000_00)
    batch_max_cost_cents: int | None = Field(default=None, ge=0)  # what all rows of a batch share
    providers: tuple[str, ...] | None = None  # ask only these; also how opt-in ones are allowed
    order: tuple[str, ...] | None = None  # learned, cheapest, originals or names; None: as set
    # Below it a field counts as missing; None: as set, else 50.
    min_confidence: int | None = Field(default=None, ge=0, le=100)

    @model_validator(mode="before")
    @classmethod
    def _fields_of_type(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        names, type_ = given.get("required_fields"), given.get("type")
        if type_ is not None and type_ not in TYPES:
            return given
        if not names and (type_ or given.get("input")):
            return given | {"required_fields": default_fields_of(type_, given.get("input") or {})}
        if type_ and isinstance(names, list | tuple):
            return given | {"required_fields": [_long(name, type_) for name in names]}
        return given

    @field_validator("required_fields")
    @classmethod
    def _each_once(cls, names: tuple[FieldName, ...]) -> tuple[FieldName, ...]:
        return tuple(dict.fromkeys(names))


class Alternative(Strict):
    """A value that lost, and what it rested on."""

    value: Json
    confidence: int
    source: str


class FieldValue(Strict):
    """A value with where it came from: the unit of every result."""

    value: Json
    confidence: int
    source: str  # provider name
    retrieved_at: AwareDatetime
    source_url: str | None = None
    quote: str | None = None
    call_id: int | None = None
    cost_micros: int = 0
    cached: bool = False  # from the cache: this job paid nothing for it
    alternatives: tuple[Alternative, ...] = ()


class Stage(Strict):
    """One step of the pipeline, as the result lists it."""

    name: str  # cache, a provider's name, gap_analysis, llm, merge_validate, store
    duration_ms: int
    cost_micros: int = 0
    fields_found: tuple[FieldName, ...] = ()
    error: str | None = None  # "code: message", None when all went well
    detail: str | None = None  # why it was asked, skipped or stopped


class Costs(BaseModel):
    """What this job spent, in micros of a US dollar. ``unknown`` is reserved, not yet resolved."""

    model_config = ConfigDict(frozen=True)  # ignores the totals, which follow from the rest

    provider: int = 0
    llm: int = 0
    unknown: int = 0

    @computed_field  # type: ignore[prop-decorator]  # as pydantic asks for it
    @property
    def total(self) -> int:
        """Provider and LLM cost together, in micros."""
        return self.provider + self.llm

    @computed_field  # type: ignore[prop-decorator]
    @property
    def total_cents(self) -> float:
        """The total in cents, for people."""
        return self.total / MICROS_PER_CENT


class EnrichResult(Strict):
    """What one enrichment answers."""

    status: ResultStatus
    # What the input is about, as the caller said or it looks like; left out where it is nobody's.
    type: InputType | None = Field(default=None, exclude_if=lambda type_: type_ is None)
    data: dict[FieldName, FieldValue]
    missing: tuple[FieldName, ...] = ()
    costs: Costs = Costs()
    stages: tuple[Stage, ...] = ()
    timestamp: datetime
    # How well the record fits; left out where the workspace has no ideal customer profile.
    icp: Score | None = Field(default=None, exclude_if=lambda score: score is None)
