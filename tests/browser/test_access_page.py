"""API keys and members (U3) in the dashboard: shown once, replaced, revoked; invited, promoted, removed."""

import asyncio
import urllib.error
import urllib.request

from playwright.async_api import expect
from tests.browser.conftest import Open
from tests.browser.product import PASSWORD, Product
from tests.browser.watched import Watch, violations

from glaze.model.access import Role


def answered(product: Product, key: str) -> int:
    """Return what the API answers who shows a key."""
    request = urllib.request.Request(
        f"{product.url}/v1/jobs", headers={"Authorization": f"Bearer {key}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


async def test_a_key_is_shown_once_works_is_replaced_with_an_overlap_and_revoked(
    open_page: Open, product: Product
):
    page, colleague = await open_page("/keys"), await open_page("/keys")
    await page.keyboard.press("Control+k")
    await page.get_by_role("combobox").fill("new api key")
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="New API key")
    await dialog.get_by_label("Name").fill("crm-sync")
    await dialog.get_by_label("write").check()
    assert await violations(page) == []
    await dialog.get_by_role("button", name="Make it").click()
    once = page.get_by_role("dialog", name="Key crm-sync")
    first = await once.get_by_label("The key").input_value()
    assert await asyncio.to_thread(answered, product, first) == 200
    await once.get_by_role("button", name="I have it").click()
    assert first not in await page.content()
    await page.get_by_role("button", name="Replace key crm-sync").click()
    await (
        page.get_by_role("dialog")
        .get_by_label("The old key")
        .select_option("works for an hour more")
    )
    await page.get_by_role("dialog").get_by_role("button", name="Replace it").click()
    second = await once.get_by_label("The key").input_value()
    await once.get_by_role("button", name="I have it").click()
    for key in (first, second):
        assert await asyncio.to_thread(answered, product, key) == 200
    lines = page.get_by_role("row").filter(has_text="crm-sync")
    await expect(lines.filter(has_text="replaced, works on")).to_have_count(1)
    await (
        lines.filter(has=page.get_by_text("works", exact=True))
        .get_by_role("button", name="Revoke")
        .click()
    )
    await page.get_by_role("dialog").get_by_role("button", name="Revoke it").click()
    await expect(lines.filter(has_text="revoked")).to_have_count(1)
    assert await asyncio.to_thread(answered, product, second) == 401
    await colleague.reload()
    await expect(colleague.get_by_role("row").filter(has_text="revoked")).to_have_count(1)


async def test_who_is_invited_by_a_link_signs_in_is_promoted_and_removed(
    open_page: Open, product: Product, watch: Watch
):
    watch.allow("status of 401")  # who was removed asks once more
    page = await open_page("/members")
    await page.get_by_role("button", name="Invite somebody").press("Enter")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("E-mail").fill("grace@example.com")
    await dialog.get_by_label("viewer").check()
    await dialog.get_by_role("button", name="Make the link").click()
    link = await page.get_by_label("Send them this link").input_value()
    await page.get_by_role("button", name="I have it").click()
    await expect(page.get_by_role("table", name="Invitations")).to_contain_text("grace@example.com")
    guest = await open_page(link.removeprefix(f"{product.url}/app"), role=None)
    await guest.get_by_label("Password").fill(PASSWORD)
    await guest.get_by_role("button", name="Begin").click()
    await expect(guest.get_by_role("heading", name="Home")).to_be_visible()
    await expect(guest.get_by_role("link", name="Members")).to_have_count(0)
    open_ones = page.get_by_role("table", name="Invitations").get_by_role("row")
    await expect(open_ones.filter(has_text="grace@")).to_have_count(0)
    await page.get_by_label("Role of grace@example.com").select_option("admin")
    await expect(page.get_by_text("grace@example.com is admin now.")).to_be_visible()
    await guest.goto(f"{product.url}/app/members")
    line = guest.get_by_role("row").filter(has_text="grace@example.com")
    await expect(line).to_contain_text("you")
    # Nobody takes what is above their own, nor their own by mistake.
    await expect(guest.get_by_label("Role of owner@example.com")).to_have_count(0)
    await expect(line.get_by_role("button")).to_have_count(0)
    assert await violations(guest) == []
    await page.get_by_role("button", name="Remove grace@example.com").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    await expect(page.get_by_role("row").filter(has_text="grace@")).to_contain_text("removed")
    await expect(guest.get_by_role("button", name="Sign in")).to_be_visible()


async def test_an_invitation_is_withdrawn_and_no_page_of_access_is_a_viewers(
    open_page: Open, product: Product
):
    asked = {"email": "never@example.com", "role": "editor"}
    await asyncio.to_thread(product.ask, "POST", "/v1/members/invitations", asked)
    page = await open_page("/members", viewport={"width": 320, "height": 800})
    await page.get_by_role("button", name="Withdraw the invitation of never@").click()
    await expect(page.get_by_role("row").filter(has_text="never@")).to_have_count(0)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    reader = await open_page(role=Role.VIEWER)
    for name in ("API keys", "Members", "Audit log"):
        await expect(reader.get_by_role("link", name=name)).to_have_count(0)
