"""What a batch has cost so far, by provider."""

from dataclasses import replace

from glaze.model.ledger import CallEnd, RequestFacts, Reserved, Settlement
from glaze.model.value import DEFAULT_WORKSPACE, BatchId, Micros
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
