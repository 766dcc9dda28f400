"""Rate limits that many processes share: no window ever holds more grants than it allows."""

import asyncio
from datetime import datetime, timedelta

from glaze.model.provider import Limit
from glaze.store.database import Database
from glaze.store.limit import LimitStore, allowance_s

LIMITS = (Limit(20, 1), Limit(50, 3))


async def grants_of(store: LimitStore, until: float) -> list[datetime]:
    """Take what there is until the loop's clock shows ``until``."""
    loop, granted = asyncio.get_running_loop(), []
    while loop.time() < until:
        taken = await store.take("titles", "env", LIMITS, 4)
        granted += [taken.at] * taken.granted
        await asyncio.sleep(min(taken.wait_s, 0.05))
    return granted


async def test_no_sliding_window_holds_more_grants_than_allowed_and_nearly_all_are_used(
    db: Database, dsn: str
):
    await LimitStore(db).declare("titles", "env", LIMITS)
    seconds = 5
    async with Database.open(dsn, size=2) as other, Database.open(dsn, size=2) as third:
        until = asyncio.get_running_loop().time() + seconds
        takers = [LimitStore(d) for d in (db, other, third)]
        several = await asyncio.gather(*(grants_of(taker, until) for taker in takers))
    granted = sorted(at for one in several for at in one)
    for limit in LIMITS:
        window = timedelta(seconds=limit.window_s)
        for first, past in zip(granted, granted[limit.calls :], strict=False):
            assert past - first > window
    # 20, 20, then the longer window binds: 10, and again after it has passed.
    assert len(granted) >= 50


async def test_a_lower_limit_takes_effect_and_a_pause_grants_nothing(db: Database):
    store = LimitStore(db)
    await store.declare("titles", "env", (Limit(5, 60),))
    await store.declare("titles", "env", (Limit(2, 60),))
    assert (await store.take("titles", "env", (Limit(2, 60),), 9)).granted == 2
    await store.declare("other", "env", (Limit(2, 60),))
    await store.hold_back("other", "env", 30.0)
    refused = await store.take("other", "env", (Limit(2, 60),), 1)
    assert refused.granted == 0
    assert 25 < refused.wait_s <= 30


async def test_a_process_whose_windows_another_one_dropped_gets_them_back(db: Database):
    store, ours = LimitStore(db), (Limit(2, 60),)
    await store.declare("titles", "env", ours)
    await store.declare("titles", "env", (Limit(9, 1),))
    assert (await store.take("titles", "env", ours, 1)).granted == 0
    assert (await store.take("titles", "env", ours, 1)).granted == 1


def test_a_permit_may_be_used_for_a_small_part_of_its_window():
    assert allowance_s(Limit(10, 1)) == 0.05
    assert allowance_s(Limit(10, 3600)) == 1.0
