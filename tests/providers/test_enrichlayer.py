"""EnrichLayer: LinkedIn profiles and pages."""

import pytest
from vendor_fake import VendorFake, ask, one, sample_ask, values

from glaze.model.provider import Billed, Unbilled, Verdict
from glaze.providers.enrichlayer import enrichlayer

PROFILE = enrichlayer.spec.operation("profile")


async def test_the_open_job_is_the_current_one() -> None:
    http = VendorFake.of(
        {
            "full_name": "Jane Doe",
            "country": "DE",
            "experiences": [
                {"title": "Intern", "company": "Old", "ends_at": {"year": 2019}},
                {"title": "CTO", "company": "Acme", "ends_at": None},
            ],
            "extra": {"github_profile_id": "janedoe", "twitter_profile_id": None},
            "skills": ["Python", None, 7],
        }
    )
    reply = await one(enrichlayer, "profile", sample_ask(PROFILE), http)
    assert http.sent[0].params == {"profile_url": "https://www.linkedin.com/in/jane-doe"}
    assert http.sent[0].headers["Authorization"] == "Bearer secret-key"
    found = values(reply)
    assert (found["person_title"], found["person_company_name"]) == ("CTO", "Acme")
    assert found["person_github_url"] == "https://github.com/janedoe"
    assert found["person_skills"] == ["Python"]
    assert reply.billing == Billed(100_000)
    assert {r.confidence for r in reply.readings if r.field == "person_title"} == {95}


@pytest.mark.parametrize(("size", "bucket"), [([51, 200], "51-200"), ([10_001, None], "10001+")])
async def test_a_companys_size_is_read_from_its_bounds(size, bucket) -> None:
    http = VendorFake.of({"name": "Acme", "company_size": size, "hq": {"country": "DE"}})
    question = sample_ask(enrichlayer.spec.operation("company"))
    found = values(await one(enrichlayer, "company", question, http))
    assert found["company_size"] == bucket
    assert found["company_country"] == "DE"


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (400, Verdict.BAD_INPUT),
        (401, Verdict.AUTH),
        (403, Verdict.OUT_OF_CREDITS),
        (404, Verdict.NO_MATCH),
        (429, Verdict.RATE_LIMITED),
        (500, Verdict.VENDOR_ERROR),
        (503, Verdict.VENDOR_ERROR),
    ],
)
async def test_enrichlayers_own_status_habits_and_none_of_them_costs(status, verdict) -> None:
    reply = await one(enrichlayer, "profile", sample_ask(PROFILE), VendorFake(status, b"{}"))
    assert (reply.verdict, reply.billing) == (verdict, Unbilled())


async def test_a_wrong_base_url_is_not_taken_for_a_miss() -> None:
    http = VendorFake.of({"description": "The requested URL was not found on the server"}, 404)
    reply = await one(enrichlayer, "profile", sample_ask(PROFILE), http)
    assert reply.verdict is Verdict.VENDOR_ERROR


async def test_the_sandbox_is_understood(sandbox, http_of) -> None:
    hits = 0
    for company in [*sandbox.state.world.companies()][:8]:
        question = ask("company_name", company_linkedin_url=company.linkedin_url)
        reply = await one(enrichlayer, "company", question, http_of(enrichlayer))
        if reply.verdict is Verdict.MATCH:
            hits += 1
            assert values(reply)["company_domain"] == company.domain
    assert hits == len(sandbox.state.billing.bills) > 0
