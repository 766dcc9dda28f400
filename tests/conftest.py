"""Real PostgreSQL for every test that asks for it: one server, one template, a database a test."""

import os
from collections.abc import AsyncIterator, Iterator
from itertools import count

import hypothesis
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from glaze.logs import correlation
from glaze.store.database import Database
from glaze.store.migrate import migrate
from tests.copied import copied
from tests.quick_folder import quick_folder

_numbers = count(1)

# How long an example takes says something of the machine, not of the product.
hypothesis.settings.register_profile("glaze", deadline=None)
hypothesis.settings.load_profile("glaze")


@pytest.fixture(autouse=True)
def _followed_by_nothing() -> None:
    """Forget the id of a command that a test before ran in this process: its jobs are over."""
    correlation.set(None)


@pytest.fixture(scope="session")
def server_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Superuser DSN of a throwaway server, or of GLAZE_TEST_DATABASE_URL."""
    given = os.environ.get("GLAZE_TEST_DATABASE_URL")
    if given:
        yield given
        return
    from glaze.store.embedded import ensure_server  # noqa: PLC0415  only where no server was given

    with quick_folder(tmp_path_factory) as folder:
        lease = ensure_server(folder / "data", unsafe_fast=True, idle_s=0.5)
        try:
            yield lease.dsn
        finally:
            lease.release()


@pytest.fixture(scope="session")
def template(server_dsn: str) -> Iterator[str]:
    """Name of a migrated database that tests are copied from."""
    import asyncio  # noqa: PLC0415

    name = f"glaze_template_{os.getpid()}"
    with psycopg.connect(server_dsn, autocommit=True) as conn:
        conn.execute(f"create database {name}")
        asyncio.run(migrate(make_conninfo(server_dsn, dbname=name)))
        yield name
        conn.execute(f"drop database {name} with (force)")


@pytest.fixture
def dsn(server_dsn: str, template: str) -> Iterator[str]:
    """DSN of a fresh, migrated database of this test's own."""
    name = f"glaze_test_{os.getpid()}_{next(_numbers)}"
    with copied(server_dsn, template, name) as dsn:
        yield dsn


@pytest.fixture
async def db(dsn: str) -> AsyncIterator[Database]:
    """Open pools on a fresh database."""
    async with Database.open(dsn) as database:
        yield database
