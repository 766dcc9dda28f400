"""Hunter: its credits, its odd status codes, its records, and the sandbox's bills."""

import pytest
from vendor_fake import VendorFake, ask, one, sample_ask, values

from glaze.model.provider import Billed, BillingUnknown, Unbilled, Verdict
from glaze.providers.hunter import CREDIT, hunter

OPERATIONS = [operation.name for operation in hunter.spec.operations]
ADA = {
    "name": {"fullName": "Ada Byron", "givenName": "Ada", "familyName": "Byron"},
    "email": "ada@acme.com",
    "timeZone": "Europe/London",
    "geo": {"city": "London", "state": "England", "countryCode": "GB"},
    "employment": {
        "domain": "acme.com",
        "name": "Acme",
        "title": "CTO",
        "role": "engineering",
        "seniority": "executive",
    },
    "linkedin": {"handle": "ada-byron"},
    "twitter": {"handle": "adabyron"},
    "phone": "+442079460958",
}
ACME = {
    "name": "Acme",
    "legalName": "Acme Ltd",
    "domain": "acme.com",
    "domainAliases": ["acme.co.uk", "not a domain"],
    "site": {"phoneNumbers": ["020 7946 0958"], "emailAddresses": ["Hello@Acme.com"]},
    "category": {"industry": "Machinery", "sicCode": "3569", "naics6Codes": ["333999", "332710"]},
    "geo": {"streetNumber": "1", "streetName": "Mill Lane", "city": "Leeds", "countryCode": "GB"},
    "metrics": {"employees": "51-200", "annualRevenue": 12000000},
    "linkedin": {"handle": "company/acme"},
    "crunchbase": {"handle": "organization/acme"},
    "identifiers": {"usEIN": "12-3456789"},
    "emailProvider": "google_workspace",
    "tech": ["nginx"],
}


async def test_the_finder_asks_by_name_and_domain_and_is_as_sure_as_the_score() -> None:
    found = {
        "email": "ada@acme.com",
        "score": 91,
        "position": "CTO",
        "verification": {"date": "2026-11-01", "status": "valid"},
    }
    http = VendorFake.of({"data": found, "meta": {}})
    question = ask("person_email", person_full_name="Ada Byron", company_domain="acme.com")
    reply = await one(hunter, "email_finder", question, http)
    (sent,) = http.sent
    assert (sent.method, sent.url) == ("GET", "https://vendor.example/email-finder")
    assert sent.params == {"full_name": "Ada Byron", "domain": "acme.com"}
    assert sent.headers["X-API-KEY"] == "secret-key"
    assert (reply.verdict, reply.billing) == (Verdict.MATCH, Billed(CREDIT))
    assert [r.confidence for r in reply.readings if r.field == "person_email"] == [91]
    assert values(reply) == {
        "person_email": "ada@acme.com",
        "person_email_status": "deliverable",
        "person_title": "CTO",
    }


async def test_a_profile_is_asked_by_its_handle() -> None:
    http = VendorFake.of({"data": {"email": None, "score": None}})
    url = "https://www.linkedin.com/in/ada-byron"
    await one(hunter, "email_finder", ask("person_email", person_linkedin_url=url), http)
    assert http.sent[0].params == {"linkedin_handle": "ada-byron"}


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, {"data": {"email": None, "score": None}}), (404, {"errors": [{"code": 404}]})],
)
async def test_an_address_that_is_not_found_is_a_miss_and_free_whichever_way_it_is_said(
    status, body
) -> None:
    question = sample_ask(hunter.spec.operation("email_finder"))
    reply = await one(hunter, "email_finder", question, VendorFake.of(body, status))
    assert (reply.verdict, reply.billing) == (Verdict.NO_MATCH, Unbilled())


@pytest.mark.parametrize(
    ("word", "verdict", "status"),
    [
        ("valid", Verdict.MATCH, "deliverable"),
        ("invalid", Verdict.MATCH, "undeliverable"),
        ("accept_all", Verdict.MATCH, "risky"),
        ("webmail", Verdict.MATCH, "risky"),
        ("disposable", Verdict.MATCH, "disposable"),
        ("unknown", Verdict.NO_MATCH, None),
    ],
)
async def test_a_verification_costs_half_a_credit_whatever_it_says(word, verdict, status) -> None:
    http = VendorFake.of({"data": {"email": "jane@acme.com", "status": word, "score": 50}})
    question = sample_ask(hunter.spec.operation("email_verifier"))
    reply = await one(hunter, "email_verifier", question, http)
    assert (reply.verdict, reply.billing) == (verdict, Billed(12_250))
    assert values(reply).get("person_email_status") == status


async def test_a_verification_under_way_is_free_and_asked_again() -> None:
    question = sample_ask(hunter.spec.operation("email_verifier"))
    http = VendorFake.of({"data": {"status": None}}, 202)
    reply = await one(hunter, "email_verifier", question, http)
    assert (reply.verdict, reply.billing) == (Verdict.IN_PROGRESS, Unbilled())
    assert reply.retry_after_s


async def test_what_a_failing_mail_server_costs_is_not_known_and_says_nothing_of_the_vendor() -> (
    None
):
    question = sample_ask(hunter.spec.operation("email_verifier"))
    reply = await one(hunter, "email_verifier", question, VendorFake(222, b""))
    assert reply.verdict is Verdict.NO_MATCH  # no outage: the circuit stays closed
    assert isinstance(reply.billing, BillingUnknown)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (400, Verdict.BAD_INPUT),
        (401, Verdict.AUTH),
        (403, Verdict.RATE_LIMITED),
        (404, Verdict.NO_MATCH),
        (422, Verdict.BAD_INPUT),
        (429, Verdict.OUT_OF_CREDITS),
        (451, Verdict.SUPPRESSED),
        (503, Verdict.VENDOR_ERROR),
    ],
)
async def test_hunters_own_status_habits(operation, status, verdict) -> None:
    body = {"errors": [{"id": "x", "code": status, "details": "The reason"}]}
    question = sample_ask(hunter.spec.operation(operation))
    reply = await one(hunter, operation, question, VendorFake.of(body, status))
    assert (reply.verdict, reply.billing) == (verdict, Unbilled())
    assert reply.detail == f"{status}: The reason"


async def test_a_domain_search_costs_a_credit_only_where_there_are_addresses() -> None:
    emails = [
        {"value": "ada@acme.com", "type": "personal", "confidence": 90},
        {"value": "info@acme.com", "type": "generic", "confidence": 88},
    ]
    data = {"domain": "acme.com", "pattern": "{first}", "headcount": "51-200", "emails": emails}
    question = ask("company_email", company_domain="acme.com")
    hit = await one(hunter, "domain_search", question, VendorFake.of({"data": data}))
    assert hit.billing == Billed(CREDIT)
    assert values(hit) == {
        "company_domain": "acme.com",
        "company_email_pattern": "{first}",
        "company_size": "51-200",
        "company_email": "info@acme.com",
        "company_emails": ["info@acme.com"],  # a person's address is not the company's
    }
    bare = await one(hunter, "domain_search", question, VendorFake.of({"data": {"emails": []}}))
    assert (bare.verdict, bare.billing) == (Verdict.NO_MATCH, Unbilled())
    partly = VendorFake.of({"data": {"organization": "Acme", "emails": []}})
    known = await one(hunter, "domain_search", question, partly)
    assert (known.verdict, known.billing) == (Verdict.MATCH, Unbilled())


async def test_a_person_and_a_company_are_read_in_the_shape_that_clearbit_coined() -> None:
    asked = ask("person_title", person_email="ada@acme.com")
    person = await one(hunter, "person", asked, VendorFake.of({"data": ADA}))
    assert person.billing == Billed(CREDIT)
    assert values(person) == {
        "person_full_name": "Ada Byron",
        "person_first_name": "Ada",
        "person_last_name": "Byron",
        "person_email": "ada@acme.com",
        "person_phone": "+442079460958",
        "person_title": "CTO",
        "person_seniority": "c_suite",
        "person_department": "engineering",
        "person_city": "London",
        "person_region": "England",
        "person_country": "GB",
        "person_timezone": "Europe/London",
        "person_twitter_url": "https://x.com/adabyron",
        "person_company_name": "Acme",
        "person_company_domain": "acme.com",
        "person_linkedin_url": "https://www.linkedin.com/in/ada-byron",
    }
    asked = ask("company_name", company_domain="acme.com")
    company = values(await one(hunter, "company", asked, VendorFake.of({"data": ACME})))
    assert company["company_size"] == "51-200"
    assert "company_employee_count" not in company  # a range is no count
    assert company["company_phone"] == "+442079460958"
    assert company["company_emails"] == ["Hello@acme.com"]
    assert company["company_domain_aliases"] == ["acme.co.uk"]
    assert company["company_naics"] == ["333999", "332710"]
    assert company["company_sic"] == ["3569"]
    assert company["company_street"] == "1 Mill Lane"
    assert company["company_registry_ids"] == {"ein": "12-3456789"}
    assert company["company_mail_provider"] == "google"
    assert company["company_crunchbase_url"] == "https://www.crunchbase.com/organization/acme"


async def test_the_combined_record_costs_two_credits_and_holds_both() -> None:
    http = VendorFake.of({"data": {"person": ADA, "company": ACME}})
    reply = await one(hunter, "combined", ask("person_title", person_email="ada@acme.com"), http)
    assert reply.billing == Billed(2 * CREDIT)
    assert {"person_title", "company_legal_name"} <= values(reply).keys()


async def test_the_sandbox_is_understood_and_its_bills_are_the_bills_stated(
    sandbox, http_of
) -> None:
    world = sandbox.state.world
    companies = [*world.companies()][:25]
    replies = []
    for company in companies:
        person = world.people_of(company)[0]
        named = ask(
            "person_email", person_full_name=person.full_name, company_domain=company.domain
        )
        site = ask("company_email", company_domain=company.domain)
        mail = ask("person_title", person_email=person.email or "nobody@nowhere.com")
        asked = {
            "email_finder": named,
            "domain_search": site,
            "company": site,
            "person": mail,
            "combined": mail,
            "email_verifier": mail,
        }
        for operation, question in asked.items():
            reply = await one(hunter, operation, question, http_of(hunter))
            found = values(reply)
            assert found.get("person_full_name", person.full_name) == person.full_name
            assert found.get("company_domain", company.domain) == company.domain
            replies.append(reply)
    seen = {reply.verdict for reply in replies}
    assert {Verdict.MATCH, Verdict.NO_MATCH, Verdict.IN_PROGRESS} <= seen
    stated = sum(getattr(reply.billing, "micros", 0) for reply in replies)
    bills = sandbox.state.billing.bills
    assert stated == sum(bill.micros for bill in bills) > 0
    assert {bill.credits for bill in bills} == {0.5, 1, 2}


async def test_a_wrong_key_and_an_empty_account_at_the_sandbox(http_of) -> None:
    question = sample_ask(hunter.spec.operation("company"))
    wrong = await one(hunter, "company", question, http_of(hunter, key="wrong"))
    assert wrong.verdict is Verdict.AUTH
    spent = await one(hunter, "company", question, http_of(hunter, key="sandbox-spent"))
    assert spent.verdict is Verdict.OUT_OF_CREDITS
