"""What a phone shows of lists, and charts on screens of any width."""

import asyncio
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from playwright.async_api import Route, expect
from tests.browser.conftest import Open
from tests.browser.product import Product
from tests.browser.test_home import enriched
from tests.browser.watched import SHIFTED, Watch, violations

PHONE = {"width": 390, "height": 844}
WRITTEN = """() => {
  window.written = new Map();
  const { clearRect, fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.clearRect = function (...at) { written.set(this.canvas, []); return clearRect.apply(this, at); };
  CanvasRenderingContext2D.prototype.fillText = function (text, ...at) {
    written.set(this.canvas, [...(written.get(this.canvas) ?? []), text]);
    return fillText.call(this, text, ...at);
  };
}"""
SHOWN = "[...written].filter(([canvas]) => canvas.isConnected).map(([, texts]) => texts)"
CUT = """(all) => all.filter((one) => one.getBoundingClientRect().right > innerWidth || one.scrollWidth > one.clientWidth + 1)
  .map((one) => one.textContent)"""


CAP = {"scope": "provider_month", "overrun_micros": 0, "by_default": False, "cap_micros": 10}
CAP |= {"spent_micros": 5, "reserved_micros": 1, "left_micros": 4}


def troubled(told: Any) -> Any:
    return told | {"attention": told["attention"] | {"dead": 3, "unknown_calls": 2}}


def unknown(told: Any) -> Any:
    return told | {"items": [told["items"][0] | {"state": "unknown", "reserved_micros": 1}]}


def capped(told: Any) -> Any:
    return told | {"items": [CAP | {"scope_key": f"{name}/2026-11"} for name in ("a", "b", "c")]}


class Late(NamedTuple):
    """What a page is told after ``first``, as it is then, and the words that show it."""

    path: str
    url: str
    change: Callable[[Any], Any]
    first: str
    shown: str


@pytest.mark.parametrize(
    "late",
    [
        Late("/", "/v1/overview", troubled, "/v1/metrics", "3 dead letters"),
        Late("/ledger", "/calls[?]state=unknown", unknown, "/calls[?]limit", "unknown outcome"),
        Late("/budgets", "/v1/budgets$", capped, "/v1/overview", "a, monthly"),
    ],
    ids=lambda late: late.path,
)
async def test_what_is_told_late_moves_nothing_that_is_read_already(
    open_page: Open, product: Product, late: Late
):
    await enriched(product)
    page = await open_page("/account", viewport=PHONE, has_touch=True)
    told = asyncio.Event()

    async def hold(route: Route) -> None:
        answer = await page.request.get(re.sub("state=unknown.*", "limit=1", route.request.url))
        await told.wait()
        await route.fulfill(json=late.change(await answer.json()))

    await page.route(re.compile(late.url), hold)
    async with page.expect_response(re.compile(late.first)):
        await page.goto(f"{product.url}/app{late.path}")
    await page.evaluate(
        "new Promise((tell) => requestAnimationFrame(() => requestAnimationFrame(tell)))"
    )
    told.set()
    await expect(page.get_by_text(late.shown).first).to_be_visible()
    assert await page.evaluate(SHIFTED) < 0.05
    await page.unroute_all(behavior="wait")


async def test_a_phone_shows_all_of_a_row_without_being_scrolled_sideways(
    open_page: Open, product: Product
):
    await enriched(product)
    page = await open_page("/keys", viewport=PHONE, has_touch=True)
    keys = page.get_by_role("table", name="API keys")
    mine = keys.get_by_role("row").filter(has_text="test")
    await expect(mine.get_by_role("button", name="Revoke")).to_be_in_viewport(ratio=1)
    await expect(keys.get_by_role("columnheader", name="Last used")).to_be_attached()
    for path in ("/keys", "/members", "/workers", "/ledger", "/audit", "/providers", "/jobs", "/"):
        await page.goto(f"{product.url}/app{path}")
        cells = page.get_by_role("cell")
        await expect(cells.first).to_be_visible()
        assert await cells.evaluate_all(CUT) == [], path
        assert await violations(page) == []
    await page.goto(f"{product.url}/app/jobs")
    job = page.get_by_role("row").filter(has_text="enrich").first
    await expect(job.locator("time")).to_be_in_viewport(ratio=1)
    await expect(job.get_by_text("completed")).to_be_in_viewport(ratio=1)
    await page.goto(f"{product.url}/app/providers")
    unused = page.get_by_role("link", name="zerobounce", exact=True)
    await expect(page.get_by_role("link", name="website", exact=True)).to_be_visible()
    await expect(unused).to_have_count(0)
    await page.get_by_role("button", name="not in use").click()
    await expect(unused).to_be_visible()


@pytest.mark.parametrize("width", [390, 1440, 3840])
async def test_a_chart_names_each_day_once(open_page: Open, product: Product, width: int):
    await enriched(product)
    page = await open_page("/account", viewport={"width": width, "height": 1200})
    await page.add_init_script(f"({WRITTEN})()")
    for span in ("7d", "30d"):
        await page.goto(f"{product.url}/app/?span={span}")
        await expect(page.get_by_role("img", name="Jobs that ended over time")).to_be_visible()
        await expect(page.locator(".home canvas")).to_have_count(2)
        await page.wait_for_function(f"{SHOWN}.every((one) => one.length > 0)")
        charts = [[text for text in one if text[0].isalpha()] for one in await page.evaluate(SHOWN)]
        assert len(charts) == 2
        for days in charts:
            assert len(days) > 1
            assert len({*days}) == len(days), days


@pytest.mark.parametrize(
    ("path", "back"),
    [
        ("/jobs/999999999", "All jobs"),
        ("/tables/999999999", "All tables"),
        ("/tables/nothing", "All tables"),
        ("/webhooks/999999999", "All webhooks"),
        ("/providers/nobody", "All providers"),
        ("/searches/999999999", "All searches"),
    ],
)
async def test_what_is_not_there_is_said_with_a_way_back(
    open_page: Open, watch: Watch, path: str, back: str
):
    watch.allow("404")
    page = await open_page(path)
    await expect(page.get_by_role("heading", level=1, name="There is no such")).to_be_visible()
    await expect(page).to_have_title(re.compile("^No such "))
    assert await violations(page) == []
    await page.get_by_role("link", name=back).click()
    await expect(page.get_by_role("heading", level=1, name="There is no such")).to_have_count(0)


async def test_a_page_that_waits_or_is_refused_has_its_heading_and_a_way_on(
    open_page: Open, product: Product, watch: Watch
):
    watch.allow("403")
    page = await open_page("/account")
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    await page.route(re.compile("/v1/(jobs|metrics|overview|webhooks)"), hold)
    for path, title in (("/", "Home"), ("/webhooks/1", "Webhook"), ("/jobs/1", "Job #1")):
        waiting.clear()
        await page.goto(f"{product.url}/app{path}")
        await expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
        await expect(page.get_by_role("status", name="Loading").first).to_be_visible()
        assert await violations(page) == []
    for route in waiting:
        await route.fulfill(status=403, json={"title": "Not allowed", "detail": "it is not yours"})
    await expect(page.get_by_role("alert").first).to_contain_text("it is not yours")
    await expect(page.get_by_role("heading", level=1, name="Job #1")).to_be_visible()
    assert await violations(page) == []


async def test_an_address_that_no_page_has_keeps_the_navigation(open_page: Open):
    page = await open_page("/nothing/here")
    await expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    await page.get_by_role("navigation", name="Pages").get_by_role("link", name="Jobs").click()
    await expect(page.get_by_role("heading", level=1, name="Jobs")).to_be_visible()


async def test_the_audit_log_names_who_it_was_and_links_of_providers_lead_to_each(
    open_page: Open, product: Product
):
    await asyncio.to_thread(product.ask, "PUT", "/v1/budgets/serper", {"cap_cents": 123_400})
    page = await open_page("/audit")
    entry = page.get_by_role("row").filter(has_text="budget.set").filter(has_text="$1,234.00").first
    await expect(entry).to_contain_text("test")
    await expect(entry).to_contain_text("cap $1,234.00")
    await asyncio.to_thread(product.ask, "DELETE", "/v1/budgets/serper")
    await enriched(product)
    await page.goto(f"{product.url}/app/")
    table = page.get_by_role("table", name="Providers")
    await table.get_by_role("link", name="website").click()
    await expect(page.get_by_role("heading", level=1, name="website")).to_be_visible()
