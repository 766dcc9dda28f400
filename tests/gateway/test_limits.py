"""Rate limits that many processes share: no window ever holds more than it allows, here or there."""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from psycopg import connect

from glaze.errors import HeldBack
from glaze.model.provider import Limit
from glaze.pipeline.departure import SEND_WITHIN_S, Departure
from glaze.pipeline.limiter import DatabaseClock, Limiter, Permit
from glaze.store.database import Database
from glaze.store.limit import LimitStore, Slots, guard_s, use_within_s
from glaze_sandbox.faults import FaultKind, FaultSpec
from glaze_sandbox.limits import LimitSpec
from glaze_sandbox.server import serve
from glaze_sandbox.state import State, new_state

ROOT = Path(__file__).parents[2]
PROCESSES = 4
ROOMY_S = 1.0
"""A guard band for a machine that is busy with other things, too."""


@dataclass(frozen=True)
class Outcome:
    """What the processes were granted and sent."""

    granted: Sequence[datetime]
    sent: int


def slots(*limits: Limit, name: str = "titles") -> Slots:
    return Slots(name, "env", limits, (name,))


def over(granted: Sequence[datetime], limits: Sequence[Limit]) -> list[tuple[datetime, datetime]]:
    """The first and last of each ``calls`` + 1 grants that lie within a window."""
    return [
        (first, past)
        for limit in limits
        for first, past in zip(granted, granted[limit.calls :], strict=False)
        if past - first <= timedelta(seconds=limit.window_s)
    ]


async def four_processes(dsn: str, url: str, seconds: float, limits: Sequence[Limit]) -> Outcome:
    """Let four processes ask as fast as they may."""
    given = json.dumps([(li.calls, li.window_s, li.guard_s) for li in limits])
    command = [sys.executable, "-m", "tests.gateway.limit_process", dsn, url, str(seconds), given]
    started = [
        await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=ROOT)
        for _ in range(PROCESSES)
    ]
    told = [json.loads((await one.communicate())[0]) for one in started]
    granted = sorted(datetime.fromisoformat(at) for one in told for at in one["granted"])
    return Outcome(granted, sum(one["sent"] for one in told))


def strict_vendor(*limits: Limit) -> State:
    """A vendor that refuses what is over its limits, on a way that takes 100 ms longer at times."""
    state = new_state(companies=5)
    specs = [LimitSpec(vendor="serper", calls=li.calls, window_s=li.window_s) for li in limits]
    state.limits.replace(specs)
    detour = FaultSpec(kind=FaultKind.SLOW, vendor="serper", delay_s=0.1, probability=0.5)
    state.faults.add(detour)
    return state


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        pytest.param((Limit(20, 1, ROOMY_S),), None, id="a second"),
        pytest.param((Limit(20, 1, ROOMY_S), Limit(30, 60, ROOMY_S)), 30, id="second and minute"),
    ],
)
async def test_four_processes_on_one_limit_never_go_over_it_by_grants_or_at_the_vendor(
    dsn: str, limits: tuple[Limit, ...], most: int | None
) -> None:
    async with serve(strict_vendor(*limits)) as sandbox:
        outcome = await four_processes(dsn, sandbox.url, 4.0, limits)
        state = sandbox.state
    assert over(outcome.granted, limits) == []
    assert state.limits.violations["serper"] == 0
    assert state.requests["serper"] == outcome.sent > 0
    if most is not None:
        assert len(outcome.granted) == most
    assert max(b - a for a, b in pairwise(outcome.granted)) > timedelta(seconds=0.5)  # it did bind


async def test_a_permit_is_given_ahead_for_the_moment_when_its_slots_are_free(db: Database) -> None:
    store, ours = LimitStore(db), slots(Limit(3, 1, 0.0), Limit(9, 60))
    await store.declare(ours)
    first = await store.take(ours, 9)
    assert len(first.at) == 3
    assert list(first.ahead_s) == pytest.approx(
        [0.0, 0.01, 0.02]
    )  # a crowd that leaves at once comes back at once
    assert (await store.take(ours, 9)).at == ()
    with connect(db.dsn, autocommit=True) as conn:
        conn.execute("update glaze.rate_slot set free_at = free_at - interval '900 ms'")
        later = "select array_agg(free_at) from glaze.rate_slot where free_at > '-infinity' and window_s = 1"
        row = conn.execute(later).fetchone()
    ahead = await store.take(ours, 9)
    assert len(ahead.at) == 3
    assert all(at >= free_at for at, free_at in zip(ahead.at, row[0], strict=True))
    assert all(0 <= one <= 0.25 for one in ahead.ahead_s)


async def test_a_permit_that_was_not_used_is_there_for_the_next(db: Database) -> None:
    store, ours = LimitStore(db), slots(Limit(2, 60), Limit(9, 3600))
    await store.declare(ours)
    first = await store.take(ours, 2)
    await store.give_back(ours, first.at[:1])
    assert len((await store.take(ours, 2)).at) == 1


async def test_a_lower_limit_takes_effect(db: Database) -> None:
    store = LimitStore(db)
    await store.declare(slots(Limit(5, 60)))
    await store.declare(slots(Limit(2, 60)))
    assert len((await store.take(slots(Limit(2, 60)), 9)).at) == 2


async def test_a_process_whose_windows_another_one_dropped_gets_them_back(db: Database) -> None:
    store, ours = LimitStore(db), slots(Limit(2, 60))
    await store.declare(ours)
    await store.declare(slots(Limit(9, 1)))
    assert (await store.take(ours, 1)).at == ()
    assert len((await store.take(ours, 1)).at) == 1


def test_a_permit_may_be_used_for_part_of_the_guard_band_and_the_rest_is_for_the_way() -> None:
    for limit in (Limit(10, 1), Limit(10, 3600), Limit(10, 1, 0.5)):
        assert 0 < use_within_s(limit) < guard_s(limit)
    assert guard_s(Limit(10, 1)) == 0.04
    assert guard_s(Limit(10, 3600)) == 3.0
    assert guard_s(Limit(10, 1, 0.5)) == 0.5


def test_the_databases_clock_is_known_as_well_as_the_quickest_exchange_told() -> None:
    clock = DatabaseClock()
    moment = datetime(2026, 11, 22, 12).astimezone()
    assert clock.seen(moment, 100.0, 100.01) == pytest.approx((100.0, 100.01))
    early, late = clock.seen(moment + timedelta(seconds=1), 100.5, 101.4)  # a slow one
    assert late - early < 0.02
    early, late = clock.seen(moment + timedelta(seconds=90), 102.0, 102.3)  # it was set anew
    assert (early, late) == pytest.approx((102.0, 102.3))


async def free_again(db: Database) -> int:
    """Return how many slots of the minute nobody holds."""
    async with db.fleet() as conn:
        asked = "select count(*) as n from rate_slot where free_at <= clock_timestamp()"
        row = await (await conn.execute(asked)).fetchone()
    assert row is not None
    return int(row["n"])


def departure(limiter: Limiter, permit: Permit, *, begun: float | None = None) -> Departure:
    now = time.monotonic()
    return Departure(limiter, permit, begun=now if begun is None else begun, has_room=lambda: True)


async def test_a_call_that_was_long_in_connecting_leaves_by_another_permit(db: Database) -> None:
    minute = Limit(5, 60, 0.25)
    async with asyncio.TaskGroup() as tasks:
        limiter = Limiter(LimitStore(db), tasks, slots(minute))
        permit = await limiter.permit()
        assert isinstance(permit, Permit)
        leaving = departure(limiter, permit)
        await asyncio.sleep(2 * use_within_s(minute))  # it connects
        await leaving()
        await leaving()  # a second request of the same call
        await leaving.close()
        assert await free_again(db) == 4
        later = await limiter.permit()
        assert isinstance(later, Permit)
        assert later.lead_s > use_within_s(minute)  # the next has as long to connect


async def test_a_permit_with_which_nothing_left_is_anothers(db: Database) -> None:
    async with asyncio.TaskGroup() as tasks:
        limiter = Limiter(LimitStore(db), tasks, slots(Limit(5, 60)))
        permit = await limiter.permit()
        assert isinstance(permit, Permit)
        assert await free_again(db) == 4
        await departure(limiter, permit).close()  # the provider had nothing to ask
        assert await free_again(db) == 5


async def test_a_call_whose_intent_is_old_does_not_leave(db: Database) -> None:
    async with asyncio.TaskGroup() as tasks:
        limiter = Limiter(LimitStore(db), tasks, slots(Limit(5, 60)))
        permit = await limiter.permit()
        assert isinstance(permit, Permit)
        leaving = departure(limiter, permit, begun=time.monotonic() - SEND_WITHIN_S - 0.1)
        with pytest.raises(HeldBack):
            await leaving()
        await leaving.close()
        assert "too long" in str(leaving.refused)
        assert await free_again(db) == 5
