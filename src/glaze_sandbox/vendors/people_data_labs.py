"""People Data Labs: person and company enrichment, and a hundred people in one request.

Shapes follow the vendor's documentation: strings in small letters, addresses without scheme, a
person below ``data`` and a company at the top, 404 for a miss, and what a call cost in a header.
"""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta

from glaze_sandbox.billing import Clock
from glaze_sandbox.knowledge import PEOPLE_DATA_LABS, Knowledge
from glaze_sandbox.limits import RateLimits
from glaze_sandbox.seeded import draw, hex_id, number
from glaze_sandbox.wire import Answer, Call, Charge, json_answer
from glaze_sandbox.world.entities import Company, Person, Truth
from glaze_sandbox.world.make import slugify
from glaze_sandbox.world.places import BY_CODE
from glaze_sandbox.world.population import World

CREDIT_MICROS = 280_000
BULK_MOST = 100
HIDDEN_SHARE = 0.06  # of the people: a field that exists is only said to
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "payment_required",
    404: "not_found",
    429: "rate_limit_error",
}

Params = Mapping[str, object]
Record = dict[str, object]


class PeopleDataLabs:
    """Plays ``api.peopledatalabs.com``."""

    name = "people_data_labs"
    hosts = ("api.peopledatalabs.com",)

    def __init__(self, world: World, limits: RateLimits, clock: Clock) -> None:
        """``limits`` and ``clock`` are only read, for the headers that speak of the limit."""
        self._world = world
        self._limits = limits
        self._clock = clock
        self._known = Knowledge(PEOPLE_DATA_LABS, world)
        self._requests = 0
        self._routes: dict[tuple[str, str], Callable[[Call], Answer]] = {
            ("GET", "/v5/person/enrich"): self._person_alone,
            ("POST", "/v5/person/enrich"): self._person_alone,
            ("POST", "/v5/person/bulk"): self._people,
            ("GET", "/v5/company/enrich"): self._company,
        }

    def key_of(self, call: Call) -> str:
        """Return the key of the header, or of the query."""
        return call.headers.get("X-Api-Key", "") or call.query.get("api_key", "")

    def refuse_key(self, call: Call) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 401."""
        return _error(401, "The API key is invalid")

    def refuse_rate(self, call: Call, retry_after_s: float) -> Answer:
        """Answer 429: no ``retry-after``, but the moment when the window ends."""
        refused = _error(429, "You have exceeded your rate limit")
        ends = self._clock() + timedelta(seconds=max(1, round(retry_after_s)))
        reset = {"x-ratelimit-reset": ends.strftime("%Y-%m-%dT%H:%M:%SZ")}
        headers = {**self._headers(call, 0), **reset}
        return Answer(refused.status, refused.body, headers=headers)

    def refuse_credits(self, call: Call) -> Answer:
        """Answer 402."""
        refused = _error(402, "You have reached the maximum number of credits of your plan")
        return Answer(refused.status, refused.body, headers=self._headers(call, 0))

    def answer(self, call: Call) -> Answer:
        """Answer one call with a good key."""
        route = self._routes.get((call.method, call.path.rstrip("/")))
        if route is None:
            return _error(404, "The requested URL was not found")
        self._requests += 1
        return route(call)

    def _headers(self, call: Call, credits_: int) -> dict[str, str]:
        room = self._limits.room(self.name, self.key_of(call))
        limit, used = (1000, 0) if room is None else room[:2]
        left = {"minute": max(0, limit - used), "day": None, "month": None}
        return {
            "x-ratelimit-limit": str({"minute": limit}),  # in single quotes, as the vendor has it
            "x-ratelimit-remaining": str(left),
            "x-call-credits-spent": str(credits_),
            "x-call-credits-type": "enrich_company" if "company" in call.path else "enrich",
        }

    def _respond(self, call: Call, status: int, body: object, charges: list[Charge]) -> Answer:
        return json_answer(
            status,
            body,
            headers=self._headers(call, len(charges)),
            charges=tuple(charges),
            request_id=hex_id(self._world.seed, "pdl", self._requests, length=32),
        )

    def _person_alone(self, call: Call) -> Answer:
        body = call.json()
        params: Params = {**(body if isinstance(body, dict) else {}), **call.query}
        item, charge = self._match(params)
        return self._respond(call, int(str(item["status"])), item, [charge] if charge else [])

    def _people(self, call: Call) -> Answer:
        body = call.json()
        requests = body.get("requests") if isinstance(body, dict) else None
        if not isinstance(requests, list) or not 1 <= len(requests) <= BULK_MOST:
            return _error(400, f"Between 1 and {BULK_MOST} requests are allowed")
        items: list[Record] = []
        charges: list[Charge] = []
        for request in requests:
            params = request.get("params") if isinstance(request, dict) else None
            item, charge = self._match(params if isinstance(params, dict) else {})
            if isinstance(request, dict) and "metadata" in request:
                item = item | {"metadata": request["metadata"]}
            items.append(item)
            charges += [charge] if charge else []
        return self._respond(call, 200, items, charges)

    def _match(self, params: Params) -> tuple[Record, Charge | None]:
        question = _person_question(params)
        if question is None:
            return _problem(400, "You must supply enough data points to make a match"), None
        person = self._person(params)
        believed = self._known.person(person) if person else None
        if person is None or believed is None:
            return _problem(404, "No records were found matching your request"), None
        record = self._only(params, person_record(self._world.seed, person, believed))
        luck = number(self._world.seed, "pdl-likelihood", person.slug, question) % 4
        likelihood = (10 if ":" in question and not question.startswith("name") else 8) - luck
        item: Record = {"status": 200, "likelihood": likelihood, "data": record}
        return item, Charge("person", question, 1, CREDIT_MICROS)

    def _only(self, params: Params, record: Record) -> Record:
        wanted = params.get("data_include")
        if not isinstance(wanted, str) or not wanted:
            return record
        names = wanted.split(",")
        return {name: value for name, value in record.items() if name in names}

    def _person(self, params: Params) -> Person | None:
        if email := _text(params, "email"):
            return self._world.person_by_email(email)
        if profile := _text(params, "profile"):
            return self._world.person_by_slug(profile.rstrip("/").rpartition("/")[2])
        where = _text(params, "company")
        company = self._world.by_domain(where) or self._world.by_name(where)
        return self._world.person_by_name(_full_name(params), company) if company else None

    def _company(self, call: Call) -> Answer:
        company = self._company_of(call.query)
        if not any(call.query.get(name) for name in ("website", "profile", "name")):
            return _error(400, "You must supply a name, website, profile or ticker")
        believed = self._known.company(company) if company else None
        if company is None or believed is None:
            item = _problem(404, "No records were found matching your request")
            return self._respond(call, 404, item, [])
        likelihood = 10 if call.query.get("website") or call.query.get("profile") else 6
        record = {"status": 200, "likelihood": likelihood, **company_record(believed)}
        charge = Charge("company", f"domain:{company.domain}", 1, CREDIT_MICROS)
        return self._respond(call, 200, record, [charge])

    def _company_of(self, params: Params) -> Company | None:
        if site := _text(params, "website"):
            return self._world.by_domain(site.rpartition("//")[2].partition("/")[0])
        if page := _text(params, "profile"):
            return self._world.by_slug(page.rstrip("/").rpartition("/")[2])
        return self._world.by_name(_text(params, "name"))


def person_record(seed: int, person: Person, believed: Truth) -> Record:
    """Return the ``data`` of a match."""
    mobile: object = believed.get("person_phone")
    if draw(seed, "pdl-hidden", person.slug) < HIDDEN_SHARE:
        mobile = True  # it exists, and this plan does not show it
    country = believed.get("person_country")
    email = believed.get("person_email")
    return {
        "id": f"{hex_id('pdl', person.slug, length=22)}_0000",
        "full_name": person.full_name.lower(),
        "first_name": person.first_name.lower(),
        "last_name": person.last_name.lower(),
        "work_email": email,
        "personal_emails": [],
        "emails": [{"address": email, "type": "current_professional"}] if email else [],
        "mobile_phone": mobile,
        "phone_numbers": [],
        "linkedin_url": f"linkedin.com/in/{person.slug}",
        "linkedin_username": person.slug,
        "github_url": None,
        "twitter_url": None,
        "facebook_url": None,
        "job_title": _small(believed.get("person_title")),
        "job_title_role": _small(believed.get("person_department")),
        "job_title_levels": [level] if (level := believed.get("person_seniority")) else [],
        "job_company_name": person.company.name.lower(),
        "job_company_website": person.company.domain,
        "job_company_linkedin_url": f"linkedin.com/company/{person.company.slug}",
        "location_locality": _small(believed.get("person_city")),
        "location_region": _small(believed.get("person_region")),
        "location_country": BY_CODE[country].name.lower() if isinstance(country, str) else None,
        "skills": believed.get("person_skills", []),
        "experience": [],
        "education": [],
        "profiles": [{"network": "linkedin", "url": f"linkedin.com/in/{person.slug}"}],
    }


def company_record(believed: Truth) -> Record:
    """Return a company's fields, which stand at the top of the answer."""
    domain = str(believed["company_domain"])
    country = believed.get("company_country")
    return {
        "id": hex_id("pdl", domain, length=22),
        "name": str(believed["company_name"]).lower(),
        "website": domain,
        "size": believed.get("company_size"),
        "employee_count": believed.get("company_employee_count"),
        "founded": believed.get("company_founded_year"),
        "industry": _small(believed.get("company_industry")),
        "headline": None,
        "summary": _small(believed.get("company_description")),
        "type": "public" if believed.get("company_ticker") else "private",
        "ticker": _small(believed.get("company_ticker")),
        "tags": believed.get("company_tags", []),
        "location": {
            "locality": _small(believed.get("company_city")),
            "region": _small(believed.get("company_region")),
            "country": BY_CODE[country].name.lower() if isinstance(country, str) else None,
            "street_address": _small(believed.get("company_street")),
            "postal_code": _small(believed.get("company_postal_code")),
        },
        "linkedin_url": _bare(believed.get("company_linkedin_url")),
        "twitter_url": _bare(believed.get("company_twitter_url")),
        "facebook_url": _bare(believed.get("company_facebook_url")),
        "profiles": [],
        "alternative_names": [],
    }


def _problem(status: int, message: str) -> Record:
    return {"status": status, "error": {"type": _TYPES[status], "message": message}}


def _error(status: int, message: str) -> Answer:
    return Answer(status, json.dumps(_problem(status, message)).encode())


def _text(params: Params, name: str) -> str:
    value = params.get(name)
    return value.strip() if isinstance(value, str) else ""


def _full_name(params: Params) -> str:
    parts = f"{_text(params, 'first_name')} {_text(params, 'last_name')}".strip()
    return _text(params, "name") or parts


def _person_question(params: Params) -> str | None:
    """Return the canonical question, None where there is too little for a match."""
    if email := _text(params, "email"):
        return f"email:{email.lower()}"
    if profile := _text(params, "profile"):
        return f"linkedin:{profile.rstrip('/').rpartition('/')[2].lower()}"
    name, where = slugify(_full_name(params)), _text(params, "company").lower()
    return f"name:{name}@{where}" if name and where else None


def _small(value: object) -> str | None:
    return str(value).lower() if value else None


def _bare(url: object) -> str | None:
    return str(url).partition("://")[2].removeprefix("www.") if url else None
