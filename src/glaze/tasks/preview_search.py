"""The job kind ``preview_search``: who fits a search, as the vendor shows them for nothing."""

from datetime import timedelta

from pydantic import Field

from glaze.jobs.kind import JobContext, Kind
from glaze.model.job import INTERACTIVE
from glaze.model.outcome import Done, Failed, Outcome, Retry, Snooze
from glaze.model.provider import Reply, Verdict
from glaze.model.request import Strict
from glaze.model.value import Json
from glaze.pipeline.settling import pause_s
from glaze.pipeline.unbilled import NotNow, ask_unbilled
from glaze.providers.apollo import SEARCH, SPEC, Shown, search_people
from glaze.tasks.tools import Tools

NAME = "preview_search"


class OfSearch(Strict):
    """Which search; what it is for stands there."""

    search_id: int = Field(ge=1, lt=1 << 63)


def preview_search_kind(tools: Tools) -> Kind[OfSearch]:
    """Return the kind; asking again costs nothing."""

    async def run(args: OfSearch, ctx: JobContext) -> Outcome:
        ws = ctx.job.workspace_id
        search = await tools.searches.get(ws, args.search_id)
        criteria = {
            name: [str(one) for one in values]
            for name, values in search.criteria.items()
            if isinstance(values, list)
        }
        found = await ask_unbilled(
            tools.pipeline.gateway,
            tools.http,
            workspace_id=ws,
            spec=SPEC,
            operation=SEARCH,
            ask=lambda http: search_people(criteria, search.most, http),
        )
        if isinstance(found, NotNow):
            return Snooze(tools.clock() + timedelta(seconds=found.wait_s), found.why)
        if isinstance(found, Reply):
            return _refused(found)
        contacts: list[Json] = [_contact(one) for one in found.people]
        price = len(contacts) * tools.search_contact_cents
        told = {"found": found.total, "price_cents": price}
        await tools.searches.previewed(ws, search.id, contacts, **told)
        return Done({"search_id": search.id, **told})

    return Kind(
        name=NAME,
        args=OfSearch,
        run=run,
        retry=INTERACTIVE,
        timeout_s=60.0,
        least_s=5.0,
        description="Look who fits a search, at no cost (POST /v1/searches).",
    )


def _refused(reply: Reply) -> Outcome:
    if reply.verdict is Verdict.RATE_LIMITED:
        return Retry("rate_limited", reply.detail, delay_s=pause_s(reply))
    if reply.verdict is Verdict.VENDOR_ERROR:
        return Retry("search_refused", reply.detail)
    return Failed("search_refused", f"{reply.verdict}: {reply.detail}")


def _contact(one: Shown) -> Json:
    return {
        "person_apollo_id": one.id,
        "first_name": one.first_name,
        "last_name": one.family,
        "title": one.title,
        "company": one.company,
        "has_email": one.has_email,
    }
