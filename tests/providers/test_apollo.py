"""Apollo: matching people, singly and in bulk, and organizations."""

import pytest
from vendor_fake import VendorFake, ask, one, sample_ask, values

from glaze.model.provider import Billed, BillingUnknown, Unbilled, Verdict
from glaze.providers.apollo import LOCKED_EMAIL, apollo

TIM = {
    "id": "64a7",
    "name": "Tim Zheng",
    "first_name": "Tim",
    "last_name": "Zheng",
    "title": "Founder & CEO",
    "email": "tim@apollo.io",
    "email_status": "verified",
    "linkedin_url": "http://www.linkedin.com/in/tim-zheng-677ba010",
    "seniority": "founder",
    "departments": ["c_suite", "master_engineering_technical"],
    "country": "United States",
    "contact": {"email": "someone.else@other.com", "name": "Someone Else"},
    "organization": {"name": "Apollo.io", "primary_domain": "apollo.io"},
}
MATCH = apollo.spec.operation("people_match")


async def test_one_person_is_matched_by_query_parameters_and_costs_a_contact() -> None:
    http = VendorFake.of({"person": TIM, "request_id": 1039995589705121900})
    reply = await one(
        apollo, "people_match", ask("person_title", person_email="tim@apollo.io"), http
    )
    assert http.sent[0].params == {"email": "tim@apollo.io"}
    assert http.sent[0].headers["x-api-key"] == "secret-key"
    assert reply.verdict is Verdict.MATCH
    assert reply.billing == Billed(100_000)
    found = values(reply)
    assert found["person_linkedin_url"] == "https://www.linkedin.com/in/tim-zheng-677ba010"
    assert found["person_email_status"] == "deliverable"
    assert found["person_country"] == "US"
    assert found["person_department"] == "engineering technical"
    assert "someone.else@other.com" not in str(reply.readings)


async def test_only_the_best_identifiers_that_make_up_the_question_are_sent() -> None:
    http = VendorFake.of({"person": None})
    known = {
        "person_full_name": "Tim Zheng",
        "company_domain": "apollo.io",
        "company_name": "Apollo",
    }
    await one(apollo, "people_match", ask("person_email", **known), http)
    assert http.sent[0].params == {"name": "Tim Zheng", "domain": "apollo.io"}


@pytest.mark.parametrize("email", [LOCKED_EMAIL, LOCKED_EMAIL.upper()])
async def test_the_placeholder_of_a_locked_address_is_no_value_nor_is_its_status(email) -> None:
    http = VendorFake.of({"person": TIM | {"email": email}})
    found = values(await one(apollo, "people_match", sample_ask(MATCH), http))
    assert found["person_full_name"] == "Tim Zheng"
    assert "person_email" not in found
    assert "person_email_status" not in found


@pytest.mark.parametrize(
    "body", [{"person": None}, {"person": None, "request_id": 7}, {"request_id": 7}, {}]
)
async def test_a_miss_is_a_success_without_a_person_and_costs_nothing(body) -> None:
    reply = await one(apollo, "people_match", sample_ask(MATCH), VendorFake.of(body))
    assert (reply.verdict, reply.billing) == (Verdict.NO_MATCH, Unbilled())


async def test_several_people_go_into_one_bulk_request_and_answers_keep_their_order() -> None:
    http = VendorFake.of({"matches": [TIM, None], "credits_consumed": 1})
    asks = [
        ask("person_email", person_email="tim@apollo.io"),
        ask("person_email"),  # nothing to match by
        ask("person_email", person_full_name="A B", company_domain="b.com"),
    ]
    hit, unasked, miss = await apollo.look_up("people_match", asks, http)
    (sent,) = http.sent
    assert sent.url.endswith("/people/bulk_match")
    assert sent.json == {
        "details": [{"email": "tim@apollo.io"}, {"domain": "b.com", "name": "A B"}]
    }
    assert (hit.verdict, hit.billing) == (Verdict.MATCH, Billed(100_000))
    assert (unasked.verdict, unasked.billing) == (Verdict.BAD_INPUT, Unbilled())
    assert (miss.verdict, miss.billing) == (Verdict.NO_MATCH, Unbilled())
    again = VendorFake(body=hit.raw)
    assert (await one(apollo, "people_match", asks[0], again)).readings == hit.readings


@pytest.mark.parametrize(
    ("credits_used", "billed"),
    [(3, [200_000, 100_000]), (1, [100_000, 0]), (0, [0, 0]), (None, [100_000, 100_000])],
)
async def test_the_credits_of_a_bulk_request_are_shared_out_without_loss(
    credits_used, billed
) -> None:
    http = VendorFake.of({"matches": [TIM, TIM], "credits_consumed": credits_used})
    replies = await apollo.look_up("people_match", [sample_ask(MATCH)] * 2, http)
    assert [getattr(r.billing, "micros", 0) for r in replies] == billed


@pytest.mark.parametrize("matches", [[TIM], [TIM] * 3, None, "x"])
async def test_a_bulk_answer_that_does_not_line_up_is_believed_by_nobody(matches) -> None:
    http = VendorFake.of({"matches": matches, "credits_consumed": 2})
    for reply in await apollo.look_up("people_match", [sample_ask(MATCH)] * 2, http):
        assert reply.readings == ()
        assert isinstance(reply.billing, BillingUnknown)


async def test_records_in_each_others_places_are_believed_by_nobody() -> None:
    jane = TIM | {"name": "Jane Doe", "linkedin_url": None, "email": "jane@b.com"}
    asks = [
        ask("person_email", person_email="tim@apollo.io"),
        ask("person_email", person_first_name="Jane", person_last_name="Doe", company_name="B"),
    ]
    right = VendorFake.of({"matches": [TIM, jane], "credits_consumed": 2})
    assert all(r.readings for r in await apollo.look_up("people_match", asks, right))
    turned = VendorFake.of({"matches": [jane, TIM], "credits_consumed": 2})
    for reply in await apollo.look_up("people_match", asks, turned):
        assert reply.readings == ()
        assert isinstance(reply.billing, BillingUnknown)
    renamed = VendorFake.of({"matches": [TIM, jane | {"name": "J. Smith"}], "credits_consumed": 2})
    assert all(r.readings for r in await apollo.look_up("people_match", asks, renamed))


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (401, b"Invalid API key. See https://docs.apollo.io/...", Verdict.AUTH),
        (
            403,
            b'{"error":"not authorized","error_code":"API_INACCESSIBLE"}',
            Verdict.FORBIDDEN_PLAN,
        ),
        (403, b'{"error":"Insufficient credits"}', Verdict.OUT_OF_CREDITS),
        (402, b"", Verdict.OUT_OF_CREDITS),
        (422, b'"{\\"error\\": \\"Required parameter\\"}"', Verdict.BAD_INPUT),
        (400, b'{"status":"failed","error_code":"RECORD_LIMIT_EXCEEDED"}', Verdict.BAD_INPUT),
        (
            429,
            b'{"message":"maximum number of api calls ... 600 times per hour"}',
            Verdict.RATE_LIMITED,
        ),
        (503, b"<html>", Verdict.VENDOR_ERROR),
    ],
)
async def test_apollos_own_status_habits(status, body, verdict) -> None:
    reply = await one(apollo, "people_match", sample_ask(MATCH), VendorFake(status, body))
    assert (reply.verdict, reply.billing) == (verdict, Unbilled())


async def test_a_gateway_timeout_may_have_been_billed() -> None:
    reply = await one(apollo, "people_match", sample_ask(MATCH), VendorFake(504, b""))
    assert isinstance(reply.billing, BillingUnknown)


async def test_an_organization_found_by_name_alone_is_less_sure() -> None:
    organization = {"id": "1", "name": "Acme", "primary_domain": "acme.com"}
    http = VendorFake.of({"organization": organization})
    by_name = await one(
        apollo, "organization_enrich", ask("company_domain", company_name="Acme"), http
    )
    by_domain = await one(
        apollo, "organization_enrich", ask("company_name", company_domain="acme.com"), http
    )
    assert by_name.readings[0].confidence < by_domain.readings[0].confidence


async def test_the_sandbox_is_understood_and_its_bills_are_the_bills_stated(
    sandbox, http_of
) -> None:
    companies = [*sandbox.state.world.companies()][:10]
    people = [sandbox.state.world.people_of(company)[0] for company in companies]
    asks = [
        ask("person_title", person_full_name=p.full_name, company_domain=p.company.domain)
        for p in people
    ]
    replies = await apollo.look_up("people_match", asks, http_of(apollo))
    assert {Verdict.MATCH, Verdict.NO_MATCH} == {reply.verdict for reply in replies}
    for person, reply in zip(people, replies, strict=True):
        assert reply.verdict is Verdict.NO_MATCH or (
            values(reply)["person_full_name"] == person.full_name
        )
    for company in companies:
        question = ask("company_name", company_domain=company.domain)
        reply = await one(apollo, "organization_enrich", question, http_of(apollo))
        assert (
            reply.verdict is Verdict.NO_MATCH or values(reply)["company_domain"] == company.domain
        )
        replies.append(reply)
    stated = sum(getattr(reply.billing, "micros", 0) for reply in replies)
    assert stated == sum(bill.micros for bill in sandbox.state.billing.bills) > 0


async def test_a_wrong_key_at_the_sandbox_is_auth(http_of) -> None:
    reply = await one(apollo, "people_match", sample_ask(MATCH), http_of(apollo, key="wrong"))
    assert reply.verdict is Verdict.AUTH
