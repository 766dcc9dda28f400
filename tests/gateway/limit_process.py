"""One of several processes that ask one vendor under one limit: takes permits, sends, tells its grants."""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from datetime import datetime

from glaze.model.provider import Limit
from glaze.net.client import HttpClient
from glaze.net.sandbox import SandboxRoute
from glaze.net.vendor import BoundHttp
from glaze.pipeline.departure import Departure
from glaze.pipeline.limiter import Limiter, Permit
from glaze.store.database import Database
from glaze.store.limit import LimitStore, Slots, Taken

BASE_URL = "https://google.serper.dev"
ASKERS = 20


class Recording(LimitStore):
    """Remembers what it granted and was not given back."""

    def __init__(self, db: Database) -> None:
        super().__init__(db)
        self.granted: list[datetime] = []

    async def take(self, slots: Slots, wanted: int, *, lead_s: float = 0.0) -> Taken:
        taken = await super().take(slots, wanted, lead_s=lead_s)
        self.granted += taken.at
        return taken

    async def give_back(self, slots: Slots, moments: Sequence[datetime]) -> None:
        await super().give_back(slots, moments)
        for at in moments:
            self.granted.remove(at)


async def ask_on(limiter: Limiter, client: HttpClient, until: float) -> int:
    """Send whenever there is a permit, until ``until``; return how often."""
    sent = 0
    while time.monotonic() < until:
        permit = await limiter.permit()
        if isinstance(permit, Permit):
            now = time.monotonic()
            http = BoundHttp(
                client,
                base_url=BASE_URL,
                key="sandbox-limit",
                deadline=now + 20,
                hold=Departure(limiter, permit, begun=now, has_room=lambda: True),
            )
            headers = {"X-API-KEY": http.key}
            await http.request("POST", f"{BASE_URL}/search", headers=headers, json={"q": "a b"})
            sent += 1
    return sent


async def main(dsn: str, sandbox_url: str, seconds: float, limits: list[Limit]) -> None:
    """Ask for so long, as one of many."""
    async with (
        Database.open(dsn, size=2) as db,
        HttpClient(sandbox=SandboxRoute.from_url(sandbox_url)) as client,
        asyncio.TaskGroup() as tasks,
    ):
        store = Recording(db)
        slots = Slots("serper", "env", tuple(limits), ("serper",))
        limiter = Limiter(store, tasks, slots, patience_s=seconds)
        until = time.monotonic() + seconds
        sent = await asyncio.gather(*(ask_on(limiter, client, until) for _ in range(ASKERS)))
    told = {"granted": [at.isoformat() for at in store.granted], "sent": sum(sent)}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    _, given_dsn, given_url, given_seconds, given_limits = sys.argv
    asyncio.run(
        main(
            given_dsn,
            given_url,
            float(given_seconds),
            [Limit(*li) for li in json.loads(given_limits)],
        )
    )
