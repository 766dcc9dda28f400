"""The layers hold, and each contract notices the violation it is there for."""

import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.docs.reading import ROOT
from tests.docs.standing import program

PLANTED = {
    "Data goes one way: a layer may import only what stands below it": (
        "glaze/model/value.py",
        "import glaze.pipeline.gaps",
    ),
    "Decisions stay pure: no I/O in what decides": ("glaze/pipeline/gaps.py", "import asyncio"),
    "Only the store speaks SQL": ("glaze/pipeline/run.py", "import psycopg"),
    "Only net opens sockets outward": ("glaze/files/reading.py", "import socket"),
    "Providers do not know one another": (
        "glaze/providers/apollo.py",
        "import glaze.providers.serper",
    ),
    "Providers only translate: no store, settings, clock": (
        "glaze/providers/apollo.py",
        "import time",
    ),
    "The product and its sandbox are strangers": (
        "glaze_sandbox/billing.py",
        "import glaze.model.value",
    ),
}


def contracts() -> list[str]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return [one["name"] for one in tomllib.load(file)["tool"]["importlinter"]["contracts"]]


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """Return a copy of the source that may be spoiled."""
    folder = tmp_path_factory.mktemp("layers")
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def broken(folder: Path) -> set[str]:
    """Return the contracts that do not hold in ``folder``."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "NO_COLOR": "1"}
    ran = subprocess.run(
        [program("lint-imports"), "--no-cache"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    found = {name for name in contracts() if f"{name} BROKEN" in ran.stdout}
    kept = {name for name in contracts() if f"{name} KEPT" in ran.stdout}
    assert found | kept == {*contracts()}, ran.stdout + ran.stderr
    assert (ran.returncode != 0) == bool(found)
    return found


def test_every_contract_holds(copy):
    assert broken(copy) == set()


def test_there_is_a_planted_violation_for_every_contract():
    assert sorted(PLANTED) == sorted(contracts())


@pytest.mark.parametrize("contract", PLANTED)
def test_a_planted_violation_breaks_its_contract(contract, copy):
    path, line = PLANTED[contract]
    module = copy / "src" / path
    sound = module.read_text("utf-8")
    module.write_text(f"{sound}\n{line}\n", "utf-8")
    try:
        assert contract in broken(copy)
    finally:
        module.write_text(sound, "utf-8")
