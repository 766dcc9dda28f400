"""An outage, seen by a fleet: few attempts, one probe, no rush when the vendor is back."""

import asyncio
import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from aiohttp import web

from glaze.pipeline.asking import Answer, Decline, Declined
from glaze.pipeline.circuit import CLOSED_FOR_S, Circuit
from glaze.pipeline.departure import SEND_WITHIN_S
from glaze.pipeline.limiter import PATIENCE_S
from glaze.store.database import Database
from glaze.store.limit import OPEN_AFTER, LimitStore
from tests.gateway.conftest import PRICE, Bench, answering, question
from tests.gateway.outage_process import PACE_S
from tests.storm_only import storm_only

ROOT = Path(__file__).parents[2]
PROCESSES, QUESTIONS = 3, 250
BUSY_AFTER, SOME = 30, 2
LONGEST_S = 120.0
KNOWN_AFTER_S = CLOSED_FOR_S + PATIENCE_S + SEND_WITHIN_S
"""By then all have heard that the circuit is open, and nothing is on its way from before."""
OUTAGE_S = 6.0
"""Ten minutes at a hundredth."""


@dataclass
class Failing:
    """A vendor that fails while it is ``down``, slowly, and remembers who asked when."""

    down: bool = False
    arrivals: list[float] = field(default_factory=list)
    under_way: int = 0
    down_at: float = 0.0
    probes: list[int] = field(default_factory=list)  # how many were under way at each
    probed: asyncio.Event = field(default_factory=asyncio.Event)  # ten minutes, some probes
    busy: asyncio.Event = field(default_factory=asyncio.Event)  # it was asked, and answered
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        now = asyncio.get_running_loop().time()
        self.arrivals.append(now)
        if len(self.arrivals) >= BUSY_AFTER:
            self.busy.set()
        asked = (await request.json())["emails"]
        if not self.down:
            titles = dict.fromkeys(asked, "Title")
            return web.json_response({"titles": titles, "billing": "billed", "price": PRICE})
        self.under_way += 1
        if now > self.down_at + KNOWN_AFTER_S:
            self.probes.append(self.under_way)
        if now > self.down_at + OUTAGE_S and len(self.probes) > SOME:
            self.probed.set()
        await asyncio.sleep(0.1)
        self.under_way -= 1
        return web.json_response({}, status=503)


@storm_only
async def test_an_outage_brings_no_storm_of_retries_and_one_probe_at_a_time(dsn: str) -> None:
    vendor = Failing()
    async with answering("/title", vendor.handle) as vendor.url:
        started = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.gateway.outage_process", dsn, vendor.url),
                *(f"p{i}", str(QUESTIONS)),
                cwd=ROOT,
            )
            for i in range(PROCESSES)
        ]
        async with asyncio.timeout(LONGEST_S):
            await vendor.busy.wait()
        vendor.down, vendor.down_at = True, asyncio.get_running_loop().time()
        async with asyncio.timeout(LONGEST_S):  # who ends too soon asks no more
            await vendor.probed.wait()
        vendor.down = False
        assert [await one.wait() for one in started] == [0] * PROCESSES
    first_tries = PROCESSES * QUESTIONS
    assert first_tries <= len(vendor.arrivals) <= 1.1 * first_tries
    assert max(vendor.probes) == 1
    a_second = Counter(int(at) for at in vendor.arrivals)
    assert max(a_second.values()) <= 2 * PROCESSES / PACE_S


async def open_circuit(store: LimitStore, url: str) -> None:
    for _ in range(OPEN_AFTER):
        await store.circuit_failed("titles", url, probe=False, error="status 503")


async def test_of_all_who_ask_when_an_open_circuit_may_be_tried_one_is_the_probe(
    db: Database, dsn: str
) -> None:
    store = LimitStore(db, open_s=0.0)
    await open_circuit(store, "https://a")
    async with Database.open(dsn) as other:
        circuits = [Circuit(LimitStore(one), "titles", "https://a") for one in (db, other)]
        looks = [circuit.look(probe_s=60.0) for circuit in circuits for _ in range(20)]
        passages = await asyncio.gather(*looks)
    assert [one.probe for one in passages if one.wait_s == 0.0] == [True]


async def test_only_the_probe_closes_an_open_circuit_or_keeps_it_open(db: Database) -> None:
    store = LimitStore(db)
    await open_circuit(store, "https://a")
    opened = await store.circuit("titles", "https://a", probe_s=60.0)
    await store.circuit_succeeded("titles", "https://a", probe=False)  # sent before it opened
    await store.circuit_failed("titles", "https://a", probe=False, error="timeout")
    still = await store.circuit("titles", "https://a", probe_s=60.0)
    assert 0 < still.wait_s <= opened.wait_s
    await store.circuit_succeeded("titles", "https://a", probe=True)
    assert (await store.circuit("titles", "https://a", probe_s=60.0)).wait_s == 0.0


async def test_a_probe_that_is_not_sent_leaves_its_place_to_the_next(bench: Bench) -> None:
    await open_circuit(LimitStore(bench.db, open_s=0.0), bench.vendor.url)
    provider = bench.provider()
    poor, rich = [await bench.asker(job) for job in await bench.claimed(2)]
    none_left = await bench.budget(0, "poor")
    async with bench.gateway() as gateway:
        refused = await gateway.ask(question(provider, replace(poor, budgets=none_left), "a@x.com"))
        assert isinstance(refused, Declined)
        assert refused.why is Decline.BUDGET
        assert isinstance(await gateway.ask(question(provider, rich, "b@x.com")), Answer)


async def test_an_outage_at_one_address_leaves_another_address_alone(db: Database) -> None:
    store = LimitStore(db)
    await open_circuit(store, "https://a")
    assert (await store.circuit("titles", "https://a", probe_s=60.0)).wait_s > 0
    assert (await store.circuit("titles", "https://b", probe_s=60.0)).wait_s == 0.0


async def test_a_probe_that_was_not_sent_in_its_time_takes_no_place_from_the_one_after_it(
    db: Database,
) -> None:
    store = LimitStore(db, open_s=0.0)
    for _ in range(OPEN_AFTER):
        await store.circuit_failed("titles", "http://x", probe=False, error="down")
    late = await store.circuit("titles", "http://x", probe_s=0.0)
    current = await store.circuit("titles", "http://x", probe_s=60.0)
    assert (late.probe, current.probe) == (True, True)
    await store.circuit_unprobed("titles", "http://x", late)
    assert not (await store.circuit("titles", "http://x", probe_s=60.0)).probe
    await store.circuit_unprobed("titles", "http://x", current)
    assert (await store.circuit("titles", "http://x", probe_s=60.0)).probe
