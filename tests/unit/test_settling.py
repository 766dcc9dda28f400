"""What a reply, or none, means for the money: one rule a line."""

import pytest

from glaze.errors import ConnectFailed, FetchError, FetchTimeout
from glaze.model.ledger import CallEnd
from glaze.model.provider import Billed, Billing, BillingUnknown, Reply, Unbilled, Verdict
from glaze.model.value import CallId, FieldName, Micros, Reading
from glaze.pipeline.asking import Answer, Decline, Declined
from glaze.pipeline.settling import answered, settle_failure, settle_reply, settle_unsent

READING = Reading(FieldName("company_city"), "Columbus", 80)
PAID = Billed(Micros(5))
UNSAID = BillingUnknown("the vendor does not say")


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
    settled = settle_reply(CallId(1), Reply(verdict, billing, (READING,)), {})
    assert (settled.end, settled.price_micros) == (end, price)
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
    assert settle_failure(CallId(1), error, costs=costs).end is end


def test_a_call_that_was_never_sent_costs_nothing():
    assert settle_unsent(CallId(1), "too late").end is CallEnd.NOT_BILLED


@pytest.mark.parametrize(
    ("verdict", "billing", "why"),
    [
        (Verdict.RATE_LIMITED, Unbilled(), Decline.WAIT),
        (Verdict.VENDOR_ERROR, Unbilled(), Decline.FAILED),
        (Verdict.MATCH, UNSAID, Decline.UNKNOWN),
    ],
)
def test_the_asker_is_told_what_became_of_its_question(
    verdict: Verdict, billing: Billing, why: Decline
):
    reply = Reply(verdict, billing, (READING,), retry_after_s=7.0)
    told = answered(settle_reply(CallId(1), reply, {}), reply)
    assert isinstance(told, Declined)
    assert told.why is why
    assert told.wait_s == (7.0 if why is Decline.WAIT else 0.0)


def test_a_settled_reply_is_an_answer_at_its_price():
    reply = Reply(Verdict.MATCH, PAID, (READING,))
    told = answered(settle_reply(CallId(1), reply, {}), reply)
    assert isinstance(told, Answer)
    assert (told.price_micros, told.known, told.readings) == (5, False, (READING,))
