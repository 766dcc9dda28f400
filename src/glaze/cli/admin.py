"""``glaze migrate``, ``glaze prune`` and ``glaze sandbox``: small commands for whoever runs the place."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from glaze.boot.process import run
from glaze.boot.server import running_server
from glaze.cli.opening import boot
from glaze.cli.screen import out, print_json, quiet
from glaze.jobs.prune import prune as prune_all
from glaze.settings import Settings, load_settings
from glaze.store.migrate import migrate as apply_migrations


def migrate() -> None:
    """Bring the database up to date; safe while other processes run."""
    applied = run(_migrate(load_settings()))
    for name in applied:
        out.print(f"applied {name}", markup=False)
    if not applied:
        out.print("the database is up to date")


async def _migrate(settings: Settings) -> list[str]:
    async with running_server(settings) as server:
        return await apply_migrations(server.dsn)


def prune(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object of counts.")] = False,
) -> None:
    """Delete at once what is older than the GLAZE_KEEP_ settings say; workers do it hourly.

    The ledger (what was asked, answered and paid) and the values found are never touched.
    """
    gone = run(_prune(quiet(load_settings())))
    if as_json:
        print_json(gone)
        return
    for name, n in gone.items():
        out.print(f"{name.replace('_', ' ')}: {n:,}")
    if not gone:
        out.print("nothing is old enough")


async def _prune(settings: Settings) -> dict[str, int]:
    async with boot(settings) as app:
        return dict(await prune_all(app.retention, app.keep))


def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 9400,
    seed: Annotated[int, typer.Option(help="Which world is generated.")] = 7,
    companies: Annotated[int, typer.Option(min=1, help="How many companies it has.")] = 500,
    billing_log: Annotated[
        Path | None, typer.Option(help="Append what each vendor bills, as JSON lines.")
    ] = None,
) -> None:
    """Play every vendor, the companies' sites and their DNS, on this machine only.

    Point Glaze at it with GLAZE_SANDBOX_URL; a key there is any text from sandbox- on.
    """
    command = [sys.executable, "-m", "glaze_sandbox", f"--port={port}", f"--seed={seed}"]
    command.append(f"--companies={companies}")
    if billing_log is not None:
        command.append(f"--billing-log={billing_log}")
    # It takes this process's place, signals included, for it stands for other parties.
    os.execv(sys.executable, command)  # noqa: S606  our own module and numbers, no shell
