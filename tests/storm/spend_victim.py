"""A worker of the whole product, forked to be killed: at a failpoint, or anywhere."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from multiprocessing.synchronize import Event

from glaze.boot.app import boot
from glaze.providers.registry import load_providers
from glaze.settings import load_settings

load_providers()  # so that what is forked from here has imported them


def failing(point: str, nth: int) -> Callable[[str], None]:
    """Return a failpoint that kills this process at the ``nth`` passing of ``point``."""
    passed = 0

    def at(name: str) -> None:
        nonlocal passed
        passed += name == point
        if name == point and passed == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    return at


def work(
    environment: Mapping[str, str], folder: str, dies: tuple[str, int], working: Event
) -> None:
    """Work until killed; ``folder`` holds a package of providers, ``working`` tells that it began."""
    os.environ.update(environment)
    sys.path.insert(0, folder)

    async def live() -> None:
        async with boot(load_settings(), at=failing(*dies)) as app:
            working.set()
            await app.worker().run(asyncio.Event())

    asyncio.run(live())
