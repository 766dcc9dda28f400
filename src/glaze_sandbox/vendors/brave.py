"""Brave Search: an index of its own, with the results nested under ``web``.

Every answered search is billed, found or not. Four ``X-RateLimit-`` headers come with each answer,
each a list: the second's window, then the month's (their form is unconfirmed).
"""

import math

from glaze_sandbox.knowledge import BRAVE
from glaze_sandbox.limits import Left, RateLimits
from glaze_sandbox.seeded import hex_id
from glaze_sandbox.vendors.searching import Hit, Index, Panel, site_in
from glaze_sandbox.wire import Answer, Call, Charge, json_answer
from glaze_sandbox.world.population import World

SEARCH_MICROS = 5_000
MOST_RESULTS = 20
MONTH_S = 2_592_000
MONTH_CALLS = 1_000_000


class Brave:
    """Plays ``api.search.brave.com``."""

    name = "brave"
    hosts = ("api.search.brave.com",)

    def __init__(self, world: World, limits: RateLimits) -> None:
        """Draw what the index holds out of ``world``; ``limits`` is read for the headers."""
        self._world = world
        self._limits = limits
        self._known = Index(BRAVE, world)
        self._requests = 0

    def key_of(self, call: Call) -> str:
        """Return the ``X-Subscription-Token`` header."""
        return call.headers.get("X-Subscription-Token", "")

    def refuse_key(self, call: Call) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 422: a token that is no token is an invalid header here."""
        return self._error(
            422, "SUBSCRIPTION_TOKEN_INVALID", "The provided subscription token is invalid."
        )

    def refuse_rate(self, call: Call, retry_after_s: float) -> Answer:
        """Answer 429; when there is room again stands in ``X-RateLimit-Reset`` alone."""
        headers = self._rate_headers(call, reset_s=math.ceil(retry_after_s))
        return self._error(
            429, "RATE_LIMITED", "Request rate limit exceeded for plan.", headers=headers
        )

    def answer(self, call: Call) -> Answer:
        """Answer one search."""
        if call.path != "/res/v1/web/search" or call.method != "GET":
            return self._error(404, "NOT_FOUND", "Not found")
        query = " ".join(call.query.get("q", "").split())
        count = call.query.get("count", str(MOST_RESULTS))
        if not query or not count.isdecimal() or not 1 <= int(count) <= MOST_RESULTS:
            return self._error(422, "VALIDATION", "Unable to validate request parameter(s)")
        self._requests += 1
        found = self._known.search(query, site_in(query))
        value = {
            "type": "search",
            "query": {"original": query, "more_results_available": False},
            **({"infobox": _infobox(found.panel)} if found.panel else {}),
            **({"web": _web(found.hits[: int(count)])} if found.hits else {}),
        }
        charge = Charge("web_search", f"{query.lower()}|{count}", 1, SEARCH_MICROS)
        return json_answer(
            200,
            value,
            headers=self._rate_headers(call),
            charges=(charge,),
            request_id=hex_id(self._world.seed, "brave", self._requests, length=32),
        )

    def _rate_headers(self, call: Call, *, reset_s: int = 0) -> dict[str, str]:
        told = self._limits.lefts(self.name, self.key_of(call))
        first = told[0] if told else Left(50, 50, 1, 1)
        left = 0 if reset_s else first.left
        window_s, reset_s = math.ceil(first.window_s), reset_s or math.ceil(first.reset_s)
        return {
            "X-RateLimit-Limit": f"{first.calls}, {MONTH_CALLS}",
            "X-RateLimit-Policy": f"{first.calls};w={window_s}, {MONTH_CALLS};w={MONTH_S}",
            "X-RateLimit-Remaining": f"{left}, {MONTH_CALLS - self._requests}",
            "X-RateLimit-Reset": f"{reset_s}, {MONTH_S // 2}",
        }

    def _error(
        self, status: int, code: str, detail: str, headers: dict[str, str] | None = None
    ) -> Answer:
        error = {"id": hex_id(code, detail), "status": status, "code": code, "detail": detail}
        value = {"type": "ErrorResponse", "error": error, "time": 0}
        return json_answer(status, value, headers=headers)


def _web(hits: list[Hit]) -> dict[str, object]:
    rows = [
        {"type": "search_result", "title": hit.title, "url": hit.url, "description": hit.text}
        for hit in hits
    ]
    return {"type": "search", "results": rows}


def _infobox(panel: Panel) -> dict[str, object]:
    one = {
        "type": "infobox",
        "subtype": "entity",
        "title": panel.name,
        "description": panel.industry,
        "long_desc": panel.about,
        "website_url": panel.url,
        "attributes": [[name, text] for name, text in panel.attributes.items()],
    }
    return {"type": "graph", "results": [one]}
