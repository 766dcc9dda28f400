"""Apollo: matching people, singly and in bulk, and organizations."""

import asyncio

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


ACME = {"id": "1", "name": "Acme", "primary_domain": "acme.com"}
BETA = {"id": "2", "name": "Beta", "primary_domain": "beta.com"}
TWO = [ask("company_name", company_domain=domain) for domain in ("acme.com", "beta.com")]


async def enriched(organizations: object, **more: object) -> list[tuple[str | None, object]]:
    body = {"status": "success", "organizations": organizations, **more}
    replies = await apollo.look_up("organization_enrich", TWO, VendorFake.of(body))
    return [(values(reply).get("company_name"), reply.billing) for reply in replies]


async def test_several_organizations_go_into_one_bulk_request() -> None:
    http = VendorFake.of({"status": "success", "organizations": [ACME, BETA]})
    await apollo.look_up("organization_enrich", TWO, http)
    (sent,) = http.sent
    assert (sent.method, sent.url) == ("POST", "https://vendor.example/organizations/bulk_enrich")
    assert sent.json == {"details": [{"domain": "acme.com"}, {"domain": "beta.com"}]}


@pytest.mark.parametrize(
    ("organizations", "names"),
    [
        ([ACME, BETA], ["Acme", "Beta"]),
        ([BETA, ACME], ["Acme", "Beta"]),
        ([None, BETA], [None, "Beta"]),
        ([BETA], [None, "Beta"]),  # a miss left out
        ([], [None, None]),
    ],
)
async def test_each_company_gets_its_own_record_whatever_the_order(organizations, names) -> None:
    found = await enriched(organizations)
    assert [name for name, _ in found] == names
    assert [bill for _, bill in found] == [
        Billed(100_000) if name else Unbilled() for name in names
    ]


async def test_an_organization_that_nobody_asked_about_is_nobodys() -> None:
    stranger = {"id": "3", "name": "Gamma", "primary_domain": "gamma.com"}
    for organizations in ([stranger], [BETA, stranger], "none", None):
        for name, billing in await enriched(organizations):
            assert name is None
            assert isinstance(billing, BillingUnknown)


async def test_an_organization_that_two_questions_mean_is_paid_once() -> None:
    asks = [
        ask("company_name", company_domain="acme.com"),
        ask("company_name", company_linkedin_url="https://www.linkedin.com/company/acme"),
    ]
    record = ACME | {"linkedin_url": "http://www.linkedin.com/company/acme"}
    body = {"organizations": [record, record], "unique_enriched_records": 1}
    replies = await apollo.look_up("organization_enrich", asks, VendorFake.of(body))
    assert [values(reply)["company_name"] for reply in replies] == ["Acme", "Acme"]
    assert sum(getattr(reply.billing, "micros", 0) for reply in replies) == 100_000


async def test_the_sandboxes_bulk_of_organizations_is_understood_and_its_bill_stated(
    sandbox, http_of
) -> None:
    companies = [*sandbox.state.world.companies()][:10]
    asks = [ask("company_name", company_domain=company.domain) for company in companies]
    replies = await apollo.look_up("organization_enrich", asks, http_of(apollo))
    assert {Verdict.MATCH, Verdict.NO_MATCH} == {reply.verdict for reply in replies}
    for company, reply in zip(companies, replies, strict=True):
        assert values(reply).get("company_domain", company.domain) == company.domain
    stated = sum(getattr(reply.billing, "micros", 0) for reply in replies)
    assert stated == sum(bill.micros for bill in sandbox.state.billing.bills) > 0


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


PHONE = apollo.spec.operation("people_phone")
FOUND = {
    "request_id": "1039995589705121900",
    "webhook_status": "success",
    "webhook_result": {
        "credits_consumed": 8,
        "people": [
            {
                "id": "64a7",
                "phone_numbers": [
                    {"sanitized_number": "+14155550164", "type_cd": "mobile"},
                    {"sanitized_number": "+14155550165", "type_cd": "work_direct"},
                    {
                        "sanitized_number": "+14155550166",
                        "type_cd": "mobile",
                        "status_cd": "invalid_number",
                    },
                ],
            }
        ],
    },
}


async def test_a_phone_is_promised_under_the_requests_id_and_nothing_is_asked_without_an_address():
    http = VendorFake.of({"person": TIM, "request_id": -1039995589705121900})
    question = ask("person_mobile", person_email="tim@apollo.io")
    reply = await one(apollo, "people_phone", question, http)
    assert (reply.verdict, reply.handle) == (Verdict.PENDING, "-1039995589705121900")
    assert http.sent[0].params == {
        "email": "tim@apollo.io",
        "reveal_phone_number": "true",
        "webhook_url": http.callback_url,
    }
    unreachable = VendorFake.of({"person": TIM}, callback_url="")
    reply = await one(apollo, "people_phone", question, unreachable)
    assert (reply.billing, unreachable.sent) == (Unbilled(), [])
    nobody = await one(apollo, "people_phone", question, VendorFake.of({"person": None}))
    assert (nobody.verdict, nobody.billing) == (Verdict.NO_MATCH, Unbilled())


async def test_found_numbers_cost_what_they_name_and_the_match():
    http = VendorFake.of(FOUND)
    reply = await apollo.collect("people_phone", "17", sample_ask(PHONE), http)
    assert http.sent[0].url == "https://vendor.example/webhook_result/17"
    assert values(reply) == {"person_mobile": "+14155550164", "person_phone": "+14155550165"}
    assert reply.billing == Billed(900_000)
    none = {"webhook_result": {"credits_consumed": 0, "people": []}}
    reply = await apollo.collect("people_phone", "17", sample_ask(PHONE), VendorFake.of(none))
    assert (reply.verdict, reply.billing) == (Verdict.NO_MATCH, Billed(100_000))


@pytest.mark.parametrize(
    ("credits_used", "billing"),
    [
        (9, Billed(1_000_000)),  # more than was reserved: an overrun
        ("8", Billed(900_000)),
        (None, Billed(100_000)),
        (-1, BillingUnknown),
        (10, BillingUnknown),
        (10**12, BillingUnknown),
        (10**30, BillingUnknown),
        (0.5, BillingUnknown),
        ("many", BillingUnknown),
        (True, BillingUnknown),
        ({}, BillingUnknown),
    ],
)
async def test_a_webhooks_bill_is_taken_whole_or_not_at_all(credits_used, billing):
    result = FOUND["webhook_result"] | {"credits_consumed": credits_used}
    http = VendorFake.of(FOUND | {"webhook_result": result})
    reply = await apollo.collect("people_phone", "17", sample_ask(PHONE), http)
    assert reply.verdict is Verdict.MATCH
    assert billing in (reply.billing, type(reply.billing))


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (404, b'{"error_code": "result_pending", "retry_after_seconds": 10}', Verdict.PENDING),
        (500, b"", Verdict.PENDING),
        (200, b"<html>", Verdict.PENDING),
        (429, b"{}", Verdict.RATE_LIMITED),
        (401, b"Invalid API key.", Verdict.AUTH),
        (404, b'{"error_code": "request_id_unknown"}', Verdict.VENDOR_ERROR),
        (410, b'{"error_code": "request_id_expired"}', Verdict.VENDOR_ERROR),
    ],
)
async def test_numbers_are_waited_for_as_long_as_they_may_come(status, body, verdict):
    reply = await apollo.collect("people_phone", "17", sample_ask(PHONE), VendorFake(status, body))
    assert reply.verdict is verdict
    if verdict is Verdict.VENDOR_ERROR:
        assert isinstance(reply.billing, BillingUnknown)
    if b"10" in body:
        assert (reply.handle, reply.retry_after_s) == ("17", 10)


def test_a_webhook_names_its_request():
    assert apollo.announced({}, b'{"request_id": 1039995589705121900}', "") == "1039995589705121900"
    assert apollo.announced({}, b"[]", "") is None


async def test_the_sandboxs_numbers_are_understood_and_their_bills_stated(sandbox, http_of):
    people = [sandbox.state.world.people_of(c)[0] for c in [*sandbox.state.world.companies()][:12]]

    async def number_of(person):
        question = ask("person_mobile", person_linkedin_url=person.linkedin_url)
        http = http_of(apollo)
        http.callback_url = "https://us.example/callbacks/apollo/t"
        reply = await one(apollo, "people_phone", question, http)
        handle = reply.handle
        while reply.verdict is Verdict.PENDING:
            await asyncio.sleep(0.3)  # the vendor looks for it
            reply = await apollo.collect("people_phone", handle, question, http_of(apollo))
        return reply

    replies = await asyncio.gather(*map(number_of, people))
    assert {Verdict.MATCH, Verdict.NO_MATCH} == {reply.verdict for reply in replies}
    for person, reply in zip(people, replies, strict=True):
        assert values(reply).get("person_mobile", person.phone) == person.phone
    stated = sum(getattr(reply.billing, "micros", 0) for reply in replies)
    assert stated == sum(bill.micros for bill in sandbox.state.billing.bills) > 0
    assert sandbox.state.sender.kept_back > 0  # an address that is not of this machine
