"""F6: ``POST /v1/enrich`` answered from the cache, beside the same framework that answers a constant."""

import asyncio
import statistics
from collections.abc import Awaitable, Callable
from functools import partial
from time import perf_counter

import aiohttp
import asyncpg

from bench.drain import asyncpg_options
from bench.figure import Figure
from bench.serving import free_port, serving
from glaze.boot.app import boot
from glaze.model.access import Scope
from glaze.model.identity import identify
from glaze.model.value import DEFAULT_WORKSPACE as WS
from glaze.settings import Settings

AT_ONCE = 32
SECONDS = 5
PER_SECOND = 200
ROUNDS = 3
BODY = {"input": {"domain": "acme.com"}, "fields": ["company_name"], "wait_s": 30}
CONSTANT = """
import sys, uvicorn
from datetime import UTC, datetime
from fastapi import FastAPI
from glaze.api.schemas import EnrichBody, JobOut
api = FastAPI()
now = datetime(2026, 1, 1, tzinfo=UTC)
found = {"company_name": {"value": "Acme", "confidence": 100, "source": "user", "retrieved_at": now}}
result = {"status": "success", "data": found, "timestamp": now}
job = JobOut(id=1, kind="enrich", queue="default", state="completed", priority=1, attempt=1, max_attempts=5, round=1,
  cancel_requested=False, tags=[], created_at=now, due_at=now, result=result)
@api.post("/v1/enrich")
async def enrich(body: EnrichBody) -> JobOut:
    body.args()
    return job
uvicorn.run(api, port=int(sys.argv[1]), log_level="error", access_log=False, timeout_keep_alive=120)
"""


async def _ask(http: aiohttp.ClientSession, url: str) -> float:
    """Ask once; return the milliseconds it took."""
    begun = perf_counter()
    async with http.post(f"{url}/v1/enrich", json=BODY) as answer:
        told = await answer.json()
        assert answer.status == 200, told
        assert told["result"]["data"]["company_name"]["value"] == "Acme", told
    return (perf_counter() - begun) * 1000


async def rate(http: aiohttp.ClientSession, url: str) -> float:
    """Return the requests answered a second, with many at once."""
    asked, until = 0, perf_counter() + SECONDS

    async def go_on() -> None:
        nonlocal asked
        while perf_counter() < until:
            await _ask(http, url)
            asked += 1

    begun = perf_counter()
    await asyncio.gather(*(go_on() for _ in range(AT_ONCE)))
    return asked / (perf_counter() - begun)


async def _commit(pool: asyncpg.Pool) -> float:
    """Commit one row of the size of an answer; return the milliseconds it took."""
    begun = perf_counter()
    await pool.execute("insert into bare_commit (body) values ($1)", "x" * 1000)
    return (perf_counter() - begun) * 1000


async def paced(once: Callable[[], Awaitable[float]]) -> tuple[float, float]:
    """Return the milliseconds of every other one and of all but one in a hundred, at a steady pace."""
    # All of them are made before the first is due: else it would come together with many others.
    begun, took = perf_counter() + 1.0, list[float]()

    async def one(n: int) -> None:
        await asyncio.sleep(max(0.0, begun + n / PER_SECOND - perf_counter()))
        took.append(await once())

    await asyncio.gather(*(one(n) for n in range(PER_SECOND * SECONDS)))
    percentiles = statistics.quantiles(took, n=100)
    return percentiles[49], percentiles[98]


async def run(dsn: str) -> list[Figure]:
    """Take turns with the constant; both are processes of their own."""
    async with boot(Settings(database_url=dsn, log_level="error")) as app:
        who = {"domain": "acme.com"}
        await app.entities.open(WS, [identify(who).keys])
        await app.deciding.choose(WS, who, "company_name", "Acme")
        key = (await app.keys.create(WS, "bench", [Scope.WRITE])).text
    ours, reference, paces, paces_constant, paces_commit = [], [], [], [], []
    glaze, bare = free_port(), free_port()
    environment = {
        "DATABASE_URL": dsn,
        "GLAZE_API_PORT": str(glaze),
        "GLAZE_LOG_LEVEL": "error",
        "GLAZE_API_REQUESTS_PER_MINUTE": "10000000",
    }
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        serving(["-m", "glaze.cli", "up"], glaze, **environment) as product,
        serving(["-c", CONSTANT, str(bare)], bare) as constant,
        aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0)) as http,
        asyncpg.create_pool(**asyncpg_options(dsn), min_size=8, max_size=8) as pool,
    ):
        await pool.execute("create table bare_commit (id bigserial primary key, body text)")
        for _ in range(ROUNDS):
            reference.append(await rate(http, constant.url))
            ours.append(await rate(http, product.url))
            paces_constant.append(await paced(partial(_ask, http, constant.url)))
            paces_commit.append(await paced(partial(_commit, pool)))
            paces.append(await paced(partial(_ask, http, product.url)))
    name = "F6 POST /v1/enrich answered from the cache"
    return [
        Figure(
            f"{name}, API and worker in one process, {AT_ONCE} at once",
            "requests/s",
            ours,
            "the same framework answering a constant",
            reference,
            ">= 0.40",
        ),
        *(
            Figure(
                f"{name}, {called} at {PER_SECOND} a second; an answer is a committed job",
                "ms",
                [one[place] for one in paces],
                beside,
                [one[place] for one in theirs],
                "<= 10 ms",
            )
            for place, called in enumerate(("p50", "p99"))
            for beside, theirs in (
                ("the constant", paces_constant),
                ("a bare commit", paces_commit),
            )
        ),
    ]
