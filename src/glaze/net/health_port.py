"""A small port for whoever watches a process: is it alive, is it ready, what did it do."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Watched:
    """What the port tells of."""

    readiness: Callable[[], Awaitable[str | None]]
    """None when ready, else what is missing, in a few words."""

    metrics: Callable[[], Awaitable[tuple[str, bytes]]]
    """Content type and body, as Prometheus reads them."""


@asynccontextmanager
async def health_port(host: str, port: int, watched: Watched) -> AsyncIterator[int]:
    """Answer ``/healthz``, ``/readyz`` and ``/metrics``; yield the port (0 takes a free one).

    Raises: OSError where the port cannot be taken.
    """
    app = web.Application()
    app.add_routes(
        [
            web.get("/healthz", _alive),
            web.get("/readyz", _readiness_of(watched)),
            web.get("/metrics", _metrics_of(watched)),
        ]
    )
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


_Answer = Callable[[web.Request], Awaitable[web.Response]]


async def _alive(_request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def _readiness_of(watched: Watched) -> _Answer:
    async def ready(_request: web.Request) -> web.Response:
        missing = await watched.readiness()
        if missing is None:
            return web.Response(text="ready\n")
        return web.Response(status=503, text=f"not ready: {missing}\n")

    return ready


def _metrics_of(watched: Watched) -> _Answer:
    async def metrics(_request: web.Request) -> web.Response:
        content_type, body = await watched.metrics()
        return web.Response(body=body, headers={"Content-Type": content_type})

    return metrics
