"""Session locks on a real PostgreSQL: one holder, and none that outlives its connection."""

import psycopg

from glaze.store.lock import session_lock


async def test_one_holds_a_lock_until_it_lets_go(dsn: str) -> None:
    async with session_lock(dsn, b"file") as mine, session_lock(dsn, b"file") as other:
        assert await mine.hold()
        assert await mine.hold()
        assert not await other.hold()
        async with session_lock(dsn, b"another file") as third:
            assert await third.hold()
        await mine.let_go()
        assert await other.hold()


async def test_a_lock_whose_connection_was_lost_is_taken_anew_unless_another_came_first(
    dsn: str,
) -> None:
    async with session_lock(dsn, b"file") as mine, session_lock(dsn, b"file") as other:
        assert await mine.hold()
        lose_locks(dsn)
        assert await mine.hold()
        assert not await other.hold()
        lose_locks(dsn)
        assert await other.hold()
        assert not await mine.hold()


def lose_locks(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(
            "select pg_terminate_backend(pid, 5000) from pg_locks"
            " where locktype = 'advisory' and granted and"
            " database = (select oid from pg_database where datname = current_database())"
        )
