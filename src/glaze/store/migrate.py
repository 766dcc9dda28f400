"""Forward-only migrations: ordered SQL files, applied once, under a lock."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from glaze.errors import SchemaMismatch, StoreUnavailable
from glaze.store.statements import statements

_LOGIN = "glaze_runtime"
_LOCK = 0x676C617A  # "glaz": one migration at a time in a database


@dataclass(frozen=True, slots=True)
class Migration:
    """One file ``NNNN_pre|post_intent.sql``."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file, to notice one that was changed after it was applied."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> list[Migration]:
    """Return all migrations of this version of Glaze, oldest first."""
    folder = resources.files("glaze.store").joinpath("migrations")
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [
        Migration(int(f.name[:4]), f.name.removesuffix(".sql"), f.read_text("utf-8")) for f in files
    ]


async def migrate(dsn: str) -> list[str]:
    """Bring the database at ``dsn`` up to date and return the names of what was applied.

    The login of ``dsn`` must own the database or be a superuser: it makes the roles.

    Raises: StoreUnavailable when there is no connection, SchemaMismatch when the database knows
    migrations that this version does not, or one was changed after it was applied.
    """
    try:
        async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
            await conn.execute("set lock_timeout = '60s'")
            await conn.execute("select pg_advisory_lock(%s)", (_LOCK,))
            return await _apply(conn, migrations())
    except psycopg.OperationalError as error:
        raise StoreUnavailable(f"no connection to PostgreSQL: {error}") from error


async def runtime_login(dsn: str) -> str:
    """Return a DSN whose login owns nothing and may only become one of the two runtime roles.

    For a server whose superuser we are: its password makes the login's, so that every process
    comes to the same one.

    Raises: StoreUnavailable when there is no connection.
    """
    given = conninfo_to_dict(dsn)
    secret = hmac.digest(str(given.get("password", "")).encode(), _LOGIN.encode(), "sha256").hex()
    login = {"login": sql.Identifier(_LOGIN), "password": sql.Literal(secret)}
    try:
        async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
            await conn.execute("select pg_advisory_lock(%s)", (_LOCK,))
            await conn.execute(statements("migrate")["login"])
            await conn.execute(sql.SQL("alter role {login} password {password}").format(**login))
    except psycopg.OperationalError as error:
        raise StoreUnavailable(f"no connection to PostgreSQL: {error}") from error
    return make_conninfo(dsn, user=_LOGIN, password=secret)


async def _apply(conn: AsyncConnection, known: Sequence[Migration]) -> list[str]:
    named = statements("migrate")
    await conn.execute(named["roles"])
    await conn.execute(named["schema"])
    await conn.execute("set role glaze_migrate")
    await conn.execute("set search_path = glaze")
    await conn.execute(named["table"])
    rows = await (await conn.execute(named["applied"])).fetchall()
    applied = {int(version): str(checksum) for version, checksum in rows}
    _compare(applied, known)
    done = []
    for migration in known:
        if migration.version in applied:
            continue
        async with conn.transaction():
            await conn.execute(migration.sql.encode())
            await conn.execute(
                named["record"], (migration.version, migration.name, migration.checksum)
            )
        done.append(migration.name)
    return done


def _compare(applied: dict[int, str], known: Sequence[Migration]) -> None:
    ours = {m.version: m for m in known}
    newer = sorted(set(applied) - set(ours))
    if newer:
        raise SchemaMismatch(
            f"the database has migration {newer[-1]}, which this version of Glaze does not know;"
            " start a version at least as new as the one that migrated it",
        )
    for version, checksum in applied.items():
        if ours[version].checksum != checksum:
            raise SchemaMismatch(
                f"migration {ours[version].name} was changed after it was applied to this database;"
                " restore the file and put the change into a new migration",
            )
