"""Workflows under real workers: graphs run in order, results go on, kills and cancels leave them whole."""

import asyncio
import doctest
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import workflow_process
from cli_process import Cli
from jobs_process import options
from test_jobs_worker import HANG_S, WS, log, until, worker
from workflow_process import KINDS

from glaze.errors import InputError
from glaze.jobs import waiting as waiting_module
from glaze.jobs import workflow as workflow_module
from glaze.jobs.waiting import Waiting
from glaze.jobs.wake import Wake
from glaze.jobs.workflow import Workflow, start
from glaze.model.job import After, IfFailed, JobState, NewJob
from glaze.model.value import BatchId, WorkflowId
from glaze.model.workflow import WorkflowView
from glaze.store.batch import BatchStore, NewBatch
from glaze.store.database import Database
from glaze.store.job import JobStore
from glaze.store.workflow import WorkflowStore

LEASE_S = 1.5


def job(kind: str, **options: object) -> NewJob:
    return NewJob(kind, {"seconds": 0.0}, **options)  # type: ignore[arg-type]


def slow(kind: str, seconds: float) -> NewJob:
    return NewJob(kind, {"seconds": seconds})


@dataclass
class Place:
    """The stores of a test, and who waits."""

    db: Database
    jobs: JobStore
    workflows: WorkflowStore
    waiting: Waiting

    async def begin(self, flow: Workflow) -> WorkflowId:
        return await start(self.workflows, KINDS, WS, flow)

    async def end(self, workflow_id: WorkflowId) -> WorkflowView:
        view = await self.waiting.workflow(WS, workflow_id, timeout_s=HANG_S)
        assert view.over
        return view

    async def result(self, view: WorkflowView, step: str) -> object:
        [node] = [node for node in view.nodes if node.step == step]
        found = await self.jobs.get(WS, node.id)
        assert found is not None
        return found.result


@pytest.fixture
async def place(db: Database) -> AsyncIterator[Place]:
    wake = Wake(db.dsn)
    jobs = JobStore(db, wake.hint, wake.ended)
    workflows = WorkflowStore(db, jobs)
    waiting = Waiting(db.dsn, jobs, workflows)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one.run()) for one in (wake, waiting)]
        yield Place(db, jobs, workflows, waiting)
        for task in tasks:
            task.cancel()


@asynccontextmanager
async def working(db: Database) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(worker(db, KINDS, options("test", LEASE_S)).run(stop))
        try:
            yield
        finally:
            stop.set()


def states(view: WorkflowView) -> dict[str, str]:
    return {node.step: str(node.state) for node in view.nodes}


# -- graphs --------------------------------------------------------------------------------------


async def test_a_diamond_runs_in_order_and_hands_its_results_down(place: Place) -> None:
    flow = Workflow("diamond")
    top = flow.step("top", job("number"))
    sides = [flow.step(side, job("number"), after=[top]) for side in ("left", "right")]
    flow.step("bottom", job("number"), after=sides)
    flow.step("names", job("names"), after=[*sides, "bottom"])
    async with working(place.db):
        view = await place.end(await place.begin(flow))
    assert view.state == "completed"
    assert await place.result(view, "bottom") == 5
    assert await place.result(view, "names") == {"left": 2, "right": 2, "bottom": 5}
    ended = {node.step: node.finished_at for node in view.nodes}
    begun = {node.step: node.started_at for node in view.nodes}
    for child, parents in (("left", ["top"]), ("right", ["top"]), ("bottom", ["left", "right"])):
        assert all(begun[child] > ended[parent] for parent in parents)


async def test_a_fan_of_two_hundred_comes_together(place: Place) -> None:
    flow = Workflow("fan")
    top = flow.step("top", job("number"))
    fan = [flow.step(f"part {n}", job("number"), after=[top]) for n in range(200)]
    flow.step("sum", job("number"), after=fan)
    async with working(place.db):
        view = await place.end(await place.begin(flow))
    assert await place.result(view, "sum") == 401
    for node in view.nodes:
        assert (await log(place.db, node.id)).count("completed") == 1


async def test_a_failed_step_ends_what_comes_after_it_but_for_who_runs_anyway(
    place: Place,
) -> None:
    flow = Workflow("falling")
    flow.step("bad", job("fail"))
    flow.step("next", job("number"), after=["bad"])
    flow.step("last", job("number"), after=["next"], if_failed=IfFailed.FAIL)
    flow.step("tidy up", job("names"), after=["bad", "last"], if_failed=IfFailed.RUN)
    async with working(place.db):
        view = await place.end(await place.begin(flow))
    assert states(view) == {
        "bad": "failed",
        "next": "cancelled",
        "last": "failed",
        "tidy up": "completed",
    }
    assert view.state == "failed"
    assert await place.result(view, "tidy up") == {"bad": None, "last": None}


async def test_a_workflow_may_wait_for_a_batch_and_for_a_job_outside(place: Place) -> None:
    batches = BatchStore(place.db)
    batch_id = await batches.create(WS, NewBatch("nap", {"seconds": 0}))
    await batches.add_rows(WS, batch_id, ({} for _ in range(30)))
    [outside] = await place.jobs.enqueue(WS, [job("number")])
    flow = Workflow("behind")
    after = (After(batch=batch_id), After(outside))
    flow.step("report", job("names", after=after))
    workflow_id = await place.begin(flow)
    async with working(place.db):
        await place.waiting.job(WS, outside, timeout_s=HANG_S)
        view = await place.workflows.view(WS, workflow_id)
        assert view is not None
        assert states(view) == {"report": "waiting"}
        await batches.start(WS, batch_id)
        view = await place.end(workflow_id)
    assert await place.result(view, "report") == {str(outside): 1}
    progress = await batches.progress(WS, batch_id)
    assert progress is not None
    assert progress.finished_at < view.nodes[0].started_at


def test_the_example_of_a_workflow_works_as_it_stands() -> None:
    done = doctest.testmod(workflow_module)
    assert (done.failed, done.attempted) == (0, 4)


def test_a_step_must_be_named_once_and_come_after_what_is_declared() -> None:
    flow = Workflow("names")
    flow.step("one", job("nap"))
    faults = {
        "two steps are called": lambda: flow.step("one", job("nap")),
        "not declared yet": lambda: flow.step("two", job("nap"), after=["three"]),
        "not a name": lambda: flow.step("a\nb", job("nap")),
        "idempotency key": lambda: flow.step("key", job("nap", idempotency_key="k")),
    }
    for why, declare in faults.items():
        with pytest.raises(InputError, match=why):
            declare()


async def test_a_workflow_that_cannot_be_is_refused_whole(place: Place) -> None:
    flow = Workflow("refused")
    flow.step("good", job("nap"))
    flow.step("unknown", job("nobody"), after=["good"])
    with pytest.raises(InputError, match="nobody"):
        await place.begin(flow)
    lost = Workflow("lost")
    lost.step("good", job("nap"))
    lost.step("behind", job("nap", after=(After(batch=BatchId(9)),)), after=["good"])
    with pytest.raises(InputError, match="no batch 9"):
        await place.begin(lost)
    with pytest.raises(InputError, match="no steps"):
        await place.begin(Workflow("empty"))
    assert await place.jobs.page(WS) == []
    assert await place.workflows.view(WS, WorkflowId(1)) is None


# -- kills and cancels ---------------------------------------------------------------------------


@contextmanager
def process(dsn: str, name: str) -> Iterator["subprocess.Popen[bytes]"]:
    script = str(Path(workflow_process.__file__))
    with subprocess.Popen([sys.executable, script, dsn, name, str(LEASE_S)]) as started:
        try:
            yield started
        finally:
            started.kill()


async def test_a_worker_killed_in_the_middle_of_a_workflow_costs_time_only(
    place: Place, dsn: str
) -> None:
    flow = Workflow("killed")
    top = flow.step("top", job("number"))
    sides = [flow.step(f"side {n}", slow("number", 1.0), after=[top]) for n in range(3)]
    flow.step("bottom", job("number"), after=sides)
    workflow_id = await place.begin(flow)

    async def in_the_middle() -> bool:
        view = await place.workflows.view(WS, workflow_id)
        return view is not None and JobState.PROCESSING in {node.state for node in view.nodes[1:]}

    with process(dsn, "victim") as victim:
        await until(in_the_middle)
        victim.send_signal(signal.SIGKILL)
    async with working(place.db):
        view = await place.end(workflow_id)
    assert await place.result(view, "bottom") == 7
    logs = {node.step: await log(place.db, node.id) for node in view.nodes}
    assert all(types.count("completed") == 1 for types in logs.values())
    assert any("rescued" in types for types in logs.values())
    assert logs["bottom"].count("ready") == 1


async def test_a_cancelled_workflow_begins_nothing_more_and_stops_what_runs(place: Place) -> None:
    flow = Workflow("cancelled")
    flow.step("runs", job("heed"))
    flow.step("later", job("nap"), after=["runs"])
    flow.step("last", job("nap"), after=["later"], if_failed=IfFailed.RUN)
    workflow_id = await place.begin(flow)

    async def runs() -> bool:
        view = await place.workflows.view(WS, workflow_id)
        return view is not None and view.nodes[0].state == JobState.PROCESSING

    async with working(place.db):
        await until(runs)
        touched = await place.workflows.cancel(WS, workflow_id)
        assert sorted(map(str, touched.values())) == ["cancelled", "cancelled", "processing"]
        view = await place.end(workflow_id)
    assert set(states(view).values()) == {"cancelled"}
    assert view.state == "cancelled"
    with pytest.raises(InputError, match="no workflow 99"):
        await place.workflows.cancel(WS, WorkflowId(99))


# -- waiting -------------------------------------------------------------------------------------


async def test_who_waits_hears_of_the_end_long_before_it_would_look(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_module, "LOOK_EVERY_S", HANG_S)
    [job_id] = await place.jobs.enqueue(WS, [slow("number", 0.5)])
    async with working(place.db):
        view = await place.waiting.job(WS, job_id, timeout_s=HANG_S / 2)
    assert (view.state, view.result) == (JobState.COMPLETED, 1)


async def test_without_any_hint_looking_finds_the_end(place: Place) -> None:
    [job_id] = await place.jobs.enqueue(WS, [NewJob("nap", {})])
    silent = JobStore(place.db)
    async with asyncio.TaskGroup() as group:
        waiter = group.create_task(place.waiting.job(WS, job_id, timeout_s=HANG_S))
        await asyncio.sleep(0)
        await silent.cancel(WS, [job_id])
    assert waiter.result().state == JobState.CANCELLED


async def test_waiting_ends_with_its_time_or_when_stopped_and_says_how_the_job_stands(
    place: Place,
) -> None:
    [job_id] = await place.jobs.enqueue(WS, [NewJob("nap", {})])
    began = time.monotonic()
    assert (await place.waiting.job(WS, job_id, timeout_s=0.2)).state == JobState.PENDING
    assert time.monotonic() - began >= 0.2
    stop = asyncio.Event()
    async with asyncio.timeout(HANG_S), asyncio.TaskGroup() as group:
        waiter = group.create_task(place.waiting.job(WS, job_id, stop=stop))
        await asyncio.sleep(0)
        stop.set()
    assert waiter.result().state == JobState.PENDING
    with pytest.raises(InputError, match="no job 99"):
        await place.waiting.job(WS, job_id.__class__(99))


async def test_a_hundred_who_wait_are_told_each_of_its_own(place: Place) -> None:
    ids = await place.jobs.enqueue(WS, [slow("number", n / 1000) for n in range(100)])
    async with working(place.db), asyncio.TaskGroup() as group:
        waiters = [
            group.create_task(place.waiting.job(WS, job_id, timeout_s=HANG_S)) for job_id in ids
        ]
    assert [waiter.result().id for waiter in waiters] == ids
    assert {waiter.result().state for waiter in waiters} == {JobState.COMPLETED}


# -- commands ------------------------------------------------------------------------------------


async def test_a_workflow_is_shown_as_a_tree_and_cancelled_by_command(
    place: Place, tmp_path: Path, dsn: str
) -> None:
    flow = Workflow("shown [1]")
    top = flow.step("top", job("nap"))
    sides = [flow.step(side, job("nap"), after=[top]) for side in ("left", "right")]
    flow.step("bottom", job("nap"), after=sides)
    workflow_id = await place.begin(flow)
    cli = Cli(tmp_path, {"DATABASE_URL": dsn})
    shown = await asyncio.to_thread(cli.run, "workflows", "show", str(workflow_id))
    lines = [line.strip() for line in shown.out.splitlines()]
    assert lines[0] == f"workflow {workflow_id} shown [1]: running (1 pending, 3 waiting)"
    assert [line.lstrip("├└─│ \xa0").split("  ")[0] for line in lines[1:]] == [
        *["top", "left", "bottom", "right"]
    ]
    assert "bottom  waiting" in lines[3]
    assert "also after right" in lines[3]
    told = await asyncio.to_thread(cli.run, "workflows", "cancel", str(workflow_id))
    assert "4 steps cancelled, 0 asked to stop" in told.err
    told = await asyncio.to_thread(cli.run, "workflows", "show", str(workflow_id), "--json")
    graph = json.loads(told.out)
    assert graph["state"] == "cancelled"
    assert [step["step"] for step in graph["steps"]] == ["top", "left", "right", "bottom"]
    assert len(graph["edges"]) == 4
    gone = await asyncio.to_thread(cli.start, "workflows", "show", "99")
    out, err = gone.communicate(timeout=60)
    assert (gone.returncode, err.strip()) == (2, "glaze: there is no workflow 99"), out
