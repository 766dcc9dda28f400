"""Every page in both themes, on a small and on a very large screen; the list is what the navigation leads to."""

import asyncio
from typing import Any

from playwright.async_api import Page, expect
from tests.browser.conftest import Open
from tests.browser.product import Product
from tests.browser.test_tables_page import sites
from tests.browser.watched import violations

SMALL = {"width": 320, "height": 800}
LARGE = {"width": 3840, "height": 2160}
CALM = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => Promise.allSettled(
  document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < Infinity).map((one) => one.finished)).then(() => done()))))"""
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def settled(page: Page) -> None:
    await expect(page.locator("h1").first).to_be_visible()
    await expect(page.locator(".loading")).to_have_count(0)
    await page.evaluate(CALM)  # colours of the other theme fade


async def faults(page: Page, path: str) -> list[Any]:
    """Return what is wrong with a page in either theme and on either screen."""
    found: list[Any] = []
    for theme, size in (("dark", LARGE), ("light", SMALL)):
        await page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        await page.set_viewport_size(size)  # type: ignore[arg-type]
        await settled(page)
        found += [(path, theme, one) for one in await violations(page)]
        if await page.evaluate(WIDE) > 0:
            found.append((path, f"scrolls sideways at {size['width']} pixels"))
    return found


async def test_no_page_has_a_fault_in_either_theme_nor_scrolls_sideways_on_any_screen(
    open_page: Open, product: Product
):
    urls = list(sites(product, 2))
    body = {"rows": [{"website": one} for one in urls], "fields": ["company_name"], "name": "seen"}
    batch = (await asyncio.to_thread(product.ask, "POST", "/v1/batches", body))["id"]
    asked = {"url": urls[0], "required_fields": ["company_name"], "wait_s": 30}
    job = (await asyncio.to_thread(product.ask, "POST", "/v1/enrich", asked))["id"]
    page = await open_page(viewport=LARGE)
    await settled(page)
    links = page.get_by_role("navigation", name="Pages").get_by_role("link")
    listed = await links.evaluate_all("all => all.map((one) => one.pathname)")
    assert len(listed) >= 9, listed
    own = (f"/app/tables/{batch}", "/app/tables/new", f"/app/jobs/{job}", "/app/account")
    found: list[Any] = []
    for path in (*listed, *own):
        await page.set_viewport_size(LARGE)  # type: ignore[arg-type]
        await page.goto(product.url + path)
        found += await faults(page, path)
    assert found == []
