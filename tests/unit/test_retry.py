"""Ending tasks for certain: a cancellation that got lost on its way is sent again."""

import asyncio
import contextlib

from glaze.jobs.retry import end_all


async def test_a_task_that_lost_its_first_cancellation_still_ends() -> None:
    lost = asyncio.Event()

    async def deaf_once() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        lost.set()
        await asyncio.Event().wait()

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        tasks = [group.create_task(deaf_once()), group.create_task(asyncio.Event().wait())]
        await asyncio.sleep(0)
        await end_all(tasks)

    assert lost.is_set()
    assert all(task.cancelled() for task in tasks)


async def test_tasks_that_have_ended_are_left_as_they_are() -> None:
    async with asyncio.TaskGroup() as group:
        done = group.create_task(asyncio.sleep(0, "its result"))

    await end_all([done])

    assert done.result() == "its result"
