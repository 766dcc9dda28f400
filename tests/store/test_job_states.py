"""Whatever two workers, their ghosts and their users do, jobs only make legal moves."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.storm_only import STORM

from glaze.model.job import (
    TERMINAL,
    After,
    ClaimedJob,
    IfFailed,
    JobState,
    NewJob,
    may_become,
)
from glaze.model.outcome import Cancelled, Done, Failed, Outcome, Partial, Retry, Snooze
from glaze.model.value import DEFAULT_WORKSPACE, JobId, WorkerId
from glaze.store.attempt import Ended
from glaze.store.database import Database
from glaze.store.event import EventStore
from glaze.store.job import JobStore
from glaze.store.queues import QueueStore
from glaze.store.worker import WorkerStore

WS = DEFAULT_WORKSPACE
PAST = datetime(2020, 1, 1, tzinfo=UTC)
T = TypeVar("T")

OUTCOMES: dict[type, JobState] = {
    Done: JobState.COMPLETED,
    Partial: JobState.PARTIAL,
    Failed: JobState.FAILED,
    Cancelled: JobState.CANCELLED,
    Retry: JobState.SCHEDULED,
    Snooze: JobState.SCHEDULED,
}
LOST = {JobState.FAILED, JobState.DEAD, JobState.CANCELLED}
LONG = STORM
AFTER_EVENT = {
    "enqueued": JobState.PENDING,
    "due": JobState.PENDING,
    "ready": JobState.PENDING,
    "claimed": JobState.PROCESSING,
    "rescued": JobState.PENDING,
    "handed_back": JobState.PENDING,
    "retried": JobState.SCHEDULED,
    "snoozed": JobState.SCHEDULED,
    "reopened": JobState.PENDING,
} | {str(state): state for state in TERMINAL}


@dataclass
class Model:
    """What a job should look like."""

    state: JobState = JobState.PENDING
    attempt: int = 0
    deaths: int = 0
    cancel_requested: bool = False
    after: dict[JobId, IfFailed] = field(default_factory=dict)


class Store:
    """The stores of one database, called from plain code."""

    def __init__(self, dsn: str) -> None:
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        db = self.run(self._stack.enter_async_context(Database.open(dsn, size=2)))
        self.jobs, self.workers, self.events = JobStore(db), WorkerStore(db), EventStore(db)
        self.pauses = QueueStore(db)
        self.queues = 0

    def run(self, step: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(step)

    def close(self) -> None:
        self.run(self._stack.aclose())
        self._runner.close()


@pytest.fixture
def store(dsn: str) -> Iterator[Store]:
    opened = Store(dsn)
    yield opened
    opened.close()


class Jobs(RuleBasedStateMachine):
    """Two workers on one queue, and everything they once held."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        store.queues += 1
        self.queue = f"queue{store.queues}"
        self.jobs: dict[JobId, Model] = {}
        self.held: list[tuple[WorkerId, ClaimedJob]] = []
        self.stale: list[ClaimedJob] = []
        self.workers: list[WorkerId] = []
        self.paused = False

    def register(self) -> WorkerId:
        queues = [self.queue]
        return self.store.run(self.store.workers.register("m", "0", queues, lease_s=3600))

    @initialize()
    def start(self) -> None:
        self.workers = [self.register(), self.register()]

    @rule(n=st.integers(1, 3), priority=st.integers(1, 5), attempts=st.integers(1, 2))
    def enqueue(self, n: int, priority: int, attempts: int) -> None:
        new = NewJob("m", {}, queue=self.queue, priority=priority, max_attempts=attempts)
        ids = self.store.run(self.store.jobs.enqueue(WS, [new] * n))
        self.jobs |= {job_id: Model() for job_id in ids}

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def enqueue_after_others(self, data: st.DataObject) -> None:
        parents = st.sampled_from(sorted(self.jobs))
        after = data.draw(
            st.dictionaries(parents, st.sampled_from(IfFailed), min_size=1, max_size=3)
        )
        edges = tuple(After(parent, if_failed) for parent, if_failed in after.items())
        new = NewJob("m", {}, queue=self.queue, after=edges)
        [job_id] = self.store.run(self.store.jobs.enqueue(WS, [new]))
        self.jobs[job_id] = Model(JobState.WAITING, after=after)
        self.go_on()

    def go_on(self) -> None:
        """Move on those that wait, as the ends of their parents say."""
        waiting = {n: m for n, m in self.jobs.items() if m.state == JobState.WAITING}
        for job_id, policies in self.falling(waiting).items():
            hard = IfFailed.FAIL in policies
            waiting[job_id].state = JobState.FAILED if hard else JobState.CANCELLED
        for model in waiting.values():
            over = all(self.jobs[parent].state in TERMINAL for parent in model.after)
            if model.state == JobState.WAITING and over:
                model.state = JobState.PENDING

    def falling(self, waiting: dict[JobId, Model]) -> dict[JobId, set[IfFailed]]:
        """Return who cannot go on, with the policies of the edges they fall by."""
        fallen = {n for n, m in self.jobs.items() if m.state in LOST}
        falls: dict[JobId, set[IfFailed]] = {}
        for _ in waiting:  # each turn goes one step further down
            for job_id, model in waiting.items():
                lost = {model.after[parent] for parent in fallen & model.after.keys()}
                if by := lost - {IfFailed.RUN}:
                    falls[job_id] = by
            fallen |= falls.keys()
        return falls

    @rule()
    def pause_or_resume(self) -> None:
        pauses = self.store.pauses
        self.store.run((pauses.resume if self.paused else pauses.pause)(self.queue))
        self.paused = not self.paused

    @rule(who=st.integers(0, 1), n=st.integers(1, 4), suspects=st.booleans())
    def claim(self, *, who: int, n: int, suspects: bool) -> None:
        me, jobs = self.workers[who], self.store.jobs
        if self.paused:
            assert self.store.run(jobs.claim_suspect([self.queue], me)) is None
            assert self.store.run(jobs.claim(self.queue, n, me)) == ([], None)
            return
        if suspects:
            one = self.store.run(jobs.claim_suspect([self.queue], me))
            got = [one] if one else []
        else:
            got, _ = self.store.run(jobs.claim(self.queue, n, me))
        free = [
            m
            for m in self.jobs.values()
            if m.state == JobState.PENDING and (m.deaths >= 2) == suspects
        ]
        assert len(got) == min(1 if suspects else n, len(free))
        for job in got:
            model = self.jobs[job.id]
            assert model.state == JobState.PENDING
            model.state, model.attempt = JobState.PROCESSING, model.attempt + 1
            assert job.attempt == model.attempt
            self.held.append((me, job))

    @precondition(lambda self: self.held)
    @rule(data=st.data(), kind=st.sampled_from(list(OUTCOMES)))
    def finish(self, data: st.DataObject, kind: type) -> None:
        at = data.draw(st.integers(0, len(self.held) - 1))
        _, job = self.held.pop(at)
        assert self.write(job, kind) == {job.id}
        self.stale.append(job)
        model, then = self.jobs[job.id], OUTCOMES[kind]
        if kind is Retry and job.attempt >= job.max_attempts:
            then = JobState.DEAD
        elif then == JobState.SCHEDULED and model.cancel_requested:
            then = JobState.CANCELLED
        model.attempt -= kind is Snooze
        model.state = then
        self.go_on()

    @precondition(lambda self: self.stale)
    @rule(data=st.data(), kind=st.sampled_from(list(OUTCOMES)))
    def finish_stale(self, data: st.DataObject, kind: type) -> None:
        taken_again = [j for j in self.stale if self.jobs[j.id].state == JobState.PROCESSING]
        job = data.draw(st.sampled_from(taken_again or self.stale))
        assert self.write(job, kind) == set()

    def write(self, job: ClaimedJob, kind: type) -> frozenset[JobId]:
        outcome: Outcome = {
            Retry: Retry("c", "m", 0),
            Snooze: Snooze(PAST, "r"),
            Failed: Failed("c", "m"),
        }.get(kind) or kind()
        return self.store.run(self.store.jobs.finish(WS, [Ended.of(job, outcome)])).accepted

    @rule()
    def promote(self) -> None:
        self.store.run(self.store.jobs.promote())
        for model in self.jobs.values():
            if model.state == JobState.SCHEDULED:
                model.state = JobState.PENDING

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.jobs)))
        self.store.run(self.store.jobs.cancel(WS, [job_id]))
        model = self.jobs[job_id]
        if model.state == JobState.PROCESSING:
            model.cancel_requested = True
        elif model.state not in TERMINAL:
            model.state, model.cancel_requested = JobState.CANCELLED, True
            self.go_on()

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def reopen(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.jobs)))
        opened = self.store.run(self.store.jobs.reopen(WS, [job_id]))
        assert bool(opened) == (self.jobs[job_id].state in TERMINAL)
        if opened:
            self.jobs[job_id] = Model(after=self.jobs[job_id].after)

    @rule(who=st.integers(0, 1))
    def heartbeat(self, who: int) -> None:
        assert self.store.run(self.store.workers.heartbeat(self.workers[who], lease_s=3600))

    @rule(who=st.integers(0, 1), n=st.integers(1, 4), suspects=st.booleans())
    def claim_and_die(self, *, who: int, n: int, suspects: bool) -> None:
        self.claim(who=who, n=n, suspects=suspects)
        me = self.workers[who]
        self.store.run(self.store.workers.stop(me))
        self.store.run(self.store.jobs.rescue())
        assert not self.store.run(self.store.workers.heartbeat(me, lease_s=3600))
        self.freed(me, died=1)
        self.workers[who] = self.register()

    @rule(who=st.integers(0, 1))
    def hand_back(self, who: int) -> None:
        self.store.run(self.store.jobs.hand_back(self.workers[who]))
        self.freed(self.workers[who], died=0)

    def freed(self, me: WorkerId, died: int) -> None:
        for job in [job for holder, job in self.held if holder == me]:
            model = self.jobs[job.id]
            model.deaths += died
            model.attempt -= 1
            model.state = JobState.PENDING
            if model.deaths >= 3:
                model.state = JobState.DEAD
            elif model.cancel_requested:
                model.state = JobState.CANCELLED
            self.stale.append(job)
        self.held = [(holder, job) for holder, job in self.held if holder != me]
        self.go_on()

    @invariant()
    def the_table_agrees_with_the_model(self) -> None:
        if not self.jobs:
            return
        rows = self.store.run(self.store.jobs.page(WS, len(self.jobs)))
        for view in rows:
            model = self.jobs[view.id]
            assert (view.state, view.attempt, view.deaths) == (
                model.state,
                model.attempt,
                model.deaths,
            )

    def teardown(self) -> None:
        for job_id in self.jobs:
            log = self.store.run(self.store.events.log(WS, job_id))
            states = [AFTER_EVENT[e.type] for e in log if e.type != "cancel_requested"]
            if self.jobs[job_id].after:
                states[0] = JobState.WAITING
            for now, then in pairwise(states):
                assert may_become(now, then), (now, then)
            assert states[-1] == self.jobs[job_id].state
        for me in self.workers:
            self.store.run(self.store.workers.stop(me))
        self.store.run(self.store.jobs.rescue())


def test_jobs_make_legal_moves_only_whoever_does_what(store: Store) -> None:
    run_state_machine_as_test(
        lambda: Jobs(store),
        settings=settings(
            max_examples=3000 if LONG else 60,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
