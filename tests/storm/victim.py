"""A worker to be killed or frozen: python -m tests.storm.victim DSN NAME LEASE_S LEDGER.

Each attempt notes itself in the file LEDGER before its work, with the token it runs under, and
returns that token: so it can be told afterwards, without the product's word, who did what.
"""

import asyncio
import logging
import os
import random
import sys
from pathlib import Path

import structlog
import uvloop
from pydantic import BaseModel

from glaze.jobs.kind import JobContext, Kind
from glaze.jobs.options import WorkerOptions
from glaze.jobs.worker import Worker
from glaze.model.outcome import Done, Outcome, Retry
from glaze.store.database import Database


class Work(BaseModel):
    """How long an attempt takes, in seconds, and how many of them fail before one succeeds."""

    seconds: float
    failures: int = 0


def kind(ledger: Path) -> Kind[Work]:
    """Return the kind of work that notes its attempts in ``ledger``."""
    file = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    async def run(work: Work, ctx: JobContext) -> Outcome:
        worker_id, claim_no = ctx.job.token
        os.write(file, f"{ctx.job.id} {worker_id} {claim_no}\n".encode())
        await asyncio.sleep(work.seconds)
        if ctx.job.attempt <= work.failures:
            return Retry("planned", "an attempt that is to fail", delay_s=0.05)
        return Done({"worker": worker_id, "claim": claim_no})

    return Kind("work", Work, run)


async def main(dsn: str, name: str, lease_s: float, ledger: Path) -> None:
    """Work until killed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    options = WorkerOptions(
        name=name,
        concurrency=8,
        lease_s=lease_s,
        heartbeat_s=lease_s / 5,
        poll_s=0.2,
        promote_s=0.1,
        cancel_s=0.2,
    )
    async with Database.open(dsn, size=3) as db:
        worker = Worker(db, {"work": kind(ledger)}, options, rng=random.Random(name))
        await worker.run(asyncio.Event())


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3]), Path(sys.argv[4])))
