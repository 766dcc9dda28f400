"""A process that fires what is due and kills itself on the way: schedule_process.py DSN FAILPOINT."""

import asyncio
import os
import signal
import sys
from datetime import datetime

from glaze.store.database import Database
from glaze.store.job import JobStore
from glaze.store.schedule import ScheduleStore

FAILPOINT = sys.argv[2] if len(sys.argv) > 2 else ""


def at(name: str) -> None:
    """Die as by kill -9 at the failpoint."""
    if name == FAILPOINT:
        os.kill(os.getpid(), signal.SIGKILL)


def told(_queue: str, _rank: datetime) -> None:
    """Workers are told after the commit."""
    at("schedule_told")


async def main() -> None:
    """Fire all that is due."""
    async with Database.open(sys.argv[1], size=2) as db:
        schedules = ScheduleStore(db, JobStore(db, told), at)
        for soon in await schedules.soonest():
            await schedules.fire(soon)


if __name__ == "__main__":
    asyncio.run(main())
