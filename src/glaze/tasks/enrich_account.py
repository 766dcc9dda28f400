"""The job kind ``enrich_account``: one account of the caller's, by its own id."""

from glaze.jobs.kind import JobContext, Kind
from glaze.model.outcome import Outcome
from glaze.store.record import RecordKind
from glaze.tasks.enrich import LEAST_S, TIMEOUT_S, outcome_of
from glaze.tasks.record_enrichment import (
    AccountOptions,
    Enriched,
    ExternalId,
    RecordRef,
    enrich_record,
    refuse_unknown_provider,
)
from glaze.tasks.tools import Tools

NAME = "enrich_account"


class Account(AccountOptions):
    """One account. Without a domain or ``input_data`` it must have been given by an earlier job."""

    account_id: ExternalId


def enrich_account_kind(tools: Tools) -> Kind[Account]:
    """Return the kind."""

    async def run(args: Account, ctx: JobContext) -> Outcome:
        ref = RecordRef(RecordKind.ACCOUNT, args.account_id)
        ended = await enrich_record(tools, ctx, ref, args.given, args)
        if not isinstance(ended, Enriched):
            return ended
        return outcome_of(ended.result, account_id=args.account_id)

    return Kind(
        name=NAME,
        args=Account,
        run=run,
        timeout_s=TIMEOUT_S,
        least_s=LEAST_S,
        description="Enrich one account, known by the caller's own id.",
        check=lambda args: refuse_unknown_provider(tools, NAME, args),
    )
