"""The callers' own records: by their ids, renewed by what they give, written back by what is found."""

import asyncio

import psycopg
import pytest

from glaze.errors import InputError
from glaze.model.value import DEFAULT_WORKSPACE, JobId, WorkspaceId
from glaze.store.database import Database
from glaze.store.record import RecordKind, RecordStore

LEAD, ACCOUNT = RecordKind.LEAD, RecordKind.ACCOUNT
WS = DEFAULT_WORKSPACE


@pytest.fixture
def records(db: Database) -> RecordStore:
    return RecordStore(db)


async def test_a_record_is_known_by_kind_and_id(records):
    await records.put(WS, LEAD, {"7": {"email": "ada@acme.com"}, "8": {"name": "Bob"}})
    await records.put(WS, ACCOUNT, {"7": {"domain": "acme.com"}})
    found = await records.get(WS, LEAD, ["8", "7", "9"])
    assert {key: record.input for key, record in found.items()} == {
        "7": {"email": "ada@acme.com"},
        "8": {"name": "Bob"},
    }
    assert found["7"].data is None
    assert (await records.get(WS, ACCOUNT, ["7"]))["7"].input == {"domain": "acme.com"}


async def test_new_input_replaces_the_old_and_what_was_found_stays(records):
    await records.put(WS, LEAD, {"7": {"email": "ada@acme.com"}})
    assert await records.write_back(WS, LEAD, "7", {"person_title": {"value": "CTO"}}, JobId(4))
    await records.put(WS, LEAD, {"7": {"email": "ada@example.com"}})
    record = (await records.get(WS, LEAD, ["7"]))["7"]
    assert record.input == {"email": "ada@example.com"}
    assert record.data == {"person_title": {"value": "CTO"}}
    assert record.job_id == 4


async def test_a_later_job_lays_its_fields_over_and_an_older_one_changes_nothing(records):
    await records.put(WS, LEAD, {"7": {"name": "Ada"}})
    await records.write_back(WS, LEAD, "7", {"a": 1, "b": 1}, JobId(4))
    assert await records.write_back(WS, LEAD, "7", {"b": 2}, JobId(5))
    assert not await records.write_back(WS, LEAD, "7", {"a": 9, "b": 9}, JobId(3))
    record = (await records.get(WS, LEAD, ["7"]))["7"]
    assert record.data == {"a": 1, "b": 2}
    assert record.job_id == 5


async def test_what_was_never_given_is_not_written_to(records):
    assert not await records.write_back(WS, LEAD, "7", {"a": 1}, JobId(1))
    assert await records.get(WS, LEAD, ["7"]) == {}


async def test_giving_the_same_again_renews_nothing(records):
    await records.put(WS, LEAD, {"7": {"name": "Ada"}})
    first = (await records.get(WS, LEAD, ["7"]))["7"]
    await records.put(WS, LEAD, {"7": {"name": "Ada"}})
    assert (await records.get(WS, LEAD, ["7"]))["7"] == first


async def test_two_who_give_the_same_records_at_once_do_not_wait_for_each_other(records):
    ids = [str(n) for n in range(300)]
    async with asyncio.TaskGroup() as group:
        for order in (ids, ids[::-1]) * 4:
            group.create_task(records.put(WS, LEAD, {key: {"name": order[0]} for key in order}))
    assert len(await records.get(WS, LEAD, ids)) == 300


async def test_another_workspace_sees_none_of_it(dsn, records):
    with psycopg.connect(dsn, autocommit=True) as conn:
        row = conn.execute(
            "insert into glaze.workspace (name) values ('other') returning id"
        ).fetchone()
    other = WorkspaceId(row[0])
    await records.put(WS, LEAD, {"7": {"name": "Ada"}})
    assert await records.get(other, LEAD, ["7"]) == {}
    assert not await records.write_back(other, LEAD, "7", {"a": 1}, JobId(9))
    await records.put(other, LEAD, {"7": {"name": "Eve"}})
    assert (await records.get(WS, LEAD, ["7"]))["7"].input == {"name": "Ada"}


async def test_text_that_postgresql_cannot_hold_is_mended_and_what_is_no_json_refused(records):
    await records.put(WS, LEAD, {"7": {"name": "A\x00da"}})
    assert (await records.get(WS, LEAD, ["7"]))["7"].input == {"name": "A\ufffdda"}
    with pytest.raises(InputError):
        await records.put(WS, LEAD, {"8": {"name": object()}})
