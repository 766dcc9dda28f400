"""A TypeScript client, generated from the served document, compiles strictly and enriches."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from glaze.settings import Settings
from tests.api.conftest import Service, serving
from tests.flow.cli_process import Sandbox, running_sandbox

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "clients" / "typescript"
MODULES = ROOT / "tests" / "node" / "node_modules"


@pytest.fixture
def _node() -> None:
    if shutil.which("node") and (MODULES / "openapi-typescript").exists():
        return
    if os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail("Node or its libraries are missing: make browser-deps")
    pytest.skip("Node or its libraries are missing: make browser-deps")


@pytest.fixture
async def working(_node: None, dsn: str) -> AsyncIterator[tuple[Service, Sandbox]]:
    """The API and a worker, among vendors of a sandbox."""
    over = asyncio.Event()
    with running_sandbox(companies=20) as sandbox:
        settings = Settings(
            database_url=dsn,
            sandbox_url=sandbox.url,
            apollo_api_key="sandbox-test",
            log_level="error",
        )
        async with serving(settings) as service, asyncio.TaskGroup() as group:
            group.create_task(service.app.worker().run(over))
            try:
                yield service, sandbox
            finally:
                over.set()


async def node(folder: Path, *command: str, **environment: str) -> str:
    """Run a script of Node and return what it printed."""
    process = await asyncio.create_subprocess_exec(
        "node",
        *command,
        cwd=folder,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
    return told.decode()


async def test_a_generated_typescript_client_compiles_strictly_and_completes_an_enrichment(
    working: tuple[Service, Sandbox], tmp_path: Path
) -> None:
    service, sandbox = working
    for source in (*CLIENT.glob("*.ts"), CLIENT / "tsconfig.json", CLIENT / "package.json"):
        if source.name != "openapi.d.ts":
            shutil.copy(source, tmp_path)
    (tmp_path / "node_modules").symlink_to(MODULES)
    document = (await service.stranger.get("/openapi.json")).body
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    generate = json.loads((CLIENT / "package.json").read_text())["scripts"]["generate"].split()
    given = [one for one in generate[1:] if "openapi.json" not in one]
    await node(tmp_path, "node_modules/openapi-typescript/bin/cli.js", "openapi.json", *given)
    await node(tmp_path, "node_modules/typescript/bin/tsc")
    admin = await service.client()
    company = next(one for one in sandbox.get("hosts")["companies"] if not one["dead"])
    shown = {"API_URL": service.url, "GLAZE_KEY": admin.key or ""}
    told, refused = (await node(tmp_path, "out/enrich.js", company["url"], **shown)).splitlines()
    result = json.loads(told)
    assert result["status"] in {"success", "partial"}
    assert result["name"]
    assert refused == "not_found"


def test_the_packages_that_are_tested_are_those_that_the_client_names() -> None:
    client = json.loads((CLIENT / "package.json").read_text())
    tested = json.loads((ROOT / "tests" / "node" / "package.json").read_text())["dependencies"]
    named = client["dependencies"] | client["devDependencies"]
    assert named.items() <= tested.items()
