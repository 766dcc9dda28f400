"""Budgets and the ledger (U3) in the dashboard: caps set without overwriting, unknown calls resolved."""

import asyncio
import re
from pathlib import Path

from playwright.async_api import Route, expect
from tests.browser.conftest import Open
from tests.browser.product import Product
from tests.browser.watched import Watch, violations

from glaze.model.access import Role


async def test_a_budget_is_set_seen_by_another_and_not_overwritten_and_a_reader_cannot(
    open_page: Open, product: Product, watch: Watch
):
    watch.allow(r"status of 412")
    page, colleague = await open_page("/budgets"), await open_page("/budgets", role=Role.VIEWER)
    await page.get_by_role("button", name="Set a budget").press("Enter")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("For").select_option("hunter, each month")
    await dialog.get_by_label("Dollars").fill("12.50")
    await dialog.get_by_role("button", name="Set it").click()
    await expect(dialog).to_have_count(0)
    card = colleague.get_by_role("region", name="hunter, monthly")
    await expect(card).to_contain_text("$12.50 left of $12.50")
    await expect(colleague.get_by_role("button", name=re.compile("budget of|Set a"))).to_have_count(
        0
    )
    await page.get_by_role("button", name="Change the budget of hunter").click()
    await expect(dialog.get_by_label("Dollars")).to_have_value("12.50")
    await asyncio.to_thread(product.ask, "PUT", "/v1/budgets/hunter", {"cap_cents": 700})
    await dialog.get_by_label("Dollars").fill("99")
    await dialog.get_by_role("button", name="Set it").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("edit_conflict")
    await dialog.get_by_role("button", name="Leave it").click()
    await expect(card).to_contain_text("$7.00 left of $7.00")
    await page.get_by_role("button", name="Remove the budget of hunter").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove it").click()
    await expect(card).to_have_count(0)
    await page.get_by_role("button", name="Show them").click()
    await expect(page).to_have_url(re.compile("every=true"))
    await expect(page.get_by_role("region", name="Every budget")).to_be_visible()
    assert await violations(page) == []
    await page.goto(f"{product.url}/app/audit")
    log = page.get_by_role("table", name="Audit log")
    await expect(log.get_by_role("row").filter(has_text="cap $7.00")).to_contain_text("hunter")


async def test_a_budget_is_changed_from_what_was_read_however_late_that_comes(
    open_page: Open, product: Product
):
    await asyncio.to_thread(product.ask, "PUT", "/v1/budgets/hunter", {"cap_cents": 1250})
    page = await open_page("/budgets")
    change = page.get_by_role("button", name="Change the budget of hunter")
    await expect(change).to_be_visible()
    come = asyncio.Event()

    async def held_back(route: Route) -> None:
        await come.wait()
        await route.continue_()

    await page.route("**/v1/budgets/hunter", held_back)
    await change.click()
    dollars = page.get_by_role("dialog").get_by_label("Dollars")
    await expect(dollars).to_have_value("")
    await expect(dollars).not_to_be_editable()
    await asyncio.to_thread(product.ask, "PUT", "/v1/budgets/hunter", {"cap_cents": 700})
    come.set()
    await expect(dollars).to_have_value("7.00")
    await dollars.fill("8")
    await page.get_by_role("dialog").get_by_role("button", name="Set it").click()
    card = page.get_by_role("region", name="hunter, monthly")
    await expect(card).to_contain_text("$8.00 left of $8.00")


async def test_an_unknown_call_is_found_resolved_and_gone_for_the_other_and_the_books_are_right(
    open_page: Open, product: Product
):
    lost = {"kind": "drop_after_billing", "vendor": "apollo", "times": 1}
    product.sandbox.send("POST", "faults", lost)
    company = product.sandbox.get("hosts")["companies"][-1]["url"]
    asked = {"url": company, "fields": ["company_revenue"], "providers": ["apollo"], "wait_s": 30}
    await asyncio.to_thread(product.ask, "POST", "/v1/enrich", asked)
    page, colleague = await open_page("/"), await open_page("/ledger?state=unknown")
    await page.get_by_role("link", name="held until somebody resolves them").click()
    await expect(page.get_by_role("heading", name="call of unknown outcome")).to_be_visible()
    theirs = colleague.get_by_role("table", name="Calls")
    await expect(theirs).to_contain_text("apollo")
    await page.get_by_role("button", name=re.compile("^apollo .*, call")).click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("company_revenue")
    await expect(page).to_have_url(re.compile(r"call=\d+"))
    assert await violations(page) == []
    await dialog.get_by_role("button", name="Resolve").click()
    question = page.get_by_role("dialog", name="billed?")
    await question.get_by_label("It was not billed").check()
    await expect(question).to_contain_text("is released, and the same may be asked again")
    await question.get_by_label("It was billed").check()
    await question.get_by_label("Dollars billed").fill("0.25")
    await expect(question).to_contain_text("the rest is booked as overrun")
    await question.get_by_label("Dollars billed").fill("0.05")
    await question.get_by_label("How you found out").fill("usage page of today")
    await question.get_by_role("button", name="Book it").click()
    await expect(question).to_have_count(0)
    await expect(dialog).to_contain_text("usage page of today")
    await dialog.get_by_role("button", name="Close").click()
    await expect(colleague.get_by_role("heading", name="No such calls")).to_be_visible()
    await colleague.get_by_role("button", name="Clear").click()
    await colleague.get_by_label("Provider").select_option("apollo")
    await expect(colleague).to_have_url(re.compile("provider=apollo"))
    await expect(theirs.get_by_role("row").nth(1)).to_contain_text("$0.05")
    async with colleague.expect_download() as coming:
        await colleague.get_by_role("link", name="Export CSV").click()
    file = await (await coming.value).path()
    text = await asyncio.to_thread(Path(file).read_text)
    assert {line.split(",")[2] for line in text.splitlines()[1:]} == {"apollo"}
    await page.get_by_role("button", name="Verify the books").click()
    await expect(page.get_by_role("dialog").get_by_role("status").first).to_contain_text("Yes:")
    assert await violations(page) == []


async def test_a_reader_sees_the_ledger_and_no_way_to_change_it(open_page: Open):
    page = await open_page("/ledger", role=Role.VIEWER, viewport={"width": 320, "height": 800})
    await expect(page.get_by_role("link", name="Export CSV")).to_be_visible()
    await expect(page.locator(".loading")).to_have_count(0)
    for name in ("Resolve", "Verify the books"):
        await expect(page.get_by_role("button", name=name)).to_have_count(0)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    assert await violations(page) == []
