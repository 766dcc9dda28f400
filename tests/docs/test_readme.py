"""Every command that the README and the guides show is run, against the sandbox where it asks a vendor."""

import contextlib
import json
import re

import pytest

from glaze.settings import environment_names
from tests.docs.reading import ROOT, commands
from tests.docs.standing import Standing, curl, standing, wait_until_up

API_GUIDES = ("docs/api.md", "docs/from-the-originals.md")
SHOWN = ("README.md", *API_GUIDES, "docs/sandbox.md", "docs/settings.md", "docs/ledger.md")
GOES_ON = {"up", "api", "worker", "sandbox"}


def shown(path: str) -> list[str]:
    return commands((ROOT / path).read_text("utf-8"))


def test_the_readme_begins_with_the_two_commands_that_need_nothing_else():
    assert [command.split() for command in shown("README.md")[:2]] == [
        ["make", "demo"],
        ["make", "test"],
    ]


@pytest.mark.parametrize("path", SHOWN)
def test_every_make_target_that_is_shown_exists(path):
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    asked = re.findall(r"make ([a-z]+)`?", "\n".join(shown(path)))
    assert {*asked} <= targets


@pytest.mark.parametrize("paths", [("README.md",), API_GUIDES, ("docs/sandbox.md",)], ids=" ".join)
def test_every_command_that_is_shown_works_as_it_stands(paths, tmp_path, dsn):
    commands = [command for path in paths for command in shown(path)]
    todo = [command for command in commands if not command.startswith("make ")]
    asks_the_api = any("localhost:3001" in command for command in todo)
    with standing(tmp_path, dsn) as place, contextlib.ExitStack() as stack:
        if asks_the_api:
            stack.enter_context(place.running(["glaze", "up"]))
            wait_until_up(place.api_port)
            made = place.run(["glaze", "keys", "create", "docs", "--scope", "admin"])
            todo = [command.replace("$KEY", made.stdout.strip()) for command in todo]
        for command in todo:
            works(command, place)


def works(command: str, place: Standing) -> None:
    words = place.words(command)
    match words[0]:
        case "export":
            assert {word.partition("=")[0] for word in words[1:]} <= environment_names().keys()
        case "curl":
            assert curl(words, place.folder) in {200, 201, 202}, command
        case "glaze" if words[1] in GOES_ON:
            goes_on(words, place)
        case "glaze":
            ended(words, place)
        case _:
            pytest.fail(f"this test does not know how to run {command!r}")


def goes_on(words: list[str], place: Standing) -> None:
    if words[1] == "up":
        return  # runs already, for the requests that follow
    with place.running(words) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["ready"]


def ended(words: list[str], place: Standing) -> None:
    done = place.run(words)
    assert done.returncode == 0, f"{words}: {done.stderr}"
    if "-o" in words:
        written = place.folder / words[words.index("-o") + 1]
        given = (place.folder / words[2]).read_text("utf-8")
        assert len(written.read_text("utf-8").splitlines()) == len(given.splitlines())
    if "--json" in words:
        assert json.loads(done.stdout)["data"]
