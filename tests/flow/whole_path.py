"""Jobs and workers of the whole product, in this process and in others."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import failing_worker
import psycopg
from cli_process import Sandbox

from glaze.boot.app import App, boot
from glaze.model.access import Scope
from glaze.model.job import TERMINAL, NewJob
from glaze.model.request import EnrichArgs, EnrichResult
from glaze.model.value import DEFAULT_WORKSPACE, FieldName, JobId
from glaze.settings import Settings
from glaze.store.access import KeyStore
from glaze.store.database import Database
from glaze.store.job import JobView

HANG_S = 120.0


def websites(sandbox: Sandbox, n: int, *, skip: int = 0) -> list[str]:
    """Return the sites of companies that vendors know, whose own sites answer."""
    living = [c["url"] for c in sandbox.get("hosts")["companies"] if not c["dead"]]
    return living[skip : skip + n]


def enrichment(website: str, *fields: str, **more: Any) -> NewJob:
    """Return a job that enriches ``website``."""
    args = EnrichArgs(input={"url": website}, required_fields=tuple(map(FieldName, fields)), **more)
    return NewJob("enrich", args.model_dump(mode="json", exclude_defaults=True))


def settings_of(environment: Mapping[str, str]) -> Settings:
    """Return the settings that a process with this environment would have."""
    with pytest_environment(environment):
        return Settings()


@contextmanager
def pytest_environment(environment: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@asynccontextmanager
async def booted(environment: Mapping[str, str]) -> AsyncIterator[App]:
    """Boot the product in this process."""
    async with boot(settings_of(environment)) as app:
        yield app


async def finished(app: App, ids: list[JobId]) -> list[JobView]:
    """Work in this process until the jobs have ended, and return them."""

    async def over() -> bool:
        views = [await app.jobs.get(DEFAULT_WORKSPACE, job_id) for job_id in ids]
        return all(view is not None and view.state in TERMINAL for view in views)

    async with asyncio.timeout(HANG_S):
        await app.worker().drain(over, asyncio.Event())
    views = [await app.jobs.get(DEFAULT_WORKSPACE, job_id) for job_id in ids]
    return [view for view in views if view is not None]


def result_of(view: JobView) -> EnrichResult:
    """Return a job's result."""
    return EnrichResult.model_validate(view.result)


@contextmanager
def failing_process(
    environment: Mapping[str, str], point: str, nth: int, how: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker that kills or stops itself at a failpoint."""
    command = [sys.executable, str(Path(failing_worker.__file__)), point, str(nth), how]
    with subprocess.Popen(command, env=_environment(environment)) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def glaze_process(
    environment: Mapping[str, str], *arguments: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a ``glaze`` command for as long as the block."""
    command = [sys.executable, "-m", "glaze.cli", *arguments]
    with subprocess.Popen(command, env=_environment(environment)) as process:
        try:
            yield process
        finally:
            process.kill()


def _environment(environment: Mapping[str, str]) -> dict[str, str]:
    names = ("PATH", "HOME", "PYTHONPATH")  # the last one leads to a mutant
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return kept | {"GLAZE_LOG_LEVEL": "error"} | dict(environment)


async def stopped(process: subprocess.Popen[bytes]) -> None:
    """Wait until the process has stopped itself."""
    _, status = await asyncio.to_thread(os.waitpid, process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status), status


def watch(look: Callable[[], Any], *, hang_s: float = HANG_S) -> Any:
    """Look at another process's traces until there is something, and return it."""
    deadline = time.monotonic() + hang_s
    while not (seen := look()):
        assert time.monotonic() < deadline, "nothing of the kind was seen"
        time.sleep(0.03)
    return seen


def query(dsn: str, text: str) -> Any:
    """Return the first value that a superuser reads, or None where the table is not there yet."""
    try:
        with psycopg.connect(dsn) as conn:
            row = conn.execute(text.encode()).fetchone()
    except psycopg.errors.UndefinedTable:
        return None
    return row[0] if row else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def api_key(dsn: str, *scopes: Scope) -> str:
    """Return a new key of the default workspace."""

    async def issued() -> str:
        async with Database.open(dsn, size=1) as db:
            made = await KeyStore(db).create(DEFAULT_WORKSPACE, "test", scopes or [Scope.ADMIN])
        return made.text

    return asyncio.run(issued())


class Api:
    """The HTTP API of a ``glaze up`` process."""

    def __init__(self, port: int, dsn: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.headers = {"Authorization": f"Bearer {api_key(dsn)}"}

    def get(self, path: str) -> Any:
        try:
            with urllib.request.urlopen(
                urllib.request.Request(self.url + path, headers=self.headers), timeout=30
            ) as answer:
                return json.load(answer)
        except urllib.error.HTTPError:
            raise
        except OSError:
            return None  # not up yet

    def enrich(self, **body: Any) -> Any:
        request = urllib.request.Request(
            f"{self.url}/enrich",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", **self.headers},
        )
        with urllib.request.urlopen(request, timeout=90) as answer:
            return json.load(answer)
