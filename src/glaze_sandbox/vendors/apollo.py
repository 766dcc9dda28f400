"""Apollo.io: people match and bulk match, phones by webhook or poll, organization enrichment.

Shapes follow Apollo's published OpenAPI document: parameters in the query, 200 without a person
for no match, 401 as plain text, at most 10 records in a bulk request.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from multidict import MultiMapping

from glaze_sandbox.billing import Clock
from glaze_sandbox.knowledge import APOLLO, Knowledge
from glaze_sandbox.limits import Left, RateLimits
from glaze_sandbox.seeded import draw, hex_id, number
from glaze_sandbox.vendors.apollo_records import country_name, organization_record, person_record
from glaze_sandbox.wire import Answer, Call, Callback, Charge, json_answer
from glaze_sandbox.world.entities import Company, Person, Truth
from glaze_sandbox.world.make import slugify
from glaze_sandbox.world.population import World

MATCH_MICROS = 100_000
ORGANIZATION_MICROS = 100_000
BULK_MOST = 10
MINUTE_S = 60
_WINDOWS = {60: ("minute", "minute"), 3_600: ("hourly", "hourly"), 86_400: ("24-hour", "24-hour")}
PHONE_SHARE = 0.45  # of the people whom it knows
MOBILE_CREDITS = 8
QUICKEST_S, SLOWEST_S = 0.4, 2.0  # until numbers are found
_RESULTS = "/api/v1/webhook_result/"
SEARCH_MOST, SEARCH_PAGES = 100, 500
LOCKED_SHARE = 0.03  # of the addresses: shown as the placeholder instead
_BAD_KEY = (
    b"Invalid API key. See https://docs.apollo.io/reference/authentication for how to create one."
)

Params = Mapping[str, object]


class Apollo:
    """Plays ``api.apollo.io``."""

    name = "apollo"
    hosts = ("api.apollo.io",)

    def __init__(self, world: World, limits: RateLimits, clock: Clock) -> None:
        """``limits`` is only read, for the rate-limit headers."""
        self._clock = clock
        self._world = world
        self._limits = limits
        self._known = Knowledge(APOLLO, world)
        self._requests = 0
        self._routes = {
            ("POST", "/api/v1/people/match"): self._match,
            ("POST", "/api/v1/people/bulk_match"): self._bulk_match,
            ("GET", "/api/v1/organizations/enrich"): self._organization,
            ("POST", "/api/v1/organizations/bulk_enrich"): self._bulk_organization,
            ("POST", "/api/v1/mixed_people/api_search"): self._search,
            ("POST", "/api/v1/mixed_companies/search"): self._search_companies,
        }
        self._ids: dict[str, Person] = {}  # all people, once one was asked for by id
        self._found: dict[str, tuple[str, float, dict[str, object]]] = {}  # by request id

    def forget(self) -> None:
        """Forget what was looked for."""
        self._found.clear()

    def key_of(self, call: Call) -> str:
        """Return the ``x-api-key`` header; a Bearer token is no key here."""
        return call.headers.get("x-api-key", "")

    def refuse_key(self, call: Call) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 401 as plain text, without rate-limit headers."""
        return Answer(401, _BAD_KEY, content_type="text/plain; charset=utf-8")

    def refuse_rate(self, call: Call, retry_after_s: float) -> Answer:
        """Answer 429 with ``retry-after``."""
        room = self._limits.room(self.name, self.key_of(call))
        calls, _, window_s = room or (0, 0, MINUTE_S)
        unit = "minute" if window_s <= MINUTE_S else "hour"
        message = (
            f"The maximum number of api calls allowed for {call.path.strip('/')} is {calls} times "
            f"per {unit}. Please upgrade your plan from https://app.apollo.io/#/settings/plans."
        )
        headers = {"retry-after": str(max(1, round(retry_after_s)))}
        return json_answer(429, {"message": message}, headers=headers)

    def answer(self, call: Call) -> Answer:
        """Answer one call with a good key."""
        if call.method == "GET" and call.path.startswith(_RESULTS):
            return self._result(call)
        route = self._routes.get((call.method, call.path))
        if route is None:
            return json_answer(404, {"error": "Not Found", "error_code": "NOT_FOUND"})
        self._requests += 1
        return route(call)

    def room_headers(self, lefts: Sequence[Left]) -> dict[str, str]:
        """Return ceiling, use and rest of a minute, an hour and a day; an empty ceiling is none."""
        headers = {f"x-rate-limit-{ceiling}": "" for ceiling, _ in _WINDOWS.values()}
        for one in lefts:
            window_s = next((known for known in _WINDOWS if one.window_s <= known), None)
            if window_s is not None:
                ceiling, span = _WINDOWS[window_s]
                headers |= {
                    f"x-rate-limit-{ceiling}": str(one.calls),
                    f"x-{span}-usage": str(one.calls - one.left),
                    f"x-{span}-requests-left": str(one.left),
                }
        return headers

    def _request_id(self) -> int:
        return number(self._world.seed, "apollo-request", self._requests) >> 1  # signed 64 bits

    def _respond(self, call: Call, value: dict[str, object], charges: list[Charge]) -> Answer:
        request_id = self._request_id()
        body = value | ({"request_id": request_id} if "people" in call.path else {})
        return json_answer(
            200,
            body,
            charges=tuple(charges),
            request_id=str(request_id),
        )

    def _match(self, call: Call) -> Answer:
        body = call.json()
        params: Params = {**(body if isinstance(body, dict) else {}), **call.query}
        question = person_question(params)
        if question is None:
            return json_answer(422, {"error": "Required parameter 'email' missing"})
        record = self._person(params)
        if params.get("reveal_phone_number") == "true":
            return self._reveal(call, params, question, record)
        charges = [] if record is None else [_match_charge(question)]
        return self._respond(call, {"person": record}, charges)

    def _reveal(
        self, call: Call, params: Params, question: str, record: dict[str, object] | None
    ) -> Answer:
        """Answer with the person and look for numbers: by webhook, or for who asks by the id."""
        url = str(params.get("webhook_url") or "")
        if not url:
            return json_answer(422, {"error": "Please add a valid 'webhook_url' parameter"})
        person = find_person(self._world, params)
        if record is None or person is None:
            return self._respond(call, {"person": None}, [])
        knows = draw(self._world.seed, "apollo-phone", person.slug) < PHONE_SHARE
        used = MOBILE_CREDITS if knows else 0
        charge = Charge("people_phone", question, 1 + used, (1 + used) * MATCH_MICROS)
        given = self._respond(call, {"person": record}, [charge])
        pace = draw(self._world.seed, "apollo-phone-pace", person.slug)
        wait_s = QUICKEST_S + pace * (SLOWEST_S - QUICKEST_S)
        told = _numbers_of(person, str(record["id"]), used)
        ready_at = self._clock().timestamp() + wait_s
        self._found[given.request_id] = (self.key_of(call), ready_at, told)
        notice = json.dumps({"request_id": int(given.request_id), **told}).encode()
        return replace(given, callbacks=(Callback(url, notice, {}, wait_s),))

    def _result(self, call: Call) -> Answer:
        request_id = call.path.removeprefix(_RESULTS)
        if not request_id.removeprefix("-").isdecimal():
            return json_answer(400, {"error_code": "invalid_request_id"})
        key, ready_at, told = self._found.get(request_id, ("", 0.0, {}))
        if key != self.key_of(call):
            return json_answer(404, {"error_code": "request_id_unknown"})
        if self._clock().timestamp() < ready_at:
            waiting = {"error_code": "result_pending", "retry_after_seconds": 1}
            return json_answer(404, waiting)
        whole = {
            "request_id": request_id,
            "webhook_status": "success",
            "request_type": "phone",
            "failure_reason": None,
            "webhook_result": told,
        }
        return json_answer(200, whole)

    def _bulk_match(self, call: Call) -> Answer:
        body = call.json()
        details = body.get("details") if isinstance(body, dict) else None
        if not isinstance(details, list) or not all(isinstance(d, dict) for d in details):
            return _failed("INVALID_REQUEST", "details must be a list of objects")
        if len(details) > BULK_MOST:
            return _failed("RECORD_LIMIT_EXCEEDED", f"At most {BULK_MOST} records are allowed.")
        records = [self._person(detail) for detail in details]
        questions = [person_question(detail) for detail in details]
        charges = {  # one charge for a record asked twice in one request
            question: _match_charge(question)
            for question, record in zip(questions, records, strict=True)
            if record is not None and question is not None
        }
        found = {str(r["id"]) for r in records if r is not None}
        value: dict[str, object] = {
            "status": "success",
            "error_code": None,
            "error_message": None,
            "total_requested_enrichments": len(details),
            "unique_enriched_records": len(found),
            "missing_records": sum(r is None for r in records),
            "credits_consumed": len(charges),
            "matches": records,
        }
        return self._respond(call, value, list(charges.values()))

    def _search(self, call: Call) -> Answer:
        """Show who fits, without addresses and family names, for nothing."""
        page, most = int(call.query.get("page", "1")), int(call.query.get("per_page", "10"))
        if not (1 <= most <= SEARCH_MOST and 1 <= page <= SEARCH_PAGES):
            return json_answer(422, {"error": "page or per_page is out of bounds"})
        domains = set(call.query.getall("q_organization_domains_list[]", []))
        titles = [one.lower() for one in call.query.getall("person_titles[]", [])]
        found = [
            person
            for company in self._world.companies()
            if not domains or company.domain in domains
            for person in self._world.people_of(company)
            if self._known.person(person) is not None
            and (not titles or any(one in person.title.lower() for one in titles))
        ]
        shown = found[(page - 1) * most : page * most]
        people = [self._shown(person) for person in shown]
        return json_answer(200, {"total_entries": len(found), "people": people})

    def _search_companies(self, call: Call) -> Answer:
        """Show the companies that fit, as they are, for a credit a page."""
        page, most = int(call.query.get("page", "1")), int(call.query.get("per_page", "10"))
        if not (1 <= most <= SEARCH_MOST and 1 <= page <= SEARCH_PAGES):
            return json_answer(422, {"error": "page or per_page is out of bounds"})
        found = [
            organization_record(self._world.seed, believed)
            for company in self._world.companies()
            if (believed := self._known.company(company)) is not None
            and _fits(believed, company, call.query)
        ]
        value: dict[str, object] = {
            "breadcrumbs": [],
            "partial_results_only": False,
            "pagination": {
                "page": page,
                "per_page": most,
                "total_entries": len(found),
                "total_pages": -(-len(found) // most),
            },
            "accounts": [],
            "organizations": found[(page - 1) * most : page * most],
        }
        asked = "&".join(f"{name}={value}" for name, value in sorted(call.query.items()))
        charge = Charge("organization_search", asked, 1, ORGANIZATION_MICROS)
        return self._respond(call, value, [charge])

    def _shown(self, person: Person) -> dict[str, object]:
        family = person.last_name
        return {
            "id": hex_id(self._world.seed, "apollo", person.slug),
            "first_name": person.first_name,
            "last_name_obfuscated": f"{family[:2]}***{family[-1]}",
            "title": person.title,
            "last_refreshed_at": None,
            "has_email": person.email is not None,
            "has_direct_phone": "Yes",
            "organization": {"name": person.company.name, "has_industry": True},
        }

    def _by_id(self, record_id: str) -> Person | None:
        if not self._ids:
            self._ids = {
                hex_id(self._world.seed, "apollo", person.slug): person
                for company in self._world.companies()
                for person in self._world.people_of(company)
            }
        return self._ids.get(record_id)

    def _person(self, params: Params) -> dict[str, object] | None:
        record_id = _text(params, "id")
        person = self._by_id(record_id) if record_id else find_person(self._world, params)
        believed = self._known.person(person) if person else None
        if person is None or believed is None:
            return None
        record = person_record(self._world.seed, person, believed)
        if "person_email" in believed and draw(person.slug, "locked") < LOCKED_SHARE:
            record["email"] = "email_not_unlocked@domain.com"
        organization = self._known.company(person.company)
        if organization is not None:
            record["organization"] = organization_record(self._world.seed, organization)
        return record

    def _organization(self, call: Call) -> Answer:
        if not any(call.query.get(n) for n in ("domain", "website", "linkedin_url", "name")):
            return json_answer(422, {"error": "Required parameter 'domain' missing"})
        record = self._organization_of(call.query)
        charges = [] if record is None else [_organization_charge(call.query)]
        return self._respond(call, {"organization": record}, charges)

    def _bulk_organization(self, call: Call) -> Answer:
        body = call.json()
        details: list[Params] = [{"domain": d} for d in call.query.getall("domains[]", [])]
        if isinstance(body, dict) and isinstance(body.get("details"), list):
            details = [d for d in body["details"] if isinstance(d, dict)]
        if not details or len(details) > BULK_MOST:
            return _failed("RECORD_LIMIT_EXCEEDED", f"Between 1 and {BULK_MOST} are allowed.")
        records = [self._organization_of(detail) for detail in details]
        found = {
            str(record["id"]): _organization_charge(detail)
            for detail, record in zip(details, records, strict=True)
            if record is not None
        }
        value: dict[str, object] = {
            "status": "success",
            "total_requested_domains": len(details),
            "unique_enriched_records": len(found),
            "missing_records": sum(r is None for r in records),
            "organizations": records,
        }
        return self._respond(call, value, list(found.values()))

    def _organization_of(self, params: Params) -> dict[str, object] | None:
        company = find_company(self._world, params)
        believed = self._known.company(company) if company else None
        return organization_record(self._world.seed, believed) if believed else None


def _fits(believed: Truth, company: Company, query: MultiMapping[str]) -> bool:
    """Tell whether a company meets every filter that a search names."""
    domains = query.getall("q_organization_domains_list[]", [])
    names = query.getall("q_organization_name", [])
    places = [one.lower() for one in query.getall("organization_locations[]", [])]
    country = str(country_name(believed.get("company_country")) or "").lower()
    spans = [
        [int(end) for end in one.split(",")]
        for one in query.getall("organization_num_employees_ranges[]", [])
    ]
    size = believed.get("company_employee_count")
    return (
        (not domains or company.domain in domains)
        and (not names or any(one.lower() in company.name.lower() for one in names))
        and (not places or country in places)
        and (not spans or any(isinstance(size, int) and low <= size <= high for low, high in spans))
    )


def _numbers_of(person: Person, record_id: str, used: int) -> dict[str, object]:
    """Return what is told of the numbers that were found, ``used`` credits' worth."""
    number = {
        "raw_number": person.phone,
        "sanitized_number": person.phone,
        "confidence_cd": "high",
        "status_cd": "valid_number",
        "type_cd": "mobile",
        "dnc_status_cd": "not_found",
        "position": 0,
    }
    found = {"id": record_id, "status": "success", "phone_numbers": [number] if used else []}
    return {
        "status": "success",
        "total_requested_enrichments": 1,
        "unique_enriched_records": 1 if used else 0,
        "missing_records": 0 if used else 1,
        "credits_consumed": used,
        "people": [found],
    }


def _failed(code: str, message: str) -> Answer:
    return json_answer(400, {"status": "failed", "error_code": code, "error_message": message})


def _match_charge(question: str) -> Charge:
    return Charge("people_match", question, 1, MATCH_MICROS)


def _organization_charge(params: Params) -> Charge:
    return Charge("organization_enrich", organization_question(params), 1, ORGANIZATION_MICROS)


def _text(params: Params, *names: str) -> str:
    for name in names:
        value = params.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""


def _full_name(params: Params) -> str:
    parts = f"{_text(params, 'first_name')} {_text(params, 'last_name')}".strip()
    return _text(params, "name") or parts


def person_question(params: Params) -> str | None:
    """Return the canonical question in ``params``: the strongest identifier, None for none."""
    if email := _text(params, "email"):
        return f"email:{email.lower()}"
    if profile := _text(params, "linkedin_url"):
        return f"linkedin:{profile.rstrip('/').rpartition('/')[2].lower()}"
    if record_id := _text(params, "id"):
        return f"id:{record_id}"
    where = _text(params, "domain", "organization_name").lower()
    name = slugify(_full_name(params))
    return f"name:{name}@{where}" if name and where else None


def organization_question(params: Params) -> str:
    """Return the canonical question in ``params``: the domain, else the page, else the name."""
    if site := _text(params, "domain", "website"):
        host = site.rpartition("//")[2].partition("/")[0]
        return f"domain:{host.lower().removeprefix('www.')}"
    if page := _text(params, "linkedin_url"):
        return f"linkedin:{page.rstrip('/').rpartition('/')[2].lower()}"
    return f"name:{slugify(_text(params, 'name'))}"


def find_person(world: World, params: Params) -> Person | None:
    """Return the person whom the vendor's matching finds for ``params``."""
    if email := _text(params, "email"):
        return world.person_by_email(email)
    if profile := _text(params, "linkedin_url"):
        return world.person_by_slug(profile.rstrip("/").rpartition("/")[2])
    company = find_company(world, {**params, "name": "", "linkedin_url": ""})
    return world.person_by_name(_full_name(params), company) if company else None


def find_company(world: World, params: Params) -> Company | None:
    """Return the company that ``params`` name by domain, website, LinkedIn page or name."""
    if site := _text(params, "domain", "website"):
        return world.by_domain(site.rpartition("//")[2].partition("/")[0])
    if page := _text(params, "linkedin_url"):
        return world.by_slug(page.rstrip("/").rpartition("/")[2])
    return world.by_name(_text(params, "organization_name", "name"))
