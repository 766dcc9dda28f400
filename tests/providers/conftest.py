"""The sandbox over real HTTP, and the product's own way out to it."""

import time
from collections.abc import AsyncIterator, Callable

import pytest

from glaze.model.provider import Provider
from glaze.net.client import HttpClient
from glaze.net.sandbox import SandboxRoute
from glaze.net.vendor import BoundHttp
from glaze_sandbox.server import Running, serve
from glaze_sandbox.state import new_state

TOKEN = "g1-7-0123456789abcdef0123456789abcdef"


@pytest.fixture
async def sandbox() -> AsyncIterator[Running]:
    """Every vendor, on 127.0.0.1, over a world of 60 companies."""
    async with serve(new_state(companies=60)) as running:
        yield running


@pytest.fixture
async def http_of(sandbox: Running) -> AsyncIterator[Callable[..., BoundHttp]]:
    """The way out of one provider, bound to the sandbox."""
    async with HttpClient(sandbox=SandboxRoute.from_url(sandbox.url)) as client:

        def bind(provider: Provider, key: str = "sandbox-test") -> BoundHttp:
            return BoundHttp(
                client,
                base_url=provider.spec.base_url,
                key=key,
                deadline=time.monotonic() + 30,
                max_requests=1 if any(op.price_micros for op in provider.spec.operations) else None,
                token=TOKEN,
            )

        yield bind
