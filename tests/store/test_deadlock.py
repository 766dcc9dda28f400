"""What PostgreSQL broke off because two waited for each other is done again, and both stand."""

import asyncio

import pytest

from glaze.errors import StoreUnavailable
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.store.database import Database
from glaze.store.deadlock import past_deadlocks

COUNT_UP = "update schema_probe set n = n + 1 where id = %s"


async def test_two_that_wait_for_each_other_both_end(db: Database, dsn: str) -> None:
    import psycopg  # noqa: PLC0415  the table is the owner's to make

    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("create table glaze.schema_probe (id int primary key, n int not null)")
        owner.execute("insert into glaze.schema_probe values (1, 0), (2, 0)")
        owner.execute("grant select, update on glaze.schema_probe to glaze_app")
        both = asyncio.Barrier(2)
        tries: list[int] = []

        async def crossing(first: int, second: int) -> None:
            async def once() -> None:
                tries.append(first)
                async with db.workspace(DEFAULT_WORKSPACE) as conn:
                    await (await conn.execute(COUNT_UP + " returning id", (first,))).fetchall()
                    if tries.count(first) == 1:
                        await both.wait()
                    await (await conn.execute(COUNT_UP + " returning id", (second,))).fetchall()

            await past_deadlocks(once)

        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            tasks.create_task(crossing(1, 2))
            tasks.create_task(crossing(2, 1))
        assert len(tries) >= 3  # the one done again may meet the other once more
        assert owner.execute("select array_agg(n) from glaze.schema_probe").fetchone() == ([2, 2],)


async def test_what_is_no_deadlock_is_not_done_again() -> None:
    tries = 0

    async def gone() -> None:
        nonlocal tries
        tries += 1
        raise StoreUnavailable("the server went away")

    with pytest.raises(StoreUnavailable):
        await past_deadlocks(gone)
    assert tries == 1
