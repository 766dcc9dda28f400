"""What vendors do beside answering: windows of single endpoints, work in progress, objections."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from glaze.model.provider import Limit, Provider, Verdict
from glaze.pipeline.asking import Answer, Decline, Declined
from tests.gateway.conftest import Bench, question


def with_limits(provider: Provider, *, own: Limit, bulk: Limit, shared: Limit) -> Provider:
    (operation,) = provider.spec.operations
    limited = replace(operation, limits=(own,), bulk_limits=(bulk,))
    provider.spec = replace(provider.spec, operations=(limited,), limits=(shared,))
    return provider


async def test_each_endpoint_has_windows_of_its_own_where_the_vendor_counts_it_apart(bench: Bench):
    provider = with_limits(
        bench.provider(batch_size=10), own=Limit(3, 60), bulk=Limit(1, 60), shared=Limit(1, 60)
    )
    askers = [await bench.asker(job) for job in await bench.claimed(10)]
    async with bench.gateway() as gateway:

        async def ask(*numbers: int) -> list[Answer | Declined]:
            asks = (question(provider, askers[i], f"{i}@x.com") for i in numbers)
            return await asyncio.gather(*map(gateway.ask, asks))

        alone = [*await ask(0), *await ask(1), *await ask(2)]
        together = await ask(3, 4, 5)
        too_many = [*await ask(6), *await ask(7, 8)]
    assert all(isinstance(one, Answer) for one in (*alone, *together))
    assert [getattr(one, "why", None) for one in too_many] == [Decline.WAIT] * 3
    assert bench.vendor.requests == 4


async def test_what_a_vendor_is_still_working_on_is_asked_again_and_holds_nobody_else_back(
    bench: Bench,
):
    provider = bench.provider(limits=(Limit(50, 60),))
    (job,) = await bench.claimed()
    asker = await bench.asker(job)
    async with bench.gateway() as gateway:
        bench.vendor.status = 202
        first = await gateway.ask(question(provider, asker, "a@x.com"))
        bench.vendor.status = 200
        other = await gateway.ask(question(provider, asker, "b@x.com"))
        again = await gateway.ask(question(provider, asker, "a@x.com"))
    assert isinstance(first, Declined)
    assert (first.why, first.verdict) == (Decline.WAIT, Verdict.IN_PROGRESS)
    assert first.call_id is not None
    assert isinstance(other, Answer)
    assert isinstance(again, Answer)
    assert bench.vendor.bills == ["b@x.com", "a@x.com"]
    told = await bench.ledger.times_told_to_wait(asker.workspace_id, job.id, first.call_id)
    assert told == 1


async def test_a_person_who_objected_is_not_asked_about_again_even_past_the_cache(bench: Bench):
    provider = bench.provider()
    (job,) = await bench.claimed()
    later = datetime.now(UTC) + timedelta(days=400)  # noqa: TID251  as if the caller asked then
    asker = await bench.asker(job, fresh_after=later)
    async with bench.gateway() as gateway:
        bench.vendor.status = 451
        await gateway.ask(question(provider, asker, "a@x.com"))
        bench.vendor.status = 200
        again = await gateway.ask(question(provider, asker, "a@x.com"))
    assert isinstance(again, Answer)
    assert (again.verdict, again.known) == (Verdict.SUPPRESSED, True)
    assert bench.vendor.bills == []
