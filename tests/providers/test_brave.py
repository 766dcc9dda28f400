"""Brave Search: its own shape of results, its windows in headers, a price for each request."""

import pytest
from vendor_fake import VendorFake, ask, one, sample_ask, values

from glaze.model.provider import Billed, BillingUnknown, Unbilled, Verdict
from glaze.providers.brave import brave
from glaze_sandbox.limits import LimitSpec

SEARCH = brave.spec.operation("company_search")
QUERY = {"original": "Acme"}


def result(title: str, url: str, description: str = "words") -> dict[str, str]:
    return {"title": title, "url": url, "description": description}


def windows(remaining: str, reset: str) -> dict[str, str]:
    return {"x-ratelimit-remaining": remaining, "x-ratelimit-reset": reset}


async def test_results_lose_their_markup_and_lead_to_site_and_page() -> None:
    rows = [
        result("Acme - Company Profile", "https://www.businesslisthub.com/company/acme"),
        result("Acme | LinkedIn", "https://uk.linkedin.com/company/acme"),
        result("<strong>Acme</strong>: anvils", "https://www.acme.com/", "Nuts &amp; <strong>bolts</strong>."),
    ]  # fmt: skip
    http = VendorFake.of({"type": "search", "query": QUERY, "web": {"results": rows}})
    reply = await one(brave, "company_search", ask("x", company_name="Acme Inc."), http)
    assert values(reply) == {
        "company_website": "https://www.acme.com",
        "company_domain": "acme.com",
        "company_description": "Nuts & bolts.",
        "company_linkedin_url": "https://www.linkedin.com/company/acme",
    }
    assert reply.billing == Billed(5_000)
    (sent,) = http.sent
    assert sent.url.endswith("/web/search")
    assert sent.params == {"q": "Acme Inc.", "count": "10", "result_filter": "web,infobox"}
    assert sent.headers["X-Subscription-Token"] == http.key


async def test_an_infobox_states_facts_of_the_company_that_was_asked_for() -> None:
    box = {
        "title": "Acme",
        "website_url": "https://acme.com",
        "long_desc": "Maker of anvils.",
        "attributes": [["Founded", "1998"], ["Headquarters", "Munich, Germany"], ["Odd"], 7],
    }
    body = {"query": QUERY, "infobox": {"results": [box]}}
    asked = ask("x", company_domain="acme.com")
    found = values(await one(brave, "company_search", asked, VendorFake.of(body)))
    assert found["company_founded_year"] == 1998
    assert (found["company_city"], found["company_country"]) == ("Munich", "DE")
    other = ask("x", company_domain="acme.org")
    assert values(await one(brave, "company_search", other, VendorFake.of(body))) == {}


async def test_a_search_without_results_is_a_search_and_is_charged() -> None:
    reply = await one(brave, "company_search", sample_ask(SEARCH), VendorFake.of({"query": QUERY}))
    assert (reply.verdict, reply.billing) == (Verdict.NO_MATCH, Billed(5_000))


@pytest.mark.parametrize("body", [{"web": {}}, {"query": QUERY, "web": {"results": "none"}}])
async def test_what_is_no_search_may_have_been_charged(body) -> None:
    reply = await one(brave, "company_search", sample_ask(SEARCH), VendorFake.of(body))
    assert isinstance(reply.billing, BillingUnknown)


@pytest.mark.parametrize(
    ("status", "code", "verdict"),
    [
        (401, "", Verdict.AUTH),
        (403, "", Verdict.FORBIDDEN_PLAN),
        (422, "VALIDATION", Verdict.BAD_INPUT),
        (422, "SUBSCRIPTION_TOKEN_INVALID", Verdict.AUTH),
        (429, "RATE_LIMITED", Verdict.RATE_LIMITED),
        (429, "QUOTA_LIMITED", Verdict.OUT_OF_CREDITS),
        (500, "", Verdict.VENDOR_ERROR),
    ],
)
async def test_its_own_status_habits_and_only_answered_searches_are_charged(
    status, code, verdict
) -> None:
    http = VendorFake.of({"type": "ErrorResponse", "error": {"code": code}}, status)
    reply = await one(brave, "company_search", sample_ask(SEARCH), http)
    assert (reply.verdict, reply.billing) == (verdict, Unbilled())


@pytest.mark.parametrize(
    ("headers", "verdict", "wait_s"),
    [
        (windows("0, 900", "1, 1419704"), Verdict.RATE_LIMITED, 1.0),
        (windows("0,0", "1,1419704"), Verdict.OUT_OF_CREDITS, None),
        (windows("", ""), Verdict.RATE_LIMITED, None),
        (windows("0", "soon"), Verdict.RATE_LIMITED, None),
        (windows("0, 5", "1, 9") | {"retry-after": "7"}, Verdict.RATE_LIMITED, 7.0),
    ],
)
async def test_a_full_second_is_waited_for_and_a_used_up_month_is_not(
    headers, verdict, wait_s
) -> None:
    reply = await one(brave, "company_search", sample_ask(SEARCH), VendorFake(429, b"", headers))
    assert (reply.verdict, reply.retry_after_s) == (verdict, wait_s)


async def test_the_sandbox_is_understood_and_its_bills_are_the_bills_stated(
    sandbox, http_of
) -> None:
    world = sandbox.state.world
    right = wrong = stated = 0
    for company in [*world.companies()][:30]:
        question = ask("company_domain", company_name=company.name)
        reply = await one(brave, "company_search", question, http_of(brave))
        stated += reply.billing.micros
        found = values(reply).get("company_domain", company.domain)
        right += values(reply).get("company_domain") == company.domain
        wrong += found != company.domain
        person = world.people_of(company)[0]
        question = ask("x", person_full_name=person.full_name, company_name=company.name)
        reply = await one(brave, "person_linkedin_search", question, http_of(brave))
        stated += reply.billing.micros
        assert values(reply).get("person_linkedin_url", person.linkedin_url) == person.linkedin_url
    assert wrong == 0
    assert right > 15
    assert stated == sum(bill.micros for bill in sandbox.state.billing.bills)


async def test_the_sandboxs_full_window_says_when_there_is_room_again(sandbox, http_of) -> None:
    sandbox.state.limits.replace([LimitSpec(vendor="brave", calls=1, window_s=30)])
    await one(brave, "company_search", sample_ask(SEARCH), http_of(brave))
    reply = await one(brave, "company_search", sample_ask(SEARCH), http_of(brave))
    assert reply.verdict is Verdict.RATE_LIMITED
    assert 1 < reply.retry_after_s <= 30
    assert reply.billing == Unbilled()
    refused = await one(brave, "company_search", sample_ask(SEARCH), http_of(brave, "real-key"))
    assert refused.verdict is Verdict.AUTH
