"""Operations (U3, J5): queues, workers, providers, dead letters, schedules and the audit log."""

import asyncio
import re

import pytest
from playwright.async_api import expect
from tests.browser.conftest import Open
from tests.browser.product import Product
from tests.browser.watched import violations

from glaze.model.access import Role

PAGES = {
    "queues": "Queues",
    "workers": "Workers",
    "providers": "Providers",
    "dead-letters": "Dead letters",
    "schedules": "Schedules",
    "audit": "Audit log",
}
ARGS = {"input": {"domain": "operations.example"}, "required_fields": ["company_name"]}
NIGHTLY = {"cron": "0 3 * * *", "kind": "enrich", "args": ARGS}


@pytest.mark.parametrize("path", PAGES)
async def test_each_page_fits_a_phone_and_axe_has_no_complaint(
    open_page: Open, product: Product, path: str
):
    await asyncio.to_thread(product.ask, "PUT", "/v1/schedules/nightly", NIGHTLY)
    page = await open_page(f"/{path}", color_scheme="dark", viewport={"width": 320, "height": 800})
    await expect(page.get_by_role("heading", name=PAGES[path], level=1)).to_be_visible()
    await expect(page.locator(".loading")).to_have_count(0)
    assert await violations(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320


async def test_a_queue_that_one_pauses_by_keys_is_paused_for_the_other_and_stands_in_the_audit_log(
    open_page: Open, product: Product
):
    body = {"kind": "enrich", "args": ARGS, "queue": "aside", "run_at": "2030-01-01T00:00:00Z"}
    await asyncio.to_thread(product.ask, "POST", "/v1/jobs", body)
    page, colleague = await open_page("/queues"), await open_page("/queues")
    await expect(colleague.get_by_role("button", name="Pause aside")).to_be_visible()
    await page.get_by_role("button", name="Pause aside").press("Enter")
    await expect(colleague.get_by_role("button", name="Resume aside")).to_be_visible()
    await page.get_by_role("button", name="Undo").press("Enter")
    await expect(colleague.get_by_role("button", name="Pause aside")).to_be_visible()
    await page.keyboard.press("g")
    await page.keyboard.press("a")
    await expect(page.get_by_role("table", name="Audit log")).to_contain_text("queue.resume")


async def test_a_schedule_runs_now_and_pauses_and_its_job_is_a_click_away(
    open_page: Open, product: Product
):
    await asyncio.to_thread(product.ask, "PUT", "/v1/schedules/weekly", NIGHTLY)
    page = await open_page("/schedules")
    await page.get_by_role("button", name="Run now: weekly").click()
    await page.get_by_role("dialog").get_by_role("button", name="Run it").click()
    line = page.get_by_role("row").filter(has_text="weekly")
    await expect(line.get_by_role("link")).to_be_visible()
    await page.get_by_role("button", name="Pause weekly").click()
    await expect(line).to_contain_text("paused")
    await line.get_by_role("link").click()
    await expect(page).to_have_url(re.compile(r"/jobs/\d+"))


async def test_who_may_not_is_shown_no_way_to(open_page: Open):
    page = await open_page("/providers", role=Role.VIEWER)
    await expect(page.get_by_role("table", name="Providers")).to_contain_text("apollo")
    await expect(page.get_by_role("button", name=re.compile("^Set key"))).to_have_count(0)
    await expect(page.get_by_role("link", name="Queues")).to_have_count(0)
    await expect(page.get_by_role("link", name="Schedules")).to_be_visible()
