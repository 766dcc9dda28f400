"""Exa: search by meaning. Every answer states its own cost; companies and people come as objects.

Shapes of ``entities`` follow the vendor's own client library (2.27.0); prices are unconfirmed.
"""

import json

from glaze_sandbox.knowledge import EXA
from glaze_sandbox.seeded import draw, hex_id
from glaze_sandbox.vendors.searching import Hit, Index
from glaze_sandbox.wire import Answer, Call, Charge, json_answer
from glaze_sandbox.world.entities import Company, Person
from glaze_sandbox.world.places import BY_CODE
from glaze_sandbox.world.population import World

SEARCH_MICROS = 5_000
CONTENT_MICROS = 1_000  # for the contents of each result
MOST_RESULTS = 100
MICROS = 1_000_000


class Exa:
    """Plays ``api.exa.ai``."""

    name = "exa"
    hosts = ("api.exa.ai",)

    def __init__(self, world: World) -> None:
        """Draw what the index holds out of ``world``."""
        self._world = world
        self._known = Index(EXA, world)
        self._requests = 0

    def key_of(self, call: Call) -> str:
        """Return the ``x-api-key`` header."""
        return call.headers.get("x-api-key", "")

    def refuse_key(self, call: Call) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 401."""
        return self._error(401, "Invalid API key", "INVALID_API_KEY")

    def refuse_rate(self, call: Call, retry_after_s: float) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 429, which carries no headers here."""
        return self._error(429, "You've exceeded your rate limit of requests per second.", "")

    def answer(self, call: Call) -> Answer:
        """Answer one search."""
        if call.path != "/search" or call.method != "POST":
            return self._error(404, "Not found", "NOT_FOUND")
        body = call.json()
        query = body.get("query") if isinstance(body, dict) else None
        if not isinstance(body, dict) or not isinstance(query, str) or not query.strip():
            return self._error(400, "query: Required", "INVALID_REQUEST_BODY")
        self._requests += 1
        most = body.get("numResults", 10)
        count = most if isinstance(most, int) and 0 < most <= MOST_RESULTS else 10
        hits = self._hits(query, body)[:count]
        rows = [self._row(hit, query, body) for hit in hits]
        contents = CONTENT_MICROS * len(rows) if body.get("contents") else 0
        cost = {"total": (SEARCH_MICROS + contents) / MICROS, "search": {"neural": 0.005}}
        request_id = hex_id(self._world.seed, "exa", self._requests, length=32)
        value = {"requestId": request_id, "resolvedSearchType": "neural", "results": rows}
        canonical = json.dumps(body | {"query": " ".join(query.lower().split())}, sort_keys=True)
        charge = Charge("search", canonical, 1, SEARCH_MICROS + contents)
        return json_answer(
            200,
            value | {"costDollars": cost},
            headers={"x-request-id": request_id},
            charges=(charge,),
            request_id=request_id,
        )

    def _hits(self, query: str, body: dict[str, object]) -> list[Hit]:
        domains = body.get("includeDomains")
        only = str(domains[0]) if isinstance(domains, list) and domains else None
        hits = self._known.search(query, only).hits
        if body.get("category") == "people":
            return [hit for hit in hits if isinstance(hit.about, Person)]
        if body.get("category") == "company":
            return [hit for hit in hits if not isinstance(hit.about, Person)]
        return hits

    def _row(self, hit: Hit, query: str, body: dict[str, object]) -> dict[str, object]:
        row: dict[str, object] = {"id": hit.url, "url": hit.url, "title": hit.title, "author": None}
        row["score"] = round(draw(hit.url, query), 6)
        if body.get("contents"):
            row["highlights"] = [hit.text]
        if body.get("category") in {"company", "people"} and hit.about is not None:
            entity = self._entity(hit.about)
            row["entities"] = [entity] if entity else []
        return row

    def _entity(self, about: Company | Person) -> dict[str, object] | None:
        if isinstance(about, Person):
            return self._person(about)
        believed = self._known.company(about)
        if believed is None:
            return None
        country = believed.get("company_country")
        properties = {
            "name": believed["company_name"],
            "foundedYear": believed.get("company_founded_year"),
            "description": believed.get("company_description"),
            "workforce": {"total": believed.get("company_employee_count")},
            "headquarters": {
                "city": believed.get("company_city"),
                "country": BY_CODE[country].name if isinstance(country, str) else None,
            },
            "financials": {"revenueAnnual": believed.get("company_revenue")},
        }
        return {
            "id": f"https://exa.ai/library/company/{about.slug}",
            "type": "company",
            "version": 1,
            "properties": properties,
        }

    def _person(self, person: Person) -> dict[str, object] | None:
        believed = self._known.person(person)
        if believed is None:
            return None
        employer = {"id": None, "name": person.company.name}
        job = {"title": believed.get("person_title"), "location": None, "company": employer}
        properties = {"name": person.full_name, "location": None, "workHistory": [job]}
        return {
            "id": f"https://exa.ai/library/person/{person.slug}",
            "type": "person",
            "version": 1,
            "properties": properties,
        }

    def _error(self, status: int, error: str, tag: str) -> Answer:
        request_id = hex_id(self._world.seed, "exa-error", error, length=32)
        return json_answer(status, {"requestId": request_id, "error": error, "tag": tag})
