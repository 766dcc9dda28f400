"""What a command works with: the product or the database alone, and the workspace it acts on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from glaze.boot import server as _server
from glaze.model.value import WorkspaceId
from glaze.settings import Settings
from glaze.store.database import Database
from glaze.store.workspace import WorkspaceStore

if TYPE_CHECKING:
    from glaze.boot.app import App

_chosen: ContextVar[WorkspaceId] = ContextVar("workspace")


def workspace() -> WorkspaceId:
    """Return the workspace that the command acts on, once something was opened."""
    return _chosen.get()


@asynccontextmanager
async def boot(settings: Settings) -> AsyncIterator["App"]:
    """Start and wire everything. Raises: as ``boot.app.boot``; InputError for no such workspace."""
    from glaze.boot.app import boot as start  # noqa: PLC0415  slow to import, and looking needs none

    async with start(settings) as app:
        await choose(app.db, settings)
        yield app


@asynccontextmanager
async def fleet(settings: Settings) -> AsyncIterator[Database]:
    """Open the database alone. Raises: as ``boot.server.fleet``; InputError for no such workspace."""
    async with _server.fleet(settings) as db:
        await choose(db, settings)
        yield db


async def choose(db: Database, settings: Settings) -> None:
    """Find the workspace that the command acts on. Raises: InputError where there is none."""
    _chosen.set((await WorkspaceStore(db).named(settings.workspace)).id)
