"""A process that spends from a budget as fast as it can: racer.py DSN BUDGET JOB WORKER CLAIM NAME.

It says that it is ready, begins when it is told to, and ends when the budget refuses it for good.
Half of what it reserves is settled for less, the rest stays reserved.
"""

import asyncio
import random
import sys

from glaze.model.job import Token
from glaze.model.ledger import (
    Asker,
    CallEnd,
    Intent,
    QuestionKey,
    RequestFacts,
    Reserved,
    Settlement,
)
from glaze.model.value import DEFAULT_WORKSPACE, BudgetId, JobId, Micros, WorkerId
from glaze.store.database import Database
from glaze.store.ledger import LedgerStore, Sealed

CHEAPEST = 10_000
DEAREST = 90_000


async def main(dsn: str, ids: list[int], name: str) -> None:
    """Spend."""
    rng = random.Random(name)
    budget, job, worker, claim = ids
    token = Token(WorkerId(worker), claim)
    asker = Asker(DEFAULT_WORKSPACE, JobId(job), token, None, None, {}, (BudgetId(budget),))
    async with Database.open(dsn, size=2) as db:
        ledger = LedgerStore(db)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        n = 0
        while True:
            prices = [rng.randrange(CHEAPEST, DEAREST, 10_000) for _ in range(rng.randint(1, 5))]
            sealed = []
            for price in prices:
                n += 1
                key = QuestionKey("env", "titles", "title", "", f"{name}-{n}".encode())
                sealed.append(Sealed([Intent(asker, key, Micros(price), 1, (), "", ())], 30.0))
            granted = await ledger.reserve(DEFAULT_WORKSPACE, sealed)
            grants = [one[0] for one in granted if isinstance(one, list)]
            reserved = [grant for grant in grants if isinstance(grant, Reserved)]
            if not reserved and min(prices) == CHEAPEST:
                return
            for grant in reserved[::2]:
                await ledger.settle(
                    DEFAULT_WORKSPACE,
                    [RequestFacts(grant.request_id, billed_micros=Micros(5_000))],
                    [Settlement(grant.call_id, CallEnd.SETTLED, Micros(5_000))],
                    provider_of={grant.call_id: "titles"},
                    hash_key=b"k",
                )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], [int(text) for text in sys.argv[2:6]], sys.argv[6]))
