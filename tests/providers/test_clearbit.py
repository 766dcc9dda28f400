"""Clearbit: records at once or later, signed webhooks, its status codes, and the sandbox's bills."""

import asyncio
import hashlib
import hmac

import pytest
from vendor_fake import VendorFake, ask, one, sample_ask, values

from glaze.model.provider import Billed, BillingUnknown, Reply, Unbilled, Verdict
from glaze.providers.clearbit import LOOKUP, clearbit

ALEX = {
    "name": {"fullName": "Alex Byron", "givenName": "Alex", "familyName": "Byron"},
    "email": "alex@acme.com",
    "geo": {"city": "Leeds", "countryCode": "GB"},
    "employment": {"domain": "acme.com", "name": "Acme", "title": "CEO", "seniority": "executive"},
    "linkedin": {"handle": "in/alex-byron"},
}
ACME = {
    "name": "Acme",
    "domain": "acme.com",
    "category": {"industry": "Machinery"},
    "metrics": {"employees": 120, "employeesRange": "51-250"},
}
PERSON = clearbit.spec.operation("person")


async def test_a_person_is_asked_by_address_and_a_company_at_a_host_of_its_own() -> None:
    http = VendorFake.of(ALEX, base_url="https://person.clearbit.com")
    reply = await one(clearbit, "person", ask("person_title", person_email="alex@acme.com"), http)
    (sent,) = http.sent
    assert sent.url == "https://person.clearbit.com/v2/people/find"
    assert sent.params["email"] == "alex@acme.com"
    assert sent.headers["Authorization"] == "Bearer secret-key"
    assert (reply.verdict, reply.billing) == (Verdict.MATCH, Billed(LOOKUP))
    assert values(reply)["person_linkedin_url"] == "https://www.linkedin.com/in/alex-byron"
    http = VendorFake.of(ACME, base_url="https://person.clearbit.com")
    reply = await one(clearbit, "company", sample_ask(clearbit.spec.operation("company")), http)
    assert http.sent[0].url == "https://company.clearbit.com/v2/companies/find"
    assert values(reply)["company_employee_count"] == 120
    assert "company_size" not in {r.field for r in reply.readings if r.value == "51-250"}


async def test_both_in_one_cost_two_lookups() -> None:
    http = VendorFake.of({"person": ALEX, "company": ACME})
    reply = await one(clearbit, "combined", ask("person_title", person_email="alex@acme.com"), http)
    assert reply.billing == Billed(2 * LOOKUP)
    assert {"person_title", "company_industry"} <= values(reply).keys()


@pytest.mark.parametrize("body", [b"", b'{"error": {"type": "queued", "message": "queued"}}'])
async def test_a_record_that_is_looked_for_is_promised_under_our_own_name_for_it(body) -> None:
    http = VendorFake(202, body, callback_url="https://us.example/callbacks/clearbit/t")
    reply = await one(clearbit, "person", sample_ask(PERSON), http)
    assert (reply.verdict, reply.handle) == (Verdict.PENDING, http.token)
    assert http.sent[0].params["webhook_id"] == http.token
    assert http.sent[0].params["webhook_url"] == http.callback_url
    silent = VendorFake(202, body, callback_url="")
    await one(clearbit, "person", sample_ask(PERSON), silent)
    assert "webhook_url" not in silent.sent[0].params


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (202, b"", Verdict.PENDING),
        (500, b"", Verdict.PENDING),
        (503, b"", Verdict.PENDING),
        (200, b"<html>", Verdict.PENDING),
        (404, b'{"error": {"type": "unknown_record"}}', Verdict.NO_MATCH),
        (429, b"", Verdict.RATE_LIMITED),
        (401, b"", Verdict.AUTH),
    ],
)
async def test_a_promised_record_is_waited_for_until_it_is_there_or_unknown(
    status, body, verdict
) -> None:
    http = VendorFake(status, body)
    reply = await clearbit.collect("person", "g1-1-x", sample_ask(PERSON), http)
    assert reply.verdict is verdict
    if verdict is Verdict.PENDING:
        assert reply.handle == "g1-1-x"


@pytest.mark.parametrize(
    ("status", "kind", "verdict", "free"),
    [
        (401, "invalid_api_key", Verdict.AUTH, True),
        (402, "over_quota", Verdict.OUT_OF_CREDITS, True),
        (404, "unknown_record", Verdict.NO_MATCH, True),
        (404, "unknown_route", Verdict.VENDOR_ERROR, True),
        (422, "params_invalid", Verdict.BAD_INPUT, True),
        (500, "server", Verdict.VENDOR_ERROR, False),
    ],
)
async def test_clearbits_own_status_habits(status, kind, verdict, free) -> None:
    http = VendorFake.of({"error": {"type": kind, "message": "no"}}, status)
    reply = await one(clearbit, "person", sample_ask(PERSON), http)
    assert reply.verdict is verdict
    assert isinstance(reply.billing, Unbilled if free else BillingUnknown)


async def test_the_end_of_a_full_window_is_read_from_its_header() -> None:
    headers = {"x-ratelimit-reset": "1795348817", "date": "Sun, 22 Nov 2026 12:00:00 GMT"}
    reply = await one(clearbit, "person", sample_ask(PERSON), VendorFake(429, b"", headers))
    assert reply.retry_after_s == 17


def test_a_webhook_counts_where_it_is_signed_with_our_key() -> None:
    body = b'{"id": "g1-1-x", "type": "person", "status": 200, "body": {}}'
    signed = f"sha1={hmac.new(b'secret', body, hashlib.sha1).hexdigest()}"
    headers = {"x-request-signature": signed}
    assert clearbit.announced(headers, body, "sk_secret") == "g1-1-x"
    assert clearbit.announced(headers, body, "secret") == "g1-1-x"
    assert clearbit.announced(headers, body + b" ", "sk_secret") is None
    assert clearbit.announced(headers, body, "sk_other") is None
    assert clearbit.announced({}, body, "sk_secret") is None
    assert clearbit.announced({"x-request-signature": "sha1=\xff"}, body, "sk_secret") is None
    nothing = f"sha1={hmac.new(b'', body, hashlib.sha1).hexdigest()}"
    assert clearbit.announced({"x-request-signature": nothing}, body, "") is None


async def until_there(operation: str, question, http_of) -> tuple[Reply, int]:
    reply = await one(clearbit, operation, question, http_of(clearbit))
    waits = 0
    while reply.verdict is Verdict.PENDING:
        waits += 1
        await asyncio.sleep(0.2)  # the vendor looks for it
        http = http_of(clearbit)
        reply = await clearbit.collect(operation, http.token, question, http)
    return reply, waits


async def test_the_sandbox_is_understood_and_its_bills_are_the_bills_stated(
    sandbox, http_of
) -> None:
    world = sandbox.state.world
    asked = []
    for company in [*world.companies()][:12]:
        person = world.people_of(company)[0]
        mail = ask("person_title", person_email=person.email or "nobody@nowhere.com")
        asked += [("company", ask("company_name", company_domain=company.domain))]
        asked += [("person", mail), ("combined", mail)]
    ended = await asyncio.gather(*(until_there(*one_of, http_of) for one_of in asked))
    verdicts = {reply.verdict for reply, _ in ended}
    assert verdicts == {Verdict.MATCH, Verdict.NO_MATCH}
    assert {waits > 0 for _, waits in ended} == {True, False}
    for (operation, question), (reply, _) in zip(asked, ended, strict=True):
        if reply.verdict is Verdict.MATCH and operation == "company":
            assert values(reply)["company_domain"] == question.known["company_domain"]
    stated = sum(getattr(reply.billing, "micros", 0) for reply, _ in ended)
    bills = sandbox.state.billing.bills
    assert stated == sum(bill.micros for bill in bills) > 0
    for (operation, question), (reply, waits) in zip(asked, ended, strict=True):
        if waits and reply.verdict is Verdict.MATCH:
            http = http_of(clearbit)
            await clearbit.collect(operation, http.token, question, http)
    assert stated == sum(bill.micros for bill in bills)  # fetched twice, billed once


async def test_a_wrong_key_and_an_empty_account_at_the_sandbox(http_of) -> None:
    for key, verdict in (("wrong", Verdict.AUTH), ("sandbox-spent", Verdict.OUT_OF_CREDITS)):
        reply = await one(clearbit, "person", sample_ask(PERSON), http_of(clearbit, key=key))
        assert reply.verdict is verdict
