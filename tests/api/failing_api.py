"""An API that kills itself before it says what it has written: failing_api.py DSN PORT."""

import asyncio
import os
import signal
import sys

import uvicorn

from glaze.api.server import configured
from glaze.boot.app import boot
from glaze.settings import Settings


def at(name: str) -> None:
    """Die where an answer from the cache is committed."""
    if name == "answered_from_cache":
        os.kill(os.getpid(), signal.SIGKILL)


async def main(dsn: str, port: int) -> None:
    """Serve until killed."""
    async with boot(Settings(database_url=dsn, log_level="error"), at=at) as app:
        config = configured(app, port=port, lifespan="off")
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
