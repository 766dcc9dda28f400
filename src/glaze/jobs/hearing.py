"""Hearing that jobs ended, for all in this process who wait for it."""

import asyncio

from glaze.errors import StoreUnavailable
from glaze.jobs.retry import bear, going_on, pauses
from glaze.store.notify import listen_for_ends


async def hear_ends(dsn: str, somebody: asyncio.Event, heard: asyncio.Event) -> None:
    """Set ``heard`` whenever a job ends, until cancelled; no connection before ``somebody`` is set.

    What is said while there is no connection is missed: whoever waits looks now and then, too.
    """
    await somebody.wait()
    pause = pauses()
    while going_on():
        try:
            async for _ in listen_for_ends(dsn):
                pause = pauses()
                heard.set()
        except StoreUnavailable as error:
            bear(error, "listen for ends")
        await asyncio.sleep(next(pause))
