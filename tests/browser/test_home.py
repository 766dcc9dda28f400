"""Home (U1): how the workspace stands, on one screen, and going on by itself."""

import asyncio
import re
from typing import Any

import psycopg
from playwright.async_api import expect
from tests.browser.conftest import Open
from tests.browser.product import Product
from tests.browser.watched import Watch, violations

FAILING = """
insert into glaze.webhook (workspace_id, url, events, salt, failing_since)
values (1, 'https://crm.example.com/hooks', '{job.completed}', 's', now()) returning id
"""


def ended(product: Product) -> int:
    return int(product.ask("GET", "/v1/metrics")["ended"])


def fail_a_webhook(product: Product) -> Any:
    """Have an endpoint that is not reached, and return its id in a row."""
    with psycopg.connect(product.dsn, autocommit=True) as owner:
        return owner.execute(FAILING).fetchone()


async def enriched(product: Product, n: int = 0) -> None:
    """Have one company enriched, and wait for it."""
    url = product.sandbox.get("hosts")["companies"][n]["url"]
    body = {"url": url, "required_fields": ["company_name"], "wait_s": 30}
    await asyncio.to_thread(product.ask, "POST", "/v1/enrich", body)


async def test_home_tells_what_happened_and_what_happens_meanwhile(
    open_page: Open, product: Product
):
    await enriched(product)
    before = ended(product)
    page = await open_page()
    await expect(page.get_by_text(f"{before} jobs ended")).to_be_visible()
    await expect(page.locator(".standing")).to_have_text("Live")
    await expect(page.locator(".health")).to_contain_text(re.compile("Everything works|with less"))
    await expect(
        page.get_by_role("img", name=f"Jobs that ended over time: {before} in all")
    ).to_be_visible()
    await enriched(product, 1)
    await expect(page.get_by_text(f"{before + 1} jobs ended")).to_be_visible()
    await expect(page.get_by_role("img", name=f"{before + 1} in all")).to_be_visible()
    await expect(page.get_by_role("table", name="Providers")).to_contain_text("website")


async def test_what_is_chosen_stands_in_the_url(open_page: Open):
    page = await open_page()
    await page.get_by_role("radio", name="7 days").check()
    await expect(page).to_have_url(re.compile(r"/app/\?span=7d$"))
    await page.reload()
    await expect(page.get_by_role("radio", name="7 days")).to_be_checked()
    await page.goto(page.url.replace("7d", "<b>"))
    await expect(page.get_by_role("radio", name="24 h")).to_be_checked()


async def test_what_wants_somebody_is_told_and_axe_and_small_screens_have_no_complaint(
    open_page: Open, product: Product
):
    await enriched(product)
    [hook] = await asyncio.to_thread(fail_a_webhook, product)
    for scheme, width in (("light", 1440), ("dark", 320)):
        page = await open_page(
            color_scheme=scheme, viewport={"width": width, "height": 900}, has_touch=width < 900
        )
        matter = page.get_by_role("region", name="Wants somebody")
        await expect(matter).to_contain_text("https://crm.example.com/hooks")
        await expect(page.get_by_role("table", name="Providers")).to_be_visible()
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
    product.ask("DELETE", f"/v1/webhooks/{hook}")


async def test_a_page_outlives_the_server_and_misses_nothing(
    open_page: Open, product: Product, watch: Watch
):
    watch.allow("ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|WebSocket|503")
    page = await open_page()
    await expect(page.locator(".standing")).to_have_text("Live")
    before = ended(product)
    await asyncio.to_thread(product.stop)
    try:
        await expect(page.get_by_text("What you see may be old")).to_be_visible()
        await expect(page.get_by_text(f"{before} jobs ended")).to_be_visible()
        [hook] = await asyncio.to_thread(fail_a_webhook, product)  # no event tells of it
    finally:
        await asyncio.to_thread(product.start)
    await expect(page.get_by_text("https://crm.example.com/hooks")).to_be_visible()
    product.ask("DELETE", f"/v1/webhooks/{hook}")
    await enriched(product, 2)
    await expect(page.get_by_text(f"{before + 1} jobs ended")).to_be_visible()
    await expect(page.get_by_text("What you see may be old")).to_be_hidden()
    await expect(page.locator(".standing")).to_have_text("Live")
