"""Vendors' webhooks: posted some time after the answer that promised them, on this machine only."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp

from glaze_sandbox.wire import Callback

HERE = frozenset({"127.0.0.1", "localhost", "::1"})
TIMEOUT = aiohttp.ClientTimeout(total=10)


@dataclass
class Sender:
    """Posts callbacks, each once; where one leads off this machine it is only counted."""

    statuses: list[int] = field(default_factory=list)  # of what was posted, 0: nobody answered
    kept_back: int = 0
    _posting: set[asyncio.Task[None]] = field(default_factory=set)

    def post_later(self, callbacks: Sequence[Callback]) -> None:
        """Post each callback when its time has come."""
        for callback in callbacks:
            if urlsplit(callback.url).hostname not in HERE:
                self.kept_back += 1
                continue
            task = asyncio.get_running_loop().create_task(self._post(callback))
            self._posting.add(task)
            task.add_done_callback(self._posting.discard)

    async def close(self) -> None:
        """Post nothing more."""
        for task in self._posting:
            task.cancel()
        await asyncio.gather(*self._posting, return_exceptions=True)

    async def _post(self, callback: Callback) -> None:
        await asyncio.sleep(callback.wait_s)
        headers = {"Content-Type": "application/json", **callback.headers}
        try:
            async with (
                aiohttp.ClientSession(timeout=TIMEOUT) as session,
                session.post(callback.url, data=callback.body, headers=headers) as answer,
            ):
                status = answer.status
        except (aiohttp.ClientError, TimeoutError):
            status = 0  # nobody took it; the customer has to ask
        self.statuses.append(status)
