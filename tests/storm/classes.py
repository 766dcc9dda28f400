"""Three providers, one of each class, and the vendor that plays them: what may follow a lost answer.

Class A dedupes our key, class B answers a token for free, class C does neither.
"""

from collections.abc import Mapping, Sequence

from glaze.model.provider import (
    Ask,
    Billed,
    BillingUnknown,
    Operation,
    ProviderSpec,
    Reply,
    Resend,
    Unbilled,
    VendorHttp,
    VendorResponse,
    Verdict,
)
from glaze.model.value import FieldName, Micros, Reading
from glaze.model.vendor_body import parse_json, text_at
from glaze_sandbox.wire import Answer, Call, Charge, json_answer

PRICE = Micros(20_000)
DOMAIN = FieldName("company_domain")
TIMEOUT_S = 1.5
COLLECT_S = 120.0
FIELDS = {"class_a": "company_name", "class_b": "company_city", "class_c": "company_description"}
CLASSES = {
    "class_a": Resend.IDEMPOTENT,
    "class_b": Resend.COLLECT,
    "class_c": Resend.NEVER,
}


def host_of(name: str) -> str:
    """Return where a class's vendor answers."""
    return f"{name.replace('_', '-')}.com"


class Classed:
    """A provider of one field, whose operation is of one class."""

    def __init__(self, name: str) -> None:
        """Be called ``name``."""
        operation = Operation(
            name="look",
            needs=(frozenset({DOMAIN}),),
            gives={FieldName(FIELDS[name]): 90},
            price_micros=PRICE,
            timeout_s=TIMEOUT_S,
            resend=CLASSES[name],
            collect_s=COLLECT_S,
        )
        self.spec = ProviderSpec(name, (operation,), f"https://{host_of(name)}", limits=())

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Ask, under the call's own token as key."""
        del operation
        body = {"domain": asks[0].known[DOMAIN]}
        headers = {"authorization": f"Bearer {http.key}", "idempotency-key": http.token}
        url = f"{http.base_url}/look"
        return [self._read(await http.request("POST", url, headers=headers, json=body))]

    async def collect(self, operation: str, handle: str, ask: Ask, http: VendorHttp) -> Reply:
        """Fetch the answer to a token; one that nobody knows may still be under way."""
        del operation, ask
        headers = {"authorization": f"Bearer {http.key}"}
        response = await http.request("GET", f"{http.base_url}/look/{handle}", headers=headers)
        return (
            Reply(Verdict.PENDING, Unbilled()) if response.status == 404 else self._read(response)
        )

    def _read(self, response: VendorResponse) -> Reply:
        if response.status != 200:
            return Reply(Verdict.VENDOR_ERROR, Unbilled(), detail=f"HTTP {response.status}")
        value = text_at(parse_json(response.body), "value")
        if value is None:
            return Reply(Verdict.VENDOR_ERROR, BillingUnknown("half an answer"))
        reading = Reading(FieldName(FIELDS[self.spec.name]), value, 90)
        return Reply(Verdict.MATCH, Billed(PRICE), (reading,), raw=response.body)


class_a, class_b, class_c = map(Classed, CLASSES)


class ClassVendor:
    """Plays one class's vendor."""

    def __init__(self, name: str) -> None:
        """Be called ``name`` in bills."""
        self.name = name
        self.hosts = (host_of(name),)
        self.deduped = 0
        self._taken: dict[str, str] = {}  # token -> domain

    def key_of(self, call: Call) -> str:
        """Return the Bearer token."""
        return call.bearer()

    def answer(self, call: Call) -> Answer:
        """Answer a question, or give a known answer again."""
        if call.method == "GET":
            domain = self._taken.get(call.path.rpartition("/")[2])
            if self.name != "class_b" or domain is None:
                return json_answer(404, {"error": "unknown"})
            return json_answer(200, {"value": f"The {domain} company"})
        asked = call.json()
        assert isinstance(asked, Mapping)
        domain, token = str(asked["domain"]), call.headers["idempotency-key"]
        again = self.name == "class_a" and token in self._taken
        self.deduped += again
        self._taken[token] = domain
        charges = () if again else (Charge("look", domain, 1, PRICE),)
        return json_answer(200, {"value": f"The {domain} company"}, charges=charges)

    def refuse_key(self, call: Call) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 401."""
        return json_answer(401, {"error": "key"})

    def refuse_rate(self, call: Call, retry_after_s: float) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 429."""
        return json_answer(429, {"error": "slow down"})
