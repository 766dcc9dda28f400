"""Anthropic's Messages API: its request, its usage in money, its refusals; evidence as for any model."""

import json
from dataclasses import dataclass, replace

import pytest
from vendor_fake import VendorFake, ask, one, values

from glaze.model.inference import LlmConfig
from glaze.model.provider import (
    Billed,
    BillingUnknown,
    Page,
    Unbilled,
    VendorResponse,
    Verdict,
)
from glaze.providers.anthropic import anthropic
from glaze_sandbox.limits import LimitSpec

URL = "https://acme.com/about"
TEXT = "Acme was founded in 1998 by Jane Doe.\nOur 1,200 employees work in Munich, Germany."
ROW = '{"field": "company_founded_year", "value": 1998, "quote": "Acme was founded in 1998"}'


def question(*want: str, text: str = TEXT):
    return ask(*want, evidence=[Page(URL, text)], company_domain="acme.com")


def message(text: str, *, ended: str = "end_turn", **usage: object) -> VendorFake:
    counted = {"input_tokens": 1000, "output_tokens": 100, **usage}
    return VendorFake.of(
        {
            "type": "message",
            "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": text}],
            "stop_reason": ended,
            "usage": counted,
        }
    )


async def test_the_request_binds_to_a_schema_and_has_no_tools_and_no_secrets() -> None:
    http = message(f'{{"answers": [{ROW}]}}')
    reply = await one(anthropic, "infer", question("company_founded_year"), http)
    assert values(reply) == {"company_founded_year": 1998}
    (sent,) = http.sent
    assert sent.url.endswith("/messages")
    assert sent.headers == {"x-api-key": http.key, "anthropic-version": "2023-06-01"}
    assert sent.json.keys() == {"model", "max_tokens", "system", "messages", "output_config"}
    schema = sent.json["output_config"]["format"]["schema"]
    assert schema["additionalProperties"] is False
    assert http.key not in str(sent.json)


async def test_a_value_that_its_quote_does_not_state_is_dropped() -> None:
    http = message(f'{{"answers": [{ROW.replace("1998,", "1999,")}]}}')
    reply = await one(anthropic, "infer", question("company_founded_year"), http)
    assert reply.readings == ()
    assert "does not support" in reply.notes[0]


@pytest.mark.parametrize(
    ("usage", "billing"),
    [
        ({}, Billed(150)),  # 1,000 at $0.10 and 100 at $0.50 a million
        ({"cache_creation_input_tokens": 1000}, Billed(275)),
        ({"cache_read_input_tokens": 1001}, Billed(161)),
        ({"input_tokens": 0, "output_tokens": 0}, Billed(0)),
    ],
)
async def test_the_bill_follows_from_the_usage_cached_tokens_at_their_own_price(
    usage, billing
) -> None:
    http = message('{"answers": []}', **usage)
    assert (await one(anthropic, "infer", question("company_city"), http)).billing == billing


@pytest.mark.parametrize(
    "usage", [{"input_tokens": None}, {"output_tokens": -1}, {"cache_read_input_tokens": 10**9}]
)
async def test_a_bill_that_does_not_follow_from_the_usage_is_unknown(usage) -> None:
    reply = await one(anthropic, "infer", question("company_city"), message("{}", **usage))
    assert isinstance(reply.billing, BillingUnknown)


@pytest.mark.parametrize(
    ("text", "ended", "found"),
    [
        ("", "refusal", 0),
        (f'{{"answers": [{ROW}, {{"field": "company_ci', "max_tokens", 1),
        (f"Here you are: {ROW}", "end_turn", 1),
        ('{"answers": [{"fie', "max_tokens", 0),
    ],
    ids=["refused", "cut", "prose", "cut at once"],
)
async def test_a_refusal_and_a_cut_answer_are_paid_for_and_what_is_whole_is_read(
    text, ended, found
) -> None:
    asked = question("company_founded_year", "company_city")
    reply = await one(anthropic, "infer", asked, message(text, ended=ended))
    assert len(reply.readings) == found
    assert reply.billing == Billed(150)
    assert found or ended in reply.notes[0]


@pytest.mark.parametrize(
    ("status", "error", "verdict"),
    [
        (400, "prompt is too long", Verdict.BAD_INPUT),
        (400, "Your credit balance is too low to access the API.", Verdict.OUT_OF_CREDITS),
        (401, "invalid x-api-key", Verdict.AUTH),
        (402, "", Verdict.OUT_OF_CREDITS),
        (403, "", Verdict.FORBIDDEN_PLAN),
        (404, "model: claude-none", Verdict.FORBIDDEN_PLAN),
        (413, "", Verdict.BAD_INPUT),
        (429, "", Verdict.RATE_LIMITED),
        (529, "Overloaded", Verdict.RATE_LIMITED),
    ],
)
async def test_its_own_status_habits_and_a_refusal_costs_nothing(status, error, verdict) -> None:
    body = {"type": "error", "error": {"type": "x", "message": error}}
    http = VendorFake.of(body, status, headers={"retry-after": "12"})
    reply = await one(anthropic, "infer", question("company_city"), http)
    assert (reply.verdict, reply.billing, reply.retry_after_s) == (verdict, Unbilled(), 12.0)


@pytest.mark.parametrize("status", [500, 504])
async def test_what_a_broken_answer_cost_is_unknown(status) -> None:
    reply = await one(anthropic, "infer", question("company_city"), VendorFake.of({}, status))
    assert isinstance(reply.billing, BillingUnknown)


async def test_the_sandbox_is_understood_and_its_bills_are_the_bills_stated(
    sandbox, http_of
) -> None:
    sandbox.state.model.habits.unsupported_rate = 0.3
    kept = stated = 0
    for number in range(15):
        asked = question("company_founded_year", "company_employee_count", text=f"{TEXT}\n{number}")
        reply = await one(anthropic, "infer", asked, http_of(anthropic))
        found = values(reply)
        kept += len(found)
        stated += reply.billing.micros
        assert found.get("company_founded_year", 1998) == 1998
        assert found.get("company_employee_count", 1200) == 1200
    assert kept > 10
    assert stated == sum(bill.micros for bill in sandbox.state.billing.bills)
    sandbox.state.limits.replace([LimitSpec(vendor="anthropic", calls=0, window_s=20)])
    limited = await one(anthropic, "infer", question("company_city"), http_of(anthropic))
    assert (limited.verdict, limited.retry_after_s) == (Verdict.RATE_LIMITED, 20.0)
    sandbox.state.limits.replace([])
    unknown = anthropic.with_config(LlmConfig("claude-none"))
    refused = await one(unknown, "infer", question("company_city"), http_of(anthropic))
    assert refused.verdict is Verdict.FORBIDDEN_PLAN


@dataclass
class BatchFake(VendorFake):
    state: bytes = b""
    results: bytes = b""
    batches: bool = True

    async def request(self, method: str, url: str, **more: object) -> VendorResponse:
        response = await super().request(method, url, **more)
        if url.endswith("/results"):
            return replace(response, body=self.results)
        if url.endswith("/batches"):
            held = b"[" + (self.state if self.batches else b"") + b"]"
            return replace(response, body=b'{"data": ' + held + b"}")
        return replace(response, body=self.state)


def handed_in(*lines: object, status: str = "ended") -> BatchFake:
    """A vendor with one batch; its list, its state and its results are one body to a fake."""
    listed = {"id": "msgbatch_1", "processing_status": status}
    body = "\n".join(json.dumps(one) for one in lines)
    return BatchFake(state=json.dumps(listed).encode(), results=body.encode())


def succeeded(name: str) -> object:
    usage = {"input_tokens": 1000, "output_tokens": 101}
    content = [{"type": "text", "text": f'{{"answers": [{ROW}]}}'}]
    told = {"type": "message", "content": content, "stop_reason": "end_turn", "usage": usage}
    return {"custom_id": name, "result": {"type": "succeeded", "message": told}}


def ended(name: str, kind: str, **more: object) -> object:
    return {"custom_id": name, "result": {"type": kind, **more}}


NAMES = ("g1-1-a", "g1-2-b", "g1-3-c", "g1-4-d", "g1-5-e")
ASKED = dict.fromkeys(NAMES, question("company_founded_year"))


async def test_questions_are_handed_in_by_one_request_each_under_a_name_of_its_own() -> None:
    http = VendorFake.of({"id": "msgbatch_1", "type": "message_batch"})
    http.tokens = NAMES[:2]
    asks = [question("company_founded_year"), question("company_founded_year", text=" ")]
    taken, unasked = await anthropic.defer("infer", asks, http)
    (sent,) = http.sent
    assert sent.url.endswith("/messages/batches")
    (request,) = sent.json["requests"]
    assert request["custom_id"] == NAMES[0]
    assert request["params"].keys() == {
        "model",
        "max_tokens",
        "system",
        "messages",
        "output_config",
    }
    assert (taken.verdict, taken.handle) == (Verdict.PENDING, "msgbatch_1")
    assert unasked.billing == Unbilled()


async def test_each_result_is_its_own_whatever_became_of_the_others_and_costs_half() -> None:
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "no"}}
    http = handed_in(
        ended(NAMES[3], "errored", error=error), ended(NAMES[1], "expired"), succeeded(NAMES[0])
    )
    replies = await anthropic.collect_deferred("infer", "msgbatch_1", ASKED, http)
    first, expired, missing, errored, _ = (replies[name] for name in NAMES)
    assert values(first) == {"company_founded_year": 1998}
    assert first.billing == Billed(76)  # half of 100 + 50.5, rounded up
    assert (expired.verdict, expired.billing) == (Verdict.VENDOR_ERROR, Unbilled())
    assert (errored.verdict, errored.billing) == (Verdict.BAD_INPUT, Unbilled())
    assert isinstance(missing.billing, BillingUnknown)


async def test_a_batch_that_has_not_ended_is_waited_for() -> None:
    http = handed_in(status="in_progress")
    for handle in ("msgbatch_1", None):
        replies = await anthropic.collect_deferred("infer", handle, ASKED, http)
        assert {reply.verdict for reply in replies.values()} == {Verdict.PENDING}


async def test_results_that_come_in_part_are_asked_for_again() -> None:
    http = handed_in(succeeded(NAMES[0]), succeeded(NAMES[1]))
    http.results = http.results[:-60]
    for handle in ("msgbatch_1", None):
        replies = await anthropic.collect_deferred("infer", handle, ASKED, http)
        assert {reply.verdict for reply in replies.values()} == {Verdict.PENDING}


async def test_a_batch_whose_creation_was_not_answered_is_found_by_its_names_or_is_nowhere() -> (
    None
):
    http = handed_in(succeeded(NAMES[0]))
    replies = await anthropic.collect_deferred("infer", None, ASKED, http)
    assert replies[NAMES[0]].billing == Billed(76)
    for http in (handed_in(succeeded("of another")), BatchFake(batches=False)):
        replies = await anthropic.collect_deferred("infer", None, ASKED, http)
        assert {reply.verdict for reply in replies.values()} == {Verdict.VENDOR_ERROR}
        assert {reply.billing for reply in replies.values()} == {Unbilled()}
