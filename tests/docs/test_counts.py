"""What it takes to add a part, as CONTRIBUTING says: one file, and one line with its import."""

from pathlib import Path

from tests.docs.copying import broken, copy_source, run_python
from tests.docs.reading import ROOT, code_blocks

ENDPOINT = '''"""``GET /ping``: an endpoint of a test."""

from fastapi import APIRouter

from glaze.api.schemas import V1
from glaze.api.services import Services


def routes(services: Services) -> APIRouter:
    """Return the route."""
    router = APIRouter(prefix=V1)

    @router.get("/ping")
    async def ping() -> str:
        return "pong"

    return router
'''
ASK_THE_ENDPOINT = """
from unittest.mock import MagicMock
from glaze.api.app import create_app
from glaze.settings import Settings
services = MagicMock(settings=Settings())
assert "/v1/ping" in create_app(services).openapi()["paths"]
"""
KIND = '''"""The job kind ``greet``: a kind of a test."""

from glaze.jobs.kind import JobContext, Kind
from glaze.model.outcome import Done, Outcome
from glaze.model.request import Strict
from glaze.tasks.tools import Tools


class Greeting(Strict):
    """Whom to greet."""

    name: str


def greet_kind(tools: Tools) -> Kind[Greeting]:
    """Return the kind."""

    async def run(args: Greeting, ctx: JobContext) -> Outcome:
        return Done(f"hello {args.name}")

    return Kind(name="greet", args=Greeting, run=run)
'''
RUN_THE_KIND = """
import asyncio
from glaze.boot.app import boot
from glaze.jobs.enqueue import enqueue, new_job
from glaze.model.job import TERMINAL
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.settings import Settings

async def main():
    async with boot(Settings()) as app:
        job = new_job(app.kinds, "greet", {"name": "Ada"})
        (job_id,) = await enqueue(app.jobs, app.kinds, DEFAULT_WORKSPACE, [job])

        async def over():
            return (await app.jobs.get(DEFAULT_WORKSPACE, job_id)).state in TERMINAL

        await app.worker().drain(over, asyncio.Event())
        print((await app.jobs.get(DEFAULT_WORKSPACE, job_id)).result)

asyncio.run(main())
"""


FIND_THE_PROVIDER = """
from glaze.providers.registry import load_providers
assert "acme" in load_providers().providers, load_providers().problems
"""


def edit(module: Path, *changes: tuple[str, str]) -> None:
    text = module.read_text("utf-8")
    for old, new in changes:
        assert text.count(old) == 1, f"{module.name} has no place for {new!r} any more"
        text = text.replace(old, new)
    module.write_text(text, "utf-8")


def test_an_endpoint_is_one_file_and_one_line(tmp_path):
    glaze = copy_source(tmp_path)
    (glaze / "api" / "ping.py").write_text(ENDPOINT)
    edit(
        glaze / "api" / "app.py",
        ("    health,\n    hooks,\n", "    health,\n    hooks,\n    ping,\n"),
        ("_MODULES = (\n", "_MODULES = (\n    ping,\n"),
    )
    ran = run_python(tmp_path, ASK_THE_ENDPOINT)
    assert ran.returncode == 0, ran.stderr
    assert broken(tmp_path) == set()


def test_a_job_kind_is_one_file_and_its_entry_point(tmp_path, dsn):
    glaze = copy_source(tmp_path)
    (glaze / "tasks" / "greet.py").write_text(KIND)
    install(tmp_path, "greet", "[glaze.kinds]\ngreet = glaze.tasks.greet:greet_kind\n")
    ran = run_python(tmp_path, RUN_THE_KIND, {"DATABASE_URL": dsn})
    assert ran.stdout.strip() == "hello Ada", ran.stderr
    assert broken(tmp_path) == set()


def install(folder: Path, package: str, points: str) -> None:
    """Let the copy in ``folder`` see a package with these entry points."""
    installed = folder / "src" / f"{package}-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
    (installed / "entry_points.txt").write_text(points)


def test_a_provider_is_one_file_and_its_entry_point(tmp_path):
    glaze = copy_source(tmp_path)
    (example,) = code_blocks((ROOT / "docs" / "providers.md").read_text("utf-8"), "python")
    (glaze / "providers" / "acme.py").write_text(f'"""A provider of a test."""\n\n{example}')
    install(tmp_path, "acme", "[glaze.providers]\nacme = glaze.providers.acme:acme\n")
    ran = run_python(tmp_path, FIND_THE_PROVIDER)
    assert ran.returncode == 0, ran.stderr
    assert broken(tmp_path) == set()
