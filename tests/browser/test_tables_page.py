"""Tables: from a pasted list to a file, what hostile values can do, and all of it by keyboard."""

import asyncio
import json
import re
from typing import Any

from playwright.async_api import Locator, Page, expect
from tests.browser.conftest import Open
from tests.browser.product import Product
from tests.browser.watched import Watch, violations

EVIL = [
    "<img src=x onerror=alert(1)>",
    "javascript:alert(document.domain)",
    'https://elsewhere.example/?"><script>alert(1)</script>',
    '=HYPERLINK("https://elsewhere.example")',
]


def sites(product: Product, n: int, first: int = 0) -> list[str]:
    return [one["url"] for one in product.sandbox.get("hosts")["companies"][first : first + n]]


async def finished(
    open_page: Open, product: Product, rows: list[dict[str, str]], fields: list[str], **options: Any
) -> tuple[Page, int]:
    """Return the page of a table that is at its end, and its id."""
    made = product.ask("POST", "/v1/batches", {"rows": rows, "fields": fields, "name": "made"})
    page = await open_page(f"/tables/{made['id']}", **options)
    await expect(page.get_by_text("Finished")).to_be_visible()
    return page, int(made["id"])


def cell(page: Page, row: int, column: int) -> Locator:
    return page.locator(f'[aria-rowindex="{row + 1}"] > [aria-colindex="{column}"]')


async def run(page: Page, product: Product) -> None:
    """Paste rows, say what is wanted, look at the plan, and run it."""
    pasted = (
        "site,note\n"
        + "".join(f"{one},n\n" for one in sites(product, 5, 30))
        + "nowhere at all,n\n"
    )
    await page.get_by_label("Or paste rows").fill(pasted)
    await page.get_by_role("button", name="Use these rows").click()
    await expect(page.get_by_label("site is taken for")).to_have_value("website")
    await expect(page.get_by_label("note is taken for")).to_have_value("")
    await page.get_by_role("checkbox", name="Leave them out").check()
    fields = page.get_by_role("group", name="Of companies")
    for name in ("Description", "Employee count", "Country", "Email", "LinkedIn URL"):
        await fields.get_by_role("checkbox", name=name, exact=True).uncheck()
    await expect(page.get_by_text("half of such runs cost less")).to_be_visible()
    await expect(page.get_by_role("region", name="Who would be asked")).to_be_visible()
    await page.get_by_label("Name", exact=True).last.fill("Prospects")
    await page.get_by_label("Cap in US dollars").fill("3.5")
    assert await violations(page) == []
    await page.get_by_role("button", name="Run 5 rows").click()


async def look_into(page: Page, other: Page) -> None:
    """See what a cell rests on, correct it, and see what asking again would cost."""
    await expect(cell(page, 1, 3)).to_have_text("n")  # carried along
    name = cell(page, 1, 4)
    await expect(name.locator(".sure")).to_be_visible()
    await name.click()
    panel = page.get_by_role("complementary", name="Company name")
    await expect(panel.get_by_role("heading", name="Who was asked, in order")).to_be_visible()
    await expect(panel.get_by_text("had it").first).to_be_visible()
    assert await violations(page) == []
    await panel.get_by_role("button", name="This cell").click()
    dialog = page.get_by_role("dialog", name="Ask for this cell again?")
    await expect(dialog.get_by_text("Never more than")).to_be_visible()
    await dialog.get_by_role("button", name="Leave it").click()
    await panel.get_by_role("button", name="Correct it").click()
    await panel.get_by_label("The true value").fill("Zzyzx Works")
    await panel.get_by_role("button", name="Save").click()
    await expect(name).to_contain_text("Zzyzx Works")
    await expect(panel.get_by_text("corrected", exact=True)).to_be_visible()
    await expect(cell(other, 1, 4)).to_contain_text("Zzyzx Works")
    await panel.get_by_role("button", name="Close the inspector").click()


async def arrange(page: Page) -> None:
    """Filter, save that as a view, and sort."""
    await page.get_by_role("button", name="Decided").click()
    await expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", "2")
    assert "decided" in page.url
    await page.get_by_role("button", name="Save view").click()
    await page.get_by_role("dialog").get_by_label("Name").fill("Ours")
    await page.get_by_role("dialog").get_by_role("button", name="Save view").click()
    await expect(page.get_by_label("Saved view")).to_be_visible()
    await page.get_by_role("button", name="Clear").click()
    await page.get_by_role("button", name="Company name").click()
    await page.get_by_role("button", name="Company name").click()
    await expect(cell(page, 1, 4)).to_contain_text("Zzyzx Works")


async def widen(page: Page) -> None:
    """Add a column at its price."""
    await page.get_by_role("button", name="Add a column").click()
    dialog = page.get_by_role("dialog", name="Add a column")
    await dialog.get_by_label("Field").select_option("company_country")
    await dialog.get_by_role("button", name="See what it would cost").click()
    await (
        page.get_by_role("button", name=re.compile("Add it for at most"))
        .or_(page.get_by_text("All of it was known"))
        .first.click()
    )
    await expect(page.get_by_role("columnheader", name="Company country")).to_be_visible()


async def exported(page: Page) -> list[dict[str, Any]]:
    """Return what the file has."""
    await page.get_by_role("button", name="Export").click()
    await page.get_by_role("radio", name="JSONL").check(force=True)
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Download JSONL").click()
    text = await asyncio.to_thread((await (await downloading.value).path()).read_text, "utf-8")
    return [json.loads(line) for line in text.splitlines()]


async def test_pasted_rows_are_planned_run_looked_into_decided_widened_and_exported(
    open_page: Open, product: Product, watch: Watch
):
    watch.allow("409")  # how the API quotes
    page = await open_page("/tables/new")
    await run(page, product)
    # Cells fill in as the worker goes on; nobody reloads.
    await expect(page.get_by_role("heading", name="Prospects")).to_be_visible()
    await expect(page.get_by_text("Finished")).to_be_visible()
    await expect(page.get_by_text("of $3.50")).to_be_visible()
    batch = int(page.url.rsplit("/", 1)[-1].split("?")[0])
    told = product.ask("GET", f"/v1/batches/{batch}")
    assert (told["total"], told["budget_cents"]) == (5, 350)
    await look_into(page, await open_page(f"/tables/{batch}"))
    await arrange(page)
    await widen(page)
    first = (await exported(page))[0]
    assert (first["note"], first["company_name"]) == ("n", "Zzyzx Works")


async def test_hostile_values_are_text_that_runs_nothing_and_leads_nowhere_by_itself(
    open_page: Open, product: Product
):
    rows = [
        {"website": site, "phone": evil}
        for site, evil in zip(sites(product, 4, 8), EVIL, strict=True)
    ]
    fields = ["company_name", "company_description"]
    page, batch = await finished(open_page, product, rows, fields)
    for row, evil in enumerate(EVIL, 1):
        at = f"/v1/batches/{batch}/rows/{row}/cells/company_description/choose"
        product.ask("POST", at, {"value": f"{evil} and so on"})
    await page.goto(f"{product.url}/app/tables/{batch}?cell=2:company_description")
    for row, evil in enumerate(EVIL, 1):
        await expect(page.locator(f'[aria-rowindex="{row + 1}"]')).to_contain_text(evil)
    panel = page.get_by_role("complementary", name="Company description")
    await expect(panel).to_contain_text(EVIL[1])
    links = await panel.get_by_role("link").evaluate_all(
        "all => all.map((a) => [a.protocol, a.rel])"
    )
    assert all(one in ([f"http{s}:", "noopener noreferrer"] for s in ("", "s")) for one in links)
    assert await page.locator(".table-page :is(img, script, iframe, object)").count() == 0


async def test_a_table_is_gone_through_sorted_opened_and_closed_by_keys_alone(
    open_page: Open, product: Product
):
    rows = [{"website": one} for one in sites(product, 3, 12)]
    small = {"width": 320, "height": 640}
    page, _ = await finished(open_page, product, rows, ["company_name"], viewport=small)
    grid = page.get_by_role("grid")
    await cell(page, 1, 1).focus()
    for key in ("j", "ArrowRight", "ArrowRight", "k", "ArrowDown"):
        await page.keyboard.press(key)
    await expect(cell(page, 2, 3)).to_be_focused()
    await page.keyboard.press("Control+End")
    await expect(cell(page, 3, 3)).to_be_focused()
    assert await violations(page) == []
    await page.keyboard.press("Enter")
    panel = page.get_by_role("complementary", name="Company name")
    await expect(panel).to_be_focused()
    assert "cell=" in page.url
    assert await violations(page) == []
    await page.keyboard.press("Escape")
    await expect(panel).to_have_count(0)
    await expect(cell(page, 3, 3)).to_be_focused()
    await page.get_by_role("button", name="Company name").focus()
    await page.keyboard.press("Enter")
    header = grid.get_by_role("columnheader", name="Company name")
    await expect(header).to_have_attribute("aria-sort", "ascending")
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= 320
