"""The feed shows every event once, whatever order transactions commit in."""

import asyncio

import psycopg
import pytest
from psycopg import AsyncConnection

from glaze.errors import InputError
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.store import event
from glaze.store.database import Database
from glaze.store.event import START, Cursor, EventStore, NewEvent
from glaze.store.statements import Statements, statements

WS = DEFAULT_WORKSPACE
HANG_S = 30.0


async def write(conn: AsyncConnection, type_: str) -> None:
    await conn.execute("insert into glaze.event (workspace_id, type) values (1, %s)", (type_,))


async def read_until(store: EventStore, cursor: Cursor, last: str) -> tuple[list[str], Cursor]:
    """Read on until ``last`` was seen: other databases of the server may hold the feed back."""
    seen: list[str] = []
    async with asyncio.timeout(HANG_S):
        while last not in seen:
            events, cursor = await store.feed(WS, cursor, 2)
            seen += [event.type for event in events]
            await asyncio.sleep(0.01)
    return seen, cursor


async def resuming_reader_misses_nothing(dsn: str, store: EventStore) -> None:
    """The lower id commits after the higher one, and after the reader has passed by."""
    async with (
        await AsyncConnection.connect(dsn) as slow,
        await AsyncConnection.connect(dsn) as quick,
    ):
        await write(slow, "slow")
        await write(quick, "quick")
        await quick.commit()
        early, cursor = await store.feed(WS, START)
        await slow.commit()
        await write(quick, "last")
        await quick.commit()
        late, _ = await read_until(store, cursor, "last")
    assert sorted([*(event.type for event in early), *late]) == ["last", "quick", "slow"]


async def test_an_event_committed_out_of_order_reaches_a_resuming_reader(
    db: Database, dsn: str
) -> None:
    await resuming_reader_misses_nothing(dsn, EventStore(db))


async def test_mutant_that_reads_by_id_alone_loses_the_late_event(
    db: Database, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant = Statements.__new__(Statements)
    mutant._by_name = dict(statements("event")._by_name)
    for clause, instead in (
        (
            "(e.xid, e.id) > (%(xid)s::text::xid8, %(id)s::bigint)",
            "e.id > %(id)s and %(xid)s <> ''",
        ),
        ("and e.xid < pg_snapshot_xmin(pg_current_snapshot())", ""),
    ):
        assert clause in mutant["feed"]
        mutant._by_name["feed"] = mutant["feed"].replace(clause, instead)
    monkeypatch.setattr(event, "statements", lambda _file: mutant)
    with pytest.raises(AssertionError):
        await resuming_reader_misses_nothing(dsn, EventStore(db))


async def test_a_reader_at_the_tail_sees_only_what_comes_after(db: Database, dsn: str) -> None:
    store = EventStore(db)
    await store.append(WS, [NewEvent("before", {"text": "a\x00b"})])
    await read_until(store, START, "before")
    tail = await store.tail(WS)
    await store.append(WS, [NewEvent("after", None)])
    seen, _ = await read_until(store, tail, "after")
    assert seen == ["after"]
    with psycopg.connect(dsn) as conn:
        conn.execute("select 1")


async def test_the_feed_goes_on_from_its_cursor_page_by_page(db: Database) -> None:
    store = EventStore(db)
    await store.append(WS, [NewEvent(f"e{n}", n) for n in range(7)])
    seen, cursor = await read_until(store, START, "e6")
    assert seen == [f"e{n}" for n in range(7)]
    assert await store.feed(WS, Cursor.parse(str(cursor))) == ([], cursor)


@pytest.mark.parametrize("text", ["", "7", "-", "a-b", "1-2-3", "1--2", "9" * 30 + "-1"])
def test_a_malformed_cursor_is_the_callers_mistake(text: str) -> None:
    with pytest.raises(InputError):
        Cursor.parse(text)
