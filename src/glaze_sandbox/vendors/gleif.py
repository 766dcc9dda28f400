"""GLEIF: legal entity identifiers as JSON:API, free and without a key.

The index also holds namesakes: the same name in another country or with another legal form.
"""

import re
from collections.abc import Iterator

from glaze_sandbox.knowledge import GLEIF, Knowledge
from glaze_sandbox.seeded import draw
from glaze_sandbox.vendors.keyless import Keyless
from glaze_sandbox.wire import Answer, Call, json_answer
from glaze_sandbox.world.entities import Company, Truth
from glaze_sandbox.world.places import BY_CODE, COUNTRIES
from glaze_sandbox.world.population import World
from glaze_sandbox.world.registers import all_truth, has_lei, lei_of

NAMESAKES = 0.3  # share of the companies that have one
_PREFIX = "/api/v1/lei-records"


class Gleif(Keyless):
    """Plays ``api.gleif.org``."""

    name = "gleif"
    hosts = ("api.gleif.org",)

    def __init__(self, world: World) -> None:
        """Draw the entries out of ``world``."""
        self._world = world
        self._known = Knowledge(GLEIF, world, all_truth)

    def answer(self, call: Call) -> Answer:
        """Answer a search by legal name, or one entry by its identifier."""
        if not call.path.startswith(_PREFIX) or call.method != "GET":
            return _error(404, "Not Found")
        lei = call.path.removeprefix(_PREFIX).strip("/")
        if lei:
            return self._entry(lei)
        name = call.query.get("filter[entity.legalName]", "")
        country = call.query.get("filter[entity.legalAddress.country]", "")
        if not name:
            return _error(400, "The filter is missing")
        found = [
            record for record in self._named(name) if not country or _country(record) == country
        ]
        return json_answer(200, {"meta": {"pagination": {"total": len(found)}}, "data": found})

    def _entry(self, lei: str) -> Answer:
        for company in self._world.companies():
            if has_lei(company) and lei_of(company.domain) == lei:
                believed = self._known.company(company)
                if believed is not None:
                    return json_answer(200, {"data": _record(company, believed, lei)})
        return _error(404, f"LEI record {lei} not found")

    def _named(self, name: str) -> Iterator[dict[str, object]]:
        company = self._world.by_name(name)
        if company is None:
            return
        believed = self._known.company(company) if has_lei(company) else None
        if believed is not None:
            yield _record(company, believed, lei_of(company.domain))
        if draw("gleif", "namesake", company.domain) < NAMESAKES:
            for believed_of in (_elsewhere, _other_form):
                other = believed_of(company)
                yield _record(company, other, lei_of("namesake", company.domain, other))


def _elsewhere(company: Company) -> Truth:
    """Return a namesake in another country."""
    places = [country for country in COUNTRIES if country.code != company.address.country]
    country = places[company.index % len(places)]
    legal_name = f"{company.name} {country.legal_forms[0]}"
    return {
        "company_legal_name": legal_name,
        "company_country": country.code,
        "company_city": country.cities[0].name,
        "company_registration_number": "11111111",
    }


def _other_form(company: Company) -> Truth:
    """Return a company of the same country whose name has one word more."""
    form = BY_CODE[company.address.country].legal_forms[0]
    return {
        "company_legal_name": f"{company.name} Pension {form}",
        "company_country": company.address.country,
        "company_city": company.address.city,
        "company_registration_number": "22222222",
    }


def _country(record: dict[str, object]) -> object:
    found: object = record
    for step in ("attributes", "entity", "legalAddress", "country"):
        found = found[step] if isinstance(found, dict) else None
    return found


def _record(company: Company, believed: Truth, lei: str) -> dict[str, object]:
    address = {
        "language": company.language,
        "addressLines": [believed["company_street"]] if "company_street" in believed else [],
        "city": believed.get("company_city"),
        "region": None,
        "country": believed.get("company_country"),
        "postalCode": believed.get("company_postal_code"),
    }
    created = believed.get("company_founded_date")
    registered_as = str(believed.get("company_registration_number", ""))
    entity = {
        "legalName": {"name": believed.get("company_legal_name"), "language": company.language},
        "otherNames": [],
        "legalAddress": address,
        "headquartersAddress": address,
        "registeredAt": {"id": "RA000242", "other": None},
        "registeredAs": re.sub(r"^HRB", "HRB ", registered_as) or None,
        "jurisdiction": believed.get("company_country"),
        "category": "GENERAL",
        "legalForm": {"id": "8888", "other": None},
        "status": "ACTIVE",
        "creationDate": f"{created}T00:00:00Z" if created else None,
    }
    lapsed = draw("gleif", "lapsed", lei) < GLEIF.stale
    registration = {
        "status": "LAPSED" if lapsed else "ISSUED",
        "corroborationLevel": "FULLY_CORROBORATED",
    }
    attributes = {"lei": lei, "entity": entity, "registration": registration}
    return {"type": "lei-records", "id": lei, "attributes": attributes}


def _error(status: int, title: str) -> Answer:
    return json_answer(status, {"errors": [{"status": str(status), "title": title}]})
