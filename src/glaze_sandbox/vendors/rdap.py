"""RDAP: IANA's bootstrap file, one registry that knows dates alone, one registrar that knows owners.

Some registrants are public, most are redacted, some hide behind a privacy service.
"""

from glaze_sandbox.seeded import draw
from glaze_sandbox.vendors.keyless import Keyless
from glaze_sandbox.wire import Answer, Call, json_answer
from glaze_sandbox.world.entities import Company
from glaze_sandbox.world.places import BY_CODE
from glaze_sandbox.world.population import World
from glaze_sandbox.world.registers import domain_created

IANA, REGISTRY, REGISTRAR = "data.iana.org", "rdap.registry-hub.net", "rdap.registrar-hub.net"
PUBLIC_SHARE, PROXY_SHARE = 0.25, 0.3  # of the domains: registrant public, or behind a service
AGENCY_SHARE = 0.04  # of the public ones: registered by somebody's agency
_ENDS = ["com", "fr", "uk", "nl", "au", "ca"]  # .de, .es, .it and .jp have no server


class Rdap(Keyless):
    """Plays the bootstrap file, the registry and the registrar."""

    name = "rdap"
    hosts = (IANA, REGISTRY, REGISTRAR)

    def __init__(self, world: World) -> None:
        """Draw the registrations out of ``world``."""
        self._world = world

    def answer(self, call: Call) -> Answer:
        """Answer for the host that was asked."""
        if call.host == IANA:
            services = [[_ENDS, [f"http://{REGISTRY}/v1/", f"https://{REGISTRY}/v1/"]]]
            return json_answer(200, {"version": "1.0", "services": services})
        domain = call.path.rpartition("/domain/")[2].lower()
        company = self._world.by_domain(domain)
        if company is None or domain != company.domain:
            return json_answer(404, {"errorCode": 404, "title": "Not Found"})
        record = _registry_record(company)
        if call.host == REGISTRAR:
            record["entities"] = [_registrant(company)]
            record["links"] = []
        return json_answer(200, record)


def _registry_record(company: Company) -> dict[str, object]:
    link = {"rel": "related", "href": f"https://{REGISTRAR}/domain/{company.domain}"}
    return {
        "objectClassName": "domain",
        "ldhName": company.domain.upper(),
        "status": ["active"],
        "events": [
            {"eventAction": "expiration", "eventDate": "2030-01-01T00:00:00Z"},
            {"eventAction": "registration", "eventDate": f"{domain_created(company)}T04:00:00Z"},
        ],
        "entities": [{"objectClassName": "entity", "roles": ["registrar"], "handle": "1"}],
        "links": [link | {"type": "application/rdap+json"}],
    }


def _registrant(company: Company) -> dict[str, object]:
    chance = draw("rdap", company.domain)
    if chance < PUBLIC_SHARE:
        agency = draw("rdap", "agency", company.domain) < AGENCY_SHARE
        name = "Pixel & Partner Webagentur" if agency else company.legal_name
    else:
        hidden = chance < PUBLIC_SHARE + PROXY_SHARE
        name = "Domains By Proxy, LLC" if hidden else "REDACTED FOR PRIVACY"
    country = BY_CODE[company.address.country].name
    address = ["", "", company.address.street, company.address.city, "", "", country]
    card: list[list[object]] = [
        ["version", {}, "text", "4.0"],
        ["fn", {}, "text", "Registration Private"],
        ["org", {}, "text", name],
        ["adr", {"cc": company.address.country}, "text", address],
    ]
    return {"objectClassName": "entity", "roles": ["registrant"], "vcardArray": ["vcard", card]}
