"""The product as a process of its own, with members who sign in, and an API client for what tests prepare."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.flow.cli_process import DEADLINE_S, Sandbox, environment

from glaze.boot.secrets import sign_ins
from glaze.model.access import Role, Scope
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.secrets.wrapping import new_key_text
from glaze.settings import Settings
from glaze.store.access import KeyStore
from glaze.store.database import Database
from glaze.store.member import By

PASSWORD = "correct horse battery staple"


def free_port() -> int:
    """Return a port that is free."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def email_of(role: Role) -> str:
    """Return by what the member of a role signs in."""
    return f"{role}@example.com"


class Product:
    """A ``glaze up`` that can be ended and started again at the same address."""

    def __init__(self, folder: Path, dsn: str, sandbox: Sandbox) -> None:
        self.folder, self.dsn, self.sandbox = folder, dsn, sandbox
        self.port, self.host_port = free_port(), free_port()
        self.host_url = f"http://localhost:{self.host_port}"  # of a page that embeds it
        self.url = f"http://localhost:{self.port}"
        self.key = asyncio.run(_key(dsn))
        self.wrapping = new_key_text()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        settings = {
            "GLAZE_API_PORT": str(self.port),
            "GLAZE_API_REQUESTS_PER_MINUTE": "1000000",
            "GLAZE_LOG_LEVEL": "error",
            "GLAZE_API_BEAT_S": "1",
            "GLAZE_API_CORS_ORIGINS": self.host_url,
            "GLAZE_KEY_ENCRYPTION_KEYS": self.wrapping,
        }
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "glaze.cli", "up"],
                cwd=self.folder,
                env={**kept, **environment(self.dsn, self.sandbox), **settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + DEADLINE_S
        while not self._answers():
            assert self._process.poll() is None, self.said
            assert time.monotonic() < deadline, "it does not answer"
            time.sleep(0.05)

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(DEADLINE_S)
            self._process = None

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Return what the API answers an admin's key; for what a test prepares or looks up."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    @property
    def said(self) -> str:
        """What it printed."""
        return (self.folder / "log").read_text()

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.url}/livez", timeout=5).close()
        except OSError:
            return False
        return True


async def member(product: Product, role: Role) -> None:
    """Make a member of a role."""
    async with Database.open(product.dsn, size=1) as db:
        who = sign_ins(Settings(database_url=product.dsn), db)
        await who.add(DEFAULT_WORKSPACE, email_of(role), role, PASSWORD, By())


async def _key(dsn: str) -> str:
    async with Database.open(dsn, size=1) as db:
        made = await KeyStore(db).create(DEFAULT_WORKSPACE, "test", [Scope.ADMIN])
    return made.text


@contextmanager
def running_product(folder: Path, dsn: str, sandbox: Sandbox) -> Iterator[Product]:
    """Run it for as long as the block."""
    product = Product(folder, dsn, sandbox)
    product.start()
    try:
        yield product
    finally:
        product.stop()
