"""Settings (U3) in the dashboard: rules of asking, retention, people's rights, and what was started with."""

import asyncio
import re

from playwright.async_api import expect
from tests.browser.conftest import Open
from tests.browser.product import Product
from tests.browser.watched import Watch, violations

from glaze.model.access import Role


async def test_a_rule_is_set_and_seen_by_another_who_does_not_overwrite_it(
    open_page: Open, product: Product, watch: Watch
):
    watch.allow(r"status of 412")
    page, colleague = await open_page("/settings"), await open_page("/settings", role=Role.VIEWER)
    await page.get_by_role("button", name="New rule").press("Enter")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Field").fill("company_phone")
    await dialog.get_by_label("Ask first").fill("apollo, hunter")
    await dialog.get_by_label("At least so sure").fill("70")
    await dialog.get_by_role("button", name="Set it").click()
    rules = colleague.get_by_role("table", name="Rules")
    await expect(rules).to_contain_text("apollo, hunter")
    await expect(rules.get_by_role("button")).to_have_count(0)
    for name in ("Retention", "People", "Installation"):
        await expect(colleague.get_by_role("tab", name=name)).to_have_count(0)
    await page.get_by_role("button", name="Change the rule").click()
    other = {"field": "company_phone", "min_confidence": 60}
    await asyncio.to_thread(product.ask, "PUT", "/v1/order", other)
    await dialog.get_by_label("At least so sure").fill("90")
    await dialog.get_by_role("button", name="Set it").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("edit_conflict")
    await dialog.get_by_role("button", name="Leave it").click()
    for shown in (page.get_by_role("table", name="Rules"), rules):
        await expect(shown).to_contain_text("60")
    await page.get_by_role("button", name="Remove the rule").click()
    await dialog.get_by_role("button", name="Remove it").click()
    await expect(colleague.get_by_role("heading", name="No rule")).to_be_visible()
    assert await violations(page) == []


async def test_what_is_kept_shorter_is_confirmed_and_a_person_is_suppressed_and_erased(
    open_page: Open, product: Product
):
    page = await open_page("/settings", viewport={"width": 320, "height": 800})
    await page.get_by_role("tab", name="Who is asked").press("ArrowRight")
    await page.get_by_role("button", name="Change how long company_phone").click()
    await page.get_by_role("dialog").get_by_label("Days").fill("365")
    await page.get_by_role("dialog").get_by_role("button", name="Set it").click()
    fresh = page.get_by_role("table", name="Freshness").get_by_role("row").nth(1)
    await expect(fresh).to_contain_text("365 days")
    await fresh.get_by_role("button", name="Reset").click()
    await expect(page.get_by_text("this workspace", exact=True)).to_have_count(0)
    await page.get_by_role("tab", name="Freshness").press("ArrowRight")
    await expect(page).to_have_url(re.compile("tab=retention"))
    await page.get_by_label("What jobs logged").fill("14")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("dialog")).to_contain_text("what jobs logged older than that")
    await page.get_by_role("dialog").get_by_role("button", name="Keep it so").click()
    await expect(page.get_by_role("button", name="Save")).to_be_disabled()
    kept = await asyncio.to_thread(product.ask, "GET", "/v1/retention")
    assert (kept["logs_days"], kept["answers_days"]) == (14, None)
    await page.get_by_role("tab", name="Retention").press("ArrowRight")
    await page.get_by_label("Who", exact=True).fill("jane@forgotten.example")
    await page.get_by_role("button", name="Put on the suppression list").click()
    await page.get_by_role("button", name="What is known of them").click()
    known = page.get_by_role("dialog")
    await expect(known).to_contain_text("on the suppression list")
    await expect(known).to_contain_text("Nothing is known of them")
    await known.get_by_role("button", name="Close").click()
    await page.get_by_role("button", name="Take off it").click()
    await expect(page.get_by_text("is off the list")).to_be_visible()
    await page.get_by_role("button", name="Erase").click()
    asked = page.get_by_role("dialog")
    await expect(asked.get_by_role("button", name="Erase them")).to_be_disabled()
    await asked.get_by_role("textbox").fill("jane@forgotten.example")
    await asked.get_by_role("button", name="Erase them").click()
    await expect(page.get_by_role("table", name="Erasures")).to_contain_text("done")
    assert "jane@" not in await page.get_by_role("table", name="Erasures").inner_text()
    await page.get_by_role("tab", name="People").press("ArrowRight")
    await page.get_by_label("Search settings").fill("database url")
    table = page.get_by_role("table", name="Settings of the installation")
    await expect(table.get_by_role("row")).to_have_count(2)
    await expect(table).to_contain_text("a secret, set")
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    assert await violations(page) == []
