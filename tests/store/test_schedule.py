"""Schedules on a real PostgreSQL: one job for each time, whoever fires, and whatever was missed."""

import asyncio
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import schedule_process
from psycopg.types.json import Jsonb

from glaze.errors import InputError, ScheduleBusy
from glaze.model.cron import Recurrence
from glaze.model.job import JobState, NewJob
from glaze.model.outcome import Done
from glaze.model.schedule import MOST_MISSED, Missed, NewSchedule, Overlap
from glaze.model.value import DEFAULT_WORKSPACE, JobId, WorkspaceId
from glaze.store.attempt import Ended
from glaze.store.database import Database
from glaze.store.event import START, Event, EventStore
from glaze.store.job import JobStore, JobView
from glaze.store.schedule import ScheduleStore, ScheduleView, Soon
from glaze.store.worker import WorkerStore

WS = DEFAULT_WORKSPACE
YEARLY = Recurrence.parse("0 0 1 1 *", "UTC")
"""Its times are far apart, so that none comes while a test runs."""


def unchecked(_job: NewJob) -> None:
    """Every job will do."""


def schedule(name: str = "nightly", **options: Any) -> NewSchedule:
    return NewSchedule(name, options.pop("when", YEARLY), "try", {"n": 1}, **options)


def store(db: Database) -> ScheduleStore:
    return ScheduleStore(db, JobStore(db))


async def saved(db: Database, dsn: str, due: int = 0, **options: Any) -> datetime:
    """A schedule of which ``due`` times have come; return the first time that is open."""
    await store(db).save(WS, schedule(**options), unchecked)
    return let_be_due(dsn, due)


def let_be_due(dsn: str, n: int = 1) -> datetime:
    """Move the next time back, so that ``n`` times have come: no clock is set for a test."""
    with psycopg.connect(dsn) as conn:
        row = conn.execute("select clock_timestamp()").fetchone()
        assert row is not None
        next_at = new_year(row[0].year + 1 - n)
        conn.execute("update glaze.schedule set next_at = %s", (next_at,))
    return next_at


def new_year(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)


async def view(db: Database, name: str = "nightly") -> ScheduleView:
    found = await store(db).get(WS, name)
    assert found is not None
    return found


async def fire(db: Database) -> list[JobId]:
    one = store(db)
    due = [soon for soon in await one.soonest() if soon.wait_s <= 0]
    return [job for soon in due for job in await one.fire(soon)]


async def all_jobs(db: Database) -> list[JobView]:
    return await JobStore(db).page(WS)


async def events(db: Database, prefix: str = "schedule_") -> list[Event]:
    feed, _ = await EventStore(db).feed(WS, START)
    return [event for event in feed if event.type.startswith(prefix)]


async def finish(db: Database, job_id: JobId) -> None:
    worker = await WorkerStore(db).register("test", "0", ["default"], lease_s=30)
    claimed, _ = await JobStore(db).claim("default", 10, worker)
    [mine] = [job for job in claimed if job.id == job_id]
    assert (await JobStore(db).finish(WS, [Ended.of(mine, Done())])).accepted


# -- firing ------------------------------------------------------------------------------------------


async def test_a_time_that_has_come_makes_one_job_with_all_the_schedule_says(
    db: Database, dsn: str
) -> None:
    await saved(db, dsn, 1, queue="nights", priority=5, max_attempts=2, tags=("a", "b"))
    before = await view(db)
    [job_id] = await fire(db)
    [job] = await all_jobs(db)
    assert (job.id, job.kind, job.queue, job.priority, job.max_attempts) == (
        *(job_id, "try", "nights", 5, 2),
    )
    found = await JobStore(db).get(WS, job_id)
    assert found is not None
    assert (found.args, found.tags, found.state) == ({"n": 1}, ("a", "b"), JobState.PENDING)
    assert found.correlation_id == f"schedule nightly {before.next_at:%Y-%m-%dT%H:%MZ}"
    after = await view(db)
    assert (after.last_fired_for, after.last_job_id) == (before.next_at, job_id)
    assert (after.next_at, after.last_job_state) == (
        new_year(before.next_at.year + 1),
        JobState.PENDING,
    )
    [event] = [e for e in await events(db) if e.job_id == job_id]
    said = {"schedule": "nightly", "for": before.next_at.isoformat()}
    assert (event.type, event.data) == ("schedule_fired", said)
    assert await fire(db) == []


async def test_two_workers_that_fire_at_once_make_one_job(db: Database, dsn: str) -> None:
    async with Database.open(dsn) as other:
        for n in range(20):
            await store(db).save(WS, schedule(f"s{n}"), unchecked)
        let_be_due(dsn)
        due = await store(db).soonest()
        assert len(due) == 20
        made = await asyncio.gather(
            *(store(one).fire(soon) for soon in due for one in (db, other, db, other))
        )
    assert sorted(map(len, made)) == [0] * 60 + [1] * 20
    assert len(await all_jobs(db)) == 20


async def test_one_who_looked_before_another_fired_changes_nothing(db: Database, dsn: str) -> None:
    await saved(db, dsn, 1, overlap=Overlap.ALLOW)
    [late] = await store(db).soonest()
    assert len(await fire(db)) == 1
    assert await store(db).fire(late) == []
    assert len(await all_jobs(db)) == 1


async def test_nothing_fires_before_its_time_and_one_is_told_how_long_that_is(db: Database) -> None:
    await store(db).save(WS, schedule(), unchecked)
    [soon] = await store(db).soonest()
    assert 0 < soon.wait_s <= timedelta(days=366).total_seconds()
    assert await store(db).fire(soon) == []
    assert await all_jobs(db) == []


async def test_a_schedule_fires_in_its_own_workspace(db: Database, dsn: str) -> None:
    theirs = WorkspaceId(2)
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "insert into glaze.workspace (id, name) overriding system value values (2, 'theirs')"
        )
    await store(db).save(theirs, schedule(), unchecked)
    let_be_due(dsn)
    [job_id] = await fire(db)
    assert await all_jobs(db) == []
    assert [job.id for job in await JobStore(db).page(theirs)] == [job_id]
    assert await store(db).listed(WS) == []


@pytest.mark.parametrize(("point", "made"), [("schedule_fired", 0), ("schedule_told", 1)])
def test_a_worker_killed_while_it_fires_has_made_a_job_or_not_and_the_next_makes_it_one(
    dsn: str, point: str, made: int
) -> None:
    async def prepare() -> Soon:
        async with Database.open(dsn, size=2) as db:
            await saved(db, dsn, 1)
            return (await store(db).soonest())[0]

    async def afterwards() -> tuple[int, list[JobId], int]:
        async with Database.open(dsn, size=2) as db:
            before = len(await all_jobs(db))
            again = await store(db).fire(soon)
            return before, again, len(await all_jobs(db))

    soon = asyncio.run(prepare())
    script = str(Path(schedule_process.__file__))
    killed = subprocess.run([sys.executable, script, dsn, point], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    before, again, after = asyncio.run(afterwards())
    assert (before, len(again), after) == (made, 1 - made, 1)


# -- times that were missed --------------------------------------------------------------------------


async def test_missed_times_are_one_job_each_where_all_are_wanted(db: Database, dsn: str) -> None:
    first = await saved(db, dsn, 4, overlap=Overlap.ALLOW, missed=Missed.ALL)
    made = await fire(db)
    times = [new_year(first.year + n) for n in range(4)]
    fired = await events(db, "schedule_fired")
    assert [event.job_id for event in fired] == made
    assert [event.data["for"] for event in fired] == [time.isoformat() for time in times]
    after = await view(db)
    assert (after.last_job_id, after.last_fired_for) == (made[-1], times[-1])
    assert after.next_at == new_year(first.year + 4) > after.now


async def test_missed_times_are_one_job_for_all_where_one_is_wanted(db: Database, dsn: str) -> None:
    first = await saved(db, dsn, 4)
    assert len(await fire(db)) == 1
    [fired] = await events(db, "schedule_fired")
    latest = new_year(first.year + 3)
    assert fired.data["for"] == latest.isoformat()
    assert fired.data["since"] == first.isoformat()
    assert (await view(db)).last_fired_for == latest


async def test_missed_times_are_no_job_where_none_is_wanted_and_the_log_says_so(
    db: Database, dsn: str
) -> None:
    first = await saved(db, dsn, 4, missed=Missed.SKIP)
    assert await fire(db) == []
    [skipped] = await events(db, "schedule_skipped")
    assert (skipped.data["reason"], skipped.data["from"]) == ("missed", first.isoformat())
    after = await view(db)
    assert (after.last_fired_for, after.next_at) == (None, new_year(first.year + 4))


async def test_after_a_long_absence_the_latest_hundred_are_made_up_for_at_once(
    db: Database, dsn: str
) -> None:
    first = await saved(db, dsn, MOST_MISSED + 7, overlap=Overlap.ALLOW, missed=Missed.ALL)
    made = await fire(db)
    assert len(made) == MOST_MISSED
    [skipped] = await events(db, "schedule_skipped")
    fired = await events(db, "schedule_fired")
    eighth = new_year(first.year + 7).isoformat()
    assert (skipped.data["before"], fired[0].data["for"]) == (eighth, eighth)
    assert await fire(db) == []


# -- overlap -----------------------------------------------------------------------------------------


async def test_a_time_at_which_the_last_job_has_not_ended_is_skipped_and_the_log_says_so(
    db: Database, dsn: str
) -> None:
    await saved(db, dsn, 1)
    [running] = await fire(db)
    let_be_due(dsn)
    assert await fire(db) == []
    [skipped] = await events(db, "schedule_skipped")
    assert (skipped.job_id, skipped.data["reason"]) == (running, "overlap")
    assert (await view(db)).last_job_id == running
    await finish(db, running)
    let_be_due(dsn)
    assert len(await fire(db)) == 1


async def test_jobs_overlap_where_that_is_allowed(db: Database, dsn: str) -> None:
    await saved(db, dsn, 1, overlap=Overlap.ALLOW)
    first = await fire(db)
    let_be_due(dsn)
    assert len(first + await fire(db)) == 2


# -- by hand -----------------------------------------------------------------------------------------


async def test_a_paused_schedule_makes_nothing_and_resumed_it_does_what_its_policy_says(
    db: Database, dsn: str
) -> None:
    await saved(db, dsn, overlap=Overlap.ALLOW, missed=Missed.ALL)
    assert await store(db).pause(WS, "nightly")
    assert not await store(db).pause(WS, "nightly")
    let_be_due(dsn, 3)
    assert await store(db).soonest() == []
    assert await fire(db) == []
    assert await store(db).resume(WS, "nightly")
    assert len(await fire(db)) == 3
    types = [event.type for event in await events(db)]
    assert (
        types
        == ["schedule_created", "schedule_paused", "schedule_resumed"] + ["schedule_fired"] * 3
    )


async def test_one_that_is_paused_between_look_and_fire_makes_nothing(
    db: Database, dsn: str
) -> None:
    await saved(db, dsn, 1)
    [soon] = await store(db).soonest()
    await store(db).pause(WS, "nightly")
    assert await store(db).fire(soon) == []


async def test_run_now_makes_a_job_and_leaves_the_next_time_alone_but_does_not_overlap(
    db: Database, dsn: str
) -> None:
    await saved(db, dsn)
    before = await view(db)
    await store(db).pause(WS, "nightly")
    job_id = await store(db).run_now(WS, "nightly")
    after = await view(db)
    assert (after.last_job_id, after.next_at, after.last_fired_for) == (
        *(job_id, before.next_at, None),
    )
    assert after.paused_at is not None
    with pytest.raises(ScheduleBusy, match=f"last job, {job_id}, has not ended"):
        await store(db).run_now(WS, "nightly")
    assert await store(db).run_now(WS, "other") is None
    assert len(await all_jobs(db)) == 1


async def test_many_that_run_it_now_at_once_make_one_job(db: Database, dsn: str) -> None:
    await saved(db, dsn)
    tries = [store(db).run_now(WS, "nightly") for _ in range(6)]
    ended = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, ScheduleBusy) for one in ended) == 5


async def test_saving_again_changes_it_and_counts_anew_only_where_its_times_differ(
    db: Database, dsn: str
) -> None:
    await saved(db, dsn, 2)
    before = await view(db)
    same = await store(db).save(WS, schedule(queue="other"), unchecked)
    assert (same.id, same.created) == (before.id, False)
    changed = await view(db)
    assert (changed.queue, changed.next_at) == ("other", before.next_at)
    daily = Recurrence.parse("@daily", "Asia/Tokyo")
    await store(db).save(WS, schedule(when=daily), unchecked)
    after = await view(db)
    assert after.next_at == daily.next_after(after.now)
    assert (after.cron, after.zone) == ("@daily", "Asia/Tokyo")


async def test_a_deleted_schedule_is_gone_and_its_jobs_stay(db: Database, dsn: str) -> None:
    await saved(db, dsn, 1)
    await fire(db)
    assert await store(db).delete(WS, "nightly")
    assert not await store(db).delete(WS, "nightly")
    assert await store(db).listed(WS) == []
    assert len(await all_jobs(db)) == 1


async def test_arguments_that_the_kind_refuses_are_not_saved(db: Database) -> None:
    def refuse(job: NewJob) -> None:
        raise InputError(f"{job.kind}: {job.args}")

    with pytest.raises(InputError, match="try: "):
        await store(db).save(WS, schedule(), refuse)
    with pytest.raises(InputError, match="not JSON"):
        await store(db).save(WS, NewSchedule("n", YEARLY, "try", {"n": float("nan")}), unchecked)
    with pytest.raises(InputError, match="not a tag"):
        await store(db).save(WS, schedule(tags=(" ",)), unchecked)
    assert await store(db).listed(WS) == []


async def test_a_schedule_that_cannot_be_read_any_more_is_paused_and_the_others_go_on(
    db: Database, dsn: str
) -> None:
    for name in ("bad", "good"):
        await store(db).save(WS, schedule(name), unchecked)
    let_be_due(dsn)
    with psycopg.connect(dsn) as conn:
        conn.execute("update glaze.schedule set zone = 'Mars/Olympus' where name = 'bad'")
    assert len(await fire(db)) == 1
    assert (await view(db, "bad")).paused_at is not None
    [paused] = await events(db, "schedule_paused")
    assert paused.data == {
        "schedule": "bad",
        "reason": "'Mars/Olympus' is no IANA time zone; such as Europe/Berlin, UTC",
    }


def test_a_fleet_looks_at_the_next_times_through_their_index(dsn: str) -> None:
    fill = (
        "insert into glaze.schedule (workspace_id, name, cron, zone, kind, args, next_at)"
        " select 1, 's' || n, '* * * * *', 'UTC', 'try', %s, now() + n * interval '1 min'"
        " from generate_series(1, 20000) n"
    )
    with psycopg.connect(dsn) as conn:
        conn.execute(fill, (Jsonb({}),))
        conn.execute("analyze glaze.schedule")
        conn.execute("set role glaze_queue")
        conn.execute("set search_path = glaze")
        soonest = _statement("soonest")
        plan = conn.execute(b"explain " + soonest, {"n": 100}).fetchall()
    assert any("Index Scan using schedule_due" in line for (line,) in plan)


def _statement(name: str) -> bytes:
    from glaze.store.statements import statements  # noqa: PLC0415

    return statements("schedule")[name].encode()
