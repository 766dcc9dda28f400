"""The API over real HTTP: this process serves it on a free port, over a database of the test's own."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
import pytest
import uvicorn
from argon2 import PasswordHasher

from glaze.api.server import configured
from glaze.boot.app import App, boot
from glaze.model.access import Scope
from glaze.model.value import DEFAULT_WORKSPACE, WorkspaceId
from glaze.settings import Settings
from glaze.store.workspace import WorkspaceStore

THEIRS = WorkspaceId(2)
"""Another workspace in the same database."""


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hash passwords the same way with less of it: each takes a good part of a core otherwise."""
    with pytest.MonkeyPatch.context() as patched:
        quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patched.setattr("glaze.secrets.passwords._hasher", quick)
        yield


class Answer(NamedTuple):
    """What came back. ``body`` is the JSON in it, or its text."""

    status: int
    headers: Any
    body: Any


class Client:
    """Asks the API with one key."""

    def __init__(self, http: aiohttp.ClientSession, url: str, key: str | None) -> None:
        self.http, self.url, self.key = http, url, key

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        shown = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        asked = self.http.request(method, self.url + path, json=body, headers=shown | named)
        async with asked as answer:
            is_json = answer.content_type.endswith("json")
            told = await answer.json(content_type=None) if is_json else await answer.text()
            return Answer(answer.status, answer.headers, told)

    async def get(self, path: str, **headers: str) -> Answer:
        return await self.ask("GET", path, **headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return await self.ask("POST", path, body if body is not None else {}, **headers)


class Service:
    """A running API and the product behind it."""

    def __init__(self, app: App, url: str, http: aiohttp.ClientSession) -> None:
        self.app, self.url, self.http = app, url, http

    async def client(self, *scopes: Scope, workspace_id: WorkspaceId = DEFAULT_WORKSPACE) -> Client:
        """Return a client with a new key; an admin's unless ``scopes`` says otherwise."""
        made = await self.app.keys.create(workspace_id, "test", scopes or [Scope.ADMIN])
        return Client(self.http, self.url, made.text)

    @property
    def stranger(self) -> Client:
        """A client without a key."""
        return Client(self.http, self.url, None)


@asynccontextmanager
async def serving(settings: Settings, port: int = 0) -> AsyncIterator[Service]:
    """Serve the API in this process for as long as the block; on ``port``, 0: any that is free."""
    async with boot(settings) as app, aiohttp.ClientSession() as http:
        config = configured(app, port=port, lifespan="off")
        server = uvicorn.Server(config)
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup()  # serve() would take our signals
        port = server.servers[0].sockets[0].getsockname()[1]
        async with asyncio.TaskGroup() as group:
            group.create_task(server.main_loop())
            try:
                yield Service(app, f"http://127.0.0.1:{port}", http)
            finally:
                app.live.close()
                server.should_exit = True
        await server.shutdown()


@pytest.fixture
def settings(dsn: str) -> Settings:
    """The settings of the served process; a test may change them."""
    return Settings(database_url=dsn, log_level="error")


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    """The API, without a worker."""
    async with serving(settings) as running:
        yield running


@pytest.fixture
async def theirs(service: Service) -> Client:
    """An admin of another workspace."""
    made = await WorkspaceStore(service.app.db).create("theirs")
    assert made.id == THEIRS
    return await service.client(workspace_id=made.id)
