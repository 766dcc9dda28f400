"""What a reply, or none, means for the money: one rule a line."""

from dataclasses import replace

import pytest

from glaze.errors import ConnectFailed, FetchError, FetchTimeout
from glaze.model.ledger import CallEnd
from glaze.model.provider import (
    Billed,
    Billing,
    BillingUnknown,
    Operation,
    Reply,
    Resend,
    Unbilled,
    Verdict,
)
from glaze.model.value import FREE, CallId, FieldName, Micros, Reading
from glaze.pipeline.asking import Answer, Decline, Declined
from glaze.pipeline.settling import (
    answered,
    poll_wait_s,
    settle_failure,
    settle_reply,
    settle_unsent,
)

READING = Reading(FieldName("company_city"), "Columbus", 80)
PAID = Billed(Micros(5))
UNSAID = BillingUnknown("the vendor does not say")
PAYING = Operation("ask", (), {}, Micros(5))


@pytest.mark.parametrize(
    ("verdict", "billing", "end", "price"),
    [
        (Verdict.MATCH, PAID, CallEnd.SETTLED, 5),
        (Verdict.NO_MATCH, PAID, CallEnd.SETTLED, 5),  # some vendors bill a miss
        (Verdict.VENDOR_ERROR, PAID, CallEnd.SETTLED, 5),
        (Verdict.MATCH, Unbilled(), CallEnd.SETTLED, 0),
        (Verdict.NO_MATCH, Unbilled(), CallEnd.SETTLED, 0),
        (Verdict.BAD_INPUT, Unbilled(), CallEnd.SETTLED, 0),
        (Verdict.SUPPRESSED, Unbilled(), CallEnd.SETTLED, 0),
        (Verdict.RATE_LIMITED, Unbilled(), CallEnd.NOT_BILLED, 0),
        (Verdict.VENDOR_ERROR, Unbilled(), CallEnd.NOT_BILLED, 0),
        (Verdict.AUTH, Unbilled(), CallEnd.NOT_BILLED, 0),
        (Verdict.OUT_OF_CREDITS, Unbilled(), CallEnd.NOT_BILLED, 0),
        (Verdict.MATCH, UNSAID, CallEnd.UNKNOWN, 0),
        (Verdict.VENDOR_ERROR, UNSAID, CallEnd.UNKNOWN, 0),
    ],
)
def test_a_reply_settles_its_call_by_what_was_billed(
    verdict: Verdict, billing: Billing, end: CallEnd, price: int
):
    settled = settle_reply(CallId(1), Reply(verdict, billing, (READING,)), {}, PAYING)
    assert (settled.end, settled.price_micros) == (end, price)
    kept = end is CallEnd.SETTLED or (end is CallEnd.UNKNOWN and verdict is Verdict.MATCH)
    assert bool(settled.readings) == kept


@pytest.mark.parametrize(
    ("verdict", "end"),
    [(Verdict.MATCH, CallEnd.SETTLED), (Verdict.VENDOR_ERROR, CallEnd.NOT_BILLED)],
)
@pytest.mark.parametrize("resend", [Resend.NEVER, Resend.COLLECT])
def test_what_costs_nothing_is_never_of_unknown_outcome(
    verdict: Verdict, end: CallEnd, resend: Resend
):
    free = replace(PAYING, price_micros=FREE, resend=resend, collect_s=60.0)
    settled = settle_reply(CallId(1), Reply(verdict, UNSAID, (READING,)), {}, free)
    assert (settled.end, settled.price_micros) == (end, FREE)
    assert bool(settled.readings) == (end is CallEnd.SETTLED)


@pytest.mark.parametrize(
    ("error", "costs", "end"),
    [
        (FetchTimeout("late"), True, CallEnd.UNKNOWN),
        (FetchTimeout("late"), False, CallEnd.NOT_BILLED),
        (ConnectFailed("nobody there", sent=False), True, CallEnd.NOT_BILLED),
        (FetchError("broke off", sent=True), True, CallEnd.UNKNOWN),
    ],
)
def test_a_call_without_an_answer_is_unknown_only_where_it_may_have_been_billed(
    error: FetchError,
    costs: bool,
    end: CallEnd,
):
    operation = PAYING if costs else replace(PAYING, price_micros=FREE)
    assert settle_failure(CallId(1), error, operation).end is end


def test_a_call_that_was_never_sent_costs_nothing():
    assert settle_unsent(CallId(1), "too late").end is CallEnd.NOT_BILLED


@pytest.mark.parametrize(
    ("verdict", "billing", "why"),
    [
        (Verdict.RATE_LIMITED, Unbilled(), Decline.WAIT),
        (Verdict.VENDOR_ERROR, Unbilled(), Decline.FAILED),
        (Verdict.VENDOR_ERROR, UNSAID, Decline.UNKNOWN),
    ],
)
def test_the_asker_is_told_what_became_of_its_question(
    verdict: Verdict, billing: Billing, why: Decline
):
    reply = Reply(verdict, billing, (READING,), retry_after_s=7.0)
    told = answered(settle_reply(CallId(1), reply, {}, PAYING), reply)
    assert isinstance(told, Declined)
    assert told.why is why
    assert told.wait_s == (7.0 if why is Decline.WAIT else 0.0)


def test_a_settled_reply_is_an_answer_at_its_price():
    reply = Reply(Verdict.MATCH, PAID, (READING,))
    told = answered(settle_reply(CallId(1), reply, {}, PAYING), reply)
    assert isinstance(told, Answer)
    assert (told.price_micros, told.known, told.readings) == (5, False, (READING,))


@pytest.mark.parametrize("resend", [Resend.IDEMPOTENT, Resend.COLLECT])
def test_what_can_be_had_again_is_left_open_where_its_outcome_is_unknown(resend: Resend):
    operation = replace(PAYING, resend=resend, collect_s=60.0)
    lost = settle_failure(CallId(1), FetchTimeout("late"), operation)
    unsaid = settle_reply(CallId(1), Reply(Verdict.VENDOR_ERROR, UNSAID), {}, operation)
    unsent = settle_failure(CallId(1), ConnectFailed("nobody there", sent=False), operation)
    assert (lost.end, unsaid.end, unsent.end) == (
        CallEnd.PENDING,
        CallEnd.PENDING,
        CallEnd.NOT_BILLED,
    )


def test_a_promise_that_nobody_could_collect_is_an_unknown_outcome():
    promise = Reply(Verdict.PENDING, UNSAID, handle="s_1")
    patient = replace(PAYING, collect_s=60.0)
    assert settle_reply(CallId(1), promise, {}, patient).end is CallEnd.PENDING
    assert settle_reply(CallId(1), promise, {}, PAYING).end is CallEnd.UNKNOWN
    no_handle = replace(promise, handle="")
    assert settle_reply(CallId(1), no_handle, {}, patient).end is CallEnd.UNKNOWN


def test_polls_come_further_and_further_apart_unless_the_vendor_says_when():
    assert [poll_wait_s(None, polls) for polls in (0, 1, 2, 9, 900)] == [2, 4, 8, 60, 60]
    assert poll_wait_s(Reply(Verdict.PENDING, UNSAID, retry_after_s=10.0), 3) == 10.0
