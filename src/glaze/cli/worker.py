"""``glaze worker``: one process, several under a manager, or a bounded run."""

import asyncio
import os
import random
import re
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from glaze.boot.app import App
from glaze.boot.process import run
from glaze.cli.opening import boot, fleet
from glaze.cli.screen import STOPPING, print_json, quiet, say, stop_on_signals
from glaze.cli.serve import standing
from glaze.cli.working import health_of, look_at, open_health
from glaze.errors import InputError
from glaze.jobs.manager import Manager, ManagerOptions
from glaze.jobs.metrics import Metrics
from glaze.jobs.report import RECYCLE_CODE, manager_gone, report, take_output
from glaze.jobs.worker import Ending
from glaze.net.health_port import Watched
from glaze.settings import Settings, load_settings
from glaze.store.backlog import BacklogStore
from glaze.store.worker import WorkerStore

_MOST_PROCESSES = 64
_CONNECTIONS = 80
"""What the processes of a manager share, unless GLAZE_POOL_SIZE says otherwise: PostgreSQL has 100."""

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class _Ask:
    """What one ``glaze worker`` is to do."""

    settings: Settings
    kinds: tuple[str, ...] | None


def worker(
    *,
    queues: Annotated[str | None, typer.Option(help="Queues to serve, comma-separated.")] = None,
    kinds: Annotated[
        str | None, typer.Option(help="Kinds to run, comma-separated; without, all.")
    ] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, max=5000, help="Jobs at once.")] = None,
    processes: Annotated[
        str | None,
        typer.Option(
            metavar="N|MIN..MAX", help="Manage so many worker processes, as the queues ask for."
        ),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Run some jobs, print a summary as JSON, and end.")
    ] = False,
    max_jobs: Annotated[
        int | None, typer.Option(min=1, help="With --once: most jobs, 10 unless given.")
    ] = None,
    timeout_ms: Annotated[
        int | None,
        typer.Option(min=1000, help="With --once: most milliseconds, 25,000 unless given."),
    ] = None,
    managed: Annotated[
        bool,
        typer.Option(
            "--managed", hidden=True, help="Set by a manager: report to it, and end with it."
        ),
    ] = False,
) -> None:
    """Start a worker; any number of them may run, on any machine.

    Exits with 75 where it passed its memory limit: to be started anew.
    """
    ask = _asked(queues, kinds, concurrency)
    if once and processes:
        raise InputError("--once is one process: leave out --processes")
    if once:
        run(_once(ask, max_jobs or 10, timeout_ms or 25_000))
        return
    if max_jobs or timeout_ms:
        raise InputError("--max-jobs and --timeout-ms bound a run: they go with --once")
    if processes:
        worked = run(_manage(ask, *_range_of(processes)))
        if not worked:
            raise typer.Exit(1)
        return
    ending = run(_managed(ask) if managed else _work(ask))
    if ending is Ending.RECYCLED:
        say("glaze: the memory limit (GLAZE_MEMORY_LIMIT_MB) was passed: ended to be started anew")
        raise typer.Exit(RECYCLE_CODE)


def _asked(queues: str | None, kinds: str | None, concurrency: int | None) -> _Ask:
    for option, text in (("--queues", queues), ("--kinds", kinds)):
        if text is not None and not text.replace(",", "").strip():
            raise InputError(f"{option} names nothing: leave it out, or give names")
    given = {"queues": queues, "concurrency": concurrency}
    changes = {name: value for name, value in given.items() if value is not None}
    names = [name.strip() for name in (kinds or "").split(",") if name.strip()]
    return _Ask(load_settings().with_changes(**changes), tuple(names) or None)


def _range_of(processes: str) -> tuple[int, int]:
    """Return the least and the most of ``4`` or ``2..8``. Raises: InputError."""
    found = re.fullmatch(r"(\d+)(?:\.\.(\d+))?", processes.strip())
    least = int(found[1]) if found else 0
    most = int(found[2] or found[1]) if found else 0
    if not 1 <= least <= most <= _MOST_PROCESSES:
        raise InputError(
            f"--processes takes a number or a range like 2..8, from 1 to {_MOST_PROCESSES},"
            f" not {processes!r}"
        )
    return least, most


# -- one process -----------------------------------------------------------------------------------


async def _work(ask: _Ask) -> Ending:
    """Run one worker until a signal, or until somebody drains it."""
    async with boot(ask.settings) as app:
        one = app.worker(kinds=ask.kinds, memory_limit_bytes=_limit_of(ask.settings))
        with stop_on_signals(STOPPING) as stops:
            async with health_of(app, one):
                for line in standing(app, with_api=False, with_worker=True):
                    say(line)
                return await one.run(stops.soft, stops.hard)


async def _managed(ask: _Ask) -> Ending:
    """The same under a manager: it has the port and the screen, and its death is a signal."""
    channel = take_output()
    async with boot(ask.settings) as app, AsyncExitStack() as stack:
        one = app.worker(kinds=ask.kinds, memory_limit_bytes=_limit_of(ask.settings))
        stops = stack.enter_context(stop_on_signals(""))
        group = await stack.enter_async_context(asyncio.TaskGroup())

        async def end_with_manager() -> None:
            await manager_gone()
            stops.soft.set()

        helpers = [group.create_task(end_with_manager()), group.create_task(report(one, channel))]
        ending = await one.run(stops.soft, stops.hard)
        for helper in helpers:
            helper.cancel()
    return ending


def _limit_of(settings: Settings) -> int | None:
    limit = settings.memory_limit_mb
    return None if limit is None else limit * _MIB


async def _once(ask: _Ask, max_jobs: int, timeout_ms: int) -> None:
    async with boot(quiet(ask.settings)) as app:
        with stop_on_signals(STOPPING) as stops:
            summary = await app.run_some(
                max_jobs=max_jobs,
                timeout_ms=timeout_ms,
                kinds=ask.kinds,
                stop=stops.soft,
                abort=stops.hard,
            )
        if summary.left and not summary.claimed:
            _say_what_takes_longer(app, ask, timeout_ms)
        print_json(asdict(summary))
        sys.stdout.flush()  # at once: what is under way with a vendor may take longer to end


def _say_what_takes_longer(app: App, ask: _Ask, timeout_ms: int) -> None:
    """Name the kinds that such a run never begins: calling again would not help."""
    longer = [
        f"{name} ({kind.shortest_s:g} s)"
        for name, kind in sorted(app.kinds.items())
        if kind.shortest_s * 1000 > timeout_ms and (ask.kinds is None or name in ask.kinds)
    ]
    if longer:
        say(f"not begun in {timeout_ms / 1000:g} s, for they may need more: {', '.join(longer)}")


# -- the manager -----------------------------------------------------------------------------------


async def _manage(ask: _Ask, least: int, most: int) -> bool:
    """Manage worker processes until a signal; return whether any could ever work."""
    settings = ask.settings
    options = ManagerOptions(
        least, most, settings.queues, ask.kinds, settings.concurrency, settings.quiet_s
    )
    async with fleet(settings) as db:
        manager = Manager(
            _command(ask),
            _environment(settings, most),
            options,
            workers=WorkerStore(db),
            backlog=BacklogStore(db),
            rng=random.Random(),  # noqa: S311  jitter, no secret
        )
        metrics = Metrics(manager.now, look_at(db, settings.queues, ask.kinds))
        with stop_on_signals(STOPPING) as stops:
            async with open_health(settings, Watched(manager.missing, metrics.scrape)):
                say(
                    f"manager: {least} to {most} processes, {settings.concurrency} jobs at once"
                    f" in each, queues {', '.join(settings.queues)}"
                )
                return await manager.run(stops.soft, stops.hard)


def _command(ask: _Ask) -> list[str]:
    settings = ask.settings
    command = [sys.executable, "-m", "glaze.cli", "worker", "--managed"]
    command += ["--queues", ",".join(settings.queues), "--concurrency", str(settings.concurrency)]
    return command + (["--kinds", ",".join(ask.kinds)] if ask.kinds else [])


def _environment(settings: Settings, most: int) -> Mapping[str, str]:
    """Return the processes' environment: their pools fit what one PostgreSQL takes."""
    if "pool_size" in settings.model_fields_set:
        return os.environ
    # A process has a pool for each role, of ``size`` and half of it, and five for itself.
    size = int((_CONNECTIONS / most - 5) / 1.5)
    return {**os.environ, "GLAZE_POOL_SIZE": str(min(settings.pool_size, max(2, size)))}
