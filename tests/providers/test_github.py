"""GitHub: an account counts where it names the company's own site, and a guess alone never."""

import pytest
from vendor_fake import VendorFake, ask, one, values

from glaze.model.provider import Unbilled, Verdict
from glaze.providers.github import github


def account(**more: object) -> dict:
    return {"type": "Organization", "login": "acme", "html_url": "https://github.com/acme",
            "name": "Acme", "blog": "https://www.acme.com/jobs", **more}  # fmt: skip


async def asked(body: object, status: int = 200, headers: object = None, **known: str):
    http = VendorFake.of(body, status, headers=headers or {})
    return await one(github, "organisation", ask("company_github_url", **known), http), http


async def test_an_account_that_names_the_domain_is_the_companys() -> None:
    reply, http = await asked(
        account(location="Munich, Germany", twitter_username="acme", email="oss@acme.com"),
        company_domain="acme.com",
    )
    assert http.sent[0].url.endswith("/users/acme")
    assert reply.detail == "matched by domain"
    found = values(reply)
    assert found["company_github_url"] == "https://github.com/acme"
    assert found["company_twitter_url"] == "https://x.com/acme"
    assert (found["company_city"], found["company_country"]) == ("Munich", "DE")
    assert reply.readings[0].confidence == 90


@pytest.mark.parametrize(
    "other",
    [{"blog": "https://acme.org"}, {"blog": ""}, {"type": "User"}, {"blog": "", "email": "a@x.io"}],
    ids=["another site", "no site", "a person", "another mailbox"],
)
async def test_a_guessed_account_that_does_not_name_the_domain_is_nobody(other: dict) -> None:
    reply, http = await asked(account(**other), company_domain="acme.com", company_name="Acme Co")
    assert (reply.verdict, reply.readings) == (Verdict.NO_MATCH, ())
    assert len(http.sent) == 1  # the name spells the same account


async def test_an_account_that_is_known_is_read_less_surely_where_it_names_no_site() -> None:
    known = {"company_github_url": "https://github.com/acme", "company_domain": "acme.com"}
    reply, _ = await asked(account(blog=""), **known)
    assert (reply.readings[0].confidence, reply.detail) == (75, "the account that was known")
    reply, _ = await asked(account(blog="https://acme.org"), **known)
    assert reply.verdict is Verdict.NO_MATCH


async def test_a_persons_account_is_read() -> None:
    http = VendorFake.of(account(type="User", name="Jane Doe", company="@acme", bio="CTO"))
    known = ask("person_full_name", person_github_url="https://github.com/acme")
    found = values(await one(github, "user", known, http))
    assert (found["person_full_name"], found["person_company_name"]) == ("Jane Doe", "acme")


@pytest.mark.parametrize(
    ("status", "headers", "verdict", "wait_s"),
    [
        (404, {}, Verdict.NO_MATCH, None),
        (401, {}, Verdict.AUTH, None),
        (403, {}, Verdict.FORBIDDEN_PLAN, None),
        (403, {"retry-after": "60"}, Verdict.RATE_LIMITED, 60),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1792654500",
               "date": "Thu, 22 Oct 2026 07:30:00 GMT"}, Verdict.RATE_LIMITED, 300),
        (429, {}, Verdict.RATE_LIMITED, None),
    ],
)  # fmt: skip
async def test_its_status_habits(status, headers, verdict, wait_s) -> None:
    reply, _ = await asked({"message": "no"}, status, headers, company_domain="acme.com")
    assert (reply.verdict, reply.billing) == (verdict, Unbilled())
    assert reply.retry_after_s == wait_s


@pytest.mark.parametrize("body", [b'{"type": "Organiz', b"{}", b"[]", b"<html>", b'{"type": 3}'])
@pytest.mark.parametrize(
    ("operation", "known"),
    [
        ("organisation", {"company_domain": "acme.com", "company_name": "Acme Tools"}),
        ("organisation", {"company_github_url": "https://github.com/acme"}),
        ("user", {"person_github_url": "https://github.com/jane"}),
    ],
)
async def test_an_account_that_cannot_be_read_is_no_miss(
    body: bytes, operation: str, known: dict
) -> None:
    reply = await one(github, operation, ask("x", **known), VendorFake(200, body))
    assert (reply.verdict, reply.billing) == (Verdict.VENDOR_ERROR, Unbilled())


async def test_a_token_is_sent_where_there_is_one() -> None:
    _, http = await asked(account(), company_domain="acme.com")
    assert http.sent[0].headers["Authorization"] == "Bearer secret-key"
    bare = VendorFake.of(account(), key="")
    await one(github, "organisation", ask("x", company_domain="acme.com"), bare)
    assert "Authorization" not in bare.sent[0].headers


async def test_in_the_sandbox_no_strangers_account_is_taken_for_a_companys(
    sandbox, http_of
) -> None:
    found = 0
    for company in sandbox.state.world.companies():
        known = ask("x", company_domain=company.domain, company_name=company.name)
        reply = await one(github, "organisation", known, http_of(github, key=""))
        if reply.readings:
            found += 1
            assert values(reply)["company_github_url"] == f"https://github.com/{company.github}"
    assert found > 1
    assert sandbox.state.statuses["github 200"] > found  # strangers there were
