"""The ``glaze`` command: its sub-commands, and how an error becomes one line and an exit code."""

import asyncio
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from itertools import islice
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from glaze.cli.screen import INTERRUPTED, say
from glaze.errors import GlazeError, InputError, SettingsError
from glaze.logs import correlation, new_correlation

_COMMANDS: Mapping[str, str] = {
    "enrich": "enrich",
    "plan": "plan",
    "extract": "extract",
    "demo": "demo",
    "enqueue": "enqueue",
    "kinds": "enqueue",
    "order": "order",
    "freshness": "freshness",
    "init": "init",
    "up": "serve",
    "api": "serve",
    "worker": "worker",
    "sandbox": "admin",
    "migrate": "admin",
    "prune": "admin",
    "rebuild": "rebuild",
    "providers": "providers",
    "doctor": "doctor",
    "calibrate": "calibrate",
    "jobs": "jobs",
    "queues": "queues",
    "schedules": "schedules",
    "workflows": "workflows",
    "workers": "workers",
    "batches": "batches",
    "ledger": "ledger",
    "keys": "keys",
    "members": "members",
    "secrets": "secrets",
    "workspaces": "workspaces",
    "budget": "budget",
    "values": "values",
    "people": "people",
    "searches": "searches",
    "icp": "icp",
    "webhooks": "webhooks",
}
"""Command -> the module of this package that has it, under the same name."""

_WORKSPACE = "--workspace"


class _Imported(Mapping[str, Any]):
    """The commands; each is imported when it is asked for, as all together take longer than most do."""

    def __getitem__(self, name: str) -> Any:
        return _command(name, getattr(import_module(f"glaze.cli.{_COMMANDS[name]}"), name))

    def __iter__(self) -> Iterator[str]:
        return iter(_COMMANDS)

    def __len__(self) -> int:
        return len(_COMMANDS)


class _Commands(TyperGroup):
    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = _Imported()  # type: ignore[assignment]  # nobody adds one


def _command(name: str, found: Any) -> Any:
    if isinstance(found, typer.Typer):
        group = typer.main.get_group(found)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return typer.main.get_command(alone)


app = typer.Typer(
    cls=_Commands,
    help="Rows with gaps in, sourced values out, never paid for twice.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(*, wanted: bool) -> None:
    if wanted:
        print(version("glaze"))
        raise typer.Exit


@app.callback()
def _root(
    *,
    workspace: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Act on this workspace; also after the command."),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    del debug, version  # both act before any command does
    if workspace is not None:
        os.environ["GLAZE_WORKSPACE"] = workspace  # as whoever sets it there would have it
    correlation.set(new_correlation())


def main() -> None:
    """Run the command line; an error of Glaze's own is one line, not a traceback.

    Exit codes: 0 done, 1 it failed, 2 the input, a setting or an option is wrong and nothing was
    done, 75 a worker ended to be started anew, 130 interrupted.
    """
    try:
        app(_with_workspace_first(sys.argv[1:]))
    except (
        GlazeError,
        OSError,
        BaseExceptionGroup,
        KeyboardInterrupt,
        asyncio.CancelledError,
    ) as error:
        sys.exit(_exit_code(error))


def _with_workspace_first(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with ``--workspace`` before the command, wherever it was given."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    first: list[str] = []
    others: list[str] = []
    given = iter(arguments[:end])
    for one in given:
        if one == _WORKSPACE:
            first += [one, *islice(given, 1)]
        elif one.startswith(f"{_WORKSPACE}="):
            first.append(one)
        else:
            others.append(one)
    return [*first, *others, *arguments[end:]]


def _exit_code(error: BaseException) -> int:
    """Report what ended the command, on one line where it is an error of Glaze's own or of a file.

    Raises: ``error`` where it is not, or the user asked for the traceback.
    """
    cause = _innermost(error)
    if isinstance(cause, KeyboardInterrupt | asyncio.CancelledError):
        return INTERRUPTED
    if "--debug" in sys.argv:
        raise error
    if isinstance(cause, BrokenPipeError):  # whoever read the output has enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    if isinstance(cause, OSError) and cause.filename is not None:
        say(f"glaze: {os.fsdecode(cause.filename)}: {cause.strerror}")
        return 1
    if not isinstance(cause, GlazeError):
        raise error
    say(f"glaze: {cause}")
    return 2 if isinstance(cause, InputError | SettingsError) else 1


def _innermost(error: BaseException) -> BaseException:
    """Return what went wrong first among tasks that ended together."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
