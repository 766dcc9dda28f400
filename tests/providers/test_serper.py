"""Serper: search results resolved to the right company and person, or to nobody."""

import pytest
from vendor_fake import VendorFake, ask, one, sample_ask, values

from glaze.model.provider import Billed, BillingUnknown, Unbilled, Verdict
from glaze.providers.serper import serper

SEARCH = serper.spec.operation("company_search")


def result(title: str, link: str, snippet: str = "words") -> dict[str, str]:
    return {"title": title, "link": link, "snippet": snippet}


async def test_a_directory_that_carries_the_companys_name_is_not_its_site() -> None:
    http = VendorFake.of(
        {
            "organic": [
                result("Acme - Company Profile", "https://www.businesslisthub.com/company/acme"),
                result("Acme | LinkedIn", "https://de.linkedin.com/company/acme?trk=x"),
                result("Acme Corp: anvils", "https://www.acme.com/home", "We make anvils."),
            ]
        }
    )
    reply = await one(
        serper, "company_search", ask("company_domain", company_name="Acme Inc."), http
    )
    found = values(reply)
    assert found["company_domain"] == "acme.com"
    assert found["company_linkedin_url"] == "https://www.linkedin.com/company/acme"
    (about,) = [r for r in reply.readings if r.field == "company_description"]
    assert (about.quote, about.url) == ("We make anvils.", "https://www.acme.com/home")
    assert reply.billing == Billed(1_000)


async def test_another_companys_panel_is_not_believed() -> None:
    panel = {"title": "Acme", "website": "https://acme.org", "attributes": {"Founded": "1901"}}
    http = VendorFake.of({"knowledgeGraph": panel, "organic": []})
    reply = await one(
        serper, "company_search", ask("company_name", company_domain="acme.com"), http
    )
    assert reply.verdict is Verdict.NO_MATCH
    assert reply.readings == ()


async def test_a_panel_states_facts() -> None:
    panel = {
        "title": "Acme",
        "type": "Software company",
        "website": "http://www.acme.com/",
        "attributes": {
            "Founded": "2015, Munich",
            "Number of employees": "1,600 (2024)",
            "Headquarters": "Munich, Germany",
            "Phone": "089 1234567",
        },
    }
    http = VendorFake.of({"knowledgeGraph": panel, "organic": []})
    found = values(await one(serper, "company_search", ask("x", company_domain="acme.com"), http))
    assert found["company_founded_year"] == 2015
    assert found["company_employee_count"] == 1600
    assert found["company_size"] == "1001-5000"
    assert (found["company_city"], found["company_country"]) == ("Munich", "DE")
    assert found["company_phone"] == "+49891234567"
    assert found["company_industry"] == "Software"


async def test_a_profile_is_found_where_the_domain_is_shown_or_spelled_and_never_by_title_alone():
    found = [
        result("Acme Tools (@fans) / X", "https://x.com/theacmefans", "All about Acme Tools."),
        result("Acme Tools (@acme) / X", "https://twitter.com/AcmeHQ?lang=de", "acme-tools.com. Oak"),
        result("Acme Tools - GitHub", "https://github.com/acme-tools", "12 repositories"),
        result("Acme | Facebook", "https://www.facebook.com/acmetools", "acme-tools.com"),
        result("Acme Tools | Instagram", "https://www.instagram.com/acme", "shop.acme-tools.com.evil.io"),
    ]  # fmt: skip
    question = ask(
        "company_twitter_url", company_name="Acme Tools Inc.", company_domain="acme-tools.com"
    )
    http = VendorFake.of({"organic": found})
    reply = await one(serper, "company_profile_search", question, http)
    assert {r.field: (r.value, r.confidence) for r in reply.readings} == {
        "company_twitter_url": ("https://x.com/acmehq", 75),
        "company_github_url": ("https://github.com/acme-tools", 60),
    }
    twitter = reply.readings[0]
    assert (twitter.url, twitter.quote) == (
        "https://twitter.com/AcmeHQ?lang=de",
        "Acme Tools (@acme) / X | acme-tools.com. Oak",
    )


async def test_in_the_sandbox_no_namesakes_profile_is_found_by_search(sandbox, http_of) -> None:
    found = 0
    for company in [*sandbox.state.world.companies()][:40]:
        known = {"company_name": company.name, "company_domain": company.domain}
        question = ask("company_twitter_url", **known)
        reply = await one(serper, "company_profile_search", question, http_of(serper))
        for reading in reply.readings:
            found += 1
            assert reading.value == company.socials[reading.field].lower()
    assert found > 5


async def test_a_namesake_elsewhere_is_not_the_person() -> None:
    http = VendorFake.of(
        {
            "organic": [
                result("Jane Doe - CEO - Globex | LinkedIn", "https://www.linkedin.com/in/jane-1"),
                result("Jane Doe - CTO - Acme | LinkedIn", "https://www.linkedin.com/in/jane-2"),
            ]
        }
    )
    question = ask("person_linkedin_url", person_full_name="Jane Doe", company_name="Acme GmbH")
    found = values(await one(serper, "person_linkedin_search", question, http))
    assert found == {
        "person_linkedin_url": "https://www.linkedin.com/in/jane-2",
        "person_title": "CTO",
    }
    assert http.sent[0].json == {"q": 'site:linkedin.com/in "Jane Doe" "Acme GmbH"', "num": 10}


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (400, b'{"message":"Missing query parameter"}', Verdict.BAD_INPUT),
        (400, b'{"message":"Not enough credits"}', Verdict.OUT_OF_CREDITS),
        (401, b"", Verdict.AUTH),
        (403, b'{"message":"Unauthorized.","statusCode":403}', Verdict.AUTH),
        (429, b'{"message":"Rate limit exceeded"}', Verdict.RATE_LIMITED),
        (500, b"", Verdict.VENDOR_ERROR),
    ],
)
async def test_serpers_own_status_habits_and_only_successes_are_charged(
    status, body, verdict
) -> None:
    reply = await one(serper, "company_search", sample_ask(SEARCH), VendorFake(status, body))
    assert (reply.verdict, reply.billing) == (verdict, Unbilled())


@pytest.mark.parametrize("credits_used", [-1, 11, 10**12])
async def test_an_unbelievable_bill_is_unknown(credits_used) -> None:
    http = VendorFake.of({"organic": [], "credits": credits_used})
    reply = await one(serper, "company_search", sample_ask(SEARCH), http)
    assert isinstance(reply.billing, BillingUnknown)


async def test_the_sandbox_is_understood_and_its_bills_are_the_bills_stated(
    sandbox, http_of
) -> None:
    world = sandbox.state.world
    right = wrong = stated = 0
    for company in [*world.companies()][:30]:
        question = ask("company_domain", company_name=company.name)
        reply = await one(serper, "company_search", question, http_of(serper))
        stated += reply.billing.micros
        found = values(reply).get("company_domain", company.domain)
        right += values(reply).get("company_domain") == company.domain
        wrong += found != company.domain
        person = world.people_of(company)[0]
        question = ask("x", person_full_name=person.full_name, company_name=company.name)
        reply = await one(serper, "person_linkedin_search", question, http_of(serper))
        stated += reply.billing.micros
        assert values(reply).get("person_linkedin_url", person.linkedin_url) == person.linkedin_url
    assert wrong == 0
    assert right > 15
    assert stated == sum(bill.micros for bill in sandbox.state.billing.bills)


async def test_a_persons_other_profiles_are_found_where_the_employer_is_shown_and_never_by_title_alone():
    found = [
        result("Jane Doe (jane-77) · GitHub", "https://github.com/jane-77", "Bread and maps."),
        result("Jane Doe (janed) · GitHub", "https://github.com/janed", "CTO at Acme Tools"),
        result("Jane Doe (@janed) / X", "https://twitter.com/JaneD", "acme-tools.com. Berlin"),
        result("Jane Doe - about me", "https://janedoe.dev/", "I build things at Acme Tools."),
        result("Jane Doe - Acme Tools | LinkedIn", "https://www.linkedin.com/in/jd", "CTO at Acme Tools"),
        result("Jane Doe - speaker", "https://conference.example/jane", "CTO at Acme Tools"),
        result("John Doe · GitHub", "https://github.com/johnd", "CTO at Acme Tools"),
    ]  # fmt: skip
    known = {"company_name": "Acme Tools Inc.", "company_domain": "acme-tools.com"}
    question = ask("person_social_urls", person_full_name="Jane Doe", **known)
    http = VendorFake.of({"organic": found})
    reply = await one(serper, "person_profile_search", question, http)
    told = {r.field: r.value for r in reply.readings}
    assert told["person_github_url"] == "https://github.com/janed"
    assert told["person_twitter_url"] == "https://x.com/janed"
    assert told["person_social_urls"][:2] == ["https://github.com/janed", "https://x.com/janed"]
    assert "https://janedoe.dev" in told["person_social_urls"]
    assert not {"https://github.com/jane-77", "https://github.com/johnd"} & {
        *told["person_social_urls"]
    }
    assert "CTO at Acme Tools" in str(reply.readings[0].quote)
