"""``glaze rebuild``: everything derived again from stored answers, for nothing."""

from typing import Annotated

import typer

from glaze.boot.process import run
from glaze.cli.opening import boot, workspace
from glaze.cli.screen import (
    INTERRUPTED,
    AsJson,
    err,
    harmless,
    out,
    print_json,
    quiet,
    say,
    shown,
    stop_on_signals,
)
from glaze.errors import InputError
from glaze.model.value import Json
from glaze.pipeline.rebuild import Rebuild, Rebuilt
from glaze.settings import Settings, load_settings
from glaze.store.rebuild import Change, RebuildStore

_LONGEST = 60
_TELL_EVERY = 1000


def rebuild(
    *,
    provider: Annotated[
        str | None, typer.Option(metavar="NAME", help="Read only this provider's answers again.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing, only say what would change.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read every stored answer again, and derive all values from what is read; pays nothing.

    After an update of Glaze or of a provider this brings what was bought before to what is read
    today. Nothing is sent. Stopped or killed, the same command goes on: what is right already is
    not touched. What cannot be read again stays, and is counted.
    """
    done, whole = run(_rebuild(quiet(load_settings()), provider, dry=dry_run))
    if as_json:
        print_json(_as_json(done, dry=dry_run, whole=whole))
    else:
        _show(done, dry=dry_run)
    if not whole:
        say("stopped: what was done stays; the same command goes on")
        raise typer.Exit(INTERRUPTED)


async def _rebuild(settings: Settings, provider: str | None, *, dry: bool) -> tuple[Rebuilt, bool]:
    async with boot(settings) as app:
        installed = app.providers.by_name
        if provider is not None and provider not in installed:
            known = ", ".join(sorted(installed))
            raise InputError(f"no provider is called {provider}; installed are {known}")
        work = Rebuild(RebuildStore(app.db), installed, app.beliefs, app.at)
        with stop_on_signals("stopping: finishing a page") as stops:
            done = await work.run(
                workspace(),
                provider=provider,
                dry=dry,
                stopped=stops.soft.is_set,
                tell=_progress,
            )
            return done, not stops.soft.is_set()


def _progress(done: Rebuilt) -> None:
    if err.is_terminal and done.answers % _TELL_EVERY == 0:
        say(f"{done.answers:,} answers, {done.entities:,} entities")


def _show(done: Rebuilt, *, dry: bool) -> None:
    would = "would be " if dry else ""
    out.print(f"answers read again: {done.read:,} of {done.answers:,}")
    for why, times in done.left.most_common():
        out.print(harmless(f"  {times:,} stay as they are: {why}"), markup=False)
    out.print(
        f"values that sources state: {done.changed:,} {would}changed, {done.new:,} {would}new,"
        f" {done.gone:,} {would}gone"
    )
    for change in done.examples:
        line = f"  {change.provider} {change.field}: {_cut(change.before)} -> {_cut(change.after)}"
        out.print(harmless(f"{line} (call {change.call_id})"), markup=False)
    verb = "would be answered" if dry else "are answered"
    out.print(f"fields that {verb} otherwise: {done.fields:,}, of {done.entities:,} entities")


def _cut(value: Json) -> str:
    if value is None:
        return "nothing"
    text = shown(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _as_json(done: Rebuilt, *, dry: bool, whole: bool) -> dict[str, Json]:
    return {
        "dry_run": dry,
        "whole": whole,
        "answers": done.answers,
        "read": done.read,
        "left": dict(done.left),
        "changed": done.changed,
        "new": done.new,
        "gone": done.gone,
        "entities": done.entities,
        "fields": done.fields,
        "examples": [_example(change) for change in done.examples],
    }


def _example(change: Change) -> Json:
    return dict(change._asdict())
