"""A bounded run: some jobs, within a time, nothing lost or held afterwards, beside any other run."""

import asyncio
import json
import random
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

import psycopg
import pytest
from cli_process import Cli, Sandbox, ended
from jobs_process import KINDS, Args, options
from whole_path import enrichment, query, watch, websites

from glaze.errors import InputError
from glaze.jobs.burst import Burst, Summary
from glaze.jobs.kind import JobContext, Kind, Kinds
from glaze.jobs.options import WorkerOptions
from glaze.model.job import JobState, NewJob
from glaze.model.outcome import Cancelled, Done, Failed, Outcome, Retry
from glaze.model.value import DEFAULT_WORKSPACE, JobId
from glaze.store.database import Database
from glaze.store.event import EventStore
from glaze.store.job import JobStore
from glaze.store.worker import WorkerStore

WS = DEFAULT_WORKSPACE
Run = Callable[[Args, JobContext], Awaitable[Outcome]]


def at_once(run: Run, name: str = "nap", **more: float) -> Kinds:
    return {name: Kind(name, Args, run, **({"least_s": 0.0} | more))}  # type: ignore[arg-type]


async def nap(args: Args, _context: JobContext) -> Outcome:
    await asyncio.sleep(args.seconds)
    return Done("slept")


def burst(db: Database, kinds: Kinds | None = None, given: WorkerOptions | None = None) -> Burst:
    return Burst(db, kinds or at_once(nap), given or options("burst", 5.0), rng=random.Random(1))


async def state(db: Database, job_id: JobId) -> tuple[JobState, int]:
    view = await JobStore(db).get(WS, job_id)
    assert view is not None
    return view.state, view.attempt


async def states(db: Database, ids: list[JobId]) -> list[JobState]:
    return [(await state(db, job_id))[0] for job_id in ids]


async def test_a_bounded_run_takes_so_many_jobs_and_tells_what_is_left(db: Database) -> None:
    ids = await JobStore(db).enqueue(WS, [NewJob("nap", {})] * 25)
    summary = await burst(db).run(max_jobs=10, timeout_ms=20_000)
    assert (summary.claimed, summary.completed, summary.failed, summary.left) == (10, 10, 0, 15)
    assert summary.duration_ms < 20_000
    assert await states(db, ids) == [JobState.COMPLETED] * 10 + [JobState.PENDING] * 15
    assert await WorkerStore(db).living() == []


async def test_an_empty_queue_ends_the_run_at_once(db: Database) -> None:
    summary = await burst(db).run(timeout_ms=60_000)
    assert summary == Summary(0, 0, 0, 0, summary.duration_ms)
    assert summary.duration_ms < 10_000


async def test_attempts_that_fail_are_counted_as_failed(db: Database) -> None:
    async def fail(_args: Args, context: JobContext) -> Outcome:
        return Failed("no", "never") if context.job.id % 2 else Retry("busy", "later", 600.0)

    await JobStore(db).enqueue(WS, [NewJob("nap", {})] * 4)
    summary = await burst(db, at_once(fail)).run()
    assert (summary.claimed, summary.completed, summary.failed, summary.left) == (4, 0, 4, 0)


async def test_the_whole_call_ends_in_time_and_hands_back_what_still_runs(db: Database) -> None:
    ids = await JobStore(db).enqueue(WS, [NewJob("nap", {"seconds": s}) for s in (0.1, 600, 600)])
    began = time.monotonic()
    summary = await burst(db).run(timeout_ms=3_000)
    assert time.monotonic() - began < 3.0
    assert (summary.claimed, summary.completed, summary.left) == (3, 1, 2)
    assert [await state(db, job_id) for job_id in ids] == [
        (JobState.COMPLETED, 1),
        (JobState.PENDING, 0),
        (JobState.PENDING, 0),
    ]
    types = [event.type for event in await EventStore(db).log(WS, ids[1])]
    assert types == ["enqueued", "claimed", "handed_back"]
    assert await WorkerStore(db).living() == []


async def test_a_kind_that_could_outlast_the_run_is_not_begun(db: Database) -> None:
    kinds = {**at_once(nap), "long": Kind("long", Args, nap, timeout_s=60.0)}
    short, long = await JobStore(db).enqueue(WS, [NewJob("nap", {}), NewJob("long", {})])
    summary = await burst(db, kinds).run(timeout_ms=5_000)
    assert (summary.claimed, summary.completed, summary.left) == (1, 1, 1)
    assert await states(db, [short, long]) == [JobState.COMPLETED, JobState.PENDING]
    again = await burst(db, kinds).run(timeout_ms=90_000)
    assert (again.claimed, again.completed, again.left) == (1, 1, 0)


async def test_a_kind_stops_being_begun_when_too_little_time_is_left(db: Database) -> None:
    kinds = at_once(nap, least_s=2.0)
    await JobStore(db).enqueue(WS, [NewJob("nap", {"seconds": 0.5})] * 50)
    one = options("burst", 5.0, concurrency=1)
    summary = await burst(db, kinds, one).run(max_jobs=50, timeout_ms=5_000)
    assert 1 <= summary.claimed <= 5
    assert summary.completed == summary.claimed
    assert summary.left == 50 - summary.claimed


async def test_jobs_of_kinds_it_was_not_given_or_does_not_know_are_left(db: Database) -> None:
    kinds = {**at_once(nap), **at_once(nap, "other")}
    given = WorkerOptions(kinds=("nap",))
    new = [NewJob("nap", {}), NewJob("other", {}), NewJob("of the future", {})]
    ids = await JobStore(db).enqueue(WS, new)
    summary = await burst(db, kinds, given).run()
    assert (summary.claimed, summary.left) == (1, 0)
    assert await states(db, ids) == [JobState.COMPLETED, JobState.PENDING, JobState.PENDING]


async def test_several_at_once_share_the_jobs_and_each_is_done_once(db: Database) -> None:
    ids = await JobStore(db).enqueue(WS, [NewJob("nap", {"seconds": 0.01})] * 90)
    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(burst(db).run(max_jobs=30)) for _ in range(4)]
    summaries = [run.result() for run in runs]
    assert sum(one.claimed for one in summaries) == 90
    assert sum(one.completed for one in summaries) == 90
    for job_id in ids:
        types = [event.type for event in await EventStore(db).log(WS, job_id)]
        assert types == ["enqueued", "claimed", "completed"]


async def test_what_came_due_and_what_the_dead_held_is_run_where_no_worker_lives(
    db: Database, dsn: str
) -> None:
    jobs = JobStore(db)
    dead = await WorkerStore(db).register("dead", "0", ["default"], lease_s=-1)
    [late] = await jobs.enqueue(WS, [NewJob("nap", {})])
    with psycopg.connect(dsn) as conn:  # somebody claimed it and died
        conn.execute(
            "update glaze.job set state = 'processing', worker_id = %s, claim_no = 1, attempt = 1"
            " where id = %s",
            (dead, late),
        )
    [due] = await jobs.enqueue(WS, [NewJob("nap", {})])
    with psycopg.connect(dsn) as conn:
        conn.execute("update glaze.job set state = 'scheduled' where id = %s", (due,))
    summary = await burst(db).run()
    assert (summary.claimed, summary.completed) == (2, 2)
    assert await states(db, [late, due]) == [JobState.COMPLETED] * 2


async def test_a_running_job_that_is_cancelled_notices_it(db: Database) -> None:
    begun = asyncio.Event()

    async def heed(_args: Args, context: JobContext) -> Outcome:
        begun.set()
        await context.cancelled.wait()
        return Cancelled("half")

    [job_id] = await JobStore(db).enqueue(WS, [NewJob("nap", {})])
    async with asyncio.TaskGroup() as group:
        run = group.create_task(burst(db, at_once(heed)).run(timeout_ms=30_000))
        await begun.wait()
        await JobStore(db).cancel(WS, [job_id])
    assert run.result().duration_ms < 20_000
    assert await states(db, [job_id]) == [JobState.CANCELLED]


async def test_bounds_without_sense_are_refused(db: Database) -> None:
    for max_jobs, timeout_ms in ((0, 25_000), (10, 10), (10, 10_000_000)):
        with pytest.raises(InputError):
            await burst(db).run(max_jobs, timeout_ms)
    assert await burst(db, KINDS).run(1, 1_000)


# -- the command -----------------------------------------------------------------------------------


async def test_the_command_prints_its_summary_and_two_at_once_pay_for_nothing_twice(
    db: Database, dsn: str, quick: Mapping[str, str], vendors: Sandbox, tmp_path
) -> None:
    sites = websites(vendors, 12, skip=60)
    fields = ("company_name", "company_phone")
    await JobStore(db).enqueue(WS, [enrichment(site, *fields) for site in sites])
    cli = Cli(tmp_path, quick)
    command = ("worker", "--once", "--max-jobs", "8", "--timeout-ms", "60000")
    both = [cli.start(*command), cli.start(*command)]
    told = [json.loads(ended(process).out) for process in both]
    assert sum(one["claimed"] for one in told) == 12
    assert max(one["claimed"] for one in told) <= 8
    assert sum(one["completed"] for one in told) == 12
    assert {*told[0]} == {"claimed", "completed", "failed", "left", "duration_ms"}
    assert vendors.get("billing/duplicates") == []
    assert query(dsn, "select count(*) from glaze.worker where stopped_at is null") == 0


async def test_a_bounded_run_that_is_killed_loses_nothing(
    db: Database, dsn: str, quick: Mapping[str, str], vendors: Sandbox, tmp_path
) -> None:
    vendors.slow_down(3)
    sites = websites(vendors, 3, skip=80)
    fields = ("company_name", "company_employee_count")
    ids = await JobStore(db).enqueue(WS, [enrichment(site, *fields) for site in sites])
    cli = Cli(tmp_path, quick)
    process = cli.start("worker", "--once", "--timeout-ms", "30000")
    try:
        watch(lambda: query(dsn, "select count(*) = 3 from glaze.job where state = 'processing'"))
    finally:
        process.kill()
        process.communicate()
    with psycopg.connect(dsn) as conn:  # its lease, which covers its whole time, passes
        conn.execute("update glaze.worker set lease_until = now() where stopped_at is null")
    vendors.send("DELETE", "faults")
    cli.run("worker", "--once", "--timeout-ms", "60000")
    ends = await states(db, ids)
    assert all(one in {JobState.COMPLETED, JobState.PARTIAL, JobState.SCHEDULED} for one in ends)
    assert vendors.get("billing/duplicates") == []


async def test_a_bounded_run_that_is_told_to_stop_begins_nothing_more_and_ends_what_runs(
    db: Database,
) -> None:
    stop = asyncio.Event()

    async def end_soon(args: Args, _context: JobContext) -> Outcome:
        stop.set()
        await asyncio.sleep(args.seconds)
        return Done("ended")

    ids = await JobStore(db).enqueue(WS, [NewJob("nap", {"seconds": 0.2})] * 3)
    one = burst(db, at_once(end_soon), replace(options("burst", 5.0), concurrency=1))
    summary = await one.run(timeout_ms=60_000, stop=stop)
    assert (summary.claimed, summary.completed, summary.left) == (1, 1, 2)
    assert await states(db, ids) == [JobState.COMPLETED, JobState.PENDING, JobState.PENDING]


async def test_a_command_told_twice_to_stop_hands_back_at_once_what_it_holds(
    db: Database, dsn: str, quick: Mapping[str, str], vendors: Sandbox, tmp_path
) -> None:
    vendors.slow_down(3)
    sites = websites(vendors, 2, skip=90)
    # What only a slow vendor is asked for: no job is over before it is told to stop.
    ids = await JobStore(db).enqueue(
        WS, [enrichment(site, "company_revenue", providers=("apollo",)) for site in sites]
    )
    process = Cli(tmp_path, quick).start("worker", "--once", "--timeout-ms", "600000")
    watch(lambda: query(dsn, "select count(*) = 2 from glaze.job where state = 'processing'"))
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)  # another one: the same twice may arrive as one
    told = json.loads(ended(process).out)
    assert (told["claimed"], told["completed"]) == (2, 0)
    assert {(await state(db, job_id))[0] for job_id in ids} == {JobState.PENDING}
    assert query(dsn, "select count(*) from glaze.worker where stopped_at is null") == 0


def test_a_kind_that_does_not_exist_is_refused_with_those_that_do(
    quick: Mapping[str, str], tmp_path
) -> None:
    ran = Cli(tmp_path, quick).run("worker", "--kinds", "nonsense", "--once", code=2)
    assert "no kind is called nonsense; there are" in ran.err
    assert "enrich" in ran.err
