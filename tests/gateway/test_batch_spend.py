"""What a batch has cost so far, by provider."""

import asyncio
from dataclasses import replace
from typing import Any

import psycopg

from glaze.model.ledger import CallEnd, Refusal, Refused, RequestFacts, Reserved, Settlement
from glaze.model.value import DEFAULT_WORKSPACE, BatchId, Micros
from glaze.store.batch import BatchStore, NewBatch
from glaze.store.batch_control import BatchControl
from tests.gateway.conftest import Bench
from tests.gateway.test_ledger import sealed

BATCH = BatchId(7)


async def sent(bench: Bench, *keys: int) -> list[Reserved]:
    """Record intents of the batch, each of 5 micros."""
    (job,) = await bench.claimed()
    asker = replace(await bench.asker(job), batch_id=BATCH)
    intents = [sealed(asker, key.to_bytes(4)) for key in keys]
    grants = [grant for (grant,) in await bench.ledger.reserve(DEFAULT_WORKSPACE, intents)]
    reserved = [grant for grant in grants if isinstance(grant, Reserved)]
    assert len(reserved) == len(keys)
    return reserved


async def ended(
    bench: Bench, grant: Reserved, end: CallEnd, price: int = 0, verdict: str | None = None
) -> None:
    await bench.ledger.settle(
        DEFAULT_WORKSPACE,
        [RequestFacts(grant.request_id)],
        [Settlement(grant.call_id, end, Micros(price), verdict)],
        provider_of={grant.call_id: "titles"},
        hash_key=b"k",
    )


async def test_a_call_that_was_never_sent_is_not_counted(bench: Bench):
    unsent, miss, hit, lost = await sent(bench, 1, 2, 3, 4)
    await ended(bench, unsent, CallEnd.NOT_BILLED)
    await ended(bench, miss, CallEnd.NOT_BILLED, verdict="no_match")
    await ended(bench, hit, CallEnd.SETTLED, price=4, verdict="match")
    await ended(bench, lost, CallEnd.UNKNOWN)
    assert await bench.ledger.spend_of_batch(DEFAULT_WORKSPACE, BATCH) == [
        {
            "provider": "titles",
            "calls": 3,
            "matches": 1,
            "price_micros": 4,
            "unknown_micros": 5,
            "unknown_calls": 1,
        }
    ]


async def test_one_who_looks_again_and_again_sees_what_one_look_sees(bench: Bench):
    """Calls end out of order, one stays unknown and is resolved at last, one is committed late."""
    spend = bench.ledger.batch_spend(DEFAULT_WORKSPACE, BATCH)
    assert await spend.look() == []

    async def agrees() -> dict[str, Any]:
        (row,) = await spend.look()
        assert [row] == await bench.ledger.spend_of_batch(DEFAULT_WORKSPACE, BATCH)
        return row

    lost, hit, unsent, slow = await sent(bench, 1, 2, 3, 4)
    await ended(bench, lost, CallEnd.UNKNOWN)
    await ended(bench, hit, CallEnd.SETTLED, price=4, verdict="match")
    for _ in range(3):
        assert (await agrees())["calls"] == 4
    await ended(bench, unsent, CallEnd.NOT_BILLED)
    for _ in range(3):
        assert (await agrees())["calls"] == 3
    (job,) = await bench.claimed()
    asker = replace(await bench.asker(job), batch_id=BATCH)
    async with bench.db.workspace(DEFAULT_WORKSPACE) as conn:
        # A call whose id is given before that of the next, and that is there after it. Its
        # transaction has locked something before, as every one that reserves has.
        await conn.execute("select pg_current_xact_id()")
        late = {"question": (await asked(bench, hit)), "batch": BATCH}
        assert await (await conn.execute(LATE, late)).fetchone()
        await bench.ledger.reserve(DEFAULT_WORKSPACE, [sealed(asker, (6).to_bytes(4))])
        for _ in range(3):
            assert (await agrees())["calls"] == 4
    for _ in range(3):
        assert (await agrees())["calls"] == 5
    await ended(bench, slow, CallEnd.SETTLED, price=7, verdict="no_match")
    await ended(bench, lost, CallEnd.SETTLED, price=5, verdict="match")
    for _ in range(3):
        assert (await agrees())["price_micros"] == 16
    # What has ended is not read again: its prices could change without anybody's notice.
    async with bench.db.workspace(DEFAULT_WORKSPACE) as conn:
        await conn.execute("update call set price_micros = 1000 where state = 'settled'")
    assert (await spend.look())[0]["price_micros"] == 16


LATE = """insert into call (workspace_id, question_id, generation, request_id, batch_id, position, reason, wanted,
  reserved_micros, deadline) select workspace_id, question_id, 9, request_id, %(batch)s, 1, 'late', '{}', 1, deadline
  from call where question_id = %(question)s returning id"""


async def asked(bench: Bench, grant: Reserved) -> int:
    rows = await bench.rows(f"select question_id from call where id = {grant.call_id}")
    return int(rows[0]["question_id"])


async def test_a_call_that_is_being_recorded_when_its_batch_is_stopped_is_none_that_came_after(
    bench: Bench, dsn: str
):
    batches = BatchStore(bench.db)
    batch = await batches.create(DEFAULT_WORKSPACE, NewBatch("noop", {}))
    await batches.add_rows(DEFAULT_WORKSPACE, batch, iter([{}]))
    await batches.start(DEFAULT_WORKSPACE, batch)
    ((job,), _) = await bench.jobs.claim("default", 1, bench.worker)
    asker = replace(await bench.asker(job), batch_id=batch)
    ((unsent,),) = await bench.ledger.reserve(DEFAULT_WORKSPACE, [sealed(asker, b"asked")])
    assert isinstance(unsent, Reserved)
    await ended(bench, unsent, CallEnd.NOT_BILLED)

    async def waiting(*tasks: asyncio.Task[Any]) -> None:
        """Return once as many wait for locks as there are tasks, or the last is done."""
        while not tasks[-1].done():
            found = await bench.rows("select count(*) as n from pg_locks where not granted")
            if found[0]["n"] >= len(tasks):
                return

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        with psycopg.connect(dsn) as other:
            other.execute("select from glaze.question for update")
            again = bench.ledger.reserve(DEFAULT_WORKSPACE, [sealed(asker, b"asked")])
            recording = group.create_task(again)
            await waiting(recording)
            stopping = group.create_task(batches.cancel(DEFAULT_WORKSPACE, batch))
            await waiting(recording, stopping)
    ((grant,),) = recording.result()
    assert isinstance(grant, Reserved)
    control = BatchControl(bench.db, batches)
    assert await control.since_stopped(DEFAULT_WORKSPACE, batch) == 0
    ((refused,),) = await bench.ledger.reserve(DEFAULT_WORKSPACE, [sealed(asker, b"late")])
    assert refused == Refused(Refusal.CANCELLED)
