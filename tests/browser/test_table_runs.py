"""Runs of tables: steered, scored, brought as any file, judged, asked again, taken away, and outliving the server."""

import asyncio
import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter
from playwright.async_api import Download, FileChooser, Locator, Page, expect
from tests.browser.conftest import Open
from tests.browser.product import Product
from tests.browser.test_tables_page import cell, finished, sites
from tests.browser.watched import Watch, violations

from glaze.model.icp import Profile
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.store.calibration import CalibrationStore
from glaze.store.database import Database
from glaze.store.icp import IcpStore

PAID = ["company_revenue"]  # no page of a company says it


@contextmanager
def slow(product: Product, delay_s: float) -> Iterator[None]:
    """Let paid vendors take their time, so that a run can be met in the middle."""
    product.sandbox.slow_down(delay_s)
    try:
        yield
    finally:
        product.sandbox.send("DELETE", "faults")


async def begun(product: Product, rows: list[str], fields: list[str]) -> int:
    """Start a table and wait until one of its paid calls is under way; return its id."""
    body = {"rows": [{"website": one} for one in rows], "fields": fields, "name": "met midway"}
    made = await asyncio.to_thread(product.ask, "POST", "/v1/batches", body)
    await paying(product, made["id"])
    return int(made["id"])


async def paying(product: Product, batch: int) -> None:
    """Wait until a paid call is under way."""
    async with asyncio.timeout(60):
        while not (await told(product, batch))["open_calls"]:  # noqa: ASYNC110  told by no event
            await asyncio.sleep(0.05)


async def told(product: Product, batch: int) -> dict[str, Any]:
    found: dict[str, Any] = await asyncio.to_thread(product.ask, "GET", f"/v1/batches/{batch}")
    return found


def standing(page: Page) -> Locator:
    return page.locator(".table-head > .progress [role=status]")


async def test_a_run_is_paused_goes_on_and_is_stopped_and_nothing_is_paid_from_then_on(
    open_page: Open, product: Product
):
    with slow(product, 1.5):
        batch = await begun(product, sites(product, 20, 50), PAID)
        page = await open_page(f"/tables/{batch}")
        await page.get_by_role("button", name="Pause").click()
        await expect(standing(page)).to_have_text(re.compile("^Paused"))
        colleague = await open_page(f"/tables/{batch}")
        await colleague.get_by_role("button", name="Resume").click()
        await expect(standing(page)).to_have_text("Running")
        await paying(product, batch)
        await page.get_by_role("button", name="Stop", exact=True).click()
        await page.get_by_role("dialog").get_by_role("button", name="Stop it").click()
        await expect(standing(page)).to_have_text(re.compile(r"^Draining \d+ paid calls?$"))
        await expect(standing(page)).to_have_text("Stopped, $0.00 since")
        await expect(standing(colleague)).to_have_text("Stopped, $0.00 since")
    assert (await told(product, batch))["stopped_micros"] == 0
    await expect(page.get_by_text("not asked").first).to_be_visible()


async def test_a_run_goes_on_after_the_server_was_away_and_the_page_with_it(
    open_page: Open, product: Product, watch: Watch
):
    watch.allow("ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|WebSocket|503")
    with slow(product, 1):
        batch = await begun(product, sites(product, 6, 80), PAID)
        page = await open_page(f"/tables/{batch}")
        await expect(standing(page)).to_have_text("Running")
        await asyncio.to_thread(product.stop)
        try:
            away = page.locator(".banner")
            await expect(away).to_contain_text("What you see may be old")
            await expect(cell(page, 1, 2)).to_be_visible()
        finally:
            await asyncio.to_thread(product.start)
        await expect(away).to_have_count(0)
        await expect(standing(page)).to_have_text("Finished")
    await expect(page.get_by_text("6 of 6 rows")).to_be_visible()
    await expect(page.locator(".grid .asking")).to_have_count(0)
    spent = await told(product, batch)
    assert sum(one["calls"] for one in spent["spend"] if one["provider"] == "apollo") <= 6


async def wanted(product: Product, employees: int) -> None:
    """Have an ideal customer: one who is big."""
    profile = {"criteria": [{"field": "company_employee_count", "at_least": employees}]}
    async with Database.open(product.dsn, size=1) as db:
        await IcpStore(db).put(DEFAULT_WORKSPACE, Profile.model_validate(profile))


async def test_who_fits_best_stands_first_where_there_is_an_ideal_customer(
    open_page: Open, product: Product
):
    rows = [{"website": one} for one in sites(product, 6, 86)]
    field = "company_employee_count"
    page, batch = await finished(open_page, product, rows, [field])
    items = product.ask("GET", f"/v1/batches/{batch}/rows")["items"]
    biggest = max((one["cells"][field]["value"], one["row"]) for one in items if one["cells"])
    await wanted(product, biggest[0])
    try:
        await page.reload()
        await expect(page.get_by_role("columnheader", name="ICP score")).to_be_visible()
        await page.get_by_role("button", name="ICP score").click()
        await page.get_by_role("button", name="ICP score").click()
        header = page.get_by_role("columnheader", name="ICP score")
        await expect(header).to_have_attribute("aria-sort", "descending")
        await expect(cell(page, 1, 1)).to_have_text(str(biggest[1]))
        await expect(cell(page, 1, 3)).to_have_text(re.compile(r"^[1-9]\d*$"))
    finally:
        with psycopg.connect(product.dsn, autocommit=True) as owner:
            owner.execute("delete from glaze.icp_score")
            owner.execute("delete from glaze.icp")


def as_file(path: Path, rows: list[Mapping[str, str]]) -> Path:
    """Write rows in the format that the name says."""
    names = [*rows[0]]
    match path.suffix:
        case ".xlsx":
            with xlsxwriter.Workbook(path) as book:
                sheet = book.add_worksheet()
                for n, line in enumerate([names, *([*one.values()] for one in rows)]):
                    sheet.write_row(n, 0, line)
        case ".parquet":
            pq.write_table(pa.Table.from_pylist(rows), path)
        case _:
            path.write_text("".join(json.dumps(one) + "\n" for one in rows), "utf-8")
    return path


async def test_a_file_of_every_format_becomes_a_table(
    open_page: Open, product: Product, tmp_path: Path
):
    rows = [{"Web page": one, "Remark": "seen"} for one in sites(product, 3)]
    page = await open_page("/tables/new")
    for kind in ("jsonl", "parquet", "xlsx"):
        file = await asyncio.to_thread(as_file, tmp_path / f"Leads of {kind}.{kind}", rows)
        await page.get_by_label("File of rows").set_input_files(file)
        await page.get_by_label("Web page is taken for").select_option("website")
        await expect(page.get_by_label("Name", exact=True).last).to_have_value(f"Leads of {kind}")
        await expect(page.get_by_role("button", name="Run 3 rows")).to_be_enabled()
        if kind != "xlsx":
            await page.get_by_role("button", name="Take other rows").click()
    await page.get_by_role("button", name="Run 3 rows").click()
    await expect(page.get_by_role("heading", name="Leads of xlsx")).to_be_visible()
    await expect(cell(page, 3, 2)).to_have_text(rows[2]["Web page"])
    await expect(page.get_by_text("3 of 3 rows")).to_be_visible()


NO_TABLES = (
    ("rows.xlsx", b"PK\x03\x04 this is no workbook", "cannot be read"),
    ("rows.parquet", b"PAR1 and then nothing", "cannot read"),
    ("rows.jsonl", b'{"website": "a.example"\n', "one object a line"),
    ("rows.csv", b"", "empty"),
)


async def test_of_a_file_that_is_none_it_is_said_what_is_wrong_and_another_can_be_taken(
    open_page: Open, watch: Watch
):
    watch.allow("400|422")
    page = await open_page("/tables/new")
    for name, content, said in NO_TABLES:
        file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        await page.get_by_label("File of rows").set_input_files(files=[file])  # type: ignore[list-item]
        problem = page.get_by_role("alert")
        await expect(problem).to_contain_text(said)
        await expect(problem).not_to_contain_text("/tmp")
        if name == "rows.xlsx":
            assert await violations(page) == []
        await page.get_by_role("button", name="Take other rows").click()
    await expect(page.get_by_label("Or paste rows")).to_be_visible()


async def downloaded(page: Page, form: str, *, provenance: bool) -> Path:
    await page.get_by_role("button", name="Export").click()
    dialog = page.get_by_role("dialog", name="Export")
    await dialog.get_by_role("radio", name=form, exact=True).check(force=True)
    await dialog.get_by_role("checkbox").set_checked(provenance)
    async with page.expect_download() as downloading:
        await dialog.get_by_role("link", name=f"Download {form}").click()
    file: Download = await downloading.value
    await dialog.get_by_role("button", name="Close").last.click()
    return await file.path()


def lines(file: Path) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(file.read_text("utf-8-sig")))]


async def choose_another(page: Page) -> str:
    """Find a value right that lost, and return it."""
    name = cell(page, 1, 4)  # a note is carried along before it
    await name.click()
    panel = page.get_by_role("complementary", name="Company name")
    loser = panel.locator(".stated > li:not([data-won])").first
    value = await loser.locator(".stated-value > :first-child").inner_text()
    await expect(name).not_to_contain_text(value)
    await loser.get_by_role("button", name="Choose").click()
    await expect(panel.get_by_text("chosen", exact=True)).to_be_visible()
    await expect(name).to_contain_text(value)
    return value


async def test_another_value_is_chosen_its_sources_are_judged_by_it_and_the_file_says_so(
    open_page: Open, product: Product
):
    [site] = sites(product, 1, 92)
    page, _ = await finished(open_page, product, [{"website": site, "note": "n"}], ["company_name"])
    async with Database.open(product.dsn, size=1) as db:
        before = len(await CalibrationStore(db).judged_by_people(DEFAULT_WORKSPACE))
        stated = await choose_another(page)
        judged = await CalibrationStore(db).judged_by_people(DEFAULT_WORKSPACE)
    assert len(judged) > before
    await page.get_by_role("button", name="Close the inspector").click()
    plain = lines(await downloaded(page, "CSV", provenance=False))
    whole = lines(await downloaded(page, "CSV", provenance=True))
    table = pq.read_table(await downloaded(page, "Parquet", provenance=True)).to_pylist()
    assert (plain[0]["company_name"], "company_name_source" in plain[0]) == (stated, False)
    assert whole[0]["company_name_source"] == table[0]["company_name_source"] == "user"
    assert {"company_name_confidence", "company_name_cost_usd"} & {*whole[0]}


async def test_a_column_is_asked_again_for_no_more_than_what_was_agreed_to(
    open_page: Open, product: Product, watch: Watch
):
    watch.allow("409")  # how the API quotes
    rows = [{"website": one} for one in sites(product, 3, 93)]
    page, batch = await finished(open_page, product, rows, PAID)
    before = product.sandbox.billed_micros
    await cell(page, 2, 3).click()
    panel = page.get_by_role("complementary", name="Company revenue")
    await panel.get_by_role("button", name="Whole column").click()
    dialog = page.get_by_role("dialog", name="Ask for Company revenue again?")
    await expect(dialog.get_by_text("Rows to ask").locator("..")).to_contain_text("3")
    agreed = dialog.get_by_role("button", name=re.compile("Ask for at most"))
    cap = float((await agreed.inner_text()).split("$")[1])
    assert product.sandbox.billed_micros == before
    await agreed.click()
    await expect(page.get_by_text("3 rows are asked.")).to_be_visible()
    query = f"/v1/batches?tag=table-{batch}"
    async with asyncio.timeout(60):
        while product.ask("GET", query)["items"][0]["finished_at"] is None:  # noqa: ASYNC110  asked over HTTP
            await asyncio.sleep(0.1)
    await expect(page.locator(".child")).to_have_count(0)
    assert 0 < product.sandbox.billed_micros - before <= cap * 1_000_000


async def tab_to(page: Page, goal: Locator, most: int = 150) -> None:
    """Go on with Tab until it has the focus, as somebody without a mouse does."""
    for _ in range(most):
        if await goal.evaluate("it => it === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not come to {goal}")


async def test_a_table_is_made_run_and_looked_into_without_a_mouse(
    open_page: Open, product: Product, tmp_path: Path
):
    file = as_file(tmp_path / "By keys.jsonl", [{"website": one} for one in sites(product, 2, 96)])
    page = await open_page("/tables")
    # Listened for long before: whoever begins as the key is pressed may be too late on a busy machine.
    choosing = asyncio.get_running_loop().create_future()

    def chosen(chooser: FileChooser) -> None:
        choosing.set_result(chooser)

    page.once("filechooser", chosen)
    await page.keyboard.press("Control+k")
    await page.keyboard.type("tables")
    await page.keyboard.press("Enter")
    await tab_to(page, page.get_by_role("link", name="New table").first)
    await page.keyboard.press("Enter")
    await tab_to(page, page.get_by_role("button", name="Choose a file"))
    await page.keyboard.press("Enter")
    await (await choosing).set_files(file)
    run = page.get_by_role("button", name="Run 2 rows")
    await expect(run).to_be_enabled()
    cap = page.get_by_label("Cap in US dollars")
    await tab_to(page, cap)
    await page.keyboard.press("Control+a")
    await page.keyboard.type("2")
    await page.keyboard.press("Enter")
    await expect(standing(page)).to_have_text("Finished")
    await expect(page.get_by_text("of $2.00")).to_be_visible()
    await tab_to(page, cell(page, 1, 1))
    for _ in range(2):
        await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    panel = page.locator(".inspector")
    await expect(panel.get_by_role("heading", name="Who was asked, in order")).to_be_visible()
    await tab_to(page, panel.get_by_role("button", name="It is true"))
    await page.keyboard.press("Enter")
    await expect(panel.get_by_text("confirmed", exact=True)).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(panel).to_have_count(0)
    await expect(cell(page, 1, 3)).to_be_focused()
