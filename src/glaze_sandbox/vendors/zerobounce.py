"""ZeroBounce: validation of one address or a hundred.

Shapes follow the vendor's SDK. "unknown" is never charged; the vendor's own sample addresses
(``valid@example.com`` and the like) cost nothing; an empty account and a bad key are told by the
same text, in a batch as an error of the address "all".
"""

import re
from collections.abc import Callable

from glaze_sandbox.billing import Clock
from glaze_sandbox.mailboxes import Mailbox, mailbox_of
from glaze_sandbox.seeded import draw, hex_id
from glaze_sandbox.wire import Answer, Call, Charge, json_answer
from glaze_sandbox.world.population import World

VALIDATION_MICROS = 10_000
BATCH_MOST = 100
UNKNOWN_SHARE = 0.06  # of the addresses: the mail server did not say
WRONG_SHARE = 0.01
SPAMTRAP_SHARE = 0.004
ABUSE_SHARE = 0.008
_NO_KEY = "Invalid API key or your account ran out of credits"
_SAMPLE_DOMAIN = "@example.com"
_SAMPLES = {
    "valid": ("valid", ""),
    "invalid": ("invalid", "mailbox_not_found"),
    "disposable": ("do_not_mail", "disposable"),
    "catch_all": ("catch-all", ""),
    "unknown": ("unknown", "mail_server_temporary_error"),
    "spamtrap": ("spamtrap", ""),
    "abuse": ("abuse", ""),
    "donotmail": ("do_not_mail", "role_based"),
}
_STATUS = {
    Mailbox.PERSON: ("valid", ""),
    Mailbox.ROLE: ("do_not_mail", "role_based"),
    Mailbox.ACCEPT_ALL: ("catch-all", ""),
    Mailbox.WEBMAIL: ("valid", ""),
    Mailbox.DISPOSABLE: ("do_not_mail", "disposable"),
    Mailbox.ABSENT: ("invalid", "mailbox_not_found"),
    Mailbox.NO_MAIL: ("invalid", "no_dns_entries"),
}
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

Record = dict[str, object]


class ZeroBounce:
    """Plays ``api.zerobounce.net``."""

    name = "zerobounce"
    hosts = ("api.zerobounce.net",)

    def __init__(self, world: World, clock: Clock) -> None:
        """Validate the addresses of ``world``; ``clock`` dates the answers."""
        self._world = world
        self._clock = clock
        self._requests = 0
        self._routes: dict[tuple[str, str], Callable[[Call], Answer]] = {
            ("GET", "/v2/validate"): self._validate,
            ("POST", "/v2/validatebatch"): self._batch,
            ("GET", "/v2/getcredits"): self._credits,
        }

    def key_of(self, call: Call) -> str:
        """Return the key of the query, or of the body in a batch."""
        body = call.json()
        in_body = body.get("api_key") if isinstance(body, dict) else None
        return call.query.get("api_key", "") or (in_body if isinstance(in_body, str) else "")

    def refuse_key(self, call: Call) -> Answer:
        """Answer 200 with a text that leaves open what is wrong."""
        if call.path.endswith("/validatebatch"):
            errors = [{"error": _NO_KEY, "email_address": "all"}]
            return json_answer(200, {"email_batch": [], "errors": errors})
        return json_answer(200, {"error": _NO_KEY})

    def refuse_credits(self, call: Call) -> Answer:
        """Answer as to a bad key: that is this vendor's way."""
        return self.refuse_key(call)

    def refuse_rate(self, call: Call, retry_after_s: float) -> Answer:  # noqa: ARG002  it names no time
        """Answer 429, without saying for how long."""
        return json_answer(429, {"error": "Too many requests"})

    def answer(self, call: Call) -> Answer:
        """Answer one call with a good key."""
        route = self._routes.get((call.method, call.path.rstrip("/")))
        if route is None:
            return json_answer(404, {"error": "Not found"})
        self._requests += 1
        return route(call)

    def _respond(self, body: object, charges: list[Charge]) -> Answer:
        request_id = hex_id(self._world.seed, "zerobounce", self._requests, length=32)
        return json_answer(200, body, charges=tuple(charges), request_id=request_id)

    def _validate(self, call: Call) -> Answer:
        email = call.query.get("email", "").strip()
        if not _ADDRESS.fullmatch(email):
            return json_answer(400, {"error": "The email is not valid"})
        record, charge = self._judge(email)
        return self._respond(record, [charge] if charge else [])

    def _batch(self, call: Call) -> Answer:
        body = call.json()
        batch = body.get("email_batch") if isinstance(body, dict) else None
        if not isinstance(batch, list) or not 1 <= len(batch) <= BATCH_MOST:
            return json_answer(400, {"error": f"Between 1 and {BATCH_MOST} addresses"})
        if not isinstance(body, dict) or not isinstance(body.get("timeout", ""), str):
            return json_answer(400, {"error": "timeout is a string"})
        records: list[Record] = []
        errors: list[Record] = []
        charges: list[Charge] = []
        for one in batch:
            email = str(one.get("email_address", "")) if isinstance(one, dict) else ""
            if not _ADDRESS.fullmatch(email.strip()):
                errors.append({"error": "The email is not valid", "email_address": email})
                continue
            record, charge = self._judge(email.strip())
            records.append(record)
            charges += [charge] if charge else []
        return self._respond({"email_batch": records, "errors": errors}, charges)

    def _judge(self, email: str) -> tuple[Record, Charge | None]:
        status, sub_status = self._status(email.lower())
        local, _, domain = email.rpartition("@")
        person = self._world.person_by_email(email)
        sample = email.lower().endswith(_SAMPLE_DOMAIN)
        record: Record = {
            "address": email,
            "status": status,
            "sub_status": sub_status,
            "free_email": mailbox_of(self._world, email) is Mailbox.WEBMAIL,
            "did_you_mean": None,
            "account": local,
            "domain": domain,
            "domain_age_days": "4000",
            "smtp_provider": "",
            "mx_found": "false" if sub_status == "no_dns_entries" else "true",
            "mx_record": None,
            "firstname": person.first_name if person and status == "valid" else None,
            "lastname": person.last_name if person and status == "valid" else None,
            "gender": None,
            "country": None,
            "processed_at": self._clock().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3],
        }
        if status == "unknown" or sample:
            return record, None
        return record, Charge("validate", f"email:{email.lower()}", 1, VALIDATION_MICROS)

    def _status(self, email: str) -> tuple[str, str]:
        local, _, _ = email.rpartition("@")
        if email.endswith(_SAMPLE_DOMAIN):
            return _SAMPLES.get(local, ("invalid", "mailbox_not_found"))
        chance = draw(self._world.seed, "zerobounce", email)
        for share, status, why in (
            (UNKNOWN_SHARE, "unknown", "timeout_exceeded"),
            (SPAMTRAP_SHARE, "spamtrap", ""),
            (ABUSE_SHARE, "abuse", ""),
        ):
            if chance < share:
                return status, why
            chance -= share
        true = _STATUS[mailbox_of(self._world, email)]
        if chance < WRONG_SHARE:
            return {"valid": ("invalid", "mailbox_not_found"), "invalid": ("valid", "")}.get(
                true[0], true
            )
        return true

    def _credits(self, call: Call) -> Answer:  # noqa: ARG002  the same for every key
        return json_answer(200, {"Credits": "1000000"})
