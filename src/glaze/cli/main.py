"""The ``glaze`` command: its sub-commands, and how an error becomes one line and an exit code."""

import asyncio
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from glaze.cli.admin import migrate, prune, sandbox
from glaze.cli.batches import batches
from glaze.cli.budget import budget
from glaze.cli.calibrate import calibrate
from glaze.cli.demo import demo
from glaze.cli.doctor import doctor
from glaze.cli.enqueue import enqueue, kinds
from glaze.cli.enrich import enrich
from glaze.cli.extract import extract
from glaze.cli.icp import icp
from glaze.cli.jobs import jobs
from glaze.cli.keys import keys
from glaze.cli.ledger import ledger
from glaze.cli.order import order
from glaze.cli.plan import plan
from glaze.cli.providers import providers
from glaze.cli.queues import queues
from glaze.cli.rebuild import rebuild
from glaze.cli.schedules import schedules
from glaze.cli.screen import INTERRUPTED, say
from glaze.cli.serve import api, up
from glaze.cli.values import values
from glaze.cli.worker import worker
from glaze.cli.workers import workers
from glaze.cli.workflows import workflows
from glaze.errors import GlazeError, InputError, SettingsError
from glaze.logs import correlation, new_correlation

app = typer.Typer(
    help="Rows with gaps in, sourced values out, never paid for twice.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    enrich,
    plan,
    extract,
    demo,
    enqueue,
    kinds,
    order,
    up,
    api,
    worker,
    sandbox,
    migrate,
    prune,
    rebuild,
    providers,
    doctor,
    calibrate,
):
    app.command(command.__name__)(command)
app.add_typer(jobs, name="jobs")
app.add_typer(queues, name="queues")
app.add_typer(schedules, name="schedules")
app.add_typer(workflows, name="workflows")
app.add_typer(workers, name="workers")
app.add_typer(batches, name="batches")
app.add_typer(ledger, name="ledger")
app.add_typer(keys, name="keys")
app.add_typer(budget, name="budget")
app.add_typer(values, name="values")
app.add_typer(icp, name="icp")


def _print_version(*, wanted: bool) -> None:
    if wanted:
        print(version("glaze"))
        raise typer.Exit


@app.callback()
def _root(
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    del debug, version  # both act before any command does
    correlation.set(new_correlation())


def main() -> None:
    """Run the command line; an error of Glaze's own is one line, not a traceback.

    Exit codes: 0 done, 1 it failed, 2 the input, a setting or an option is wrong and nothing was
    done, 75 a worker ended to be started anew, 130 interrupted.
    """
    try:
        app()
    except (GlazeError, BaseExceptionGroup, KeyboardInterrupt, asyncio.CancelledError) as error:
        sys.exit(_exit_code(error))


def _exit_code(error: BaseException) -> int:
    """Report what ended the command, on one line where it is an error of Glaze's own.

    Raises: ``error`` where it is not, or the user asked for the traceback.
    """
    cause = _innermost(error)
    if isinstance(cause, KeyboardInterrupt | asyncio.CancelledError):
        return INTERRUPTED
    if not isinstance(cause, GlazeError) or "--debug" in sys.argv:
        raise error
    say(f"glaze: {cause}")
    return 2 if isinstance(cause, InputError | SettingsError) else 1


def _innermost(error: BaseException) -> BaseException:
    """Return what went wrong first among tasks that ended together."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
