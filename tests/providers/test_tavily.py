"""Tavily: credits as they are stated, domains instead of operators, limits of a plan that end it."""

import pytest
from vendor_fake import VendorFake, ask, one, sample_ask, values

from glaze.model.provider import Billed, BillingUnknown, Unbilled, Verdict
from glaze.providers.tavily import tavily

SEARCH = tavily.spec.operation("company_search")


def answer(*rows: dict[str, str], credits_used: object = 1) -> VendorFake:
    return VendorFake.of({"results": [*rows], "usage": {"credits": credits_used}})


def result(title: str, url: str, content: str = "words") -> dict[str, str]:
    return {"title": title, "url": url, "content": content}


async def test_a_profile_is_searched_for_at_its_domain_and_held_to_name_and_employer() -> None:
    http = answer(
        result("Jane Doe - CEO - Globex | LinkedIn", "https://www.linkedin.com/in/jane-1"),
        result("Jane Doe - CTO - Acme | LinkedIn", "https://www.linkedin.com/in/jane-2"),
    )
    asked = ask("x", person_full_name="Jane Doe", company_name="Acme GmbH")
    found = values(await one(tavily, "person_linkedin_search", asked, http))
    assert found["person_linkedin_url"] == "https://www.linkedin.com/in/jane-2"
    (sent,) = http.sent
    assert sent.json["include_domains"] == ["linkedin.com"]
    assert sent.json["include_usage"] is True
    assert "site:" not in sent.json["query"]
    assert sent.headers["Authorization"] == f"Bearer {http.key}"


@pytest.mark.parametrize(
    ("stated", "billing"),
    [(1, Billed(8_000)), (2, Billed(16_000)), (0, Unbilled()), (None, Billed(8_000))],
)
async def test_the_credits_that_an_answer_states_are_what_is_settled(stated, billing) -> None:
    reply = await one(tavily, "company_search", sample_ask(SEARCH), answer(credits_used=stated))
    assert (reply.verdict, reply.billing) == (Verdict.NO_MATCH, billing)


@pytest.mark.parametrize("stated", [-1, 11, "many", 1.5])
async def test_an_unbelievable_bill_is_unknown(stated) -> None:
    reply = await one(tavily, "company_search", sample_ask(SEARCH), answer(credits_used=stated))
    assert isinstance(reply.billing, BillingUnknown)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (400, Verdict.BAD_INPUT),
        (401, Verdict.AUTH),
        (403, Verdict.FORBIDDEN_PLAN),
        (429, Verdict.RATE_LIMITED),
        (432, Verdict.OUT_OF_CREDITS),
        (433, Verdict.OUT_OF_CREDITS),
        (500, Verdict.VENDOR_ERROR),
    ],
)
async def test_its_own_status_habits_and_only_answered_searches_are_charged(
    status, verdict
) -> None:
    http = VendorFake.of({"detail": {"error": "no"}}, status, headers={"retry-after": "3"})
    reply = await one(tavily, "company_search", sample_ask(SEARCH), http)
    assert (reply.verdict, reply.billing, reply.retry_after_s) == (verdict, Unbilled(), 3.0)
    assert reply.detail == f"{status}: no"


async def test_the_sandbox_is_understood_and_its_bills_are_the_bills_stated(
    sandbox, http_of
) -> None:
    world = sandbox.state.world
    right = wrong = stated = 0
    for company in [*world.companies()][:30]:
        question = ask("company_domain", company_name=company.name)
        for operation in ("company_search", "company_linkedin_search"):
            reply = await one(tavily, operation, question, http_of(tavily))
            stated += reply.billing.micros
            page = values(reply).get("company_linkedin_url", company.linkedin_url)
            wrong += values(reply).get("company_domain", company.domain) != company.domain
            wrong += page != company.linkedin_url
            right += values(reply).get("company_domain") == company.domain
    assert wrong == 0
    assert right > 15
    assert stated == sum(bill.micros for bill in sandbox.state.billing.bills)
