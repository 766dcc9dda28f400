"""``glaze members``: who may sign in to the workspace."""

import sys
from getpass import getpass
from typing import Annotated

import typer

from glaze.boot.process import run
from glaze.boot.secrets import sign_ins
from glaze.cli.opening import fleet, workspace
from glaze.cli.screen import AsJson, cells, out, plain_table, print_json, say
from glaze.errors import InputError
from glaze.model.access import Role
from glaze.settings import load_settings
from glaze.store.member import By, MemberStore, MemberView, Removed

members = typer.Typer(help="Invite, list and remove who may sign in.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(metavar="ADDRESS", help="By what the member signs in.")]


def ask_password() -> str:
    """Return a password from the terminal, typed twice, or the first line of a pipe.

    Raises: InputError where the two differ.
    """
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    typed = getpass("password: ")
    if getpass("again: ") != typed:
        raise InputError("these are two passwords")
    return typed


@members.command("list")
def list_members(*, as_json: AsJson = False) -> None:
    """List the members, also those who were removed."""

    async def look() -> list[MemberView]:
        async with fleet(load_settings()) as db:
            return await MemberStore(db).list(workspace())

    found = run(look())
    if as_json:
        for one in found:
            print_json({"id": one.id, "email": one.email, "role": one.role, "state": _state(one)})
        return
    if not found:
        say("nobody can sign in; make the first owner: glaze init")
        return
    table = plain_table("id", "role", "last login", "state", elastic=("email",))
    for one in found:
        last = f"{one.last_login_at:%Y-%m-%d %H:%M}" if one.last_login_at else "never"
        table.add_row(*cells(str(one.id), one.role, last, _state(one), one.email))
    out.print(table)


@members.command()
def invite(
    email: Email,
    *,
    role: Annotated[Role, typer.Option(help="What the member may do.")] = Role.EDITOR,
) -> None:
    """Print an invitation that counts once, for a week: the dashboard's /app/welcome#token=... takes it."""
    settings = load_settings()

    async def make() -> str:
        async with fleet(settings) as db:
            made = await sign_ins(settings, db).invite(workspace(), email, role, By())
            return made.text

    text = run(make())
    say(f"{email} may become {role}; the invitation is shown only now:")
    print(text)


@members.command("set-password")
def set_password(email: Email) -> None:
    """Give a member another password, read from the terminal or a pipe; signs them out everywhere."""
    settings, password = load_settings(), ask_password()

    async def change() -> None:
        async with fleet(settings) as db:
            await sign_ins(settings, db).reset_password(workspace(), email, password)

    run(change())
    out.print("the password is changed")


@members.command()
def remove(
    email: Email,
    *,
    keep_keys: Annotated[
        bool, typer.Option("--keep-keys", help="Let the API keys that they made go on to count.")
    ] = False,
) -> None:
    """Let a member sign in no more; signs them out everywhere, revokes keys they made, withdraws invitations."""

    async def end() -> Removed:
        async with fleet(load_settings()) as db:
            store = MemberStore(db)
            found = await store.find(workspace(), email.strip().lower())
            if found is None:
                raise InputError(f"there is no member {email}")
            return await store.remove(workspace(), found.id, By(), keep_keys=keep_keys)

    removed = run(end())
    out.print("signs in no more")
    if removed.keys:
        out.print(f"revoked keys: {', '.join(map(str, removed.keys))}")


def _state(member: MemberView) -> str:
    return f"removed {member.disabled_at:%Y-%m-%d}" if member.disabled_at else "counts"
