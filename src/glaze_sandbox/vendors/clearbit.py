"""Clearbit: people, companies and both; some records are looked for first, and a webhook tells.

Shapes follow Clearbit's client libraries. Its habits: 202 with an ``error`` of type ``queued`` until
the record is there, 404 ``unknown_record``, 401 ``auth_required`` or ``invalid_api_key``, rate-limit
headers and no ``Retry-After``. A record that was looked for is billed when it is fetched, once.
"""

import base64
import hashlib
import hmac
import json
import math
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping, Sequence

from glaze_sandbox.billing import Clock
from glaze_sandbox.knowledge import CLEARBIT, Knowledge
from glaze_sandbox.limits import Left, RateLimits
from glaze_sandbox.seeded import draw, hex_id
from glaze_sandbox.vendors.hunter_records import company_record, person_record
from glaze_sandbox.wire import Answer, Call, Callback, Charge, json_answer
from glaze_sandbox.world.entities import Truth
from glaze_sandbox.world.population import World

LOOKUP_MICROS = 100_000
QUEUED_SHARE = 0.35  # of the questions: looked for first
QUICKEST_S, SLOWEST_S = 0.4, 2.0
_RANGES = ((10, "1-10"), (50, "11-50"), (250, "51-250"), (1_000, "251-1K"), (5_000, "1K-5K"), (10_000, "5K-10K"), (50_000, "10K-50K"), (100_000, "50K-100K"))  # fmt: skip

Record = dict[str, object]
Find = Callable[[Mapping[str, str]], Record | None]


class Clearbit:
    """Plays ``person.clearbit.com`` and ``company.clearbit.com``."""

    name = "clearbit"
    hosts = ("person.clearbit.com", "company.clearbit.com")

    def __init__(self, world: World, limits: RateLimits, clock: Clock) -> None:
        """Draw what the vendor believes out of ``world``; ``limits`` is only read, for headers."""
        self._world = world
        self._limits = limits
        self._clock = clock
        self._known = Knowledge(CLEARBIT, world)
        self._ready_at: dict[tuple[str, str], float] = {}  # by key and question
        self._fetched: set[tuple[str, str]] = set()  # of those that were looked for
        self._routes: dict[tuple[str, str], tuple[str, Find, int]] = {
            ("person.clearbit.com", "/v2/people/find"): ("person", self._person, 1),
            ("person.clearbit.com", "/v2/combined/find"): ("combined", self._combined, 2),
            ("company.clearbit.com", "/v2/companies/find"): ("company", self._company, 1),
        }

    def _now(self) -> float:
        return self._clock().timestamp()

    def forget(self) -> None:
        """Forget what was looked for."""
        self._ready_at.clear()
        self._fetched.clear()

    def key_of(self, call: Call) -> str:
        """Return the Bearer token, or the user of Basic authentication."""
        if token := call.bearer():
            return token
        scheme, _, encoded = call.headers.get("Authorization", "").partition(" ")
        try:
            user = base64.b64decode(encoded, validate=True).decode().partition(":")[0]
        except (NotBase64, UnicodeDecodeError):
            return ""
        return user if scheme.lower() == "basic" else ""

    def refuse_key(self, call: Call) -> Answer:
        """Answer 401."""
        kind = "invalid_api_key" if self.key_of(call) else "auth_required"
        return _error(401, kind, "Invalid API key provided.")

    def refuse_credits(self, call: Call) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 402."""
        return _error(402, "over_quota", "You have used all of your lookups.")

    def refuse_rate(self, call: Call, retry_after_s: float) -> Answer:
        """Answer 429 without ``Retry-After``: the headers name the end of the window."""
        calls, used, _ = self._limits.room(self.name, self.key_of(call)) or (600, 600, 60)
        headers = {
            "x-ratelimit-limit": str(calls),
            "x-ratelimit-remaining": str(max(0, calls - used)),
            "x-ratelimit-reset": str(round(self._now() + retry_after_s)),
        }
        return _error(429, "rate_limit", "Rate limit exceeded.", headers)

    def room_headers(self, lefts: Sequence[Left]) -> dict[str, str]:
        """Return what is left of the window, and the moment at which it ends."""
        return {
            name: value
            for one in lefts[:1]
            for name, value in (
                ("x-ratelimit-limit", str(one.calls)),
                ("x-ratelimit-remaining", str(one.left)),
                ("x-ratelimit-reset", str(math.ceil(self._now() + one.reset_s))),
            )
        }

    def answer(self, call: Call) -> Answer:
        """Answer one call with a good key."""
        route = self._routes.get((call.host, call.path))
        if route is None:
            return _error(404, "unknown_route", "The URL you requested is unknown.")
        operation, find, credits_ = route
        asked = (call.query.get("email") or call.query.get("domain") or "").strip().lower()
        if not asked or ("@" in asked) == (operation == "company"):
            return _error(422, "params_invalid", "Invalid or missing parameter.")
        question = f"{operation}:{asked}"
        bought = (self.key_of(call), question)
        queued = draw(self._world.seed, "clearbit-queue", question) < QUEUED_SHARE
        if queued and self._now() < self._due(bought):
            return self._queue(call, bought, operation, find)
        record = find(call.query)
        if record is None:
            return _error(404, "unknown_record", "Unknown record.")
        charge = Charge(operation, question, credits_, credits_ * LOOKUP_MICROS)
        charges = () if bought in self._fetched else (charge,)
        self._fetched |= {bought} if queued else set()
        request_id = hex_id(self._world.seed, *bought, length=32)
        return json_answer(200, record, charges=charges, request_id=request_id)

    def _due(self, bought: tuple[str, str]) -> float:
        """Return when a question that is looked for has its answer, by the clock."""
        pace = draw(self._world.seed, "clearbit-pace", bought[1])
        slow_s = QUICKEST_S + pace * (SLOWEST_S - QUICKEST_S)
        return self._ready_at.setdefault(bought, self._now() + slow_s)

    def _queue(self, call: Call, bought: tuple[str, str], operation: str, find: Find) -> Answer:
        told = {"error": {"type": "queued", "message": "Your request has been queued."}}
        url = call.query.get("webhook_url")
        callbacks: tuple[Callback, ...] = ()
        if url:
            record = find(call.query)
            kind = {"combined": "person_company"}.get(operation, operation)
            body = json.dumps(
                {
                    "id": call.query.get("webhook_id"),
                    "type": kind,
                    "body": record,
                    "status": 200 if record else 404,
                }
            ).encode()
            secret = bought[0].removeprefix("sk_").removeprefix("pk_").encode()
            signature = f"sha1={hmac.new(secret, body, hashlib.sha1).hexdigest()}"
            wait_s = max(0.0, self._due(bought) - self._now())
            callbacks = (Callback(url, body, {"X-Request-Signature": signature}, wait_s),)
        return json_answer(202, told, callbacks=callbacks)

    def _person(self, params: Mapping[str, str]) -> Record | None:
        person = self._world.person_by_email(params.get("email", ""))
        believed = self._known.person(person) if person else None
        return person_record(person, believed) if person and believed else None

    def _company(self, params: Mapping[str, str]) -> Record | None:
        company = self._world.by_domain(params.get("domain", ""))
        believed = self._known.company(company) if company else None
        return _company(believed) if believed else None

    def _combined(self, params: Mapping[str, str]) -> Record | None:
        person = self._world.person_by_email(params.get("email", ""))
        known = self._known.person(person) if person else None
        company = self._known.company(person.company) if person else None
        if person is None or (known is None and company is None):
            return None
        return {
            "person": person_record(person, known) if known else None,
            "company": _company(company) if company else None,
        }


def _company(believed: Truth) -> Record:
    """Return a company's record; here the number of employees is one."""
    employees = believed.get("company_employee_count")
    metrics = {
        "employees": employees,
        "employeesRange": _range(employees) if isinstance(employees, int) else None,
        "annualRevenue": believed.get("company_revenue"),
    }
    return company_record(believed) | {"metrics": metrics}


def _range(employees: int) -> str:
    return next((name for most, name in _RANGES if employees <= most), "100K+")


def _error(
    status: int, kind: str, message: str, headers: Mapping[str, str] | None = None
) -> Answer:
    return json_answer(status, {"error": {"type": kind, "message": message}}, headers=headers)
