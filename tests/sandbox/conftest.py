"""A running sandbox for each test, and a client that speaks to it by host name."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import dns.asyncquery
import dns.message
import pytest

from glaze_sandbox.server import Running, serve
from glaze_sandbox.state import new_state
from glaze_sandbox.world.population import World

KEY = "sandbox-test"


@dataclass
class Client:
    """Speaks HTTP and DNS to one sandbox."""

    running: Running
    session: aiohttp.ClientSession

    @property
    def world(self) -> World:
        return self.running.state.world

    def request(self, method, host, path, *, headers=None, **kwargs):
        headers = {"Host": host, **(headers or {})}
        url = f"{self.running.url}{path}"
        return self.session.request(method, url, headers=headers, **kwargs)

    async def json(self, method, host, path, **kwargs):
        async with self.request(method, host, path, **kwargs) as response:
            return response.status, await response.json(content_type=None)

    def apollo(self, method, path, *, key=KEY, **kwargs):
        headers = {"x-api-key": key}
        return self.request(method, "api.apollo.io", f"/api/v1{path}", headers=headers, **kwargs)

    async def control(self, method, path, **kwargs):
        host = "sandbox.glaze.internal"
        return (await self.json(method, host, f"/_sandbox/{path}", **kwargs))[1]

    async def resolve(self, name, type_="A"):
        query = dns.message.make_query(name, type_)
        port = self.running.port
        return await dns.asyncquery.udp(query, "127.0.0.1", timeout=10, port=port)


@pytest.fixture
async def sandbox() -> AsyncIterator[Client]:
    timeout = aiohttp.ClientTimeout(total=20)
    async with (
        serve(new_state(7, 120)) as running,
        aiohttp.ClientSession(timeout=timeout) as session,
    ):
        # aiohttp sends a GET a second time when the other side hangs up; these tests count bills
        session._retry_connection = False
        yield Client(running, session)


@pytest.fixture
def known_company(sandbox):
    """A living company that Apollo, EnrichLayer and Serper all know."""
    state = sandbox.running.state
    vendors = [state.vendors[h] for h in ("api.apollo.io", "enrichlayer.com", "google.serper.dev")]
    return next(
        company
        for company in sandbox.world.companies()
        if all(v._known.company(company) for v in vendors) and not sandbox.world.is_dead(company)
    )


@pytest.fixture
def known_people(sandbox):
    """People with an address whom Apollo knows, the placeholder's victims left out."""
    apollo = sandbox.running.state.vendors["api.apollo.io"]
    everybody = (p for c in sandbox.world.companies() for p in sandbox.world.people_of(c))
    return [p for p in everybody if p.email and (apollo._known.person(p) or {}).get("person_email")]
