"""Calls under way at one vendor: a cap of the whole fleet, shared fairly, that a dead process gives back."""

import asyncio
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiohttp import web
from psycopg import connect

from glaze.pipeline.asking import Answer
from glaze.pipeline.seats import LEASE_SLACK_S, Seats
from glaze.store.database import Database
from glaze.store.seat import Cap, SeatStore
from tests.gateway.conftest import Bench, answering, question

ROOT = Path(__file__).parents[2]
PROCESSES = 4
HELD = (
    "select holder, count(*) from glaze.vendor_seat where until > clock_timestamp() group by holder"
)


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
    vendor_that_counts.gate.set()
    provider = bench.provider()
    provider.spec = replace(provider.spec, concurrency=2)
    (job,) = await bench.claimed()
    asker = await bench.asker(job)
    bench.vendor.url = vendor_that_counts.url
    async with bench.gateway() as gateway, asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(gateway.ask(question(provider, asker, "next-1@x.com")))
        claimed = "select count(*) as n from seat_claim where wanted = 1"
        while not (await bench.rows(claimed))[0]["n"]:  # noqa: ASYNC110  it tells nobody
            await asyncio.sleep(0.02)
        assert vendor_that_counts.by == {"killed": 2}
        leases = (
            "select extract(epoch from until - clock_timestamp())::float8 as s from vendor_seat"
        )
        left = [row["s"] for row in await bench.rows(leases)]
        longest = provider.spec.operations[0].timeout_s + LEASE_SLACK_S
        assert all(longest - 5 < s <= longest for s in left)
        async with bench.db.fleet() as conn:  # the time of the lease passes
            await conn.execute("update vendor_seat set until = until - interval '10 s'")
        assert isinstance(await asking, Answer)
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


async def test_a_call_whose_lease_could_not_be_renewed_is_not_sent(db: Database):
    longest_s = 0.5
    cap = Cap("titles", "env", uuid.uuid4(), 2, longest_s + LEASE_SLACK_S)
    async with asyncio.TaskGroup() as tasks:
        seats = Seats(SeatStore(db), tasks, replace(cap, lease_s=1.5))
        with connect(db.dsn) as conn:
            async with seats.one():
                assert seats.covers(longest_s)
                conn.execute("select from glaze.vendor_seat for update")  # renewals hang
                while seats.covers(longest_s):  # noqa: ASYNC110  as time passes
                    await asyncio.sleep(0.05)
                assert not seats.covers(longest_s)
            seats.close()


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
