"""A table over HTTP from upload to export (H2): rows, cells, what people decide, asking again at a price."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from cli_process import Sandbox
from tests.api.conftest import Client, Service, serving
from tests.api.test_batches import ended, sent
from tests.api.test_jobs import ended as job_ended
from tests.api.test_jobs import working
from whole_path import settings_of, websites

from glaze.files.workbook import sheet_rows

FIELDS = "company_name,company_city"


@pytest.fixture
async def service(quick: Mapping[str, str]) -> AsyncIterator[Service]:
    async with serving(settings_of({**quick, "GLAZE_LOG_LEVEL": "error"})) as running:
        yield running


async def exported(client: Client, batch_id: int, query: str) -> bytes:
    url = f"{client.url}/v1/batches/{batch_id}/export?{query}"
    shown = {"Authorization": f"Bearer {client.key}"}
    async with client.http.get(url, headers=shown) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read()


async def worked_on(client: Client, vendors: Sandbox) -> dict[str, Any]:
    """Return a batch of three companies at its end; a worker must be there."""
    table = "website\n" + "".join(f"{site}\n" for site in websites(vendors, 3))
    made = await sent(client, table, f"fields={FIELDS}")
    return await ended(client, made.body["id"])


async def test_cells_have_a_source_and_what_a_person_decides_stands_in_them_and_in_the_export(
    service: Service, vendors: Sandbox
):
    client = await service.client()
    async with working(service):
        batch = await worked_on(client, vendors)
        path = f"/v1/batches/{batch['id']}"
        assert batch["completed"] + batch["partial"] == 3, batch
        assert batch["cost_micros"] == sum(one["price_micros"] for one in batch["spend"])

        first = (await client.get(f"{path}/rows/1")).body
        assert first["input"] == {"website": websites(vendors, 1)[0]}
        name = first["cells"]["company_name"]
        assert name["value"]
        assert name["confidence"] >= 50
        assert {"source", "retrieved_at", "cost_micros", "alternatives"} <= name.keys()

        # What a person decides stands in the cell, with who and when; taken back, sources speak.
        cell = f"{path}/rows/1/cells/company_name"
        chosen = await client.post(f"{cell}/choose", {"value": "=Atlantis()"})
        assert (chosen.body["act"], chosen.body["by"]) == ("corrected", "key 1")
        assert (await client.post(f"{path}/rows/2/cells/company_name/lock")).body["act"] == "locked"
        told = await client.post(f"{path}/rows/3/cells/company_name/confirm")
        assert told.body["act"] == "confirmed"
        row = (await client.get(f"{path}/rows/1")).body
        assert row["cells"]["company_name"]["value"] == "=Atlantis()"
        assert row["cells"]["company_name"]["source"] == "user"
        assert [one["field"] for one in row["decided"]] == ["company_name"]
        text = (await exported(client, batch["id"], "provenance=true")).decode()
        rows = [*csv.DictReader(io.StringIO(text))]
        assert [one["row"] for one in rows] == ["1", "2", "3"]
        assert rows[0]["company_name"] == "'=Atlantis()"  # no spreadsheet runs it
        assert rows[0]["company_name_source"] == "user"
        lines = (await exported(client, batch["id"], "format=jsonl")).decode().splitlines()
        assert json.loads(lines[0])["company_name"] == "=Atlantis()"
        assert (await client.post(f"{cell}/unlock")).status == 204
        row = (await client.get(f"{path}/rows/1")).body
        assert (row["cells"]["company_name"]["value"], row["decided"]) == (name["value"], [])


async def test_of_two_who_decide_a_cell_at_once_the_second_is_told_that_it_is_another_by_now(
    service: Service, vendors: Sandbox
):
    client = await service.client()
    async with working(service):
        batch = await worked_on(client, vendors)
        cell = f"/v1/batches/{batch['id']}/rows/1/cells/company_name"
        etag = (await client.get(cell)).headers["ETag"]
        choices = [client.post(f"{cell}/choose", {"value": one}, If_Match=etag) for one in "AB"]
        answers = await asyncio.gather(*choices)
        assert sorted(one.status for one in answers) == [200, 412]
        won, lost = sorted(answers, key=lambda one: one.status)
        assert lost.body["code"] == "edit_conflict"
        now = await client.get(cell)
        assert now.headers["ETag"] == won.headers["ETag"] != etag
        assert now.body["value"]["value"] == won.body["value"]
        for act in ("confirm", "lock", "unlock"):
            refused = await client.post(f"{cell}/{act}", If_Match=etag)
            assert (refused.status, refused.body["code"]) == (412, "edit_conflict"), act
        assert (await client.post(f"{cell}/unlock", If_Match=now.headers["ETag"])).status == 204
        assert (await client.get(cell)).headers["ETag"] == etag
        assert (await client.post(f"{cell}/lock", If_Match=etag)).status == 200


async def test_a_cell_and_a_column_are_asked_again_only_at_a_price_that_somebody_agreed_to(
    service: Service, vendors: Sandbox
):
    client = await service.client()
    async with working(service):
        batch = await worked_on(client, vendors)
        path = f"/v1/batches/{batch['id']}"
        cell = f"{path}/rows/1/cells/company_name"
        name = (await client.get(f"{path}/rows/1")).body["cells"]["company_name"]
        before = vendors.billed_micros
        quoted = await client.post(f"{cell}/ask")
        assert (quoted.status, quoted.body["code"]) == (409, "confirmation_needed"), quoted.body
        quote = quoted.body["quote"]
        assert quote["p50_micros"] <= quote["p95_micros"] <= quote["most_micros"]
        assert quote["most_micros"] > 0
        assert vendors.billed_micros == before
        nothing = await client.post(f"{cell}/ask", {"max_cost_cents": 0})
        await job_ended(client, nothing.body["id"])
        assert vendors.billed_micros == before
        asked = await client.post(f"{cell}/ask", {"max_cost_cents": 50})
        assert asked.status == 202
        await job_ended(client, asked.body["id"])
        assert before <= vendors.billed_micros <= before + 500_000
        newer = (await client.get(f"{path}/rows/1")).body["cells"]["company_name"]
        assert newer["retrieved_at"] > name["retrieved_at"]

        column = f"{path}/columns/company_city/ask"
        quoted = await client.post(column, {"rows": "all"})
        assert (quoted.status, quoted.body["quote"]["rows"]) == (409, 3)
        again = await client.post(column, {"rows": "all", "max_cost_cents": 30})
        assert (again.status, again.body["total"]) == (202, 3), again.body
        assert again.body["budget_cents"] == 30
        done = await ended(client, again.body["id"])
        assert done["cost_micros"] <= 300_000


async def test_rows_are_paged_and_found_by_state_without_gap_or_twin(service, vendors):
    client = await service.client()
    sites = websites(vendors, 4)
    made = await sent(client, "website\n" + "".join(f"{site}\n" for site in sites))
    path = f"/v1/batches/{made.body['id']}/rows"
    seen, after = [], 0
    while after is not None:
        page = (await client.get(f"{path}?limit=3&after={after}")).body
        seen += [one["row"] for one in page["items"]]
        after = page["next_after"]
    assert seen == [1, 2, 3, 4]
    await client.post(f"/v1/batches/{made.body['id']}/cancel")
    await service.app.jobs.sweep_cancelled()
    assert len((await client.get(f"{path}?state=cancelled")).body["items"]) == 4
    none = (await client.get(f"{path}?state=failed")).body
    assert (none["items"], none["next_after"]) == ([], None)
    for strange in (f"{path}/5", f"{path}/1/cells/company_phone/x", "/v1/batches/99/rows"):
        assert (await client.get(strange)).status == 404
    lacking = await client.post(f"{path}/1/cells/company_tiktok_url/lock")
    assert lacking.status == 404


async def test_a_table_is_exported_in_every_format(service: Service, vendors: Sandbox):
    client = await service.client()
    made = await sent(client, f"website\n{websites(vendors, 1)[0]}\n")
    files = {
        name: await exported(client, made.body["id"], f"format={name}")
        for name in ("csv", "jsonl", "xlsx", "parquet")
    }
    assert files["csv"].startswith(b"row,state,error,website,")
    assert files["xlsx"].startswith(b"PK")
    assert files["parquet"].startswith(b"PAR1")
    assert json.loads(files["jsonl"])["state"] == "queued"
    assert (await client.get("/v1/batches/99/export")).status == 404
    assert (await client.get(f"/v1/batches/{made.body['id']}/export?format=pdf")).status == 422


async def test_columns_that_are_taken_for_nothing_are_shown_and_exported_where_the_file_has_them(
    service: Service, vendors: Sandbox, tmp_path: Path
):
    client = await service.client()
    (site,) = websites(vendors, 1)
    made = await sent(
        client,
        f"Owner,Site,Notes,row,Empty\nJo,{site},=1+1,7,\n",
        "fields=company_name&map=Owner=&map=Notes=&map=row=&map=Empty=",
    )
    assert made.status == 202, made.body
    batch = (await client.get(f"/v1/batches/{made.body['id']}")).body
    path = f"/v1/batches/{batch['id']}"
    assert [(one["name"], one["taken_for"]) for one in batch["file_columns"]] == [
        ("Owner", None),
        ("Site", "website"),
        ("Notes", None),
        ("row", None),
        ("Empty", None),
    ]
    (row,) = (await client.get(f"{path}/rows")).body["items"]
    assert row["input"] == {"website": site}
    assert row["carried"] == {"Owner": "Jo", "Notes": "=1+1", "row": "7"}
    for query in ("text=jo", "text=jo&sort=file.Owner"):
        assert (await client.get(f"{path}/outline?{query}")).body["rows"] == [1]
    assert (await client.get(f"{path}/outline?sort=file.Owner")).body["keys"] == ["jo"]

    wanted = ["Owner", "website", "Notes", "file_row", "Empty"]
    text = (await exported(client, batch["id"], "format=csv")).decode()
    header, line = csv.reader(io.StringIO(text))
    assert header[3:8] == wanted
    assert line[3:8] == ["Jo", site, "'=1+1", "7", ""]
    sheet = tmp_path / "table.xlsx"
    sheet.write_bytes(await exported(client, batch["id"], "format=xlsx"))
    assert [[*values][3:8] for _, values in sheet_rows(sheet)] == [
        wanted,
        ["Jo", site, "=1+1", "7", None],
    ]
    parquet = pq.read_table(io.BytesIO(await exported(client, batch["id"], "format=parquet")))
    assert parquet.column_names[3:8] == wanted
    assert parquet.to_pylist()[0]["file_row"] == "7"
