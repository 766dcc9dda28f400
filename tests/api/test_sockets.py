"""The same over a WebSocket (H4): told once and in order, to whom it is for, with a word at the end."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import psycopg
import pytest

from glaze.model.access import Scope
from glaze.model.job import NewJob
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.settings import Settings
from tests.api.conftest import THEIRS, Client, Service, serving
from tests.api.test_live import tell, there_are

WS = DEFAULT_WORKSPACE
HANG_S = 60.0


class Socket:
    """An open WebSocket; ``cursor`` is what its next one would begin with."""

    def __init__(self, wire: aiohttp.ClientWebSocketResponse) -> None:
        self.wire = wire
        self.cursor = ""

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(HANG_S):
            heard: dict[str, Any] = json.loads(await self.wire.receive_str())
        self.cursor = heard["id"]
        return heard

    async def until(self, last: str) -> list[str]:
        """Return the types of what changes up to the first of the type ``last``."""
        found: list[str] = []
        while not found or found[-1] != last:
            heard = await self.next()
            found += [heard["type"]] if heard["event"] == "change" else []
        return found

    async def ended(self) -> int | None:
        """Return the code with which the other side closes."""
        async with asyncio.timeout(HANG_S):
            while (await self.wire.receive()).type == aiohttp.WSMsgType.TEXT:
                pass
        return self.wire.close_code


@asynccontextmanager
async def connected(client: Client, query: str = "", **headers: str) -> AsyncIterator[Socket]:
    shown = {"Authorization": f"Bearer {client.key}"} if client.key else {}
    url = f"{client.url}/v1/ws{query}"
    async with client.http.ws_connect(url, headers=shown | headers) as wire:
        told = Socket(wire)
        assert (await told.next())["event"] == "beat"  # where it begins
        yield told


async def refused(client: Client, query: str = "", **headers: str) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as told:
        async with connected(client, query, **headers):
            pass
    return told.value.status


async def test_a_socket_tells_what_the_stream_tells_and_goes_on_from_its_cursor(service: Service):
    client = await service.client()
    async with connected(client) as told:
        for n in range(3):
            await tell(service, f"step{n}")
        assert await told.until("step2") == ["step0", "step1", "step2"]
    for n in range(3, 6):
        await tell(service, f"step{n}")
    async with connected(client, f"?after={told.cursor}") as told:
        heard = [await told.next() for _ in range(3)]
    assert [one["type"] for one in heard] == ["step3", "step4", "step5"]
    assert set(heard[0]) == {"event", "id", "type", "job_id", "batch_id", "state", "at"}
    async with client.http.ws_connect(
        f"{client.url}/v1/ws?after=999999999999-1",
        headers={"Authorization": f"Bearer {client.key}"},
    ) as wire:
        assert json.loads(await wire.receive_str())["event"] == "reset"


async def test_a_stranger_and_another_workspace_hear_nothing_of_it(
    service: Service, theirs: Client
):
    ours = await service.client()
    job, other = await service.app.jobs.enqueue(
        WS, [NewJob("enrich", {"n": 1}), NewJob("enrich", {"n": 2})]
    )
    made = await ours.post("/v1/tokens", {"job_id": job})
    browser = Client(service.http, service.url, made.body["token"])
    callback = await service.client(Scope.CALLBACK)
    wrong = Client(service.http, service.url, f"{ours.key}x")
    assert await refused(service.stranger) == 401
    assert await refused(service.stranger, f"?access_token={ours.key}") == 401, "no key in a query"
    assert await refused(wrong) == 401
    assert await refused(callback) == 403
    assert await refused(theirs, f"?job={job}") == 404
    assert await refused(browser, f"?job={other}") == 404
    assert await refused(ours, "?job=0") == 422
    assert await refused(ours, "?after=x") == 422
    async with (
        connected(theirs) as strange,
        connected(service.stranger, f"?access_token={browser.key}") as narrow,
    ):
        await tell(service, "a", job=other)
        await tell(service, "b", job=job)
        await tell(service, "c", THEIRS)
        assert await strange.until("c") == ["c"]
        assert await narrow.until("b") == ["b"]


async def test_pages_of_strange_origins_are_refused_and_the_apis_own_and_named_ones_are_not(
    settings: Settings,
):
    ours = "https://app.example.com"
    named = settings.model_copy(update={"api_cors_origins": (ours,)})
    async with serving(named) as service:
        client = await service.client()
        for origin in (ours, service.url):
            async with connected(client, Origin=origin):
                pass
        for origin in ("https://evil.example", f"{ours}.evil.example", "null", "http://127.0.0.1"):
            assert await refused(client, Origin=origin) == 403, origin


async def test_a_socket_and_a_stream_end_with_their_key_and_a_socket_says_so(settings: Settings):
    quick = settings.model_copy(update={"api_beat_s": 0.2})
    async with serving(quick) as service:
        admin = await service.client()
        made = await admin.post("/v1/keys", {"name": "shop", "scopes": ["read"]})
        shop = Client(service.http, service.url, made.body["key"])
        short = (await admin.post("/v1/tokens", {"ttl_s": 4})).body["token"]
        url = f"{service.url}/v1/events?access_token={short}"
        async with (
            connected(shop) as told,
            connected(service.stranger, f"?access_token={short}") as brief,
            service.http.get(url) as stream,
            connected(admin) as stays,
        ):
            await admin.ask("DELETE", f"/v1/keys/{made.body['id']}")
            assert await told.ended() == 3000
            assert await brief.ended() == 3000
            async with asyncio.timeout(HANG_S):
                await stream.read()
            await tell(service, "more")
            assert await stays.until("more") == ["more"]


async def test_a_restart_of_the_database_loses_nothing_and_the_end_of_glaze_is_told(
    service: Service, dsn: str
):
    client = await service.client()
    name = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
    async with connected(client) as told:
        with psycopg.connect(dsn, autocommit=True) as owner:
            for n in range(3):
                owner.execute(
                    "insert into glaze.event (workspace_id, type) values (1, %s)", (f"n{n}",)
                )
                owner.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where datname = %s and pid <> pg_backend_pid()",
                    (name,),
                )
                await asyncio.sleep(0.1)
        assert await told.until("n2") == ["n0", "n1", "n2"]
        service.app.live.close()
        assert await told.ended() == 1001


async def test_a_slow_socket_is_let_go_with_a_code_that_says_so_once_it_reads_again(
    service: Service, dsn: str
):
    client = await service.client()
    host, port = "127.0.0.1", int(client.url.rsplit(":", 1)[1])
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    slow.setblocking(False)
    await asyncio.get_running_loop().sock_connect(slow, (host, port))
    reader, writer = await asyncio.open_connection(sock=slow)
    writer.write(
        f"GET /v1/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {'A' * 22}==\r\n"
        f"Authorization: Bearer {client.key}\r\n\r\n".encode()
    )
    async with connected(client) as quick, asyncio.timeout(HANG_S):
        await there_are(service, 2)
        with psycopg.connect(dsn, autocommit=True) as owner:
            owner.execute(
                "insert into glaze.event (workspace_id, type)"
                " select 1, n || repeat('-', 500) from generate_series(1, 15000) n"
            )
        await tell(service, "last")
        assert len(await quick.until("last")) == 15_001
        await there_are(service, 1)
        while b"\x03\xf5too slow" not in await reader.read(1 << 20):  # 1013
            assert not reader.at_eof()
        writer.close()
