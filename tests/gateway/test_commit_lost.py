"""The connection breaks while a reservation is committed: nothing was sent, and the ledger learns it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from glaze.errors import StoreUnavailable
from glaze.net.client import HttpClient
from glaze.pipeline.asking import Access, Answer
from glaze.pipeline.credentials import Credentials
from glaze.pipeline.gateway import Gateway
from glaze.store.database import Database
from glaze.store.entity import EntityStore
from glaze.store.ledger import LedgerStore
from glaze.store.limit import LimitStore
from tests.gateway.conftest import PRICE, Bench, question

CALLS = "select state::text, detail from call order by id"
BUDGET = "select reserved_micros, spent_micros from budget"


@dataclass
class Wire:
    """Stands between a process and PostgreSQL; cuts once at a COMMIT, before it or after it."""

    dsn: str
    passes_on: bool  # whether the server still gets the COMMIT
    armed: bool = False
    cut: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            yield make_conninfo(self.dsn, host="127.0.0.1", port=port, hostaddr="127.0.0.1")
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await self._server()
        link = _Link(self, back, writer)
        with suppress(ConnectionError):
            ends = [asyncio.ensure_future(link.up(reader)), asyncio.ensure_future(link.down(there))]
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        writer.close()
        back.close()

    async def _server(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        where = conninfo_to_dict(self.dsn)
        host, port = str(where.get("host", "127.0.0.1")), int(where.get("port", 5432))
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)


@dataclass
class _Link:
    """One connection through the wire."""

    wire: Wire
    back: asyncio.StreamWriter
    forth: asyncio.StreamWriter
    recorded: bool = False  # an intent went through
    mute: bool = False  # what comes back is the answer to its COMMIT

    def cut(self) -> None:
        self.wire.cut.set()
        self.back.transport.abort()
        self.forth.transport.abort()

    async def up(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(65536):
            self.recorded = self.recorded or b"insert into vendor_request" in data
            if self.wire.armed and self.recorded and b"commit\0" in data:
                self.wire.armed, self.mute = False, True
                if not self.wire.passes_on:
                    self.cut()
                    return
            self.back.write(data)

    async def down(self, there: asyncio.StreamReader) -> None:
        while data := await there.read(65536):
            if self.mute:
                self.cut()
                return
            self.forth.write(data)


@pytest.mark.parametrize("passes_on", [True, False], ids=["committed", "not committed"])
async def test_an_unsent_call_whose_commit_got_no_answer_does_not_stay_reserved(
    bench: Bench, dsn: str, passes_on: bool
):
    wire = Wire(dsn, passes_on)
    (job,) = await bench.claimed()
    asker = await bench.asker(job, budgets=await bench.budget(PRICE))
    asked = question(bench.provider(), asker, "a@x.com")
    async with wire.listening() as through, Database.open(through, size=1) as db:
        async with (
            HttpClient() as http,
            Gateway.open(
                ledger=LedgerStore(db),
                limits=LimitStore(db),
                entities=EntityStore(db),
                http=http,
                credentials=Credentials({"titles": Access("env", "key", bench.vendor.url)}),
            ) as gateway,
        ):
            wire.armed = True
            with pytest.raises(StoreUnavailable):
                await gateway.ask(asked)
        assert wire.cut.is_set()
    assert bench.vendor.requests == 0
    calls = await bench.rows(CALLS)
    assert [call["state"] for call in calls] == (["not_billed"] if passes_on else [])
    assert await bench.rows(BUDGET) == [{"reserved_micros": 0, "spent_micros": 0}]
    async with bench.gateway() as gateway:
        assert isinstance(await gateway.ask(asked), Answer)
    assert bench.vendor.bills == ["a@x.com"]
