"""The job kind ``single_lead_enrichment``: one lead of the caller's, by its own id."""

from typing import Any

from pydantic import Field, model_validator

from glaze.jobs.kind import JobContext, Kind
from glaze.model.job import INTERACTIVE
from glaze.model.outcome import Outcome
from glaze.store.record import RecordKind
from glaze.tasks.enrich import LEAST_S, TIMEOUT_S, outcome_of
from glaze.tasks.record_enrichment import (
    AskOptions,
    Enriched,
    ExternalId,
    InputData,
    RecordRef,
    enrich_record,
    refuse_unknown_provider,
)
from glaze.tasks.tools import Tools

NAME = "single_lead_enrichment"


class SingleLead(AskOptions):
    """One lead. Without ``input_data`` it must have been given by an earlier job."""

    lead_id: ExternalId
    input_data: InputData | None = None
    batch_max_cost_cents: int | None = Field(default=None, ge=0)  # what all rows of a batch share

    @model_validator(mode="before")
    @classmethod
    def _of_a_row(cls, given: Any) -> Any:
        """Read a batch's row, whose ``input`` is a lead's id with what is known of it."""
        if not isinstance(given, dict) or not isinstance(given.get("input"), dict):
            return given
        known = dict(given["input"])
        more = {key: value for key, value in given.items() if key != "input"}
        more["lead_id"] = known.pop("lead_id", None)
        return more | ({"input_data": known} if known else {})


def single_lead_enrichment_kind(tools: Tools) -> Kind[SingleLead]:
    """Return the kind."""

    async def run(args: SingleLead, ctx: JobContext) -> Outcome:
        ended = await enrich_record(
            tools,
            ctx,
            RecordRef(RecordKind.LEAD, args.lead_id),
            args.input_data,
            args,
            batch_max_cost_cents=args.batch_max_cost_cents,
        )
        if not isinstance(ended, Enriched):
            return ended
        return outcome_of(ended.result, lead_id=args.lead_id)

    return Kind(
        name=NAME,
        args=SingleLead,
        run=run,
        retry=INTERACTIVE,
        timeout_s=TIMEOUT_S,
        least_s=LEAST_S,
        description="Enrich one lead, known by the caller's own id, and keep what was found with it.",
        check=lambda args: refuse_unknown_provider(tools, NAME, args),
    )
