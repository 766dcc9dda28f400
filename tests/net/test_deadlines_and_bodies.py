"""A peer that is slow, endless, broken or a bomb costs a bounded time and a bounded memory."""

import asyncio
import socket
import time
import tracemalloc
import zlib

import pytest

from glaze.errors import BodyTooLarge, ConnectFailed, FetchTimeout
from glaze.net.client import HttpClient
from glaze.net.vendor import BoundHttp

MIB = 1024 * 1024
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n"


def bomb(decoded_mib: int, wbits: int = 31) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    zeros = bytes(MIB)
    return b"".join(packer.compress(zeros) for _ in range(decoded_mib)) + packer.flush()


def answering(*pieces: bytes, pause_s: float = 0.0):
    async def talk(reader, writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            if pause_s:
                await asyncio.sleep(pause_s)

    return talk


def encoded(body: bytes, encoding: str) -> bytes:
    head = HEAD + f"content-encoding: {encoding}\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    return head + body


async def fetched(worlds, talk, **limits):
    world = await worlds(talk)
    world.play("site.example")
    return await world.http(within_s=limits.pop("within_s", 20)).request(
        "GET", "https://site.example/", **limits
    )


@pytest.mark.parametrize(("encoding", "wbits"), [("gzip", 31), ("deflate", 15), ("deflate", -15)])
async def test_a_200_mb_bomb_is_cut_at_the_cap_and_memory_stays_bounded(
    worlds, encoding: str, wbits: int
) -> None:
    payload = bomb(200, wbits)
    cap = 5_000_000
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLarge) as failure:
            await fetched(worlds, answering(encoded(payload, encoding)), max_bytes=cap)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert failure.value.sent is True
    assert peak < cap + 32 * MIB


async def test_a_plain_body_over_the_cap_is_cut(worlds) -> None:
    pieces = [HEAD + b"\r\n", *([bytes(MIB)] * 50)]
    with pytest.raises(BodyTooLarge):
        await fetched(worlds, answering(*pieces), max_bytes=MIB)


async def test_an_endless_row_of_empty_gzip_members_is_cut(worlds) -> None:
    empty = zlib.compressobj(9, zlib.DEFLATED, 31).flush() * 4_000
    pieces = [HEAD + b"content-encoding: gzip\r\n\r\n", *([empty] * 200)]
    with pytest.raises(BodyTooLarge):
        await fetched(worlds, answering(*pieces), max_bytes=100_000)


@pytest.mark.parametrize(
    ("encoding", "wbits"), [("gzip", 31), ("x-gzip", 31), ("deflate", 15), ("deflate", -15)]
)
@pytest.mark.parametrize("size", [0, 1, 100_000])
async def test_compressed_bodies_arrive_whole_up_to_the_very_cap(
    worlds, encoding: str, wbits: int, size: int
) -> None:
    body = (b"Acme GmbH, Hauptstr. 1 " * 5_000)[:size]
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    packed = packer.compress(body) + packer.flush()
    answer = await fetched(worlds, answering(encoded(packed, encoding)), max_bytes=size)
    assert answer.body == body


async def test_several_gzip_members_and_padding_are_one_body(worlds) -> None:
    packed = b"".join(
        packer.compress(text) + packer.flush()
        for text in (b"one ", b"two")
        for packer in [zlib.compressobj(9, zlib.DEFLATED, 31)]
    )
    answer = await fetched(worlds, answering(encoded(packed + b"\0\0", "gzip")))
    assert answer.body == b"one two"


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(b"not gzip at all", "gzip"), (bomb(1)[:200], "gzip"), (b"x", "br"), (b"x", "gzip, gzip")],
)
async def test_a_broken_or_unasked_encoding_is_a_clear_failure(
    worlds, body: bytes, encoding: str
) -> None:
    with pytest.raises(ConnectFailed) as failure:
        await fetched(worlds, answering(encoded(body, encoding)))
    assert failure.value.sent is True


async def drip_body(reader, writer) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(HEAD + b"\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def drip_headers(reader, writer) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nx: ")
    while True:
        writer.write(b"y")
        await writer.drain()
        await asyncio.sleep(0.02)


async def say_nothing(reader, _writer) -> None:
    await reader.read()


async def continue_for_ever(reader, writer) -> None:
    await reader.readuntil(b"\r\n\r\n")
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("talk", [drip_body, drip_headers, say_nothing, continue_for_ever])
async def test_a_peer_that_never_ends_is_left_at_the_deadline(worlds, talk) -> None:
    async with asyncio.timeout(10):
        with pytest.raises(FetchTimeout) as failure:
            await fetched(worlds, talk, within_s=0.5)
    assert failure.value.sent is True


async def test_a_shorter_timeout_of_the_request_wins_over_the_call_s_deadline(worlds) -> None:
    async with asyncio.timeout(10):
        with pytest.raises(FetchTimeout):
            await fetched(worlds, say_nothing, within_s=60, timeout_s=0.3)


async def test_a_silent_name_server_counts_against_the_deadline_and_nothing_was_sent(
    worlds,
) -> None:
    world = await worlds(say_nothing)
    world.dns.silent = True
    async with asyncio.timeout(10):
        with pytest.raises(FetchTimeout) as failure:
            await world.http(within_s=0.4).request("GET", "https://site.example/")
        with pytest.raises(FetchTimeout):
            await world.http(within_s=0.4).resolve("site.example", "MX")
    assert failure.value.sent is False


async def test_nothing_is_sent_after_the_deadline(worlds) -> None:
    world = await worlds(say_nothing)
    world.play("site.example")
    with pytest.raises(FetchTimeout) as failure:
        await world.http(within_s=-1).request("GET", "https://site.example/")
    assert failure.value.sent is False
    assert world.sandbox.connections == 0


@pytest.mark.parametrize(
    "pieces",
    [
        [b""],
        [b"\r\n\r\n"],
        [b"SSH-2.0-OpenSSH_9.2\r\n"],
        [b"HTTP/1.1 OK\r\n\r\n"],
        [b"HTTP/9.9 200 OK\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\ncontent-length: abc\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!"],
        [HEAD + b"content-length: 500\r\n\r\nhalf"],
        [HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"],
        [HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n"],
        [HEAD + b"x: " + b"y" * 200_000 + b"\r\n\r\n"],
        [HEAD + b"".join(b"x%d: y\r\n" % n for n in range(5_000)) + b"\r\n"],
        [b"HTTP/1.1 200 " + b"O" * 200_000 + b"\r\n\r\n"],
    ],
)
async def test_a_malformed_or_broken_off_answer_is_a_clear_failure(worlds, pieces) -> None:
    with pytest.raises(ConnectFailed) as failure:
        await fetched(worlds, answering(*pieces))
    assert failure.value.sent is True


async def endless_headers(reader, writer) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x: " + b"y" * 8_000 + b"\r\n")
        await writer.drain()


async def test_endless_headers_are_cut(worlds) -> None:
    with pytest.raises(ConnectFailed):
        await fetched(worlds, endless_headers)


async def test_headers_come_as_text_that_can_be_stored(worlds) -> None:
    head = HEAD + b"X-Name: Bj\xf6rn\r\nx-a: 1\r\nX-A: 2\r\ncontent-length: 0\r\n\r\n"
    answer = await fetched(worlds, answering(head))
    assert answer.headers["x-name"] == "Bj\ufffdrn"
    assert answer.headers["x-a"] == "1, 2"


async def test_a_refused_connection_was_certainly_not_sent(unused_port: int) -> None:
    base = f"http://127.0.0.1:{unused_port}"
    async with HttpClient() as client:
        http = BoundHttp(client, base_url=base, deadline=time.monotonic() + 20)
        with pytest.raises(ConnectFailed) as failure:
            await http.request("POST", f"{base}/x", json={})
    assert failure.value.sent is False
    assert http.facts[0].error == "connect_failed"


async def test_a_failed_tls_handshake_was_certainly_not_sent(peers) -> None:
    hello = asyncio.get_running_loop().create_future()

    async def no_tls(reader, writer) -> None:
        hello.set_result(await reader.read(4096))
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    peer = await peers(no_tls)
    base = f"https://localhost:{peer.port}"
    async with HttpClient() as client:
        http = BoundHttp(client, base_url=base, deadline=time.monotonic() + 20)
        with pytest.raises(ConnectFailed) as failure:
            await http.request("POST", f"{base}/x", json={"question": 1})
    assert failure.value.sent is False
    assert b"localhost" in hello.result()  # the URL's own host is what TLS asks for
    assert b"question" not in hello.result()


async def test_a_name_without_addresses_was_certainly_not_sent(worlds) -> None:
    world = await worlds(say_nothing)
    with pytest.raises(ConnectFailed) as failure:
        await world.http().request("GET", "https://nowhere.example/")
    assert failure.value.sent is False


async def test_a_call_that_is_cancelled_leaves_a_fact_and_no_connection(worlds) -> None:
    asked = asyncio.Event()

    async def hold(reader, _writer) -> None:
        asked.set()
        await reader.read()

    world = await worlds(hold)
    world.play("site.example")
    http = world.http()
    call = asyncio.ensure_future(http.request("GET", "https://site.example/"))
    await asked.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert [(fact.error, fact.sent) for fact in http.facts] == [("interrupted", True)]


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
