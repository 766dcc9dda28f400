"""The worker: a lease, slots that run jobs, and an orderly end whatever happens."""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from time import monotonic

import psutil
import structlog

from glaze.errors import StoreUnavailable
from glaze.jobs.duties import Duties, Errand, every, no_errand
from glaze.jobs.execute import Executor
from glaze.jobs.finish import Finisher
from glaze.jobs.intake import Intake
from glaze.jobs.kind import Host, Kinds
from glaze.jobs.options import WorkerOptions
from glaze.jobs.retry import any_set, bear, end_all, going_on, pauses, set_within, until_available
from glaze.jobs.tally import Tally
from glaze.jobs.wake import Wake
from glaze.model.failpoint import At, nowhere
from glaze.model.measure import Measures
from glaze.model.redact import Redactor
from glaze.model.value import JobId, WorkerId
from glaze.store.alert import AlertStore
from glaze.store.batch import BatchStore
from glaze.store.callback import CallbackStore
from glaze.store.database import Database
from glaze.store.event import EventStore
from glaze.store.job import JobStore
from glaze.store.notify import DrainHint, listen
from glaze.store.retention import RetentionStore
from glaze.store.schedule import ScheduleStore
from glaze.store.worker import Beat, WorkerStore

log = structlog.get_logger("jobs")

_CLOSING_S = 10.0
"""How long the last writes may wait for a database that is away; then rescue does the rest."""

_LOOK_S = 0.1

UNKNOWN_KIND = "unknown"
"""How jobs of kinds that this version does not know are counted: the word is theirs to choose."""


class Ending(StrEnum):
    """Why a worker ended."""

    STOPPED = "stopped"  # by a signal, or because there was nothing more to do
    DRAINED = "drained"  # asked to, by its row in the registry
    RECYCLED = "recycled"  # its process takes more memory than it may: a fresh one should follow


class LeaseLost(Exception):
    """Somebody took our jobs back: drop everything, write nothing, register anew."""


@dataclass(frozen=True, slots=True)
class _Lease:
    """What belongs to one registration; a new one starts with nothing in hand."""

    worker_id: WorkerId
    intake: Intake
    finisher: Finisher
    executor: Executor
    asked: asyncio.Event = field(default_factory=asyncio.Event)  # a hint: see whether to drain
    drain: asyncio.Event = field(default_factory=asyncio.Event)  # claim no more, and end


class Worker:
    """Runs jobs of some kinds from some queues; any number of workers share one database."""

    def __init__(
        self,
        db: Database,
        kinds: Kinds,
        options: WorkerOptions,
        *,
        rng: random.Random,
        at: At = nowhere,
        redactor: Redactor | None = None,
        collect: Errand = no_errand,
        measures: Measures | None = None,
    ) -> None:
        """Run ``kinds`` as ``options`` say; ``at`` is called at failpoints.

        ``redactor`` masks what jobs say and why they fail, ``collect`` is done on a timer: it asks
        for answers that vendors promised. ``measures`` are what else the process counts.
        """
        self._dsn = db.dsn
        self._kinds = kinds
        self._options = options
        self._rng = rng
        self._at = at
        self._redactor = redactor or Redactor()
        self.wake = Wake(db.dsn)
        self._jobs = JobStore(db, self.wake.hint, self.wake.ended)
        self._batches = BatchStore(db, self.wake.hint)
        self._events = EventStore(db)
        self._callbacks = CallbackStore(db)
        self._workers = WorkerStore(db)
        schedules = ScheduleStore(db, self._jobs, at)
        retention = RetentionStore(db)
        self.tally = Tally(measures=measures or Measures())
        self._duties = Duties(
            self._jobs,
            self._batches,
            self._workers,
            schedules,
            retention,
            tally=self.tally,
            alerts=AlertStore(db),
            kinds=kinds,
            collect=collect,
        )
        self._process = psutil.Process()
        self._lease: _Lease | None = None
        self._ending: Ending | None = None

    async def run(self, stop: asyncio.Event, abort: asyncio.Event | None = None) -> Ending:
        """Work until ``stop`` is set or somebody drains this worker; return which.

        Then end what runs, hand back the rest. ``abort`` (a second stop) cancels what still runs
        at once.
        """
        while self._ending is None and not stop.is_set():
            try:
                await self._serve(stop, abort or asyncio.Event())
            except* LeaseLost:
                log.warning("lease lost: jobs dropped, registering anew")
            finally:
                self._lease = None
        return self._ending or Ending.STOPPED

    @property
    def worker_id(self) -> WorkerId | None:
        """The registration under which it works; None while it has none, or is ending."""
        ready = self._lease and not self._lease.drain.is_set()
        return self._lease.worker_id if self._lease and ready else None

    @property
    def slots(self) -> tuple[int, int]:
        """How many slots run a job, and how many there are."""
        return len(self._lease.executor.running) if self._lease else 0, self._options.concurrency

    async def drain(
        self,
        over: Callable[[], Awaitable[bool]],
        stop: asyncio.Event,
        abort: asyncio.Event | None = None,
    ) -> None:
        """Work until ``over`` says that what was waited for is done, or ``stop`` is set."""
        async with asyncio.TaskGroup() as group:
            enough = asyncio.Event()
            watch = group.create_task(self._watch(over, stop, enough))
            await self.run(enough, abort)
            watch.cancel()

    async def _watch(
        self, over: Callable[[], Awaitable[bool]], stop: asyncio.Event, enough: asyncio.Event
    ) -> None:
        while going_on() and not await until_available(over, "look whether all is done"):
            if await set_within(stop, _LOOK_S):
                break
        enough.set()

    def memory_bytes(self) -> int:
        """Return the resident memory of this process."""
        return int(self._process.memory_info().rss)

    @property
    def serves(self) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
        """Its queues and its kinds; None: every kind."""
        return self._options.queues, self._options.kinds

    # -- one lease -------------------------------------------------------------------------------

    async def _serve(self, stop: asyncio.Event, abort: asyncio.Event) -> None:
        worker_id = await self._register(stop)
        if worker_id is None:
            return
        log.info("worker registered", worker=worker_id, queues=self._options.queues)
        intake = Intake(self._jobs, worker_id, self._options, self.tally, self._at)
        finisher = Finisher(self._jobs, self._batches, self._events, intake.ended, self._at)
        host = Host(
            finisher.say,
            self._redactor,
            self._jobs.results_of_parents,
            self._callbacks.expect,
        )
        executor = Executor(self._kinds, host, rng=self._rng)
        lease = self._lease = _Lease(worker_id, intake, finisher, executor)
        async with asyncio.TaskGroup() as group:
            support = [
                group.create_task(self._beat(lease)),
                group.create_task(self._listen(lease)),
                group.create_task(self.wake.run()),
                group.create_task(self._duties.run(self._options, self._rng)),
                group.create_task(self._notice_cancels(lease)),
            ]
            finishing = group.create_task(lease.finisher.run())
            claiming = group.create_task(lease.intake.run())
            slots = [group.create_task(self._slot(lease)) for _ in range(self._options.concurrency)]
            await any_set(stop, lease.drain)
            lease.intake.close()
            await claiming
            lease.intake.leave()
            try:
                await self._close(lease, slots, finishing, (stop, abort))
            except TimeoutError:
                log.warning("database away at the end: what we held will be rescued")
            for task in (*support, finishing):
                task.cancel()

    async def _register(self, stop: asyncio.Event) -> WorkerId | None:
        """Return a new worker id, or None when stopped before the database was there."""
        options = self._options
        for pause in pauses():
            try:
                return await self._workers.register(
                    options.name,
                    options.version,
                    options.queues,
                    lease_s=options.lease_s,
                    kinds=options.kinds,
                    concurrency=options.concurrency,
                    host=options.host or None,
                    pid=os.getpid(),
                    memory_bytes=self.memory_bytes(),
                )
            except StoreUnavailable as error:
                bear(error, "register")
            if await set_within(stop, pause):
                break
        return None

    async def _slot(self, lease: _Lease) -> None:
        """Run one job after the other."""
        task = asyncio.current_task()
        while going_on(task) and (job := await lease.intake.take()) is not None:
            self._at("begun")
            began = monotonic()
            ended = await lease.executor.execute(job)
            self._at("performed")
            name = job.kind if job.kind in self._kinds else UNKNOWN_KIND
            self.tally.end(name, ended.outcome, monotonic() - began)
            lease.finisher.add(ended)

    async def _beat(self, lease: _Lease) -> None:
        """Renew the lease; one that somebody ended brings everything here down."""
        pause = self._options.heartbeat_s
        while going_on():
            await set_within(lease.asked, pause)
            lease.asked.clear()
            pause = self._options.heartbeat_s
            try:
                beat = await self._renew(lease.worker_id)
            except StoreUnavailable as error:
                bear(error, "heartbeat")
                pause = min(1.0, pause)
                continue
            if beat is None:
                raise LeaseLost
            if beat.draining and not lease.drain.is_set():
                self._ending = self._ending or Ending.DRAINED
                log.info(
                    "worker drains", worker=lease.worker_id, running=len(lease.executor.running)
                )
                lease.drain.set()

    async def _renew(self, worker_id: WorkerId) -> Beat | None:
        memory, limit = self.memory_bytes(), self._options.memory_limit_bytes
        if limit is not None and memory > limit and self._ending is None:
            log.warning("memory limit passed: the worker drains", bytes=memory, limit=limit)
            await self._workers.drain([worker_id])
            self._ending = Ending.RECYCLED
        return await self._workers.heartbeat(
            worker_id,
            lease_s=self._options.lease_s,
            memory_bytes=memory,
            done=self.tally.done,
            failed=self.tally.failed,
        )

    async def _listen(self, lease: _Lease) -> None:
        """Hear hints; while nobody listens the claim loop polls."""
        pause = pauses()
        while going_on():
            try:
                async for hint in listen(self._dsn):
                    pause = pauses()
                    if not isinstance(hint, DrainHint):
                        lease.intake.wake(hint)
                    elif hint.worker_id == lease.worker_id:
                        lease.asked.set()
            except StoreUnavailable as error:
                bear(error, "listen")
            await asyncio.sleep(next(pause))

    async def _notice_cancels(self, lease: _Lease) -> None:
        async def look() -> None:
            if lease.executor.running:
                lease.executor.cancel(await self._jobs.cancels(lease.worker_id))

        await every(self._options.cancel_s, look, self._rng)

    # -- the end ---------------------------------------------------------------------------------

    async def _close(
        self,
        lease: _Lease,
        slots: Sequence[asyncio.Task[None]],
        finishing: asyncio.Task[None],
        stops: tuple[asyncio.Event, asyncio.Event],
    ) -> None:
        """Hand back what was not begun, let what runs end, write it, and leave the registry."""
        async with asyncio.timeout(_CLOSING_S):
            await self._hand_back(lease, tuple(lease.intake.in_hand))
        await self._let_end(slots, *stops)
        lease.finisher.close()
        async with asyncio.timeout(_CLOSING_S):
            await finishing
            await self._hand_back(lease, ())
            await until_available(lambda: self._leave(lease.worker_id), "leave")

    async def _leave(self, worker_id: WorkerId) -> None:
        await self._workers.stop(worker_id, done=self.tally.done, failed=self.tally.failed)

    async def _hand_back(self, lease: _Lease, keep: Sequence[JobId]) -> None:
        await until_available(lambda: self._jobs.hand_back(lease.worker_id, keep), "hand back")

    async def _let_end(
        self, slots: Sequence[asyncio.Task[None]], stop: asyncio.Event, abort: asyncio.Event
    ) -> None:
        """Wait for what runs: a drain without hurry, a stop for ``shutdown_s``, an abort not."""
        async with asyncio.TaskGroup() as group:
            all_ended = group.create_task(_wait_for(slots))
            patience = group.create_task(self._patience(stop, abort))
            await asyncio.wait((all_ended, patience), return_when=asyncio.FIRST_COMPLETED)
            patience.cancel()
            await end_all(slots)

    async def _patience(self, stop: asyncio.Event, abort: asyncio.Event) -> None:
        await any_set(stop, abort)
        await set_within(abort, self._options.shutdown_s)


async def _wait_for(tasks: Sequence[asyncio.Task[None]]) -> None:
    await asyncio.wait(tasks)
