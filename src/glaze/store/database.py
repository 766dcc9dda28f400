"""Connections by role: one workspace's, the fleet's, and a reserved lane for what must not wait."""

import json
import select
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import LiteralString, Self, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import AsyncRowFactory, DictRow, dict_row
from psycopg.types.json import set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from glaze.errors import CommitUnknown, InputError, SettingsError, StoreUnavailable
from glaze.model.value import Json, WorkspaceId

Connection = AsyncConnection[DictRow]
R = TypeVar("R")
_Pool = AsyncConnectionPool[Connection]

Recover = Callable[[], Awaitable[None]]
"""Called when the server has not answered for ``RECONNECT_S``; the embedded one is started anew."""

POOL_WAIT_S = 15.0
# Connection lost, deadlock or serialization, out of resources, locked, shutting down: may pass.
_PASSING = ("08", "40", "53", "55P03", "57")
# Connection lost, shutting down: a COMMIT that was sent may stand.
_LOST = ("08", "57")
RECONNECT_S = 3.0


_LOST_SOON = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}
"""Within how long a host that vanished is noticed (seconds, the last in milliseconds): Linux alone
would send to it again for a quarter of an hour. As libpq names them, and as long as the DSN has none."""


def checked_dsn(dsn: str) -> str:
    """Return the connection string ``dsn`` with what it leaves open of noticing a lost server.

    Raises: SettingsError where it is none; its text, which may hold a password, is not repeated.
    """
    try:
        given = conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        raise SettingsError(
            "DATABASE_URL is no PostgreSQL connection string, like postgresql://user@host/name"
        ) from None
    return make_conninfo(dsn, **{name: s for name, s in _LOST_SOON.items() if name not in given})


def password_of(dsn: str) -> str:
    """Return the password in ``dsn``, "" where there is none or it is no connection string."""
    try:
        return str(conninfo_to_dict(dsn).get("password") or "")
    except psycopg.ProgrammingError:
        return ""


def role_dsn(dsn: str, role: str) -> str:
    """Return ``dsn`` with ``role`` as the session's own: RESET ROLE leads back to it, not out."""
    return make_conninfo(
        dsn,
        options=f"-c role={role} -c search_path=glaze -c timezone=UTC"
        # Statements are parsed once but planned each time: a plan kept from when a table was
        # small would read all of it once it has grown.
        " -c plan_cache_mode=force_custom_plan"
        " -c idle_in_transaction_session_timeout=10s -c lock_timeout=10s",
        application_name="glaze",
    )


_decode = json.JSONDecoder().raw_decode


def _loads(text: bytes | str) -> Json:
    """Read what PostgreSQL wrote as JSON: in UTF-8, without blanks around it."""
    value: Json = _decode(text if isinstance(text, str) else str(text, "utf-8"))[0]
    return value


async def _configure(conn: Connection) -> None:
    set_json_loads(_loads, conn)


async def _check(conn: Connection) -> None:
    """See that a pooled connection is not broken, without asking the server.

    Nothing comes on an idle connection but its end, or a notice: only then is the server asked.
    """
    waiting = select.poll()
    waiting.register(conn.fileno(), select.POLLIN)
    if waiting.poll(0):
        await AsyncConnectionPool.check_connection(conn)


def _pool(dsn: str, role: str, size: int, recover: Recover | None) -> _Pool:
    async def lost(_pool: _Pool) -> None:
        if recover is not None:
            await recover()

    return AsyncConnectionPool(
        role_dsn(dsn, role),
        connection_class=AsyncConnection[DictRow],
        kwargs={"row_factory": dict_row, "autocommit": True},
        min_size=1,
        max_size=size,
        timeout=POOL_WAIT_S,
        reconnect_timeout=RECONNECT_S,
        reconnect_failed=lost,
        configure=_configure,
        check=_check,
        open=False,
        name=role,
    )


@dataclass(frozen=True, slots=True)
class Database:
    """The pools of one process. Transactions are short: no outward call inside one."""

    dsn: str
    _app: _Pool
    _queue: _Pool
    _lane: _Pool

    @classmethod
    @asynccontextmanager
    async def open(
        cls, dsn: str, *, size: int = 8, recover: Recover | None = None
    ) -> AsyncIterator[Self]:
        """Open the pools: ``size`` connections for each role and two in the reserved lane.

        Raises: StoreUnavailable when the server does not answer.
        """
        pools = (
            _pool(dsn, "glaze_app", size, recover),
            _pool(dsn, "glaze_queue", max(2, size // 2), recover),
            _pool(dsn, "glaze_queue", 2, recover),
        )
        async with AsyncExitStack() as stack:
            for pool in pools:
                try:
                    await pool.open(wait=True, timeout=POOL_WAIT_S)
                except PoolTimeout as error:
                    await pool.close()
                    raise StoreUnavailable(f"no connection to PostgreSQL: {error}") from error
                stack.push_async_callback(pool.close)
            yield cls(dsn, *pools)

    async def ping(self) -> None:
        """Ask the server for a sign of life.

        Raises: StoreUnavailable.
        """
        async with self.fleet(reserved=True) as conn:
            await conn.execute("select 1")

    @asynccontextmanager
    async def workspace(self, workspace_id: WorkspaceId) -> AsyncIterator[Connection]:
        """Open a transaction that sees ``workspace_id`` alone (role glaze_app)."""
        async with _transaction(self._app) as conn:
            await conn.execute(_SET_WORKSPACE, (str(workspace_id),))
            yield conn

    @asynccontextmanager
    async def fleet(self, *, reserved: bool = False) -> AsyncIterator[Connection]:
        """Open a transaction on queue, registry and limiter tables (role glaze_queue).

        ``reserved`` takes the lane that heartbeats use, so that a busy pool cannot cost a lease.
        """
        async with _transaction(self._lane if reserved else self._queue) as conn:
            yield conn

    async def workspace_rows(
        self,
        workspace_id: WorkspaceId,
        sql: LiteralString,
        params: Mapping[str, object],
        *,
        row_factory: AsyncRowFactory[R],
        binary: bool = False,
    ) -> list[R]:
        """Run one statement as a transaction of its own: one round trip instead of two.

        It is planned once a connection, to go by indexes in their order: for what is run for every
        job and finds its rows that way however large a table has become.
        """
        async with _lent(self._app) as conn:
            cursor = conn.cursor(row_factory=row_factory, binary=binary)
            # What a pipeline sends at once is one transaction, for it is synced at the end.
            async with conn.pipeline():
                await conn.execute(f"{_SET_WORKSPACE}, {_PLAN_ONCE}", (str(workspace_id),))
                await cursor.execute(sql, params)
            return await cursor.fetchall()

    async def fleet_rows(
        self,
        sql: LiteralString,
        params: Mapping[str, object],
        *,
        row_factory: AsyncRowFactory[R],
        binary: bool = False,
    ) -> list[R]:
        """Do the same with a statement on the fleet's tables."""
        async with _lent(self._queue) as conn:
            cursor = conn.cursor(row_factory=row_factory, binary=binary)
            async with conn.pipeline():
                await conn.execute(f"select {_PLAN_ONCE}")
                await cursor.execute(sql, params)
            return await cursor.fetchall()


_SET_WORKSPACE = "select set_config('glaze.workspace', %s, true)"
_PLAN_ONCE = """set_config('plan_cache_mode', 'force_generic_plan', true),
  set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true),
  set_config('enable_bitmapscan', 'off', true)"""


@asynccontextmanager
async def _transaction(pool: _Pool) -> AsyncIterator[Connection]:
    """Lend a connection for one transaction: committed at the end, rolled back on an error.

    In a pipeline statements travel together until a result is asked for: BEGIN with the first,
    COMMIT with the last.
    """
    committing = False
    try:
        async with _lent(pool) as conn, conn.pipeline():
            await conn.execute("begin")
            yield conn
            committing = True
            await conn.execute("commit")
    except StoreUnavailable as error:
        if committing and _broke_off(error.__cause__):
            raise CommitUnknown(str(error)) from error.__cause__
        raise


def _broke_off(error: BaseException | None) -> bool:
    """Tell whether the server went away, so that a COMMIT that was sent may stand."""
    return isinstance(error, psycopg.OperationalError) and (
        error.sqlstate is None or error.sqlstate.startswith(_LOST)
    )


@asynccontextmanager
async def _lent(pool: _Pool) -> AsyncIterator[Connection]:
    """Lend a connection; what goes wrong with it is translated."""
    try:
        async with pool.connection() as conn:
            yield conn
    except (PoolClosed, PoolTimeout) as error:
        raise StoreUnavailable(f"PostgreSQL did not answer: {error}") from error
    except psycopg.DataError as error:
        if "NUL" in str(error) or isinstance(error, psycopg.errors.UntranslatableCharacter):
            raise InputError("a NUL character or half of a character cannot be kept") from error
        raise
    except UnicodeEncodeError as error:  # half of a character never reaches PostgreSQL
        raise InputError("a NUL character or half of a character cannot be kept") from error
    except psycopg.OperationalError as error:
        if error.sqlstate is not None and not error.sqlstate.startswith(_PASSING):
            raise  # asking again would end the same
        raise StoreUnavailable(f"PostgreSQL did not answer: {error}") from error
