"""Databases of a test's own, copied from one that is ready."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import make_conninfo


@contextmanager
def copied(server_dsn: str, template: str, name: str) -> Iterator[str]:
    """Yield the DSN of a copy of ``template`` called ``name``, which is gone afterwards."""
    with psycopg.connect(server_dsn, autocommit=True) as conn:
        conn.execute(f"create database {name} template {template} strategy file_copy".encode())
        try:
            yield make_conninfo(server_dsn, dbname=name)
        finally:
            conn.execute(f"drop database {name} with (force)".encode())
