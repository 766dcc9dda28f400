"""What a database is like, without changing it: for ``glaze doctor``."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import psycopg
from psycopg import AsyncConnection

from glaze.errors import StoreUnavailable
from glaze.store.database import Database
from glaze.store.migrate import migrations
from glaze.store.statements import statements

OLDEST_SERVER = 15


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """A server that answers. ``pending`` are this version's migrations that it lacks."""

    major: int  # of the server's version
    pending: Sequence[str]


async def server_time(db: Database) -> datetime:
    """Return what time the database has, aware UTC."""
    async with db.fleet() as conn:
        row = await (await conn.execute("select clock_timestamp() as now")).fetchone()
    if row is None:
        raise StoreUnavailable("PostgreSQL does not tell its time")
    return cast("datetime", row["now"])


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
