"""Brave Search: results of its own index, resolved to a company's site and LinkedIn pages."""

import html
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
from glaze.model.room import RoomHeaders
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
    malformed,
    not_asked,
    objects_at,
    parse_json,
    retry_after_s,
    text_at,
    unusable,
)

SEARCH_PRICE = Micros(5_000)
"""One search, $5 for a thousand."""
_HIGHLIGHT = re.compile(r"</?strong>")
_LONGEST_PAUSE_S = 3_600.0
"""A longer wait for room is no rate limit: what is used up is the month's quota."""

SPEC = ProviderSpec(
    name="brave",
    operations=search_operations(SEARCH_PRICE, PANEL_FIELDS),
    base_url="https://api.search.brave.com/res/v1",
    key_setting="brave_api_key",
    limits=(Limit(50, 1),),
    room_headers=(
        RoomHeaders("x-ratelimit-remaining", 1, "x-ratelimit-reset", place=0),
        RoomHeaders("x-ratelimit-remaining", 30 * 86_400, "x-ratelimit-reset", place=1),
    ),
)


class Brave:
    """Speaks to ``api.search.brave.com``.

    Vendor facts: a search is charged by the request, found or not; descriptions carry ``<strong>``
    and entities; no results, no ``web``. Unconfirmed: the infobox; that a bad token is 422; the
    form of the ``X-RateLimit-`` headers, lists of a second's and a month's window, of which
    ``Reset`` is what a 429 says of when to come back; ``QUOTA_LIMITED`` for a used-up month.
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
    query = query_for(operation.name, question).as_operators
    response = await http.request(
        "GET",
        f"{http.base_url}/web/search",
        params={"q": query, "count": str(RESULTS), "result_filter": "web,infobox"},
        headers={"X-Subscription-Token": http.key, "Accept": "application/json"},
    )
    if response.status != HTTPStatus.OK:
        return _refusal(response)
    body = parse_json(response.body)
    if not _is_search(body):
        return malformed(response)
    rows = objects_at(body, "web", "results")
    results = results_of(
        (_plain(r, "title"), text_at(r, "url"), _plain(r, "description")) for r in rows
    )
    panel = _panel(at(body, "infobox", "results", 0))
    price = Micros(operation.price_micros)
    billing = Billed(price) if price else Unbilled()
    return searched(operation, question, response, results, billing=billing, panel=panel)


def _is_search(body: Json) -> bool:
    """Tell whether ``body`` is a search's answer: it echoes the query, with results or without."""
    found = at(body, "web")
    whole = found is None or isinstance(at(found, "results"), list)
    return whole and isinstance(at(body, "query", "original"), str)


def _plain(row: Json, name: str) -> str | None:
    text = text_at(row, name)
    return text and html.unescape(_HIGHLIGHT.sub("", text))


def _panel(box: Json) -> Panel | None:
    if box is None:
        return None
    rows = at(box, "attributes")
    pairs = rows if isinstance(rows, list) else []
    attributes = {
        name: value
        for row in pairs
        if (name := text_at(row, 0)) and (value := text_at(row, 1, numbers=True))
    }
    city, country = seat_of(attributes.get("Headquarters"))
    return Panel(
        title=_plain(box, "title"),
        website=text_at(box, "website_url"),
        about=_plain(box, "long_desc"),
        industry=attributes.get("Industry"),
        city=city,
        country=country,
        attributes=attributes,
    )


_REFUSALS: Mapping[int, Verdict] = {
    400: Verdict.BAD_INPUT,
    401: Verdict.AUTH,
    402: Verdict.OUT_OF_CREDITS,
    403: Verdict.FORBIDDEN_PLAN,
    404: Verdict.BAD_INPUT,
    422: Verdict.BAD_INPUT,
}


def _refusal(response: VendorResponse) -> Reply:
    """Return the reply for every status but 200, by this vendor's habits."""
    if response.status < HTTPStatus.MULTIPLE_CHOICES:
        return malformed(response)
    code = text_at(parse_json(response.body), "error", "code") or ""
    if response.status == HTTPStatus.TOO_MANY_REQUESTS:
        return _slowed(response, code)
    verdict = _REFUSALS.get(response.status, Verdict.VENDOR_ERROR)
    if "SUBSCRIPTION_TOKEN" in code:
        verdict = Verdict.AUTH
    return unusable(verdict, response, Unbilled())


def _slowed(response: VendorResponse, code: str) -> Reply:
    """Tell a window that is full for the moment from a month that is used up."""
    wait_s = retry_after_s(response) or _until_room_s(response)
    if code == "QUOTA_LIMITED" or (wait_s or 0.0) > _LONGEST_PAUSE_S:
        return unusable(Verdict.OUT_OF_CREDITS, response, Unbilled())
    return unusable(Verdict.RATE_LIMITED, response, Unbilled(), wait_s=wait_s)


def _until_room_s(response: VendorResponse) -> float | None:
    """Return the longest reset, in seconds, among the windows that have nothing left."""
    left, resets = (
        [part.strip() for part in response.headers.get(f"x-ratelimit-{name}", "").split(",")]
        for name in ("remaining", "reset")
    )
    waits = [
        float(reset)
        for rest, reset in zip(left, resets, strict=False)
        if rest == "0" and re.fullmatch(r"\d{1,9}", reset)
    ]
    return max(waits, default=None)


brave = Brave()
