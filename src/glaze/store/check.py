"""What a database is like, without changing it: for ``glaze doctor``."""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import AsyncConnection

from glaze.errors import StoreUnavailable
from glaze.store.migrate import migrations
from glaze.store.statements import statements

OLDEST_SERVER = 15


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """A server that answers. ``pending`` are this version's migrations that it lacks."""

    major: int  # of the server's version
    pending: Sequence[str]


async def check_database(dsn: str) -> DatabaseState:
    """Connect and compare the migrations.

    Raises: StoreUnavailable when there is no connection.
    """
    try:
        async with await AsyncConnection.connect(dsn, autocommit=True, connect_timeout=10) as conn:
            major = conn.info.server_version // 10_000
            await conn.execute("set search_path = glaze")
            try:
                rows = await (await conn.execute(statements("migrate")["applied"])).fetchall()
            except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
                rows = []
    except psycopg.OperationalError as error:
        raise StoreUnavailable(f"no connection to PostgreSQL: {error}") from error
    applied = {int(row[0]) for row in rows}
    return DatabaseState(major, [m.name for m in migrations() if m.version not in applied])
