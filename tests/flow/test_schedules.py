"""Schedules in workers and on the command line: they fire by themselves, and people can steer them."""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from cli_process import Cli
from test_jobs_worker import HANG_S, WS, log, until, worker
from typer.testing import CliRunner

from glaze.cli.main import app
from glaze.jobs.options import WorkerOptions
from glaze.model.cron import Recurrence
from glaze.model.schedule import Missed, NewSchedule, Overlap
from glaze.store.database import Database
from glaze.store.job import JobStore
from glaze.store.schedule import ScheduleStore, ScheduleView

ADD = ("schedules", "add", "weekly", "--kind", "enrich", "--cron", "0 6 * * MON")
ARGS = json.dumps({"input": {"url": "acme.example"}, "required_fields": ["company_name"]})


# -- in workers --------------------------------------------------------------------------------------


async def save(db: Database, cron: str = "0 * * * *", **options: Any) -> None:
    when = Recurrence.parse(cron, "UTC")
    new = NewSchedule("often", when, "nap", {"seconds": 0.0}, **options)
    await ScheduleStore(db, JobStore(db)).save(WS, new, lambda _job: None)


async def view(db: Database) -> ScheduleView:
    found = await ScheduleStore(db, JobStore(db)).get(WS, "often")
    assert found is not None
    return found


def in_seconds(dsn: str, seconds: float) -> None:
    """Let the next time be so far from now, as new rules of the zone may leave it."""
    with psycopg.connect(dsn) as conn:
        conn.execute(
            "update glaze.schedule set next_at = clock_timestamp() + make_interval(secs => %s)",
            (seconds,),
        )


async def test_workers_fire_a_schedule_at_its_time_and_run_its_one_job(
    db: Database, dsn: str
) -> None:
    await save(db)
    in_seconds(dsn, 0.7)
    due_at = (await view(db)).next_at

    async def fired() -> bool:
        return (await view(db)).last_job_state == "completed"

    stop = asyncio.Event()
    async with asyncio.timeout(HANG_S), asyncio.TaskGroup() as group:
        for seed in (1, 2):
            group.create_task(worker(db, seed=seed).run(stop))
        await until(fired)
        stop.set()
    [job] = await JobStore(db).page(WS)
    assert job.created_at >= due_at
    assert await log(db, job.id) == ["enqueued", "schedule_fired", "claimed", "completed"]


async def test_a_worker_wakes_for_a_time_before_it_would_look_again(db: Database, dsn: str) -> None:
    await save(db)
    in_seconds(dsn, 1.5)
    lazy = WorkerOptions(poll_s=HANG_S, name="lazy")

    async def fired() -> bool:
        return (await view(db)).last_job_id is not None

    stop = asyncio.Event()
    async with asyncio.timeout(HANG_S / 2), asyncio.TaskGroup() as group:
        group.create_task(worker(db, given=lazy).run(stop))
        await until(fired)
        stop.set()


async def test_a_worker_makes_up_for_the_time_at_which_there_was_none(
    db: Database, dsn: str
) -> None:
    await save(db, "* * * * *", missed=Missed.ALL, overlap=Overlap.ALLOW)
    in_seconds(dsn, -181)

    async def fired() -> bool:
        return len(await JobStore(db).page(WS)) >= 3

    stop = asyncio.Event()
    async with asyncio.timeout(HANG_S), asyncio.TaskGroup() as group:
        group.create_task(worker(db).run(stop))
        await until(fired)
        stop.set()
    assert (await view(db)).next_at > (await view(db)).now


# -- on the command line -----------------------------------------------------------------------------


@pytest.fixture
def cli(tmp_path: Path, dsn: str) -> Cli:
    return Cli(tmp_path, {"DATABASE_URL": dsn})


def test_a_schedule_is_added_shown_paused_resumed_run_and_deleted_by_command(cli: Cli) -> None:
    zone = ("--zone", "Europe/Berlin", "--args", ARGS, "--priority", "5", "--tags", "a,b")
    assert "created weekly: next Mon " in cli.run(*ADD, *zone, "--queue", "nights").err
    told = json.loads(cli.run("schedules", "show", "weekly", "--json").out)
    assert told["args"] == json.loads(ARGS)
    assert (told["queue"], told["priority"], told["tags"]) == ("nights", 5, ["a", "b"])
    runs = [datetime.fromisoformat(time) for time in told["next"]]
    assert len(runs) == 5
    assert runs == sorted(runs)
    berlin = [run.astimezone(ZoneInfo("Europe/Berlin")) for run in runs]
    assert {(run.hour, run.weekday()) for run in berlin} == {(6, 0)}
    listed = cli.run("schedules", "list").out
    assert "Europe/Berlin" in listed
    assert listed.count("06:00 CE") == 3

    assert "is paused" in cli.run("schedules", "pause", "weekly").err
    job = json.loads(cli.run("schedules", "run-now", "weekly", "--json").out)["job"]
    row = json.loads(cli.run("schedules", "list", "--json").out)
    assert (row["next"], row["last_job"]) == ([], {"id": job, "state": "pending"})
    busy = cli.run("schedules", "run-now", "weekly", code=2)
    assert f"its last job, {job}, has not ended" in busy.err
    assert "goes on: next Mon " in cli.run("schedules", "resume", "weekly").err
    assert "deleted" in cli.run("schedules", "delete", "weekly").err
    assert "no schedule is called 'weekly'" in cli.run("schedules", "pause", "weekly", code=2).err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--zone", "Europe/Berln"), "Europe/Berlin"),
        (("--kind", "enrihc"), "enrihc"),
        (("--args", '{"input": {}, "required_fields": []}'), "required_fields"),
    ],
)
def test_a_schedule_that_could_not_run_is_refused_at_once_and_the_fault_named(
    cli: Cli, dsn: str, words: tuple[str, ...], told: str
) -> None:
    assert told in cli.run(*ADD, "--args", ARGS, *words, code=2).err
    with psycopg.connect(dsn) as conn:
        assert conn.execute("select count(*) from glaze.schedule").fetchone() == (0,)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--cron", "0 25 * * *"), "'25' is no hour"),
        (("--args", "{"), "--args is not JSON"),
        (("--overlap", "maybe"), "--overlap"),
    ],
)
def test_what_is_wrong_by_itself_is_refused_before_anything_is_started(
    words: tuple[str, ...], told: str
) -> None:
    ended = CliRunner().invoke(app, [*ADD, *words])
    assert told in f"{ended.exception} {ended.stderr}"
