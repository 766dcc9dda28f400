"""``glaze init``: what a new installation, or a new workspace, needs before anybody can use it."""

import secrets
from typing import Annotated

import typer

from glaze.boot.process import run
from glaze.boot.secrets import sign_ins
from glaze.cli.members import ask_password
from glaze.cli.opening import fleet, workspace
from glaze.cli.screen import out, say
from glaze.model.access import Role, Scope
from glaze.settings import Settings, load_settings
from glaze.store.access import KeyStore
from glaze.store.member import By, MemberStore

_RANDOM_BYTES = 15  # 20 characters


def init(
    *,
    email: Annotated[
        str, typer.Option(metavar="ADDRESS", help="By what the first owner signs in.")
    ] = "admin@localhost",
    ask: Annotated[
        bool, typer.Option("--password", help="Ask for the password, or read it from a pipe.")
    ] = False,
) -> None:
    """Set up the database, the first owner and the first API key; what is there already stays.

    The owner's password and the key are printed, once.
    """
    password = ask_password() if ask else secrets.token_urlsafe(_RANDOM_BYTES)
    run(_init(load_settings(), email, password, shown=not ask))


async def _init(settings: Settings, email: str, password: str, *, shown: bool) -> None:
    async with fleet(settings) as db:
        members, keys = MemberStore(db), KeyStore(db)
        if await members.some(workspace()):
            say("there is somebody who can sign in; see: glaze members list")
        else:
            added = await sign_ins(settings, db).add(workspace(), email, Role.OWNER, password, By())
            if added is None:
                say(f"{email} is a member by now")
            else:
                say(f"{added.email} is the owner of workspace {settings.workspace}")
                if shown:
                    say("password, shown only now:")
                    print(password)
        if await keys.some(workspace()):
            say("there is an API key that counts; see: glaze keys list")
        else:
            issued = await keys.create(workspace(), "first", [Scope.ADMIN])
            say("API key, shown only now:")
            print(issued.text)
    out.print(f"ready: glaze up, then http://localhost:{settings.api_port}/")
