"""The manager: worker processes of one command, as many as the queues ask for, whoever crashes."""

import asyncio
import random
import signal
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from time import monotonic

import structlog

from glaze.errors import StoreUnavailable
from glaze.jobs.metrics import Moment
from glaze.jobs.report import RECYCLE_CODE, Report
from glaze.jobs.retry import bear, going_on, set_within
from glaze.jobs.tally import Tally
from glaze.model.value import WorkerId
from glaze.store.backlog import BacklogStore
from glaze.store.worker import WorkerStore

log = structlog.get_logger("manager")

_LONGEST_LINE = 1 << 20
_LONGEST_PAUSE_S = 60.0
_STABLE_S = 60.0
"""A process that lived this long is no part of a crash loop."""

_WRONG_CODE = 2
"""A setting or an option is wrong: trying again cannot help."""

_GIVE_UP_AFTER = 5
"""Crashes in a row after which a place is given up, if no process could ever start."""


@dataclass(frozen=True, slots=True)
class ManagerOptions:
    """How many processes, for which work. ``quiet_s``: less work this long lets processes go."""

    least: int
    most: int
    queues: tuple[str, ...]
    kinds: tuple[str, ...] | None
    concurrency: int  # slots of each process
    quiet_s: float = 30.0
    first_pause_s: float = 0.5  # after a crash, doubled with each one that follows

    @property
    def look_s(self) -> float:
        """Seconds between looks at the queues."""
        return min(2.0, self.quiet_s / 5)


class Sizing:
    """How many processes there should be: up after two looks that say so, down after a quiet spell."""

    def __init__(self, least: int, most: int, quiet_looks: int) -> None:
        """Stay within ``least`` and ``most``; ``quiet_looks`` make a quiet spell."""
        self.least, self.most = least, most
        self._targets: deque[int] = deque(maxlen=max(2, quiet_looks))

    def want(self, now: int, demand: int) -> int:
        """Return the number of processes to have, given how many there are and would be busy."""
        self._targets.append(min(self.most, max(self.least, demand)))
        lasting = min(list(self._targets)[-2:]) if len(self._targets) > 1 else now
        if lasting > now:
            return lasting
        if len(self._targets) < (self._targets.maxlen or 0):
            return max(now, self.least)
        return min(now, max(self._targets))

    def fewer(self) -> None:
        """Have one less from now on: somebody drained it."""
        self.least, self.most = max(0, self.least - 1), self.most - 1
        self._targets.clear()


@dataclass(eq=False, slots=True)
class _Place:
    """Room for one process; another follows it there until the place is to be left."""

    leaving: asyncio.Event = field(default_factory=asyncio.Event)
    process: asyncio.subprocess.Process | None = None
    report: Report | None = None  # the last one of this process
    worker_id: WorkerId | None = None  # the last one it told

    def send(self, number: signal.Signals) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.send_signal(number)


class Manager:
    """Starts, sizes, restarts and ends worker processes, and answers for all of them."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        options: ManagerOptions,
        *,
        workers: WorkerStore,
        backlog: BacklogStore,
        rng: random.Random,
    ) -> None:
        """Run ``command``, which must report (``jobs/report.py``) and stop on SIGTERM."""
        self._command = command
        self._environment = environment
        self._options = options
        self._workers = workers
        self._backlog = backlog
        self._rng = rng
        looks = ceil(options.quiet_s / options.look_s)
        self._sizing = Sizing(options.least, options.most, looks)
        self._places: list[_Place] = []
        self._one_ended = asyncio.Event()
        self._past = Tally()  # of processes that have ended
        self._ever_worked = False

    async def run(self, stop: asyncio.Event, abort: asyncio.Event) -> bool:
        """Work until ``stop``, which is passed on, or until all processes were drained.

        ``abort`` (a second stop) is passed on too. Returns: False where no process ever worked,
        though none was told to stop.
        """
        async with asyncio.TaskGroup() as group:
            passing_on = group.create_task(self._pass_on(stop, abort))
            following = group.create_task(self._follow(group))
            for _ in range(self._options.least):
                self._open(group)
            while self._places:
                await self._one_ended.wait()
                self._one_ended.clear()
            passing_on.cancel()
            following.cancel()
        return self._ever_worked or stop.is_set()

    async def missing(self) -> str | None:
        """Tell what is missing for readiness: None where a process of ours holds a lease."""
        ours = {place.worker_id for place in self._places if place.worker_id is not None}
        try:
            living = await self._workers.living()
        except StoreUnavailable as error:
            return f"no database: {error}"
        ready = any(one.id in ours and one.lease_left_s > 0 for one in living)
        return None if ready else "no worker of ours holds a lease"

    def now(self) -> Moment:
        """Return the figures of all processes together, of those that ended too."""
        tally = Tally()
        tally.add(self._past)
        reports = [place.report for place in self._places if place.report is not None]
        for report in reports:
            tally.add(report.tally)
        return Moment(
            tally,
            slots=len(reports) * self._options.concurrency,
            slots_in_use=sum(report.slots_in_use for report in reports),
            processes=len(reports),
            memory_bytes=sum(report.memory_bytes for report in reports),
        )

    # -- one place -------------------------------------------------------------------------------

    def _open(self, group: asyncio.TaskGroup) -> None:
        place = _Place()
        self._places.append(place)
        group.create_task(self._keep(place))

    async def _keep(self, place: _Place) -> None:
        """Run one process after the other until this place is to be left."""
        crashes = 0
        try:
            while going_on() and not place.leaving.is_set():
                began = monotonic()
                code = await self._run(place)
                if place.leaving.is_set():
                    break
                if code == 0:
                    log.info("worker process was drained: it is not replaced", places=self._left())
                    self._sizing.fewer()
                    break
                crashes = 1 if monotonic() - began > _STABLE_S else crashes + 1
                if code == RECYCLE_CODE and crashes == 1:
                    log.info("worker process recycled: a fresh one follows")
                    continue
                if not self._ever_worked and (crashes >= _GIVE_UP_AFTER or code == _WRONG_CODE):
                    log.error("worker processes do not start: given up", code=code)
                    break
                pause = min(_LONGEST_PAUSE_S, self._options.first_pause_s * 2.0 ** (crashes - 1))
                pause *= self._rng.uniform(0.9, 1.1)
                log.error("worker process ended", code=code, in_a_row=crashes, restart_s=pause)
                await set_within(place.leaving, pause)
        finally:
            self._places.remove(place)
            self._one_ended.set()

    def _left(self) -> int:
        return len(self._places) - 1

    async def _run(self, place: _Place) -> int:
        """Run one process to its end, and return its exit code (below 0: minus the signal)."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,  # held open: its end tells that we are gone
            stdout=asyncio.subprocess.PIPE,
            env=self._environment,
            limit=_LONGEST_LINE,
            start_new_session=True,  # a terminal's Ctrl-C comes to us alone, and we pass it on
        )
        place.process, place.worker_id = process, None
        log.info("worker process started", pid=process.pid)
        try:
            if place.leaving.is_set():
                place.send(signal.SIGTERM)
            await self._hear(place, process)
            return await process.wait()
        finally:
            if process.returncode is None:  # we are cancelled: nobody waits for it any more
                place.send(signal.SIGKILL)
                await process.wait()
            place.process = None
            if place.report is not None:
                self._past.add(place.report.tally)
                place.report = None

    async def _hear(self, place: _Place, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            raise LookupError("a process without standard output")
        async for line in process.stdout:
            place.report = Report.of_line(line)
            if place.report.worker_id is not None:
                place.worker_id = place.report.worker_id
                self._ever_worked = True

    # -- all of them -----------------------------------------------------------------------------

    async def _pass_on(self, stop: asyncio.Event, abort: asyncio.Event) -> None:
        for event in (stop, abort):
            await event.wait()
            for place in self._places:
                place.leaving.set()
                place.send(signal.SIGTERM)

    async def _follow(self, group: asyncio.TaskGroup) -> None:
        """Open places while there is more to do than slots, leave them after a quiet spell."""
        while going_on() and self._options.least < self._options.most:
            await asyncio.sleep(self._options.look_s)
            try:
                demand = await self._demand()
                self._resize(group, demand)
                await self._drain_leaving()
            except StoreUnavailable as error:
                bear(error, "look at the queues")

    async def _demand(self) -> int:
        """Return how many processes would be busy: with what runs here and what is due."""
        options = self._options
        enough = options.most * options.concurrency
        seen = await self._backlog.look(options.queues, options.kinds, most=enough)
        due = sum(one.pending for one in seen if not one.paused)
        return ceil((self.now().slots_in_use + due) / options.concurrency)

    def _resize(self, group: asyncio.TaskGroup, demand: int) -> None:
        staying = [place for place in self._places if not place.leaving.is_set()]
        if not staying:
            return  # we are ending
        want = self._sizing.want(len(staying), demand)
        if want != len(staying):
            log.info("worker processes resized", now=len(staying), then=want, busy=demand)
        for _ in range(want - len(staying)):
            self._open(group)
        for place in staying[want:]:
            place.leaving.set()

    async def _drain_leaving(self) -> None:
        """Ask processes that should go to drain: what runs there ends in its own time."""
        leaving = [place for place in self._places if place.leaving.is_set()]
        for place in leaving:
            if place.worker_id is None:
                place.send(signal.SIGTERM)  # it has not begun anything
        ids = [place.worker_id for place in leaving if place.worker_id is not None]
        if ids:
            await self._workers.drain(ids)
