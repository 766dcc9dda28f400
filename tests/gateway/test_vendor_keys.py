"""Vendors' keys of workspaces' own (S2): sealed at rest, opened for one call, exchanged while all goes on."""

import asyncio
import stat
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiohttp import web

from glaze.errors import InputError, SecretsUnavailable, SecretUnreadable
from glaze.model.provider import Ask, Limit, Reply, Unbilled, VendorHttp, Verdict
from glaze.model.value import DEFAULT_WORKSPACE, WorkspaceId
from glaze.net.client import HttpClient
from glaze.pipeline.asking import Access, Answer, Declined
from glaze.pipeline.credentials import Credentials, Sharing
from glaze.pipeline.gateway import Gateway
from glaze.pipeline.vendor_keys import VendorKeys
from glaze.secrets.wrapping import KeyCommand, OwnKeys, Wrapping, new_key_text
from glaze.store.limit import LimitStore
from glaze.store.vendor_key import VendorKeyStore
from glaze.store.workspace import WorkspaceStore
from tests.gateway.conftest import Bench, Titles, answering, question

MINE, THEIRS = DEFAULT_WORKSPACE, WorkspaceId(2)


class Doorkeeper(Titles):
    """The titles' provider, which shows its key; the vendor answers 401 to one that it does not know."""

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        del operation
        emails = [str(ask.known["person_email"]) for ask in asks]
        shown = {"Authorization": f"Bearer {http.key}"}
        url = f"{http.base_url}/keyed"
        answer = await http.request("POST", url, json={"emails": emails}, headers=shown)
        if answer.status == 401:
            return [Reply(Verdict.AUTH, Unbilled(), detail=answer.body.decode())] * len(asks)
        return [Reply(Verdict.NO_MATCH, Unbilled(), raw=answer.body)] * len(asks)


class Door:
    """A vendor that knows some keys, and remembers what it was shown."""

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.shown: list[str] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        key = request.headers["Authorization"].removeprefix("Bearer ")
        self.shown.append(key)
        if key not in self.known:
            return web.Response(status=401, text=f"no such key: {key}", headers={"x-key": key})
        return web.json_response({})


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    door = Door()
    async with answering("/keyed", door.answer) as door.url:
        yield door


def keys_of(bench: Bench, wrapping: Wrapping | None) -> VendorKeys:
    """The keys as another process would have them: it remembers nothing."""
    return VendorKeys(VendorKeyStore(bench.db), wrapping)


@asynccontextmanager
async def gateway(bench: Bench, credentials: Credentials) -> AsyncIterator[Gateway]:
    async with (
        HttpClient() as http,
        Gateway.open(
            ledger=bench.ledger,
            limits=LimitStore(bench.db),
            entities=bench.entities,
            http=http,
            credentials=credentials,
        ) as opened,
    ):
        yield opened


def at(door: Door, key: str = "") -> Mapping[str, Access]:
    return {"titles": Access("env" if key else "none", key, door.url)}


async def ask(bench: Bench, opened: Gateway, door: Door, email: str) -> Answer | Declined:
    (job,) = await bench.claimed()
    provider = Doorkeeper(door.url, batch_size=1, limits=(Limit(10_000, 60),))
    return await opened.ask(question(provider, await bench.asker(job), email))


def exchange(file: Path, text: str) -> None:
    """Put a file in another's place: whoever reads it reads the one or the other."""
    newer = file.with_suffix(".new")
    newer.write_text(text)
    newer.replace(file)


@pytest.fixture
def own() -> OwnKeys:
    text = new_key_text()
    return OwnKeys(lambda: text)


async def test_what_is_kept_opens_where_it_was_sealed_and_nowhere_it_was_moved_to(
    bench: Bench, dsn: str, own: OwnKeys
):
    keys = keys_of(bench, own)
    await WorkspaceStore(bench.db).create("theirs")
    await keys.put(MINE, "apollo", "the key of mine at apollo")
    await keys.put(MINE, "hunter", "the key of mine at hunter")
    await keys.put(THEIRS, "apollo", "the key of theirs at apollo")
    opened = await keys_of(bench, own).open(MINE, "apollo")
    assert opened is not None
    assert opened.text == "the key of mine at apollo"
    assert "the key" not in repr(opened)

    moves = (
        # to another provider of the same workspace
        (
            "update vendor_key set sealed = (select sealed from vendor_key where workspace_id = 1"
            " and provider = 'apollo') where workspace_id = 1 and provider = 'hunter'"
        ),
        # to another workspace, alone and with the data key that opens it
        (
            "update vendor_key set sealed = (select sealed from vendor_key where workspace_id = 1"
            " and provider = 'apollo') where workspace_id = 2"
        ),
        (
            "update data_key set wrapped = (select wrapped from data_key where workspace_id = 1)"
            " where workspace_id = 2"
        ),
        # changed in one bit
        (
            "update vendor_key set sealed = set_bit(sealed, 200, 1 - get_bit(sealed, 200))"
            " where workspace_id = 1 and provider = 'apollo'"
        ),
    )
    moved = ((MINE, "hunter"), (THEIRS, "apollo"), (THEIRS, "apollo"), (MINE, "apollo"))
    with psycopg.connect(dsn, autocommit=True, options="-c search_path=glaze") as owner:
        for move, (workspace_id, provider) in zip(moves, moved, strict=True):
            assert owner.execute(move.encode()).rowcount == 1
            with pytest.raises(SecretUnreadable) as refused:
                await keys_of(bench, own).open(workspace_id, provider)
            assert "the key of mine" not in str(refused.value)


async def test_without_its_key_encryption_key_nothing_opens_and_nothing_is_kept(
    bench: Bench, own: OwnKeys
):
    await keys_of(bench, own).put(MINE, "apollo", "a key that was set")
    other = new_key_text()
    with pytest.raises(SecretUnreadable, match="not among those given"):
        await keys_of(bench, OwnKeys(lambda: other)).open(MINE, "apollo")
    for refused in (
        keys_of(bench, None).open(MINE, "apollo"),
        keys_of(bench, None).put(MINE, "hunter", "x"),
    ):
        with pytest.raises(SecretsUnavailable, match="GLAZE_KEY_FILE"):
            await refused
    for impossible in ("", "  \n", "two\nlines", "naïve", "x" * 1001):
        with pytest.raises(InputError):
            await keys_of(bench, own).put(MINE, "hunter", impossible)
    assert [one.provider for one in await keys_of(bench, own).list(MINE)] == ["apollo"]


async def test_keys_are_exchanged_under_load_without_one_failed_call(
    bench: Bench, door: Door, tmp_path: Path
):
    file = tmp_path / "keys"
    first = new_key_text()
    file.write_text(first)
    wrapping = OwnKeys(file.read_text)
    keys = keys_of(bench, wrapping)
    door.known = {f"vendor key number {n} of the workspace" for n in range(9)}
    await keys.put(MINE, "titles", "vendor key number 0 of the workspace")
    done, results, answered = asyncio.Event(), [], asyncio.Semaphore(0)

    async def load(worker: int, opened: Gateway) -> None:
        n = 0
        while not done.is_set():
            n += 1
            results.append(await ask(bench, opened, door, f"w{worker}n{n}@x.com"))
            answered.release()

    async with (
        # Two processes that use the keys, and a third that exchanges them.
        gateway(bench, Credentials(at(door), keys_of(bench, wrapping))) as one,
        gateway(bench, Credentials(at(door), keys_of(bench, wrapping))) as two,
        asyncio.TaskGroup() as group,
    ):
        for worker, opened in enumerate((one, two) * 2):
            group.create_task(load(worker, opened))
        wrapped_by = set()
        for n in range(1, 9):
            for _ in range(8):
                await answered.acquire()
            newest = new_key_text()
            exchange(file, f"{newest}\n{file.read_text()}")
            assert await keys_of(bench, wrapping).rewrap([MINE]) == 1
            exchange(file, newest)  # the old one is gone
            await keys.put(MINE, "titles", f"vendor key number {n} of the workspace")
            kept = await VendorKeyStore(bench.db).data_key(MINE)
            assert kept is not None
            wrapped_by.add(kept.wrapped_by)
        for _ in range(8):
            await answered.acquire()
        done.set()
    assert len(wrapped_by) == 8
    assert len(results) >= 64
    failed = [one for one in results if not isinstance(one, Answer)]
    assert not failed
    assert set(door.shown) == door.known
    assert door.shown[-1].startswith("vendor key number 8")
    assert first not in file.read_text()


async def test_a_workspaces_own_key_wins_pays_alone_and_stops_alone(
    bench: Bench, door: Door, own: OwnKeys
):
    keys = keys_of(bench, own)
    door.known = {"the key of the installation"}
    credentials = Credentials(at(door, "the key of the installation"), keys)
    async with gateway(bench, credentials) as opened:
        assert isinstance(await ask(bench, opened, door, "a@x.com"), Answer)
        await keys.put(MINE, "titles", "a key that the vendor does not know")
        credentials.renew(MINE)
        refused = await ask(bench, opened, door, "b@x.com")
        assert isinstance(refused, Declined)
        assert refused.verdict is Verdict.AUTH
        assert "a key that the vendor" not in refused.detail
        again = await ask(bench, opened, door, "c@x.com")
        assert isinstance(again, Declined)
        assert door.shown == ["the key of the installation", "a key that the vendor does not know"]

        # The same question by another key is another question; what was said is said of one key.
        credentials_of = await bench.rows("select credential from question order by id")
        assert [one["credential"] for one in credentials_of] == ["env", "workspace 1"]
        told = await LimitStore(bench.db).take(_slots("env"), 1)
        assert len(told.at) == 1

        door.known.add("a key that it knows by now")
        await keys.put(MINE, "titles", "a key that it knows by now")
        credentials.renew(MINE)
        assert isinstance(await ask(bench, opened, door, "d@x.com"), Answer)
        await keys.forget(MINE, "titles")
        credentials.renew(MINE)
        assert isinstance(await ask(bench, opened, door, "e@x.com"), Answer)
    assert door.shown[-2:] == ["a key that it knows by now", "the key of the installation"]


def _slots(credential: str) -> Any:
    from glaze.store.limit import Slots  # noqa: PLC0415

    return Slots("titles", credential, (Limit(10_000, 60),), ("titles",), "")


async def test_a_key_that_was_forgotten_elsewhere_is_not_used_once_more(
    bench: Bench, door: Door, own: OwnKeys
):
    door.known = {"a key of the workspace's own"}
    keys = keys_of(bench, own)
    await keys.put(MINE, "titles", "a key of the workspace's own")
    async with gateway(bench, Credentials(at(door), keys_of(bench, own))) as opened:
        assert isinstance(await ask(bench, opened, door, "a@x.com"), Answer)
        await keys.forget(MINE, "titles")
        declined = await ask(bench, opened, door, "b@x.com")
    assert isinstance(declined, Declined)
    assert len(door.shown) == 1
    (open_,) = await bench.rows("select count(*) from call where state = 'sending'")
    assert open_["count"] == 0


async def test_other_workspaces_spend_the_installations_key_only_where_it_is_shared():
    installed = {
        name: Access("env", f"installed key of {name}", "https://x")
        for name in ("apollo", "llm", "github")
    }
    needed = {"apollo": "APOLLO_API_KEY", "llm": "LLM_API_KEY"}
    alone = Credentials(installed, needed=needed, sharing=Sharing())
    assert not (await alone.of(MINE)).unusable
    theirs = await alone.of(THEIRS)
    assert theirs.unusable.keys() == {"apollo", "llm"}
    assert "set-key apollo" in theirs.unusable["apollo"]
    assert [theirs.to(name).credential for name in installed] == ["none"] * 3
    assert not any(theirs.to(name).key for name in installed)
    some = await Credentials(installed, needed=needed, sharing=Sharing(frozenset({"llm"}))).of(
        THEIRS
    )
    assert some.unusable.keys() == {"apollo"}
    assert some.to("llm").key == "installed key of llm"
    every = await Credentials(installed, needed=needed, sharing=Sharing(everything=True)).of(THEIRS)
    assert not every.unusable


KMS = """#!/bin/sh
# Stands for a key management service: it keeps what it wraps, under the context that it was told.
echo "$1 $2" >> "$0.log"
case $1 in
  wrap) cat > "$0.kept"; echo "$2" > "$0.context"; echo "d3JhcHBlZA==" ;;
  unwrap) [ "$(cat "$0.context")" = "$2" ] && [ "$(cat)" = "d3JhcHBlZA==" ] || { echo denied >&2; exit 3; }
    cat "$0.kept" ;;
esac
"""


async def test_a_command_wraps_and_unwraps_in_place_of_a_key_of_ours(bench: Bench, tmp_path: Path):
    command = tmp_path / "kms"
    command.write_text(KMS)
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    wrapping = KeyCommand(str(command))
    keys = keys_of(bench, wrapping)
    await keys.put(MINE, "apollo", "a key under a service's")
    for _ in range(2):
        opened = await keys.open(MINE, "apollo")
        assert opened is not None
        assert opened.text == "a key under a service's"
    # asked once: a data key is remembered for a while
    assert (tmp_path / "kms.log").read_text().splitlines() == [
        "wrap workspace 1",
        "unwrap workspace 1",
    ]
    assert await keys.rewrap([MINE]) == 1  # a service has versions of its own
    (tmp_path / "kms.context").write_text("workspace 2")
    with pytest.raises(SecretsUnavailable, match="ended with 3: denied"):
        await keys_of(bench, wrapping).open(MINE, "apollo")
    with pytest.raises(SecretsUnavailable, match="cannot be run"):
        await keys_of(bench, KeyCommand(str(tmp_path / "none"))).open(MINE, "apollo")
