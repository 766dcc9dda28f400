"""What the HTTP API takes and gives."""

from collections.abc import Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from glaze.model.input_type import InputType, field_of
from glaze.model.job import JobState
from glaze.model.label import LONGEST_TAG
from glaze.model.request import EnrichArgs, EnrichResult
from glaze.model.value import FieldName, Json
from glaze.store.job import JobView

V1 = "/v1"
SCHEMAS = "#/components/schemas/"
"""Where the OpenAPI document keeps what others refer to."""

ShortName = Annotated[str, Field(max_length=255)]
"""A field, a kind, a queue, a provider or an operation: as long as any may be."""
Cell = Annotated[FieldName, Path(max_length=100, description="a canonical field")]
Tag = Annotated[str, Field(max_length=LONGEST_TAG)]

RowId = Annotated[int, Path(ge=1, lt=1 << 63)]
"""An id in a path: as large as the database has them."""


class EnrichOptions(BaseModel):
    """How an enrichment is done."""

    model_config = ConfigDict(extra="forbid")

    skip_cache: bool = Field(
        default=False,
        validation_alias=AliasChoices("skip_cache", "skipCache"),
        description="ask again, whatever is known",
    )
    verify: bool = Field(
        default=False, description="have the LLM check what sources disagree on against the site"
    )
    max_cost_cents: int | None = Field(
        default=None,
        ge=0,
        le=10_000_000,
        validation_alias=AliasChoices("max_cost_cents", "maxCostCents"),
        description="most that this enrichment may cost",
    )
    min_confidence: int | None = Field(
        default=None,
        ge=0,
        le=100,
        description="a value below it counts as missing; null: as set, else 50",
    )
    providers: list[ShortName] | None = Field(
        max_length=100, default=None, description="ask only these; names an opt-in provider too"
    )
    order: list[ShortName] | None = Field(
        max_length=100,
        default=None,
        description="whom to ask first: learned, cheapest, originals, or names; null: as set",
    )

    def args_for(
        self, given: dict[str, str], fields: Iterable[FieldName], type_: InputType | None = None
    ) -> EnrichArgs:
        """Return the job's arguments for an input and the fields that are wanted."""
        return EnrichArgs(
            input=given,
            type=type_,
            required_fields=tuple(fields),
            skip_cache=self.skip_cache,
            verify=self.verify,
            max_cost_cents=self.max_cost_cents,
            min_confidence=self.min_confidence,
            providers=None if self.providers is None else tuple(self.providers),
            order=None if self.order is None else tuple(self.order),
        )


class WaitingOptions(EnrichOptions):
    """How an enrichment is done, and how long its result is waited for."""

    wait_s: float = Field(
        default=10.0, ge=0, le=60, description="seconds to wait for the result before a 202"
    )


class EnrichBody(WaitingOptions):
    """One enrichment: a ``url`` or identifiers in ``input``, and the fields that are wanted."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "url": "https://example.com",
                    "required_fields": ["company_name", "company_phone"],
                    "max_cost_cents": 20,
                }
            ]
        },
    )

    url: str | None = Field(
        default=None,
        max_length=2048,
        description="a website, or a LinkedIn profile or company page",
    )
    input: dict[str, Annotated[str, Field(max_length=2048)]] = Field(
        default_factory=dict,
        max_length=100,
        description="identifiers: domain, email, name, company, linkedin_url, lead_id, ...",
    )
    type: InputType | None = Field(
        default=None,
        description="what the input is about; an input that is not of it is refused."
        " Left out: what the input looks like",
    )
    required_fields: list[ShortName] = Field(
        default_factory=list,
        max_length=100,
        validation_alias=AliasChoices("required_fields", "fields", "requiredFields"),
        description="canonical fields; with a type, short names such as `name` will do."
        " None: the usual ones of the type",
    )

    @model_validator(mode="after")
    def _says_who(self) -> "EnrichBody":
        if not self.url and not self.input:
            raise ValueError("give a url, or identifiers in input")
        return self

    def args(self) -> EnrichArgs:
        """Return the job's arguments.

        Raises: UnknownField for a field that is neither canonical nor short for one of the type.
        """
        given = dict(self.input)
        if self.url:
            given.setdefault("url", self.url)
        wanted = [field_of(name, self.type) for name in self.required_fields]
        return self.args_for(given, wanted, self.type)


class ProgressOut(BaseModel):
    """How far a running job said it was."""

    percent: int = Field(ge=0, le=100)
    message: str


class JobOut(BaseModel):
    """A job and, once it has ended, its result."""

    id: int
    kind: str
    queue: str
    state: JobState
    priority: int
    attempt: int = Field(description="tries so far, of this round")
    max_attempts: int
    round: int = Field(description="how often it was opened")
    cancel_requested: bool
    tags: list[str]
    webhook_url: str | None = None
    replay_of: int | None = Field(default=None, description="the job whose work it repeats")
    workflow_id: int | None = Field(default=None, description="the workflow that it is a step of")
    step: str | None = Field(default=None, description="which step")
    created_at: datetime
    due_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = Field(default=None, description='"code: message" of the last failure')
    correlation_id: str | None = Field(
        default=None, description="the id of the request that made it, in every log line about it"
    )
    progress: ProgressOut | None = None
    args: Json = Field(default=None, description="not in lists")
    result: EnrichResult | Json = Field(
        default=None, description="what the job's kind returns; of an enrichment as shown here"
    )


_SHOWN = tuple(JobOut.model_fields)


def shown(view: JobView, result: EnrichResult | None = None) -> JobOut:
    """Return a job as the API shows it; with its ``result``, where that was read already."""
    facts = {name: getattr(view, name) for name in _SHOWN}
    progress = view.progress and ProgressOut(**view.progress._asdict())
    told = {"tags": list(view.tags), "progress": progress, "result": result or view.result}
    return JobOut(**facts | told)


class Health(BaseModel):
    """Whether this process can do its work."""

    status: Literal["ok", "unavailable"]
    version: str
    database: str = Field(description='"ok", or what is wrong')


class Readiness(BaseModel):
    """Whether requests can be sent here, and what does not work while the rest goes on."""

    status: Literal["ready", "degraded", "down"]
    degraded: list[str] = Field(description="in a few words each; the rest goes on")


class Problem(BaseModel):
    """An error as RFC 9457 problem details."""

    type: str = Field(description="identifies the sort of problem; never changes")
    title: str
    status: int
    detail: str = Field(description="what was wrong, where, and what to do")
    code: str = Field(description="the stable code of the error")
    errors: list[dict[str, str]] = Field(
        default_factory=list, description="for a malformed body: each fault with its path"
    )
    quote: dict[str, int] | None = Field(
        default=None, description="of `confirmation_needed`: what it would cost, in micros"
    )


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": HTTPStatus(status).phrase,
        "content": {"application/problem+json": {"schema": {"$ref": f"{SCHEMAS}Problem"}}},
    }
    for status in (400, 401, 403, 404, 409, 412, 413, 422, 429, 503)
}
"""The answers other than success that any route may give.

They refer to the schema: FastAPI would make a model of its own for each status of each route.
"""
