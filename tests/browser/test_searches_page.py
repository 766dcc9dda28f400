"""Searches (H8) on their pages: seen masked for nothing, unlocked for a price that is agreed to."""

import asyncio
import re

from playwright.async_api import expect
from tests.browser.conftest import Open
from tests.browser.product import Product
from tests.browser.watched import violations

from glaze.model.access import Role


async def test_people_are_looked_for_seen_masked_unlocked_for_an_agreed_price_and_become_a_table(
    open_page: Open, product: Product
):
    await asyncio.to_thread(product.ask, "POST", "/v1/credit", {"cents": 10_000})
    page = await open_page("/searches")
    await expect(page.get_by_text("Nobody was looked for yet")).to_be_visible()
    await page.get_by_role("button", name="New search").click()
    form = page.get_by_role("dialog", name="New search")
    assert await violations(page) == []
    await form.get_by_label("Titles").fill("engineer")
    await form.get_by_label("At most").fill("2")
    await expect(form.get_by_text("None chosen")).to_be_visible()
    await form.get_by_role("group", name="Of people").get_by_label("Title", exact=True).check()
    await form.get_by_role("button", name="Look").click()
    unlock = page.get_by_role("button", name=re.compile("^Unlock for [$]"))
    await expect(unlock).to_be_visible()
    people = page.get_by_role("table", name="People")
    await expect(people.get_by_role("row")).to_have_count(3)
    await expect(people.get_by_role("row").last).to_contain_text("***")
    assert await violations(page) == []
    viewer = await open_page(
        re.sub("^/app", "", await page.evaluate("location.pathname")), Role.VIEWER
    )
    await expect(viewer.get_by_role("table", name="People")).to_be_visible()
    await expect(viewer.get_by_role("button", name="Unlock")).to_have_count(0)
    await unlock.click()
    asked = page.get_by_role("dialog")
    await expect(asked).to_contain_text("of the credit of $100.00")
    await asked.get_by_role("button", name="Unlock for").click()
    await expect(unlock).to_have_count(0)
    await expect(page.get_by_role("heading", level=1)).to_contain_text("ready")
    await page.get_by_role("link", name=re.compile(r"^Table \d+$")).click()
    await expect(page.get_by_text("2 of 2 rows")).to_be_visible()
    await expect(page.get_by_role("columnheader", name="Person title")).to_be_visible()
    await page.get_by_role("link", name="Searches").click()
    await expect(page.get_by_role("table", name="Searches")).to_contain_text("engineer")
