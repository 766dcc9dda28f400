"""The database that this process works with: the configured server, or the embedded one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from glaze.logs import configure_logs
from glaze.settings import Settings
from glaze.store.database import Database, Recover, checked_dsn
from glaze.store.embedded import ensure_server
from glaze.store.migrate import migrate, runtime_login


@dataclass(frozen=True, slots=True)
class Server:
    """The database to use, and how to bring it back when it is gone (None: not ours to bring)."""

    dsn: str
    recover: Recover | None = None

    async def runtime_dsn(self) -> str:
        """Return what to work with: on a server of our own a login that owns nothing."""
        return self.dsn if self.recover is None else await runtime_login(self.dsn)


@asynccontextmanager
async def fleet(settings: Settings) -> AsyncIterator[Database]:
    """Open the database alone, with few connections: for who watches over work and does none.

    Raises: StoreError when there is no usable database.
    """
    configure_logs(settings.log_level, settings.log_format)
    async with running_server(settings) as server:
        await migrate(server.dsn)
        dsn = await server.runtime_dsn()
        async with Database.open(dsn, size=2, recover=server.recover) as db:
            yield db


@asynccontextmanager
async def running_server(settings: Settings) -> AsyncIterator[Server]:
    """Give the configured database, or the embedded one for as long as it is needed.

    Raises: StoreError when the embedded server cannot be started.
    """
    if settings.database_url is not None:
        yield Server(checked_dsn(settings.database_url.get_secret_value()))
        return
    lease = await asyncio.to_thread(ensure_server, settings.data_dir)

    async def recover() -> None:
        await asyncio.to_thread(lease.recover)

    try:
        yield Server(lease.dsn, recover)
    finally:
        lease.release()
