"""One of several processes that ask one vendor under one cap of calls under way: asks on, tells how often."""

import asyncio
import logging
import sys
import time
from dataclasses import replace

import structlog

from glaze.net.client import HttpClient
from glaze.pipeline.asking import Access, Answer
from glaze.pipeline.credentials import Credentials
from glaze.pipeline.gateway import Gateway
from glaze.store.database import Database
from glaze.store.entity import EntityStore
from glaze.store.job import JobStore
from glaze.store.ledger import LedgerStore
from glaze.store.limit import LimitStore
from glaze.store.worker import WorkerStore
from tests.gateway.conftest import Bench, Vendor, question

ASKERS = 8
LEASE_S = 2.0
"""How long what a killed one held is kept for it."""


async def main(dsn: str, url: str, name: str, cap: int, seconds: float) -> None:
    """Ask for so long, with more askers than the cap; say "ready" before, and the answers after."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    async with (
        Database.open(dsn, size=4) as db,
        HttpClient() as http,
        Gateway.open(
            ledger=LedgerStore(db),
            limits=LimitStore(db, seat_lease_s=LEASE_S),
            entities=EntityStore(db),
            http=http,
            credentials=Credentials({"titles": Access("env", "key", url)}),
        ) as gateway,
        asyncio.TaskGroup() as tasks,
    ):
        worker = await WorkerStore(db).register("test", "0", ["default"], lease_s=600)
        bench = Bench(db, Vendor(url), worker, JobStore(db), LedgerStore(db), EntityStore(db))
        provider = bench.provider()
        provider.spec = replace(provider.spec, concurrency=cap)
        (job,) = await bench.claimed()
        asker = await bench.asker(job)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        until, answers = time.monotonic() + seconds, [0]

        async def ask(number: int) -> None:
            while time.monotonic() < until:
                asked = question(provider, asker, f"{name}-{number}-{answers[0]}@x.com")
                if isinstance(await gateway.ask(asked), Answer):
                    answers[0] += 1

        for number in range(ASKERS):
            tasks.create_task(ask(number))
    sys.stdout.write(f"{answers[0]}\n")


if __name__ == "__main__":
    _, given_dsn, given_url, given_name, given_cap, given_seconds = sys.argv
    asyncio.run(main(given_dsn, given_url, given_name, int(given_cap), float(given_seconds)))
