"""The job kind ``preview_search``: who or what fits a search, masked, and what they cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from pydantic import Field

from glaze.errors import InputError
from glaze.jobs.kind import JobContext, Kind
from glaze.model.field import EntityKind, known_field
from glaze.model.job import INTERACTIVE
from glaze.model.masked import masked, masked_domain
from glaze.model.outcome import Cancelled, Done, Failed, Outcome, Retry, Snooze
from glaze.model.provider import ProviderSpec, Reply, Verdict
from glaze.model.request import Strict
from glaze.model.value import Json
from glaze.pipeline.asking import Decline, Declined
from glaze.pipeline.searching import search as bought
from glaze.pipeline.settling import pause_s
from glaze.pipeline.unbilled import NotNow, ask_unbilled
from glaze.providers.apollo import (
    COMPANY_CRITERIA,
    PEOPLE,
    PEOPLE_CRITERIA,
    SPEC,
    CompanySearch,
    Shown,
    ShownCompany,
    companies_in,
    search_people,
)
from glaze.store.search import Search
from glaze.tasks.tools import Tools

NAME = "preview_search"

About = Literal["people", "companies"]
_CRITERIA: Mapping[About, frozenset[str]] = {
    "people": PEOPLE_CRITERIA,
    "companies": COMPANY_CRITERIA,
}
_USUAL: Mapping[About, Sequence[str]] = {
    "people": ("person_full_name", "person_email", "person_linkedin_url"),
    "companies": ("company_name", "company_website", "company_phone"),
}


def checked_criteria(about: About, criteria: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return the criteria of a search. Raises: InputError where there is none, or one is of the other."""
    strange = sorted(criteria.keys() - _CRITERIA[about])
    if strange:
        raise InputError(f"{strange[0]} says nothing of {about}")
    if not criteria:
        raise InputError(f"give a criterion: {', '.join(sorted(_CRITERIA[about]))}")
    return criteria


def checked_fields(about: About, fields: Sequence[str] | None) -> Sequence[str]:
    """Return what is wanted. Raises: UnknownField; InputError for a person's field of companies."""
    if fields is None:
        return _USUAL[about]
    for field in map(known_field, fields):
        if about == "companies" and field.entity is EntityKind.PERSON:
            raise InputError(f"{field.name} is a person's: a search for companies finds nobody")
    return fields


class OfSearch(Strict):
    """Which search; what it is for stands there."""

    search_id: int = Field(ge=1, lt=1 << 63)


@dataclass(frozen=True, slots=True)
class _Found:
    """Who fits, as they are shown, and how many fit in all."""

    shown: list[Json]
    total: int


def preview_search_kind(tools: Tools) -> Kind[OfSearch]:
    """Return the kind. Asking again for people costs nothing, for companies what was bought is found."""

    async def run(args: OfSearch, ctx: JobContext) -> Outcome:
        ws = ctx.job.workspace_id
        search = await tools.searches.get(ws, args.search_id)
        look = _companies if search.about == "companies" else _people
        found = await look(tools, ctx, search)
        if not isinstance(found, _Found):
            return found
        price = len(found.shown) * tools.search_cents[search.about]
        told = {"found": found.total, "price_cents": price}
        await tools.searches.previewed(ws, search.id, found.shown, **told)
        return Done({"search_id": search.id, **told})

    return Kind(
        name=NAME,
        args=OfSearch,
        run=run,
        retry=INTERACTIVE,
        timeout_s=60.0,
        least_s=5.0,
        description="Look who fits a search, and what they cost (POST /v1/searches).",
        internal=True,
    )


async def _people(tools: Tools, ctx: JobContext, search: Search) -> _Found | Outcome:
    found = await ask_unbilled(
        tools.pipeline.means.gateway,
        tools.http,
        workspace_id=ctx.job.workspace_id,
        spec=SPEC,
        operation=PEOPLE,
        ask=lambda http: search_people(_criteria(search), search.most, http),
    )
    if isinstance(found, NotNow):
        return Snooze(tools.clock() + timedelta(seconds=found.wait_s), found.why)
    if isinstance(found, Reply):
        return _refused(found)
    keys = {f"apollo:{one.id}": one for one in found.people}
    barred = await tools.eraser.suppression.listed(ctx.job.workspace_id, keys)
    shown = [_contact(one) for key, one in keys.items() if key not in barred]
    return _Found(shown, found.total - len(barred))


async def _companies(tools: Tools, ctx: JobContext, search: Search) -> _Found | Outcome:
    criteria, installed = _criteria(search), tools.pipeline.means.providers.get(SPEC.name)
    spec: ProviderSpec = SPEC if installed is None else installed.spec
    what: dict[str, Json] = {"criteria": {**criteria}, "most": search.most}
    asked = CompanySearch.at(spec, criteria, search.most)
    raw = await bought(tools.pipeline, ctx.job, asked, what)
    if isinstance(raw, Declined):
        return _declined(tools, raw)
    page = companies_in(raw, search.most)
    if page is None:
        return Failed("search_refused", "the answer that is kept cannot be read any more")
    return _Found([_company(one) for one in page.companies], page.total)


def _criteria(search: Search) -> dict[str, list[str]]:
    return {
        name: [str(one) for one in values]
        for name, values in search.criteria.items()
        if isinstance(values, list)
    }


def _refused(reply: Reply) -> Outcome:
    if reply.verdict is Verdict.RATE_LIMITED:
        return Retry("rate_limited", reply.detail, delay_s=pause_s(reply))
    if reply.verdict is Verdict.VENDOR_ERROR:
        return Retry("search_refused", reply.detail)
    return Failed("search_refused", f"{reply.verdict}: {reply.detail}")


_NOT_NOW = frozenset({Decline.WAIT, Decline.BUSY, Decline.CIRCUIT})
_FINAL: Mapping[Decline, str] = {
    Decline.BUDGET: "budget_exceeded",
    Decline.PRICE: "price_paused",
    Decline.UNKNOWN: "outcome_unknown",
}


def _declined(tools: Tools, why: Declined) -> Outcome:
    if why.why is Decline.CANCELLED:
        return Cancelled()
    if why.why in _NOT_NOW:
        return Snooze(tools.clock() + timedelta(seconds=max(1.0, why.wait_s)), why.detail)
    if why.why in _FINAL:
        call = "" if why.call_id is None else f": resolve call {why.call_id}, then retry the job"
        return Failed(_FINAL[why.why], f"{why.detail}{call}")
    if why.verdict in (None, Verdict.VENDOR_ERROR) and why.call_id is not None:
        return Retry("search_refused", why.detail)
    return Failed("search_refused", f"{why.verdict or why.why}: {why.detail}")


def _contact(one: Shown) -> Json:
    return {
        "person_apollo_id": one.id,
        "first_name": one.first_name,
        "last_name": one.family,
        "title": one.title,
        "company": one.company,
        "has_email": one.has_email,
    }


def _company(one: ShownCompany) -> Json:
    return {
        "company_domain": one.domain,
        "company_linkedin_url": one.linkedin_url,
        "name": masked(one.name),
        "domain": masked_domain(one.domain),
        "industry": one.industry,
        "country": one.country,
        "employees": one.employees,
    }
