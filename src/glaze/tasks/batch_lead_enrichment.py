"""The job kind ``batch_lead_enrichment``: many leads of the caller's, summed up at the end."""

from functools import partial
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from glaze.jobs.kind import JobContext, Kind
from glaze.model.outcome import Outcome
from glaze.model.value import Json
from glaze.store.batch import Progress
from glaze.store.record import RecordKind
from glaze.tasks.enrich import LEAST_S
from glaze.tasks.record_enrichment import (
    AskOptions,
    ExternalId,
    InputData,
    refuse_unknown_provider,
)
from glaze.tasks.row_batch import MOST_ROWS, Rows, finished_batch, row_results, summed_up
from glaze.tasks.single_lead_enrichment import SingleLead, single_lead_enrichment_kind
from glaze.tasks.tools import Tools

NAME = "batch_lead_enrichment"


def _each_once(ids: list[str]) -> list[str]:
    return list(dict.fromkeys(ids))


class LeadBatch(AskOptions):
    """Leads by id, with what is known of some of them; the others were given by earlier jobs."""

    lead_ids: Annotated[
        list[ExternalId], Field(min_length=1, max_length=MOST_ROWS), AfterValidator(_each_once)
    ]
    input_data: dict[str, InputData] = Field(default_factory=dict)  # by lead id
    batch_max_cost_cents: int | None = Field(default=None, ge=0)  # of all leads together

    @model_validator(mode="after")
    def _of_its_own_leads(self) -> "LeadBatch":
        if strangers := sorted(self.input_data.keys() - set(self.lead_ids)):
            raise ValueError(f"input_data for {', '.join(strangers[:5])}, not among lead_ids")
        return self


def batch_lead_enrichment_kind(tools: Tools) -> Kind[LeadBatch]:
    """Return the kind; its rows are jobs of kind ``single_lead_enrichment``."""
    single = single_lead_enrichment_kind(tools)

    async def run(args: LeadBatch, ctx: JobContext) -> Outcome:
        ws = ctx.job.workspace_id
        renew = partial(tools.records.put, ws, RecordKind.LEAD, args.input_data)
        ended = await finished_batch(tools, ctx, _rows(args, single)._replace(before=renew))
        if not isinstance(ended, Progress):
            return ended
        return await summed_up(tools, ctx, ended, await _leads(tools, ctx, ended))

    return Kind(
        name=NAME,
        args=LeadBatch,
        run=run,
        least_s=LEAST_S,
        description="Enrich up to 5,000 leads as one batch and sum up what became of each.",
        check=lambda args: refuse_unknown_provider(tools, NAME, args),
    )


def _rows(args: LeadBatch, single: Kind[SingleLead]) -> Rows:
    shared = args.model_dump(mode="json", exclude={"lead_ids", "input_data"}, exclude_defaults=True)
    return Rows(single, shared, [{"lead_id": lead_id} for lead_id in args.lead_ids])


async def _leads(tools: Tools, ctx: JobContext, progress: Progress) -> dict[str, Json]:
    states: dict[str, Json] = {}
    errors: dict[str, Json] = {}
    async for row in row_results(tools, ctx, progress.id):
        lead_id = row.input.get("lead_id") if isinstance(row.input, dict) else None
        if not isinstance(lead_id, str):
            continue  # erased meanwhile
        states[lead_id] = row.state
        if row.error:
            errors[lead_id] = row.error
    return {"leads": states, "errors": errors}
