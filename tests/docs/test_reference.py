"""What exists is documented: errors, commands, providers, and everything public in the code."""

import ast
import importlib.metadata
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from glaze import errors
from glaze.settings import environment_names
from tests.docs.reading import ROOT
from tests.docs.tables import all_commands, error_classes

MODULES = sorted((ROOT / "src" / "glaze").rglob("*.py"))
COMMANDS = all_commands()
DOCS = ROOT / "docs"


def tree_of_errors() -> dict[str, str]:
    """Return each error of the tree at the head of errors.py with its parent."""
    parents: dict[str, str] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines()[2:]:
        drawn = re.match(r"([│ ├└─]*)([A-Z]\w+)", line)
        if drawn is None:
            continue
        depth = len(drawn[1]) // 4
        above = [*above[:depth], drawn[2]]
        parents[drawn[2]] = above[depth - 1] if depth else "Exception"
    return parents


def test_the_tree_at_the_head_of_errors_is_the_tree_of_the_classes():
    assert tree_of_errors() == {
        error.__name__: error.__bases__[0].__name__ for error in error_classes()
    }


def test_every_error_has_a_code_of_its_own():
    codes = [vars(error)["code"] for error in error_classes()]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", code) for code in codes)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_stands_in_the_guide_with_all_its_options(name):
    guide = (DOCS / "cli.md").read_text("utf-8")
    section = re.search(rf"^#+ .*glaze {name}\b.*?(?=^#+ |\Z)", guide, re.MULTILINE | re.DOTALL)
    assert section, f"docs/cli.md has no section on glaze {name}"
    for param in COMMANDS[name].params:
        if param.param_type_name == "option":
            assert all(f"`{opt}`" in section[0] for opt in param.opts), f"{name} {param.opts}"


@pytest.mark.parametrize("point", importlib.metadata.entry_points(group="glaze.providers"))
def test_every_installed_provider_stands_in_the_guide(point):
    assert f"`{point.name}`" in (DOCS / "providers.md").read_text("utf-8")
    assert point.dist is None or point.dist.name != "glaze" or f"`{point.name}`" in readme()


def readme() -> str:
    return (ROOT / "README.md").read_text("utf-8")


def public(module: Path) -> Iterator[tuple[str, ast.AST]]:
    """Yield what is public in a module: itself, its classes and functions, their methods."""
    tree = ast.parse(module.read_text("utf-8"))
    yield "the module", tree
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if node.name.startswith("_"):
            continue
        yield node.name, node
        for member in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef) and member.name[0] != "_":
                yield f"{node.name}.{member.name}", member


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(ROOT / "src")))
def test_everything_public_says_what_it_is(module):
    assert [name for name, node in public(module) if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(ROOT / "src")))
def test_a_docstring_ends_its_first_line_as_a_sentence(module):
    firsts = {
        name: (ast.get_docstring(node) or "").split("\n\n")[0] for name, node in public(module)
    }
    assert {name: first for name, first in firsts.items() if first[-1:] not in {".", ":", ""}} == {}


def test_what_is_said_to_be_without_effect_is_no_setting():
    text = (DOCS / "settings.md").read_text()
    said = re.search(r"\*\*Not read yet\*\*(.*?)\n- ", text, re.DOTALL)
    assert said is not None
    names = set(re.findall(r"`([A-Z_]+)`", said[1]))
    assert names
    assert not names & environment_names().keys()
