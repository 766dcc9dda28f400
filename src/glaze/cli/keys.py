"""``glaze keys``: who may use the API, and for what."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import typer

from glaze.boot.process import run
from glaze.cli.choose import parse_due
from glaze.cli.opening import fleet, workspace
from glaze.cli.screen import AsJson, cells, out, plain_table, print_json, say
from glaze.errors import InputError
from glaze.model.access import Scope
from glaze.model.value import WorkspaceId
from glaze.settings import load_settings
from glaze.store.access import IssuedKey, KeyStore, KeyView

keys = typer.Typer(help="Make, list, rotate and revoke API keys.", no_args_is_help=True)

Id = Annotated[int, typer.Argument(metavar="ID", min=1, help="As `glaze keys list` shows.")]

_DAY_S = 86_400


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    *,
    scope: Annotated[
        list[Scope] | None,
        typer.Option(help="What it may do, repeatable; write covers read. Default: write."),
    ] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="WHEN", help="A time, or from now: 90d. Default: never.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, once: it is kept as a hash."""
    expires_at = parse_due(expires, "--expires")

    async def make() -> IssuedKey:
        async with _store() as (store, of):
            return await store.create(of, name, scope or [Scope.WRITE], expires_at=expires_at)

    _print_issued(run(make()), as_json=as_json)


@keys.command("list")
def list_keys(*, as_json: AsJson = False) -> None:
    """List the keys, also those that count no more."""

    async def look() -> list[KeyView]:
        async with _store() as (store, of):
            return await store.list(of)

    found = run(look())
    if as_json:
        for key in found:
            print_json(_told(key))
        return
    if not found:
        say("there is no key; make one: glaze keys create NAME")
        return
    table = plain_table("id", "prefix", "scopes", "last used", "state", elastic=("name",))
    for key in found:
        used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
        table.add_row(
            *cells(str(key.id), key.prefix, ",".join(key.scopes), used, _state(key), key.name)
        )
    out.print(table)


@keys.command()
def rotate(
    key_id: Id,
    *,
    overlap_days: Annotated[
        float, typer.Option(min=0, max=30, help="Days that the old key still counts.")
    ] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Make a key with the same name and scopes in place of one, and print it."""

    async def replace() -> IssuedKey:
        async with _store() as (store, of):
            return await store.rotate(of, key_id, overlap_s=overlap_days * _DAY_S)

    _print_issued(run(replace()), as_json=as_json)


@keys.command()
def revoke(key_id: Id) -> None:
    """Let a key count no more, at the latest 5 seconds from now."""

    async def end() -> KeyView | None:
        async with _store() as (store, of):
            return await store.revoke(of, key_id)

    if run(end()) is None:
        raise InputError(f"there is no key {key_id} that was not revoked before")
    out.print(f"key {key_id} counts no more")


@asynccontextmanager
async def _store() -> AsyncIterator[tuple[KeyStore, WorkspaceId]]:
    async with fleet(load_settings()) as db:
        yield KeyStore(db), workspace()


def _print_issued(issued: IssuedKey, *, as_json: bool) -> None:
    if as_json:
        print_json({**_told(issued.view), "key": issued.text})
        return
    say(f"key {issued.view.id} ({', '.join(issued.view.scopes)}); it is shown only now:")
    print(issued.text)


def _told(key: KeyView) -> dict[str, Any]:
    times = ("created_at", "expires_at", "last_used_at", "revoked_at")
    said = {name: getattr(key, name) for name in times}
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": list(key.scopes),
        **{name: time.isoformat() if time else None for name, time in said.items()},
        "replaced_by": key.replaced_by,
    }


def _state(key: KeyView) -> str:
    if key.revoked_at:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    until = f"until {key.expires_at:%Y-%m-%d %H:%M}" if key.expires_at else "counts"
    return f"{until}, replaced by {key.replaced_by}" if key.replaced_by else until
