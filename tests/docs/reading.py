"""Reading the documentation: files, tables, code blocks, links."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = sorted(
    [*ROOT.glob("docs/*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"]
)

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def code_blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks in ``language``, in order."""
    return [body for found, body in _BLOCK.findall(text) if found == language]


def without_code(text: str) -> str:
    """Return ``text`` without its fenced blocks, where a bracket is no link and # no heading."""
    return _BLOCK.sub("", text)


def links(text: str) -> list[str]:
    """Return the targets of all links in ``text``."""
    return _LINK.findall(without_code(text))


def anchors(text: str) -> set[str]:
    """Return the anchors that the headings of ``text`` make, by GitHub's rule."""
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(text))
    return {heading.replace(" ", "-") for heading in kept}


def rows(text: str, first: str) -> list[list[str]]:
    """Return the cells of the table whose header begins with ``first``, without the header."""
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith(f"| {first} |"):
            next(lines)
            break
    found = []
    for line in lines:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return found


def commands(text: str) -> list[str]:
    """Return the shell commands of ``text``, comments removed, continued lines joined."""
    lines = "\n".join(code_blocks(text, "sh")).replace("\\\n", " ").splitlines()
    return [line.partition("  #")[0].strip() for line in lines if line and line[0] != "#"]


def named_tests(cell: str) -> list[str]:
    """Return the names in a cell, ``path::function``."""
    return re.findall(r"`([^`]+)`", cell)


def is_test(name: str) -> bool:
    """Tell whether there is a test of that name, read but not run."""
    path, _, function = name.partition("::")
    return function.startswith("test_") and function in _functions(path)


@cache
def _functions(path: str) -> frozenset[str]:
    if not (ROOT / path).is_file():
        return frozenset()
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))
