"""A provider in a package of its own: installed by pip, found, held to the same promises, asked."""

import asyncio
import csv
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from tests.storm_only import storm_only

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "examples" / "provider-plugin"


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process that has the sample plug-in, built and installed offline."""
    target = tmp_path_factory.mktemp("plugin") / "site"
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    offline = ("--no-index", "--no-deps", "--no-build-isolation", "--target", str(target))
    subprocess.run([*pip, *offline, str(PLUGIN)], check=True, cwd=target.parent)
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "PYTHONPATH": str(target), "NO_COLOR": "1"}


@storm_only
def test_a_plugin_is_held_to_what_every_provider_promises(installed: dict[str, str]) -> None:
    suite = "tests/providers/test_conformance.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", suite]
    ran = subprocess.run(  # noqa: PLW1510  judged below, with what it printed
        [*command, "-k", "yellowbook"], cwd=ROOT, env=installed, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout
    passed = int(ran.stdout.rsplit(" passed", 1)[0].split()[-1])
    assert passed > 40


@pytest.fixture
async def vendor() -> AsyncIterator[tuple[str, list[str]]]:
    """The vendor's API, and the domains that it was asked about."""
    asked: list[str] = []

    async def company(request: web.Request) -> web.Response:
        if request.headers["Authorization"] != "Bearer our-key":
            return web.json_response({"error": "no such key"}, status=401)
        asked.append(request.match_info["domain"])
        return web.json_response({"phone": "+1 415 555 2671", "address": {"city": "Toledo"}})

    app = web.Application()
    app.router.add_get("/v1/companies/{domain}", company)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1", asked
    await runner.cleanup()


async def test_a_plugin_takes_its_place_in_the_waterfall_and_is_paid_once(
    installed: dict[str, str], vendor: tuple[str, list[str]], dsn: str, tmp_path: Path
) -> None:
    url, asked = vendor
    environment = {
        **installed,
        "DATABASE_URL": dsn,
        "GLAZE_SANDBOX_URL": "http://127.0.0.1:9",  # nothing else is there to answer
        "GLAZE_PROVIDER__YELLOWBOOK__BASE_URL": url,
        "GLAZE_PROVIDER__YELLOWBOOK__KEY": "our-key",
    }

    async def glaze(*arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "glaze.cli", *arguments),
            cwd=tmp_path,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return out.decode()

    (tmp_path / "in.csv").write_text("domain\nacme-anvils.com\n")
    order = ("--order", "yellowbook", "--fields", "company_phone,company_city")
    for _ in range(2):
        await glaze("enrich", "in.csv", "-o", "out.csv", *order)
    with (tmp_path / "out.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["company_city"] == "Toledo"
    assert asked == ["acme-anvils.com"]
    told = json.loads(await glaze("providers", "yellowbook", "--json"))
    assert (told["calls"]["hits"], told["calls"]["spent_micros"]) == (1, 10_000)
