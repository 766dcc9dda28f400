"""``glaze enqueue`` and ``glaze kinds``: any job from the command line, and which kinds there are."""

import json
import re
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from glaze.boot.app import App
from glaze.boot.process import run
from glaze.cli.opening import boot, workspace
from glaze.cli.screen import INTERRUPTED, err, out, print_json, quiet, say, stop_on_signals
from glaze.errors import InputError
from glaze.jobs.enqueue import enqueue as put
from glaze.jobs.enqueue import known_kind, new_job
from glaze.jobs.kind import Kind
from glaze.jobs.retry import set_within
from glaze.model.job import TERMINAL, After, IfFailed, JobState
from glaze.model.value import BatchId, JobId, Json
from glaze.settings import Settings, load_settings
from glaze.store.job import JobView

_LOOK_EVERY_S = 0.1
_WELL = frozenset({JobState.COMPLETED, JobState.PARTIAL})


def enqueue(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="A name that glaze kinds lists.")],
    *,
    args: Annotated[
        str | None, typer.Option(metavar="JSON", help="The arguments, one JSON object.")
    ] = None,
    args_file: Annotated[
        Path | None,
        typer.Option(help="File of the arguments, - for standard input.", dir_okay=False),
    ] = None,
    queue: Annotated[str | None, typer.Option(help="Queue, else the kind's own.")] = None,
    priority: Annotated[
        int, typer.Option(min=1, max=5, help="1 is the most urgent, 5 the least.")
    ] = 3,
    max_retries: Annotated[
        int | None, typer.Option(min=0, max=99, help="Tries after the first, else the kind's own.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="To find it by; repeatable.")
    ] = None,
    webhook_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Address that is told of its end.")
    ] = None,
    run_at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Not before, such as 2027-01-31T08:00:00+01:00."),
    ] = None,
    expires_at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Dead unless it was begun by then.")
    ] = None,
    after: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID[:POLICY]",
            help="Wait for this job's end; where it does not succeed: cancel (as by default), fail or"
            " run. Repeatable; batch/ID waits for a batch.",
        ),
    ] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(metavar="KEY", help="The same key and job is not made twice.")
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for its end and print its result as JSON.")
    ] = False,
) -> None:
    """Put one job into the queue and print its id.

    With --wait it exits with 1 where the job did not succeed.
    """
    options: dict[str, Any] = {
        "priority": priority,
        "tags": tuple(tag or ()),
        "webhook_url": webhook_url,
        "due_at": None if run_at is None else _time(run_at, "--run-at"),
        "expires_at": None if expires_at is None else _time(expires_at, "--expires-at"),
        "after": tuple(_after(text) for text in after or ()),
        "idempotency_key": idempotency_key,
    }
    if queue is not None:
        options["queue"] = queue
    if max_retries is not None:
        options["max_attempts"] = max_retries + 1
    given = _arguments(args, args_file)
    ended = run(_enqueue(quiet(load_settings()), kind, given, options, wait=wait))
    if ended is not None and ended.state not in _WELL:
        raise typer.Exit(1 if ended.state in TERMINAL else INTERRUPTED)


async def _enqueue(
    settings: Settings, kind: str, given: Json, options: Mapping[str, Any], *, wait: bool
) -> JobView | None:
    async with boot(settings) as app:
        job = new_job(app.kinds, kind, given, **options)
        (job_id,) = await put(app.jobs, app.kinds, workspace(), [job])
        if not wait:
            print(job_id)
            return None
        view = await _ended(app, job_id)
    _show(view)
    return view


async def _ended(app: App, job_id: JobId) -> JobView:
    """Look at the job until some worker has ended it, or the user has had enough."""
    with stop_on_signals(f"job {job_id} goes on; nobody waits for it any more") as stops:
        while True:
            view = await app.jobs.get(workspace(), job_id)
            if view is None:
                raise InputError(f"job {job_id} is gone")
            if view.state in TERMINAL or await set_within(stops.soft, _LOOK_EVERY_S):
                return view


def _show(view: JobView) -> None:
    body: dict[str, Json] = {"id": view.id, "state": view.state, "error": view.error}
    print_json({**body, "result": view.result})


def _arguments(text: str | None, path: Path | None) -> Json:
    """Read the arguments. Raises: InputError where they are given twice or are no JSON."""
    if text is not None and path is not None:
        raise InputError("give --args or --args-file, not both")
    if path is not None:
        text = _read(path)
    try:
        found: Json = json.loads("{}" if text is None else text)
    except ValueError as error:
        where = "--args" if path is None else str(path)
        raise InputError(f"{where} is no JSON: {error}") from error
    return found


def _read(path: Path) -> str:
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}") from error


def _after(text: str) -> After:
    """Read what a job comes after: ``7``, ``7:run``, ``batch/3:fail``. Raises: InputError."""
    found = re.fullmatch(r"(batch/)?([0-9]{1,18})(?::([a-z]+))?", text.strip())
    policies = ", ".join(IfFailed)
    if found is None or (found[3] or IfFailed.CANCEL) not in set(IfFailed):
        raise InputError(f"--after {text}: give a job's id or batch/ID, and one of {policies}")
    policy, number = IfFailed(found[3] or IfFailed.CANCEL), int(found[2])
    if found[1]:
        return After(batch=BatchId(number), if_failed=policy)
    return After(JobId(number), policy)


def _time(text: str, option: str) -> datetime:
    """Read a time with its zone. Raises: InputError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{option} {text}: {error}") from error
    if found.tzinfo is None:
        raise InputError(f"{option} {text}: say which zone, such as {text}Z or {text}+01:00")
    return found


def kinds(
    name: Annotated[
        str | None, typer.Argument(metavar="KIND", help="This one with its arguments.")
    ] = None,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a kind, with its arguments' schema.")
    ] = False,
) -> None:
    """List the job kinds that are installed, or one with its arguments."""
    run(_list(quiet(load_settings()), name, as_json=as_json))


async def _list(settings: Settings, name: str | None, *, as_json: bool) -> None:
    async with boot(settings) as app:
        found = [*app.kinds.values()] if name is None else [known_kind(app.kinds, name)]
    found.sort(key=lambda kind: kind.name)
    if as_json:
        for kind in found:
            print_json(kind.facts())
    elif name is None:
        out.print(_table(found))
    else:
        out.print(_arguments_of(found[0]))
        say(f"{found[0].name}: {found[0].description}")


def _table(found: list[Kind[Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", width=err.width)
    for heading in ("kind", "queue", "timeout", "tries", "first waits", "what it does"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "kind")
    for kind in found:
        policy = kind.retry
        waits = [
            min(policy.cap_s, policy.base_s * policy.multiplier**n)
            for n in range(min(3, policy.max_attempts - 1))
        ]
        table.add_row(
            kind.name,
            kind.queue,
            f"{kind.timeout_s:g} s",
            str(policy.max_attempts),
            ", ".join(f"{wait:g} s" for wait in waits),
            kind.description,
        )
    return table


def _arguments_of(kind: Kind[Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", width=err.width)
    for heading in ("argument", "needed", "schema"):
        table.add_column(heading, overflow="fold", no_wrap=heading != "schema")
    schema = kind.args.model_json_schema()
    for argument, shape in schema["properties"].items():
        needed = "yes" if argument in schema.get("required", ()) else ""
        plain = {key: value for key, value in shape.items() if key not in {"title", "default"}}
        table.add_row(argument, needed, json.dumps(plain))
    return table
