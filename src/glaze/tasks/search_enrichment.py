"""The job kind ``search_enrichment``: the contacts that a search found, each filled."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from glaze.jobs.kind import JobContext, Kind
from glaze.model.field import EntityKind
from glaze.model.outcome import Outcome
from glaze.model.request import EnrichArgs
from glaze.model.value import Json
from glaze.store.batch import Progress, RowResult
from glaze.tasks.enrich import LEAST_S, enrich_kind
from glaze.tasks.record_enrichment import AskOptions, InputData, refuse_unknown_provider
from glaze.tasks.row_batch import MOST_ROWS, Rows, finished_batch, row_results, summed_up
from glaze.tasks.tools import Tools

NAME = "search_enrichment"


class SearchContacts(AskOptions):
    """What a search found: a contact each, as far as it is known; ``search_id`` is the caller's."""

    search_id: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    contacts: Annotated[list[InputData], Field(min_length=1, max_length=MOST_ROWS)]
    batch_max_cost_cents: int | None = Field(default=None, ge=0)  # of the whole search


def search_enrichment_kind(tools: Tools) -> Kind[SearchContacts]:
    """Return the kind; its rows are jobs of kind ``enrich``."""
    single = enrich_kind(tools)

    async def run(args: SearchContacts, ctx: JobContext) -> Outcome:
        ended = await finished_batch(tools, ctx, _rows(args, single))
        if not isinstance(ended, Progress):
            return ended
        contacts = [_contact(row) async for row in row_results(tools, ctx, ended.id)]
        details: dict[str, Json] = {"search_id": args.search_id, "contacts": contacts}
        return await summed_up(tools, ctx, ended, details)

    return Kind(
        name=NAME,
        args=SearchContacts,
        run=run,
        least_s=LEAST_S,
        description="Fill the contacts that a search found, with the cost of each and of all.",
        check=lambda args: refuse_unknown_provider(tools, NAME, args),
    )


def _rows(args: SearchContacts, single: Kind[EnrichArgs]) -> Rows:
    shared = args.ask(
        {},
        args.fields(EntityKind.PERSON),
        batch_max_cost_cents=args.batch_max_cost_cents,
    ).model_dump(mode="json", exclude={"input"}, exclude_defaults=True)
    return Rows(single, shared, list(args.contacts))


def _contact(row: RowResult) -> Json:
    """Return a contact as it came, with what was found; one that failed comes back unharmed."""
    body = row.result if isinstance(row.result, Mapping) else {}
    data = body.get("data")
    costs = body.get("costs")
    return {
        "input": row.input,
        "state": row.state,
        "error": row.error,
        "data": {
            name: value["value"]
            for name, value in (data if isinstance(data, Mapping) else {}).items()
            if isinstance(value, Mapping)
        },
        "cost_micros": costs.get("total", 0) if isinstance(costs, Mapping) else 0,
    }
