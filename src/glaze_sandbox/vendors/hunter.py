"""Hunter: domain search, finder, verifier, and people, company and combined enrichment.

Shapes follow Hunter's API documentation. Its habits: 403 is the rate limit, 429 an empty account,
451 a person's objection, 202 a verification under way, 222 one that failed at the mail server; the
same search, finder or verifier question is billed once in a billing period, which here lasts until
the sandbox is reset.
"""

from collections import Counter
from collections.abc import Callable, Mapping

from glaze_sandbox.knowledge import HUNTER, Knowledge
from glaze_sandbox.mailboxes import Mailbox, mailbox_of
from glaze_sandbox.seeded import draw, hex_id, number
from glaze_sandbox.vendors.hunter_records import (
    company_record,
    finder_record,
    person_record,
    search_record,
)
from glaze_sandbox.wire import Answer, Call, Charge, json_answer
from glaze_sandbox.world.entities import Company, Person
from glaze_sandbox.world.make import slugify
from glaze_sandbox.world.population import World

CREDIT_MICROS = 24_500
MOST_ADDRESSES = 100
OBJECTED_SHARE = 0.01  # of the people: they asked not to be processed
SLOW_SHARE = 0.10  # of the verifications: under way at first
FAILING_SHARE = 0.02  # of the verifications: the mail server fails at first
UNKNOWN_SHARE = 0.05  # of the verifications: nobody can tell
WRONG_SHARE = 0.015  # of the verifications
_STATUS = {
    Mailbox.PERSON: "valid",
    Mailbox.ROLE: "valid",
    Mailbox.ACCEPT_ALL: "accept_all",
    Mailbox.WEBMAIL: "webmail",
    Mailbox.DISPOSABLE: "disposable",
    Mailbox.ABSENT: "invalid",
    Mailbox.NO_MAIL: "invalid",
}
_SCORES = {"valid": 97, "accept_all": 62, "webmail": 70, "unknown": 40}

Params = Mapping[str, str]


class Hunter:
    """Plays ``api.hunter.io``."""

    name = "hunter"
    hosts = ("api.hunter.io",)

    def __init__(self, world: World) -> None:
        """Draw what the vendor believes out of ``world``."""
        self._world = world
        self._known = Knowledge(HUNTER, world)
        self._requests = 0
        self._paid: set[tuple[str, str, str]] = set()
        self._asked: Counter[tuple[str, str]] = Counter()  # verifications, by key and address
        self._routes: dict[str, Callable[[Call], Answer]] = {
            "/v2/domain-search": self._domain_search,
            "/v2/email-finder": self._email_finder,
            "/v2/email-verifier": self._email_verifier,
            "/v2/people/find": self._people,
            "/v2/companies/find": self._companies,
            "/v2/combined/find": self._combined,
            "/v2/account": self._account,
        }

    def key_of(self, call: Call) -> str:
        """Return the key, from any of the three places where the vendor takes it."""
        in_query = call.query.get("api_key", "")
        return call.headers.get("X-API-KEY", "") or call.bearer() or in_query

    def refuse_key(self, call: Call) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 401."""
        return _error(401, "authentication_failed", "No user found for the API key supplied")

    def refuse_rate(self, call: Call, retry_after_s: float) -> Answer:  # noqa: ARG002  it names no time
        """Answer 403, without any header: that is this vendor's rate limit."""
        return _error(403, "too_many_requests", "You have reached the rate limit")

    def refuse_credits(self, call: Call) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 429: the credits of this month are used up."""
        return _error(429, "usage_exceeded", "You have reached your monthly limit of credits")

    def forget(self) -> None:
        """Begin a new billing period."""
        self._paid.clear()
        self._asked.clear()

    def answer(self, call: Call) -> Answer:
        """Answer one call with a good key."""
        route = self._routes.get(call.path.rstrip("/"))
        if route is None or call.method != "GET":
            return _error(404, "not_found", "This endpoint does not exist")
        self._requests += 1
        return route(call)

    def _billed(
        self, call: Call, data: object, operation: str, question: str, credits_: float
    ) -> Answer:
        """Answer 200; what was billed in this period already is not billed again."""
        bought = (self.key_of(call), operation, question)
        fresh = credits_ > 0 and bought not in self._paid
        self._paid |= {bought} if fresh else set()
        charge = Charge(operation, question, credits_, round(credits_ * CREDIT_MICROS))
        return json_answer(
            200,
            {"data": data, "meta": {"params": dict(call.query)}},
            charges=(charge,) if fresh else (),
            request_id=hex_id(self._world.seed, "hunter", self._requests, length=32),
        )

    def _domain_search(self, call: Call) -> Answer:
        domain, name = call.query.get("domain", "").lower(), call.query.get("company", "")
        if not domain and not name:
            return _error(400, "wrong_params", "You are missing the domain or company parameter")
        limit = call.query.get("limit", "10")
        if not limit.isdigit() or not 1 <= int(limit) <= MOST_ADDRESSES:
            return _error(400, "wrong_params", "The limit is between 1 and 100")
        company = self._company(call.query)
        believed = self._known.company(company) if company else None
        question = f"domain:{domain}" if domain else f"name:{slugify(name)}"
        if company is None or believed is None:
            return self._billed(call, search_record(domain, {}, []), "domain_search", question, 0)
        people = [
            (person, known)
            for person in self._world.people_of(company)
            if (known := self._known.person(person)) and "person_email" in known
        ]
        data = search_record(company.domain, believed, people[: int(limit)])
        credits_ = -(-len(data["emails"]) // 10)
        return self._billed(call, data, "domain_search", question, credits_)

    def _email_finder(self, call: Call) -> Answer:
        question = _person_question(call.query)
        if question is None:
            return _error(400, "wrong_params", "You are missing the first name or the domain")
        person = self._person(call.query)
        if person is not None and self._objects(person):
            return _objection()
        believed = self._known.person(person) if person else None
        if person is None or believed is None or "person_email" not in believed:
            data: object = finder_record(call.query, None, {}, 0)
            return self._billed(call, data, "email_finder", question, 0)
        score = 70 + number(self._world.seed, "hunter-score", person.slug) % 30
        data = finder_record(call.query, person, believed, score)
        return self._billed(call, data, "email_finder", question, 1)

    def _email_verifier(self, call: Call) -> Answer:
        email = call.query.get("email", "").strip().lower()
        if "@" not in email:
            return _error(400, "wrong_params", "The email parameter is missing or invalid")
        person = self._world.person_by_email(email)
        if person is not None and self._objects(person):
            return _objection()
        asked = (self.key_of(call), email)
        self._asked[asked] += 1
        if self._asked[asked] == 1:
            chance = draw(self._world.seed, "hunter-pace", email)
            if chance < SLOW_SHARE:
                return json_answer(202, {"data": {"email": email, "status": None}})
            if chance < SLOW_SHARE + FAILING_SHARE:
                return Answer(222, b"")
        status = self._status(email)
        data = {
            "email": email,
            "status": status,
            "result": {"valid": "deliverable", "invalid": "undeliverable"}.get(status, "risky"),
            "score": _SCORES.get(status, 0),
            "regexp": True,
            "gibberish": False,
            "disposable": status == "disposable",
            "webmail": status == "webmail",
            "mx_records": mailbox_of(self._world, email) is not Mailbox.NO_MAIL,
            "smtp_server": status not in {"unknown", "invalid"},
            "smtp_check": status == "valid",
            "accept_all": status == "accept_all",
            "block": False,
            "sources": [],
        }
        return self._billed(call, data, "email_verifier", f"email:{email}", 0.5)

    def _status(self, email: str) -> str:
        chance = draw(self._world.seed, "hunter-verifies", email)
        if chance < UNKNOWN_SHARE:
            return "unknown"
        true = _STATUS[mailbox_of(self._world, email)]
        if chance < UNKNOWN_SHARE + WRONG_SHARE:
            return {"valid": "invalid", "invalid": "valid"}.get(true, true)
        return true

    def _people(self, call: Call) -> Answer:
        person = self._person(call.query)
        if person is not None and self._objects(person):
            return _objection()
        believed = self._known.person(person) if person else None
        if person is None or believed is None:
            return _not_found()
        question = _person_question(call.query) or ""
        return self._billed(call, person_record(person, believed), "person", question, 1)

    def _companies(self, call: Call) -> Answer:
        company = self._company(call.query)
        believed = self._known.company(company) if company else None
        if company is None or believed is None:
            return _not_found()
        question = f"domain:{company.domain}"
        return self._billed(call, company_record(believed), "company", question, 1)

    def _combined(self, call: Call) -> Answer:
        person = self._person(call.query)
        if person is not None and self._objects(person):
            return _objection()
        believed = self._known.person(person) if person else None
        if person is None or believed is None:
            return _not_found()
        company = self._known.company(person.company)
        data = {
            "person": person_record(person, believed),
            "company": company_record(company) if company else None,
        }
        return self._billed(call, data, "combined", _person_question(call.query) or "", 2)

    def _account(self, call: Call) -> Answer:  # noqa: ARG002  the same for every key
        available = {"used": 0, "available": 1_000_000}
        credits_ = {"requests": {"credits": available}}
        return json_answer(200, {"data": {"plan_name": "Scale", **credits_}, "meta": {}})

    def _company(self, params: Params) -> Company | None:
        if domain := params.get("domain"):
            return self._world.by_domain(domain)
        return self._world.by_name(params.get("company", ""))

    def _person(self, params: Params) -> Person | None:
        if email := params.get("email"):
            return self._world.person_by_email(email)
        if handle := params.get("linkedin_handle"):
            return self._world.person_by_slug(handle)
        company = self._company(params)
        return self._world.person_by_name(_full_name(params), company) if company else None

    def _objects(self, person: Person) -> bool:
        return draw(self._world.seed, "hunter-objects", person.slug) < OBJECTED_SHARE


def _full_name(params: Params) -> str:
    parts = f"{params.get('first_name', '')} {params.get('last_name', '')}".strip()
    return params.get("full_name", "") or parts


def _person_question(params: Params) -> str | None:
    if email := params.get("email"):
        return f"email:{email.lower()}"
    if handle := params.get("linkedin_handle"):
        return f"linkedin:{handle.lower()}"
    where = (params.get("domain") or params.get("company") or "").lower()
    name = slugify(_full_name(params))
    return f"name:{name}@{where}" if name and where else None


def _error(status: int, name: str, details: str) -> Answer:
    return json_answer(status, {"errors": [{"id": name, "code": status, "details": details}]})


def _not_found() -> Answer:
    return _error(404, "resource_not_found", "The resource you requested was not found")


def _objection() -> Answer:
    told = "The person behind it asked us directly or indirectly to stop processing their data"
    return _error(451, "claimed_email", told)
