"""People Data Labs: its header of credits, its bulk rows each for itself, its small letters."""

import pytest
from vendor_fake import VendorFake, ask, one, sample_ask, values

from glaze.model.provider import Billed, BillingUnknown, Unbilled, Verdict
from glaze.providers.people_data_labs import CREDIT, people_data_labs
from glaze_sandbox.faults import FaultKind, FaultSpec
from glaze_sandbox.limits import LimitSpec

PERSON = people_data_labs.spec.operation("person")
SEAN = {
    "id": "qEnO_0000",
    "full_name": "sean o'neil",
    "first_name": "sean",
    "last_name": "o'neil",
    "work_email": "sean@acme.com",
    "personal_emails": ["sean@gmail.com"],
    "mobile_phone": True,  # it exists, and the plan does not show it
    "phone_numbers": ["+442079460958"],
    "linkedin_url": "linkedin.com/in/seanoneil",
    "job_title": "co-founder and ceo of the lab",
    "job_title_role": "operations",
    "job_title_levels": ["cxo", "owner"],
    "job_company_name": "acme tools",
    "job_company_website": "acme.com",
    "location_locality": "san francisco",
    "location_country": "united states",
    "skills": ["python"],
}
MISS = {"status": 404, "error": {"type": "not_found", "message": "No records were found"}}


def hit(row: int | None = None, **more: object) -> dict[str, object]:
    found: dict[str, object] = {"status": 200, "likelihood": 9, "data": SEAN, **more}
    return found if row is None else found | {"metadata": {"row": row}}


def spent(credits_: object) -> dict[str, str]:
    return {"x-call-credits-spent": str(credits_)}


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("vp of r&d", "VP of R&D"),
        ("acme o'neill gmbh", "Acme O'Neill GmbH"),
        ("john's shop b.v.", "John's Shop B.V."),
        ("iPhone doctors", "iPhone doctors"),
        ("co-head of sales", "Co-head of Sales"),
    ],
)
async def test_what_comes_in_small_letters_is_written_as_people_write_it(told, shown) -> None:
    record = {**SEAN, "job_company_name": told}
    http = VendorFake.of(hit(data=record), headers=spent(1))
    question = ask("person_company_name", person_email="sean@acme.com")
    reply = await one(people_data_labs, "person", question, http)
    assert values(reply)["person_company_name"] == shown


async def test_a_person_is_as_sure_as_the_match_and_hidden_values_are_none() -> None:
    http = VendorFake.of(hit(likelihood=5), headers=spent(1))
    question = ask("person_title", person_email="sean@acme.com")
    reply = await one(people_data_labs, "person", question, http)
    (sent,) = http.sent
    assert (sent.method, sent.url) == ("GET", "https://vendor.example/person/enrich")
    assert sent.params["email"] == "sean@acme.com"
    assert "job_title" in sent.params["data_include"].split(",")
    assert sent.headers["X-Api-Key"] == "secret-key"
    assert reply.billing == Billed(CREDIT)
    found = values(reply)
    assert found["person_full_name"] == "Sean O'Neil"
    assert found["person_title"] == "Co-founder and CEO of the Lab"
    assert found["person_company_name"] == "Acme Tools"
    assert found["person_seniority"] == "c_suite"
    assert found["person_country"] == "US"
    assert found["person_email"] == "sean@acme.com"
    assert found["person_personal_emails"] == ["sean@gmail.com"]
    assert found["person_linkedin_url"] == "https://www.linkedin.com/in/seanoneil"
    assert "person_mobile" not in found
    assert {r.field: r.confidence for r in reply.readings}["person_linkedin_url"] == 45


@pytest.mark.parametrize(
    ("headers", "billing"),
    [
        ({}, Billed(CREDIT)),
        (spent(1), Billed(CREDIT)),
        (spent(0), Unbilled()),
        (spent("2"), Billed(2 * CREDIT)),
        (spent("0.5"), Billed(CREDIT // 2)),
    ],
)
async def test_the_price_is_what_the_vendor_says_it_was(headers, billing) -> None:
    http = VendorFake.of(hit(), headers=headers)
    reply = await one(people_data_labs, "person", sample_ask(PERSON), http)
    assert (reply.verdict, reply.billing) == (Verdict.MATCH, billing)


IMPOSSIBLE = ["4000", "10000000000", "-3", "nan", "many", ""]


@pytest.mark.parametrize("credits_", IMPOSSIBLE)
async def test_no_possible_number_of_credits_is_no_price(credits_) -> None:
    http = VendorFake.of(hit(), headers=spent(credits_))
    reply = await one(people_data_labs, "person", sample_ask(PERSON), http)
    assert (reply.verdict, type(reply.billing)) == (Verdict.MATCH, BillingUnknown)
    refused = VendorFake.of(MISS, 404, headers=spent(credits_))
    reply = await one(people_data_labs, "person", sample_ask(PERSON), refused)
    assert (reply.verdict, type(reply.billing)) == (Verdict.NO_MATCH, BillingUnknown)
    for reply in await bulk([hit(0), hit(1), hit(2)], credits_):
        assert (reply.verdict, type(reply.billing)) == (Verdict.MATCH, BillingUnknown)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (400, Verdict.BAD_INPUT),
        (401, Verdict.AUTH),
        (402, Verdict.OUT_OF_CREDITS),
        (404, Verdict.NO_MATCH),
        (429, Verdict.RATE_LIMITED),
        (503, Verdict.VENDOR_ERROR),
    ],
)
@pytest.mark.parametrize("operation", ["person", "company"])
async def test_the_vendors_own_status_habits(operation, status, verdict) -> None:
    body = {"status": status, "error": {"type": "x", "message": "The reason"}}
    question = sample_ask(people_data_labs.spec.operation(operation))
    reply = await one(people_data_labs, operation, question, VendorFake.of(body, status))
    assert (reply.verdict, reply.billing) == (verdict, Unbilled())
    assert reply.detail == f"{status}: The reason"


@pytest.mark.parametrize("reset", ["2026-11-22T10:00:07Z", "2026-11-22 10:00:07", "1795341607"])
async def test_the_pause_after_a_429_ends_with_the_vendors_window(reset) -> None:
    headers = {"x-ratelimit-reset": reset, "date": "Sun, 22 Nov 2026 10:00:00 GMT"}
    http = VendorFake.of(MISS, 429, headers=headers)
    reply = await one(people_data_labs, "person", sample_ask(PERSON), http)
    assert reply.retry_after_s == 7


async def test_many_people_go_into_one_request_and_each_row_is_settled_for_itself() -> None:
    rows = [hit(0), {**MISS, "metadata": {"row": 1}}, hit(2)]
    http = VendorFake.of(rows, headers=spent(2))
    asks = [
        ask("person_title", person_email="sean@acme.com"),
        ask("person_title"),  # nothing to match by
        ask("person_title", person_full_name="A B", company_domain="b.com"),
        ask("person_title", person_linkedin_url="https://www.linkedin.com/in/x"),
    ]
    first, unasked, miss, last = await people_data_labs.look_up("person", asks, http)
    (sent,) = http.sent
    assert sent.url.endswith("/person/bulk")
    params = [request["params"] for request in sent.json["requests"]]
    assert [request["metadata"] for request in sent.json["requests"]] == [
        {"row": 0},
        {"row": 1},
        {"row": 2},
    ]
    assert {name: params[1][name] for name in ("name", "company")} == {
        "name": "A B",
        "company": "b.com",
    }
    assert [first.billing, last.billing] == [Billed(CREDIT)] * 2
    assert (unasked.verdict, unasked.billing) == (Verdict.BAD_INPUT, Unbilled())
    assert (miss.verdict, miss.billing) == (Verdict.NO_MATCH, Unbilled())
    again = await one(people_data_labs, "person", asks[0], VendorFake(body=first.raw))
    assert again.readings == first.readings


async def bulk(rows: object, credits_: object, asked: int = 3) -> list:
    headers = {} if credits_ is None else spent(credits_)
    asks = [sample_ask(PERSON)] * asked
    return [*await people_data_labs.look_up("person", asks, VendorFake.of(rows, headers=headers))]


async def test_rows_in_another_order_go_to_their_own_questions() -> None:
    rows = [hit(2), {**MISS, "metadata": {"row": 0}}, hit(1)]
    replies = await bulk(rows, 2)
    assert [r.verdict for r in replies] == [Verdict.NO_MATCH, Verdict.MATCH, Verdict.MATCH]


@pytest.mark.parametrize(
    ("credits_", "lost"), [(1, Unbilled()), (2, BillingUnknown), (None, BillingUnknown)]
)
async def test_a_row_that_is_missing_is_free_only_where_the_credits_say_so(credits_, lost) -> None:
    replies = await bulk([hit(0), {**MISS, "metadata": {"row": 2}}], credits_)
    assert [r.verdict for r in replies] == [
        Verdict.MATCH,
        Verdict.VENDOR_ERROR,
        Verdict.NO_MATCH,
    ]
    assert replies[0].billing == Billed(CREDIT)
    kind = lost if isinstance(lost, type) else type(lost)
    assert isinstance(replies[1].billing, kind)


async def test_a_row_may_be_refused_by_itself() -> None:
    problem = {"error": {"type": "payment_required", "message": "No credits"}}
    rows = [hit(0), {"status": 402, **problem, "metadata": {"row": 1}}, hit(2, data=None)]
    replies = await bulk(rows, 2)
    assert [r.verdict for r in replies] == [
        Verdict.MATCH,
        Verdict.OUT_OF_CREDITS,
        Verdict.VENDOR_ERROR,
    ]
    assert isinstance(replies[1].billing, Unbilled)
    assert isinstance(replies[2].billing, BillingUnknown)


@pytest.mark.parametrize("rows", [[], {}, None, [hit(7)], [{"metadata": {"row": 0}}], "x"])
async def test_a_bulk_answer_that_says_nothing_is_believed_by_nobody(rows) -> None:
    for reply in await bulk(rows, 3):
        assert reply.readings == ()
        assert isinstance(reply.billing, BillingUnknown)


async def test_credits_beyond_one_a_record_are_shared_out_without_loss() -> None:
    replies = await bulk([hit(0), hit(1), hit(2)], 4)
    assert sum(reply.billing.micros for reply in replies) == 4 * CREDIT


async def test_a_company_stands_at_the_top_of_its_answer() -> None:
    record = {
        "status": 200,
        "likelihood": 10,
        "name": "acme tools",
        "website": "acme.com",
        "size": "51-200",
        "founded": 1998,
        "industry": "machinery",
        "ticker": None,
        "location": {"locality": "leeds", "country": "united kingdom", "postal_code": "ls1 4ap"},
        "linkedin_url": "linkedin.com/company/acme",
        "tags": ["tools"],
    }
    http = VendorFake.of(record, headers=spent(1))
    question = ask("company_name", company_domain="acme.com")
    reply = await one(people_data_labs, "company", question, http)
    assert http.sent[0].params == {"website": "acme.com"}
    assert reply.billing == Billed(CREDIT)
    assert values(reply) == {
        "company_name": "Acme Tools",
        "company_domain": "acme.com",
        "company_website": "https://acme.com",
        "company_size": "51-200",
        "company_founded_year": 1998,
        "company_industry": "Machinery",
        "company_linkedin_url": "https://www.linkedin.com/company/acme",
        "company_city": "Leeds",
        "company_postal_code": "ls1 4ap",
        "company_country": "GB",
        "company_tags": ["tools"],
    }


@pytest.mark.parametrize("fault", [None, FaultKind.SHUFFLED, FaultKind.SHORT])
async def test_the_sandbox_is_understood_and_its_bills_are_the_bills_stated(
    sandbox, http_of, fault
) -> None:
    if fault is not None:
        sandbox.state.faults.add(FaultSpec(kind=fault, vendor="people_data_labs"))
    world = sandbox.state.world
    people = [world.people_of(company)[0] for company in world.companies()]
    asks = [
        ask("person_title", person_full_name=p.full_name, company_domain=p.company.domain)
        for p in people
    ]
    replies = [*await people_data_labs.look_up("person", asks, http_of(people_data_labs))]
    seen = {reply.verdict for reply in replies}
    assert {Verdict.MATCH, Verdict.NO_MATCH} <= seen
    for person, reply in zip(people, replies, strict=True):
        assert values(reply).get("person_full_name", person.full_name) == person.full_name
    sites = [ask("company_name", company_domain=p.company.domain) for p in people[:10]]
    if fault is None:
        http = [http_of(people_data_labs) for _ in sites]
        asked = zip(sites, http, strict=True)
        replies += [await one(people_data_labs, "company", site, way) for site, way in asked]
    stated = sum(getattr(reply.billing, "micros", 0) for reply in replies)
    unknown = sum(isinstance(reply.billing, BillingUnknown) for reply in replies)
    billed = sum(bill.micros for bill in sandbox.state.billing.bills)
    assert stated <= billed <= stated + unknown * CREDIT
    assert stated > 0
    assert unknown <= (1 if fault is FaultKind.SHORT else 0)


async def test_a_wrong_key_an_empty_account_and_a_full_window_at_the_sandbox(
    sandbox, http_of
) -> None:
    question = sample_ask(PERSON)
    wrong = await one(people_data_labs, "person", question, http_of(people_data_labs, key="no"))
    assert wrong.verdict is Verdict.AUTH
    empty = http_of(people_data_labs, key="sandbox-spent")
    spent_ = await one(people_data_labs, "person", question, empty)
    assert (spent_.verdict, spent_.billing) == (Verdict.OUT_OF_CREDITS, Unbilled())
    limit = {"vendor": "people_data_labs", "calls": 0, "window_s": 60}
    sandbox.state.limits.replace([LimitSpec(**limit)])
    limited = await one(people_data_labs, "person", question, http_of(people_data_labs))
    assert limited.verdict is Verdict.RATE_LIMITED
    assert 50 < (limited.retry_after_s or 0) <= 61
