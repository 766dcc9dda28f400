"""Exa: search by meaning with typed company and person objects; each answer states its own price."""

import math
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus

from glaze.model.provider import (
    Ask,
    Billed,
    Billing,
    BillingUnknown,
    Limit,
    Operation,
    ProviderSpec,
    Reply,
    Unbilled,
    VendorHttp,
    VendorResponse,
    Verdict,
)
from glaze.model.search import (
    COMPANY,
    PANEL_FIELDS,
    PERSON_PAGE,
    RESULTS,
    Panel,
    is_about,
    query_for,
    results_of,
    search_operations,
    searched,
)
from glaze.model.value import FieldName, Json, Micros
from glaze.model.vendor_body import (
    at,
    country_of,
    identified_by,
    int_at,
    malformed,
    not_asked,
    objects_at,
    parse_json,
    text_at,
    texts_at,
    undocumented_billing,
    unusable,
)
from glaze.model.web_address import is_shared_host

MOST_PRICE = Micros(15_000)
"""Reserved for one search of ten results with highlights, $0.015; what it did cost is settled."""
_MOST_DOLLARS = 10.0  # a search that claims to cost more has no believable price
_MICROS = 1_000_000

# The panel's fields that Exa's objects state.
_FIELDS = {
    name: sure
    for name, sure in PANEL_FIELDS.items()
    if name not in {"company_industry", "company_phone"}
}

SPEC = ProviderSpec(
    name="exa",
    operations=search_operations(MOST_PRICE, _FIELDS),
    base_url="https://api.exa.ai",
    key_setting="exa_api_key",
    limits=(Limit(5, 1),),
)


class Exa:
    """Speaks to ``api.exa.ai``.

    Vendor facts: ``costDollars.total`` of every answer is what it cost; with the category
    ``company`` or ``people`` a result carries ``entities``, typed objects. Unconfirmed: prices and
    limits, error bodies, whether a search without results is charged (its own cost says so), and
    what a 5xx costs.
    """

    def __init__(self, spec: ProviderSpec = SPEC) -> None:
        """``spec`` may carry the user's own reservation and limits; bills are the vendor's."""
        self.spec = spec

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer one ask by one search."""
        declared = self.spec.operation(operation)
        return [await _one(declared, ask, http) for ask in asks]


async def _one(operation: Operation, ask: Ask, http: VendorHttp) -> Reply:
    question = identified_by(ask, operation.needs)
    if not question:
        return not_asked("nothing is known to search for")
    query = query_for(operation.name, question)
    scope: dict[str, Json] = (
        {"category": "people" if operation.name == PERSON_PAGE else "company"}
        if operation.name in (COMPANY, PERSON_PAGE)
        else {"includeDomains": ["linkedin.com"]}
    )
    response = await http.request(
        "POST",
        f"{http.base_url}/search",
        headers={"x-api-key": http.key},
        json={
            "query": query.words.replace('"', ""),  # read by meaning: quotation marks say nothing
            "type": "auto",
            "numResults": RESULTS,
            "contents": {"highlights": True},
            **scope,
        },
    )
    if response.status != HTTPStatus.OK:
        return _refusal(response)
    body = parse_json(response.body)
    if at(body, "error") or not isinstance(at(body, "results"), list):
        return malformed(response)
    rows = objects_at(body, "results")
    results = results_of(_shown(row) for row in rows)
    panel = _panel(rows, question) if operation.name == COMPANY else None
    return searched(operation, question, response, results, billing=_billing(body), panel=panel)


def _billing(body: Json) -> Billing:
    """Return the bill that the answer states."""
    dollars = at(body, "costDollars", "total")
    if isinstance(dollars, bool) or not isinstance(dollars, int | float):
        return BillingUnknown("the answer states no cost")
    if not (math.isfinite(dollars) and 0 <= dollars <= _MOST_DOLLARS):
        return BillingUnknown("the answer states an impossible cost")
    micros = Micros(math.ceil(round(dollars * _MICROS, 3)))
    return Billed(micros) if micros else Unbilled()


def _shown(row: Json) -> tuple[str | None, str | None, str | None]:
    """Return (title, link, words) of a result; a person's object is worded as a profile's title."""
    words = next(iter(texts_at(row, "highlights")), None)
    title = text_at(row, "title")
    person = next(_entities(row, "person"), None)
    job = at(person, "workHistory", 0)
    if person is not None:
        parts = (text_at(person, "name"), text_at(job, "title"), text_at(job, "company", "name"))
        title = " - ".join(filter(None, parts)) or title
    return title, text_at(row, "url"), words


def _entities(row: Json, kind: str) -> Iterator[Mapping[str, Json]]:
    for one in objects_at(row, "entities"):
        found = at(one, "properties")
        if text_at(one, "type") == kind and isinstance(found, Mapping):
            yield found


def _panel(rows: Sequence[Json], question: Mapping[FieldName, str]) -> Panel | None:
    """Return the first company object that is about who is asked for."""
    panels = (
        _as_panel(found, text_at(row, "url")) for row in rows for found in _entities(row, "company")
    )
    return next((panel for panel in panels if is_about(panel, question)), None)


def _as_panel(entity: Json, url: str | None) -> Panel:
    own = next((one for one in results_of([(None, url, None)])), None)
    numbers = {
        "Founded": int_at(entity, "foundedYear"),
        "Number of employees": int_at(entity, "workforce", "total"),
        "Revenue": int_at(entity, "financials", "revenueAnnual"),
    }
    return Panel(
        title=text_at(entity, "name"),
        website=url if own and not is_shared_host(own.host) else None,  # not its LinkedIn page
        about=text_at(entity, "description"),
        city=text_at(entity, "headquarters", "city"),
        country=country_of(text_at(entity, "headquarters", "country")),
        attributes={name: str(one) for name, one in numbers.items() if one is not None},
    )


_REFUSALS: Mapping[int, Verdict] = {
    400: Verdict.BAD_INPUT,
    401: Verdict.AUTH,
    402: Verdict.OUT_OF_CREDITS,
    403: Verdict.FORBIDDEN_PLAN,
    404: Verdict.BAD_INPUT,
    422: Verdict.BAD_INPUT,
    429: Verdict.RATE_LIMITED,
}


def _refusal(response: VendorResponse) -> Reply:
    """Return the reply for every status but 200; what a 5xx costs the vendor does not say."""
    if response.status < HTTPStatus.MULTIPLE_CHOICES:
        return malformed(response)
    verdict = _REFUSALS.get(response.status, Verdict.VENDOR_ERROR)
    return unusable(verdict, response, undocumented_billing(response))


exa = Exa()
