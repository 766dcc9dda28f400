"""Gravatar: what the owner of an address says of himself, asked by the hash alone."""

from hashlib import sha256

import pytest
from vendor_fake import VendorFake, ask, one, values

from glaze.model.provider import Unbilled, Verdict
from glaze.providers.gravatar import gravatar

JANE = {
    "display_name": "Jane Doe",
    "profile_url": "https://gravatar.com/jane",
    "job_title": "CTO",
    "company": "Acme",
    "location": "Berlin",
    "verified_accounts": [
        {"service_type": "github", "url": "https://github.com/Jane", "is_hidden": False},
        {"service_type": "twitter", "url": "https://x.com/jane", "is_hidden": True},
        {"service_type": "tumblr", "url": "https://jane.tumblr.com/"},
    ],
}


async def asked(http: VendorFake, email: str = "Jane@Acme.com"):
    return await one(gravatar, "profile", ask("person_full_name", person_email=email), http)


async def test_a_profile_is_asked_by_hash_and_its_verified_accounts_are_read() -> None:
    http = VendorFake.of(JANE)
    reply = await asked(http)
    [sent] = http.sent
    assert sent.url.endswith(sha256(b"jane@acme.com").hexdigest())
    assert "acme.com" not in sent.url
    assert values(reply) == {
        "person_full_name": "Jane Doe",
        "person_title": "CTO",
        "person_company_name": "Acme",
        "person_github_url": "https://github.com/jane",
        "person_social_urls": ["https://github.com/jane", "https://jane.tumblr.com"],
    }
    assert {r.url for r in reply.readings} == {"https://gravatar.com/jane"}


@pytest.mark.parametrize(
    ("status", "headers", "verdict", "wait_s"),
    [
        (404, {}, Verdict.NO_MATCH, None),
        (401, {}, Verdict.AUTH, None),
        (429, {"x-ratelimit-reset": "120"}, Verdict.RATE_LIMITED, 120),
        (500, {}, Verdict.VENDOR_ERROR, None),
    ],
)
async def test_its_status_habits(status, headers, verdict, wait_s) -> None:
    reply = await asked(VendorFake(status, b"{}", headers))
    assert (reply.verdict, reply.billing, reply.retry_after_s) == (verdict, Unbilled(), wait_s)


async def test_in_the_sandbox_a_profile_is_the_persons_and_strangers_have_none(
    sandbox, http_of
) -> None:
    world, found = sandbox.state.world, 0
    for company in [*world.companies()][:30]:
        for person in world.people_of(company):
            if person.email:
                reply = await asked(http_of(gravatar, key=""), person.email)
                found += bool(reply.readings)
                name = values(reply).get("person_full_name", person.full_name)
                assert name == person.full_name
    assert found > 5
    stranger = await asked(http_of(gravatar, key=""), "nobody@nowhere.example")
    assert stranger.verdict is Verdict.NO_MATCH
