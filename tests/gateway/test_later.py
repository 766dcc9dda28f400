"""Answers that come later: promised and collected, called back, sent again; paid once, settled once."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from aiohttp import web

from glaze.model.failpoint import nowhere
from glaze.model.job import ClaimedJob
from glaze.model.ledger import Delivery
from glaze.model.outcome import Snooze
from glaze.model.provider import (
    Ask,
    Billed,
    BillingUnknown,
    Operation,
    ProviderSpec,
    Reply,
    Resend,
    Unbilled,
    VendorHttp,
    Verdict,
)
from glaze.model.value import DEFAULT_WORKSPACE, Reading
from glaze.net.client import HttpClient
from glaze.pipeline.asking import Access, Answer, Decline, Declined, Question
from glaze.pipeline.beliefs import Beliefs
from glaze.pipeline.collecting import Collector
from glaze.pipeline.credentials import Credentials
from glaze.pipeline.gateway import Gateway
from glaze.store.attempt import Ended
from glaze.store.due import DueStore
from glaze.store.limit import LimitStore
from tests.gateway.conftest import EMAIL, PRICE, TITLE, Bench, question

CALLS = "select state::text, price_micros, verdict, handle, polls from call order by id"
BUDGET = "select reserved_micros, spent_micros from budget order by id"


@dataclass
class LaterVendor:
    """Accepts questions and answers them when the test says so; bills when it answers."""

    url: str = ""
    at_once: bool = False  # answers by 200 instead of a promise
    ready: bool = True
    knows: bool = True
    lost: bool = False  # hangs up after it has taken the question
    lost_late: bool = False  # hangs up in place of its promise, once ``first`` is done
    ask_status: int = 200  # of another one it takes nothing
    poll_status: int = 200
    bills: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)  # tokens, in order
    polls: int = 0
    accepted: dict[str, str] = field(default_factory=dict)  # handle -> email
    first: Callable[[str, str], Awaitable[None]] | None = None  # done before a promise is sent

    def take(self, token: str, email: str) -> str:
        self.accepted.setdefault(f"s_{token[-8:]}", email)
        self.accepted.setdefault(token, email)
        return f"s_{token[-8:]}"

    def bill(self, email: str) -> None:
        if email not in self.bills:  # it dedupes: by its key, or by what it promised
            self.bills.append(email)

    async def ask(self, request: web.Request) -> web.Response:
        token, email = request.headers["idempotency-key"], (await request.json())["email"]
        self.asked.append(token)
        if self.ask_status != 200:
            return web.json_response({}, status=self.ask_status)
        handle = self.take(token, email)
        if self.at_once:
            self.bill(email)
        if self.lost:
            assert request.transport is not None
            request.transport.abort()
        if self.at_once:
            return web.json_response({"title": f"Title of {email}"})
        if self.first is not None:
            await self.first(token, handle)
        if self.lost_late:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"id": handle}, status=202)

    async def poll(self, request: web.Request) -> web.Response:
        self.polls += 1
        email = self.accepted.get(request.match_info["handle"])
        if self.poll_status != 200:
            return web.Response(status=self.poll_status)
        if email is None or not self.ready:
            return web.json_response({"status": "running"}, status=404)
        if self.knows:
            self.bill(email)
        return web.json_response({"title": f"Title of {email}"} if self.knows else {})


class Later:
    """A provider whose vendor may promise; ``resend`` and ``collect_s`` are the test's."""

    def __init__(self, base_url: str, resend: Resend, collect_s: float = 600.0) -> None:
        operation = Operation(
            name="title",
            needs=(frozenset({EMAIL}),),
            gives={TITLE: 90},
            price_micros=PRICE,
            timeout_s=5.0,
            resend=resend,
            collect_s=collect_s,
        )
        self.spec = ProviderSpec("later", (operation,), base_url=base_url, limits=())
        self.wait_s: float | None = None  # that the vendor asks for
        self.strict = False  # takes every failure of a poll for an error of the vendor's

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        del operation
        answer = await http.request(
            "POST",
            f"{http.base_url}/ask",
            json={"email": asks[0].known[EMAIL]},
            headers={"idempotency-key": http.token},
        )
        body = json.loads(answer.body)
        if answer.status >= 400:
            return [Reply(Verdict.VENDOR_ERROR, Unbilled())]
        if answer.status == 202:
            promise = BillingUnknown("later")
            return [
                Reply(
                    Verdict.PENDING, promise, handle=body["id"], retry_after_s=self.wait_s or 30.0
                )
            ]
        return [_found(body, answer.body)]

    async def collect(self, operation: str, handle: str, ask: Ask, http: VendorHttp) -> Reply:
        del operation, ask
        answer = await http.request("GET", f"{http.base_url}/answer/{handle}")
        if answer.status == 429:
            return Reply(Verdict.RATE_LIMITED, Unbilled(), retry_after_s=self.wait_s or 0.1)
        if answer.status != 200:
            failed = Verdict.VENDOR_ERROR if self.strict else Verdict.PENDING
            return Reply(failed, Unbilled())
        return _found(json.loads(answer.body), answer.body)

    def announced(self, headers: Mapping[str, str], body: bytes, key: str) -> str | None:
        return json.loads(body)["id"] if headers.get("signed") == key else None


def _found(body: dict, raw: bytes) -> Reply:
    if "title" not in body:
        return Reply(Verdict.NO_MATCH, Unbilled(), raw=raw)
    return Reply(Verdict.MATCH, Billed(PRICE), (Reading(TITLE, body["title"], 90),), raw=raw)


@pytest.fixture
async def later() -> AsyncIterator[LaterVendor]:
    vendor = LaterVendor()
    app = web.Application()
    app.router.add_post("/ask", vendor.ask)
    app.router.add_get("/answer/{handle}", vendor.poll)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    vendor.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield vendor
    await runner.cleanup()


@dataclass
class Process:
    """What one process has of the gateway; its polls are over when the block is."""

    gateway: Gateway
    collector: Collector

    async def ask(self, asked: Question) -> Answer | Declined:
        return await self.gateway.ask(asked)


@dataclass
class Case:
    """One job that asks one vendor."""

    bench: Bench
    vendor: LaterVendor
    provider: Later
    job: ClaimedJob
    asked: Question

    @asynccontextmanager
    async def process(
        self, at: Callable[[str], None] = nowhere, key: str = "key"
    ) -> AsyncIterator[Process]:
        access = {"later": Access("env", key, self.vendor.url)}
        async with (
            HttpClient() as http,
            Gateway.open(
                ledger=self.bench.ledger,
                limits=LimitStore(self.bench.db),
                entities=self.bench.entities,
                http=http,
                credentials=Credentials(access),
                at=at,
            ) as gateway,
        ):
            collector = Collector(
                gateway,
                DueStore(self.bench.db),
                http,
                {"later": self.provider},
                beliefs=Beliefs([self.provider.spec]),
                clock=lambda: datetime.now(UTC),  # noqa: TID251
                at=at,
            )
            yield Process(gateway, collector)

    async def ask(self) -> Answer | Declined:
        async with self.process() as process:
            return await process.ask(self.asked)

    async def sweep(self) -> None:
        """Let a process collect what is due, and wait for it."""
        async with self.process() as process:
            await process.collector.sweep()

    async def come_due(self) -> None:
        async with self.bench.db.workspace(DEFAULT_WORKSPACE) as conn:
            await conn.execute(
                "update call set poll_at = poll_at - interval '1 hour', deadline = deadline - interval '1 hour'"
            )

    async def call(self) -> dict:
        (call,) = await self.bench.rows(CALLS)
        return call

    async def money(self) -> tuple[int, int]:
        (budget,) = await self.bench.rows(BUDGET)
        return budget["reserved_micros"], budget["spent_micros"]


@pytest.fixture
def case(bench: Bench, later: LaterVendor) -> Callable:
    async def make(resend: Resend = Resend.NEVER, collect_s: float = 600.0) -> Case:
        (job,) = await bench.claimed()
        asker = await bench.asker(job, budgets=await bench.budget(PRICE))
        provider = Later(later.url, resend, collect_s)
        return Case(bench, later, provider, job, question(provider, asker, "a@x.com"))

    return make


async def test_a_promised_answer_is_collected_free_of_charge_and_paid_once(case):
    one = await case()
    promised = await one.ask()
    assert isinstance(promised, Declined)
    assert (promised.why, promised.verdict) == (Decline.WAIT, Verdict.PENDING)
    assert 29 < promised.wait_s < 32
    assert (await one.call())["state"] == "pending_vendor"
    assert await one.money() == (PRICE, 0)
    await one.sweep()  # not yet
    assert one.vendor.polls == 0
    await one.come_due()
    await one.sweep()
    collected = await one.ask()
    assert isinstance(collected, Answer)
    assert collected.known
    assert [reading.value for reading in collected.readings] == ["Title of a@x.com"]
    assert (await one.call())["state"] == "settled"
    assert await one.money() == (0, PRICE)
    assert (len(one.vendor.asked), one.vendor.polls, one.vendor.bills) == (1, 1, ["a@x.com"])
    (kept,) = await one.bench.rows(
        "select (select asked from call) as asked, (select exchanges from vendor_request) as exchanges,"
        " (select count(*) from entity_field) as fields"
    )
    assert kept == {"asked": None, "exchanges": 2, "fields": 1}


async def test_a_job_whose_answer_comes_before_it_sleeps_does_not_sleep(case):
    one = await case()
    await one.ask()
    await one.come_due()
    await one.sweep()
    asleep = Snooze(datetime(2100, 1, 1, tzinfo=UTC), "waits for a vendor")
    jobs = one.bench.jobs
    await jobs.finish(DEFAULT_WORKSPACE, [Ended.of(one.job, asleep)])
    await jobs.promote()
    ((again,), _) = await jobs.claim("default", 1, one.bench.worker)
    assert again.id == one.job.id


async def test_an_answer_that_is_not_there_yet_is_asked_for_again_later(case):
    one = await case()
    one.vendor.ready = False
    await one.ask()
    for polls in (1, 2):
        await one.come_due()
        await one.sweep()
        assert ((await one.call())["state"], (await one.call())["polls"]) == (
            "pending_vendor",
            polls,
        )
        await one.sweep()
        assert one.vendor.polls == polls
    again = await one.ask()
    assert isinstance(again, Declined)
    assert (again.why, len(one.vendor.asked)) == (Decline.WAIT, 1)


@pytest.mark.parametrize("status", [429, 500, 401])
async def test_a_poll_that_fails_says_nothing_of_the_call(case, status: int):
    one = await case()
    await one.ask()
    one.vendor.poll_status = status
    await one.come_due()
    await one.sweep()
    assert (await one.call())["state"] == "pending_vendor"
    one.vendor.poll_status = 200
    await one.come_due()
    await one.sweep()
    assert (await one.call())["state"] == "settled"
    assert await one.money() == (0, PRICE)


async def test_a_promise_that_ends_in_a_miss_releases_what_was_reserved(case):
    one = await case()
    one.vendor.knows = False
    await one.ask()
    await one.come_due()
    await one.sweep()
    missed = await one.ask()
    assert isinstance(missed, Answer)
    assert missed.verdict is Verdict.NO_MATCH
    assert await one.money() == (0, 0)


async def test_a_vendor_that_asks_to_wait_for_longer_than_it_keeps_an_answer_is_asked_before(case):
    one = await case()
    one.provider.wait_s = 86_400.0
    promised = await one.ask()
    assert isinstance(promised, Declined)
    assert promised.wait_s < 600.0  # nor does the job wait for it longer
    sooner = "select poll_at < collect_until as sooner from call"
    assert await one.bench.rows(sooner) == [{"sooner": True}]
    one.vendor.poll_status = 429
    await one.come_due()
    await one.sweep()
    assert one.vendor.polls == 1
    assert await one.bench.rows(sooner) == [{"sooner": True}]


async def test_a_promise_that_is_not_kept_in_time_is_an_unknown_outcome(case):
    one = await case(collect_s=60.0)
    one.vendor.ready = False
    await one.ask()
    await one.come_due()
    async with one.bench.db.workspace(DEFAULT_WORKSPACE) as conn:
        await conn.execute("update call set collect_until = now() - interval '1 second'")
    await one.sweep()
    given_up = await one.ask()
    assert isinstance(given_up, Declined)
    assert given_up.why is Decline.UNKNOWN
    assert await one.money() == (PRICE, 0)


async def test_many_processes_ask_for_a_promised_answer_once(case):
    one = await case()
    await one.ask()
    await one.come_due()
    async with one.process() as first, one.process() as second, one.process() as third:
        await asyncio.gather(*(p.collector.sweep() for p in (first, second, third)))
    assert (one.vendor.polls, one.vendor.bills) == (1, ["a@x.com"])
    assert (await one.call())["state"] == "settled"


async def test_a_process_without_the_key_leaves_the_answer_to_another(case):
    one = await case()
    await one.ask()
    await one.come_due()
    async with one.bench.db.workspace(DEFAULT_WORKSPACE) as conn:
        await conn.execute("update question set credential = 'another'")
    await one.sweep()
    assert one.vendor.polls == 0
    assert (await one.call())["state"] == "pending_vendor"


async def delivered(
    one: Case,
    token: str,
    handle: str,
    *,
    signed: str = "key",
    at: Callable[[str], None] = nowhere,
) -> Delivery:
    headers = {"signed": signed}
    body = json.dumps({"id": handle}).encode()
    async with one.process(at) as process:
        return await process.collector.deliver("later", token, headers, body)


async def test_a_callback_has_the_answer_collected_at_once_and_counts_once(case):
    one = await case()
    await one.ask()
    (token,), handle = one.vendor.asked, (await one.call())["handle"]
    assert await delivered(one, token, handle) is Delivery.ACCEPTED
    assert (await one.call())["state"] == "settled"
    assert await delivered(one, token, handle) is Delivery.REPLAYED
    assert (one.vendor.polls, one.vendor.bills) == (1, ["a@x.com"])
    assert await one.money() == (0, PRICE)


async def test_a_callback_after_the_answer_was_polled_is_stale(case):
    one = await case()
    await one.ask()
    await one.come_due()
    await one.sweep()
    (token,), handle = one.vendor.asked, (await one.call())["handle"]
    assert await delivered(one, token, handle) is Delivery.STALE
    assert one.vendor.polls == 1


async def test_no_forged_callback_is_taken(case):
    one = await case()
    await one.ask()
    (token,), handle = one.vendor.asked, (await one.call())["handle"]
    workspace, call, proof = token[1:].split("-")
    forged = {
        await delivered(one, token, handle, signed="somebody"),
        await delivered(one, token, "s_another"),
        await delivered(one, f"g{workspace}-{call}-{'0' * 32}", handle),
        await delivered(one, f"g{workspace}-{int(call) + 1}-{proof}", handle),
        await delivered(one, f"g{int(workspace) + 1}-{call}-{proof}", handle),
    }
    assert forged == {Delivery.FORGED}
    for no_token in ("", "x", token.upper(), f"{token}0", token.replace("-", "_"), f"{token}\n"):
        assert await delivered(one, no_token, handle) is Delivery.UNKNOWN
    async with one.process() as process:
        delivery = await process.collector.deliver("nobody", token, {"signed": "key"}, b"{}")
    assert delivery is Delivery.UNKNOWN
    assert ((await one.call())["state"], one.vendor.polls) == ("pending_vendor", 0)


async def test_a_callback_that_comes_before_the_promise_was_recorded_is_not_lost(case):
    one = await case()
    told: list[Delivery] = []

    async def call_back(token: str, handle: str) -> None:
        told.append(await delivered(one, token, handle))

    one.vendor.first = call_back
    promised = await one.ask()
    assert isinstance(promised, Declined)
    assert (promised.why, told) == (Decline.WAIT, [Delivery.ACCEPTED])
    assert ((await one.call())["state"], one.vendor.polls) == ("pending_vendor", 0)
    await one.sweep()  # due at once, not in the thirty seconds that the vendor asked for
    assert (await one.call())["state"] == "settled"


async def test_a_callback_that_comes_before_the_promise_is_lost_has_the_answer_collected(case):
    one = await case(Resend.NEVER)
    told: list[Delivery] = []

    async def call_back(token: str, handle: str) -> None:
        told.append(await delivered(one, token, handle))

    one.vendor.first, one.vendor.lost_late = call_back, True
    result = await one.ask()
    assert isinstance(result, Declined)
    assert told == [Delivery.ACCEPTED]  # the vendor calls back no more
    assert ((await one.call())["state"], await one.money()) == ("pending_vendor", (PRICE, 0))
    await one.sweep()
    assert ((await one.call())["state"], await one.money()) == ("settled", (0, PRICE))
    assert isinstance(await one.ask(), Answer)
    assert (len(one.vendor.asked), one.vendor.bills) == (1, ["a@x.com"])


async def test_a_promise_that_arrives_after_its_answer_was_collected_changes_nothing(case):
    one = await case()

    async def settle_elsewhere(token: str, handle: str) -> None:
        assert await delivered(one, token, handle) is Delivery.ACCEPTED
        await one.come_due()  # the asker's process was frozen until long after its deadline
        await one.sweep()

    one.vendor.first = settle_elsewhere
    await one.ask()
    assert (await one.call())["state"] == "settled"
    assert await one.money() == (0, PRICE)
    assert await one.bench.rows("select billed_micros from vendor_request") == [
        {"billed_micros": PRICE}
    ]
    assert isinstance(await one.ask(), Answer)
    assert (len(one.vendor.asked), one.vendor.bills) == (1, ["a@x.com"])


async def left_behind(one: Case, *, lost: bool = True) -> None:
    """Let the asker's process die between sending and settling, long ago."""

    class Died(Exception):
        pass

    def die(point: str) -> None:
        if point == "answered":
            raise Died

    one.vendor.lost = lost
    with pytest.raises(Died):
        async with one.process(die) as process:
            await process.ask(one.asked)
    one.vendor.lost = False
    assert (await one.call())["state"] == "sending"
    await one.come_due()


async def test_a_callback_tells_that_a_call_was_taken_whose_sender_died(case):
    one = await case(Resend.NEVER)
    await left_behind(one, lost=False)
    await one.sweep()
    assert ((await one.call())["state"], one.vendor.polls) == ("unknown", 0)
    (token,) = one.vendor.asked
    assert await delivered(one, token, f"s_{token[-8:]}") is Delivery.ACCEPTED
    assert (await one.call())["state"] == "settled"
    assert await one.money() == (0, PRICE)


async def test_a_call_of_class_a_is_sent_again_under_the_same_key(case):
    one = await case(Resend.IDEMPOTENT)
    one.vendor.at_once = True
    await left_behind(one)
    await one.sweep()
    assert (await one.call())["state"] == "settled"
    assert await one.money() == (0, PRICE)
    assert len(one.vendor.asked) == 2
    assert len(set(one.vendor.asked)) == 1
    assert one.vendor.bills == ["a@x.com"]


async def test_a_call_of_class_b_is_collected_by_its_token(case):
    one = await case(Resend.COLLECT)
    await left_behind(one)
    await one.sweep()
    assert (await one.call())["state"] == "settled"
    assert await one.money() == (0, PRICE)
    assert (len(one.vendor.asked), one.vendor.polls, one.vendor.bills) == (1, 1, ["a@x.com"])


async def test_a_call_of_class_c_stays_unknown_and_blocks(case):
    one = await case(Resend.NEVER)
    one.vendor.at_once = True
    await left_behind(one)
    await one.sweep()  # nobody asked the question again
    assert (await one.call())["state"] == "unknown"
    blocked = await one.ask()
    assert isinstance(blocked, Declined)
    assert blocked.why is Decline.UNKNOWN
    assert (len(one.vendor.asked), one.vendor.polls) == (1, 0)
    assert await one.money() == (PRICE, 0)


@pytest.mark.parametrize("resend", [Resend.IDEMPOTENT, Resend.COLLECT])
async def test_an_answer_lost_on_the_way_is_had_again_by_the_living_process_too(case, resend):
    one = await case(resend)
    one.vendor.at_once = one.vendor.lost = True
    lost = await one.ask()
    assert isinstance(lost, Declined)
    assert lost.why is Decline.WAIT
    one.vendor.lost = False
    await one.come_due()
    await one.sweep()
    assert isinstance(await one.ask(), Answer)
    assert one.vendor.bills == ["a@x.com"]


@pytest.mark.parametrize("point", ["claimed_due", "collected", "resolved"])
async def test_a_process_that_dies_while_it_collects_leaves_the_answer_to_the_next(case, point):
    one = await case()
    await one.ask()
    await one.come_due()

    def die(name: str) -> None:
        if name == point:
            raise asyncio.CancelledError  # what is under way ends here, nothing is put back

    async def sweep_and_die() -> None:
        async with one.process(die) as process:
            await process.collector.sweep()
        raise asyncio.CancelledError  # a task that was cancelled does not say so

    with pytest.raises(asyncio.CancelledError):
        await sweep_and_die()
    settled = point == "resolved"
    assert (await one.call())["state"] == ("settled" if settled else "pending_vendor")
    await one.sweep()  # its claim still holds
    assert one.vendor.polls == (0 if point == "claimed_due" else 1)
    await one.come_due()
    await one.sweep()
    assert (await one.call())["state"] == "settled"
    assert await one.money() == (0, PRICE)
    assert one.vendor.bills == ["a@x.com"]
    assert await one.bench.rows("select count(*) as n from observation") == [{"n": 1}]


async def test_a_process_that_dies_once_a_callback_is_on_record_leaves_it_to_the_next(case):
    one = await case()
    await one.ask()
    (token,), handle = one.vendor.asked, (await one.call())["handle"]

    class Died(Exception):
        pass

    def die(name: str) -> None:
        if name == "called_back":
            raise Died

    with pytest.raises(Died):
        await delivered(one, token, handle, at=die)
    assert one.vendor.polls == 0
    assert await delivered(one, token, handle) is Delivery.REPLAYED  # the vendor tries again
    await one.sweep()
    assert (await one.call())["state"] == "settled"
    assert one.vendor.polls == 1


async def test_a_poll_and_a_callback_at_once_settle_once(case):
    one = await case()
    await one.ask()
    (token,), handle = one.vendor.asked, (await one.call())["handle"]
    await one.come_due()
    async with one.process() as first, one.process() as second:
        body = json.dumps({"id": handle}).encode()
        await asyncio.gather(
            first.collector.sweep(),
            second.collector.deliver("later", token, {"signed": "key"}, body),
        )
    assert (await one.call())["state"] == "settled"
    assert await one.money() == (0, PRICE)
    assert Counter(one.vendor.bills) == {"a@x.com": 1}
    assert await one.bench.rows("select count(*) as n from observation") == [{"n": 1}]


async def test_a_promise_without_patience_is_an_unknown_outcome(case):
    one = await case(collect_s=0.0)
    kept = await one.ask()
    assert isinstance(kept, Declined)
    assert kept.why is Decline.UNKNOWN


async def test_the_fleet_sees_where_something_is_due_and_only_then(case):
    one = await case()
    due = DueStore(one.bench.db)
    await one.ask()
    assert await due.workspaces() == []
    await one.come_due()
    assert await due.workspaces() == [DEFAULT_WORKSPACE]
    await one.sweep()
    assert await due.workspaces() == []


@pytest.mark.parametrize("resend", [Resend.IDEMPOTENT, Resend.COLLECT])
@pytest.mark.parametrize("status", [400, 503])
async def test_an_error_at_having_an_answer_again_does_not_say_that_the_first_was_not_billed(
    case, resend: Resend, status: int
):
    one = await case(resend)
    one.provider.strict = True
    one.vendor.at_once = one.vendor.lost = True
    await one.ask()
    assert one.vendor.bills == ["a@x.com"]
    one.vendor.lost = False
    one.vendor.ask_status = one.vendor.poll_status = status
    await one.come_due()
    await one.sweep()
    assert (await one.call())["state"] == "pending_vendor"
    assert await one.money() == (PRICE, 0)
    one.vendor.ask_status = one.vendor.poll_status = 200
    await one.come_due()
    await one.sweep()
    assert (await one.call())["state"] == "settled"
    assert await one.money() == (0, PRICE)
    assert one.vendor.bills == ["a@x.com"]
