"""Webhooks (H6) in the dashboard: made, tested, told again, disabled, and gone."""

import asyncio
import re

import psycopg
from playwright.async_api import expect
from tests.browser.conftest import Open
from tests.browser.product import Product
from tests.browser.watched import Watch, violations

from glaze.model.access import Role

URL = "https://hooks.glaze.invalid/in"
"""No name under .invalid has an address, wherever the tests run."""
FAMILY = re.compile(r"^(all of|Everything)")


def told(product: Product, statement: str, *params: object) -> None:
    """Bring about in the database what takes days."""
    with psycopg.connect(product.dsn, autocommit=True) as owner:
        owner.execute("set search_path = glaze")
        owner.execute(statement, params)  # type: ignore[arg-type]


async def test_a_webhook_is_made_tested_told_again_and_deleted_and_its_secret_is_shown_once(
    open_page: Open, product: Product
):
    page, colleague = await open_page("/webhooks"), await open_page("/webhooks")
    await expect(page.get_by_role("heading", name="Nobody is told yet")).to_be_visible()
    await page.get_by_role("button", name="New webhook").press("Enter")
    dialog = page.get_by_role("dialog", name="New webhook")
    await dialog.get_by_label("Address").fill(URL)
    await dialog.get_by_label("For").fill("CRM")
    # Each type that can be chosen is one that the API knows.
    for box in await dialog.get_by_role("checkbox").all():
        if not FAMILY.match(await box.evaluate("one => one.parentElement.textContent")):
            await box.check()
    assert await violations(page) == []
    await dialog.get_by_role("button", name="Make it").click()
    once = page.get_by_role("dialog", name="It is told from now on")
    secret = await once.get_by_label("Secret that signs").input_value()
    assert secret.startswith("whsec_")
    await page.mouse.click(5, 5)  # beside it: it stays
    await once.get_by_role("button", name="I have it").click()
    await expect(page.get_by_role("heading", name=URL, level=1)).to_be_visible()
    await colleague.get_by_role("link", name=URL).click()
    await page.get_by_role("button", name="Send a test").click()
    line = colleague.get_by_role("table", name="Deliveries").get_by_role("row").nth(1)
    await expect(line).to_contain_text("no answer")
    await expect(colleague.get_by_role("heading", name="It does not take")).to_be_visible()
    await line.get_by_role("button", name="webhook.test").click()
    looked = colleague.get_by_role("dialog")
    await expect(looked).to_contain_text('"type": "webhook.test"')
    await expect(looked.get_by_role("listitem").first).to_contain_text("no_such_host")
    assert await violations(colleague) == []
    await looked.get_by_role("button", name="Close").click()
    ended = "update webhook_delivery set state = 'failed', ended_at = clock_timestamp()"
    await asyncio.to_thread(told, product, ended)
    await page.get_by_role("group", name="States").get_by_label("failed").check()
    await expect(page).to_have_url(re.compile("state=failed"))
    await page.get_by_role("button", name="Send again webhook.test").click()
    await expect(page.get_by_role("heading", name="None is failed")).to_be_visible()
    await expect(line).to_contain_text("pending")
    await page.get_by_role("button", name="Replace secret").click()
    await page.get_by_role("dialog").get_by_role("button", name="Replace it").click()
    other = await page.get_by_role("dialog").get_by_label("New secret").input_value()
    assert other.startswith("whsec_")
    assert other != secret
    await page.get_by_role("button", name="I have it").click()
    await expect(colleague.get_by_text("two sign until")).to_be_visible()
    assert secret not in await page.content()
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete it").click()
    await expect(page.get_by_role("heading", name="Nobody is told yet")).to_be_visible()


async def test_home_leads_to_what_was_disabled_after_failing_and_there_it_is_enabled(
    open_page: Open, product: Product
):
    body = {"url": f"{URL}/slow?token=secret", "events": ["job.completed"]}
    made = await asyncio.to_thread(product.ask, "POST", "/v1/webhooks", body)
    failed = """update webhook set disabled_at = clock_timestamp(), disabled_why = 'failing',
      failing_since = clock_timestamp() - interval '5 days' where id = %s"""
    await asyncio.to_thread(told, product, failed, made["id"])
    reader = await open_page(f"/webhooks/{made['id']}", role=Role.VIEWER)
    await expect(reader.get_by_role("heading", name="disabled after failing")).to_be_visible()
    for name in ("Enable", "Send a test", "Edit", "Replace secret", "Delete"):
        await expect(reader.get_by_role("button", name=name)).to_have_count(0)
    assert "token=secret" not in await reader.content()
    page = await open_page()
    await page.get_by_role("link", name="disabled: it did not take").click()
    await expect(page).to_have_url(re.compile(rf"/webhooks/{made['id']}$"))
    await page.get_by_role("button", name="Enable").click()
    await expect(page.get_by_text("listens")).to_be_visible()
    await expect(reader.get_by_text("listens")).to_be_visible()
    await page.get_by_role("button", name="Disable").click()
    await page.get_by_role("dialog").get_by_role("button", name="Disable it").click()
    await expect(page.get_by_role("button", name="Enable")).to_be_visible()
    for one in (page, reader):  # they would look for what is deleted
        await one.close()
    await asyncio.to_thread(product.ask, "DELETE", f"/v1/webhooks/{made['id']}")


async def test_what_somebody_changed_while_a_webhook_was_edited_is_not_overwritten(
    open_page: Open, product: Product, watch: Watch
):
    watch.allow(r"status of 412")
    body = {"url": f"{URL}/both", "events": ["job.dead"], "description": "CRM"}
    made = await asyncio.to_thread(product.ask, "POST", "/v1/webhooks", body)
    path = f"/v1/webhooks/{made['id']}"
    page = await open_page(f"/webhooks/{made['id']}")
    await page.get_by_role("button", name="Edit").click()
    await asyncio.to_thread(product.ask, "PATCH", path, {"description": "Warehouse"})
    # The page behind the dialog has it already; what is edited is still the old.
    await expect(page.locator(".page-head")).to_contain_text("Warehouse")
    await page.get_by_role("dialog").get_by_label("For").fill("CRM, old")
    await page.get_by_role("dialog").get_by_role("button", name="Save").click()
    await expect(page.get_by_role("alert")).to_contain_text("edit_conflict")
    await page.get_by_role("dialog").get_by_role("button", name="Leave it").click()
    await asyncio.to_thread(product.ask, "DELETE", path)
