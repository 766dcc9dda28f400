"""One server, one browser for all tests here: a real ``glaze up`` among sandbox vendors, and Chromium.

Each test gets pages of fresh contexts; it fails where one asked another origin, broke its policy, or
logged an error that the test did not allow.
"""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect
from psycopg.conninfo import make_conninfo
from tests.browser.product import PASSWORD, Product, email_of, member, running_product
from tests.browser.watched import AXE, Watch
from tests.flow.cli_process import running_sandbox

from glaze.model.access import Role

HERE = Path(__file__).parent
BUILT = HERE.parents[1] / "src" / "glaze" / "web" / "index.html"
WEB = HERE.parents[1] / "web"
SOURCES = (WEB / "src", WEB / "component" / "src")
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESK = {"width": 1440, "height": 900}
PATIENCE_MS = 30_000  # hang detection, not a speed claim
expect.set_options(timeout=PATIENCE_MS)
COMPANIES = 100

Open = Callable[..., Awaitable[Page]]
Sessions = Callable[[Role], Awaitable[Any]]


def chromium() -> str | None:
    """Return where Chromium is."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def lacking() -> str | None:
    """Return what is not there that a test in a browser needs."""
    if shutil.which("node") is None or not AXE.exists():
        return "Node or the dashboard's packages are missing: make browser-deps"
    if chromium() is None:
        return "Chromium is missing: make browser-deps"
    if not BUILT.exists():
        return "the dashboard is not built: make web"
    built = BUILT.stat().st_mtime
    if any(one.stat().st_mtime > built for where in SOURCES for one in where.rglob("*.ts*")):
        return "the dashboard's build is older than its source: make web"
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let all tests here share one event loop, where the browser lives, and go before all others.

    Of several processes the first has them then, and none takes them over: one server, one browser.
    """
    items.sort(key=lambda item: HERE not in item.path.parents)
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def _tools() -> None:
    what = lacking()
    if what is not None:
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip)(what)


@pytest.fixture(scope="session")
def product(
    _tools: None, server_dsn: str, template: str, tmp_path_factory: Any
) -> Iterator[Product]:
    """API, worker and vendors that run for all tests here. What one test makes, others see."""
    name = f"glaze_browser_{os.getpid()}"
    folder = tmp_path_factory.mktemp("product")
    with psycopg.connect(server_dsn, autocommit=True) as conn:
        conn.execute(f"create database {name} template {template} strategy file_copy")
        try:
            dsn = make_conninfo(server_dsn, dbname=name)
            with (
                running_sandbox(COMPANIES) as sandbox,
                running_product(folder, dsn, sandbox) as running,
            ):
                yield running
        finally:
            conn.execute(f"drop database {name} with (force)")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(_tools: None) -> AsyncIterator[Browser]:
    """Chromium, without a window."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield launched
        await launched.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sessions(browser: Browser, product: Product) -> Sessions:
    """Cookies of who has signed in, once for each role."""
    kept: dict[Role, Any] = {}

    async def of(role: Role) -> Any:
        if role not in kept:
            await member(product, role)
            context = await browser.new_context()
            body = {"email": email_of(role), "password": PASSWORD}
            answer = await context.request.post(f"{product.url}/v1/session", data=body)
            assert answer.status == 200, await answer.text()
            kept[role] = await context.storage_state()
            await context.close()
        return kept[role]

    return of


@pytest_asyncio.fixture(loop_scope="session")
async def watch(product: Product) -> AsyncIterator[Watch]:
    """What goes wrong in the test's pages; the test fails for it unless it is allowed."""
    watch = Watch(product.url)
    yield watch
    assert not watch.unexpected


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(
    browser: Browser, product: Product, sessions: Any, watch: Watch
) -> AsyncIterator[Open]:
    """Open a path of the dashboard in a browser of its own, as a member of ``role`` (None: nobody)."""
    contexts = []

    async def opened(path: str = "/", role: Role | None = Role.OWNER, **options: Any) -> Page:
        state = await sessions(role) if role else None
        context = await browser.new_context(
            base_url=f"{product.url}/app/",
            storage_state=state,
            **{"viewport": DESK, "reduced_motion": "reduce", "locale": "en-US", **options},
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        await watch.follow(context)
        page = await context.new_page()
        await page.goto(f"{product.url}/app{path}")
        return page

    yield opened
    for context in contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(open_page: Open) -> Page:
    """Home, as the owner sees it."""
    return await open_page()
