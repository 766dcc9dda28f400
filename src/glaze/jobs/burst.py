"""A bounded run for serverless places: some jobs, within a time, and then nothing is left behind."""

import asyncio
import os
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import NamedTuple

import structlog

from glaze.errors import InputError, StoreUnavailable
from glaze.jobs.duties import Duties, Errand, every, no_errand
from glaze.jobs.execute import Executor
from glaze.jobs.finish import Finisher
from glaze.jobs.kind import Host, Kinds
from glaze.jobs.options import WorkerOptions
from glaze.jobs.retry import any_set, bear, end_all, going_on
from glaze.jobs.tally import Tally
from glaze.jobs.wake import Wake
from glaze.model.failpoint import At, nowhere
from glaze.model.job import ClaimedJob
from glaze.model.outcome import Outcome
from glaze.model.redact import Redactor
from glaze.model.value import JobId, WorkerId
from glaze.store.alert import AlertStore
from glaze.store.backlog import BacklogStore
from glaze.store.batch import BatchStore
from glaze.store.callback import CallbackStore
from glaze.store.database import Database
from glaze.store.event import EventStore
from glaze.store.job import JobStore
from glaze.store.retention import RetentionStore
from glaze.store.schedule import ScheduleStore
from glaze.store.worker import WorkerStore

log = structlog.get_logger("jobs")

SHORTEST_MS, LONGEST_MS = 1_000, 900_000
MOST_JOBS = 10_000
_SPARE_LEASE_S = 10.0
_MARGIN_S = 2.0
"""Kept for handing back and writing; a fifth of a run that is shorter than ten seconds."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a bounded run did."""

    claimed: int
    completed: int  # attempts that ended well
    failed: int  # attempts that did not; some will be tried again
    left: int  # jobs of its queues and kinds that are due still, counted up to 10,000
    duration_ms: int


@dataclass(slots=True)
class _Hand:
    """What one run holds, and what became of it."""

    worker_id: WorkerId
    room: int  # jobs it may still claim
    until: float  # monotonic; no job runs past it
    suspects: bool = True  # whether to look for a job beside which workers died
    outcomes: dict[JobId, Outcome] = field(default_factory=dict)  # ended, not yet written
    tally: Tally = field(default_factory=Tally)

    def written(self, jobs: Sequence[ClaimedJob]) -> None:
        for job in jobs:
            self.tally.end(job.kind, self.outcomes.pop(job.id), 0.0)

    @property
    def left_s(self) -> float:
        return self.until - monotonic()


class _Stops(NamedTuple):
    soft: asyncio.Event
    hard: asyncio.Event


class Burst:
    """Runs some jobs and returns; any number may run at once, beside any number of workers."""

    def __init__(
        self,
        db: Database,
        kinds: Kinds,
        options: WorkerOptions,
        *,
        rng: random.Random,
        wake: Wake | None = None,
        at: At = nowhere,
        redactor: Redactor | None = None,
        collect: Errand = no_errand,
    ) -> None:
        """Take jobs as ``options`` say: queues, kinds, and how many at a time.

        ``redactor`` masks what jobs say and why they fail; ``wake``, where it runs, tells others
        what came due and that something ended; ``collect`` asks for answers that vendors promised.
        """
        self._collect = collect
        wake = wake or Wake(db.dsn)
        self._kinds = {
            name: kind
            for name, kind in kinds.items()
            if options.kinds is None or name in options.kinds
        }
        self._options = options
        self._rng = rng
        self._at = at
        self._redactor = redactor or Redactor()
        self._jobs = JobStore(db, wake.hint, wake.ended)
        self._batches = BatchStore(db, wake.hint)
        self._events = EventStore(db)
        self._callbacks = CallbackStore(db)
        self._workers = WorkerStore(db)
        self._schedules = ScheduleStore(db, self._jobs, at)
        self._retention = RetentionStore(db)
        self._backlog = BacklogStore(db)
        self._alerts = AlertStore(db)

    async def run(
        self,
        max_jobs: int = 10,
        timeout_ms: int = 25_000,
        *,
        stop: asyncio.Event | None = None,
        abort: asyncio.Event | None = None,
    ) -> Summary:
        """Claim up to ``max_jobs``, end within ``timeout_ms``, and return what came of it.

        A kind is begun only while the time left is enough for it (``Kind.least_s``). What still
        runs near the end is broken off and handed back, with its attempt. After ``stop`` nothing
        is begun any more, and what runs has ``shutdown_s`` left; after ``abort`` none.

        Raises: InputError for bounds that make no sense, StoreUnavailable where the database was
        not there at the beginning.
        """
        if not (SHORTEST_MS <= timeout_ms <= LONGEST_MS and 1 <= max_jobs <= MOST_JOBS):
            raise InputError(
                f"a run takes 1 to {MOST_JOBS:,} jobs and {SHORTEST_MS:,} to {LONGEST_MS:,} ms"
            )
        began = monotonic()
        seconds = timeout_ms / 1000
        margin = min(_MARGIN_S, seconds / 5)
        try:
            async with asyncio.timeout(seconds - margin):
                worker_id = await self._register(seconds)
        except TimeoutError:
            raise StoreUnavailable("PostgreSQL did not answer in time") from None
        hand = _Hand(worker_id, max_jobs, began + seconds - margin)
        stops = _Stops(stop or asyncio.Event(), abort or asyncio.Event())
        left = await self._serve(hand, began + seconds - margin / 4, stops)
        return Summary(
            claimed=hand.tally.claimed,
            completed=hand.tally.done,
            failed=hand.tally.failed,
            left=left,
            duration_ms=round((monotonic() - began) * 1000),
        )

    async def _register(self, seconds: float) -> WorkerId:
        options = self._options
        return await self._workers.register(
            options.name,
            options.version,
            options.queues,
            lease_s=seconds + _SPARE_LEASE_S,  # outlives the run, which renews nothing
            kinds=sorted(self._kinds),
            concurrency=options.concurrency,
            host=options.host or None,
            pid=os.getpid(),
        )

    async def _serve(self, hand: _Hand, deadline: float, stops: _Stops) -> int:
        """Work until ``hand.until``, then put everything in order until ``deadline``."""
        finisher = Finisher(self._jobs, self._batches, self._events, hand.written, self._at)
        host = Host(
            finisher.say,
            self._redactor,
            self._jobs.results_of_parents,
            self._callbacks.expect,
        )
        executor = Executor(self._kinds, host, rng=self._rng)
        left = 0
        async with asyncio.TaskGroup() as group:
            finishing = group.create_task(finisher.run())
            noticing = group.create_task(self._notice_cancels(hand.worker_id, executor))
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, hand.left_s)) as limit:
                    heeding = group.create_task(self._heed(stops, hand, limit))
                    await self._work(hand, executor, finisher)
            heeding.cancel()
            noticing.cancel()
            finisher.close()
            try:
                async with asyncio.timeout(max(0.0, deadline - monotonic())):
                    await finishing
                    left = await self._leave(hand)
            except TimeoutError:
                log.warning("out of time at the end: what we held will be rescued")
            except StoreUnavailable as error:
                bear(error, "leave")
            finishing.cancel()
        return left

    async def _heed(self, stops: _Stops, hand: _Hand, limit: asyncio.Timeout) -> None:
        """Make the run end early where it is told to."""
        now = asyncio.get_running_loop().time
        await any_set(stops.soft, stops.hard)
        hand.room = 0
        limit.reschedule(min(limit.when() or now(), now() + self._options.shutdown_s))
        await stops.hard.wait()
        limit.reschedule(now())

    async def _work(self, hand: _Hand, executor: Executor, finisher: Finisher) -> None:
        """Begin jobs while there are any, room for them, and time."""
        tally = hand.tally
        duties = Duties(
            self._jobs,
            self._batches,
            self._workers,
            self._schedules,
            self._retention,
            tally=tally,
            alerts=self._alerts,
            kinds=self._kinds,
            collect=self._collect,
        )
        await duties.once()
        async with asyncio.TaskGroup() as group:
            slots: set[asyncio.Task[None]] = set()
            try:
                while going_on():
                    room = min(hand.room, self._options.concurrency - len(slots))
                    claimed = await self._claim(hand, room)
                    slots |= {
                        group.create_task(self._one(job, hand, executor, finisher))
                        for job in claimed
                    }
                    if not slots:
                        break
                    if not claimed:
                        await asyncio.wait(slots, return_when=asyncio.FIRST_COMPLETED)
                    slots = {slot for slot in slots if not slot.done()}
            except asyncio.CancelledError:
                await end_all(slots)
                raise

    async def _claim(self, hand: _Hand, room: int) -> list[ClaimedJob]:
        fitting = [n for n, kind in self._kinds.items() if kind.shortest_s <= hand.left_s]
        if room <= 0 or not fitting:
            return []
        try:
            claimed = await self._claim_each(hand, room, fitting)
            hand.room -= len(claimed)
            hand.tally.claimed += len(claimed)
            return await self._load(claimed)
        except StoreUnavailable as error:  # what was claimed unheard goes back at the end
            bear(error, "claim")
            hand.room = 0
            return []

    async def _claim_each(self, hand: _Hand, room: int, kinds: Sequence[str]) -> list[ClaimedJob]:
        claimed: list[ClaimedJob] = []
        if hand.suspects:
            hand.suspects = False
            suspect = await self._jobs.claim_suspect(self._options.queues, hand.worker_id, kinds)
            claimed += [suspect] if suspect else []
        for queue in self._options.queues:
            if (more := room - len(claimed)) > 0:
                claimed += (await self._jobs.claim(queue, more, hand.worker_id, None, kinds))[0]
        return claimed

    async def _load(self, claimed: Sequence[ClaimedJob]) -> list[ClaimedJob]:
        loaded: list[ClaimedJob] = []
        for workspace_id in sorted({job.workspace_id for job in claimed}):
            own = [job for job in claimed if job.workspace_id == workspace_id]
            loaded += await self._jobs.load(workspace_id, own)
        return loaded

    async def _one(
        self, job: ClaimedJob, hand: _Hand, executor: Executor, finisher: Finisher
    ) -> None:
        self._at("begun")
        ended = await executor.execute(job)
        hand.outcomes[job.id] = ended.outcome
        finisher.add(ended)

    async def _notice_cancels(self, worker_id: WorkerId, executor: Executor) -> None:
        async def look() -> None:
            if executor.running:
                executor.cancel(await self._jobs.cancels(worker_id))

        await every(self._options.cancel_s, look, self._rng)

    async def _leave(self, hand: _Hand) -> int:
        """Hand back what has no outcome, leave the registry, and count what is still due."""
        await self._jobs.hand_back(hand.worker_id)
        tally = hand.tally
        await self._workers.stop(hand.worker_id, done=tally.done, failed=tally.failed)
        backlog = await self._backlog.look(
            self._options.queues, sorted(self._kinds), most=MOST_JOBS
        )
        return sum(one.pending for one in backlog)
