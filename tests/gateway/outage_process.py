"""One of several processes whose jobs want a vendor that fails for a while: asks, and asks again later."""

import asyncio
import random
import sys

from glaze.model.provider import Limit
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

PACE_S, AGAIN_S = 0.05, 0.6
"""A question each 50 ms; a minute's backoff and a circuit's 30 s, at a hundredth."""


async def main(dsn: str, url: str, name: str, n: int) -> None:
    """Ask ``n`` questions, one after the other; what was not answered is asked again later."""
    jitter = random.Random(name)
    async with (
        Database.open(dsn, size=4) as db,
        HttpClient() as http,
        Gateway.open(
            ledger=LedgerStore(db),
            limits=LimitStore(db, open_s=AGAIN_S / 2),
            entities=EntityStore(db),
            http=http,
            credentials=Credentials({"titles": Access("env", "key", url)}),
        ) as gateway,
        asyncio.TaskGroup() as tasks,
    ):
        worker = await WorkerStore(db).register("test", "0", ["default"], lease_s=600)
        bench = Bench(db, Vendor(url), worker, JobStore(db), LedgerStore(db), EntityStore(db))
        provider = bench.provider(limits=(Limit(100, 1, 0.1),))
        (job,) = await bench.claimed()
        asker = await bench.asker(job)

        async def ask(number: int) -> None:
            one = question(provider, asker, f"{name}-{number}@x.com")
            while not isinstance(await gateway.ask(one), Answer):  # noqa: ASYNC110  a job's backoff
                await asyncio.sleep(AGAIN_S * jitter.uniform(0.9, 1.1))

        for number in range(n):
            tasks.create_task(ask(number))
            await asyncio.sleep(PACE_S)


if __name__ == "__main__":
    _, given_dsn, given_url, given_name, given_n = sys.argv
    asyncio.run(main(given_dsn, given_url, given_name, int(given_n)))
