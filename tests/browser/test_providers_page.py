"""Providers and dead letters (U3, J5) in the dashboard: what a source is worth, and mending what failed."""

import asyncio
import re

import psycopg
from playwright.async_api import expect
from tests.browser.conftest import Open
from tests.browser.product import Product
from tests.browser.watched import violations

from glaze.model.access import Role
from glaze.model.calibration import Bin, Curve, Origin, Point
from glaze.model.value import DEFAULT_WORKSPACE, FieldName
from glaze.store.calibration import CalibrationStore
from glaze.store.database import Database


async def _calibrated(product: Product) -> None:
    bins = (Bin(60.0, 10, 5), Bin(90.0, 40, 36))
    curve = Curve((Point(60.0, 0.5), Point(90.0, 0.9)), bins)
    curves = {("apollo", FieldName("company_phone")): curve}
    async with Database.open(product.dsn, size=1) as db:
        await CalibrationStore(db).add(DEFAULT_WORKSPACE, Origin.USERS, 50, curves)


async def test_a_provider_tells_what_it_adds_where_it_hits_and_how_far_it_is_believed(
    open_page: Open, product: Product
):
    companies = product.sandbox.get("hosts")["companies"][-6:-1]
    for one in companies:
        asked = {
            "url": one["url"],
            "fields": ["company_industry"],
            "skip_cache": True,
            "wait_s": 30,
        }
        await asyncio.to_thread(product.ask, "POST", "/v1/enrich", asked)
    await asyncio.to_thread(lambda: asyncio.run(_calibrated(product)))
    reader = await open_page("/providers", role=Role.VIEWER)
    adds = reader.get_by_role("table", name="What each adds")
    sample = re.compile(r"apollo\..*\d calls?$")
    await expect(adds.get_by_role("row").filter(has_text=sample).first).to_be_visible()
    await reader.get_by_role("link", name="apollo", exact=True).click()
    rates = reader.get_by_role("table", name="Hit rate by segment")
    await expect(rates).to_contain_text("company domain")
    await expect(rates.get_by_role("img").first).to_have_attribute(
        "aria-label", re.compile("9 times in 10 between")
    )
    await expect(reader.get_by_role("img", name="of 50 statements 41 held")).to_be_visible()
    held = reader.get_by_role("table", name="Said and held").get_by_role("row").nth(2)
    await expect(held).to_contain_text("90%")
    assert await violations(reader) == []
    page = await open_page("/providers/hunter", viewport={"width": 320, "height": 800})
    await page.get_by_role("button", name="Set key of hunter").click()
    await page.get_by_role("dialog").get_by_label("Key").fill("sandbox-hunter-4711")
    await page.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    await page.get_by_role("button", name="Replace key of hunter").click()
    await expect(page.get_by_role("dialog")).to_contain_text("4711")
    await page.get_by_role("dialog").get_by_role("button", name="Leave it").click()
    assert "sandbox-hunter" not in await page.content()
    await page.get_by_role("button", name="Delete key of hunter").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete it").click()
    await expect(page.get_by_role("button", name="Set key of hunter")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320


async def test_a_group_of_dead_letters_is_priced_made_anew_and_deleted_once_its_name_is_typed(
    open_page: Open, product: Product
):
    args = {"input": {"domain": "dead.example"}, "required_fields": ["company_name"]}
    body = {"kind": "enrich", "args": args, "queue": "aside", "run_at": "2030-01-01T00:00:00Z"}
    body["tags"] = ["struck"]
    for _ in range(3):
        await asyncio.to_thread(product.ask, "POST", "/v1/jobs", body)
    died = """update glaze.job set state = 'dead', error = 'meteor_strike: again', finished_at = clock_timestamp()
      where tags @> '{struck}'"""
    with psycopg.connect(product.dsn, autocommit=True) as owner:
        owner.execute(died)
    page, colleague = await open_page("/dead-letters"), await open_page("/dead-letters")
    editor = await open_page("/dead-letters", role=Role.EDITOR)
    await page.get_by_role("button", name="Make anew of meteor_strike").press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("At most")
    await dialog.get_by_role("button", name="Make anew").click()
    await expect(page.get_by_text("3 made anew.")).to_be_visible()
    line = colleague.get_by_role("row").filter(has_text="meteor_strike")
    await expect(line).to_contain_text("3")
    await expect(editor.get_by_role("button", name="Retry all of meteor_strike")).to_be_visible()
    await expect(editor.get_by_role("button", name="Delete all of")).to_have_count(0)
    await page.get_by_role("button", name="Delete all of meteor_strike").click()
    await expect(dialog.get_by_role("button", name="Delete them")).to_be_disabled()
    await dialog.get_by_role("textbox").fill("meteor_strike")
    await dialog.get_by_role("button", name="Delete them").click()
    await expect(line).to_have_count(0)
    assert await violations(page) == []
