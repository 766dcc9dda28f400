"""Operations (U3, J5): queues, workers, providers, dead letters, schedules and the audit log."""

import asyncio
import json
import re

import pytest
from playwright.async_api import expect
from tests.browser.conftest import Open
from tests.browser.product import Product
from tests.browser.watched import Watch, violations

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


async def test_a_schedule_is_made_on_its_page_changed_and_deleted(
    open_page: Open, product: Product, watch: Watch
):
    watch.allow("422")
    page = await open_page("/schedules")
    new = page.get_by_role("button", name="New schedule").first
    await new.click()
    form = page.get_by_role("dialog", name="New schedule")
    await form.get_by_label("Name").fill("weekly-look")
    await form.get_by_role("radio", name="Weekly").check(force=True)
    await form.get_by_label("On", exact=True).select_option("Friday")
    await form.get_by_label("At", exact=True).fill("07:30")
    await form.get_by_label("Time zone").fill("Europe/Berlin")
    assert await violations(page) == []
    await form.get_by_label("Arguments").fill("{")
    await form.get_by_role("button", name="Make it").click()
    assert await form.get_by_label("Arguments").evaluate("it => !it.validity.valid")
    await form.get_by_label("Arguments").fill(json.dumps(ARGS))
    await form.get_by_label("Kind of job").fill("enrichh")
    await form.get_by_role("button", name="Make it").click()
    await expect(form.get_by_role("alert")).to_contain_text("enrichh")
    kinds = form.get_by_label("Kind of job")
    offered = page.locator(f"datalist[id='{await kinds.get_attribute('list')}'] option")
    assert await offered.evaluate_all("all => all.some((one) => one.value === 'email_validation')")
    await kinds.fill("enrich")
    await form.get_by_role("button", name="Make it").click()
    line = page.get_by_role("row").filter(has_text="weekly-look")
    await expect(line).to_contain_text("30 7 * * FRI Europe/Berlin")
    await expect(new).to_be_focused()
    await line.get_by_role("button", name="Change weekly-look").click()
    form = page.get_by_role("dialog", name="Change weekly-look")
    await expect(form.get_by_label("At", exact=True)).to_have_value("07:30")
    await form.get_by_role("radio", name="Interval").check(force=True)
    await form.get_by_label("Every", exact=True).select_option("6 hours")
    await form.get_by_role("button", name="Save").click()
    await expect(line).to_contain_text("0 */6 * * * Europe/Berlin")
    saved = await asyncio.to_thread(product.ask, "GET", "/v1/schedules/weekly-look")
    assert (saved["kind"], saved["args"]) == ("enrich", ARGS)
    await line.get_by_role("button", name="Delete weekly-look").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete it").click()
    await expect(line).to_have_count(0)


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
