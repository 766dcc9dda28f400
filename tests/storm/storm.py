"""One storm: jobs come in all the time, workers and the server are killed and frozen, then all drains."""

import asyncio
import contextlib
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import stamina

from glaze.errors import StoreUnavailable
from glaze.model.job import NewJob
from glaze.model.value import DEFAULT_WORKSPACE, JobId
from glaze.store.database import Database
from glaze.store.job import JobStore
from tests.storm import victim
from tests.storm.verdict import Verdict, judge, open_jobs, watch

LEASE_S = 2.0
WORKERS = 4
MOST_OPEN = 400  # so that a storm ends soon after its last kill
DRAIN_S = 180.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to whom; the order of it is drawn from ``seed``."""

    seed: int
    kills: int
    server_kills: int
    freezes: int

    def steps(self, rng: random.Random) -> list[str]:
        """Return the blows in a random order."""
        blows = {"kill": self.kills, "server": self.server_kills, "freeze": self.freezes}
        steps = [name for name, n in blows.items() for _ in range(n)]
        rng.shuffle(steps)
        return steps


@dataclass(slots=True)
class Storm:
    """A database under load, and the workers that are struck.

    ``kill_server`` kills PostgreSQL and returns once it answers again.
    """

    dsn: str
    folder: Path
    plan: Plan
    kill_server: Callable[[], None]
    acknowledged: set[JobId] = field(default_factory=set)
    _workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _started: int = 0

    @property
    def ledger(self) -> Path:
        """Where attempts note themselves."""
        return self.folder / "attempts.txt"

    async def run(self) -> Verdict:
        """Strike, drain, and judge."""
        rng = random.Random(self.plan.seed)
        self.ledger.touch()
        await asyncio.to_thread(watch, self.dsn)
        async with self._crew(), Database.open(self.dsn, size=2) as db:
            enough = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._enqueue(JobStore(db), enough))
                for step in self.plan.steps(rng):
                    await asyncio.sleep(rng.uniform(0.1, 0.6))  # the blows come at random
                    await self._strike(step, rng)
                enough.set()
            await self._drain()
        return await asyncio.to_thread(judge, self.dsn, self.acknowledged, self.ledger)

    @contextlib.asynccontextmanager
    async def _crew(self) -> AsyncIterator[None]:
        self._workers = [self._start() for _ in range(WORKERS)]
        try:
            yield
        finally:
            for worker in self._workers:
                worker.kill()
                worker.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        self._started += 1
        name = f"{self.plan.seed}-{self._started}"
        command = [sys.executable, "-m", victim.__name__, self.dsn, name, str(LEASE_S)]
        with (self.folder / "workers.log").open("ab") as log:
            return subprocess.Popen([*command, str(self.ledger)], stderr=log)

    async def _strike(self, step: str, rng: random.Random) -> None:
        at = rng.randrange(len(self._workers))
        if step == "server":
            await asyncio.to_thread(self.kill_server)
        elif step == "kill":
            self._workers[at].kill()
            self._workers[at].wait()
            self._workers[at] = self._start()
        else:
            self._workers[at].send_signal(signal.SIGSTOP)
            await asyncio.sleep(LEASE_S * 1.5)  # its jobs are others' by then
            self._workers[at].send_signal(signal.SIGCONT)

    async def _enqueue(self, jobs: JobStore, enough: asyncio.Event) -> None:
        """Keep jobs coming; an answer that got lost is asked for again under the same keys."""
        rng = random.Random(self.plan.seed + 1)
        n = 0
        while not enough.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rng.uniform(0.02, 0.1)):
                    await enough.wait()
            if await self._open() > MOST_OPEN:
                continue
            new = [_job(rng, f"{n}-{i}") for i in range(rng.randint(1, 30))]
            n += 1
            ids = await _until_acknowledged(jobs, new)
            self.acknowledged |= set(ids)
            if rng.random() < 0.2:
                await _cancel(jobs, rng.sample(ids, k=1))

    async def _open(self) -> int:
        async for attempt in _patiently():
            with attempt:
                return await asyncio.to_thread(open_jobs, self.dsn)
        raise AssertionError("unreachable: the last failure is raised")

    async def _drain(self) -> None:
        async with asyncio.timeout(DRAIN_S):
            while await self._open():  # noqa: ASYNC110  the database is the judge, and tells nobody
                await asyncio.sleep(0.2)


def _job(rng: random.Random, key: str) -> NewJob:
    work = {"seconds": rng.choice((0.0, 0.01, 0.05, 0.2)), "failures": rng.choice((0, 0, 0, 1))}
    return NewJob("work", work, priority=rng.randint(1, 5), idempotency_key=key)


def _patiently() -> AsyncIterator[stamina.Attempt]:
    import psycopg  # noqa: PLC0415

    return stamina.retry_context(
        on=(StoreUnavailable, psycopg.OperationalError), attempts=None, timeout=60, wait_max=0.5
    )


async def _until_acknowledged(jobs: JobStore, new: list[NewJob]) -> list[JobId]:
    async for attempt in _patiently():
        with attempt:
            return await jobs.enqueue(DEFAULT_WORKSPACE, new)
    raise AssertionError("unreachable: the last failure is raised")


async def _cancel(jobs: JobStore, ids: list[JobId]) -> None:
    async for attempt in _patiently():
        with attempt:
            await jobs.cancel(DEFAULT_WORKSPACE, ids)
