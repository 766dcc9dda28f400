"""The workspace in commands (S1, S2): one option for all of them, and keys of its own."""

import json
import subprocess

import pytest
from cli_process import Cli, Sandbox, ended, environment, write_world

from glaze.secrets.wrapping import new_key_text

FIELDS = ("--fields", "company_name,company_phone")


@pytest.fixture
def cli(tmp_path, dsn: str, vendors: Sandbox) -> Cli:
    cli = Cli(tmp_path, environment(dsn, vendors) | {"GLAZE_KEY_FILE": str(tmp_path / "keys")})
    (tmp_path / "keys").write_text(new_key_text())
    cli.run("workspaces", "create", "acme")
    return cli


def piped(cli: Cli, text: str, *arguments: str, code: int = 0) -> str:
    process = cli.start(*arguments, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(text)
    process.stdin.close()
    process.stdin = None
    ran = ended(process, code=code)
    return ran.out + ran.err


def test_every_command_acts_on_the_workspace_that_is_named_and_it_pays_with_its_own_key(
    cli: Cli, vendors: Sandbox
):
    write_world(cli.folder / "new.csv", rows=3)
    before = vendors.billed_micros
    run = ("enrich", "new.csv", "-o", "out.csv", *FIELDS, "--providers", "apollo")
    first = cli.run("--workspace", "acme", *run).out
    assert vendors.billed_micros == before, first  # the installation's key is not theirs to spend

    told = piped(cli, "sandbox-acme\n", "--workspace", "acme", "providers", "set-key", "apollo")
    assert "apollo is asked with the key" in told
    assert "sandbox-acme" not in told
    cli.run(*run, "--workspace=acme", "--skip-cache")
    assert vendors.billed_micros > before
    shown = json.loads(cli.run("providers", "apollo", "--json", "--workspace", "acme").out)
    assert (shown["key"], shown["in_use"]) == ("own", True)
    assert shown["calls"]["calls"] > 0

    cli.environment["GLAZE_WORKSPACE"] = "acme"
    assert cli.run("batches", "list", "--json").out
    assert "apollo" in cli.run("ledger", "list").out
    key = cli.run("keys", "create", "crm").out.strip()
    assert key.startswith("glz_2_")
    asked = {"input": {"domain": "acme.com"}, "required_fields": ["company_name"]}
    cli.run("enqueue", "enrich", "--args", json.dumps(asked))
    assert cli.run("jobs", "list", "--json").out

    # What one did the other does not see, and what the option says goes before the variable.
    default = ("--workspace", "default")
    assert not cli.run("jobs", "list", "--json", *default).out
    assert "apollo" not in cli.run("ledger", "list", *default).out
    assert "no key" in cli.run("keys", "list", *default).err
    assert json.loads(cli.run("providers", "apollo", "--json", *default).out)["key"] == "set"

    assert "data keys wrapped anew: 0" in cli.run("secrets", "rotate").out
    keys = cli.folder / "keys"
    keys.write_text(cli.run("secrets", "new-key").out + keys.read_text())
    assert "data keys wrapped anew: 1" in cli.run("secrets", "rotate").out
    assert "is deleted" in cli.run("providers", "forget-key", "apollo").out
    assert "no key of its own" in cli.run("providers", "forget-key", "apollo", code=2).err


def test_a_workspace_that_is_not_there_is_one_line_and_exit_code_2(cli: Cli):
    commands = ("jobs list", "enrich acme.com", "ledger verify", "budget list", "providers")
    for command in commands:
        told = cli.run(*command.split(), "--workspace", "nobody", code=2).err
        assert "there is no workspace 'nobody'" in told, command


def test_a_key_for_whom_there_is_none_to_take_is_refused(cli: Cli):
    for name, why in (("nobody", "no provider is called"), ("dns_mx", "takes no key")):
        assert why in piped(cli, "x\n", "providers", "set-key", name, code=2)
    del cli.environment["GLAZE_KEY_FILE"]
    assert "GLAZE_KEY_FILE" in piped(cli, "x\n", "providers", "set-key", "apollo", code=1)
