"""``glaze workers``: who works, on what, and asking one to leave."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

import typer

from glaze.boot.process import run
from glaze.cli.opening import fleet
from glaze.cli.screen import say
from glaze.model.value import WorkerId
from glaze.settings import Settings, load_settings
from glaze.store.worker import WorkerStore, WorkerView

workers = typer.Typer()

_MIB = 1 << 20


@workers.callback(invoke_without_command=True, help="List the workers that live.")
def list_workers(
    context: typer.Context,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a worker, for machines.")
    ] = False,
) -> None:
    """List the workers that live."""
    if context.invoked_subcommand is not None:
        return
    living = run(_living(load_settings()))
    if as_json:
        for worker in living:
            print(json.dumps(_told(worker), ensure_ascii=False))
        return
    for line in _lines(living):
        print(line)


@workers.command()
def drain(
    ids: Annotated[list[int], typer.Argument(metavar="ID...", help="As `glaze workers` shows.")],
) -> None:
    """Let workers end what runs, hand back the rest, and leave; their processes end."""
    wanted = [WorkerId(worker_id) for worker_id in ids]
    asked = run(_drain(load_settings(), wanted))
    for worker_id in asked:
        say(f"worker {worker_id} drains")
    if missing := [worker_id for worker_id in wanted if worker_id not in asked]:
        say(f"no such worker lives: {', '.join(map(str, missing))}")
        raise typer.Exit(1)


async def _living(settings: Settings) -> list[WorkerView]:
    async with fleet(settings) as db:
        return await WorkerStore(db).living()


async def _drain(settings: Settings, wanted: list[WorkerId]) -> list[WorkerId]:
    async with fleet(settings) as db:
        return await WorkerStore(db).drain(wanted)


def _state(worker: WorkerView) -> str:
    if worker.lease_left_s < 0:
        return "silent"
    return "draining" if worker.drain_at else "working"


def _told(worker: WorkerView) -> dict[str, Any]:
    times = {
        name: value.isoformat() if value else None
        for name, value in asdict(worker).items()
        if name in {"started_at", "lease_until", "drain_at"}
    }
    return {**asdict(worker), **times, "state": _state(worker)}


_HEADS = (
    *("id", "process", "state", "jobs", "done", "failed", "memory", "lease left", "since (UTC)"),
    *("version", "queues", "kinds"),
)


def _lines(living: list[WorkerView]) -> Iterator[str]:
    """Yield a table as lines that are never folded or cut: they may be read by a program."""
    rows = [_HEADS, *map(_cells, living)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(padded).rstrip()


def _cells(one: WorkerView) -> tuple[str, ...]:
    return (
        str(one.id),
        one.name,
        _state(one),
        f"{one.jobs}/{one.concurrency or '?'}",
        f"{one.done:,}",
        f"{one.failed:,}",
        "?" if one.memory_bytes is None else f"{one.memory_bytes / _MIB:.0f} MiB",
        f"{one.lease_left_s:.0f} s",
        f"{one.started_at:%Y-%m-%d %H:%M}",
        one.version,
        ",".join(one.queues),
        "all" if one.kinds is None else ",".join(one.kinds),
    )
