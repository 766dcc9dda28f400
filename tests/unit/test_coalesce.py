"""Items travel together, and none waits for company without end."""

import asyncio
from collections.abc import Sequence

import pytest

from glaze.pipeline.coalesce import Coalescer


async def doubled(items: Sequence[int]) -> Sequence[int]:
    return [2 * item for item in items]


async def test_a_full_bulk_leaves_at_once_and_each_item_gets_its_own_result() -> None:
    sizes: list[int] = []

    async def send(items: Sequence[int]) -> Sequence[int]:
        sizes.append(len(items))
        return await doubled(items)

    async with asyncio.TaskGroup() as tasks:
        coalescer = Coalescer(send, tasks)
        results = await asyncio.gather(*(coalescer.add("lane", i, most=4) for i in range(12)))
    assert results == [2 * i for i in range(12)]
    assert sizes == [4, 4, 4]


async def test_an_item_leaves_though_others_keep_coming_and_the_bulk_is_never_full() -> None:
    async with asyncio.TaskGroup() as tasks:
        coalescer = Coalescer(doubled, tasks)
        first = tasks.create_task(coalescer.add("lane", 0, most=10**6))
        others = []
        while not first.done() and len(others) < 2_000:
            others.append(tasks.create_task(coalescer.add("lane", 1, most=10**6)))
            await asyncio.sleep(0.005)  # sooner than any of them would leave alone
        assert len(others) < 2_000
        assert await first == 0


async def test_lanes_do_not_mix() -> None:
    sent: list[list[int]] = []

    async def send(items: Sequence[int]) -> Sequence[int]:
        sent.append(sorted(items))
        return await doubled(items)

    async with asyncio.TaskGroup() as tasks:
        coalescer = Coalescer(send, tasks)
        await asyncio.gather(*(coalescer.add(i % 2, i, most=3) for i in range(6)))
    assert sorted(sent) == [[0, 2, 4], [1, 3, 5]]


async def test_a_bulk_that_fails_fails_for_each_of_its_items_and_for_no_other() -> None:
    async def send(items: Sequence[int]) -> Sequence[int]:
        if 0 in items:
            raise LookupError("the vendor broke")
        return await doubled(items)

    async with asyncio.TaskGroup() as tasks:
        coalescer = Coalescer(send, tasks)
        results = await asyncio.gather(
            *(coalescer.add("lane", i, most=2) for i in range(4)), return_exceptions=True
        )
    assert [type(one) for one in results] == [LookupError, LookupError, int, int]


async def test_who_gives_up_waiting_disturbs_nobody() -> None:
    async with asyncio.TaskGroup() as tasks:
        coalescer = Coalescer(doubled, tasks)
        leaving = tasks.create_task(coalescer.add("lane", 1, most=3))
        staying = tasks.create_task(coalescer.add("lane", 2, most=3))
        await asyncio.sleep(0)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert await staying == 4
