"""Asks a vendor something that costs nothing and is no question of the ledger: within its limits only."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from glaze.errors import FetchError, HeldBack
from glaze.model.provider import Operation, ProviderSpec, VendorHttp
from glaze.model.value import WorkspaceId
from glaze.net.client import HttpClient
from glaze.net.vendor import BoundHttp
from glaze.pipeline.departure import Departure
from glaze.pipeline.gateway import DEADLINE_MARGIN_S, Gateway
from glaze.pipeline.limiter import Wait

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NotNow:
    """The vendor cannot be asked for ``wait_s`` seconds."""

    wait_s: float
    why: str


async def ask_unbilled(
    gateway: Gateway,
    http: HttpClient,
    *,
    workspace_id: WorkspaceId,
    spec: ProviderSpec,
    operation: Operation,
    ask: Callable[[VendorHttp], Awaitable[T]],
) -> T | NotNow:
    """Ask once, past the vendor's breaker and by a permit of its limits.

    Raises: FetchError.
    """
    access = (await gateway.credentials.of(workspace_id)).to(spec.name)
    channel = gateway.channels.of(spec, access)
    async with channel.passing(probe_s=operation.timeout_s + DEADLINE_MARGIN_S) as passing:
        if passing.wait_s:
            return NotNow(passing.wait_s, f"{spec.name} is failing")
        limiter = channel.limiter(operation, asks=1)
        permit = await limiter.permit()
        if isinstance(permit, Wait):
            return NotNow(permit.wait_s, f"{spec.name} has no room")
        departure = Departure(
            limiter, permit, begun=time.monotonic(), has_room=lambda: channel.has_room
        )
        try:
            bound = BoundHttp(
                http,
                base_url=channel.base_url,
                key=await gateway.credentials.key(spec.name, access),
                deadline=time.monotonic() + operation.timeout_s,
                max_requests=1,
                hold=departure,
            )
            told = await ask(bound)
        except HeldBack as error:
            return NotNow(1.0, f"{spec.name}: {error}")
        except FetchError as error:
            await passing.record(failed=True, error=error.code)
            raise
        finally:
            await departure.close()
        await passing.record(failed=False)
        return told
