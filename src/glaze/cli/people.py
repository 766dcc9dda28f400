"""``glaze people``: erase a person, keep them away, and tell where what is known of them came from."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

import typer

from glaze.boot.app import App
from glaze.boot.process import run
from glaze.cli.opening import boot, workspace
from glaze.cli.screen import AsJson, cells, out, plain_table, print_json, say
from glaze.errors import InputError
from glaze.jobs.erasing import person_keys
from glaze.model.value import WorkspaceId
from glaze.settings import load_settings
from glaze.tasks.where_from import where_from as report_of

people = typer.Typer(
    help="Erase a person, keep them away, see where what is known of them came from.",
    no_args_is_help=True,
)

Who = Annotated[
    list[str],
    typer.Argument(
        metavar="WORD=VALUE...",
        help="Who: email=, linkedin_url=, lead_id=, contact_id=, name= with company=.",
    ),
]
T = TypeVar("T")
_ACTOR = "command line"


@people.command()
def erase(who: Who, *, as_json: AsJson = False) -> None:
    """Erase a person from everything that is stored, and buy and keep nothing of them any more.

    Run again after it was stopped: it begins anew and leaves nothing.
    """
    given = _given(who)

    async def do(app: App, of: WorkspaceId) -> Any:
        return await app.eraser.run(of, await app.eraser.begin(of, given, _ACTOR))

    done = _with(do)
    if as_json:
        print_json({"id": done.id, "removed": {**done.removed}})
        return
    rows = ", ".join(f"{name} {n:,}" for name, n in sorted(done.removed.items()))
    out.print(f"erased; rows removed or changed: {rows or 'none, nothing was stored'}")


@people.command()
def suppress(who: Who) -> None:
    """Buy and keep nothing of a person from now on; what is stored stays."""
    given = _given(who)
    added = _with(lambda app, of: app.eraser.suppress(of, given, _ACTOR))
    out.print(f"suppressed by {added} new keys" if added else "was suppressed before")


@people.command()
def unsuppress(who: Who) -> None:
    """Take a person off the suppression list; what was erased does not come back."""
    keys = person_keys(_given(who))
    gone = _with(lambda app, of: app.eraser.suppression.remove(of, keys, _ACTOR))
    if not gone:
        raise InputError("nobody known by this is on the suppression list")
    out.print(f"{gone} keys left the suppression list")


@people.command("where-from")
def where_from(who: Who, *, as_json: AsJson = False) -> None:
    """Tell every value that is known of a person: its source, its quote, what it cost, who asked."""
    given = _given(who)
    report = _with(lambda app, of: report_of(app.eraser, of, given))
    if as_json:
        print_json(json.loads(json.dumps(asdict(report), default=str)))
        return
    if report.suppressed:
        say("this person is suppressed: nothing is bought or kept of them")
    table = plain_table("field", "source", "call", "asked", "cost", elastic=("value", "where"))
    for one in report.values:
        field = f"{one.field} *" if one.wins else one.field
        cost = f"${one.cost_micros / 1_000_000:.4f}"
        asked = f"{one.asked_at:%Y-%m-%d}"
        where = one.source_url or one.quote or ""
        told = (field, one.provider, str(one.call_id), asked, cost, str(one.value), where)
        table.add_row(*cells(*told))
    out.print(table)
    named = ", ".join(f"{name} {n:,}" for name, n in sorted(report.found_in.items()))
    say(f"* what the field is taken to be. Rows that name them: {named or 'none'}")


def _given(who: list[str]) -> dict[str, str]:
    pairs = [one.partition("=") for one in who]
    if wrong := [word for word, sign, _ in pairs if not sign]:
        raise InputError(f"give WORD=VALUE, as email=jane@example.com; not {', '.join(wrong)}")
    return {word: value for word, _, value in pairs}


def _with(do: Callable[[App, WorkspaceId], Awaitable[T]]) -> T:
    async def done() -> T:
        async with boot(load_settings()) as app:
            return await do(app, workspace())

    return run(done())
