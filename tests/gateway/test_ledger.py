"""The ledger's own races, without a wire between: who may send, when many want to at once."""

import asyncio
from dataclasses import replace

from glaze.errors import StoreUnavailable
from glaze.model.ledger import (
    CallEnd,
    Doubtful,
    InFlight,
    Intent,
    QuestionKey,
    Refusal,
    Refused,
    RequestFacts,
    Reserved,
    Settlement,
)
from glaze.model.value import DEFAULT_WORKSPACE, Micros
from glaze.store.budget import BudgetCap
from glaze.store.database import Database
from glaze.store.ledger import LedgerStore, Sealed
from tests.gateway.conftest import Bench

RACES = 40


def sealed(asker, key: bytes) -> Sealed:
    question = QuestionKey("env", "titles", "title", "", key)
    return Sealed([Intent(asker, question, Micros(5), 1, (), "a race", ())], 30.0)


async def test_two_processes_that_reserve_a_question_at_once_get_one_grant(bench: Bench, dsn: str):
    (job,) = await bench.claimed()
    asker = await bench.asker(job)
    async with Database.open(dsn) as second_db:
        ledgers = (bench.ledger, LedgerStore(second_db))
        for race in range(RACES):
            key = race.to_bytes(4)
            # A question that exists already, its last call not billed: both find it free.
            ((first,),) = await bench.ledger.reserve(DEFAULT_WORKSPACE, [sealed(asker, key)])
            assert isinstance(first, Reserved)
            await bench.ledger.settle(
                DEFAULT_WORKSPACE,
                [RequestFacts(first.request_id)],
                [Settlement(first.call_id, CallEnd.NOT_BILLED)],
                provider_of={first.call_id: "titles"},
                hash_key=b"k",
            )
            grants = await asyncio.gather(
                *(
                    ledger.reserve(DEFAULT_WORKSPACE, [sealed(asker, key)])
                    for ledger in ledgers
                    for _ in range(3)
                )
            )
            flat = [grant for ((grant,),) in grants]
            assert sum(isinstance(grant, Reserved) for grant in flat) == 1
            assert sum(isinstance(grant, InFlight) for grant in flat) == len(flat) - 1
    calls = await bench.rows("select count(*) as n from call where state = 'sending'")
    assert calls[0]["n"] == RACES


async def test_caps_that_are_ensured_while_calls_reserve_and_settle_wait_for_nobody_in_a_ring(
    bench: Bench, dsn: str
):
    day = BudgetCap("workspace_day", "2026-11-22", Micros(10**9))
    batch = BudgetCap("batch", "1", Micros(10**9))
    await bench.ledger.allowance(DEFAULT_WORKSPACE, [day])  # ids against the order of scopes
    budgets = (await bench.ledger.allowance(DEFAULT_WORKSPACE, [batch, day])).of_all
    (job,) = await bench.claimed()
    asker = replace(await bench.asker(job), budgets=budgets)

    async def ensure(ledger: LedgerStore) -> None:
        for i in range(RACES * 2):
            caps = [replace(one, cap_micros=Micros(10**9 + i % 2)) for one in (batch, day)]
            await ledger.allowance(DEFAULT_WORKSPACE, caps)

    async def spend(ledger: LedgerStore, spender: int) -> None:
        for i in range(RACES):
            wanted = [sealed(asker, bytes([spender, i]))]
            ((grant,),) = await ledger.reserve(DEFAULT_WORKSPACE, wanted)
            assert isinstance(grant, Reserved)
            await ledger.settle(
                DEFAULT_WORKSPACE,
                [],
                [Settlement(grant.call_id, CallEnd.SETTLED, Micros(5))],
                provider_of={},
                hash_key=b"k",
            )

    async with Database.open(dsn) as second_db:
        ledgers = (bench.ledger, LedgerStore(second_db))
        await asyncio.gather(
            *(ensure(ledger) for ledger in ledgers for _ in range(2)),
            *(spend(ledgers[i % 2], i) for i in range(4)),
        )
    spent = await bench.rows("select reserved_micros, spent_micros from budget")
    assert spent == [{"reserved_micros": 0, "spent_micros": 5 * 4 * RACES}] * 2


async def test_what_stands_already_is_sent_where_the_database_goes_away_in_the_middle_of_a_group(
    bench: Bench,
):
    class Leaving(LedgerStore):
        async def _reserve(self, workspace_id, sealed):
            if len(sealed) == 1 and sealed[0].intents[0].question.key == b"late":
                raise StoreUnavailable("the connection is lost")
            return await super()._reserve(workspace_id, sealed)

    (job,) = await bench.claimed()
    asker = await bench.asker(job, budgets=await bench.budget(10))
    group = [sealed(asker, key) for key in (b"one", b"two", b"none left", b"late")]
    granted = await Leaving(bench.db).reserve(DEFAULT_WORKSPACE, group)
    (first,), (second,), (third,), lost = granted  # type: ignore[misc]
    assert isinstance(first, Reserved)
    assert isinstance(second, Reserved)
    assert third == Refused(Refusal.BUDGET)
    assert lost == Doubtful((), "")
