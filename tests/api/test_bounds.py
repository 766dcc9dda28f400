"""What nobody who has shown no key may cost: bodies without end, clients without haste, other names."""

import asyncio
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import aiohttp
import psycopg
import pytest

from glaze.api.bodies import MOST_BYTES
from glaze.api.server import MOST_HEAD_BYTES
from glaze.settings import Settings
from tests.api.conftest import Service, serving

PIECE = b" " * (1 << 16)
MOST_PIECES = 3 * MOST_BYTES // len(PIECE)


class Endless:
    """A body that says nothing of its length, and goes on for as long as it is taken."""

    def __init__(self) -> None:
        self.pieces = 0

    async def __call__(self) -> AsyncIterator[bytes]:
        while self.pieces < 4096:
            self.pieces += 1
            yield PIECE


@pytest.mark.parametrize("path", ["/v1/session", "/v1/enrich", "/enrich", "/v1/nowhere"])
async def test_a_body_without_end_is_cut_off_before_anybody_asks_whose_it_is(
    service: Service, path: str
):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    endless = Endless()
    told = {"Content-Type": "application/json"}
    with suppress(
        ConnectionError, aiohttp.ClientConnectionError
    ):  # it is closed while more is sent, at times before the answer
        async with service.http.post(service.url + path, data=endless(), headers=told) as answer:
            problem = await answer.json(content_type=None)
            if path != "/v1/nowhere":
                assert (answer.status, problem["code"]) == (413, "upload_too_large")
    assert endless.pieces < 4096, "it was read to its end"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB


async def raw(service: Service, text: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = service.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(text)
    await writer.drain()
    return reader, writer


def head(path: str, *headers: str, method: str = "POST") -> bytes:
    lines = (f"{method} {path} HTTP/1.1", "Host: x", "Content-Type: application/json", *headers)
    return "\r\n".join((*lines, "", "")).encode()


async def test_a_body_that_says_it_is_too_long_is_not_waited_for(service: Service):
    length = f"Content-Length: {MOST_BYTES + 1}"
    for path in ("/v1/session", "/v1/enrich", "/v1/hooks/hunter/x"):
        reader, writer = await raw(service, head(path, length))
        async with asyncio.timeout(20):
            answer = await reader.read()  # to the end: the connection is closed
        assert b" 413 " in answer.splitlines()[0], path
        assert b"upload_too_large" in answer
        writer.close()


async def test_a_body_as_long_as_may_be_is_read(service: Service):
    client = await service.client()
    long = {"kind": "enrich", "args": {"input": {"website": "a.example"}, "x": "y" * 1_000_000}}
    answer = await client.post("/v1/jobs", long)
    assert (answer.status, answer.body["code"]) == (422, "args_invalid")


@pytest.fixture
async def hasty(settings: Settings) -> AsyncIterator[Service]:
    """An API that waits for nobody."""
    async with serving(settings.with_changes(api_receive_s=0.3)) as service:
        yield service


@pytest.mark.parametrize(
    "half",
    [
        b"",
        b"POST /v1/sess",
        b"POST /v1/session HTTP/1.1\r\nHost: x\r\nX-A: ",
        head("/v1/jobs/1", method="GET") + b"GET /v1/",
    ],
)
async def test_a_head_that_does_not_end_is_not_waited_for(hasty: Service, half: bytes):
    reader, writer = await raw(hasty, half)
    async with asyncio.timeout(20):
        with suppress(ConnectionError):
            await reader.read()
    assert reader.at_eof() or reader.exception() is not None  # cut off by the server
    writer.close()


@pytest.mark.parametrize(
    "path", ["/v1/session", "/v1/enrich", "/v1/hooks/hunter/x", "/v1/payments/stripe"]
)
async def test_a_body_that_does_not_end_is_not_waited_for_though_it_trickles(
    hasty: Service, path: str
):
    reader, writer = await raw(hasty, head(path, "Content-Length: 1000"))

    async def trickle() -> None:
        with suppress(ConnectionError):
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        trickling = group.create_task(trickle())
        # Its first line: what trickles on meanwhile may cut off the rest.
        status = await reader.readline()
        trickling.cancel()
    assert b" 408 " in status
    writer.close()


async def test_a_body_that_is_of_no_interest_is_not_read_on(hasty: Service):
    reader, writer = await raw(hasty, head("/v1/batches", "Content-Length: 1000"))
    async with asyncio.timeout(20):
        answer = await reader.read()
    assert b" 401 " in answer.splitlines()[0]
    writer.close()


async def test_a_head_without_end_is_cut_off(service: Service):
    reader, writer = await raw(service, b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ")
    sent = 0
    async with asyncio.timeout(20):
        with suppress(ConnectionError):
            while sent < 64 * MOST_HEAD_BYTES:
                writer.write(PIECE)
                await writer.drain()
                sent += len(PIECE)
            await reader.read()
    assert sent < 64 * MOST_HEAD_BYTES
    writer.close()


async def test_who_takes_nothing_of_its_answers_is_cut_off_and_makes_room_for_others(
    settings: Settings,
):
    alone = settings.with_changes(api_max_connections=1, api_send_s=0.3)
    async with serving(alone) as service:
        host, port = service.url.removeprefix("http://").split(":")
        with socket.socket() as idle:
            idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            idle.connect((host, int(port)))
            idle.sendall(head("/openapi.json", method="GET") * 40)  # more than the kernel keeps
            told = [(await service.stranger.get("/livez")).status]
            async with asyncio.timeout(20):
                while told[-1] != 200:
                    await asyncio.sleep(0.05)
                    told.append((await service.stranger.get("/livez")).status)
        assert {*told[:-1]} == {503}  # it was held, and is no more


async def test_who_takes_its_answers_slowly_gets_all_of_them(settings: Settings):
    async with serving(settings.with_changes(api_send_s=0.3)) as service:
        whole = len(await (await service.http.get(f"{service.url}/openapi.json")).read())
        asked = head("/openapi.json", "Connection: close", method="GET")
        many = head("/openapi.json", method="GET") * 5 + asked
        reader, writer = await raw(service, many)
        taken = 0
        while piece := await reader.read(256 * 1024):
            taken += len(piece)
            await asyncio.sleep(0.02)  # 12 MB/s at most
        assert taken > 6 * whole
        writer.close()


@pytest.mark.parametrize(("proxies", "addresses"), [(None, 1), ("127.0.0.1", 3), ("10.9.9.9", 1)])
async def test_who_says_to_ask_for_others_is_one_address_unless_it_is_a_proxy_that_was_named(
    settings: Settings, dsn: str, proxies: str | None, addresses: int
):
    async with serving(settings.with_changes(forwarded_allow_ips=proxies)) as service:
        for n in range(3):
            asked = {"email": "nobody@example.com", "password": "x" * 12}
            said = {"X-Forwarded-For": f"10.0.0.{n}"}
            assert (await service.stranger.post("/v1/session", asked, **said)).status == 401
    with psycopg.connect(dsn) as owner:
        tried = owner.execute("select attempts from glaze.login_attempt").fetchall()
    # Beside the account, which was tried three times.
    assert sorted(tried) == sorted([(3,)] + [(3 // addresses,)] * addresses)


async def test_a_database_that_was_started_anew_costs_no_request(service: Service, dsn: str):
    client = await service.client()
    await asyncio.gather(*(client.get("/v1/jobs") for _ in range(8)))
    with psycopg.connect(dsn, autocommit=True) as owner:
        ours = "usename = current_user and pid <> pg_backend_pid() and datname = current_database()"
        owner.execute(f"select pg_terminate_backend(pid, 5000) from pg_stat_activity where {ours}")
    told = [(await client.get("/v1/jobs")).status for _ in range(8)]
    told.append((await client.get("/readyz")).status)
    assert told == [200] * 9


async def test_beyond_as_many_connections_as_may_be_a_further_one_is_refused_and_the_others_go_on(
    settings: Settings,
):
    async with serving(settings.model_copy(update={"api_max_connections": 3})) as service:
        held = [await raw(service, b"") for _ in range(3)]
        asked = head("/livez", "Connection: close", method="GET")
        held.append(await raw(service, asked))
        assert (await held[3][0].read()).startswith(b"HTTP/1.1 503 Service Unavailable")
        for reader, writer in held[:2]:  # who was there is served, and leaves room by leaving
            writer.write(asked)
            assert (await reader.read()).startswith(b"HTTP/1.1 200 OK")
        held.append(await raw(service, asked))
        assert (await held[4][0].read()).startswith(b"HTTP/1.1 200 OK")
        for _, writer in held:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
