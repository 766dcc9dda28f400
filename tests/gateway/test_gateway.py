"""Never paid twice, never over budget, every value has a source: the gateway over real HTTP."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import psycopg
import pytest

from glaze.errors import FetchError
from glaze.model.job import Token
from glaze.model.ledger import Intent, QuestionKey, RequestFacts, Reserved
from glaze.model.provider import Billed, Limit, Reply, Verdict
from glaze.model.value import DEFAULT_WORKSPACE, BudgetId, FieldName, Micros, Reading
from glaze.pipeline.asking import Answer, Decline, Declined
from glaze.pipeline.books import Settling
from glaze.pipeline.departure import SEND_WITHIN_S
from glaze.pipeline.settling import settle_failure, settle_reply
from glaze.store.budget import BudgetStore
from glaze.store.calls import CallStore
from glaze.store.ledger import Sealed
from glaze.store.ledger_check import verify
from glaze.store.limit import use_within_s
from tests.gateway.conftest import PRICE, TITLE, Bench, patiently, question

CALLS = "select state::text, price_micros, reserved_micros, verdict from call order by id"
BUDGET = "select reserved_micros, spent_micros, overrun_micros, cap_micros from budget order by id"


async def test_an_answer_is_billed_once_and_every_value_leads_back_to_its_call(bench: Bench):
    provider = bench.provider()
    (job,) = await bench.claimed()
    asker = await bench.asker(job, budgets=await bench.budget(PRICE * 2))
    async with bench.gateway() as gateway:
        bought = await gateway.ask(question(provider, asker, "a@x.com"))
        again = await gateway.ask(question(provider, asker, "a@x.com"))
    assert isinstance(bought, Answer)
    assert isinstance(again, Answer)
    assert (bought.price_micros, again.price_micros, again.known) == (PRICE, 0, True)
    assert [r.value for r in again.readings] == [r.value for r in bought.readings]
    assert bench.vendor.bills == ["a@x.com"]
    assert await bench.rows(BUDGET) == [
        {"reserved_micros": 0, "spent_micros": PRICE, "overrun_micros": 0, "cap_micros": PRICE * 2}
    ]
    sources = await bench.rows(
        "select o.field, o.cost_micros, r.status, c.reason, length(a.body) > 0 as kept"
        " from observation o join call c on c.id = o.call_id"
        " join vendor_request r on r.id = c.request_id join answer a on a.call_id = c.id"
    )
    assert sources == [
        {
            "field": TITLE,
            "cost_micros": PRICE,
            "status": 200,
            "reason": "the test asks",
            "kept": True,
        }
    ]


async def test_500_equal_questions_at_once_are_one_bill(bench: Bench):
    provider = bench.provider()
    askers = [await bench.asker(job) for job in await bench.claimed(500)]
    async with bench.gateway() as one, bench.gateway() as other:  # two processes' worth
        answers = await asyncio.gather(
            *(
                patiently(one if i % 2 else other, question(provider, asker, "same@x.com"))
                for i, asker in enumerate(askers)
            )
        )
    assert bench.vendor.bills == ["same@x.com"]
    assert all(isinstance(a, Answer) for a in answers)
    assert sum(a.price_micros for a in answers if isinstance(a, Answer)) == PRICE


async def test_a_call_whose_answer_was_lost_after_billing_stays_reserved_and_is_never_resent(
    bench: Bench,
):
    bench.vendor.drop = "after_billing"
    provider = bench.provider()
    (job,) = await bench.claimed()
    asker = await bench.asker(job, budgets=await bench.budget(PRICE))
    async with bench.gateway() as gateway:
        lost = await gateway.ask(question(provider, asker, "a@x.com"))
        bench.vendor.drop = ""
        blocked = await gateway.ask(question(provider, asker, "a@x.com"))
    assert isinstance(lost, Declined)
    assert isinstance(blocked, Declined)
    assert (lost.why, blocked.why) == (Decline.UNKNOWN, Decline.UNKNOWN)
    assert bench.vendor.bills == ["a@x.com"]
    assert [row["state"] for row in await bench.rows(CALLS)] == ["unknown"]
    assert (await bench.rows(BUDGET))[0]["reserved_micros"] == PRICE


async def test_a_vendor_that_cannot_be_reached_billed_nothing_and_may_be_asked_again(bench: Bench):
    bench.vendor.url = "http://127.0.0.1:9"  # discard: nobody listens
    provider = bench.provider()
    (job,) = await bench.claimed()
    asker = await bench.asker(job, budgets=await bench.budget(PRICE))
    async with bench.gateway() as gateway:
        failed = await gateway.ask(question(provider, asker, "a@x.com"))
    assert isinstance(failed, Declined)
    assert failed.why is Decline.FAILED
    assert [row["state"] for row in await bench.rows(CALLS)] == ["not_billed"]
    assert (await bench.rows(BUDGET))[0]["reserved_micros"] == 0


async def test_a_call_that_does_not_fit_its_budget_is_not_made(bench: Bench):
    provider = bench.provider()
    jobs = await bench.claimed(20)
    budget = await bench.budget(PRICE * 7)
    askers = [await bench.asker(job, budgets=budget) for job in jobs]
    async with bench.gateway() as one, bench.gateway() as other:
        results = await asyncio.gather(
            *(
                (one if i % 2 else other).ask(question(provider, asker, f"{i}@x.com"))
                for i, asker in enumerate(askers)
            )
        )
    bought = [r for r in results if isinstance(r, Answer)]
    refused = [r for r in results if isinstance(r, Declined)]
    assert len(bought) == len(bench.vendor.bills) == 7
    assert {r.why for r in refused} == {Decline.BUDGET}
    assert (await bench.rows(BUDGET))[0]["spent_micros"] == PRICE * 7


async def test_a_price_above_the_reservation_is_recorded_while_the_cap_is_full(bench: Bench):
    bench.vendor.price = PRICE * 3
    provider = bench.provider()
    (job,) = await bench.claimed()
    asker = await bench.asker(job, budgets=await bench.budget(PRICE))
    async with bench.gateway() as gateway:
        bought = await gateway.ask(question(provider, asker, "a@x.com"))
    assert isinstance(bought, Answer)
    assert (await bench.rows(BUDGET))[0] == {
        "reserved_micros": 0,
        "spent_micros": PRICE * 3,
        "overrun_micros": PRICE * 2,
        "cap_micros": PRICE,
    }


async def test_a_cap_that_was_overrun_grants_nothing_more(bench: Bench):
    bench.vendor.price = PRICE * 10
    provider = bench.provider()
    (job,) = await bench.claimed()
    asker = await bench.asker(job, budgets=await bench.budget(PRICE * 3))
    async with bench.gateway() as gateway:
        results = []
        for i in range(3):
            results.append(await gateway.ask(question(provider, asker, f"{i}@x.com")))
            await BudgetStore(bench.db).resume(DEFAULT_WORKSPACE, "titles", None)
    assert [getattr(r, "why", None) for r in results] == [None, Decline.BUDGET, Decline.BUDGET]
    assert bench.vendor.bills == ["0@x.com"]


async def test_what_was_to_cost_nothing_and_bills_is_not_asked_again(bench: Bench):
    provider = bench.provider()
    free = replace(provider.spec.operations[0], price_micros=Micros(0))
    provider.spec = replace(provider.spec, operations=(free,))
    budgets = await bench.budget(PRICE * 2)
    askers = [await bench.asker(job, budgets=budgets) for job in await bench.claimed(2)]
    async with bench.gateway() as gateway:
        assert isinstance(await gateway.ask(question(provider, askers[0], "0@x.com")), Answer)
        again = await gateway.ask(question(provider, askers[1], "1@x.com"))
    assert isinstance(again, Declined)
    assert (again.why, bench.vendor.bills) == (Decline.PRICE, ["0@x.com"])
    (booked,) = await bench.rows(BUDGET)
    assert (booked["spent_micros"], booked["overrun_micros"]) == (PRICE, PRICE)
    assert all(one.holds for one in await verify(bench.db, DEFAULT_WORKSPACE))


async def test_a_cap_that_was_lowered_below_what_is_reserved_holds_for_who_runs_already(
    bench: Bench,
):
    provider = bench.provider()
    budget = await bench.budget(PRICE * 5)
    askers = [await bench.asker(job, budgets=budget) for job in await bench.claimed(5)]
    asked = [question(provider, asker, f"{i}@x.com") for i, asker in enumerate(askers)]
    bench.vendor.slow, bench.vendor.price = True, 0
    async with bench.gateway() as gateway:
        async with asyncio.TaskGroup() as under_way:
            for one in asked[:3]:
                under_way.create_task(gateway.ask(one))
            while bench.vendor.requests < 3:
                await bench.vendor.arrived.wait()
                bench.vendor.arrived.clear()
            await bench.budget(PRICE)  # clamped at the three that are reserved
            assert (await bench.rows(BUDGET))[0]["cap_micros"] == PRICE * 3
            bench.vendor.gate.set()
        bench.vendor.price = PRICE
        assert isinstance(await gateway.ask(asked[3]), Answer)
        over = await gateway.ask(asked[4])
    assert isinstance(over, Declined)
    assert over.why is Decline.BUDGET
    assert (await bench.rows(BUDGET))[0]["spent_micros"] == PRICE
    (seen,) = await BudgetStore(bench.db).page(DEFAULT_WORKSPACE, 1)
    assert (seen.cap_micros, seen.left_micros) == (PRICE, 0)


async def test_a_price_that_was_passed_is_told_and_not_asked_at_until_it_is_raised_or_resumed(
    bench: Bench,
):
    bench.vendor.price = PRICE * 3
    provider = bench.provider()
    (job,) = await bench.claimed()
    asker = await bench.asker(job, budgets=await bench.budget(PRICE * 100))
    raised = replace(provider.spec.operations[0], price_micros=Micros(PRICE * 3))
    async with bench.gateway() as gateway:
        await gateway.ask(question(provider, asker, "a@x.com"))
        refused = await gateway.ask(question(provider, asker, "b@x.com"))
        known = await gateway.ask(question(provider, asker, "a@x.com"))
        dearer = replace(question(provider, asker, "c@x.com"), operation=raised)
        at_its_price = await gateway.ask(dearer)
        (paused,) = await BudgetStore(bench.db).paused(DEFAULT_WORKSPACE)
        await BudgetStore(bench.db).resume(DEFAULT_WORKSPACE, "titles", "title")
        resumed = await gateway.ask(question(provider, asker, "d@x.com"))
    assert isinstance(refused, Declined)
    assert refused.why is Decline.PRICE
    assert all(isinstance(one, Answer) for one in (known, at_its_price, resumed))
    assert bench.vendor.bills == ["a@x.com", "c@x.com", "d@x.com"]
    assert (paused.operation, paused.reserved_micros, paused.billed_micros) == (
        "title",
        PRICE,
        PRICE * 3,
    )
    told = await bench.rows("select data - 'request' as data from event where type = 'overrun'")
    assert [row["data"] for row in told] == [
        {
            "provider": "titles",
            "operation": "title",
            "reserved_micros": PRICE,
            "billed_micros": PRICE * 3,
        }
    ] * 2


async def test_a_budget_that_does_not_exist_grants_nothing(bench: Bench):
    (job,) = await bench.claimed()
    asker = await bench.asker(job, budgets=(*await bench.budget(PRICE), BudgetId(404)))
    async with bench.gateway() as gateway:
        refused = await gateway.ask(question(bench.provider(), asker, "a@x.com"))
    assert isinstance(refused, Declined)
    assert refused.why is Decline.BUDGET
    assert bench.vendor.requests == 0
    assert (await bench.rows(BUDGET))[0]["reserved_micros"] == 0


async def test_a_reply_whose_judging_fails_is_billed_and_brings_no_readings(bench: Bench):
    def judge(readings: Sequence[Reading]) -> tuple[Reading, ...]:
        raise OverflowError(len(readings))

    (job,) = await bench.claimed()
    asker = await bench.asker(job, budgets=await bench.budget(PRICE))
    async with bench.gateway() as gateway:
        asked = replace(question(bench.provider(), asker, "a@x.com"), judge=judge)
        bought = await gateway.ask(asked)
    assert isinstance(bought, Answer)
    assert (bought.price_micros, bought.readings) == (PRICE, ())
    assert [row["state"] for row in await bench.rows(CALLS)] == ["settled"]


async def test_a_failure_beside_the_gateway_lets_a_paid_call_under_way_end(bench: Bench):
    bench.vendor.slow = True
    provider = bench.provider()
    (job,) = await bench.claimed()
    asker = await bench.asker(job, budgets=await bench.budget(PRICE))

    async def fail(tasks: asyncio.TaskGroup) -> None:
        async with bench.gateway() as gateway:
            asking.append(tasks.create_task(gateway.ask(question(provider, asker, "a@x.com"))))
            await bench.vendor.arrived.wait()
            asyncio.get_running_loop().call_later(0.2, bench.vendor.gate.set)
            raise LookupError("something else broke")

    asking: list[asyncio.Task[Answer | Declined]] = []
    async with asyncio.TaskGroup() as tasks:
        with pytest.raises(LookupError, match="something else broke"):
            await fail(tasks)
    assert isinstance(await asking[0], Answer)
    assert [row["state"] for row in await bench.rows(CALLS)] == ["settled"]


async def test_a_call_whose_second_permit_fails_was_not_sent_and_may_be_asked_again(
    bench: Bench, dsn: str
):
    limit = Limit(100, 1)

    def outlast_the_permit(point: str) -> None:
        if point == "reserved":
            with psycopg.connect(dsn) as conn:
                conn.execute("alter table glaze.rate_slot rename to gone")
            time.sleep(use_within_s(limit) + 0.01)  # the process froze

    (job,) = await bench.claimed()
    asker = await bench.asker(job, budgets=await bench.budget(PRICE))
    provider = bench.provider(limits=(limit,))
    async with bench.gateway(outlast_the_permit) as gateway:
        with pytest.raises(psycopg.errors.UndefinedTable):  # as it is asked again at once
            await gateway.ask(question(provider, asker, "a@x.com"))
    assert bench.vendor.requests == 0
    assert [row["state"] for row in await bench.rows(CALLS)] == ["not_billed"]
    assert (await bench.rows(BUDGET))[0]["reserved_micros"] == 0


async def test_an_asker_whose_token_is_stale_sends_nothing(bench: Bench):
    provider = bench.provider()
    (job,) = await bench.claimed()
    asker = await bench.asker(job)
    stale = replace(asker, token=Token(job.token.worker_id, job.token.claim_no + 1))
    async with bench.gateway() as gateway:
        refused = await gateway.ask(question(provider, stale, "a@x.com"))
    assert isinstance(refused, Declined)
    assert refused.why is Decline.STALE
    assert bench.vendor.requests == 0
    assert await bench.rows(CALLS) == []


async def test_an_asker_whose_worker_lost_its_lease_sends_nothing(bench: Bench):
    provider = bench.provider()
    (job,) = await bench.claimed()
    asker = await bench.asker(job)
    async with bench.db.fleet() as conn:
        await conn.execute("update worker set lease_until = now() - interval '1 second'")
    async with bench.gateway() as gateway:
        refused = await gateway.ask(question(provider, asker, "a@x.com"))
    assert isinstance(refused, Declined)
    assert refused.why is Decline.STALE
    assert bench.vendor.requests == 0


async def test_a_cancelled_job_sends_nothing_more(bench: Bench):
    provider = bench.provider()
    (job,) = await bench.claimed()
    asker = await bench.asker(job)
    async with bench.db.fleet() as conn:
        await conn.execute("update job set cancel_requested = true")
    async with bench.gateway() as gateway:
        refused = await gateway.ask(question(provider, asker, "a@x.com"))
    assert isinstance(refused, Declined)
    assert refused.why is Decline.CANCELLED
    assert bench.vendor.requests == 0


async def test_a_call_in_flight_when_its_asker_is_cancelled_is_still_recorded(bench: Bench):
    bench.vendor.slow = True
    provider = bench.provider()
    (job,) = await bench.claimed()
    asker = await bench.asker(job)
    async with bench.gateway() as gateway, asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(gateway.ask(question(provider, asker, "a@x.com")))
        await bench.vendor.arrived.wait()
        asking.cancel()
        bench.vendor.gate.set()
    (call,) = await bench.rows(CALLS)
    assert (call["state"], call["price_micros"]) == ("settled", PRICE)


async def test_skip_cache_buys_again_once_and_a_retry_of_that_job_buys_nothing(bench: Bench):
    provider = bench.provider()
    first, second = await bench.claimed(2)
    async with bench.gateway() as gateway:
        await gateway.ask(question(provider, await bench.asker(first), "a@x.com"))
        asked_anew = datetime.now(UTC) + timedelta(milliseconds=1)  # noqa: TID251
        await asyncio.sleep(0.01)
        skipping = await bench.asker(second, fresh_after=asked_anew)
        bought = await gateway.ask(question(provider, skipping, "a@x.com"))
        after_retry = await gateway.ask(question(provider, skipping, "a@x.com"))
    assert isinstance(bought, Answer)
    assert isinstance(after_retry, Answer)
    assert (bought.known, after_retry.known) == (False, True)
    assert bench.vendor.bills == ["a@x.com", "a@x.com"]


async def test_singles_from_many_jobs_fill_bulk_requests_and_each_is_settled_for_itself(
    bench: Bench,
):
    provider = bench.provider(batch_size=10)
    askers = [await bench.asker(job) for job in await bench.claimed(25)]
    async with bench.gateway() as gateway:
        answers = await asyncio.gather(
            *(
                gateway.ask(question(provider, asker, f"{i}@x.com"))
                for i, asker in enumerate(askers)
            )
        )
    assert [a.readings[0].value for a in answers if isinstance(a, Answer)] == [
        f"Title of {i}@x.com" for i in range(25)
    ]
    assert bench.vendor.requests <= 4
    assert sorted(bench.vendor.bills) == sorted(f"{i}@x.com" for i in range(25))


async def test_a_bulk_that_does_not_fit_its_budget_buys_what_does(bench: Bench):
    provider = bench.provider(batch_size=10)
    budget = await bench.budget(PRICE * 3)
    askers = [await bench.asker(job, budgets=budget) for job in await bench.claimed(10)]
    async with bench.gateway() as gateway:
        answers = await asyncio.gather(
            *(
                gateway.ask(question(provider, asker, f"{i}@x.com"))
                for i, asker in enumerate(askers)
            )
        )
    assert sum(isinstance(a, Answer) for a in answers) == 3
    assert len(bench.vendor.bills) == 3
    assert bench.vendor.requests <= 3  # one, where no machine's slowness parts the bulk


async def test_a_job_without_money_costs_no_neighbour_in_its_bulk_the_answer(bench: Bench):
    provider = bench.provider(batch_size=10)
    none, plenty = await bench.budget(0, "1"), await bench.budget(PRICE * 10, "2")
    askers = [
        await bench.asker(job, budgets=plenty if i % 4 else none)
        for i, job in enumerate(await bench.claimed(10))
    ]
    async with bench.gateway() as gateway:
        answers = await asyncio.gather(
            *(
                gateway.ask(question(provider, asker, f"{i}@x.com"))
                for i, asker in enumerate(askers)
            )
        )
    refused = [i for i, answer in enumerate(answers) if isinstance(answer, Declined)]
    assert refused == [0, 4, 8]
    assert {answers[i].why for i in refused} == {Decline.BUDGET}  # type: ignore[union-attr]
    assert len(bench.vendor.bills) == 7


async def test_a_question_that_a_slow_process_could_not_send_in_time_is_asked_again_at_once(
    bench: Bench,
):
    provider = bench.provider()
    (job,) = await bench.claimed()
    asker = await bench.asker(job, budgets=await bench.budget(PRICE))
    slow = [SEND_WITHIN_S + 0.1]

    def freeze(name: str) -> None:
        if name == "reserved" and slow:
            time.sleep(slow.pop())

    async with bench.gateway(freeze) as gateway:
        answer = await gateway.ask(question(provider, asker, "a@x.com"))
    assert isinstance(answer, Answer)
    assert bench.vendor.bills == ["a@x.com"]
    assert [row["state"] for row in await bench.rows(CALLS)] == ["not_billed", "settled"]
    assert (await bench.rows(BUDGET))[0]["reserved_micros"] == 0


async def test_a_vendor_that_fails_in_a_row_is_left_alone(bench: Bench):
    bench.vendor.status = 503
    provider = bench.provider()
    askers = [await bench.asker(job) for job in await bench.claimed(7)]
    async with bench.gateway() as gateway:
        results = [
            await gateway.ask(question(provider, asker, f"{i}@x.com"))
            for i, asker in enumerate(askers)
        ]
    assert [r.why for r in results if isinstance(r, Declined)] == [
        *[Decline.FAILED] * 5,
        *[Decline.CIRCUIT] * 2,
    ]
    assert bench.vendor.requests == 5


@pytest.mark.parametrize("workspace", [DEFAULT_WORKSPACE])
async def test_a_suppressed_person_is_not_bought(bench: Bench, workspace):
    provider = bench.provider()
    (job,) = await bench.claimed()
    async with bench.gateway() as gateway:
        subjects = await gateway.subjects(workspace, ["email:a@x.com"])
        async with bench.db.workspace(workspace) as conn:
            await conn.execute("insert into suppression values (1, %s)", (subjects[0],))
        asker = replace(await bench.asker(job), subjects=subjects)
        refused = await gateway.ask(question(provider, asker, "a@x.com"))
    assert isinstance(refused, Declined)
    assert refused.why is Decline.SUPPRESSED
    assert bench.vendor.requests == 0


async def test_a_provider_never_has_more_requests_under_way_than_its_concurrency(bench: Bench):
    provider = bench.provider()
    provider.spec = replace(provider.spec, concurrency=2)
    bench.vendor.slow = True
    askers = [await bench.asker(job) for job in await bench.claimed(6)]
    async with bench.gateway() as gateway, asyncio.TaskGroup() as tasks:
        for i, asker in enumerate(askers):
            tasks.create_task(gateway.ask(question(provider, asker, f"{i}@x.com")))
        while bench.vendor.requests < 2:
            bench.vendor.arrived.clear()
            await bench.vendor.arrived.wait()
        reserved = await bench.rows("select count(*) as n from call")
        bench.vendor.gate.set()
    assert reserved == [{"n": 2}]
    assert bench.vendor.requests == 6


@pytest.mark.parametrize(
    "bad",
    [
        Reply(Verdict.MATCH, Billed(Micros(2**63))),
        Reply(Verdict.MATCH, Billed(Micros(-1))),
        Reply(Verdict.MATCH, Billed(Micros(2**62))),  # as a price storable, but not in this budget
        Reply(Verdict.MATCH, Billed(PRICE), (Reading(TITLE, float("inf"), 90),)),
        Reply(Verdict.MATCH, Billed(PRICE), (Reading(TITLE, [float("nan")], 90),)),
        Reply(Verdict.MATCH, Billed(PRICE), (Reading(TITLE, "Boss", 101),)),
        Reply(Verdict.MATCH, Billed(PRICE), (Reading(TITLE, "Boss", 2**40),)),
        Reply(Verdict.MATCH, Billed(PRICE), (Reading(FieldName("no_field"), "x", 90),)),
        Reply(Verdict.MATCH, Billed(PRICE), (Reading(TITLE, "Boss", 90, url=cast("str", 1)),)),
    ],
    ids=lambda reply: f"{reply.billing} {reply.readings}"[:60],
)
async def test_an_answer_that_cannot_be_stored_costs_no_neighbour_its_money_facts(
    bench: Bench, bad: Reply
):
    good = Reply(Verdict.MATCH, Billed(PRICE), (Reading(TITLE, "Chief", 90),), raw=b"good")
    budget = await bench.budget(2**63 - 1)
    async with bench.db.workspace(DEFAULT_WORKSPACE) as conn:
        await conn.execute("update budget set spent_micros = 2::bigint ^ 62 + 1")
    asker = await bench.asker((await bench.claimed())[0], budgets=budget)
    sealed = [
        Sealed([Intent(asker, _key(name), PRICE, 1, (), "the test asks", ())], 30.0)
        for name in (b"bad", b"good")
    ]
    grants = [grant for (grant,) in await bench.ledger.reserve(DEFAULT_WORKSPACE, sealed)]
    calls = [grant for grant in grants if isinstance(grant, Reserved)]
    (operation,) = bench.provider().spec.operations
    async with bench.gateway() as gateway:
        books = await gateway.bookkeeping.of(DEFAULT_WORKSPACE)
        settled = await asyncio.gather(
            *(
                books.settle(
                    Settling(
                        RequestFacts(call.request_id, status=200),
                        (settle_reply(call.call_id, reply, asker.entities, operation),),
                        {call.call_id: "titles"},
                    )
                )
                for call, reply in zip(calls, (bad, good), strict=True)
            )
        )
    first, second = await bench.rows(CALLS)
    assert (second["state"], second["price_micros"]) == ("settled", PRICE)
    assert first["state"] == settled[0][0].end
    assert first["state"] == ("settled" if bad.billing == Billed(PRICE) else "unknown")
    requests = await bench.rows("select status from vendor_request order by id")
    assert [row["status"] for row in requests] == [200, 200]


async def test_a_call_that_two_settle_in_one_group_is_settled_once_with_its_values_once(
    bench: Bench,
):
    answer = Reply(Verdict.MATCH, Billed(PRICE), (Reading(TITLE, "Chief", 90),), raw=b"raw")
    asker = await bench.asker((await bench.claimed())[0], budgets=await bench.budget(PRICE))
    wanted = [Sealed([Intent(asker, _key(b"one"), PRICE, 1, (), "the test asks", ())], 30.0)]
    ((call,),) = await bench.ledger.reserve(DEFAULT_WORKSPACE, wanted)
    assert isinstance(call, Reserved)
    (operation,) = bench.provider().spec.operations
    whole = settle_reply(call.call_id, answer, asker.entities, operation)
    billed = RequestFacts(call.request_id, status=200, billed_micros=PRICE)
    lost = settle_failure(call.call_id, FetchError("no answer", sent=True), operation)
    async with bench.gateway() as gateway:
        books = await gateway.bookkeeping.of(DEFAULT_WORKSPACE)
        await asyncio.gather(
            books.settle(Settling(RequestFacts(call.request_id), (lost,), {})),
            books.settle(Settling(billed, (whole,), {call.call_id: "titles"})),
            books.settle(Settling(billed, (whole,), {call.call_id: "titles"})),
        )
    assert [row["state"] for row in await bench.rows(CALLS)] == ["settled"]
    assert await bench.rows("select value from observation") == [{"value": "Chief"}]
    assert all(one.holds for one in await verify(bench.db, DEFAULT_WORKSPACE))


@pytest.mark.parametrize("found", [0, PRICE])
async def test_an_answer_whose_bill_cannot_be_read_keeps_its_values_whatever_is_found_out(
    bench: Bench, found: int
):
    bench.vendor.billing = "unknown"
    asker = await bench.asker((await bench.claimed())[0], budgets=await bench.budget(PRICE))
    asked = question(bench.provider(), asker, "a@x.com")
    async with bench.gateway() as gateway:
        unread = await gateway.ask(asked)
        assert isinstance(unread, Answer)  # nobody else need be asked
        assert [reading.value for reading in unread.readings] == ["Title of a@x.com"]
        assert unread.notes == ("what it cost is not known yet",)
        assert [row["state"] for row in await bench.rows(CALLS)] == ["unknown"]
        assert all(one.holds for one in await verify(bench.db, DEFAULT_WORKSPACE))
        by_hand = {unread.call_id: Micros(found)}
        await CallStore(bench.db).resolve(DEFAULT_WORKSPACE, by_hand, "usage page")
        again = await gateway.ask(asked)
    assert isinstance(again, Answer)
    assert [reading.value for reading in again.readings] == ["Title of a@x.com"]
    assert bench.vendor.bills == ["a@x.com"]
    assert (await bench.rows(CALLS))[0] | {"reserved_micros": 0} == {
        "state": "settled",
        "price_micros": found,
        "reserved_micros": 0,
        "verdict": "match",
    }
    assert await bench.rows("select cost_micros from observation") == [{"cost_micros": found}]
    assert all(one.holds for one in await verify(bench.db, DEFAULT_WORKSPACE))


@pytest.mark.parametrize("found", [0, PRICE // 2, PRICE * 2])
async def test_a_bill_that_arrives_after_somebody_said_otherwise_is_recorded_with_its_values(
    bench: Bench, found: int
):
    answer = Reply(Verdict.MATCH, Billed(PRICE), (Reading(TITLE, "Chief", 90),), raw=b"raw")
    asker = await bench.asker((await bench.claimed())[0], budgets=await bench.budget(PRICE))
    one, other = (
        [Sealed([Intent(asker, _key(name), PRICE, 1, (), "the test asks", ())], 30.0)]
        for name in (b"one", b"other")
    )
    ((call,),) = await bench.ledger.reserve(DEFAULT_WORKSPACE, one)
    assert isinstance(call, Reserved)
    (operation,) = bench.provider().spec.operations
    whole = settle_reply(call.call_id, answer, asker.entities, operation)
    lost = settle_failure(call.call_id, FetchError("no answer", sent=True), operation)
    billed = RequestFacts(call.request_id, status=200, billed_micros=PRICE)
    async with bench.gateway() as gateway:
        books = await gateway.bookkeeping.of(DEFAULT_WORKSPACE)
        await books.settle(Settling(RequestFacts(call.request_id), (lost,), {}))
        by_hand = {call.call_id: Micros(found)}
        await CallStore(bench.db).resolve(DEFAULT_WORKSPACE, by_hand, "usage page")
        if not found:  # what was released is reserved by another meanwhile
            await bench.ledger.reserve(DEFAULT_WORKSPACE, other)
        for _ in range(2):
            await books.settle(Settling(billed, (whole,), {call.call_id: "titles"}))
    assert (await bench.rows(CALLS))[0] == {
        "state": "settled",
        "price_micros": PRICE,
        "reserved_micros": PRICE,
        "verdict": "match",
    }
    assert (await bench.rows(BUDGET))[0]["spent_micros"] == PRICE
    assert await bench.rows("select value from observation") == [{"value": "Chief"}]
    assert all(one.holds for one in await verify(bench.db, DEFAULT_WORKSPACE))


def _key(name: bytes) -> QuestionKey:
    return QuestionKey("env", "titles", "title", "", name)
