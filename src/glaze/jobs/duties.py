"""Duties that any worker does on a timer: promote, expire, rescue, feed, sweep, collect, fire, alert."""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable

import structlog

from glaze.errors import StoreUnavailable
from glaze.jobs.kind import Kinds
from glaze.jobs.options import WorkerOptions
from glaze.jobs.prune import prune
from glaze.jobs.retry import bear, going_on
from glaze.jobs.tally import Tally
from glaze.store.alert import AlertStore
from glaze.store.batch import BatchStore
from glaze.store.job import CHUNK, NO_JOB, JobStore
from glaze.store.retention import Keep, RetentionStore
from glaze.store.schedule import CHUNK as SCHEDULES
from glaze.store.schedule import ScheduleStore
from glaze.store.worker import WorkerStore

log = structlog.get_logger("jobs")


_PROGRESS_S = 0.8
"""Of a batch's progress nothing is told sooner after the last, however many workers look each second."""

Errand = Callable[[], Awaitable[None]]
"""A duty that the jobs know nothing of but that it is theirs to have done."""


async def no_errand() -> None:
    """Do nothing: there is no such duty."""


async def every(seconds: float, duty: Callable[[], Awaitable[None]], rng: random.Random) -> None:
    """Do ``duty`` again and again, spread a little so that many workers do not act in step."""
    while going_on():
        try:
            await duty()
        except StoreUnavailable as error:
            bear(error, duty.__name__)
        await asyncio.sleep(seconds * rng.uniform(0.9, 1.1))


class Duties:
    """What keeps the queue in order; each step takes what others have not locked."""

    def __init__(
        self,
        jobs: JobStore,
        batches: BatchStore,
        workers: WorkerStore,
        schedules: ScheduleStore,
        retention: RetentionStore,
        *,
        tally: Tally,
        alerts: AlertStore,
        kinds: Kinds,
        collect: Errand = no_errand,
    ) -> None:
        """Act on these tables; rescues are counted in ``tally``.

        ``kinds`` say how many of their dead are too many, ``collect`` asks for answers that
        vendors promised.
        """
        self.collect = collect
        self._retention = retention
        self._tally = tally
        self._jobs = jobs
        self._batches = batches
        self._workers = workers
        self._repaired_up_to = NO_JOB
        self._schedules = schedules
        self._alerts = alerts
        self._limits = {
            name: kind.alert_after for name, kind in kinds.items() if kind.alert_after is not None
        }

    async def run(self, options: WorkerOptions, rng: random.Random) -> None:
        """Do all duties until cancelled."""
        async with asyncio.TaskGroup() as group:
            for seconds, duty in (
                (options.promote_s, self.promote),
                (options.poll_s, self.feed),
                (options.poll_s, self.sweep),
                (options.poll_s, self.tell_progress),
                (options.poll_s, self.collect),
                (options.lease_s / 10, self.rescue),
                (options.lease_s / 10, self.repair),
                (options.alert_s, self.alert),
            ):
                group.create_task(every(seconds, duty, rng))
            group.create_task(self._keep_time(options.poll_s))
            if options.keep is not None:
                group.create_task(self._prune(options.prune_s, options.keep, rng))

    async def _prune(self, seconds: float, keep: Keep, rng: random.Random) -> None:
        """Prune on a timer, but not at once: many a worker lives for one command only."""

        async def pruned() -> None:
            if gone := await prune(self._retention, keep):
                log.info("pruned", **gone)

        await asyncio.sleep(seconds * rng.random())
        await every(seconds, pruned, rng)

    async def once(self) -> None:
        """Do each duty once: where workers come and go nobody else may have done it."""
        await self.rescue()
        await self.fire()
        for duty in (
            self.promote,
            self.feed,
            self.sweep,
            self.tell_progress,
            self.collect,
            self.repair,
            self.alert,
        ):
            await duty()

    async def promote(self) -> None:
        """Bring what has come due into the queue, chunk by chunk, and bury what came too late."""
        while await self._jobs.promote() == CHUNK:
            continue
        while await self._jobs.expire() == CHUNK:
            continue

    async def feed(self) -> None:
        """Refill the window of every batch that runs low."""
        while await self._batches.feed():
            continue

    async def tell_progress(self) -> None:
        """Tell how far the open batches are."""
        await self._batches.tell_progress(_PROGRESS_S)

    async def sweep(self) -> None:
        """Cancel batches whose own job was; take the jobs of cancelled ones out of the queue."""
        for workspace_id, batch_id in await self._batches.orphans():
            await self._batches.cancel(workspace_id, batch_id)
        await self._jobs.sweep_cancelled()

    async def repair(self) -> None:
        """Look at one page of the jobs that wait: an end may have been written past the store."""
        stranded, self._repaired_up_to = await self._jobs.repair(self._repaired_up_to)
        if stranded:
            log.warning("jobs waited for what had ended; moved on", jobs=stranded)

    async def rescue(self) -> None:
        """Take back what dead workers held."""
        if buried := await self._workers.bury():
            log.warning("workers found dead", workers=buried)
        more = True
        while more:
            rescued = await self._jobs.rescue()
            more = sum(rescued) == CHUNK
            self._tally.rescued += sum(rescued)
            if sum(rescued):
                log.warning("jobs rescued", back=rescued.released, ended=rescued.ended)

    async def _keep_time(self, most_s: float) -> None:
        """Fire schedules to the second; look every ``most_s`` seconds whether there is a new one."""
        while going_on():
            wait_s = most_s
            try:
                wait_s = min(most_s, await self.fire())
            except StoreUnavailable as error:
                bear(error, "fire")
            await asyncio.sleep(wait_s)

    async def fire(self) -> float:
        """Fire every schedule that is due; return the seconds until the next one is."""
        while True:
            soonest = await self._schedules.soonest()
            due = [soon for soon in soonest if soon.wait_s <= 0]
            for soon in due:
                if made := await self._schedules.fire(soon):
                    log.info("schedule fired", schedule=soon.id, jobs=made)
            if len(due) < SCHEDULES:
                return min((soon.wait_s for soon in soonest[len(due) :]), default=math.inf)

    async def alert(self) -> None:
        """Say where more jobs of a kind died within an hour than it allows."""
        if not self._limits:
            return
        for alert in await self._alerts.alert(self._limits):
            log.warning(
                "many jobs of a kind died within an hour",
                workspace=alert.workspace_id,
                kind=alert.kind,
                dead=alert.dead,
                alert_after=alert.alert_after,
                code=alert.code,
            )
