"""What the kinds share that enrich a caller's own record: options, the record, writing back."""

from collections.abc import Mapping
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field

from glaze.errors import RecordNotFound, UnknownField
from glaze.jobs.kind import JobContext
from glaze.model.field import EntityKind, known_field
from glaze.model.field_group import EnrichmentType, wanted_fields
from glaze.model.identity import PLAIN_WORDS
from glaze.model.outcome import Outcome
from glaze.model.request import EnrichArgs, EnrichResult, Strict, Wanted
from glaze.model.value import FieldName, Json, WorkspaceId
from glaze.store.record import Record, RecordKind
from glaze.tasks.enrich import ask_pipeline, refuse_unknown_providers
from glaze.tasks.tools import Tools


def _word(word: str) -> str:
    if word not in PLAIN_WORDS:
        try:
            known_field(word)
        except UnknownField as error:
            raise ValueError(str(error)) from None
    return word


Word = Annotated[str, AfterValidator(_word)]
InputData = Annotated[
    dict[Word, Annotated[str, Field(max_length=2048)]], Field(min_length=1, max_length=100)
]
"""What the caller knows: canonical fields or plain words (``email``, ``company``) to values."""
ExternalId = Annotated[str, Field(min_length=1, max_length=255)]
"""The caller's own id of a record."""


class AskOptions(Strict):
    """What every kind takes that asks providers, beside who is meant."""

    provider_id: str | None = None  # ask only this one
    enrichment_types: tuple[EnrichmentType, ...] = ()  # groups of fields
    required_fields: tuple[Wanted, ...] = Field(default=(), max_length=100)  # beside the groups'
    skip_cache: bool = False
    max_cost_cents: int | None = Field(default=None, ge=0, le=100_000_00)  # of one enrichment
    min_confidence: int | None = Field(default=None, ge=0, le=100)

    def fields(self, about: EntityKind) -> tuple[FieldName, ...]:
        """Return what is wanted of a company or a person."""
        return wanted_fields(about, self.enrichment_types, self.required_fields)

    def ask(
        self,
        who: Mapping[str, str],
        fields: tuple[FieldName, ...],
        *,
        batch_max_cost_cents: int | None = None,
    ) -> EnrichArgs:
        """Return the enrichment that these options ask for."""
        return EnrichArgs(
            input=dict(who),
            required_fields=fields,
            skip_cache=self.skip_cache,
            max_cost_cents=self.max_cost_cents,
            batch_max_cost_cents=batch_max_cost_cents,
            providers=None if self.provider_id is None else (self.provider_id,),
            min_confidence=self.min_confidence,
        )


class AccountOptions(AskOptions):
    """What the kinds take that ask about a company; ``domain`` is short for an input of its own."""

    domain: str | None = Field(default=None, min_length=1, max_length=2048)
    input_data: InputData | None = None

    @property
    def given(self) -> dict[str, str] | None:
        """What the caller knows, or None."""
        short = {} if self.domain is None else {"domain": self.domain}
        return {**short, **(self.input_data or {})} or None


def refuse_unknown_provider(tools: Tools, kind: str, options: AskOptions) -> None:
    """Refuse a ``provider_id`` that is not installed.

    Raises: ArgsInvalid.
    """
    if options.provider_id is not None:
        refuse_unknown_providers(tools.pipeline, kind, "provider_id", (options.provider_id,))


class RecordRef(NamedTuple):
    """One record of the caller's."""

    kind: RecordKind
    external_id: str

    @property
    def word(self) -> str:
        """The word for its id in arguments, inputs and results: ``lead_id``."""
        return f"{self.kind}_id"

    @property
    def about(self) -> EntityKind:
        """Whether it is a company's or a person's."""
        is_company = self.kind is RecordKind.ACCOUNT
        return EntityKind.COMPANY if is_company else EntityKind.PERSON


async def current_record(
    tools: Tools, workspace_id: WorkspaceId, ref: RecordRef, given: Mapping[str, str] | None
) -> Record:
    """Renew the record by what the caller gave with the job, and return it.

    Raises: RecordNotFound where it was never given.
    """
    if given:
        await tools.records.put(workspace_id, ref.kind, {ref.external_id: given})
    found = await tools.records.get(workspace_id, ref.kind, [ref.external_id])
    if ref.external_id not in found:
        raise RecordNotFound(
            f"no {ref.kind} is known under {ref.external_id!r}: give its input_data with the job"
        )
    return found[ref.external_id]


class Enriched(NamedTuple):
    """A record with what was found; ``before`` is it as it was before."""

    before: Record
    result: EnrichResult


async def enrich_record(
    tools: Tools,
    ctx: JobContext,
    ref: RecordRef,
    given: Mapping[str, str] | None,
    options: AskOptions,
    *,
    fields: tuple[FieldName, ...] | None = None,
    batch_max_cost_cents: int | None = None,
) -> Enriched | Outcome:
    """Enrich one record and write what was found back to it.

    A repeated run finds the record and what was bought, and pays for nothing twice.

    Returns: the result, or how the attempt ends without one.

    Raises: RecordNotFound.
    """
    record = await current_record(tools, ctx.job.workspace_id, ref, given)
    who = {word: str(value) for word, value in record.input.items()} | {ref.word: ref.external_id}
    wanted = fields or options.fields(ref.about)
    args = options.ask(who, wanted, batch_max_cost_cents=batch_max_cost_cents)
    result = await ask_pipeline(tools, args, ctx)
    if not isinstance(result, EnrichResult):
        return result
    if result.data:
        await tools.records.write_back(
            ctx.job.workspace_id, ref.kind, ref.external_id, stored_values(result), ctx.job.id
        )
    return Enriched(record, result)


def stored_values(result: EnrichResult) -> dict[str, Json]:
    """Return a result's values with where they came from, as a record keeps them."""
    return {name: value.model_dump(mode="json") for name, value in result.data.items()}
