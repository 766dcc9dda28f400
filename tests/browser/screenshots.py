"""Pictures of every page, light, dark and on a phone, into docs/img: python -m tests.browser.screenshots [page ...]."""

import asyncio
import base64
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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
COMPONENT = "component"
HOST = """<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>A host</title>
<style>
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
  body { max-width: 46rem; margin: 2.5rem auto; padding: 0 1rem; background: Canvas; color: CanvasText; }
  glaze-job-status { display: block; margin-bottom: 1.5rem; }
</style>
<h1>Accounts</h1><p>A page of another application; what is framed is the component.</p>
<glaze-job-status server="SERVER" batch="1" token="<1>" actions="retry cancel"></glaze-job-status>
<glaze-job-status server="SERVER" job="2" token="<2>" actions="retry cancel"></glaze-job-status>
<glaze-job-status server="SERVER" limit="6" token="<3>"></glaze-job-status>
<script type="module" src="SERVER/component/glaze-job-status.js"></script></html>"""
"""A page of another origin, for the pictures of ``<glaze-job-status>``."""
SHOWN = """[...document.querySelectorAll("glaze-job-status")]
  .every((one) => one.shadowRoot?.querySelector(".state"))"""
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
            if name == COMPONENT:
                await embedding(shown := page, product)
            elif name in OPEN:
                other = await browser.new_context(locale="en-US", **options)
                shown = await other.new_page()
                await shown.goto(f"{product.url}/app{PAGES[name]}", wait_until="networkidle")
            else:
                await (shown := page).goto(
                    f"{product.url}/app{PAGES[name]}", wait_until="networkidle"
                )
            await keep(shown, IMAGES / f"{name}-{look}.webp")
        await context.close()


async def embedding(page: Page, product: Product) -> None:
    """Show the component in a page of another origin, with tokens that its backend asked for."""
    html = HOST.replace("SERVER", product.url)
    may = {"may": ["retry", "cancel"]}
    for mark, asked in (
        ("<1>", {"batch_id": 1, **may}),
        ("<2>", {"job_id": 2, **may}),
        ("<3>", {}),
    ):
        token = await asyncio.to_thread(product.ask, "POST", "/v1/tokens", asked)
        html = html.replace(mark, token["token"])
    with hosted(html, product.host_port):
        await page.goto(product.host_url)
        await page.wait_for_function(SHOWN)


@contextmanager
def hosted(html: str, port: int) -> Iterator[None]:
    """Serve one page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("localhost", port), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


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
            await take(browser, product, names or [*PAGES, COMPONENT])
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
