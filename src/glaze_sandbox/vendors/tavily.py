"""Tavily: search as JSON for machines. A basic search is one credit, an advanced one two.

It answers longer passages than a search page shows, and knows domains to include, not ``site:``.
"""

import json

from glaze_sandbox.knowledge import TAVILY
from glaze_sandbox.seeded import draw, hex_id
from glaze_sandbox.vendors.searching import Index
from glaze_sandbox.wire import Answer, Call, Charge, json_answer
from glaze_sandbox.world.population import World

CREDIT_MICROS = 8_000
CREDITS = {"basic": 1, "fast": 1, "ultra-fast": 1, "advanced": 2}
MOST_RESULTS = 20


class Tavily:
    """Plays ``api.tavily.com``."""

    name = "tavily"
    hosts = ("api.tavily.com",)

    def __init__(self, world: World) -> None:
        """Draw what the index holds out of ``world``."""
        self._world = world
        self._known = Index(TAVILY, world)
        self._requests = 0

    def key_of(self, call: Call) -> str:
        """Return the Bearer token."""
        return call.bearer()

    def refuse_key(self, call: Call) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 401."""
        return _error(401, "Unauthorized: missing or invalid API key.")

    def refuse_rate(self, call: Call, retry_after_s: float) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 429 with ``retry-after``."""
        refused = {"detail": {"error": "Your request has been blocked due to excessive requests."}}
        return json_answer(429, refused, headers={"retry-after": str(max(1, round(retry_after_s)))})

    def answer(self, call: Call) -> Answer:
        """Answer one search."""
        if call.path != "/search" or call.method != "POST":
            return json_answer(404, {"detail": "Not Found"})
        body = call.json()
        query = body.get("query") if isinstance(body, dict) else None
        if not isinstance(body, dict) or not isinstance(query, str) or not query.strip():
            return _error(400, "Query is missing.")
        depth, most = body.get("search_depth", "basic"), body.get("max_results", 5)
        if depth not in CREDITS or not isinstance(most, int) or not 0 <= most <= MOST_RESULTS:
            return _error(400, "Invalid search_depth or max_results.")
        self._requests += 1
        return self._search(body, query, CREDITS[str(depth)], most)

    def _search(self, body: dict[str, object], query: str, credits_: int, most: int) -> Answer:
        domains = body.get("include_domains")
        only = str(domains[0]) if isinstance(domains, list) and domains else None
        hits = self._known.search(query, only).hits[:most]
        rows = [
            {
                "title": hit.title,
                "url": hit.url,
                "content": hit.text,
                "score": round(0.4 + 0.6 * draw(hit.url, query), 4),
                "raw_content": None,
            }
            for hit in hits
        ]
        request_id = hex_id(self._world.seed, "tavily", self._requests, length=32)
        value: dict[str, object] = {
            "query": query,
            "answer": None,
            "images": [],
            "results": rows,
            "response_time": 0.61,
            "request_id": request_id,
        }
        if body.get("include_usage"):
            value["usage"] = {"credits": credits_}
        canonical = json.dumps(body | {"query": " ".join(query.lower().split())}, sort_keys=True)
        charge = Charge("search", canonical, credits_, credits_ * CREDIT_MICROS)
        return json_answer(200, value, charges=(charge,), request_id=request_id)


def _error(status: int, error: str) -> Answer:
    return json_answer(status, {"detail": {"error": error}})
