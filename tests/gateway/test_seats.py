"""Calls under way at one vendor: a cap of the whole fleet, shared fairly, that a dead process gives back."""

import asyncio
import sys
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiohttp import web
from psycopg import connect
from structlog.testing import capture_logs

from glaze.pipeline.asking import Access, Answer
from glaze.pipeline.seats import Seats
from glaze.store.database import Database
from glaze.store.seat import Cap, SeatStore
from tests.gateway.conftest import Bench, answering, question
from tests.gateway.seat_process import LEASE_S

ROOT = Path(__file__).parents[2]
PROCESSES = 4
HELD = (
    "select holder, count(*) from glaze.vendor_seat where until > clock_timestamp() group by holder"
)
TAKE = """
    update glaze.vendor_seat set holder = %s, until = clock_timestamp() + interval '30 s'
    where until <= clock_timestamp()
"""


@dataclass
class Counter:
    """A vendor that takes a while, and counts what is under way: now, at most, and from whom."""

    url: str = ""
    now: int = 0
    most: int = 0
    takes_s: float = 0.2
    by: dict[str, int] = field(default_factory=dict)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    some: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle(self, request: web.Request) -> web.Response:
        (email,) = (await request.json())["emails"]
        self.now += 1
        self.most = max(self.most, self.now)
        name = email.partition("-")[0]
        self.by[name] = self.by.get(name, 0) + 1
        async with self.some:
            self.some.notify_all()
        try:
            await asyncio.sleep(self.takes_s)
            if self.takes_s == 0:
                await self.gate.wait()
        finally:
            self.now -= 1
        body = {"titles": {email: "Chief"}, "billing": "billed", "price": 1}
        return web.json_response(body)

    async def reaches(self, n: int) -> None:
        async with self.some:
            await self.some.wait_for(lambda: self.now >= n)


@pytest.fixture
async def vendor_that_counts() -> AsyncIterator[Counter]:
    counter = Counter()
    async with answering("/title", counter.handle) as counter.url:
        yield counter
        counter.gate.set()


async def start(dsn: str, url: str, cap: int, seconds: float, names: Sequence[str]):
    """Start one process a name; all have begun when this returns."""
    given = [dsn, url]
    started = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.gateway.seat_process", *given, name, str(cap)),
            str(seconds),
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        for name in names
    ]
    for one in started:
        assert one.stdout is not None
        assert await one.stdout.readline() == b"ready\n"
    return started


@pytest.mark.parametrize("cap", [6, 2], ids=["more seats than processes", "fewer"])
async def test_four_processes_never_have_more_calls_under_way_than_the_cap_and_each_has_its_part(
    dsn: str, vendor_that_counts: Counter, cap: int
):
    names = [f"p{n}" for n in range(PROCESSES)]
    started = await start(dsn, vendor_that_counts.url, cap, 3.0, names)
    answers = [int((await one.communicate())[0].split()[-1]) for one in started]
    assert (
        cap / 2 < vendor_that_counts.most <= cap
    )  # a busy machine may not fill it; none passes it
    assert sum(vendor_that_counts.by.values()) == sum(answers)
    assert min(answers) > 0.2 * max(answers)
    with connect(dsn) as conn:  # and on leaving each gave back what it held
        assert conn.execute(HELD).fetchall() == []
        assert conn.execute("select count(*) from glaze.vendor_seat").fetchall() == [(cap,)]


async def test_what_a_killed_process_held_comes_free_with_its_lease_and_not_before(
    dsn: str, vendor_that_counts: Counter, bench: Bench
):
    vendor_that_counts.takes_s = 0  # until the gate opens
    (killed,) = await start(dsn, vendor_that_counts.url, 2, 600.0, ["killed"])
    await vendor_that_counts.reaches(2)
    killed.kill()
    await killed.communicate()
    ends = await bench.rows("select max(until) as at, count(*) as n from vendor_seat")
    vendor_that_counts.gate.set()
    provider = bench.provider()
    provider.spec = replace(provider.spec, concurrency=2)
    assert provider.spec.operations[0].timeout_s > LEASE_S  # calls may take longer than a lease
    (job,) = await bench.claimed()
    asker = await bench.asker(job)
    bench.vendor.url = vendor_that_counts.url
    async with bench.gateway() as gateway:
        await gateway.ask(question(provider, asker, "next-1@x.com"))
    (taken,) = await bench.rows("select created_at as at from call order by id desc limit 1")
    assert taken["at"] >= ends[0]["at"]
    assert vendor_that_counts.by == {"killed": 2, "next": 1}


async def test_a_vendor_without_a_declared_cap_costs_no_statement_and_no_row(bench: Bench):
    (job,) = await bench.claimed()
    asker = await bench.asker(job)
    with connect(bench.db.dsn, autocommit=True) as conn:  # who touches them fails
        conn.execute("drop table glaze.vendor_seat, glaze.seat_claim")
    async with bench.gateway() as gateway:
        assert isinstance(await gateway.ask(question(bench.provider(), asker, "a@x.com")), Answer)


def caps(most: int, processes: int) -> list[Cap]:
    """The caps of so many processes, the one whose claims come first at equal times first."""
    holders = sorted(uuid.uuid4() for _ in range(processes))
    return [Cap("titles", "env", holder, most, 30.0) for holder in holders]


async def test_alone_a_process_has_all_seats_and_with_others_an_even_share(db: Database):
    store, (ours, theirs, third) = SeatStore(db), caps(5, 3)
    await store.declare(ours)
    assert (await store.share(ours, keep=0, wanted=9)).held == 5
    none = await store.share(theirs, keep=0, wanted=9)
    assert none.held == 0
    told = await store.share(ours, keep=5, wanted=9)
    assert (told.held, told.share) == (5, 2)
    assert (await store.share(third, keep=0, wanted=1)).held == 0
    told = await store.share(ours, keep=2, wanted=9)  # three come free for the other two
    assert (told.held, told.share) == (2, 1)  # as it was told before they were
    assert (await store.share(third, keep=0, wanted=1)).held == 1
    assert (await store.share(theirs, keep=0, wanted=9)).held == 2
    told = await store.share(ours, keep=2, wanted=9)
    assert (told.held, told.share, told.crowded) == (2, 5, False)


async def test_where_seats_are_fewer_than_processes_who_waited_longest_is_next(db: Database):
    store, (last, first, second) = SeatStore(db), caps(1, 3)
    await store.declare(last)
    assert (await store.share(last, keep=0, wanted=1)).held == 1
    for waiting in (first, second):
        assert (await store.share(waiting, keep=0, wanted=1)).held == 0
    assert (await store.share(last, keep=1, wanted=1)).crowded
    assert (await store.share(last, keep=0, wanted=1, last=True)).held == 0
    assert (await store.share(second, keep=0, wanted=1)).held == 0  # first was there before
    assert (await store.share(last, keep=0, wanted=1)).held == 0
    assert (await store.share(first, keep=0, wanted=1)).held == 1


async def test_a_lower_cap_takes_effect_and_a_higher_one(db: Database):
    store, (before, after) = SeatStore(db), caps(4, 2)
    await store.declare(before)
    assert (await store.share(before, keep=0, wanted=4)).held == 4
    lower, higher = replace(after, most=2), replace(after, most=6)
    await store.declare(lower)
    assert (await store.share(lower, keep=0, wanted=9)).held == 0
    await store.share(before, keep=0, wanted=0)
    assert (await store.share(lower, keep=0, wanted=9)).held == 2
    held = (await store.share(higher, keep=2, wanted=9)).held
    assert (await store.share(higher, keep=held, wanted=9)).held == 6


async def test_a_call_whose_lease_could_not_be_renewed_is_not_sent(
    bench: Bench, vendor_that_counts: Counter
):
    provider = bench.provider()
    provider.spec = replace(provider.spec, concurrency=2)
    (job,) = await bench.claimed()
    asker = await bench.asker(job)
    access = Access("env", "key", vendor_that_counts.url)
    async with bench.gateway() as gateway:
        channel = gateway.channels.of(provider.spec, access)
        async with channel.room():
            assert channel.has_room
            with connect(bench.db.dsn) as conn:
                conn.execute("select from glaze.vendor_seat for update")  # renewals hang
                while channel.has_room:  # noqa: ASYNC110  as time passes
                    await asyncio.sleep(0.05)
        assert isinstance(await gateway.ask(question(provider, asker, "a@x.com")), Answer)


async def test_a_process_that_stood_still_past_its_lease_begins_no_call_and_tells_what_it_has(
    db: Database,
):
    store = SeatStore(db)
    thawed, next_one = caps(2, 2)
    thawed = replace(thawed, lease_s=0.4)
    begun: list[int] = []
    with capture_logs() as logs:
        async with asyncio.TaskGroup() as tasks:
            seats = Seats(store, tasks, thawed)
            async with seats.one(), seats.one():
                with connect(db.dsn) as conn:  # nothing else runs here meanwhile
                    time.sleep(0.6)  # noqa: ASYNC251  the process stands still
                    taken = conn.execute(TAKE, [next_one.holder]).rowcount
                assert taken == 2
                assert not seats.held

                async def third() -> None:
                    async with seats.one():
                        begun.append(len(begun))

                waiting = tasks.create_task(third())
                while not logs:  # noqa: ASYNC110  it tells nobody
                    await asyncio.sleep(0.02)
                assert not begun
                await store.share(next_one, keep=0, wanted=0)
            await waiting
            seats.close()
    assert logs[0] == {
        "event": "calls under way without a seat",
        "provider": "titles",
        "calls": 2,
        "log_level": "warning",
    }


async def test_an_asker_that_is_cancelled_leaves_its_seat_to_the_next(db: Database):
    cap = Cap("titles", "env", uuid.uuid4(), 1, 30.0)
    async with asyncio.TaskGroup() as tasks:
        seats = Seats(SeatStore(db), tasks, cap)

        async def sit() -> None:
            async with seats.one():
                pass

        async with seats.one():
            waiting = [tasks.create_task(sit()) for _ in range(3)]
            await asyncio.sleep(0)
            waiting[0].cancel()
        waiting[1].cancel()  # it was given the seat just now
        await asyncio.gather(*waiting, return_exceptions=True)
        assert not waiting[2].cancelled()
        seats.close()
