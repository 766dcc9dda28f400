"""Run the benchmarks and write bench/RESULTS.md: python -m bench [NAME ...].

Each module of this folder with an ``async def run(dsn) -> list[Figure]`` is one; it gets a fresh,
migrated database. The server is that of GLAZE_BENCH_DATABASE_URL, else an embedded one, with
fsync as in production either way.
"""

import asyncio
import importlib
import logging
import os
import pkgutil
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import psycopg
import structlog
import uvloop
from psycopg.conninfo import make_conninfo

import bench
from bench.figure import Figure
from glaze.boot.process import collect_rarely
from glaze.store.embedded import ensure_server
from glaze.store.migrate import migrate

RESULTS = Path(__file__).parent / "RESULTS.md"
HEAD = """# Benchmark results

Written by `make bench`. Every figure is taken in turns with a reference on the same machine and
server; only the ratio says something. Durability is on: fsync and synchronous commit.

| what | Glaze | reference | ratio (median) | spread | reach |
|---|---|---|---|---|---|
"""


@contextmanager
def server() -> Iterator[str]:
    """Give the DSN of a superuser on a durable server."""
    if given := os.environ.get("GLAZE_BENCH_DATABASE_URL"):
        yield given
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        ensure_server(Path(folder) / "data", idle_s=2) as lease,
    ):
        yield lease.dsn


@contextmanager
def database(server_dsn: str, name: str) -> Iterator[str]:
    """Give the DSN of a database of one benchmark's own."""
    own = f"glaze_bench_{name}_{os.getpid()}"
    with psycopg.connect(server_dsn, autocommit=True) as conn:
        conn.execute(f"create database {own}".encode())
        try:
            yield make_conninfo(server_dsn, dbname=own)
        finally:
            conn.execute(f"drop database {own} with (force)".encode())


async def run_one(name: str, dsn: str) -> list[Figure]:
    """Migrate and run one benchmark."""
    await migrate(dsn)
    figures: list[Figure] = await importlib.import_module(f"bench.{name}").run(dsn)
    return figures


def names() -> list[str]:
    """Return the benchmarks of this folder."""
    modules = [found.name for found in pkgutil.iter_modules(bench.__path__)]
    return [n for n in modules if hasattr(importlib.import_module(f"bench.{n}"), "run")]


def machine(dsn: str) -> str:
    """Return what the figures were taken on."""
    with psycopg.connect(dsn) as conn:
        row = conn.execute("show server_version").fetchone()
    parts = (
        f"{os.cpu_count()} cores {platform.machine()}",
        f"PostgreSQL {row[0] if row else '?'}",
        f"Python {platform.python_version()}",
        *(f"{package} {version(package)}" for package in ("psycopg", "asyncpg", "uvloop")),
    )
    return ", ".join(parts)


def main(chosen: list[str]) -> None:
    """Run what was chosen, or all, and write the table."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    collect_rarely()  # as every process of Glaze; the references run in it too
    lines: list[str] = []
    with server() as server_dsn, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for name in chosen or names():
            with database(server_dsn, name) as dsn:
                for figure in runner.run(run_one(name, dsn)):
                    print(figure.line())
                    lines.append(figure.line())
        on = machine(server_dsn)
    if not chosen:
        RESULTS.write_text(HEAD + "\n".join(lines) + f"\n\nMachine: {on}.\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
