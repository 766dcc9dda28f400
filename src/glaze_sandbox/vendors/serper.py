"""Serper: Google results as JSON. Every successful search is billed, found or not."""

import json
import re
from collections.abc import Iterator

from glaze_sandbox.knowledge import SERPER, Knowledge
from glaze_sandbox.seeded import hex_id, rng
from glaze_sandbox.wire import Answer, Call, Charge, json_answer
from glaze_sandbox.world.entities import Company, Person, Truth
from glaze_sandbox.world.make import slugify
from glaze_sandbox.world.places import BY_CODE
from glaze_sandbox.world.population import World

SEARCH_MICROS = 1_000
MANY_RESULTS = 10  # above it a search costs two credits
KNOWLEDGE_GRAPH_FROM = 150  # employees: smaller companies have no panel
FIRST_SHARE = 0.85  # of the companies: their own site is the first result
LONGEST_NAME = 4  # words
_DOMAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_OPERATOR = re.compile(r"-?\b(?:site|inurl|intitle):\S+")

Result = dict[str, object]


class Serper:
    """Plays ``google.serper.dev``."""

    name = "serper"
    hosts = ("google.serper.dev",)

    def __init__(self, world: World) -> None:
        """Draw what the index holds out of ``world``."""
        self._world = world
        self._known = Knowledge(SERPER, world)
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
        found: dict[str, object] = {
            "searchParameters": {"type": "search", "engine": "google", **body}
        }
        found |= self._search(query)
        request_id = hex_id(self._world.seed, "serper", self._requests, length=32)
        return json_answer(
            200, found | {"credits": credits_}, charges=(charge,), request_id=request_id
        )

    def _search(self, query: str) -> dict[str, object]:
        company = self._company_in(query)
        if company is None:
            return {"organic": _numbered(_noise(query)), "relatedSearches": []}
        person = self._person_in(query, company)
        believed = self._known.company(company)
        results: list[Result] = []
        if person is not None and self._known.person(person) is not None:
            results.append(_profile_result(person))
        if believed is not None and "site:linkedin.com/in" not in query:
            results.extend(_company_results(company, believed, dead=self._world.is_dead(company)))
        results.extend(_noise(query))
        if "site:linkedin.com" in query:
            results = [r for r in results if "linkedin.com" in str(r["link"])]
        graph = believed is not None and company.employees >= KNOWLEDGE_GRAPH_FROM
        panel = {"knowledgeGraph": _panel(believed)} if graph and believed else {}
        return panel | {"organic": _numbered(results), "relatedSearches": []}

    def _company_in(self, query: str) -> Company | None:
        plain = _OPERATOR.sub(" ", query)
        for domain in _DOMAIN.findall(query.lower()):
            if company := self._world.by_domain(domain):
                return company
        return next(filter(None, map(self._world.by_name, _phrases(plain))), None)

    def _person_in(self, query: str, company: Company) -> Person | None:
        key = f"-{slugify(query)}-"
        people = self._world.people_of(company)
        return next((p for p in people if f"-{slugify(p.full_name)}-" in key), None)


def _phrases(text: str) -> Iterator[str]:
    """Yield the runs of words in ``text`` that may be a company's name, quoted ones first."""
    yield from re.findall(r'"([^"]+)"', text)
    words = re.findall(r"[\w'&.-]+", text)
    for length in range(min(LONGEST_NAME, len(words)), 1, -1):
        for start in range(len(words) - length + 1):
            yield " ".join(words[start : start + length])


def _numbered(results: list[Result]) -> list[Result]:
    return [result | {"position": place} for place, result in enumerate(results, start=1)]


def _profile_result(person: Person) -> Result:
    return {
        "title": f"{person.full_name} - {person.title} - {person.company.name} | LinkedIn",
        "link": person.linkedin_url,
        "snippet": f"{person.company.address.city} · {person.title} · {person.company.name}. "
        f"View {person.full_name}'s profile on LinkedIn.",
    }


def _company_results(company: Company, believed: Truth, *, dead: bool) -> list[Result]:
    about = str(believed.get("company_description", company.name))
    results: list[Result] = [
        {
            "title": f"{company.name} | LinkedIn",
            "link": company.linkedin_url,
            "snippet": f"{company.name} | 1,204 followers on LinkedIn. {about}",
        },
        {
            "title": f"{company.name} - Company Profile",
            "link": f"https://www.businesslisthub.com/company/{company.slug}",
            "snippet": f"{company.name}: address, phone number and reviews.",
        },
    ]
    if not dead:
        site: Result = {"title": company.name, "link": company.url, "snippet": about}
        results.insert(0 if rng("serp", company.domain).random() < FIRST_SHARE else 1, site)
    return results


def _noise(query: str) -> list[Result]:
    words = " ".join(_OPERATOR.sub(" ", query).replace('"', "").split())
    return [
        {
            "title": f"{words} - search the trade directory",
            "link": f"https://www.tradedirectorynet.com/search/{slugify(words)}",
            "snippet": f"Results for {words}: suppliers, addresses, opening hours.",
        }
    ]


def _panel(believed: Truth) -> Result:
    country = believed.get("company_country")
    where = [
        believed.get("company_city"),
        BY_CODE[country].name if isinstance(country, str) else None,
    ]
    attributes = {
        "Founded": believed.get("company_founded_year"),
        "Headquarters": ", ".join(str(part) for part in where if part),
        "Number of employees": believed.get("company_employee_count"),
        "Phone": believed.get("company_phone"),
    }
    panel = {
        "title": believed["company_name"],
        "type": f"{believed.get('company_industry', '')} company".strip().capitalize(),
        "website": believed["company_website"],
        "description": believed.get("company_description"),
        "attributes": {name: str(value) for name, value in attributes.items() if value},
    }
    return {name: value for name, value in panel.items() if value}
