"""Hostile peers over real loopback sockets, and a DNS server that says what it is told."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from glaze.net.client import HttpClient
from glaze.net.connect import Hold
from glaze.net.sandbox import SANDBOX_ADDRESS, SandboxRoute
from glaze.net.vendor import BoundHttp

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

HANG_S = 20.0
"""No test waits this long unless something hangs."""


@dataclass
class Peer:
    """A TCP server that does as ``talk`` says and remembers what it was sent."""

    talk: Talk
    port: int = 0
    connections: int = 0
    received: bytearray = field(default_factory=bytearray)
    requests: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self.talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def read_request(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        request = head + await reader.readexactly(length)
        self.requests.append(request)
        return request


@dataclass
class FakeDns(asyncio.DatagramProtocol):
    """Answers from ``records``; a list of lists is given out one after the other, the last stays."""

    records: dict[tuple[str, str], list[list[str]]] = field(default_factory=dict)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    everything_is: str | None = None  # the A record of every name that has no record of its own
    silent: bool = False
    ttl_s: int = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def say(self, name: str, *turns: list[str] | str, kind: str = "A") -> None:
        self.records[name, kind] = [[t] if isinstance(t, str) else t for t in turns]

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        if self.silent:
            return
        try:
            query = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        turns = self.records.get((name, kind))
        if turns is None and kind == "A" and self.everything_is:
            turns = [[self.everything_is]]
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        if turns is None:
            if not any(known == name for known, _ in self.records):
                reply.set_rcode(dns.rcode.NXDOMAIN)
        else:
            values = turns[min(self.asked[name, kind], len(turns) - 1)]
            reply.answer.append(
                dns.rrset.from_text_list(question.name, self.ttl_s, "IN", kind, values)
            )
        self.asked[name, kind] += 1
        self.transport.sendto(reply.to_wire(), peer)


@pytest.fixture
async def peers() -> AsyncIterator[Callable[[Talk], Awaitable[Peer]]]:
    servers: list[asyncio.Server] = []

    async def start(talk: Talk) -> Peer:
        peer = Peer(talk)
        server = await asyncio.start_server(peer.serve, "127.0.0.1", 0, limit=1 << 20)
        servers.append(server)
        peer.port = server.sockets[0].getsockname()[1]
        return peer

    yield start
    for server in servers:
        server.close()


@pytest.fixture
async def canary(peers: Callable[[Talk], Awaitable[Peer]]) -> Peer:
    """Stands for what must not be reached: remembers every byte."""

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer.received += await reader.read(1 << 16)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret")
        await writer.drain()

    peer = await peers(listen)
    return peer


@pytest.fixture
async def name_server() -> AsyncIterator[tuple[FakeDns, int]]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(FakeDns, local_addr=("127.0.0.1", 0))
    yield protocol, transport.get_extra_info("sockname")[1]
    transport.close()


@dataclass
class World:
    """A client whose sandbox is one peer, with the DNS that routes names to it."""

    client: HttpClient
    dns: FakeDns
    sandbox: Peer

    def play(self, *names: str) -> None:
        for name in names:
            self.dns.say(name, SANDBOX_ADDRESS)

    def http(
        self,
        *,
        base_url: str = "",
        key: str = "",
        within_s: float = HANG_S,
        max_requests: int | None = None,
        hold: Hold | None = None,
    ) -> BoundHttp:
        return BoundHttp(
            self.client,
            base_url=base_url,
            key=key,
            deadline=time.monotonic() + within_s,
            max_requests=max_requests,
            hold=hold,
        )


@pytest.fixture
async def worlds(
    peers: Callable[[Talk], Awaitable[Peer]], name_server: tuple[FakeDns, int]
) -> AsyncIterator[Callable[[Talk], Awaitable[World]]]:
    """Make a world whose sandbox talks as told."""
    clients: list[HttpClient] = []

    async def make(talk: Talk) -> World:
        peer = await peers(talk)
        route = SandboxRoute("127.0.0.1", peer.port, "127.0.0.1", name_server[1])
        client = HttpClient(sandbox=route)
        clients.append(client)
        return World(client, name_server[0], peer)

    yield make
    for client in clients:
        await client.close()
