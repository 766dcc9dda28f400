"""Serper: Google results as JSON. Every successful search is billed, found or not."""

import json

from glaze_sandbox.knowledge import SERPER
from glaze_sandbox.seeded import hex_id
from glaze_sandbox.vendors.searching import Hit, Index, Panel, site_in
from glaze_sandbox.wire import Answer, Call, Charge, json_answer
from glaze_sandbox.world.population import World

SEARCH_MICROS = 1_000
MANY_RESULTS = 10  # above it a search costs two credits


class Serper:
    """Plays ``google.serper.dev``."""

    name = "serper"
    hosts = ("google.serper.dev",)

    def __init__(self, world: World) -> None:
        """Draw what the index holds out of ``world``."""
        self._world = world
        self._known = Index(SERPER, world)
        self._requests = 0

    def key_of(self, call: Call) -> str:
        """Return the ``X-API-KEY`` header."""
        return call.headers.get("X-API-KEY", "")

    def refuse_key(self, call: Call) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 401."""
        return json_answer(401, {"message": "Unauthorized.", "statusCode": 401})

    def refuse_rate(self, call: Call, retry_after_s: float) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 429, which carries no headers here."""
        return json_answer(429, {"message": "Rate limit exceeded", "statusCode": 429})

    def answer(self, call: Call) -> Answer:
        """Answer one search."""
        if call.path != "/search":
            return json_answer(404, {"message": "Not Found", "statusCode": 404})
        body = call.json() if call.method == "POST" else dict(call.query)
        query = body.get("q") if isinstance(body, dict) else None
        if not isinstance(body, dict) or not isinstance(query, str) or not query.strip():
            return json_answer(400, {"message": "Missing query parameter", "statusCode": 400})
        self._requests += 1
        many = isinstance(body.get("num"), int) and body["num"] > MANY_RESULTS
        credits_ = 2 if many else 1
        canonical = json.dumps(body | {"q": " ".join(query.lower().split())}, sort_keys=True)
        charge = Charge("search", canonical, credits_, credits_ * SEARCH_MICROS)
        found = self._known.search(query, site_in(query))
        value = {
            "searchParameters": {"type": "search", "engine": "google", **body},
            **({"knowledgeGraph": _graph(found.panel)} if found.panel else {}),
            "organic": [_organic(place, hit) for place, hit in enumerate(found.hits, start=1)],
            "relatedSearches": [],
            "credits": credits_,
        }
        request_id = hex_id(self._world.seed, "serper", self._requests, length=32)
        return json_answer(200, value, charges=(charge,), request_id=request_id)


def _organic(place: int, hit: Hit) -> dict[str, object]:
    return {"title": hit.title, "link": hit.url, "snippet": hit.text, "position": place}


def _graph(panel: Panel) -> dict[str, object]:
    graph = {
        "title": panel.name,
        "type": f"{panel.industry} company".strip().capitalize(),
        "website": panel.url,
        "description": panel.about,
        "attributes": panel.attributes,
    }
    return {name: value for name, value in graph.items() if value}
