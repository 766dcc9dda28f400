"""Companies House: every British company of the world, and dissolved ones that bore the same name."""

from base64 import b64decode
from binascii import Error

from glaze_sandbox.billing import Clock
from glaze_sandbox.seeded import draw
from glaze_sandbox.wire import Answer, Call, json_answer
from glaze_sandbox.world.entities import Company
from glaze_sandbox.world.make import slugify
from glaze_sandbox.world.population import World
from glaze_sandbox.world.registers import digits, founded_date, registration_number, sic

HERE = "GB"
PREDECESSORS = 0.3  # share of the companies whose name a dissolved one bore, too
MOVED = 0.06  # share whose office in the register is an accountant's


class CompaniesHouse:
    """Plays ``api.company-information.service.gov.uk``."""

    name = "companies_house"
    hosts = ("api.company-information.service.gov.uk",)

    def __init__(self, world: World, clock: Clock) -> None:
        """Draw the register out of ``world``; ``clock`` says when a window ends."""
        self._world = world
        self._clock = clock

    def key_of(self, call: Call) -> str:
        """Return the user of HTTP Basic."""
        scheme, _, token = call.headers.get("Authorization", "").partition(" ")
        try:
            user = b64decode(token, validate=True).decode().partition(":")[0]
        except (Error, UnicodeDecodeError):
            return ""
        return user if scheme.lower() == "basic" else ""

    def refuse_key(self, call: Call) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 401."""
        return json_answer(401, {"error": "Invalid Authorization", "type": "ch:service"})

    def refuse_rate(self, call: Call, retry_after_s: float) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 429 without a body, with the moment at which the window ends."""
        ends = int(self._clock().timestamp() + max(1, round(retry_after_s)))
        headers = {"X-Ratelimit-Remain": "0", "X-Ratelimit-Reset": str(ends)}
        return Answer(429, b"", headers=headers)

    def answer(self, call: Call) -> Answer:
        """Answer a search or one company."""
        if call.path == "/search/companies":
            return self._search(call.query.get("q", ""))
        number = call.path.removeprefix("/company/")
        for company in self._world.companies():
            if company.address.country == HERE and registration_number(company) == number:
                return json_answer(200, _profile(company))
        error = {"error": "company-profile-not-found", "type": "ch:service"}
        return json_answer(404, {"errors": [error]})

    def _search(self, name: str) -> Answer:
        company = self._world.by_name(name)
        items: list[dict[str, object]] = []
        if company is not None and company.address.country == HERE:
            items = [
                _hit(company.legal_name, registration_number(company), "active"),
                _hit(f"{company.name} HOLDINGS LTD", digits(company, "holding", 8), "active"),
            ]
            if draw("companies-house", company.domain) < PREDECESSORS:
                items.insert(0, _hit(company.legal_name, digits(company, "old", 8), "dissolved"))
        return json_answer(200, {"items": items, "total_results": len(items)})


def _hit(title: str, number: str, status: str) -> dict[str, object]:
    return {
        "kind": "searchresults#company",
        "title": title.upper(),
        "company_number": number,
        "company_status": status,
    }


def _profile(company: Company) -> dict[str, object]:
    office = company.address
    moved = draw("companies-house", "office", company.domain) < MOVED
    return {
        "company_name": company.legal_name.upper(),
        "company_number": registration_number(company),
        "company_status": "active",
        "type": "plc" if company.legal_name.endswith("PLC") else "ltd",
        "date_of_creation": founded_date(company),
        "jurisdiction": "england-wales",
        "sic_codes": [sic(company)],
        "registered_office_address": {
            "address_line_1": "1 Ledger Court" if moved else office.street,
            "locality": "London" if moved else office.city,
            "region": None if moved else office.region,
            "postal_code": office.postal_code,
            "country": "England",
        },
        "etag": slugify(company.domain),
    }
