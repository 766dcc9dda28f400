"""Bright Data: trigger, progress, snapshot; what there is is paid, what is not there is free."""

import asyncio
import hmac
import json
from dataclasses import dataclass, field

import pytest
from vendor_fake import VendorFake, ask, one, sample_ask, values

from glaze.model.provider import Billed, Unbilled, VendorResponse, Verdict
from glaze.providers.brightdata import RECORD_PRICE, brightdata

PROFILE = brightdata.spec.operation("profile")
PAGE = {
    "name": "Acme",
    "website": "https://www.acme.com",
    "industries": "Machinery",
    "company_size": "51-200 employees",
    "founded": 1998,
    "country_code": "DE",
}


@dataclass
class Steps(VendorFake):
    """Answers each request by the next of its steps."""

    steps: list[tuple[int, bytes]] = field(default_factory=list)

    async def request(self, method, url, **more) -> VendorResponse:
        self.status, self.body = self.steps.pop(0)
        return await super().request(method, url, **more)


async def test_a_page_is_triggered_once_and_promised_under_its_snapshot() -> None:
    http = VendorFake.of({"snapshot_id": "s_abc1"}, callback_url="https://us.example/t")
    reply = await one(brightdata, "profile", sample_ask(PROFILE), http)
    (sent,) = http.sent
    assert (sent.method, sent.url) == ("POST", "https://vendor.example/trigger")
    assert sent.json == [{"url": "https://www.linkedin.com/in/jane-doe"}]
    assert sent.params["dataset_id"] == "gd_l1viktl72bvl7bjuj0"
    assert sent.params["notify"] == "https://us.example/t"
    assert (reply.verdict, reply.handle) == (Verdict.PENDING, "s_abc1")


async def test_a_ready_snapshot_is_read_and_paid_for() -> None:
    http = Steps(steps=[(200, b'{"status": "ready"}'), (200, json.dumps([PAGE]).encode())])
    question = sample_ask(brightdata.spec.operation("company"))
    reply = await brightdata.collect("company", "s_abc1", question, http)
    assert [sent.url for sent in http.sent] == [
        "https://vendor.example/progress/s_abc1",
        "https://vendor.example/snapshot/s_abc1",
    ]
    assert (reply.verdict, reply.billing) == (Verdict.MATCH, Billed(RECORD_PRICE))
    found = values(reply)
    assert (found["company_size"], found["company_domain"]) == ("51-200", "acme.com")


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        ([(200, b'{"status": "collecting"}')], Verdict.PENDING),
        ([(200, b'{"status": "digesting"}')], Verdict.PENDING),
        ([(200, b"<html>")], Verdict.PENDING),
        ([(500, b"")], Verdict.PENDING),
        ([(404, b"{}")], Verdict.PENDING),
        ([(429, b"{}")], Verdict.RATE_LIMITED),
        ([(200, b'{"status": "ready"}'), (202, b'{"status": "running"}')], Verdict.PENDING),
        ([(200, b'{"status": "ready"}'), (200, b"[{")], Verdict.PENDING),
        ([(200, b'{"status": "failed"}')], Verdict.VENDOR_ERROR),
        ([(200, b'{"status": "ready"}'), (200, b"[]")], Verdict.NO_MATCH),
        ([(200, b'{"status": "ready"}'), (200, b'[{"error": "dead_page"}]')], Verdict.NO_MATCH),
    ],
)
async def test_a_snapshot_is_waited_for_until_it_is_ready_or_failed(steps, verdict) -> None:
    reply = await brightdata.collect("profile", "s_abc1", sample_ask(PROFILE), Steps(steps=steps))
    assert reply.verdict is verdict
    if verdict is not Verdict.PENDING:
        assert reply.billing == Unbilled()
    else:
        assert reply.handle == "s_abc1"


async def test_no_handle_leads_elsewhere() -> None:
    http = VendorFake.of({"status": "ready"})
    reply = await brightdata.collect("profile", "../../x?y=", sample_ask(PROFILE), http)
    assert (reply.verdict, http.sent) == (Verdict.VENDOR_ERROR, [])


def test_a_notice_names_its_snapshot() -> None:
    body = b'{"snapshot_id": "s_abc1", "status": "ready"}'
    shown = {"authorization": f"Bearer {hmac.digest(b'key', b'notice', 'sha256').hex()}"}
    assert brightdata.announced(shown, body, "key") == "s_abc1"
    assert brightdata.announced(shown, b"[]", "key") is None


def test_a_notice_without_the_shared_secret_is_not_genuine() -> None:
    body = b'{"snapshot_id": "s_abc1", "status": "ready"}'
    shown = {"authorization": f"Bearer {hmac.digest(b'other', b'notice', 'sha256').hex()}"}
    assert brightdata.announced(shown, body, "key") is None
    assert brightdata.announced({}, body, "key") is None
    assert brightdata.announced({"authorization": "Bearer \xff"}, body, "key") is None
    assert brightdata.announced(shown, body, "") is None


async def test_the_sandbox_is_understood_and_its_bills_are_the_bills_stated(
    sandbox, http_of
) -> None:
    world = sandbox.state.world

    async def until_there(operation: str, question):
        reply = await one(brightdata, operation, question, http_of(brightdata))
        handle = reply.handle
        while reply.verdict is Verdict.PENDING:
            await asyncio.sleep(0.3)  # the vendor collects
            http = http_of(brightdata)
            http._left = None  # collecting is free: it may take two requests
            reply = await brightdata.collect(operation, handle, question, http)
        return reply

    asked = []
    for company in [*world.companies()][:10]:
        person = world.people_of(company)[0]
        asked.append(("company", ask("company_name", company_linkedin_url=company.linkedin_url)))
        asked.append(("profile", ask("person_city", person_linkedin_url=person.linkedin_url)))
    replies = await asyncio.gather(*(until_there(*one_of) for one_of in asked))
    assert {Verdict.MATCH, Verdict.NO_MATCH} <= {reply.verdict for reply in replies}
    for (operation, question), reply in zip(asked, replies, strict=True):
        if operation == "company" and reply.verdict is Verdict.MATCH:
            known = question.known["company_linkedin_url"]
            assert values(reply)["company_linkedin_url"] == known
    stated = sum(getattr(reply.billing, "micros", 0) for reply in replies)
    assert stated == sum(bill.micros for bill in sandbox.state.billing.bills) > 0
