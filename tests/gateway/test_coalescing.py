"""Single questions from many jobs fill bulk requests: each row is settled for itself, whatever happens.

The real providers over the sandbox's real HTTP; what was paid is counted by the sandbox's own bills.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from glaze.model.names import person_key
from glaze.model.provider import Ask, Operation, Provider, Verdict
from glaze.model.value import FieldName, Json
from glaze.net.client import HttpClient
from glaze.net.sandbox import SandboxRoute
from glaze.pipeline.asking import Access, Answer, Decline, Declined, Question
from glaze.pipeline.credentials import Credentials
from glaze.pipeline.gateway import Gateway
from glaze.providers.apollo import apollo
from glaze.providers.people_data_labs import people_data_labs
from glaze.providers.zerobounce import zerobounce
from glaze.store.limit import LimitStore
from glaze_sandbox.faults import FaultKind, FaultSpec
from glaze_sandbox.server import Running, serve
from glaze_sandbox.state import new_state
from glaze_sandbox.world.entities import Person
from tests.gateway.conftest import Bench, patiently

EMAIL, NAME = FieldName("person_email"), FieldName("person_full_name")
DOMAIN, STATUS = FieldName("company_domain"), FieldName("person_email_status")


@dataclass(frozen=True)
class Bulk:
    """A bulk operation, and what it is asked by."""

    provider: Provider
    operation: str
    by: frozenset[FieldName]

    def __str__(self) -> str:
        return self.name

    @property
    def declared(self) -> Operation:
        return self.provider.spec.operation(self.operation)

    @property
    def name(self) -> str:
        return self.provider.spec.name

    def known(self, person: Person) -> dict[FieldName, Json]:
        whole = {EMAIL: person.email, NAME: person.full_name, DOMAIN: person.company.domain}
        return {name: whole[name] for name in self.by}


BULKS = [
    Bulk(apollo, "people_match", frozenset({NAME, DOMAIN})),
    Bulk(people_data_labs, "person", frozenset({NAME, DOMAIN})),
    Bulk(zerobounce, "validate", frozenset({EMAIL})),
]
each_bulk = pytest.mark.parametrize("bulk", BULKS, ids=lambda bulk: bulk.name)


@pytest.fixture
async def sandbox() -> AsyncIterator[Running]:
    async with serve(new_state(companies=160)) as running:
        yield running


@asynccontextmanager
async def opened(bench: Bench, sandbox: Running) -> AsyncIterator[Gateway]:
    keyed = {
        bulk.name: Access("env", "sandbox-test", bulk.provider.spec.base_url) for bulk in BULKS
    }
    async with (
        HttpClient(sandbox=SandboxRoute.from_url(sandbox.url)) as http,
        Gateway.open(
            ledger=bench.ledger,
            limits=LimitStore(bench.db),
            entities=bench.entities,
            http=http,
            credentials=Credentials(keyed),
        ) as gateway,
    ):
        yield gateway


def people_of(sandbox: Running, n: int) -> list[Person]:
    world = sandbox.state.world
    everybody = (p for c in world.companies() for p in world.people_of(c) if p.email)
    return [person for person, _ in zip(everybody, range(n), strict=False)]


async def questions(bench: Bench, bulk: Bulk, people: Sequence[Person]) -> list[Question]:
    """A question about each person, each of a job of its own, under one budget."""
    budget = await bench.budget(10**9)
    jobs = await bench.claimed(len(people))
    askers = await asyncio.gather(*(bench.asker(job, budgets=budget) for job in jobs))
    return [
        Question(
            provider=bulk.provider,
            operation=bulk.declared,
            needs=bulk.by,
            ask=Ask(bulk.known(person), frozenset(bulk.declared.gives)),
            asker=asker,
            position=1,
            missed=(),
            reason="the test asks",
            judge=lambda readings: readings,
        )
        for person, asker in zip(people, askers, strict=True)
    ]


def named(answer: Answer | Declined) -> str:
    """Return whom an answer is about, "" where it does not say."""
    if isinstance(answer, Declined):
        return ""
    return next((str(r.value) for r in answer.readings if r.field == NAME), "")


def fits(bulk: Bulk, person: Person, answer: Answer | Declined, sandbox: Running) -> bool:
    """Tell whether an answer is the one to this person's question."""
    if bulk.provider is zerobounce and isinstance(answer, Answer):
        said = next((r.value for r in answer.readings if r.field == STATUS), None)
        vendor = sandbox.state.vendors["api.zerobounce.net"]
        true = vendor._status(str(person.email))[0]
        return (said is None) == (true == "unknown") and (said == "deliverable") == (
            true == "valid"
        )
    return person_key(named(answer) or person.full_name) == person_key(person.full_name)


async def money(bench: Bench) -> dict[str, int]:
    """Return what the ledger says was paid, and how many calls are in each state."""
    rows = await bench.rows(
        "select state::text, count(*) as n, sum(price_micros) as micros from call group by 1"
    )
    found = {row["state"]: int(row["n"]) for row in rows}
    return found | {"paid": sum(int(row["micros"] or 0) for row in rows)}


def billed(sandbox: Running) -> int:
    assert sandbox.state.billing.duplicates() == []
    return sum(bill.micros for bill in sandbox.state.billing.bills)


@each_bulk
async def test_500_questions_of_500_jobs_travel_in_full_requests_and_each_gets_its_own_answer(
    bench: Bench, sandbox: Running, bulk: Bulk
):
    people = people_of(sandbox, 500)
    asked = await questions(bench, bulk, people)
    async with opened(bench, sandbox) as gateway:
        answers = await asyncio.gather(*(patiently(gateway, one) for one in asked))
    assert [a for a in answers if isinstance(a, Declined)] == []
    assert all(
        fits(bulk, person, answer, sandbox) for person, answer in zip(people, answers, strict=True)
    )
    full = math.ceil(500 / bulk.declared.batch_size)
    assert sandbox.state.requests[bulk.name] <= full * 2
    stood = await money(bench)
    assert stood["settled"] == 500
    assert stood["paid"] == billed(sandbox) > 0
    (budget,) = await bench.rows("select reserved_micros, spent_micros from budget")
    assert budget == {"reserved_micros": 0, "spent_micros": stood["paid"]}


@each_bulk
async def test_a_bulk_whose_answer_is_lost_leaves_each_row_unknown_and_is_never_sent_again(
    bench: Bench, sandbox: Running, bulk: Bulk
):
    asked = await questions(bench, bulk, people_of(sandbox, 8))
    sandbox.state.faults.add(FaultSpec(kind=FaultKind.DROP_AFTER_BILLING, vendor=bulk.name))
    async with opened(bench, sandbox) as gateway:
        lost = await asyncio.gather(*map(gateway.ask, asked))
        sandbox.state.faults.clear()
        sent = sandbox.state.requests[bulk.name]
        again = await asyncio.gather(*map(gateway.ask, asked))
    assert [getattr(one, "why", None) for one in (*lost, *again)] == [Decline.UNKNOWN] * 16
    assert sandbox.state.requests[bulk.name] == sent < 8
    assert await money(bench) == {"unknown": 8, "paid": 0}
    (budget,) = await bench.rows("select reserved_micros from budget")
    assert billed(sandbox) <= budget["reserved_micros"] == 8 * bulk.declared.price_micros


@pytest.mark.parametrize(
    ("bulk", "status"), [*((bulk, 503) for bulk in BULKS), (BULKS[1], 429)], ids=str
)
async def test_a_bulk_that_is_refused_costs_nothing_and_each_row_is_bought_once_later(
    bench: Bench, sandbox: Running, bulk: Bulk, status: int
):
    people = people_of(sandbox, 8)
    asked = await questions(bench, bulk, people)
    refusal = {"kind": FaultKind.STATUS, "status": status, "retry_after": 30}
    sandbox.state.faults.add(FaultSpec(vendor=bulk.name, **refusal))
    async with opened(bench, sandbox) as gateway:
        refused = await asyncio.gather(*map(gateway.ask, asked))
        tried = await money(bench)  # a bulk that came after a 429 is not sent at all
        assert 0 < tried.pop("not_billed") <= 8
        assert tried == {"paid": 0}
        sandbox.state.faults.clear()
        async with bench.db.fleet() as conn:  # the pause that the vendor asked for is over
            await conn.execute("delete from vendor_room")
        bought = await asyncio.gather(*(patiently(gateway, one) for one in asked))
    why = Decline.WAIT if status == 429 else Decline.FAILED
    assert {getattr(one, "why", None) for one in refused} == {why}
    assert all(isinstance(one, Answer) for one in bought)
    assert (await money(bench))["paid"] == billed(sandbox) > 0


@each_bulk
async def test_rows_that_come_in_another_order_go_to_nobody_elses_question(
    bench: Bench, sandbox: Running, bulk: Bulk
):
    people = people_of(sandbox, 10)
    asked = await questions(bench, bulk, people)
    sandbox.state.faults.add(FaultSpec(kind=FaultKind.SHUFFLED, vendor=bulk.name))
    async with opened(bench, sandbox) as gateway:
        answers = await asyncio.gather(*map(gateway.ask, asked))
    assert all(
        fits(bulk, person, answer, sandbox) for person, answer in zip(people, answers, strict=True)
    )
    stood = await money(bench)
    unknown = stood.get("unknown", 0) * bulk.declared.price_micros
    assert stood["paid"] <= billed(sandbox) <= stood["paid"] + unknown
    assert bulk.provider is apollo or not unknown  # only its rows do not say whose they are


@each_bulk
async def test_an_answer_with_fewer_rows_loses_none_and_leaves_no_bill_uncounted(
    bench: Bench, sandbox: Running, bulk: Bulk
):
    people = people_of(sandbox, 10)
    asked = await questions(bench, bulk, people)
    sandbox.state.faults.add(FaultSpec(kind=FaultKind.SHORT, vendor=bulk.name))
    async with opened(bench, sandbox) as gateway:
        answers = await asyncio.gather(*map(gateway.ask, asked))
        sandbox.state.faults.clear()
        again = await asyncio.gather(*map(gateway.ask, asked))
    assert all(
        fits(bulk, person, answer, sandbox)
        for person, answer in zip(people, (*answers, *again), strict=False)
    )
    assert all(isinstance(a, Answer) or a.why in {Decline.UNKNOWN, Decline.FAILED} for a in answers)
    stood = await money(bench)
    unknown = stood.get("unknown", 0)
    assert unknown <= (10 if bulk.provider is apollo else sandbox.state.requests[bulk.name])
    at_most = stood["paid"] + unknown * bulk.declared.price_micros
    assert stood["paid"] <= billed(sandbox) <= at_most
    settled = {id(q) for q, a in zip(asked, answers, strict=True) if isinstance(a, Answer)}
    for question, answer in zip(asked, again, strict=True):
        assert isinstance(answer, Answer) or id(question) not in settled


async def test_one_row_is_refused_by_itself_and_its_neighbours_are_bought(
    bench: Bench, sandbox: Running
):
    bulk = BULKS[1]
    people = people_of(sandbox, 5)
    asked = await questions(bench, bulk, people)
    async with bench.db.fleet() as conn:
        await conn.execute(
            "update job set cancel_requested = true where id = %s", (asked[2].asker.job_id,)
        )
    async with opened(bench, sandbox) as gateway:
        answers = await asyncio.gather(*map(gateway.ask, asked))
    assert [getattr(one, "why", None) for one in answers] == [
        None,
        None,
        Decline.CANCELLED,
        None,
        None,
    ]
    assert sandbox.state.requests["people_data_labs"] < 4
    assert {a.verdict for a in answers if isinstance(a, Answer)} <= {
        Verdict.MATCH,
        Verdict.NO_MATCH,
    }
