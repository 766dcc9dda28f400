"""A claimed job, a vendor that counts what it is asked, and a gateway between them."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from aiohttp import web

from glaze.model.failpoint import nowhere
from glaze.model.field import EntityKind
from glaze.model.identity import Key
from glaze.model.job import ClaimedJob, NewJob
from glaze.model.ledger import Asker
from glaze.model.provider import (
    Ask,
    Billed,
    BillingUnknown,
    Limit,
    Operation,
    Provider,
    ProviderSpec,
    Reply,
    Unbilled,
    VendorHttp,
    Verdict,
)
from glaze.model.value import (
    DEFAULT_WORKSPACE,
    BudgetId,
    EntityId,
    FieldName,
    Micros,
    Reading,
    WorkerId,
)
from glaze.net.client import HttpClient
from glaze.pipeline.asking import Access, Answer, Decline, Declined, Question
from glaze.pipeline.credentials import Credentials
from glaze.pipeline.gateway import Gateway
from glaze.store.budget import BudgetCap
from glaze.store.database import Database
from glaze.store.entity import EntityStore
from glaze.store.job import JobStore
from glaze.store.ledger import LedgerStore
from glaze.store.limit import LimitStore
from glaze.store.worker import WorkerStore

EMAIL = FieldName("person_email")
TITLE = FieldName("person_title")
PRICE = Micros(100_000)


@dataclass
class Vendor:
    """A vendor over real HTTP with a billing log of its own: what it charged, question by question."""

    url: str = ""
    bills: list[str] = field(default_factory=list)
    requests: int = 0
    status: int = 200
    price: int = PRICE
    billing: str = "billed"
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    slow: bool = False
    drop: str = ""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.Response:
        self.requests += 1
        self.arrived.set()
        asked = (await request.json())["emails"]
        if self.drop == "before_billing":
            assert request.transport is not None
            request.transport.abort()
        if self.status == 200:
            self.bills.extend(asked)
        if self.drop == "after_billing":
            assert request.transport is not None
            request.transport.abort()
        if self.slow:
            await self.gate.wait()
        titles = {email: f"Title of {email}" for email in asked}
        return web.json_response(
            {"titles": titles, "billing": self.billing, "price": self.price}, status=self.status
        )


_TOLD = {202: Verdict.IN_PROGRESS, 451: Verdict.SUPPRESSED}


class Titles:
    """A provider of titles by email; one request for up to ``batch_size`` questions."""

    def __init__(self, base_url: str, *, batch_size: int, limits: tuple[Limit, ...]) -> None:
        operation = Operation(
            name="title",
            needs=(frozenset({EMAIL}),),
            gives={TITLE: 90},
            price_micros=PRICE,
            batch_size=batch_size,
            timeout_s=5.0,
        )
        self.spec = ProviderSpec("titles", (operation,), base_url=base_url, limits=limits)

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        del operation
        emails = [str(ask.known[EMAIL]) for ask in asks]
        answer = await http.request("POST", f"{http.base_url}/title", json={"emails": emails})
        if answer.status == 429:
            return [Reply(Verdict.RATE_LIMITED, Unbilled(), retry_after_s=1.0)] * len(asks)
        if answer.status in _TOLD:
            return [Reply(_TOLD[answer.status], Unbilled())] * len(asks)
        if answer.status != 200:
            return [Reply(Verdict.VENDOR_ERROR, Unbilled())] * len(asks)
        body = json.loads(answer.body)
        billing = (
            BillingUnknown("the vendor does not say")
            if body["billing"] == "unknown"
            else Billed(Micros(body["price"]))
        )
        return [
            Reply(
                Verdict.MATCH,
                billing,
                (Reading(TITLE, body["titles"][email], 90),),
                raw=email.encode(),
            )
            for email in emails
        ]


@asynccontextmanager
async def answering(
    path: str, handle: Callable[[web.Request], Awaitable[web.Response]]
) -> AsyncIterator[str]:
    """Serve one path of a vendor's on a free port, as long as the block; give its address."""
    app = web.Application()
    app.router.add_post(path, handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    vendor = Vendor()
    async with answering("/title", vendor.handle) as vendor.url:
        yield vendor
        vendor.gate.set()


@dataclass
class Bench:
    """Everything a gateway test needs, on a database of its own."""

    db: Database
    vendor: Vendor
    worker: WorkerId
    jobs: JobStore
    ledger: LedgerStore
    entities: EntityStore

    def provider(self, *, batch_size: int = 1, limits: tuple[Limit, ...] = ()) -> Provider:
        return Titles(self.vendor.url, batch_size=batch_size, limits=limits)

    async def claimed(self, n: int = 1) -> list[ClaimedJob]:
        await self.jobs.enqueue(DEFAULT_WORKSPACE, [NewJob("noop", {})] * n)
        claimed: list[ClaimedJob] = []
        while len(claimed) < n:  # others claim at the same time, and a locked row is passed over
            claimed += (await self.jobs.claim("default", n - len(claimed), self.worker))[0]
        return claimed

    async def asker(
        self,
        job: ClaimedJob,
        *,
        budgets: tuple[BudgetId, ...] = (),
        fresh_after: datetime | None = None,
    ) -> Asker:
        key = Key("email", f"job{job.id}@x.com")
        ((entities, _),) = await self.entities.open(
            DEFAULT_WORKSPACE, [{EntityKind.PERSON: (key,)}]
        )
        return Asker(
            workspace_id=DEFAULT_WORKSPACE,
            job_id=job.id,
            token=job.token,
            batch_id=None,
            correlation_id=None,
            entities=entities,
            budgets=budgets,
            fresh_after=fresh_after,
            miss_fresh_after=fresh_after,
        )

    async def budget(self, cap: int, key: str = "1") -> tuple[BudgetId, ...]:
        caps = [BudgetCap("job", key, Micros(cap))]
        return (await self.ledger.allowance(DEFAULT_WORKSPACE, caps)).of_all

    async def rows(self, sql: str) -> list[dict]:
        async with self.db.workspace(DEFAULT_WORKSPACE) as conn:
            return await (await conn.execute(sql)).fetchall()

    @asynccontextmanager
    async def gateway(self, at: Callable[[str], None] = nowhere) -> AsyncIterator[Gateway]:
        async with (
            HttpClient() as http,
            Gateway.open(
                ledger=self.ledger,
                limits=LimitStore(self.db),
                entities=self.entities,
                http=http,
                credentials=Credentials({"titles": Access("env", "key", self.vendor.url)}),
                at=at,
            ) as gateway,
        ):
            yield gateway


def question(provider: Provider, asker: Asker, email: str) -> Question:
    return Question(
        provider=provider,
        operation=provider.spec.operations[0],
        needs=frozenset({EMAIL}),
        ask=Ask({EMAIL: email}, frozenset({TITLE})),
        asker=asker,
        position=1,
        missed=(),
        reason="the test asks",
        judge=lambda readings: readings,
    )


@pytest.fixture
async def bench(db: Database, vendor: Vendor) -> Bench:
    worker = await WorkerStore(db).register("test", "0", ["default"], lease_s=60)
    return Bench(db, vendor, worker, JobStore(db), LedgerStore(db), EntityStore(db))


async def patiently(gateway: Gateway, asked: Question) -> Answer | Declined:
    """Ask as a job does that is sent away for a while and comes back."""
    while True:
        result = await gateway.ask(asked)
        if not isinstance(result, Declined) or result.why is not Decline.WAIT:
            return result
        await asyncio.sleep(result.wait_s)


__all__ = ["Bench", "EntityId", "Vendor", "patiently", "question"]
