"""The layers hold, and each contract notices the violation it is there for."""

from pathlib import Path

import pytest

from tests.docs.copying import broken, contracts, copy_source

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


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("layers")
    copy_source(folder)
    return folder


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
