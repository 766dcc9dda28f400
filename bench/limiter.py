"""F9: four processes on one limit of 100 a second, through the whole gateway, counted at the vendor and by grants."""

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import aiohttp
import structlog
import uvloop
from pydantic import SecretStr

from bench.enrichments import sandbox
from bench.figure import Figure
from glaze.boot.process import collect_rarely
from glaze.boot.providers import configure_providers
from glaze.model.field import EntityKind
from glaze.model.identity import Key
from glaze.model.job import NewJob
from glaze.model.ledger import Asker
from glaze.model.provider import Ask, Limit, Provider
from glaze.model.value import DEFAULT_WORKSPACE, FieldName
from glaze.net.client import HttpClient
from glaze.net.sandbox import SandboxRoute
from glaze.pipeline.asking import Question
from glaze.pipeline.credentials import Credentials
from glaze.pipeline.gateway import Gateway
from glaze.settings import Settings
from glaze.store.database import Database
from glaze.store.entity import EntityStore
from glaze.store.job import JobStore
from glaze.store.ledger import LedgerStore
from glaze.store.limit import LimitStore, Slots, Taken, guard_s
from glaze.store.worker import WorkerStore

CALLS = 100
"""The limit of a second."""
PROCESSES = 4
ASKERS = 25
"""Jobs that want the vendor at the same time, in each process."""
WARM_S, SECONDS = 3.0, 20.0
_NAME = FieldName("company_name")


def settings(dsn: str, url: str) -> Settings:
    """Return settings under which the limit of a second is all that binds."""
    return Settings(
        database_url=SecretStr(dsn),
        sandbox_url=url,
        search_api_key=SecretStr("sandbox-bench"),
        provider={"serper": {"calls_per_second": CALLS}},
        log_level="error",
    )


class Noted(LimitStore):
    """Writes down the moment of every permit, a line each; with a minus where it came back unused."""

    def __init__(self, db: Database, into: Path) -> None:
        """Write into a file of this process's own."""
        super().__init__(db)
        self._into = into.open("a", buffering=1)

    async def take(self, slots: Slots, wanted: int, *, lead_s: float = 0.0) -> Taken:
        """Take permits, and note them."""
        taken = await super().take(slots, wanted, lead_s=lead_s)
        self._into.writelines(f"{at.timestamp():.6f}\n" for at in taken.at)
        return taken

    async def give_back(self, slots: Slots, at: Sequence[datetime]) -> None:
        """Give permits back, and note that."""
        self._into.writelines(f"-{one.timestamp():.6f}\n" for one in at)
        await super().give_back(slots, at)


def most_granted(folder: Path) -> int:
    """Return how many permits lay within any second, to the microsecond, of all processes."""
    kept: Counter[float] = Counter()
    for file in folder.iterdir():
        for line in file.read_text().splitlines():
            kept[abs(float(line))] += -1 if line.startswith("-") else 1
    moments = sorted(kept.elements())
    window: deque[float] = deque()
    most = 0
    for at in moments:
        window.append(at)
        while window[0] <= at - 1:
            window.popleft()
        most = max(most, len(window))
    return most


@asynccontextmanager
async def gateway_of(
    dsn: str, url: str, into: Path
) -> AsyncIterator[tuple[Gateway, list[Asker], Provider]]:
    """Open the gateway of one process, with the jobs that ask through it."""
    providers = configure_providers(settings(dsn, url))
    async with (
        Database.open(dsn, size=10) as db,
        HttpClient(sandbox=SandboxRoute.from_url(url)) as http,
        Gateway.open(
            ledger=LedgerStore(db),
            limits=Noted(db, into / str(os.getpid())),
            entities=EntityStore(db),
            http=http,
            credentials=Credentials(providers.access),
        ) as gateway,
    ):
        worker = await WorkerStore(db).register("bench", "0", ["default"], lease_s=600)
        store = JobStore(db)
        await store.enqueue(DEFAULT_WORKSPACE, [NewJob("noop", {})] * ASKERS)
        jobs, _ = await store.claim("default", ASKERS, worker)
        keys = {EntityKind.COMPANY: (Key("domain", f"bench-{os.getpid()}.example"),)}
        ((entities, _),) = await EntityStore(db).open(DEFAULT_WORKSPACE, [keys])
        askers = [
            Asker(
                workspace_id=DEFAULT_WORKSPACE,
                job_id=job.id,
                token=job.token,
                batch_id=None,
                correlation_id=None,
                entities=entities,
                budgets=(),
                fresh_after=None,
                miss_fresh_after=None,
            )
            for job in jobs
        ]
        yield gateway, askers, providers.by_name["serper"]


async def ask_on(gateway: Gateway, asker: Asker, provider: Provider) -> None:
    """Ask about one company after the other, as soon as the limit allows the next."""
    operation = next(op for op in provider.spec.operations if _NAME in op.gives)
    for number in count():
        words = f"Acme {asker.job_id} {number}"
        await gateway.ask(
            Question(
                provider=provider,
                operation=operation,
                needs=operation.needs[0],
                ask=Ask(dict.fromkeys(operation.needs[0], words), frozenset({_NAME})),
                asker=asker,
                position=1,
                missed=(),
                reason="the benchmark asks",
                judge=lambda readings: readings,
            )
        )


async def ask_for_all(dsn: str, url: str, into: Path) -> None:
    """Be one of the processes: ask until stopped."""
    async with gateway_of(dsn, url, into) as (gateway, askers, provider):
        await asyncio.gather(*(ask_on(gateway, asker, provider) for asker in askers))


@contextmanager
def asking(dsn: str, url: str, into: str) -> Iterator[None]:
    """Run the processes that ask, until the block ends."""
    command = [sys.executable, "-m", "bench.limiter", dsn, url, into]
    with ExitStack() as stack:
        for _ in range(PROCESSES):
            process = stack.enter_context(subprocess.Popen(command, cwd=Path(__file__).parents[1]))
            stack.callback(process.terminate)
        yield


async def seen(session: aiohttp.ClientSession, url: str) -> tuple[float, int, int]:
    """Return when the vendor was asked, how many calls it took, and how many were over its limit."""
    async with session.get(f"{url}/_sandbox/stats") as answer:
        stats = await answer.json()
    taken = stats["statuses"].get("serper 200", 0)
    return monotonic(), taken, stats["limit_violations"].get("serper", 0)


async def run(dsn: str) -> list[Figure]:
    """Let the processes ask, and count at the vendor."""
    limit = Limit(CALLS, 1)
    with sandbox(50) as url, TemporaryDirectory() as into:
        async with aiohttp.ClientSession() as session:
            strict = json.dumps({"vendor": "serper", "calls": CALLS, "window_s": 1.0})
            async with session.post(f"{url}/_sandbox/limits", data=strict):
                pass
            with asking(dsn, url, into):
                while (await seen(session, url))[1] < CALLS:  # noqa: ASYNC110  they start
                    await asyncio.sleep(0.1)
                await asyncio.sleep(WARM_S)
                begun, before, _ = await seen(session, url)
                await asyncio.sleep(SECONDS)
                ended, after, refused = await seen(session, url)
        granted = most_granted(Path(into))
    rate = (after - before) / (ended - begun)
    cost = guard_s(limit) / (1 + guard_s(limit))
    name = (
        f"F9 {PROCESSES} processes on one limit of {CALLS} a second"
        f" (at most {granted} granted in any second; {refused} of {after:,} calls over it at the"
        f" vendor; the guard band costs {cost:.1%})"
    )
    return [Figure(name, "calls/s", [rate], "the limit", [float(CALLS)], ">= 0.95")]


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    collect_rarely()  # as every process of Glaze
    uvloop.run(ask_for_all(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
