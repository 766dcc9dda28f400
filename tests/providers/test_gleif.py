"""GLEIF: the register's entry of this very company, and nobody else's."""

import pytest
from vendor_fake import VendorFake, ask, one, values

from glaze.model.provider import Unbilled, Verdict
from glaze.providers.gleif import gleif
from glaze_sandbox.world.registers import has_lei, register_truth

LEI, OTHER_LEI = "529900T8BM49AURSDO55", "54930084UKLVMY22DS16"


def entry(lei: str, name: str, country: str = "DE", **entity: object) -> dict:
    seat = {"addressLines": ["Ofenweg 3", "2. Stock"], "city": "Berlin", "region": "DE-BE",
            "country": country, "postalCode": "10115"}  # fmt: skip
    entity = {"legalName": {"name": name}, "legalAddress": seat, "status": "ACTIVE", **entity}
    return {"type": "lei-records", "id": lei, "attributes": {"lei": lei, "entity": entity}}


async def asked(*data: dict, **known: str):
    known = known or {"company_legal_name": "Acme GmbH", "company_country": "DE"}
    http = VendorFake.of({"data": [*data]})
    return await one(gleif, "entity", ask("company_lei", **known), http), http


async def test_an_entry_is_read_with_its_page() -> None:
    reply, http = await asked(
        entry(LEI, "ACME GMBH", registeredAs="HRB 12345 B", creationDate="1998-05-04T00:00:00Z")
    )
    assert (reply.verdict, reply.billing) == (Verdict.MATCH, Unbilled())
    assert values(reply) == {
        "company_lei": LEI,
        "company_legal_name": "ACME GMBH",
        "company_registration_number": "HRB12345B",
        "company_registry_ids": {"lei": LEI},
        "company_status": "active",
        "company_founded_date": "1998-05-04",
        "company_founded_year": 1998,
        "company_street": "Ofenweg 3",
        "company_city": "Berlin",
        "company_region": "Berlin",
        "company_postal_code": "10115",
        "company_country": "DE",
    }
    assert reply.readings[0].url == f"https://search.gleif.org/#/record/{LEI}"
    assert http.sent[0].params["filter[entity.legalName]"] == "Acme GmbH"


@pytest.mark.parametrize(
    "other",
    [
        entry(LEI, "Acme GmbH", "AT"),
        entry(LEI, "Acme AG"),
        entry(LEI, "Acme Pension GmbH"),
        entry(LEI, "Acme GmbH", category="FUND"),
    ],
    ids=["another country", "another legal form", "a longer name", "a fund"],
)
async def test_a_namesake_is_not_the_company(other: dict) -> None:
    reply, _ = await asked(other)
    assert reply.verdict is Verdict.NO_MATCH
    assert reply.readings == ()
    both, _ = await asked(other, entry(OTHER_LEI, "Acme GmbH"))
    assert values(both)["company_lei"] == OTHER_LEI


async def test_the_confidence_and_the_detail_say_how_it_matched() -> None:
    legal, _ = await asked(entry(LEI, "Acme GmbH"))
    shown, _ = await asked(entry(LEI, "Acme GmbH"), company_name="Acme", company_country="DE")
    assert (legal.readings[0].confidence, legal.detail) == (90, "matched by legal name and country")
    assert (shown.readings[0].confidence, shown.detail) == (80, "matched by name and country")


async def test_two_companies_of_one_name_are_nobody() -> None:
    known = {"company_name": "Acme", "company_country": "DE"}
    reply, _ = await asked(entry(LEI, "Acme GmbH"), entry(OTHER_LEI, "Acme AG"), **known)
    assert (reply.verdict, reply.readings) == (Verdict.NO_MATCH, ())
    assert "2 entries" in reply.detail


async def test_an_identifier_leads_to_its_entry_and_a_false_one_is_left_out() -> None:
    http = VendorFake.of({"data": entry(LEI, "Acme GmbH")})
    reply = await one(gleif, "entity", ask("x", company_lei=LEI), http)
    assert http.sent[0].url.endswith(f"/lei-records/{LEI}")
    assert reply.readings[0].confidence == 95
    other, _ = await asked(entry("529900T8BM49AURSDO56", "Acme GmbH"))
    assert not {"company_lei", "company_registry_ids"} & values(other).keys()
    assert "check digits" in " ".join(other.notes)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(404, Verdict.NO_MATCH), (429, Verdict.RATE_LIMITED), (503, Verdict.VENDOR_ERROR)],
)
async def test_its_status_habits(status: int, verdict: Verdict) -> None:
    http = VendorFake(status, b'{"errors":[{"title":"no"}]}', {"retry-after": "7"})
    reply = await one(gleif, "entity", ask("x", company_lei=LEI), http)
    assert (reply.verdict, reply.billing, reply.retry_after_s) == (verdict, Unbilled(), 7)


async def test_in_the_sandbox_every_answer_is_the_company_and_no_namesake(sandbox, http_of) -> None:
    matched = 0
    for company in sandbox.state.world.companies():
        known = {"company_name": company.name, "company_country": company.address.country}
        reply = await one(gleif, "entity", ask("x", **known), http_of(gleif))
        found = values(reply)
        matched += bool(found)
        if found:
            assert has_lei(company)
            assert found["company_lei"] == register_truth(company)["company_lei"]
            assert found["company_legal_name"] == company.legal_name
    assert matched > 8
