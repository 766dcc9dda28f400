"""The first owner and key by ``glaze init`` (H5), and members by command."""

import json
import subprocess

import pytest
from cli_process import DEADLINE_S, Cli, Sandbox, ended, environment

from glaze.boot.secrets import sign_ins
from glaze.errors import LoginRefused
from glaze.settings import Settings
from glaze.store.access import KeyStore
from glaze.store.database import Database


@pytest.fixture
def cli(tmp_path, dsn: str, vendors: Sandbox) -> Cli:
    return Cli(tmp_path, environment(dsn, vendors))


async def signs_in(dsn: str, email: str, password: str, workspace: str = "default") -> bool:
    settings = Settings(database_url=dsn)
    async with Database.open(dsn) as db:
        try:
            await sign_ins(settings, db).login(workspace, email, password, address="here")
        except LoginRefused:
            return False
    return True


def piped(cli: Cli, text: str, *arguments: str, code: int = 0) -> str:
    process = cli.start(*arguments, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(text)
    process.stdin.close()
    process.stdin = None
    return ended(process, code=code).err


async def test_init_makes_the_first_owner_and_key_once(cli: Cli, dsn: str):
    first = cli.run("init")
    password, key = first.out.splitlines()[:2]
    assert await signs_in(dsn, "admin@localhost", password)
    async with Database.open(dsn) as db:
        principal = await KeyStore(db).authenticate(key)
    assert principal is not None
    assert principal.scopes == {"admin"}
    again = cli.run("init")
    assert password not in again.out
    assert "glz_" not in again.out
    assert "somebody who can sign in" in again.err
    assert "there is an API key" in again.err

    text = cli.run("members", "invite", "ada@example.com", "--role", "viewer").out.strip()
    settings = Settings(database_url=dsn)
    async with Database.open(dsn) as db:
        await sign_ins(settings, db).accept(text, "the password of ada", address="here")
    assert "12 to 256" in piped(
        cli, "short\n", "members", "set-password", "ada@example.com", code=2
    )
    piped(cli, "another password of ada\n", "members", "set-password", "ada@example.com")
    assert await signs_in(dsn, "ada@example.com", "another password of ada")
    cli.run("members", "remove", "ada@example.com")
    assert not await signs_in(dsn, "ada@example.com", "another password of ada")
    listed = [json.loads(one) for one in cli.run("members", "list", "--json").out.splitlines()]
    assert [(one["role"], one["state"][:7]) for one in listed] == [
        ("owner", "counts"),
        ("viewer", "removed"),
    ]
    assert "last owner" in cli.run("members", "remove", "admin@localhost", code=1).err


async def test_another_workspace_has_an_owner_of_its_own_whose_password_was_given(
    cli: Cli, dsn: str
):
    cli.run("workspaces", "create", "acme")
    asked = ("init", "--workspace", "acme", "--email", "eve@acme.com", "--password")
    assert "the password is too easy" in piped(cli, "a" * 12 + "\n", *asked, code=2)
    said = piped(cli, "the password of eve\n", *asked)
    assert "the password of eve" not in said
    assert await signs_in(dsn, "eve@acme.com", "the password of eve", "acme")
    assert not await signs_in(dsn, "eve@acme.com", "the password of eve")


def test_an_api_that_others_reach_does_not_start_before_there_is_a_key(cli: Cli):
    for command in ("up", "api"):
        for host in ("0.0.0.0", "::"):
            cli.environment |= {"GLAZE_API_HOST": host, "GLAZE_API_PORT": "0"}
            told = cli.run(command, code=2).err
            assert "glaze keys create" in told
    cli.run("init")
    process = cli.start("api")
    try:
        assert process.stderr is not None
        assert any("API: http" in line for line in process.stderr)
    finally:
        process.terminate()
        process.communicate(timeout=DEADLINE_S)
