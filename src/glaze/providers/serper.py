"""Serper: Google results, resolved to a company's site, its LinkedIn page and panel facts."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from glaze.model.provider import (
    Ask,
    Billed,
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
    PANEL_FIELDS,
    RESULTS,
    Panel,
    query_for,
    results_of,
    search_operations,
    searched,
    seat_of,
)
from glaze.model.value import Json, Micros
from glaze.model.vendor_body import (
    at,
    identified_by,
    int_at,
    malformed,
    message_of,
    not_asked,
    objects_at,
    parse_json,
    text_at,
    unusable,
)

SEARCH_PRICE = Micros(1_000)
"""One search of ten results, $0.001; larger packages cost less."""
_MOST_CREDITS = 10

SPEC = ProviderSpec(
    name="serper",
    operations=search_operations(SEARCH_PRICE, PANEL_FIELDS),
    base_url="https://google.serper.dev",
    key_setting="search_api_key",
    limits=(Limit(50, 1),),
)


class Serper:
    """Speaks to ``google.serper.dev``.

    Vendor facts: only successes are charged, and a search without results is one; 403 is a bad
    key; an empty account answers 400 with a message about credits (unconfirmed); limits come
    without headers.
    """

    def __init__(self, spec: ProviderSpec = SPEC) -> None:
        """``spec`` may carry the user's own price and limits; bills are stated by its price."""
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
    response = await http.request(
        "POST",
        f"{http.base_url}/search",
        headers={"X-API-KEY": http.key},
        json={"q": query_for(operation.name, question).as_operators, "num": RESULTS},
    )
    if response.status != HTTPStatus.OK:
        return _refusal(response)
    body = parse_json(response.body)
    credits_used = int_at(body, "credits")
    if not _is_search(body) or not (credits_used is None or 0 <= credits_used <= _MOST_CREDITS):
        return malformed(response)
    rows = objects_at(body, "organic")
    results = results_of(
        (text_at(r, "title"), text_at(r, "link"), text_at(r, "snippet")) for r in rows
    )
    price = operation.price_micros * (1 if credits_used is None else credits_used)
    billing = Billed(Micros(price)) if price else Unbilled()
    panel = _panel(at(body, "knowledgeGraph"))
    return searched(operation, question, response, results, billing=billing, panel=panel)


def _is_search(body: Json) -> bool:
    """Tell whether ``body`` is a search's answer; one without results has an empty list."""
    if at(body, "message") or at(body, "error"):
        return False
    return isinstance(at(body, "organic"), list)


def _panel(graph: Json) -> Panel:
    kind = re.fullmatch(r"(?i)(.+?)\s+company", text_at(graph, "type") or "")
    stated = at(graph, "attributes")
    names = stated if isinstance(stated, Mapping) else {}
    attributes = {name: text_at(stated, name, numbers=True) for name in names}
    city, country = seat_of(attributes.get("Headquarters"))
    return Panel(
        title=text_at(graph, "title"),
        website=text_at(graph, "website"),
        about=text_at(graph, "description"),
        industry=kind[1] if kind else None,
        city=city,
        country=country,
        attributes={name: text for name, text in attributes.items() if text},
    )


_REFUSALS: Mapping[int, Verdict] = {
    400: Verdict.BAD_INPUT,
    401: Verdict.AUTH,
    402: Verdict.OUT_OF_CREDITS,
    403: Verdict.AUTH,
    422: Verdict.BAD_INPUT,
    429: Verdict.RATE_LIMITED,
}


def _refusal(response: VendorResponse) -> Reply:
    """Return the reply for every status but 200, by this vendor's habits."""
    if response.status < HTTPStatus.MULTIPLE_CHOICES:
        return malformed(response)
    verdict = _REFUSALS.get(response.status, Verdict.VENDOR_ERROR)
    if verdict is not Verdict.RATE_LIMITED and "credit" in message_of(response).lower():
        verdict = Verdict.OUT_OF_CREDITS
    return unusable(verdict, response, Unbilled())


serper = Serper()
