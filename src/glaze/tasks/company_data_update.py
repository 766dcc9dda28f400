"""The job kind ``company_data_update``: a company's data anew, and what has changed."""

from collections.abc import Mapping

from pydantic import model_validator

from glaze.jobs.kind import JobContext, Kind
from glaze.model.field import EntityKind
from glaze.model.outcome import Outcome
from glaze.model.request import EnrichResult
from glaze.model.value import Json
from glaze.store.record import RecordKind
from glaze.tasks.enrich import LEAST_S, TIMEOUT_S, ask_pipeline, outcome_of
from glaze.tasks.record_enrichment import (
    AccountOptions,
    Enriched,
    ExternalId,
    RecordRef,
    enrich_record,
    refuse_unknown_provider,
)
from glaze.tasks.tools import Tools

NAME = "company_data_update"


class CompanyUpdate(AccountOptions):
    """A company: an account of the caller's, or whatever ``domain`` and ``input_data`` say.

    Values that are fresh in the cache are not bought again unless ``skip_cache`` is set.
    """

    account_id: ExternalId | None = None

    @model_validator(mode="after")
    def _says_who(self) -> "CompanyUpdate":
        if self.account_id is None and not self.given:
            raise ValueError("give account_id, domain or input_data")
        return self


def company_data_update_kind(tools: Tools) -> Kind[CompanyUpdate]:
    """Return the kind."""

    async def run(args: CompanyUpdate, ctx: JobContext) -> Outcome:
        if args.account_id is None:
            fields = args.fields(EntityKind.COMPANY)
            found = await ask_pipeline(tools, args.ask(args.given or {}, fields), ctx)
            return outcome_of(found) if isinstance(found, EnrichResult) else found
        ref = RecordRef(RecordKind.ACCOUNT, args.account_id)
        ended = await enrich_record(tools, ctx, ref, args.given, args)
        if not isinstance(ended, Enriched):
            return ended
        changed = changes(ended.before.data or {}, ended.result)
        return outcome_of(ended.result, account_id=args.account_id, changed=changed)

    return Kind(
        name=NAME,
        args=CompanyUpdate,
        run=run,
        timeout_s=TIMEOUT_S,
        least_s=LEAST_S,
        description="Bring a company's data up to date and tell what has changed.",
        check=lambda args: refuse_unknown_provider(tools, NAME, args),
    )


def changes(before: Mapping[str, Json], result: EnrichResult) -> dict[str, Json]:
    """Return the fields whose value differs from what the record had: ``{"from": .., "to": ..}``.

    A field that the record did not have yet comes from null.
    """
    changed: dict[str, Json] = {}
    for name, value in result.model_dump(mode="json")["data"].items():
        kept = before.get(name)
        old = kept.get("value") if isinstance(kept, Mapping) else None
        if old != value["value"]:
            changed[name] = {"from": old, "to": value["value"]}
    return changed
