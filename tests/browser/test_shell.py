"""What is around every page: signing in, navigation, keys, themes, and how the connection stands."""

import re

from playwright.async_api import expect
from tests.browser.conftest import Open
from tests.browser.product import PASSWORD, email_of
from tests.browser.watched import Watch, violations

from glaze.model.access import Role


async def test_who_signs_in_comes_to_where_they_wanted_to_go_and_is_out_when_they_leave(
    open_page: Open, watch: Watch
):
    watch.allow("401")
    page = await open_page("/account", role=None)
    await expect(page).to_have_title("Sign in · Glaze")
    assert await violations(page) == []
    await page.get_by_label("E-mail").fill(email_of(Role.OWNER))
    await page.get_by_label("Password").fill("something else")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("there is no such member")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("/app/account$"))
    await expect(page.get_by_role("heading", name="Account")).to_be_visible()
    assert await page.evaluate("document.cookie") == ""
    assert await page.evaluate("JSON.stringify({...localStorage})") == '{"workspace":"default"}'
    assert await violations(page) == []
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await expect(page).to_have_url(re.compile("/app/sign-in"))
    await page.go_back()
    await expect(page).to_have_url(re.compile("/app/sign-in"))
