"""Workers inside commands: a port that tells how they are, and an end when somebody drains them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from glaze.boot.app import App
from glaze.cli.screen import Stops
from glaze.errors import GlazeError, StoreError
from glaze.jobs.metrics import Look, Metrics, Moment, look_through
from glaze.jobs.worker import Ending, Worker
from glaze.net.health_port import Watched, health_port
from glaze.settings import Settings
from glaze.store.backlog import BacklogStore
from glaze.store.database import Database

log = structlog.get_logger("health")


async def work_until(enough: asyncio.Event, worker: Worker, stops: Stops) -> None:
    """Run ``worker`` until ``enough``; one that somebody drained ends the command like a signal."""
    ending = await worker.run(enough, stops.hard)
    if ending is not Ending.STOPPED:
        stops.soft.set()


@asynccontextmanager
async def health_of(app: App, worker: Worker) -> AsyncIterator[None]:
    """Answer for one worker of this process on the health port, where it has one."""

    async def readiness() -> str | None:
        try:
            async with asyncio.timeout(5):
                await app.db.ping()
        except (StoreError, TimeoutError) as error:
            return f"no database: {error}"
        return None if worker.worker_id is not None else "no lease, or draining"

    def now() -> Moment:
        in_use, slots = worker.slots
        return Moment(worker.tally, slots, in_use, processes=1, memory_bytes=worker.memory_bytes())

    queues, kinds = worker.serves
    metrics = Metrics(now, look_at(app.db, queues, kinds))
    async with open_health(app.settings, Watched(readiness, metrics.scrape)):
        yield


def look_at(db: Database, queues: tuple[str, ...], kinds: tuple[str, ...] | None) -> Look:
    """Return what counts the jobs of these queues."""
    return look_through(BacklogStore(db), queues, kinds)


@asynccontextmanager
async def open_health(settings: Settings, watched: Watched) -> AsyncIterator[None]:
    """Serve the health port, unless it is 0.

    Raises: GlazeError where a port that the user chose is taken. The default one may be: a second
    worker on a machine goes on without.
    """
    host, port = settings.health_host, settings.health_port
    async with AsyncExitStack() as stack:
        try:
            if port != 0:
                await stack.enter_async_context(health_port(host, port, watched))
        except OSError as error:
            reason = f"cannot listen on {host}:{port}: {error.strerror or error}"
            if "health_port" in settings.model_fields_set:
                raise GlazeError(
                    f"{reason}; set GLAZE_HEALTH_PORT to another port, or to 0 for none"
                ) from error
            log.warning("no health port here: it is taken, by another worker perhaps", why=reason)
        yield
