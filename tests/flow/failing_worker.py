"""A worker of the whole product that ends itself: failing_worker.py POINT NTH kill|stop.

At the NTH passing of the failpoint POINT the process kills itself, or stops until it is thawed.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable

from glaze.boot.app import boot
from glaze.settings import load_settings


def failing(point: str, nth: int, signum: signal.Signals) -> Callable[[str], None]:
    """Return a failpoint that sends ``signum`` to this process, once."""
    passed = 0

    def at(name: str) -> None:
        nonlocal passed
        passed += name == point
        if name == point and passed == nth:
            os.kill(os.getpid(), signum)

    return at


async def main(point: str, nth: int, signum: signal.Signals) -> None:
    """Work until killed."""
    async with boot(load_settings(), at=failing(point, nth, signum)) as app:
        await app.worker().run(asyncio.Event())


if __name__ == "__main__":
    signals = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), signals[sys.argv[3]]))
