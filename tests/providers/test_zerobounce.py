"""ZeroBounce: its statuses, what it does not charge, its odd refusals, its batches."""

import pytest
from vendor_fake import VendorFake, ask, one, sample_ask, values

from glaze.model.provider import Billed, BillingUnknown, Unbilled, Verdict
from glaze.providers.zerobounce import VALIDATION_PRICE, zerobounce
from glaze_sandbox.faults import FaultKind, FaultSpec

VALIDATE = zerobounce.spec.operation("validate")
NO_KEY = "Invalid API key or your account ran out of credits"


def row(email: str, status: str = "valid", sub_status: str = "") -> dict[str, object]:
    return {"address": email, "status": status, "sub_status": sub_status}


def about(email: str):
    return ask("person_email_status", person_email=email)


@pytest.mark.parametrize(
    ("status", "sub_status", "ours"),
    [
        ("valid", "", "deliverable"),
        ("invalid", "mailbox_not_found", "undeliverable"),
        ("catch-all", "", "risky"),
        ("spamtrap", "", "risky"),
        ("abuse", "", "risky"),
        ("do_not_mail", "role_based", "risky"),
        ("do_not_mail", "disposable", "disposable"),
    ],
)
async def test_each_status_has_its_word_and_costs_a_validation(status, sub_status, ours) -> None:
    http = VendorFake.of(row("jane@acme.com", status, sub_status))
    reply = await one(zerobounce, "validate", sample_ask(VALIDATE), http)
    assert (reply.verdict, reply.billing) == (Verdict.MATCH, Billed(VALIDATION_PRICE))
    assert values(reply) == {"person_email_status": ours}
    assert status in reply.detail


async def test_unknown_is_no_answer_and_free() -> None:
    http = VendorFake.of(row("jane@acme.com", "unknown", "greylisted"))
    reply = await one(zerobounce, "validate", sample_ask(VALIDATE), http)
    assert (reply.verdict, reply.billing) == (Verdict.NO_MATCH, Unbilled())
    assert reply.detail == "the vendor could not tell: greylisted"


async def test_a_verdict_on_another_address_is_not_taken_for_this_ones() -> None:
    http = VendorFake.of(row("somebody@else.com", "valid"))
    reply = await one(zerobounce, "validate", sample_ask(VALIDATE), http)
    assert (reply.verdict, reply.readings) == (Verdict.VENDOR_ERROR, ())
    assert isinstance(reply.billing, BillingUnknown)


async def test_a_word_that_nobody_knows_may_have_been_charged() -> None:
    http = VendorFake.of(row("jane@acme.com", "brand_new"))
    reply = await one(zerobounce, "validate", sample_ask(VALIDATE), http)
    assert isinstance(reply.billing, BillingUnknown)


@pytest.mark.parametrize("http_status", [200, 400, 403])
@pytest.mark.parametrize(
    ("said", "verdict"),
    [(NO_KEY, Verdict.OUT_OF_CREDITS), ("Invalid API key", Verdict.AUTH)],
)
async def test_bad_keys_and_empty_accounts_are_told_by_a_text_whatever_the_status(
    said, verdict, http_status
) -> None:
    alone = VendorFake.of({"error": said}, http_status)
    reply = await one(zerobounce, "validate", sample_ask(VALIDATE), alone)
    assert (reply.verdict, reply.billing) == (verdict, Unbilled())
    errors = [{"error": said, "email_address": "all"}]
    many = VendorFake.of({"email_batch": [], "errors": errors}, http_status)
    for each in await zerobounce.look_up("validate", [about("a@x.com"), about("b@x.com")], many):
        assert (each.verdict, each.billing) == (verdict, Unbilled())


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (400, Verdict.BAD_INPUT),
        (403, Verdict.VENDOR_ERROR),  # its shield, not a bad key
        (404, Verdict.VENDOR_ERROR),
        (429, Verdict.RATE_LIMITED),
        (503, Verdict.VENDOR_ERROR),
    ],
)
async def test_zerobounces_own_status_habits(status, verdict) -> None:
    reply = await one(zerobounce, "validate", sample_ask(VALIDATE), VendorFake(status, b""))
    assert (reply.verdict, reply.billing) == (verdict, Unbilled())
    assert (reply.retry_after_s == 60) == (status == 429)


async def test_a_gateway_that_gave_up_waiting_may_have_been_billed() -> None:
    reply = await one(zerobounce, "validate", sample_ask(VALIDATE), VendorFake(524, b""))
    assert isinstance(reply.billing, BillingUnknown)


async def test_many_addresses_go_into_one_request_and_rows_find_theirs_in_any_order() -> None:
    rows = [row("B@x.com", "invalid"), row("a@x.com"), row("d@x.com", "unknown")]
    errors = [{"error": "bad address", "email_address": "c@x.com"}]
    http = VendorFake.of({"email_batch": rows, "errors": errors})
    asks = [*map(about, ("a@x.com", "b@x.com", "c@x.com", "d@x.com", "lost@x.com"))]
    replies = [*await zerobounce.look_up("validate", [asks[0], ask("x"), *asks[1:]], http)]
    (sent,) = http.sent
    assert (sent.method, sent.url) == ("POST", "https://vendor.example/validatebatch")
    assert sent.json["timeout"] == "60"  # a text: the vendor refuses a number
    assert [one["email_address"] for one in sent.json["email_batch"]][:2] == ["a@x.com", "b@x.com"]
    assert [reply.verdict for reply in replies] == [
        Verdict.MATCH,
        Verdict.BAD_INPUT,  # nothing to ask about
        Verdict.MATCH,
        Verdict.BAD_INPUT,
        Verdict.NO_MATCH,
        Verdict.VENDOR_ERROR,
    ]
    assert values(replies[2]) == {"person_email_status": "undeliverable"}
    paid = [reply.billing for reply in replies]
    assert paid[:5] == [Billed(10_000), Unbilled(), Billed(10_000), Unbilled(), Unbilled()]
    assert isinstance(paid[5], BillingUnknown)
    again = await one(zerobounce, "validate", asks[0], VendorFake(body=replies[0].raw))
    assert again.readings == replies[0].readings


@pytest.mark.parametrize("body", [{}, {"email_batch": []}, {"email_batch": [{}]}, [], None])
async def test_a_batch_that_says_nothing_is_believed_by_nobody(body) -> None:
    asks = [about("a@x.com"), about("b@x.com")]
    for reply in await zerobounce.look_up("validate", asks, VendorFake.of(body)):
        assert reply.readings == ()
        assert isinstance(reply.billing, BillingUnknown)


@pytest.mark.parametrize("fault", [None, FaultKind.SHUFFLED, FaultKind.SHORT])
async def test_the_sandbox_is_understood_and_its_bills_are_the_bills_stated(
    sandbox, http_of, fault
) -> None:
    if fault is not None:
        sandbox.state.faults.add(FaultSpec(kind=fault, vendor="zerobounce"))
    world = sandbox.state.world
    emails = [
        *(p.email for c in world.companies() for p in world.people_of(c)[:1] if p.email),
        *(f"nobody.atall@{company.domain}" for company in [*world.companies()][:30]),
        "ada@mailinator.com",
        "valid@example.com",
    ]
    truth = {p.email: p for c in world.companies() for p in world.people_of(c)}
    replies = [*await zerobounce.look_up("validate", [*map(about, emails)], http_of(zerobounce))]
    alone = await one(zerobounce, "validate", about("ada@yopmail.com"), http_of(zerobounce))
    assert values(alone) == {"person_email_status": "disposable"}
    said = [values(reply).get("person_email_status") for reply in replies]
    assert {"deliverable", "undeliverable", "risky", None} <= {*said}
    right = [
        (status == "deliverable") == (email in truth)
        for email, status in zip(emails, said, strict=True)
        if status in {"deliverable", "undeliverable"} and not email.endswith("@example.com")
    ]
    assert sum(right) / len(right) > 0.85
    stated = sum(getattr(reply.billing, "micros", 0) for reply in (*replies, alone))
    unknown = sum(isinstance(reply.billing, BillingUnknown) for reply in replies)
    billed = sum(bill.micros for bill in sandbox.state.billing.bills)
    sample = VALIDATION_PRICE if fault is not FaultKind.SHORT else 0  # said to cost, and did not
    assert stated - sample <= billed <= stated + unknown * VALIDATION_PRICE
    assert unknown == (1 if fault is FaultKind.SHORT else 0)


async def test_an_empty_account_at_the_sandbox(http_of) -> None:
    for key in ("sandbox-spent", "wrong"):  # the vendor does not tell them apart
        reply = await one(zerobounce, "validate", about("a@x.com"), http_of(zerobounce, key=key))
        assert (reply.verdict, reply.billing) == (Verdict.OUT_OF_CREDITS, Unbilled())
