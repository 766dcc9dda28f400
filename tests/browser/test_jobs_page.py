"""Jobs and one job (U1, J5): found, looked at, and acted on, by several people at once."""

import asyncio
import json
import re
from typing import Any

import psycopg
from playwright.async_api import Page, Route, expect
from tests.browser.conftest import Open
from tests.browser.product import Product
from tests.browser.watched import violations

LATER = "2030-01-01T00:00:00Z"


def made(product: Product, tag: str, n: int = 1, **more: Any) -> list[int]:
    """Make jobs that wait for years, so that only the test does anything to them."""
    inputs = ({"domain": f"{chr(97 + i)}{tag}.example"} for i in range(n))
    bodies = (
        {
            "kind": "enrich",
            "args": {"input": one, "required_fields": ["company_name"]},
            "tags": [tag],
            "run_at": LATER,
            **more,
        }
        for one in inputs
    )
    return [int(product.ask("POST", "/v1/jobs", body)["id"]) for body in bodies]


def row(page: Page, job: int) -> Any:
    return page.get_by_role("row").filter(has_text=f"#{job} ")


async def test_jobs_are_found_by_what_stands_in_the_url_and_kept_as_a_view(
    open_page: Open, product: Product
):
    [one, other] = await asyncio.to_thread(made, product, "findme", 2)
    page = await open_page("/jobs")
    await expect(row(page, one)).to_be_visible()
    await page.keyboard.press("/")
    await page.keyboard.type("bfindme")
    await expect(page).to_have_url(re.compile("text=bfindme"))
    await expect(row(page, other)).to_be_visible()
    await expect(row(page, one)).to_have_count(0)
    await page.get_by_label("Tags").fill("findme")
    await page.get_by_label("Search").fill("")
    await page.get_by_role("checkbox", name="scheduled").check()
    await expect(page).to_have_url(re.compile("state=.*scheduled"))
    await expect(row(page, one)).to_be_visible()
    await page.get_by_role("button", name="Save view").click()
    await page.get_by_label("Name").fill("Mine")
    await page.keyboard.press("Enter")
    view = page.get_by_label("Saved view")
    await expect(view.locator("option:checked")).to_have_text("Mine")
    colleague = await open_page("/jobs")
    await colleague.get_by_label("Saved view").select_option("Mine")
    await expect(colleague).to_have_url(re.compile("tag=findme"))
    await expect(colleague.get_by_role("checkbox", name="scheduled")).to_be_checked()
    await expect(row(colleague, one)).to_be_visible()
    await page.get_by_role("button", name="Failed in the last 24 h").click()
    await expect(page).to_have_url(re.compile("ended=24h"))
    await expect(row(page, one)).to_have_count(0)


async def test_what_one_does_to_many_another_sees_and_nothing_moves_under_the_pointer(
    open_page: Open, product: Product
):
    first = await asyncio.to_thread(made, product, "many", 3)
    page, colleague = await open_page("/jobs?tag=many"), await open_page("/jobs?tag=many")
    await expect(row(colleague, first[0])).to_contain_text("scheduled")
    await colleague.get_by_role("row").nth(1).hover()
    [late] = await asyncio.to_thread(made, product, "many")
    await expect(colleague.get_by_role("button", name="1 new")).to_be_visible()
    await expect(row(colleague, late)).to_have_count(0)
    await expect(row(page, late)).to_be_visible()
    await page.get_by_label(f"Choose job {first[0]}").check()
    await page.get_by_role("button", name="Priority").click()
    await page.get_by_role("dialog").get_by_role("button", name="5").click()
    await expect(page.get_by_text("1 job changed.")).to_be_visible()
    await expect(row(colleague, first[0]).get_by_role("cell", name="5", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Choose all 4 matching").click()
    await page.get_by_role("group", name="Chosen jobs").get_by_role("button", name="Cancel").click()
    await page.get_by_role("dialog").get_by_role("button", name="Cancel them").click()
    await expect(page.get_by_text("4 jobs cancelled.")).to_be_visible()
    for job in first:
        await expect(row(colleague, job)).to_contain_text("cancelled")
    await expect(row(page, late)).to_contain_text("cancelled")


async def test_a_job_tells_what_it_did_when_and_for_how_much_and_is_done_again_otherwise(
    open_page: Open, product: Product
):
    urls = [one["url"] for one in product.sandbox.get("hosts")["companies"]]
    body = {"url": urls[7], "required_fields": ["company_name", "company_phone"], "wait_s": 30}
    job = (await asyncio.to_thread(product.ask, "POST", "/v1/enrich", body))["id"]
    calls = product.ask("GET", f"/v1/calls?job={job}")["items"]
    page = await open_page(f"/jobs/{job}")
    await expect(page.locator(".timeline li")).to_have_count(
        len(product.ask("GET", f"/v1/jobs/{job}")["result"]["stages"]) + 1
    )
    await expect(page.get_by_role("table", name="Calls").get_by_role("row")).to_have_count(
        len(calls) + 1
    )
    shown = await page.locator(".timeline .name").all_inner_texts()
    assert "_" not in "".join(shown)
    await page.get_by_role("tab", name="Log").click()
    await expect(page.get_by_role("tabpanel")).to_contain_text("Try 1")
    await page.get_by_role("tab", name="Result").click()
    await expect(page.get_by_role("table", name="Values")).to_contain_text("company_phone")
    await page.get_by_role("button", name="Replay").click()
    edited = page.get_by_label("Arguments")
    args = json.loads(await edited.input_value())
    await edited.fill("{")
    await page.get_by_role("dialog").get_by_role("button", name="Replay").click()
    await expect(edited).to_have_attribute("aria-invalid", "true")
    del args["required_fields"][1]
    await edited.fill(json.dumps(args))
    await page.get_by_role("dialog").get_by_role("button", name="Replay").click()
    await expect(page).to_have_url(re.compile(rf"/jobs/(?!{job}\b)\d+"))
    await expect(page.locator("h1")).to_contain_text("completed")
    again = product.ask("GET", "/v1/jobs/" + page.url.split("/")[-1].split("?")[0])
    assert (again["replay_of"], again["args"]) == (job, args)
    await page.get_by_role("button", name="Retry").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Likely cost")
    await page.get_by_role("dialog").get_by_role("button", name="Retry").click()
    await expect(page.get_by_text("round 2")).to_be_visible()


MANY = """
insert into glaze.job (workspace_id, kind, state, rank, due_at, tags)
select 1, 'enrich', 'scheduled', '2030-01-01', '2030-01-01', '{crowd}' from generate_series(1, 2500)
"""


async def test_all_that_match_are_acted_on_however_many_and_how_far_it_is_is_told(
    open_page: Open, product: Product
):
    with psycopg.connect(product.dsn, autocommit=True) as owner:
        owner.execute(MANY)
        try:
            page = await open_page("/jobs?tag=crowd")
            await page.get_by_role("button", name="Choose all 2,500 matching").click()
            chosen = page.get_by_role("group", name="Chosen jobs")
            await chosen.get_by_role("button", name="Cancel").click()
            dialog = page.get_by_role("dialog", name="Cancel all 2,500 that match?")
            seen = asyncio.Event()

            async def held(route: Route) -> None:
                await seen.wait()
                await route.continue_()

            await page.route("**/v1/jobs/actions", held)
            await dialog.get_by_role("button", name="Cancel them").click()
            await expect(chosen.get_by_role("progressbar", name="Done so far")).to_be_visible()
            seen.set()
            await expect(page.get_by_text("2,500 jobs cancelled.")).to_be_visible()
            left = product.ask("GET", "/v1/jobs?tag=crowd&state=scheduled")["items"]
            assert left == []
            await expect(page.get_by_role("row").nth(1)).to_contain_text("cancelled")
        finally:
            owner.execute("delete from glaze.job where tags = '{crowd}'")


async def test_a_workflow_is_drawn_and_gone_through_by_keys_and_axe_has_no_complaint(
    open_page: Open, product: Product
):
    def step(name: str, *after: str) -> dict[str, Any]:
        args = {"input": {"domain": f"{name}.example"}, "required_fields": ["company_name"]}
        return {"name": name, "kind": "enrich", "args": args, "after": after}

    steps = [step("find"), step("people", "find"), step("firms", "find"), step("push", "people")]
    flow = product.ask("POST", "/v1/workflows", {"name": "nightly", "steps": steps})
    push = flow["steps"][3]["job_id"]
    page = await open_page("/jobs", color_scheme="dark", viewport={"width": 320, "height": 800})
    await expect(row(page, push)).to_be_visible()
    assert await violations(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    await page.keyboard.press("j")
    await expect(row(page, push).get_by_role("link")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("link", name=re.compile("^push"))).to_have_attribute(
        "aria-current", "page"
    )
    assert await violations(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    await page.get_by_role("link", name=re.compile("^find")).press("Enter")
    await expect(page.locator("h1")).to_contain_text(f"#{flow['steps'][0]['job_id']}")
    await expect(page.get_by_role("tab", name="Timeline")).to_be_visible()
