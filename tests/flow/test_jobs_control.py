"""What people do to jobs while workers run: asked to stop, alerted of the dead."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from cli_process import Sandbox
from jobs_process import Args, options
from whole_path import booted, enrichment, finished, websites

from glaze.errors import InputError
from glaze.jobs.kind import JobContext, Kind
from glaze.jobs.options import WorkerOptions
from glaze.jobs.worker import Worker
from glaze.model.bulk import Filter
from glaze.model.job import JobState, NewJob
from glaze.model.outcome import Cancelled, Outcome, Retry
from glaze.model.value import DEFAULT_WORKSPACE as WS
from glaze.store.control import ControlStore
from glaze.store.database import Database
from glaze.store.event import START, EventStore
from glaze.store.job import JobStore

HANG_S = 60.0


async def test_a_job_that_runs_learns_within_seconds_that_it_was_cancelled(db: Database) -> None:
    begun, over = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    asked_at, heard_after_s = 0.0, HANG_S

    async def heed(_args: Args, context: JobContext) -> Outcome:
        nonlocal heard_after_s
        begun.set()
        await context.cancelled.wait()
        heard_after_s = loop.time() - asked_at
        over.set()
        return Cancelled()

    store = JobStore(db)
    [job_id] = await store.enqueue(WS, [NewJob("nap", {})])
    worker = Worker(
        db, {"nap": Kind("nap", Args, heed)}, WorkerOptions(name="w"), rng=random.Random(1)
    )
    stop = asyncio.Event()
    async with asyncio.timeout(HANG_S), asyncio.TaskGroup() as group:
        group.create_task(worker.run(stop))
        await begun.wait()
        asked_at = loop.time()
        async for step in ControlStore(db, store).cancel(WS, Filter(kinds=("nap",))):
            assert step.done == {job_id: JobState.PROCESSING}
        await over.wait()
        stop.set()
    assert heard_after_s < 5  # half a second, on a machine that has time
    found = await store.get(WS, job_id)
    assert found is not None
    assert found.state == JobState.CANCELLED


async def test_workers_raise_one_alert_where_many_jobs_of_a_kind_die(db: Database) -> None:
    async def fail(_args: Args, _context: JobContext) -> Outcome:
        return Retry("vendor_down", "no answer")

    kinds = {
        "loud": Kind("loud", Args, fail, alert_after=3),
        "quiet": Kind("quiet", Args, fail),
    }
    store, events = JobStore(db), EventStore(db)
    new = [NewJob(kind, {}, max_attempts=1) for kind in kinds for _ in range(4)]
    await store.enqueue(WS, new)
    stop = asyncio.Event()
    quick = replace(options("test", 5.0), alert_s=0.05)
    with structlog.testing.capture_logs() as said:
        async with asyncio.timeout(HANG_S), asyncio.TaskGroup() as group:
            for seed in (1, 2):
                worker = Worker(db, kinds, quick, rng=random.Random(seed))
                group.create_task(worker.run(stop))
            alerts = []
            while not alerts or await store.page(WS, state=JobState.PENDING):
                await asyncio.sleep(0.05)
                feed, _ = await events.feed(WS, START)
                alerts = [event.data for event in feed if event.type == "alert"]
            await asyncio.sleep(0.3)  # several looks of both workers
            stop.set()
    feed, _ = await events.feed(WS, START)
    alerts = [event.data for event in feed if event.type == "alert"]
    assert len(alerts) == 1
    assert alerts[0]["kind"] == "loud"  # type: ignore[index,call-overload]
    warned = [line for line in said if "died within an hour" in line["event"]]
    assert [(line["kind"], line["code"]) for line in warned] == [("loud", "vendor_down")]


# -- failure -------------------------------------------------------------------------------------


async def test_a_vendors_retry_after_is_waited_for_and_costs_no_attempt(
    db: Database, quick: Mapping[str, str], vendors: Sandbox
) -> None:
    # Long enough that it is not waited for in place, even where this process is slow to hear it.
    fault = {"kind": "status", "vendor": "apollo", "status": 429, "retry_after": 8, "times": 1}
    vendors.send("POST", "faults", fault)
    (site,) = websites(vendors, 1, skip=5)
    asked = enrichment(site, "company_employee_count", providers=("apollo",))
    async with booted(quick) as app:
        [job_id] = await JobStore(db).enqueue(WS, [replace(asked, max_attempts=1)])
        (view,) = await finished(app, [job_id])
    log = await EventStore(db).log(WS, job_id)
    [snoozed] = [event for event in log if event.type == "snoozed"]
    until = datetime.fromisoformat(snoozed.data["until"])  # type: ignore[index,call-overload,arg-type]
    first, again = [event.at for event in log if event.type == "claimed"]
    assert until - first >= timedelta(seconds=8)
    assert again >= until
    assert view.attempt == 1  # of one: an attempt spent would have made it dead
    assert view.state in {JobState.COMPLETED, JobState.PARTIAL}


async def test_a_permanent_error_ends_the_job_at_its_first_attempt(db: Database) -> None:
    runs: list[int] = []

    async def refuse(_args: Args, context: JobContext) -> Outcome:
        runs.append(context.job.attempt)
        raise InputError("no such company")

    store = JobStore(db)
    [job_id] = await store.enqueue(WS, [NewJob("nap", {}, max_attempts=5)])
    worker = Worker(
        db, {"nap": Kind("nap", Args, refuse)}, options("test", 5.0), rng=random.Random(1)
    )

    async def over() -> bool:
        found = await store.get(WS, job_id)
        return found is not None and found.finished_at is not None

    async with asyncio.timeout(HANG_S):
        await worker.drain(over, asyncio.Event())
    found = await store.get(WS, job_id)
    assert found is not None
    assert (found.state, found.error) == (JobState.FAILED, "input_invalid: no such company")
    assert runs == [1]
