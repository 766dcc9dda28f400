"""Keys and workspaces by command: shown once, in their own workspace, refused with what is wrong."""

import json

import pytest
from cli_process import Cli, Sandbox, environment

from glaze.store.access import KeyStore
from glaze.store.database import Database


@pytest.fixture
def cli(tmp_path, dsn: str, vendors: Sandbox) -> Cli:
    return Cli(tmp_path, environment(dsn, vendors))


async def test_a_workspace_is_made_and_its_key_opens_it_alone(cli: Cli, dsn: str):
    made = json.loads(cli.run("workspaces", "create", "acme-crm", "--json").out)
    key = cli.run("keys", "create", "crm", "--scope", "read", "--workspace", "acme-crm").out.strip()
    assert key.startswith(f"glz_{made['id']}_")
    assert "no key" in cli.run("keys", "list").err
    async with Database.open(dsn) as db:
        principal = await KeyStore(db).authenticate(key)
    assert principal is not None
    assert (principal.workspace_id, principal.scopes) == (made["id"], {"read"})
    names = [
        json.loads(line)["name"]
        for line in cli.run("workspaces", "list", "--json").out.splitlines()
    ]
    assert names == ["default", "acme-crm"]


def test_a_key_is_rotated_and_revoked_and_the_list_says_so(cli: Cli):
    first = json.loads(cli.run("keys", "create", "crm", "--expires", "90d", "--json").out)
    second = json.loads(
        cli.run("keys", "rotate", str(first["id"]), "--overlap-days", "1", "--json").out
    )
    assert second["key"] != first["key"]
    cli.run("keys", "revoke", str(second["id"]))
    listed = {
        one["id"]: one
        for one in map(json.loads, cli.run("keys", "list", "--json").out.splitlines())
    }
    assert listed[first["id"]]["replaced_by"] == second["id"]
    assert listed[second["id"]]["revoked_at"]
    shown = cli.run("keys", "list").out
    assert "revoked" in shown
    assert first["key"] not in shown
    assert "no key" in cli.run("keys", "revoke", str(second["id"]), code=2).err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("workspaces", "create", "Acme"), "no workspace's name"),
        (("workspaces", "create", "default"), "already"),
        (("keys", "create", "crm", "--workspace", "nobody"), "no workspace 'nobody'"),
        (("keys", "create", " "), "1 to 100 printable"),
        (("keys", "create", "crm", "--expires", "soon"), "--expires"),
        (("keys", "rotate", "99"), "no key 99"),
    ],
)
def test_what_cannot_be_is_one_line_and_exit_code_2(cli: Cli, arguments, told):
    assert told in cli.run(*arguments, code=2).err
