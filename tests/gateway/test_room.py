"""What vendors say of the calls that they still take steers the whole fleet."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from glaze.model.provider import Provider, Verdict
from glaze.model.room import Cause, Room, RoomHeaders, pause, rooms
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.net.client import HttpClient
from glaze.net.sandbox import SandboxRoute
from glaze.pipeline.asking import Access, Answer, Decline, Declined
from glaze.pipeline.credentials import Credentials
from glaze.pipeline.gateway import Gateway
from glaze.providers.registry import load_providers
from glaze.store.database import Database
from glaze.store.entity import EntityStore
from glaze.store.ledger import LedgerStore
from glaze.store.limit import LimitStore
from glaze_sandbox.limits import LimitSpec
from glaze_sandbox.server import Running, serve
from glaze_sandbox.state import new_state
from tests.gateway.conftest import Bench, question
from tests.providers.vendor_fake import sample_ask

PROVIDERS = load_providers().providers
DATE = "Sun, 22 Nov 2026 12:00:00 GMT"
AGAINST = "select count(*) from glaze.vendor_room where cause in ('key', 'credits')"
TELLING = {
    "apollo": (60, 3_600, 86_400),
    "brave": (60,),
    "clearbit": (60,),
    "github": (3_600,),
    "gravatar": (3_600,),
    "llm": (60,),
    "people_data_labs": (60,),
}
"""The windows that each vendor tells of in headers of its own."""


@pytest.fixture
async def sandbox() -> AsyncIterator[Running]:
    async with serve(new_state(companies=20)) as running:
        yield running


@asynccontextmanager
async def process(
    db: Database, sandbox: Running, key: str = "sandbox-me"
) -> AsyncIterator[Gateway]:
    """One process of the fleet, whose vendors are all the sandbox's."""
    access = {
        name: Access("env", key, provider.spec.base_url) for name, provider in PROVIDERS.items()
    }
    async with (
        HttpClient(sandbox=SandboxRoute.from_url(sandbox.url)) as http,
        Gateway.open(
            ledger=LedgerStore(db),
            limits=LimitStore(db),
            entities=EntityStore(db),
            http=http,
            credentials=Credentials(access),
        ) as gateway,
    ):
        yield gateway


async def asked(gateway: Gateway, bench: Bench, name: str, number: int) -> Answer | Declined:
    """Ask ``name`` something that nobody asked before."""
    provider: Provider = PROVIDERS[name]
    operation = provider.spec.operations[0]
    needs = len(operation.needs) - 1
    ask = sample_ask(operation, needs=needs)
    known = {
        field: re.sub("(?i)(acme|jane)", rf"\g<1>{number}", str(value))
        for field, value in ask.known.items()
    }
    (job,) = await bench.claimed()
    one = question(provider, await bench.asker(job), "x@x.com")
    return await gateway.ask(
        type(one)(
            provider=provider,
            operation=operation,
            needs=operation.needs[needs],
            ask=type(ask)(known, ask.want, ask.evidence, ask.candidates),
            asker=one.asker,
            position=1,
            missed=(),
            reason="the test asks",
            judge=one.judge,
        )
    )


@pytest.mark.parametrize("name", TELLING)
async def test_what_a_vendor_says_is_left_holds_for_every_process(
    bench: Bench, dsn: str, sandbox: Running, name: str
) -> None:
    vendor = "openai" if name == "llm" else name
    state = sandbox.state
    state.limits.replace(
        [LimitSpec(vendor=vendor, calls=3, window_s=window_s) for window_s in TELLING[name]]
    )
    async with (
        Database.open(dsn) as other,
        process(bench.db, sandbox) as here,
        process(other, sandbox) as there,
    ):
        results = [await asked(one, bench, name, i) for i, one in enumerate([here, there] * 4)]
    assert state.requests[vendor] == 3
    assert state.limits.violations[vendor] == 0
    declined = [one for one in results[-3:] if isinstance(one, Declined)]
    assert [one.call_id for one in declined] == [None] * 3
    longest = max(TELLING[name])
    if longest >= 86_400:  # of a day: nobody waits for the next, and everybody hears why
        assert {one.why for one in declined} == {Decline.BUSY}
        assert all("a day: 0 left (until 2" in one.detail for one in declined)
    else:
        assert {one.why for one in declined} <= {Decline.WAIT, Decline.BUSY}


async def test_a_pause_that_a_vendor_asks_for_is_kept_by_every_process(
    bench: Bench, dsn: str, sandbox: Running
) -> None:
    state = sandbox.state
    state.limits.replace([LimitSpec(vendor="anthropic", calls=0, window_s=40)])
    async with (
        Database.open(dsn) as other,
        process(bench.db, sandbox) as here,
        process(other, sandbox) as there,
    ):
        told = await asked(here, bench, "hunter", 1)  # another vendor's business
        refused = await asked(here, bench, "anthropic", 1)
        kept = await asked(there, bench, "anthropic", 2)
    assert isinstance(told, Answer)
    for one in (refused, kept):
        assert isinstance(one, Declined)
        assert one.why is Decline.WAIT
        assert 30 < one.wait_s <= 41
    assert state.requests["anthropic"] == 1


@pytest.mark.parametrize(
    ("key", "verdict"),
    [("refused", Verdict.AUTH), ("sandbox-spent", Verdict.OUT_OF_CREDITS)],
    ids=["bad key", "no credits"],
)
async def test_a_key_that_pays_for_nothing_is_asked_with_once_and_tried_again_once_later(
    bench: Bench, dsn: str, sandbox: Running, key: str, verdict: Verdict
) -> None:
    state = sandbox.state
    async with (
        Database.open(dsn) as other,
        process(bench.db, sandbox, key) as here,
        process(other, sandbox, key) as there,
    ):
        results = [
            await asked(here, bench, "people_data_labs", 1),
            await asked(here, bench, "people_data_labs", 2),
            await asked(there, bench, "people_data_labs", 3),
        ]
        assert [one.verdict for one in results] == [verdict] * 3
        assert state.requests["people_data_labs"] == 1
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("update glaze.vendor_room set until = clock_timestamp()")
        again = [asked(there, bench, "people_data_labs", number) for number in range(4, 9)]
        assert {one.verdict for one in await asyncio.gather(*again)} == {verdict}
    assert state.requests["people_data_labs"] == 2


async def test_a_bad_key_stops_only_itself_and_the_next_key_goes_at_once(
    bench: Bench, sandbox: Running
) -> None:
    async with process(bench.db, sandbox, "refused") as bad:
        assert isinstance(await asked(bad, bench, "people_data_labs", 1), Declined)
        assert isinstance(await asked(bad, bench, "github", 1), Declined)
        async with process(bench.db, sandbox) as good:
            assert isinstance(await asked(good, bench, "people_data_labs", 1), Answer)
        kept = await asked(bad, bench, "people_data_labs", 2)
    assert isinstance(kept, Declined)
    assert sandbox.state.requests["people_data_labs"] == 2


@pytest.mark.parametrize(
    "said",
    [Room(Cause.CREDITS, 0, 0.0, probe_s=60.0), Room(Cause.QUOTA, 0, 0.0, "told", probe_s=60.0)],
    ids=["no credits", "quota"],
)
async def test_what_was_said_against_a_key_ends_with_its_first_answer(
    bench: Bench, sandbox: Running, said: Room
) -> None:
    async with process(bench.db, sandbox) as gateway:
        access = (await gateway.credentials.of(DEFAULT_WORKSPACE)).to("people_data_labs")
        channel = gateway.channels.of(PROVIDERS["people_data_labs"].spec, access)
        store = LimitStore(bench.db)
        await store.tell("people_data_labs", "env", [said])
        assert channel.access.credential == "env"
        assert isinstance(await asked(gateway, bench, "people_data_labs", 1), Answer)
        assert isinstance(await asked(gateway, bench, "people_data_labs", 2), Answer)
    with psycopg.connect(bench.db.dsn) as conn:
        assert conn.execute(AGAINST).fetchone() == (0,)


@pytest.mark.parametrize(
    ("headers", "declared", "expected"),
    [
        ({"left": "3", "end": "30"}, RoomHeaders("left", 60, "end"), (3, 30.0)),
        ({"left": "3", "end": "1795348830"}, RoomHeaders("left", 60, "end"), (3, 30.0)),
        ({"left": "3", "end": "2026-11-22T12:00:30Z"}, RoomHeaders("left", 60, "end"), (3, 30.0)),
        ({"left": "3", "end": "6m0s"}, RoomHeaders("left", 60, "end"), (3, 360.0)),
        ({"left": "3", "end": "120ms"}, RoomHeaders("left", 60, "end"), (3, 0.12)),
        ({"left": "3", "end": "soon"}, RoomHeaders("left", 60, "end"), (3, 60.0)),
        ({"left": "1, 900", "end": "1, 77"}, RoomHeaders("left", 60, "end", place=1), (900, 77.0)),
        ({"left": "{'minute': 12, 'day': None}"}, RoomHeaders("left", 60, key="minute"), (12, 60.0)),
        ({"left": "{'minute': 12, 'day': None}"}, RoomHeaders("left", 60, key="day"), None),
        ({"left": ""}, RoomHeaders("left", 60), None),
        ({"left": "-1"}, RoomHeaders("left", 60), None),
        ({}, RoomHeaders("left", 60), None),
    ],
)  # fmt: skip
def test_a_vendors_count_is_read_as_that_vendor_writes_it(
    headers: dict[str, str], declared: RoomHeaders, expected: tuple[int, float] | None
) -> None:
    found = [(one.calls_left, one.wait_s) for one in rooms({**headers, "date": DATE}, [declared])]
    assert found == ([] if expected is None else [pytest.approx(expected)])


def test_a_wait_of_more_than_an_hour_is_a_quota_that_nobody_waits_for() -> None:
    assert pause(30.0).cause is Cause.PAUSE
    assert pause(7_200.0).cause is Cause.QUOTA


def test_a_quota_is_tried_again_each_hour_for_a_new_key_or_plan_ends_it_sooner() -> None:
    a_month = {"left": "0", "end": "2592000", "date": DATE}
    told = [pause(2_592_000.0), *rooms(a_month, [RoomHeaders("left", 2_592_000, "end")])]
    assert [(one.cause, one.calls_left, one.wait_s) for one in told] == [
        (Cause.QUOTA, 0, 3_600.0)
    ] * 2
    assert all(one.probe_s for one in told)
