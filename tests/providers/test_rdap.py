"""RDAP: dates for nearly all, owners for few, and nobody's cover taken for an owner."""

import json
from dataclasses import dataclass, field

import pytest
from vendor_fake import VendorFake, ask, one, values

from glaze.errors import ConnectFailed
from glaze.model.provider import Unbilled, VendorResponse, Verdict
from glaze.providers.rdap import Rdap, rdap
from glaze_sandbox.vendors.rdap import PUBLIC_SHARE
from glaze_sandbox.world.registers import domain_created

BOOTSTRAP = {"services": [[["com", "uk"], ["http://old.test/", "https://registry.test/v1/"]],
                          [["co.uk"], ["https://couk.test"]]]}  # fmt: skip
EVENTS = [{"eventAction": "registration", "eventDate": "1999-04-01T12:00:00Z"}]


def registrant(*lines: list, roles: tuple[str, ...] = ("registrant",)) -> dict:
    return {"roles": [*roles], "vcardArray": ["vcard", [*lines]]}


def org(name: object, cc: str = "DE") -> dict:
    return registrant(["org", {}, "text", name], ["adr", {"cc": cc}, "text", [""] * 7])


@dataclass
class Registries(VendorFake):
    """Answers by URL; what is not there is 404, and an error is raised."""

    pages: dict[str, object] = field(default_factory=dict)
    base_url: str = ""

    async def request(self, method, url, **more) -> VendorResponse:
        await super().request(method, url, **more)
        page = self.pages.get(url, 404)
        if isinstance(page, Exception):
            raise page
        status, body = (page, {}) if isinstance(page, int) else (200, page)
        return VendorResponse(status, {}, json.dumps(body).encode(), url)


def registries(domain: object, **more: object) -> Registries:
    return Registries(
        pages={
            "https://data.iana.org/rdap/dns.json": BOOTSTRAP,
            "https://registry.test/v1/domain/acme.com": domain,
            **more,
        }
    )


def named(**more: object) -> dict:
    return {"ldhName": "ACME.COM", "events": EVENTS, **more}


async def asked(http: Registries, domain: str = "acme.com", provider: Rdap | None = None):
    known = ask("company_domain_created", company_domain=domain)
    return await one(provider or Rdap(), "registration", known, http)


async def test_a_public_organisation_and_the_day_of_registration_are_read() -> None:
    http = registries(named(entities=[org("Acme GmbH")]))
    reply = await asked(http)
    assert (reply.verdict, reply.billing) == (Verdict.MATCH, Unbilled())
    assert values(reply) == {
        "company_domain_created": "1999-04-01",
        "company_legal_name": "Acme GmbH",
        "company_country": "DE",
    }
    assert reply.readings[0].url == "https://registry.test/v1/domain/acme.com"


@pytest.mark.parametrize(
    "name",
    ["REDACTED FOR PRIVACY", "Domains By Proxy, LLC", "Privacy service provided by Withheld",
     "Data Protected", "Contact Privacy Inc.", "Not Disclosed", "N/A", "On behalf of acme.com owner",
     "Super Privacy Service LTD c/o Dynadot", "Statutory Masking Enabled"],
)  # fmt: skip
async def test_a_cover_is_no_owner_and_its_country_not_the_companys(name: str) -> None:
    reply = await asked(registries(named(entities=[org(name, "US")])))
    assert values(reply) == {"company_domain_created": "1999-04-01"}
    assert reply.detail == "the registrant is not public"


async def test_a_person_who_registered_a_domain_is_not_read() -> None:
    person = registrant(["fn", {}, "text", "Jane Doe"], ["kind", {}, "text", "individual"])
    reply = await asked(registries(named(entities=[person])))
    assert "Jane" not in str(reply.readings)


async def test_where_the_registry_knows_dates_alone_the_registrar_is_asked() -> None:
    link = {"rel": "related", "type": "application/rdap+json", "href": "https://registrar.test/d"}
    full = {"ldhName": "acme.com", "entities": [org(["Acme GmbH", "IT"])]}
    reply = await asked(registries(named(links=[link]), **{"https://registrar.test/d": full}))
    assert values(reply)["company_legal_name"] == "Acme GmbH"
    owner = next(r for r in reply.readings if r.field == "company_legal_name")
    assert (owner.url, owner.quote) == ("https://registrar.test/d", "Acme GmbH")
    away = registries(named(links=[link]), **{"https://registrar.test/d": ConnectFailed("refused")})
    assert "registrar did not answer" in (await asked(away)).notes[0]
    other = {"ldhName": "umbrella.com", "entities": [org("Umbrella")]}
    reply = await asked(registries(named(links=[link]), **{"https://registrar.test/d": other}))
    assert "company_legal_name" not in values(reply)


async def test_the_longest_end_of_a_domain_has_its_registry_and_some_have_none() -> None:
    http = registries(404)
    reply = await asked(http, "acme.co.uk")
    assert http.sent[-1].url == "https://couk.test/domain/acme.co.uk"
    assert reply.verdict is Verdict.NO_MATCH
    reply = await asked(http, "acme.de")
    assert (reply.verdict, "no registry" in reply.detail) == (Verdict.NO_MATCH, True)


async def test_the_bootstrap_file_is_read_once_and_again_when_a_registry_is_gone() -> None:
    http, provider = registries(named()), Rdap()
    for _ in range(3):
        await asked(http, provider=provider)
    assert [sent.url.rpartition("/")[2] for sent in http.sent].count("dns.json") == 1
    http.pages["https://registry.test/v1/domain/acme.com"] = ConnectFailed("no route")
    with pytest.raises(ConnectFailed):
        await asked(http, provider=provider)
    http.pages["https://registry.test/v1/domain/acme.com"] = named()
    assert (await asked(http, provider=provider)).verdict is Verdict.MATCH
    assert [sent.url.rpartition("/")[2] for sent in http.sent].count("dns.json") == 2


async def test_a_bootstrap_file_that_is_gone_says_nothing_of_a_domain() -> None:
    assert (await asked(Registries())).verdict is Verdict.VENDOR_ERROR
    unknown = await asked(registries(404))
    assert unknown.verdict is Verdict.NO_MATCH


async def test_in_the_sandbox_dates_are_true_and_an_owner_is_the_company_or_its_agency(
    sandbox, http_of
) -> None:
    owners = dates = 0
    for company in sandbox.state.world.companies():
        found = values(await asked(http_of(rdap), company.domain, rdap))
        if found:
            dates += found["company_domain_created"] == domain_created(company)
        if name := found.get("company_legal_name"):
            owners += name == company.legal_name
            assert found["company_country"] == company.address.country
    assert dates > 20
    assert 2 < owners < 2 * PUBLIC_SHARE * 60
