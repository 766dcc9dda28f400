"""The job kind ``enrich_contact``: one contact of the caller's, by its own id."""

from glaze.jobs.kind import JobContext, Kind
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

NAME = "enrich_contact"


class Contact(AskOptions):
    """One contact. Without ``input_data`` it must have been given by an earlier job."""

    contact_id: ExternalId
    input_data: InputData | None = None


def enrich_contact_kind(tools: Tools) -> Kind[Contact]:
    """Return the kind."""

    async def run(args: Contact, ctx: JobContext) -> Outcome:
        ref = RecordRef(RecordKind.CONTACT, args.contact_id)
        ended = await enrich_record(tools, ctx, ref, args.input_data, args)
        if not isinstance(ended, Enriched):
            return ended
        return outcome_of(ended.result, contact_id=args.contact_id)

    return Kind(
        name=NAME,
        args=Contact,
        run=run,
        timeout_s=TIMEOUT_S,
        least_s=LEAST_S,
        description="Enrich one contact, known by the caller's own id.",
        check=lambda args: refuse_unknown_provider(tools, NAME, args),
    )
