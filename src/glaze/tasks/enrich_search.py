"""The job kind ``enrich_search``: what a paid search was paid for."""

import math
from collections.abc import Mapping

from glaze.errors import PersonSuppressed
from glaze.jobs.kind import JobContext, Kind
from glaze.model.outcome import Cancelled, Failed, Outcome
from glaze.model.request import EnrichArgs
from glaze.model.value import MICROS_PER_CENT, FieldName, Json
from glaze.store.batch import Progress, RowResult
from glaze.store.search import OF_COMPANIES, Search
from glaze.tasks.enrich import LEAST_S, enrich_kind
from glaze.tasks.preview_search import OfSearch
from glaze.tasks.row_batch import Rows, finished_batch, found_batch, row_results, summed_up
from glaze.tasks.tools import Tools

NAME = "enrich_search"
NOTHING = "no contact could be enriched: try again"


def enrich_search_kind(tools: Tools) -> Kind[OfSearch]:
    """Return the kind. It is made in the transaction of the payment: no crash comes between.

    Its batch is found again by the job; a failed one leaves the search owed.
    """
    single = enrich_kind(tools)

    async def run(args: OfSearch, ctx: JobContext) -> Outcome:
        ws = ctx.job.workspace_id
        search = await tools.searches.enriching(ws, args.search_id)
        if search.refunded_at is not None:
            return Cancelled({"search_id": search.id})
        if search.paid_at is None:
            return Failed("search_unpaid", "nobody paid for this search")
        if search.ended_at is not None and await found_batch(tools, ctx) is None:
            return Failed(
                "search_ended", "the search is at its end: what failed is tried again there"
            )
        ended = await finished_batch(tools, ctx, Rows(single, _shared(search), _inputs(search)))
        if not isinstance(ended, Progress):
            return ended
        outcome = await summed_up(tools, ctx, ended, {"search_id": search.id})
        found = ended.completed + ended.partial
        barred = [row async for row in row_results(tools, ctx, ended.id) if _is_barred(row)]
        broken_off = ended.cancelled if found and not search.is_of_companies else 0
        left_out = {"suppressed": len(barred), "cancelled": broken_off}
        nothing = NOTHING if search.is_of_companies else f"{NOTHING}, or take the credit back"
        await tools.searches.end(ws, search.id, None if found else nothing, left_out)
        return outcome if found else Failed("search_failed", nothing, outcome_body(outcome))

    return Kind(
        name=NAME,
        args=OfSearch,
        run=run,
        least_s=LEAST_S,
        description="Enrich the contacts of a search that was paid for.",
        internal=True,
    )


def _is_barred(row: RowResult) -> bool:
    """Tell whether a row turned out to be somebody about whom nothing is kept: it is not charged for."""
    return (row.error or "").startswith(PersonSuppressed.code)


def outcome_body(outcome: Outcome) -> Json:
    """Return what an outcome says of its batch."""
    return getattr(outcome, "result", None)


def _shared(search: Search) -> Mapping[str, Json]:
    """Return the arguments of every row: all tries together cost at most what was paid."""
    return EnrichArgs(
        input={},
        required_fields=tuple(map(FieldName, search.fields)),
        batch_max_cost_cents=_left_cents(search),
    ).model_dump(mode="json", exclude={"input"}, exclude_defaults=True)


def _left_cents(search: Search) -> int | None:
    """Return what is left of what was paid, in whole cents, rounded down."""
    if search.paid_cents is None:
        return None
    return max(0, search.paid_cents - math.ceil(search.spent_micros / MICROS_PER_CENT))


def _inputs(search: Search) -> list[Json]:
    if search.is_of_companies:
        return [
            {name: str(one[name]) for name in OF_COMPANIES if one.get(name)}
            for one in search.contacts or ()
        ]
    return [
        {"person_apollo_id": str(one["person_apollo_id"]), "company": str(one["company"])}
        if one.get("company")
        else {"person_apollo_id": str(one["person_apollo_id"])}
        for one in search.contacts or ()
    ]
