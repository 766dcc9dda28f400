"""Companies House: the living company of this very name, from the register itself."""

import json
from base64 import b64encode
from dataclasses import dataclass, field

import pytest
from vendor_fake import VendorFake, ask, one, values

from glaze.model.provider import Unbilled, VendorResponse, Verdict
from glaze.providers.companies_house import companies_house
from glaze_sandbox.world.registers import register_truth

KNOWN = {"company_legal_name": "Acme Widgets Limited", "company_country": "GB"}
PROFILE = {
    "company_name": "ACME WIDGETS LTD",
    "company_number": "01234567",
    "company_status": "active",
    "type": "ltd",
    "date_of_creation": "1998-05-04",
    "sic_codes": ["62012", "62020"],
    "registered_office_address": {"premises": "12", "address_line_1": "Kiln Street",
                                  "locality": "Leeds", "postal_code": "LS1 4AP"},
}  # fmt: skip


def hit(title: str, number: str = "01234567", status: str = "active") -> dict:
    return {"title": title, "company_number": number, "company_status": status}


@dataclass
class Register(VendorFake):
    """A register with these hits; any number is the same company's."""

    hits: list[dict] = field(default_factory=list)

    async def request(self, method, url, **more) -> VendorResponse:
        await super().request(method, url, **more)
        number = url.rpartition("/")[2]
        found = (
            {"items": self.hits} if number == "companies" else PROFILE | {"company_number": number}
        )
        return VendorResponse(200, {}, json.dumps(found).encode(), url)


async def asked(*hits: dict, **known: str):
    http = Register(hits=[*hits])
    known = known or KNOWN
    return await one(companies_house, "company", ask("company_sic", **known), http), http


async def test_a_company_is_read_with_its_page() -> None:
    reply, http = await asked(hit("ACME WIDGETS LTD"))
    assert (reply.verdict, reply.billing) == (Verdict.MATCH, Unbilled())
    assert values(reply) == {
        "company_legal_name": "ACME WIDGETS LTD",
        "company_registration_number": "01234567",
        "company_registry_ids": {"companies_house": "01234567"},
        "company_status": "active",
        "company_founded_date": "1998-05-04",
        "company_founded_year": 1998,
        "company_type": "Private limited company",
        "company_sic": ["62012", "62020"],
        "company_street": "12 Kiln Street",
        "company_city": "Leeds",
        "company_postal_code": "LS1 4AP",
        "company_country": "GB",
    }
    assert (reply.readings[0].confidence, reply.detail) == (90, "matched by legal name and country")
    assert http.sent[0].params["q"] == "Acme Widgets Limited"
    token = b64encode(b"secret-key:").decode()
    assert {sent.headers["Authorization"] for sent in http.sent} == {f"Basic {token}"}


@pytest.mark.parametrize("title", ["ACME WIDGETS PLC", "ACME WIDGETS HOLDINGS LTD", "ACME LTD"])
async def test_a_namesake_is_not_the_company(title: str) -> None:
    reply, http = await asked(hit(title))
    assert (reply.verdict, len(http.sent)) == (Verdict.NO_MATCH, 1)


async def test_the_living_company_goes_before_the_dissolved_one_of_its_name() -> None:
    dead = hit("ACME WIDGETS LTD", "00000001", "dissolved")
    reply, _ = await asked(dead, hit("ACME WIDGETS LTD"))
    assert values(reply)["company_registration_number"] == "01234567"
    reply, _ = await asked(dead)
    assert values(reply)["company_registration_number"] == "00000001"
    living = hit("ACME WIDGETS LIMITED", "00000002")
    reply, _ = await asked(dead, living, hit("ACME WIDGETS LTD"))
    assert "2 entries" in reply.detail


async def test_a_company_elsewhere_is_not_asked_about() -> None:
    reply, http = await asked(company_legal_name="Acme GmbH", company_country="DE")
    assert (reply.verdict, http.sent) == (Verdict.BAD_INPUT, [])


@pytest.mark.parametrize(
    ("status", "headers", "verdict", "wait_s"),
    [
        (401, {}, Verdict.AUTH, None),
        (429, {"x-ratelimit-reset": "90"}, Verdict.RATE_LIMITED, 90),
        (502, {}, Verdict.VENDOR_ERROR, None),
        (200, {}, Verdict.VENDOR_ERROR, None),
    ],
)
async def test_its_status_habits(status, headers, verdict, wait_s) -> None:
    http = VendorFake(status, b"{}", headers)
    reply = await one(companies_house, "company", ask("x", **KNOWN), http)
    assert (reply.verdict, reply.billing, reply.retry_after_s) == (verdict, Unbilled(), wait_s)


async def test_in_the_sandbox_every_answer_is_the_company_and_no_namesake(sandbox, http_of) -> None:
    british = 0
    for company in sandbox.state.world.companies():
        known = {"company_name": company.name, "company_country": company.address.country}
        reply = await one(companies_house, "company", ask("x", **known), http_of(companies_house))
        if found := values(reply):
            british += 1
            true = register_truth(company)
            assert found["company_registration_number"] == true["company_registration_number"]
            assert found["company_founded_date"] == true["company_founded_date"]
    here = [one for one in sandbox.state.world.companies() if one.address.country == "GB"]
    assert british == len(here) > 5
    bad = await one(companies_house, "company", ask("x", **KNOWN), http_of(companies_house, "real"))
    assert bad.verdict is Verdict.AUTH
