"""Exa: what an answer says it cost is what is settled; its objects must be about who is meant."""

import pytest
from vendor_fake import VendorFake, ask, one, sample_ask, values

from glaze.model.provider import Billed, BillingUnknown, Unbilled, Verdict
from glaze.providers.exa import exa

SEARCH = exa.spec.operation("company_search")


def answer(*rows: dict[str, object], total: object = 0.015) -> VendorFake:
    return VendorFake.of({"results": [*rows], "costDollars": {"total": total}})


def company(url: str, **properties: object) -> dict[str, object]:
    return {"url": url, "title": "x", "entities": [{"type": "company", "properties": properties}]}


ACME = company(
    "https://www.acme.com/",
    name="Acme",
    description="Maker of anvils.",
    foundedYear=1998,
    workforce={"total": 1600},
    headquarters={"city": "Munich", "country": "Germany"},
    financials={"revenueAnnual": 5_500_000},
)


async def test_a_typed_object_states_the_companys_facts() -> None:
    http = answer(company("https://globex.com", name="Globex", foundedYear=1901), ACME)
    found = values(await one(exa, "company_search", ask("x", company_domain="acme.com"), http))
    assert found["company_founded_year"] == 1998
    assert found["company_employee_count"] == 1600
    assert found["company_size"] == "1001-5000"
    assert found["company_revenue"] == 5_500_000
    assert (found["company_city"], found["company_country"]) == ("Munich", "DE")
    assert found["company_description"] == "Maker of anvils."
    assert http.sent[0].json["category"] == "company"


async def test_a_namesakes_object_is_not_believed() -> None:
    asked = ask("x", company_domain="acme.org")
    reply = await one(exa, "company_search", asked, answer(ACME))
    assert (reply.verdict, reply.readings) == (Verdict.NO_MATCH, ())


async def test_a_linkedin_page_is_no_companys_site_even_where_the_object_is_its_own() -> None:
    page = company("https://www.linkedin.com/company/acme", name="Acme", foundedYear=1998)
    found = values(await one(exa, "company_search", ask("x", company_name="Acme"), answer(page)))
    assert found["company_founded_year"] == 1998
    assert "company_website" not in found


async def test_a_persons_object_names_the_job_and_the_employer_decides() -> None:
    job = {"title": "CTO", "company": {"name": "Acme"}}
    person = {"type": "person", "properties": {"name": "Jane Doe", "workHistory": [job]}}
    row = {"url": "https://www.linkedin.com/in/jane-2", "title": "Jane", "entities": [person]}
    asked = ask("x", person_full_name="Jane Doe", company_name="Acme GmbH")
    found = values(await one(exa, "person_linkedin_search", asked, answer(row)))
    assert found == {
        "person_linkedin_url": "https://www.linkedin.com/in/jane-2",
        "person_title": "CTO",
    }
    other = ask("x", person_full_name="Jane Doe", company_name="Globex")
    assert values(await one(exa, "person_linkedin_search", other, answer(row))) == {}


@pytest.mark.parametrize(
    ("total", "billing"),
    [
        (0.005, Billed(5_000)),
        (0.0123456, Billed(12_346)),
        (0, Unbilled()),
        (1, Billed(1_000_000)),
    ],
)
async def test_the_cost_that_an_answer_states_is_what_is_settled(total, billing) -> None:
    reply = await one(exa, "company_search", sample_ask(SEARCH), answer(total=total))
    assert reply.billing == billing


@pytest.mark.parametrize("total", [None, "free", -0.1, 11, True])
async def test_a_cost_that_cannot_be_believed_is_unknown(total) -> None:
    reply = await one(exa, "company_search", sample_ask(SEARCH), answer(total=total))
    assert isinstance(reply.billing, BillingUnknown)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (400, Verdict.BAD_INPUT),
        (401, Verdict.AUTH),
        (402, Verdict.OUT_OF_CREDITS),
        (403, Verdict.FORBIDDEN_PLAN),
        (429, Verdict.RATE_LIMITED),
        (503, Verdict.VENDOR_ERROR),
    ],
)
async def test_refusals_cost_nothing(status, verdict) -> None:
    http = VendorFake.of({"error": "no", "tag": "X"}, status)
    reply = await one(exa, "company_search", sample_ask(SEARCH), http)
    assert (reply.verdict, reply.billing) == (verdict, Unbilled())


async def test_what_a_broken_answer_cost_is_unknown() -> None:
    reply = await one(exa, "company_search", sample_ask(SEARCH), VendorFake.of({}, 500))
    assert isinstance(reply.billing, BillingUnknown)


async def test_the_sandbox_is_understood_and_its_bills_are_the_bills_stated(
    sandbox, http_of
) -> None:
    world = sandbox.state.world
    right = wrong = stated = people = 0
    for company_ in [*world.companies()][:30]:
        question = ask("company_domain", company_name=company_.name)
        reply = await one(exa, "company_search", question, http_of(exa))
        stated += reply.billing.micros
        right += values(reply).get("company_domain") == company_.domain
        wrong += values(reply).get("company_domain", company_.domain) != company_.domain
        person = world.people_of(company_)[0]
        question = ask("x", person_full_name=person.full_name, company_name=company_.name)
        reply = await one(exa, "person_linkedin_search", question, http_of(exa))
        stated += reply.billing.micros
        people += values(reply).get("person_linkedin_url") == person.linkedin_url
        wrong += (
            values(reply).get("person_linkedin_url", person.linkedin_url) != person.linkedin_url
        )
    assert wrong == 0
    assert min(right, people) > 15
    assert stated == sum(bill.micros for bill in sandbox.state.billing.bills)
