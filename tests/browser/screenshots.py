"""Pictures of every page, light, dark and on a phone, into docs/img: python -m tests.browser.screenshots [page ...]."""

import asyncio
import base64
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import psycopg
from playwright.async_api import Browser, Page, async_playwright
from psycopg.conninfo import make_conninfo
from tests.browser.conftest import DESK, FLAGS, chromium
from tests.browser.product import PASSWORD, Product, email_of, member, running_product
from tests.browser.scene import prepare
from tests.flow.cli_process import running_sandbox

from glaze.model.access import Role
from glaze.store.embedded import ensure_server
from glaze.store.migrate import migrate

IMAGES = Path(__file__).parents[2] / "docs" / "img"
PAGES = {
    "sign-in": "/sign-in",
    "welcome": "/welcome#token=shown-once&email=grace@example.com",
    "home": "/",
    "tables": "/tables",
    "table": "/tables/1?cell=3:company_name",
    "new-table": "/tables/new",
    "searches": "/searches",
    "search": "/searches/1",
    "jobs": "/jobs",
    "job": "/jobs/2",
    "queues": "/queues",
    "workers": "/workers",
    "schedules": "/schedules",
    "dead-letters": "/dead-letters",
    "webhooks": "/webhooks",
    "webhook": "/webhooks/2",
    "budgets": "/budgets",
    "ledger": "/ledger",
    "providers": "/providers",
    "provider": "/providers/apollo",
    "keys": "/keys",
    "members": "/members",
    "audit": "/audit",
    "settings": "/settings",
    "account": "/account",
}
"""Each page by the name of its pictures."""
OPEN = ("sign-in", "welcome")
"""Of these: what who has not signed in sees."""
PHONE = {"width": 390, "height": 844}
LOOKS = {
    "light": {"color_scheme": "light", "viewport": DESK},
    "dark": {"color_scheme": "dark", "viewport": DESK},
    "phone": {"color_scheme": "light", "viewport": PHONE, "has_touch": True, "is_mobile": True},
}


async def take(browser: Browser, product: Product, names: list[str]) -> None:
    """Take the pictures of the pages that are named."""
    for look, options in LOOKS.items():
        context = await browser.new_context(locale="en-US", reduced_motion="reduce", **options)
        if {*names} - {*OPEN}:
            body = {"email": email_of(Role.OWNER), "password": PASSWORD}
            await context.request.post(f"{product.url}/v1/session", data=body)
        page = await context.new_page()
        for name in names:
            if name in OPEN:
                other = await browser.new_context(locale="en-US", **options)
                shown = await other.new_page()
            else:
                shown = page
            await shown.goto(f"{product.url}/app{PAGES[name]}", wait_until="networkidle")
            await keep(shown, IMAGES / f"{name}-{look}.webp")
        await context.close()


async def keep(page: Page, path: Path) -> None:
    """Write what the page shows, small enough for a repository."""
    cdp = await page.context.new_cdp_session(page)
    taken = await cdp.send("Page.captureScreenshot", {"format": "webp", "quality": 82})
    await asyncio.to_thread(path.write_bytes, base64.b64decode(taken["data"]))


async def main(names: list[str]) -> None:
    """Start everything, prepare a scene, take the pictures."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        lease = ensure_server(folder / "pg", unsafe_fast=True, idle_s=2)
        stack.callback(lease.release)
        with psycopg.connect(lease.dsn, autocommit=True) as conn:
            conn.execute("create database screenshots")
        dsn = make_conninfo(lease.dsn, dbname="screenshots")
        await migrate(dsn)
        sandbox = stack.enter_context(running_sandbox(200))
        product = await asyncio.to_thread(
            lambda: stack.enter_context(running_product(folder, dsn, sandbox))
        )
        await member(product, Role.OWNER)
        await asyncio.to_thread(prepare, product)
        IMAGES.mkdir(exist_ok=True)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            await take(browser, product, names or [*PAGES])
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
