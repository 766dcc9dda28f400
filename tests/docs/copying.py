"""A copy of the source that may be changed, and what the layers say of it."""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

from tests.docs.reading import ROOT
from tests.docs.standing import PATIENCE_S, program


def contracts() -> list[str]:
    """Return the names of all contracts between the layers."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return [one["name"] for one in tomllib.load(file)["tool"]["importlinter"]["contracts"]]


def copy_source(folder: Path) -> Path:
    """Copy the source into ``folder`` and return the copy's package."""
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder / "src" / "glaze"


def run(
    folder: Path, words: list[str], changes: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program that sees the copy in ``folder`` in place of the product."""
    ours = {"PYTHONPATH": str(folder / "src"), "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, **ours, **(changes or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


def run_python(
    folder: Path, script: str, changes: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a script with the copy in ``folder``."""
    return run(folder, [sys.executable, "-W", "error", "-c", script], changes)


def broken(folder: Path) -> set[str]:
    """Return the contracts that do not hold in the copy in ``folder``."""
    ran = run(folder, [program("lint-imports"), "--no-cache"])
    found = {name for name in contracts() if f"{name} BROKEN" in ran.stdout}
    kept = {name for name in contracts() if f"{name} KEPT" in ran.stdout}
    assert found | kept == {*contracts()}, ran.stdout + ran.stderr
    assert (ran.returncode != 0) == bool(found)
    return found
