"""``glaze batches``: what runs, and pause, resume, cancel, another try, and the results as a file."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from glaze.boot.app import App
from glaze.boot.process import run
from glaze.cli.opening import boot, workspace
from glaze.cli.screen import cells, money, out, plain_table, print_json, quiet, say
from glaze.errors import InputError
from glaze.files.source import Format
from glaze.files.writing import Target, check_place, format_for
from glaze.model.value import BatchId, Json
from glaze.settings import load_settings
from glaze.store.batch import Progress
from glaze.store.batch_control import BatchPlan
from glaze.store.entity import EntityStore
from glaze.tasks.export import export_of

batches = typer.Typer(
    help="Look at batches, and pause, resume, cancel, retry or export one.",
    no_args_is_help=True,
)

Id = Annotated[int, typer.Argument(metavar="ID", min=1, help="As glaze batches list has it.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a batch, for machines.")]

_PAGE = 100
_COUNTS = (
    *("total", "queued", "running", "draining"),
    *("completed", "partial", "failed", "cancelled"),
)


@asynccontextmanager
async def _booted() -> AsyncIterator[App]:
    async with boot(quiet(load_settings())) as app:
        yield app


@batches.command("list")
def list_(
    *,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List batches, newest first, with how far they are."""
    found = run(_list(limit))
    if as_json:
        for progress in found:
            print_json(_as_json(progress))
        return
    counted = ("rows", "done", "partial", "failed", "cancelled", "running")
    table = plain_table("id", "state", numbers=counted, elastic=("made at (UTC)", "kind"))
    for p in found:
        counts = (p.total, p.completed, p.partial, p.failed, p.cancelled, p.running)
        made = f"{p.created_at:%Y-%m-%d %H:%M}"
        table.add_row(*cells(str(p.id), _state(p), *(f"{n:,}" for n in counts), made, p.kind))
    out.print(table)


async def _list(limit: int) -> list[Progress]:
    found: list[Progress] = []
    async with _booted() as app:
        while (left := limit - len(found)) > 0:
            n = min(left, _PAGE)
            before = found[-1].id if found else None
            page = await app.batch_control.page(workspace(), n, before=before)
            found += page
            if len(page) < n:
                break
    return found


@batches.command()
def show(batch_id: Id, *, as_json: AsJson = False) -> None:
    """Show one batch: its counters, what it asks, and what it cost so far."""
    run(_show(BatchId(batch_id), as_json=as_json))


async def _show(batch_id: BatchId, *, as_json: bool) -> None:
    async with _booted() as app:
        progress, plan = await _found(app, batch_id)
        spend = await app.ledger.spend_of_batch(workspace(), batch_id)
    cost = sum(int(row["price_micros"]) for row in spend)
    if as_json:
        asked: dict[str, Json] = {"queue": plan.queue, "settings": plan.settings}
        print_json(_as_json(progress) | asked | {"cost_micros": cost})
        return
    out.print(f"batch {batch_id}: {_state(progress)}, {plan.kind} in queue {plan.queue}")
    out.print(
        f"{progress.ended:,} of {progress.total:,} rows: {progress.completed:,} completed,"
        f" {progress.partial:,} partial, {progress.failed:,} failed, {progress.cancelled:,} cancelled"
    )
    out.print(f"in the queue {progress.queued:,}, of these running {progress.running:,}")
    out.print(f"spent: {money(cost)}")


@batches.command()
def pause(batch_id: Id) -> None:
    """Begin no further row; what runs goes on to its end."""
    run(_pause(BatchId(batch_id)))


async def _pause(batch_id: BatchId) -> None:
    async with _booted() as app:
        await app.batches.pause(workspace(), batch_id)
        progress, _ = await _found(app, batch_id)
    out.print(f"batch {batch_id} is paused; {progress.running:,} rows go on to their end")


@batches.command()
def resume(batch_id: Id) -> None:
    """Go on with a paused batch."""
    run(_resume(BatchId(batch_id)))


async def _resume(batch_id: BatchId) -> None:
    async with _booted() as app:
        await app.batches.resume(workspace(), batch_id)
        _, plan = await _found(app, batch_id)
        out.print(f"batch {batch_id} runs. {_served(app, plan)}")


@batches.command()
def cancel(batch_id: Id) -> None:
    """Begin no further row and make no further vendor call; what was found is kept.

    Requests under way are still answered and recorded: glaze batches show tells how many rows drain.
    """
    run(_cancel(BatchId(batch_id)))


async def _cancel(batch_id: BatchId) -> None:
    async with _booted() as app:
        await _found(app, batch_id)
        if not await app.batches.cancel(workspace(), batch_id):
            raise InputError(f"batch {batch_id} is at its end already")
        await app.jobs.sweep_cancelled()
        progress, _ = await _found(app, batch_id)
    out.print(
        f"batch {batch_id} is cancelled: {progress.cancelled:,} rows will not be begun,"
        f" {progress.draining:,} are draining"
    )


@batches.command("retry-failed")
def retry_failed(
    batch_id: Id,
    *,
    partial: Annotated[bool, typer.Option("--partial", help="Partial rows, too.")] = False,
) -> None:
    """Try the rows that failed again, in the same batch; what was answered is not bought again."""
    run(_retry_failed(BatchId(batch_id), partial=partial))


async def _retry_failed(batch_id: BatchId, *, partial: bool) -> None:
    async with _booted() as app:
        rows = await app.batch_control.retry_failed(workspace(), batch_id, partial=partial)
        _, plan = await _found(app, batch_id)
        if rows:
            out.print(f"batch {batch_id}: {rows:,} rows are tried again. {_served(app, plan)}")
        else:
            out.print(f"batch {batch_id}: no row to try again")


@batches.command()
def export(
    batch_id: Id,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="CSV, JSONL, Parquet or XLSX; - for CSV.")
    ],
    provenance: Annotated[
        bool,
        typer.Option("--provenance", help="Add confidence, source, source URL, cost columns."),
    ] = False,
) -> None:
    """Write all rows as they stand: number, state, input, what was found, and errors."""
    rows = run(_export(BatchId(batch_id), output, provenance=provenance))
    say(f"{rows:,} rows written to {output}")


async def _export(batch_id: BatchId, output: Path, *, provenance: bool) -> int:
    async with _booted() as app:
        _, plan = await _found(app, batch_id)
        target = Target(output, format_for(output, default=Format.CSV))
        if not target.is_stdout:
            check_place(output)
        export = await export_of(
            app.batches,
            app.batch_control,
            EntityStore(app.db),
            workspace(),
            batch_id,
            scoring=app.scoring,
            plan=plan,
            provenance=provenance,
        )
        return await export.to_file(target)


async def _found(app: App, batch_id: BatchId) -> tuple[Progress, BatchPlan]:
    progress = await app.batches.progress(workspace(), batch_id)
    plan = await app.batch_control.plan(workspace(), batch_id)
    if progress is None or plan is None:
        raise InputError(f"there is no batch {batch_id}; glaze batches list shows which there are")
    return progress, plan


def _served(app: App, plan: BatchPlan) -> str:
    """Tell who works on the rows: a file's own queue has no worker while its command is not run."""
    if plan.queue in app.settings.queues:
        return f"Workers of queue {plan.queue} take them."
    return (
        f"They wait in queue {plan.queue}: the glaze enrich command that made them goes on with"
        f" them, and so does glaze worker --queues {plan.queue}"
    )


def _state(progress: Progress) -> str:
    return "cancelled, draining" if progress.draining else progress.state


def _as_json(progress: Progress) -> dict[str, Json]:
    return {
        "id": progress.id,
        "state": progress.state,
        "kind": progress.kind,
        **{name: getattr(progress, name) for name in _COUNTS},
        "created_at": progress.created_at.isoformat(),
        "finished_at": progress.finished_at.isoformat() if progress.finished_at else None,
    }
