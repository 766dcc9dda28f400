"""A worker that runs workflows' steps, to be killed: workflow_process.py DSN NAME LEASE_S."""

import asyncio
import random
import sys

from jobs_process import Args, nap, options

from glaze.jobs.kind import JobContext, Kind, Kinds
from glaze.jobs.worker import Worker
from glaze.model.outcome import Cancelled, Done, Failed, Outcome
from glaze.store.database import Database


async def number(args: Args, context: JobContext) -> Outcome:
    """One more than all parents' numbers together; ``seconds`` is how long that takes."""
    await asyncio.sleep(args.seconds)
    parents = await context.parent_results()
    return Done(1 + sum(int(result) for result in parents.values()))


async def names(_args: Args, context: JobContext) -> Outcome:
    """What the parents left, as it was loaded."""
    return Done(dict(await context.parent_results()))


async def fail(_args: Args, _context: JobContext) -> Outcome:
    """Fail for good."""
    return Failed("bad", "no")


async def heed(_args: Args, context: JobContext) -> Outcome:
    """Run until asked to stop."""
    await context.cancelled.wait()
    return Cancelled()


KINDS: Kinds = {run.__name__: Kind(run.__name__, Args, run) for run in (nap, number, names, fail, heed)}  # fmt: skip


async def main(dsn: str, name: str, lease_s: float) -> None:
    """Work until killed."""
    async with Database.open(dsn, size=2) as db:
        worker = Worker(db, KINDS, options(name, lease_s), rng=random.Random(1))
        await worker.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
