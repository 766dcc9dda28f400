"""A vendor that calls back over real HTTP: the sandbox's Clearbit, signed as the real one signs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiohttp import web

from glaze.model.ledger import Delivery
from glaze.model.provider import Ask
from glaze.model.value import FieldName
from glaze.net.client import HttpClient
from glaze.net.sandbox import SandboxRoute
from glaze.pipeline.asking import Access, Answer, Decline, Declined, Question
from glaze.pipeline.beliefs import Beliefs
from glaze.pipeline.collecting import Collector
from glaze.pipeline.credentials import Credentials
from glaze.pipeline.gateway import Gateway
from glaze.providers.clearbit import LOOKUP, clearbit
from glaze.store.due import DueStore
from glaze.store.limit import LimitStore
from glaze_sandbox.seeded import draw
from glaze_sandbox.server import serve
from glaze_sandbox.state import State, new_state
from glaze_sandbox.vendors.clearbit import QUEUED_SHARE
from tests.gateway.conftest import Bench

DOMAIN, NAME = FieldName("company_domain"), FieldName("company_name")
CALLS = "select state::text, price_micros, polls from call"


@dataclass
class Door:
    """What an incoming route will do: hand a callback to the collector as it came."""

    collector: Collector | None = None
    taken: list[Delivery] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self, request: web.Request) -> web.Response:
        assert self.collector is not None
        headers = {name.lower(): value for name, value in request.headers.items()}
        where = request.match_info
        body = await request.read()
        told = await self.collector.deliver(where["provider"], where["token"], headers, body)
        self.taken.append(told)
        self.came.set()
        return web.Response(status=204 if told is Delivery.ACCEPTED else 404)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post("/v1/hooks/{provider}/{token}", self.open)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


def looked_for(state: State) -> str:
    vendor = state.vendors["company.clearbit.com"]
    return next(
        company.domain
        for company in state.world.companies()
        if draw(state.world.seed, "clearbit-queue", f"company:{company.domain}") < QUEUED_SHARE
        and vendor._known.company(company)
    )


async def test_the_vendors_own_webhook_has_its_answer_collected(bench: Bench):
    (job,) = await bench.claimed()
    asker = await bench.asker(job, budgets=await bench.budget(LOOKUP))
    state, door = new_state(companies=60), Door()
    asked = Question(
        provider=clearbit,
        operation=clearbit.spec.operation("company"),
        needs=frozenset({DOMAIN}),
        ask=Ask({DOMAIN: looked_for(state)}, frozenset({NAME})),
        asker=asker,
        position=1,
        missed=(),
        reason="the test asks",
        judge=lambda readings: readings,
    )
    access = {"clearbit": Access("env", "sandbox-test", clearbit.spec.base_url)}
    async with (
        serve(state) as sandbox,
        door.listening() as here,
        HttpClient(sandbox=SandboxRoute.from_url(sandbox.url)) as http,
    ):
        async with Gateway.open(
            ledger=bench.ledger,
            limits=LimitStore(bench.db),
            entities=bench.entities,
            http=http,
            credentials=Credentials(access),
            callback_url=here,
        ) as gateway:
            door.collector = Collector(
                gateway,
                DueStore(bench.db),
                http,
                {"clearbit": clearbit},
                beliefs=Beliefs([clearbit.spec]),
                clock=lambda: datetime.now(UTC),  # noqa: TID251
                base_url=here,
            )
            promised = await gateway.ask(asked)
            assert isinstance(promised, Declined)
            assert promised.why is Decline.WAIT
            await door.came.wait()
            # Leaving the gateway waits for what the callback began.
        assert door.taken == [Delivery.ACCEPTED]
        assert await bench.rows(CALLS) == [{"state": "settled", "price_micros": LOOKUP, "polls": 0}]
        async with Gateway.open(
            ledger=bench.ledger,
            limits=LimitStore(bench.db),
            entities=bench.entities,
            http=http,
            credentials=Credentials(access),
        ) as gateway:
            known = await gateway.ask(asked)
    assert isinstance(known, Answer)
    assert known.known
    assert [bill.micros for bill in state.billing.bills] == [LOOKUP]
