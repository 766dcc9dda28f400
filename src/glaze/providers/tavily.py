"""Tavily: web search for machines, paid in credits, resolved to a company's site and LinkedIn pages."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from glaze.model.provider import (
    Ask,
    Billed,
    Billing,
    Limit,
    Operation,
    ProviderSpec,
    Reply,
    Unbilled,
    VendorHttp,
    VendorResponse,
    Verdict,
)
from glaze.model.search import RESULTS, query_for, results_of, search_operations, searched
from glaze.model.value import Json, Micros
from glaze.model.vendor_body import (
    at,
    identified_by,
    int_at,
    malformed,
    not_asked,
    objects_at,
    parse_json,
    text_at,
    unusable,
)

CREDIT_PRICE = Micros(8_000)
"""One credit, $0.008 as you go: a basic search is one, an advanced one two."""
_MOST_CREDITS = 10

SPEC = ProviderSpec(
    name="tavily",
    operations=search_operations(CREDIT_PRICE),
    base_url="https://api.tavily.com",
    key_setting="tavily_api_key",
    limits=(Limit(100, 60),),
)


class Tavily:
    """Speaks to ``api.tavily.com``.

    Vendor facts: ``include_usage`` makes an answer state its credits, which are what is billed;
    432 is the plan's limit, 433 the pay-as-you-go limit (which of the two is unconfirmed); errors
    are ``{"detail": {"error": ...}}``. Unconfirmed: that a search without results is charged; the
    limit of 100 a minute.
    """

    def __init__(self, spec: ProviderSpec = SPEC) -> None:
        """``spec`` may carry the user's own price of a credit and limits."""
        self.spec = spec

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer one ask by one basic search."""
        declared = self.spec.operation(operation)
        return [await _one(declared, ask, http) for ask in asks]


async def _one(operation: Operation, ask: Ask, http: VendorHttp) -> Reply:
    question = identified_by(ask, operation.needs)
    if not question:
        return not_asked("nothing is known to search for")
    query = query_for(operation.name, question)
    host = query.site and query.site.partition("/")[0]  # it takes domains, not paths
    response = await http.request(
        "POST",
        f"{http.base_url}/search",
        headers={"Authorization": f"Bearer {http.key}"},
        json={
            "query": f"{query.words} LinkedIn" if host else query.words,
            "search_depth": "basic",
            "max_results": RESULTS,
            "include_usage": True,
            **({"include_domains": [host]} if host else {}),
        },
    )
    if response.status != HTTPStatus.OK:
        return _refusal(response)
    body = parse_json(response.body)
    billing = _billing(operation, body)
    if billing is None or not isinstance(at(body, "results"), list):
        return malformed(response)
    rows = objects_at(body, "results")
    results = results_of(
        (text_at(row, "title"), text_at(row, "url"), text_at(row, "content")) for row in rows
    )
    return searched(operation, question, response, results, billing=billing)


def _billing(operation: Operation, body: Json) -> Billing | None:
    """Return the bill by the credits that the answer states, one where it states none."""
    stated = at(body, "usage", "credits")
    used = 1 if stated is None else int_at(stated)
    if used is None or not 0 <= used <= _MOST_CREDITS:
        return None
    price = Micros(operation.price_micros * used)
    return Billed(price) if price else Unbilled()


_REFUSALS: Mapping[int, Verdict] = {
    400: Verdict.BAD_INPUT,
    401: Verdict.AUTH,
    403: Verdict.FORBIDDEN_PLAN,
    422: Verdict.BAD_INPUT,
    429: Verdict.RATE_LIMITED,
    432: Verdict.OUT_OF_CREDITS,
    433: Verdict.OUT_OF_CREDITS,
}


def _refusal(response: VendorResponse) -> Reply:
    """Return the reply for every status but 200, by this vendor's habits."""
    if response.status < HTTPStatus.MULTIPLE_CHOICES:
        return malformed(response)
    verdict = _REFUSALS.get(response.status, Verdict.VENDOR_ERROR)
    return unusable(verdict, response, Unbilled())


tavily = Tavily()
