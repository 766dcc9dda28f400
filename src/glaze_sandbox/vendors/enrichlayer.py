"""EnrichLayer: LinkedIn profile and company by URL, resolving either by name or domain.

Shapes follow the vendor's SDK models (Proxycurl-compatible). A miss is 404 and free.
"""

from collections.abc import Callable

from glaze_sandbox.knowledge import ENRICHLAYER, Knowledge
from glaze_sandbox.seeded import hex_id
from glaze_sandbox.vendors.enrichlayer_records import company_record, profile_record
from glaze_sandbox.wire import Answer, Call, Charge, json_answer
from glaze_sandbox.world.make import slugify
from glaze_sandbox.world.population import World

CREDIT_MICROS = 100_000
RESOLVE_CREDITS = 2
_ERRORS = {400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


class EnrichLayer:
    """Plays ``enrichlayer.com``."""

    name = "enrichlayer"
    hosts = ("enrichlayer.com",)

    def __init__(self, world: World) -> None:
        """Draw what the vendor believes out of ``world``."""
        self._world = world
        self._known = Knowledge(ENRICHLAYER, world)
        self._requests = 0
        self._routes: dict[str, Callable[[Call], Answer]] = {
            "/api/v2/profile": self._profile,
            "/api/v2/company": self._company,
            "/api/v2/profile/resolve": self._resolve_profile,
            "/api/v2/company/resolve": self._resolve_company,
            "/api/v2/credit-balance": self._balance,
        }

    def key_of(self, call: Call) -> str:
        """Return the Bearer token."""
        return call.bearer()

    def refuse_key(self, call: Call) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 401."""
        return _error(401, "Invalid API Key")

    def refuse_rate(self, call: Call, retry_after_s: float) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 429 with ``Retry-After``."""
        refused = _error(429, "Rate limited. Please retry")
        headers = {"Retry-After": str(max(1, round(retry_after_s)))}
        return Answer(refused.status, refused.body, headers=headers)

    def answer(self, call: Call) -> Answer:
        """Answer one call with a good key."""
        route = self._routes.get(call.path.rstrip("/"))
        if route is None or call.method != "GET":
            return _error(404, "The requested URL was not found on the server")
        self._requests += 1
        return route(call)

    def _billed(self, value: object, operation: str, question: str, credits_: int) -> Answer:
        charge = Charge(operation, question, credits_, credits_ * CREDIT_MICROS)
        request_id = hex_id(self._world.seed, "enrichlayer", self._requests, length=32)
        headers = {"X-Proxycurl-Credit-Cost": str(credits_), "x-request-id": request_id}
        return json_answer(200, value, headers=headers, charges=(charge,), request_id=request_id)

    def _profile(self, call: Call) -> Answer:
        url = call.query.get("profile_url") or call.query.get("linkedin_profile_url")
        if not url or "/in/" not in url:
            return _error(400, "profile_url is not a LinkedIn profile")
        slug = _slug(url)
        person = self._world.person_by_slug(slug)
        believed = self._known.person(person) if person else None
        if person is None or believed is None:
            return _error(404, "Person profile does not exist")
        record = profile_record(person, believed)
        return self._billed(record, "profile", f"linkedin:{slug}", 1)

    def _company(self, call: Call) -> Answer:
        url = call.query.get("url") or call.query.get("company_url")
        url = url or call.query.get("linkedin_company_url")
        if not url or "/company/" not in url:
            return _error(400, "url is not a LinkedIn company page")
        slug = _slug(url)
        company = self._world.by_slug(slug)
        believed = self._known.company(company) if company else None
        if company is None or believed is None:
            return _error(404, "Company profile does not exist")
        record = company_record(company.slug, believed)
        return self._billed(record, "company", f"linkedin:{slug}", 1)

    def _resolve_profile(self, call: Call) -> Answer:
        name = f"{call.query.get('first_name', '')} {call.query.get('last_name', '')}".strip()
        where = call.query.get("company_domain", "")
        company = self._world.by_domain(where) or self._world.by_name(where)
        person = self._world.person_by_name(name, company) if company else None
        if person is None or self._known.person(person) is None:
            return _error(404, "Person profile does not exist")
        question = f"name:{slugify(name)}@{where.lower()}"
        return self._billed({"url": person.linkedin_url}, "profile_resolve", question, 2)

    def _resolve_company(self, call: Call) -> Answer:
        domain, name = call.query.get("company_domain", ""), call.query.get("company_name", "")
        company = self._world.by_domain(domain) if domain else self._world.by_name(name)
        if company is None or self._known.company(company) is None:
            return _error(404, "Company profile does not exist")
        question = f"domain:{domain.lower()}" if domain else f"name:{slugify(name)}"
        return self._billed(
            {"url": company.linkedin_url}, "company_resolve", question, RESOLVE_CREDITS
        )

    def _balance(self, call: Call) -> Answer:  # noqa: ARG002  the same for every key
        return json_answer(200, {"credit_balance": 1_000_000})


def _slug(url: str) -> str:
    return url.partition("?")[0].rstrip("/").rpartition("/")[2].lower()


def _error(status: int, description: str) -> Answer:
    return json_answer(
        status, {"code": status, "description": description, "name": _ERRORS[status]}
    )
