"""What is around every page: signing in, navigation, keys, themes, and how the connection stands."""

import asyncio
import re
from pathlib import Path

from playwright.async_api import Page, expect
from tests.browser.conftest import Open, Sessions
from tests.browser.product import PASSWORD, Product, email_of
from tests.browser.watched import Watch, violations

from glaze.model.access import Role


async def test_who_signs_in_comes_to_where_they_wanted_to_go_and_is_out_when_they_leave(
    open_page: Open, sessions: Sessions, watch: Watch
):
    watch.allow("401")
    await sessions(Role.OWNER)  # somebody who can
    page = await open_page("/sign-in?next=//evil.example", role=None)
    assert await page.evaluate("location.pathname + location.search") == "/app/sign-in"
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


async def test_everything_can_be_reached_by_keys_alone(open_page: Open):
    page = await open_page()
    await expect(page.get_by_role("heading", name="Home")).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "main"
    await page.keyboard.press("Control+k")
    palette = page.get_by_role("combobox")
    await expect(palette).to_be_focused()
    await palette.fill("pass")
    assert await violations(page) == []
    await page.keyboard.press("Enter")
    await expect(page).to_have_title("Account · Glaze")
    everywhere = page.get_by_role("button", name="Sign out everywhere")
    await everywhere.press("Enter")
    leave = page.get_by_role("dialog").get_by_role("button", name="Leave it")
    await expect(leave).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(everywhere).to_be_focused()
    await page.keyboard.press("g")
    await page.keyboard.press("h")
    await expect(page).to_have_title("Home · Glaze")
    await expect(page.locator("main")).to_be_focused()
    await page.keyboard.press("?")
    listed = page.get_by_role("dialog", name="Keyboard shortcuts")
    await expect(listed).to_contain_text("Go to Home")
    assert await violations(page) == []
    await listed.get_by_label("Single keys act").uncheck()
    await page.keyboard.press("Escape")
    await expect(listed).to_be_hidden()
    await page.keyboard.press("?")
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("dialog")).to_have_count(1)  # the palette alone


async def test_without_a_network_the_page_stays_says_so_and_goes_on_by_itself(
    open_page: Open, watch: Watch
):
    watch.allow("ERR_INTERNET_DISCONNECTED|WebSocket|did not load|preload CSS")
    page = await open_page("/account")
    await expect(page.get_by_role("heading", level=1, name="Account")).to_be_visible()
    await page.context.set_offline(True)
    await expect(page.locator(".banner")).to_contain_text("What you see may be old")
    await page.get_by_role("button", name="Sign out everywhere").click()
    await page.get_by_role("dialog").get_by_role("button", name="Sign out everywhere").click()
    await expect(page.get_by_text("whether it was done is not known")).to_be_visible()
    pages = page.get_by_role("navigation", name="Pages")
    await pages.get_by_role("link", name="Budgets").click()
    await expect(page.get_by_role("heading", name="This page did not load")).to_be_visible()
    assert await violations(page) == []
    await pages.get_by_role("link", name="Dead letters").click()
    await expect(page.get_by_role("heading", name="This page did not load")).to_be_visible()
    await page.context.set_offline(False)
    await expect(page.get_by_role("heading", level=1, name="Dead letters")).to_be_visible()


async def test_a_theme_that_was_chosen_stays(open_page: Open):
    page = await open_page(color_scheme="light")
    html = page.locator("html")
    light = await html.evaluate("one => getComputedStyle(one).backgroundColor")
    for was in ("as the system", "light"):
        await page.get_by_role("button", name=f"Theme: {was}").click()
    await expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    await expect(html).not_to_have_css("background-color", light)
    await page.reload()
    await expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    await expect(html).not_to_have_css("background-color", light)


async def test_an_invited_viewer_chooses_a_password_and_changes_nothing_that_is_not_theirs(
    open_page: Open, product: Product, watch: Watch
):
    watch.allow("401")
    body = {"email": "new@example.com", "role": "viewer"}
    token = product.ask("POST", "/v1/members/invitations", body)["token"]
    page = await open_page(f"/welcome#token={token}&email=new@example.com", role=None)
    await expect(page.get_by_label("You sign in as")).to_have_value("new@example.com")
    assert token not in page.url
    assert await violations(page) == []
    await page.get_by_label("Password").fill(PASSWORD + " too")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("link", name="new@example.com viewer")).to_be_visible()
    await page.get_by_role("link", name="new@example.com viewer").click()
    await page.get_by_label("Current password").fill(PASSWORD)
    await page.get_by_label("New password").fill(PASSWORD + " three")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("the current password is another")
    await page.get_by_label("Current password").fill(PASSWORD + " too")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("The password is changed")).to_be_visible()
    await page.get_by_role("button", name="Sign out everywhere").click()
    await page.get_by_role("dialog").get_by_role("button", name="Sign out everywhere").click()
    await expect(page).to_have_url(re.compile("/app/sign-in"))


async def test_a_page_is_served_so_that_nothing_strange_can_run_in_it(
    page: Page, product: Product, watch: Watch
):
    watch.allow("TrustedHTML|trusted-types")
    answer = await page.request.get(f"{product.url}/app/jobs/4711")
    policy = answer.headers["content-security-policy"]
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= {
        part.strip() for part in policy.split(";")
    }
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-cache"
    with_script = "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>')"
    refused = await page.evaluate(
        f"() => {{ try {{ {with_script} }} catch (e) {{ return e.name }} }}"
    )
    assert refused == "TypeError"
    for path in ("/app/assets/none.js", "/v1/nothing", "/nothing"):
        missing = await page.request.get(product.url + path)
        assert (missing.status, missing.headers["content-type"]) == (
            404,
            "application/problem+json",
        )


async def test_the_first_start_prints_a_link_that_opens_the_dashboard_once(
    open_page: Open, product: Product, watch: Watch, dsn: str, tmp_path: Path
):
    watch.allow("401")
    other = await asyncio.to_thread(Product, tmp_path, dsn, product.sandbox)
    watch.also(other.url)
    await asyncio.to_thread(other.start)
    try:
        async with asyncio.timeout(60):
            while not (links := re.findall(r"http://localhost\S+#token=\S+", other.said)):  # noqa: ASYNC110  a process prints, and tells nobody
                await asyncio.sleep(0.05)  # it answers before it has said all
        [link] = links
        page = await open_page("/sign-in", role=None)
        await page.goto(link)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("link", name="admin@localhost owner")).to_be_visible()
        again = await open_page("/sign-in", role=None)
        await again.goto(link)
        await again.get_by_label("Password").fill(PASSWORD)
        await again.keyboard.press("Enter")
        await expect(again.get_by_role("alert")).to_contain_text("get another")
        await asyncio.gather(page.context.close(), again.context.close())
    finally:
        await asyncio.to_thread(other.stop)
