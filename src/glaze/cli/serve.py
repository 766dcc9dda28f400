"""``glaze up`` and ``glaze api``: processes that keep running and answer requests."""

import asyncio
from contextlib import AsyncExitStack
from ipaddress import ip_address

from glaze.api.built import HOME, MISSING, is_built
from glaze.boot.app import App, boot
from glaze.boot.process import run
from glaze.cli.screen import STOPPING, say, stop_on_signals
from glaze.cli.working import health_of
from glaze.errors import GlazeError, SettingsError
from glaze.logs import correlation
from glaze.model.access import Role, Scope
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.settings import Settings, load_settings
from glaze.store.member import By

_FIRST_OWNER = "admin@localhost"
_OPENED_WITHIN_S = 15 * 60


def up() -> None:
    """Start API, worker and, without DATABASE_URL, the embedded PostgreSQL."""
    _run(load_settings(), with_api=True, with_worker=True)


def api() -> None:
    """Start the API alone; workers run elsewhere."""
    _run(load_settings(), with_api=True, with_worker=False)


def _run(settings: Settings, *, with_api: bool, with_worker: bool) -> None:
    run(_serve(settings, with_api=with_api, with_worker=with_worker))


async def _serve(settings: Settings, *, with_api: bool, with_worker: bool) -> None:
    """Run until a signal: then no new work, what is under way is finished."""
    correlation.set(None)  # what it serves has ids of its own
    if with_api:
        await _check_port(settings.api_host, settings.api_port)
    async with boot(settings) as app, AsyncExitStack() as stack:
        stops = stack.enter_context(stop_on_signals(STOPPING))
        worker = app.worker()
        if with_api:
            await _first_key(app)
        if with_worker:
            await stack.enter_async_context(health_of(app, worker))
        async with asyncio.TaskGroup() as group:
            if with_worker:
                group.create_task(worker.run(stops.soft, stops.hard))
            if with_api:
                group.create_task(_serve_api(app, stops.soft))
            for line in standing(app, with_api=with_api, with_worker=with_worker):
                say(line)
            if with_api:
                say(f"dashboard: {await _opening(app)}")


async def _check_port(host: str, port: int) -> None:
    """Find out that the port is taken before anything is started. Raises: GlazeError."""
    try:
        probe = await asyncio.get_running_loop().create_server(asyncio.Protocol, host, port)
    except OSError as error:
        reason = error.strerror or str(error)
        raise GlazeError(
            f"cannot listen on {host}:{port}: {reason}; set GLAZE_API_PORT to another port"
        ) from error
    probe.close()
    await probe.wait_closed()


async def _first_key(app: App) -> None:
    """Make and show a key where none counts. Raises: SettingsError where others could come first."""
    if await app.keys.some(DEFAULT_WORKSPACE):
        return
    if not _is_loopback(app.settings.api_host):
        raise SettingsError(
            f"GLAZE_API_HOST={app.settings.api_host} can be reached by others and there is no API"
            " key yet; make one first: glaze init, or glaze keys create NAME"
        )
    issued = await app.keys.create(DEFAULT_WORKSPACE, "first", [Scope.ADMIN])
    say(f"API key, shown only now: {issued.text}")


async def _opening(app: App) -> str:
    """Return how the dashboard is opened: where nobody can sign in yet, by a link that counts once.

    What stands behind # is sent to no server, and is in no log of one.
    """
    if not is_built():
        return MISSING
    host, port = app.settings.api_host, app.settings.api_port
    if not _is_loopback(host):
        nobody = "" if await app.members.some(DEFAULT_WORKSPACE) else "; who signs in: glaze init"
        return f"{HOME} behind your proxy with TLS, or http://localhost:{port}{HOME} here{nobody}"
    url = f"http://localhost:{port}{HOME}"
    if await app.members.some(DEFAULT_WORKSPACE):
        return url
    made = await app.sign_ins.invite(
        DEFAULT_WORKSPACE, _FIRST_OWNER, Role.OWNER, By(), lasts_s=_OPENED_WITHIN_S
    )
    minutes = _OPENED_WITHIN_S // 60
    return (
        f"choose a password, once, within {minutes} minutes:"
        f" {url}welcome#token={made.text}&email={_FIRST_OWNER}"
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _serve_api(app: App, stop: asyncio.Event) -> None:
    import uvicorn  # noqa: PLC0415  it and FastAPI are slow to import, and most commands need neither

    from glaze.api.server import configured  # noqa: PLC0415  as above

    config = configured(app, host=app.settings.api_host, port=app.settings.api_port)
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as group:
        # Not serve(), which would take the signals for itself.
        group.create_task(server._serve())  # noqa: SLF001  the part without signals
        await stop.wait()
        app.live.close()
        server.should_exit = True


def standing(app: App, *, with_api: bool, with_worker: bool) -> list[str]:
    """Return what runs where, and what is missing for more."""
    settings = app.settings
    lines = []
    if with_api:
        lines.append(f"API: http://{settings.api_host}:{settings.api_port}/docs")
    if with_worker:
        lines.append(f"worker: queues {', '.join(settings.queues)}, {settings.concurrency} at once")
    embedded = settings.database_url is None
    lines.append(
        f"PostgreSQL: {'embedded, in ' + str(settings.data_dir) if embedded else 'DATABASE_URL'}"
    )
    usable = [spec.name for spec in app.providers.specs if spec.name not in app.providers.unusable]
    lines.append(f"providers: {', '.join(usable) or 'none'}")
    lines += [f"not in use: {name} ({why})" for name, why in sorted(app.providers.unusable.items())]
    return lines
