"""A worker process under a manager, of sleepy jobs: managed_process.py DSN [MARK].

With MARK, the name of a file that is not there yet, it passes its memory limit as soon as it works
and leaves the file behind.
"""

import asyncio
import os
import random
import sys
from pathlib import Path

from jobs_process import KINDS, options

from glaze.cli.screen import stop_on_signals
from glaze.jobs.report import RECYCLE_CODE, manager_gone, report, take_output
from glaze.jobs.worker import Ending, Worker
from glaze.store.database import Database


async def main(dsn: str, *, fat: bool) -> Ending:
    """Work until told to end."""
    channel = take_output()
    async with Database.open(dsn, size=2) as db:
        limit = 1 if fat else None
        given = options("managed", 2.0, concurrency=2, memory_limit_bytes=limit)
        worker = Worker(db, KINDS, given, rng=random.Random(1))
        with stop_on_signals("") as stops:
            async with asyncio.TaskGroup() as group:

                async def orphaned() -> None:
                    await manager_gone()
                    stops.soft.set()

                helpers = [
                    group.create_task(orphaned()),
                    group.create_task(report(worker, channel)),
                ]
                ending = await worker.run(stops.soft, stops.hard)
                for helper in helpers:
                    helper.cancel()
    return ending


if __name__ == "__main__":
    mark = Path(sys.argv[2]) if sys.argv[2:] else None
    ended = asyncio.run(main(sys.argv[1], fat=mark is not None and not mark.exists()))
    if mark is not None:
        mark.touch()
    os._exit(RECYCLE_CODE if ended is Ending.RECYCLED else 0)
