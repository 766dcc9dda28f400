"""Endpoints that hang (H6): each holds its own few attempts, and whoever listens is told at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from random import Random

import pytest

from conftest import HANG_S, World
from glaze.model.failpoint import nowhere
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.net.sandbox import SANDBOX_ADDRESS
from glaze.store.database import Database
from glaze.store.event import NewEvent, append
from glaze.store.webhook import WebhookStore
from glaze.store.webhook_delivery import DeliveryStore
from glaze.tasks.courier import EACH_AT_ONCE, Courier

WS = DEFAULT_WORKSPACE
HUNG = 30
ODD_THANKS = (
    b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 202 Accepted\r\nContent-Length: 20\r\n\r\nok",
)
"""A status, and a body that cannot be read: an encoding nobody offered, no gzip, cut off."""


class Receivers:
    """Hosts that begin with ``hung`` never answer, ``odd0`` and so on thank oddly; the others thank."""

    def __init__(self) -> None:
        self.hanging = 0
        self.given_up = asyncio.Event()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if b"host: hung" in head:
            self.hanging += 1
            await self.given_up.wait()
            return
        if b"host: odd" in head:
            writer.write(ODD_THANKS[int(head.split(b"host: odd")[1][:1])])
            await writer.drain()
            writer.close()
            return
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()


@pytest.fixture
async def receivers() -> AsyncIterator[Receivers]:
    them = Receivers()
    yield them
    them.given_up.set()


def courier(deliveries: DeliveryStore, world: World) -> Courier:
    return Courier(
        deliveries,
        world.client,
        clock=lambda: datetime.now(UTC),  # noqa: TID251
        rng=Random(1),
        at=nowhere,
    )


async def happened(db: Database, n: int) -> None:
    async with db.workspace(WS) as conn:
        await append(conn, [NewEvent("search.ready", {"n": n}) for n in range(n)])


async def test_one_good_endpoint_among_many_that_hang_is_told_at_once(
    db: Database, worlds, receivers: Receivers
):
    world: World = await worlds(receivers.talk)
    world.dns.everything_is = SANDBOX_ADDRESS
    webhooks, deliveries = WebhookStore(db), DeliveryStore(db)
    for n in range(HUNG):
        await webhooks.create(WS, f"https://hung{n}.example.com/", ["search.*"])
    good = await webhooks.create(WS, "https://good.example.com/", ["search.*"])
    await happened(db, 5)
    teller = courier(deliveries, world)
    told = []
    try:
        async with asyncio.timeout(HANG_S):
            while len(told) < 5:
                await teller.sweep()
                await asyncio.sleep(0.05)
                told = await deliveries.page(WS, good.webhook.id, state="delivered")
    finally:
        receivers.given_up.set()
        await teller.close()
    assert receivers.hanging <= HUNG * EACH_AT_ONCE
    assert receivers.hanging >= HUNG


async def test_an_endpoint_that_listens_is_told_all_that_waits_without_another_look(
    db: Database, worlds, receivers: Receivers
):
    world: World = await worlds(receivers.talk)
    world.dns.everything_is = SANDBOX_ADDRESS
    deliveries = DeliveryStore(db)
    good = await WebhookStore(db).create(WS, "https://good.example.com/", ["search.*"])
    await happened(db, 40)
    teller = courier(deliveries, world)
    try:
        async with asyncio.timeout(HANG_S):
            await teller.sweep()
            while len(await deliveries.page(WS, good.webhook.id, state="delivered")) < 40:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    finally:
        await teller.close()


async def test_what_was_taken_counts_as_told_though_the_thanks_cannot_be_read(
    db: Database, worlds, receivers: Receivers
):
    world: World = await worlds(receivers.talk)
    world.dns.everything_is = SANDBOX_ADDRESS
    webhooks, deliveries = WebhookStore(db), DeliveryStore(db)
    odd = [
        (await webhooks.create(WS, f"https://odd{n}.example.com/", ["search.*"])).webhook.id
        for n in range(len(ODD_THANKS))
    ]
    await happened(db, 1)
    teller = courier(deliveries, world)
    await teller.sweep()
    await teller.close()
    told = [one for webhook_id in odd for one in await deliveries.page(WS, webhook_id)]
    assert [one.state for one in told] == ["delivered"] * len(ODD_THANKS), told
    assert [one.attempts[0]["status"] for one in told] == [200, 200, 202]
