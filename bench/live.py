"""H4: 1,000 subscribers over 50 workspaces, SSE and WebSocket, hear 10,000 changes a second of a real API process."""

import asyncio
import base64
import os
import re
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter
from typing import cast

import asyncpg
import psutil
import psycopg

from bench.drain import asyncpg_options
from bench.figure import Figure
from bench.serving import free_port, serving
from glaze.boot.process import utc_now
from glaze.model.access import Scope
from glaze.model.value import WorkspaceId
from glaze.store.access import KeyStore
from glaze.store.database import Database
from glaze.store.notify import sender

WORKSPACES = 50
EACH = 20
"""Subscribers of each workspace, every other one a WebSocket."""
TICK_S = 0.1
SECONDS = 20
ROUNDS = 3
_TOLD = re.compile(rb'"id": "(\d+-\d+)", "type": "tick".*?"at": "([^"]+)"')
_PING = re.compile(rb"\x89\x04(.{4})", re.DOTALL)
_LINE = 400
"""More bytes than a change has: so many are kept until the rest of it has come."""
_HANG_S = 120.0

TELL = """
insert into glaze.event (workspace_id, type, at)
select n, 'tick', clock_timestamp() from generate_series(1, $1::int) n
"""


@dataclass
class Heard:
    """What one subscriber heard: ids in order, and milliseconds from the writing of each."""

    ids: list[bytes] = field(default_factory=list)
    ms: list[float] = field(default_factory=list)


class Subscriber(asyncio.Protocol):
    """Reads as fast as it can and notes what it hears, whether it comes as SSE or in frames."""

    def __init__(self, request: bytes) -> None:
        """Ask with ``request``."""
        self.heard = Heard()
        self.begun = asyncio.get_running_loop().create_future()
        self._request = request
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        self._answer = cast("asyncio.Transport", transport).write
        self._answer(self._request)

    def data_received(self, data: bytes) -> None:
        """Note what changes are told in it."""
        now, text, end = utc_now().timestamp(), self._rest + data, 0
        if b"beat" in text and not self.begun.done():
            self.begun.set_result(None)
        if ping := _PING.search(text):
            self._answer(b"\x8a\x84\0\0\0\0" + ping[1])  # a pong, masked with nothing
        for told in _TOLD.finditer(text):
            self.heard.ids.append(told[1])
            at = datetime.fromisoformat(told[2].decode()).timestamp()
            self.heard.ms.append((now - at) * 1000)
            end = told.end()
        self._rest = text[end:][-_LINE:]

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to do: what is missing is counted."""


def _request(key: str, *, socket_: bool) -> bytes:
    lines = [
        f"GET /v1/{'ws' if socket_ else 'events'} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {key}",
    ]
    if socket_:
        nonce = base64.b64encode(os.urandom(16)).decode()
        lines += ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
        lines += [f"Sec-WebSocket-Key: {nonce}"]
    return "\r\n".join([*lines, "", ""]).encode()


@asynccontextmanager
async def api(dsn: str) -> AsyncIterator[tuple[int, psutil.Process]]:
    """Run ``glaze api`` as a process of its own; give its port and the process."""
    port = free_port()
    settings = {"DATABASE_URL": dsn, "GLAZE_API_PORT": str(port), "GLAZE_LOG_LEVEL": "warning"}
    async with serving(["-m", "glaze.cli", "api"], port, **settings) as served:
        yield port, psutil.Process(served.process.pid)


@dataclass
class Round:
    """What one round came to."""

    deliveries_s: float
    lost: int
    p50_ms: float
    p99_ms: float
    cpu: float
    """Share of one core that the API process took."""
    memory_mib: float
    """Of the API process, above what it took before anybody subscribed."""


async def told(dsn: str, keys: list[str]) -> Round:
    """Subscribe, tell for a while, and count what everybody heard."""
    loop = asyncio.get_running_loop()
    async with api(dsn) as (port, process):
        before = process.memory_info().rss
        subscribers = []
        for n, key in enumerate(keys * EACH):
            request = _request(key, socket_=n // len(keys) % 2 == 1)
            made = await loop.create_connection(
                lambda request=request: Subscriber(request),  # type: ignore[misc]
                "127.0.0.1",
                port,
            )
            subscribers.append(made)
        async with asyncio.timeout(_HANG_S):
            await asyncio.gather(*(one.begun for _, one in subscribers))
        begun, busy = perf_counter(), sum(process.cpu_times()[:2])
        ticks = await _tell(dsn)
        heard = [one.heard for _, one in subscribers]
        wanted = ticks * len(subscribers)
        async with asyncio.timeout(_HANG_S):
            while sum(len(one.ids) for one in heard) < wanted:  # noqa: ASYNC110  as people look
                await asyncio.sleep(TICK_S)
        took = perf_counter() - begun
        cpu = (sum(process.cpu_times()[:2]) - busy) / took
        memory = (process.memory_info().rss - before) / 2**20
        for transport, _ in subscribers:
            transport.close()
    lost = sum(ticks - len(set(one.ids)) for one in heard)
    disordered = [one for one in heard if one.ids != sorted(one.ids, key=_place)]
    assert not disordered, "told out of order"
    late = statistics.quantiles([ms for one in heard for ms in one.ms], n=100)
    return Round(wanted / took, lost, late[49], late[98], cpu, memory)


def _place(cursor: bytes) -> tuple[int, int]:
    xid, _, id_ = cursor.partition(b"-")
    return int(xid), int(id_)


async def _tell(dsn: str) -> int:
    """Write a change of each workspace at every tick, as workers do; return how many ticks."""
    conn = await asyncpg.connect(**asyncpg_options(dsn))
    ticks, begun = round(SECONDS / TICK_S), perf_counter()
    async with sender(dsn) as hints:
        for n in range(ticks):
            await conn.execute(TELL, WORKSPACES)
            await hints.ended()
            await asyncio.sleep(max(0.0, begun + (n + 1) * TICK_S - perf_counter()))
    await conn.close()
    return ticks


async def run(dsn: str) -> list[Figure]:
    """Take rounds, each with a process of its own."""
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute(
            "insert into glaze.workspace (id, name) select n, n::text from generate_series(2, %s) n",
            (WORKSPACES,),
        )
    async with Database.open(dsn) as db:
        store = KeyStore(db)
        made = [
            await store.create(WorkspaceId(n), "bench", [Scope.READ])
            for n in range(1, WORKSPACES + 1)
        ]
    rounds = [await told(dsn, [one.text for one in made]) for _ in range(ROUNDS)]
    cpu = statistics.median(one.cpu for one in rounds)
    memory = statistics.median(one.memory_mib for one in rounds)
    name = (
        f"H4 {WORKSPACES * EACH:,} subscribers over {WORKSPACES} workspaces, half of them WebSockets"
        f" ({100 * cpu:.0f} % of a core, {memory:.0f} MiB of memory for them,"
        f" {sum(one.lost for one in rounds)} lost)"
    )
    figures = (
        (name, "deliveries/s", [one.deliveries_s for one in rounds], 10_000.0, ">= 0.90"),
        (
            "H4 from writing to hearing, p50",
            "ms",
            [one.p50_ms for one in rounds],
            100.0,
            "<= 100 ms",
        ),
        (
            "H4 from writing to hearing, p99",
            "ms",
            [one.p99_ms for one in rounds],
            500.0,
            "<= 500 ms",
        ),
    )
    return [
        Figure(what, unit, ours, "the bar", [bar] * ROUNDS, reach)
        for what, unit, ours, bar, reach in figures
    ]
