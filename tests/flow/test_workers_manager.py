"""A manager's worker processes: as many as there is work for, back after a crash, gone when told."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import managed_process
import psutil
import pytest
from cli_process import Cli, Sandbox, ended
from jobs_process import KINDS, options
from ledger_facts import assert_paid_once
from whole_path import enrichment, free_port, query, watch, websites

from glaze.cli.worker import _range_of
from glaze.errors import InputError
from glaze.jobs.manager import Manager, ManagerOptions, Sizing
from glaze.jobs.tally import Tally
from glaze.jobs.worker import Ending, Worker
from glaze.model.job import JobState, NewJob
from glaze.model.outcome import Done, Failed, Snooze
from glaze.model.value import DEFAULT_WORKSPACE, JobId
from glaze.store.backlog import BacklogStore
from glaze.store.database import Database
from glaze.store.job import JobStore
from glaze.store.worker import WorkerStore, WorkerView

WS = DEFAULT_WORKSPACE
HANG_S = 90.0
LIVING = "select count(*) from glaze.worker where stopped_at is null"
OPEN = "select count(*) from glaze.job where state not in ('completed', 'partial')"


# -- sizing ----------------------------------------------------------------------------------------


def sizes(sizing: Sizing, *demands: int, now: int) -> list[int]:
    wanted = []
    for demand in demands:
        now = sizing.want(now, demand)
        wanted.append(now)
    return wanted


def test_processes_are_added_after_two_looks_that_agree_and_never_beyond_the_most() -> None:
    assert sizes(Sizing(2, 8, 5), 5, 5, 4, 40, 40, now=2) == [2, 5, 5, 5, 8]


def test_a_single_burst_that_is_over_at_the_next_look_adds_nothing() -> None:
    assert sizes(Sizing(1, 8, 5), 8, 0, 8, 0, now=1) == [1, 1, 1, 1]


def test_processes_go_after_a_quiet_spell_and_never_below_the_least() -> None:
    assert sizes(Sizing(2, 8, 4), 8, 8, 3, 0, 0, now=2) == [2, 8, 8, 8, 8]
    assert sizes(Sizing(2, 8, 4), 8, 8, 3, 0, 0, 0, 0, 0, now=2)[-3:] == [3, 2, 2]


def test_work_that_comes_and_goes_within_the_quiet_spell_keeps_the_processes() -> None:
    assert sizes(Sizing(1, 4, 4), *[4, 4, 0, 0, 4, 4, 0, 0, 4, 4], now=1)[1:] == [4] * 9


# -- tallies ---------------------------------------------------------------------------------------


def test_a_tally_of_several_processes_is_the_sum_of_theirs_and_survives_the_journey() -> None:
    one, two, both = Tally(claimed=3, rescued=1), Tally(claimed=2), Tally()
    one.end("nap", Done(), 0.02)
    one.end("nap", Failed("no", "never"), 700.0)
    two.end("nap", Done(), 0.02)
    two.end("other", Snooze(None, "slot"), 1.0)  # type: ignore[arg-type]
    for tally in (one, two):
        both.add(Tally.of_json(json.loads(json.dumps(tally.as_json()))))
    assert (both.claimed, both.rescued, both.done, both.failed) == (5, 1, 2, 1)
    assert both.durations["nap"].counts[1] == 2
    assert both.durations["nap"].counts[-1] == 1
    assert both.durations["nap"].total_s == pytest.approx(700.04)


# -- draining --------------------------------------------------------------------------------------


async def until(look: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(HANG_S):
        while not await look():  # noqa: ASYNC110  another process's doing is only seen by looking
            await asyncio.sleep(0.05)


async def living(db: Database) -> list[WorkerView]:
    return await WorkerStore(db).living()


async def states(db: Database, ids: list[JobId]) -> list[JobState]:
    views = [await JobStore(db).get(WS, job_id) for job_id in ids]
    return [view.state for view in views if view is not None]


async def test_a_drained_worker_ends_what_runs_hands_back_the_rest_and_leaves(
    db: Database,
) -> None:
    ids = await JobStore(db).enqueue(WS, [NewJob("nap", {"seconds": 1.5})] * 4)
    given = options("drained", 60.0, concurrency=1)  # a heartbeat every 15 s: a hint is what wakes
    async with asyncio.timeout(HANG_S), asyncio.TaskGroup() as group:
        worker = Worker(db, KINDS, given, rng=random.Random(1))
        run = group.create_task(worker.run(asyncio.Event()))
        await until(lambda: holding(db))
        began = time.monotonic()
        [me] = await living(db)
        await WorkerStore(db).drain([me.id])
    assert time.monotonic() - began < 12
    assert run.result() is Ending.DRAINED
    assert (await states(db, ids)).count(JobState.COMPLETED) == 1
    assert (await states(db, ids)).count(JobState.PENDING) == 3
    assert await living(db) == []


async def holding(db: Database) -> bool:
    return any(worker.jobs for worker in await living(db))


async def test_a_drained_worker_of_long_jobs_is_still_ended_by_a_stop(db: Database) -> None:
    [job_id] = await JobStore(db).enqueue(WS, [NewJob("nap", {"seconds": 600})])
    stop, abort = asyncio.Event(), asyncio.Event()
    async with asyncio.timeout(HANG_S), asyncio.TaskGroup() as group:
        worker = Worker(db, KINDS, options("drained", 4.0), rng=random.Random(1))
        run = group.create_task(worker.run(stop, abort))
        await until(lambda: holding(db))
        await WorkerStore(db).drain([one.id for one in await living(db)])
        await asyncio.sleep(0.5)
        assert not run.done()
        stop.set()
        abort.set()
    assert await states(db, [job_id]) == [JobState.PENDING]


# -- the manager -----------------------------------------------------------------------------------


class Managed:
    """A manager that runs in this process, and its signals."""

    def __init__(self, db: Database, program: Sequence[str], *, least: int, most: int) -> None:
        self.stop, self.abort = asyncio.Event(), asyncio.Event()
        self.manager = Manager(
            [sys.executable, *program],
            os.environ,
            ManagerOptions(
                least, most, ("default",), None, concurrency=2, quiet_s=1.5, first_pause_s=0.1
            ),
            workers=WorkerStore(db),
            backlog=BacklogStore(db),
            rng=random.Random(1),
        )
        self.worked: bool | None = None

    async def run(self) -> None:
        self.worked = await self.manager.run(self.stop, self.abort)


@asynccontextmanager
async def managing(
    db: Database, dsn: str, *more: str, least: int, most: int
) -> AsyncIterator[Managed]:
    """Run a manager for as long as the block, and end it in order."""
    program = [str(Path(managed_process.__file__)), dsn, *more]
    managed = Managed(db, program, least=least, most=most)
    async with asyncio.timeout(HANG_S), asyncio.TaskGroup() as group:
        group.create_task(managed.run())
        yield managed
        managed.stop.set()


def counted(db: Database, n: int) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return len([one for one in await living(db) if one.drain_at is None]) == n

    return look


async def test_processes_follow_the_queue_up_and_down_and_every_job_is_done_once(
    db: Database, dsn: str
) -> None:
    async with managing(db, dsn, least=1, most=3) as managed:
        await until(counted(db, 1))
        ids = await JobStore(db).enqueue(WS, [NewJob("nap", {"seconds": 0.4})] * 60)
        await until(counted(db, 3))
        await until(lambda: all_completed(db, ids))
        await until(counted(db, 1))
        assert managed.manager.now().tally.done == 60
    assert managed.worked
    assert await living(db) == []
    ends = query(dsn, "select count(*) from glaze.event where type = 'completed'")
    assert ends == 60


async def all_completed(db: Database, ids: list[JobId]) -> bool:
    return set(await states(db, ids)) == {JobState.COMPLETED}


async def test_a_process_that_is_killed_is_replaced_and_its_jobs_are_done(
    db: Database, dsn: str
) -> None:
    async with managing(db, dsn, least=2, most=2):
        await until(counted(db, 2))
        ids = await JobStore(db).enqueue(WS, [NewJob("nap", {"seconds": 0.5})] * 12)
        await until(lambda: holding(db))
        before = {one.pid for one in await living(db)}
        os.kill(next(pid for pid in before if pid), signal.SIGKILL)
        await until(lambda: all_completed(db, ids))
        await until(lambda: replaced(db, before))
    assert await living(db) == []


async def replaced(db: Database, before: set[int | None]) -> bool:
    now = {one.pid for one in await living(db)}
    return len(now) == 2 and len(now & before) == 1


async def test_a_process_that_was_drained_by_command_is_not_replaced_and_the_last_ends_the_manager(
    db: Database, dsn: str
) -> None:
    async with managing(db, dsn, least=2, most=2) as managed:
        await until(counted(db, 2))
        first, second = await living(db)
        await WorkerStore(db).drain([first.id])
        await until(counted(db, 1))
        await asyncio.sleep(1.0)  # long enough for a replacement to be begun, were there one
        assert [one.id for one in await living(db)] == [second.id]
        assert managed.worked is None
        await WorkerStore(db).drain([second.id])
        await until(lambda: over(managed))
    assert managed.worked


async def over(managed: Managed) -> bool:
    return managed.worked is not None


async def test_a_process_above_its_memory_limit_is_followed_by_a_fresh_one(
    db: Database, dsn: str, tmp_path: Path
) -> None:
    mark = tmp_path / "once"
    async with managing(db, dsn, str(mark), least=1, most=1):
        ids = await JobStore(db).enqueue(WS, [NewJob("nap", {"seconds": 0.5})] * 4)
        await until(lambda: asyncio.to_thread(mark.exists))  # the first process has ended
        ids += await JobStore(db).enqueue(WS, [NewJob("nap", {})] * 4)
        await until(lambda: all_completed(db, ids))
    assert query(dsn, "select count(*) from glaze.worker") == 2
    assert query(dsn, "select count(*) from glaze.event where type = 'rescued'") == 0


async def test_a_second_signal_ends_what_runs_at_once_and_hands_it_back(
    db: Database, dsn: str
) -> None:
    async with managing(db, dsn, least=2, most=2) as managed:
        ids = await JobStore(db).enqueue(WS, [NewJob("nap", {"seconds": 600})] * 3)
        await until(lambda: all_processing(db, ids))
        managed.stop.set()
        await asyncio.sleep(0.5)
        assert set(await states(db, ids)) == {JobState.PROCESSING}
        managed.abort.set()
    assert set(await states(db, ids)) == {JobState.PENDING}
    assert await living(db) == []


async def all_processing(db: Database, ids: list[JobId]) -> bool:
    return set(await states(db, ids)) == {JobState.PROCESSING}


@pytest.mark.parametrize(("code", "times"), [(9, 5), (2, 1)])
async def test_what_can_never_start_is_given_up_at_once_where_a_setting_is_wrong(
    db: Database, tmp_path: Path, code: int, times: int
) -> None:
    log = tmp_path / "starts"
    program = f"open({str(log)!r}, 'a').write('x'); raise SystemExit({code})"
    managed = Managed(db, ["-c", program], least=1, most=1)
    async with asyncio.timeout(HANG_S):
        await managed.run()
    assert managed.worked is False
    assert log.read_text() == "x" * times


# -- the command -----------------------------------------------------------------------------------


def fetch(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def figure(text: str, name: str) -> float:
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))


async def test_a_managed_fleet_survives_a_kill_answers_for_all_and_ends_by_one_signal(
    db: Database, dsn: str, quick: Mapping[str, str], vendors: Sandbox, tmp_path: Path
) -> None:
    port = free_port()
    cli = Cli(tmp_path, dict(quick) | {"GLAZE_HEALTH_PORT": str(port)})
    process = cli.start("worker", "--processes", "2", "--concurrency", "3")
    try:
        watch(lambda: query(dsn, LIVING) == 2)
        watch(lambda: fetch(port, "readyz")[0] == 200)
        vendors.slow_down(0.3)
        new = [enrichment(site, "company_name") for site in websites(vendors, 30, skip=100)]
        await JobStore(db).enqueue(WS, new)
        watch(lambda: query(dsn, OPEN) <= 25)
        victim = query(dsn, "select pid from glaze.worker where stopped_at is null limit 1")
        os.kill(victim, signal.SIGKILL)
        listed = cli.run("workers", "--json").out.splitlines()
        assert {"id", "pid", "queues", "kinds", "job_ids", "state"} <= json.loads(listed[0]).keys()
        watch(lambda: query(dsn, OPEN) == 0)
        watch(lambda: query(dsn, LIVING) == 2)
        text = watch(lambda: told_of(port, 20))
        assert figure(text, "glaze_worker_slots{") + figure(text, "glaze_worker_slots ") == 6
        assert 'glaze_jobs_finished_total{kind="enrich",outcome="done"}' in text
        assert 'glaze_queue_jobs{queue="default",state="pending"}' in text
        assert figure(text, "glaze_job_duration_seconds_count") >= 20
    finally:
        process.send_signal(signal.SIGTERM)
        told = ended(process)
    assert "worker process ended" in told.err
    assert query(dsn, LIVING) == 0
    assert_paid_once(dsn, vendors)


def told_of(port: int, least: int) -> str | None:
    status, text = fetch(port, "metrics")
    return text if status == 200 and figure(text, "glaze_jobs_finished_total") >= least else None


def test_processes_end_when_their_manager_is_killed(
    dsn: str, quick: Mapping[str, str], tmp_path: Path
) -> None:
    cli = Cli(tmp_path, dict(quick) | {"GLAZE_HEALTH_PORT": "0"})
    process = cli.start("worker", "--processes", "2")
    watch(lambda: query(dsn, LIVING) == 2)
    children = psutil.Process(process.pid).children()
    process.kill()
    process.communicate()
    watch(lambda: query(dsn, LIVING) == 0)
    assert psutil.wait_procs(children, timeout=HANG_S)[1] == []


def test_a_single_worker_is_drained_by_command_and_exits_with_0(
    quick: Mapping[str, str], tmp_path: Path
) -> None:
    port = free_port()
    cli = Cli(tmp_path, dict(quick) | {"GLAZE_HEALTH_PORT": str(port)})
    process: subprocess.Popen[str] = cli.start("worker")
    watch(lambda: fetch(port, "readyz")[0] == 200)
    assert fetch(port, "healthz") == (200, "ok\n")
    (row,) = cli.run("workers").out.splitlines()[1:]
    assert "working" in row
    cli.run("workers", "drain", row.split()[0])
    ended(process, code=0)
    assert "no such worker lives" in cli.run("workers", "drain", "99999", code=1).err
    assert len(cli.run("workers").out.splitlines()) == 1


def test_a_single_worker_above_its_memory_limit_says_so_and_exits_with_75(
    quick: Mapping[str, str], tmp_path: Path
) -> None:
    more = {"GLAZE_MEMORY_LIMIT_MB": "50", "GLAZE_HEALTH_PORT": "0"}
    ran = ended(Cli(tmp_path, dict(quick) | more).start("worker"), code=75)
    assert "GLAZE_MEMORY_LIMIT_MB" in ran.err


def test_a_health_port_that_was_chosen_and_is_taken_is_an_error(
    quick: Mapping[str, str], tmp_path: Path
) -> None:
    port = free_port()
    cli = Cli(tmp_path, dict(quick) | {"GLAZE_HEALTH_PORT": str(port)})
    process = cli.start("worker")
    try:
        watch(lambda: fetch(port, "healthz")[0] == 200)
        assert f"cannot listen on 127.0.0.1:{port}" in cli.run("worker", code=1).err
    finally:
        process.send_signal(signal.SIGTERM)
        ended(process)


@pytest.mark.parametrize("given", ["0", "3..2", "many", "1..100", "2..", "-1"])
def test_a_number_of_processes_that_makes_no_sense_is_refused(given: str) -> None:
    with pytest.raises(InputError, match="a number or a range"):
        _range_of(given)


def test_a_number_of_processes_is_fixed_or_a_range() -> None:
    assert _range_of("4") == (4, 4)
    assert _range_of("2..8") == (2, 8)
