"""A worker in a process of its own, to be killed, frozen and thawed: jobs_process.py DSN NAME LEASE_S."""

import asyncio
import os
import random
import sys

from pydantic import BaseModel

from glaze.jobs.kind import JobContext, Kind, Kinds
from glaze.jobs.options import WorkerOptions
from glaze.jobs.worker import Worker
from glaze.model.outcome import Done, Outcome
from glaze.store.database import Database


class Args(BaseModel):
    """Seconds a job takes."""

    seconds: float = 0.0


async def nap(args: Args, _context: JobContext) -> Outcome:
    """Sleep, then say who slept."""
    await asyncio.sleep(args.seconds)
    return Done({"by": "process" if __name__ == "__main__" else "test"})


async def poison(_args: Args, _context: JobContext) -> Outcome:
    """Take the whole process down."""
    os._exit(9)


KINDS: Kinds = {kind.name: kind for kind in (Kind("nap", Args, nap), Kind("poison", Args, poison))}


def options(
    name: str, lease_s: float, concurrency: int = 4, memory_limit_bytes: int | None = None
) -> WorkerOptions:
    """A worker with a short lease and quick timers."""
    return WorkerOptions(
        name=name,
        concurrency=concurrency,
        memory_limit_bytes=memory_limit_bytes,
        lease_s=lease_s,
        heartbeat_s=lease_s / 4,
        poll_s=0.1,
        promote_s=0.1,
        cancel_s=0.1,
        shutdown_s=10.0,
    )


async def main(dsn: str, name: str, lease_s: float) -> None:
    """Work until killed."""
    async with Database.open(dsn, size=2) as db:
        worker = Worker(db, KINDS, options(name, lease_s), rng=random.Random(1))
        await worker.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
