"""Tables over HTTP (H2, J8): taken whole or not at all, followed, paused, cancelled, tried again."""

import asyncio
import csv
import io
import json
from typing import Any

import aiohttp
import psycopg
import pytest

from glaze.model.access import Scope
from glaze.settings import Settings
from tests.api.conftest import Answer, Client, Service, serving
from tests.api.test_jobs import working

CSV = "website,note\nacme.com,a\nbeta.com,b\n"


async def sent(client: Client, body: Any, query: str = "", media: str = "text/csv", **headers):
    """Send a table as the body itself."""
    shown = {"Authorization": f"Bearer {client.key}", "Content-Type": media}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"{client.url}/v1/batches?{query}"
    async with client.http.post(url, data=body, headers=shown | named) as answer:
        return Answer(answer.status, answer.headers, await answer.json(content_type=None))


async def posted(client: Client, content: bytes, filename: str, **options: str) -> Answer:
    """Send a table as a form, as a browser does."""
    form = aiohttp.FormData()
    form.add_field(
        "file", io.BytesIO(content), filename=filename, content_type="application/octet-stream"
    )
    for key, value in options.items():
        form.add_field(key, value)
    shown = {"Authorization": f"Bearer {client.key}"}
    async with client.http.post(f"{client.url}/v1/batches", data=form, headers=shown) as answer:
        return Answer(answer.status, answer.headers, await answer.json(content_type=None))


async def ended(client: Client, batch_id: int) -> Any:
    async with asyncio.timeout(60):
        while True:
            batch = (await client.get(f"/v1/batches/{batch_id}")).body
            if batch["finished_at"]:
                return batch
            await asyncio.sleep(0.05)


def counted(dsn: str) -> tuple[int, int]:
    """Return how many batches and rows there are at all."""
    with psycopg.connect(dsn) as conn:
        row = conn.execute(
            "select (select count(*) from glaze.batch), (select count(*) from glaze.batch_row)"
        ).fetchone()
    assert row is not None
    return row[0], row[1]


async def test_a_csv_body_becomes_a_batch_with_its_options_and_its_columns_explained(service):
    client = await service.client(Scope.WRITE)
    answer = await sent(
        client, CSV, "fields=company_name,company_phone&priority=2&tags=spring&budget_cents=50"
    )
    assert answer.status == 202, answer.body
    batch = (await client.get(answer.headers["Location"])).body
    assert (batch["state"], batch["total"], batch["priority"]) == ("running", 2, 2)
    assert (batch["tags"], batch["budget_cents"], batch["cost_micros"]) == (["spring"], 50, 0)
    assert batch["settings"]["required_fields"] == ["company_name", "company_phone"]
    assert answer.body["columns"] == {"website": "website"}


async def test_a_form_a_json_body_and_every_file_format_bring_the_same_rows(service, tmp_path):
    import pyarrow as pa  # noqa: PLC0415  slow to import
    import pyarrow.parquet as pq  # noqa: PLC0415
    import xlsxwriter  # noqa: PLC0415

    client = await service.client(Scope.WRITE)
    pq.write_table(pa.table({"website": ["acme.com", "beta.com"]}), tmp_path / "t.parquet")
    book = xlsxwriter.Workbook(str(tmp_path / "t.xlsx"))
    sheet = book.add_worksheet()
    sheet.write_column(0, 0, ["website", "acme.com", "beta.com"])
    book.close()
    lines = "".join(json.dumps({"website": w}) + "\n" for w in ("acme.com", "beta.com"))
    parquet, xlsx = ((tmp_path / name).read_bytes() for name in ("t.parquet", "t.xlsx"))
    spreadsheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    answers = [
        await posted(client, CSV.encode(), "leads.csv", name="given", tags="a"),
        await posted(client, xlsx, "leads.xlsx"),
        await sent(client, lines, media="application/x-ndjson"),
        await sent(client, parquet, media="application/vnd.apache.parquet"),
        await sent(client, xlsx, media=spreadsheet),
        await client.post(
            "/v1/batches",
            {"rows": [{"website": "acme.com"}, {"website": "beta.com"}], "tags": ["a"]},
        ),
    ]
    assert [one.status for one in answers] == [202] * 6, [one.body for one in answers]
    assert {one.body["total"] for one in answers} == {2}
    assert [one.body["name"] for one in answers[:3]] == ["given", "leads.xlsx", None]
    listed = (await client.get("/v1/batches?tag=a&state=running")).body["items"]
    assert [one["id"] for one in listed] == [answers[5].body["id"], answers[0].body["id"]]


async def test_bad_rows_are_told_by_row_and_column_and_nothing_is_taken(service, dsn):
    client = await service.client(Scope.WRITE)
    table = "Mail,Web\na@acme.com,acme.com\nnobody,\n,http://\n"
    answer = await sent(client, table, "map=Mail=email&map=Web=website")
    assert (answer.status, answer.body["code"]) == (422, "rows_invalid")
    first = answer.body["errors"][0]
    assert first["path"] == "rows.2.Mail"
    assert first["message"].startswith("line 3: as email")
    assert answer.body["errors"][1]["path"] == "rows.3.Web"
    assert counted(dsn) == (0, 0)


async def test_bad_rows_are_left_out_and_told_of_where_the_caller_says_so(service):
    client = await service.client(Scope.WRITE)
    answer = await sent(client, "email\na@acme.com\nnobody\n", "bad_rows=skip")
    assert (answer.status, answer.body["total"], answer.body["left_out"]) == (202, 1, 1)
    assert answer.body["faults"][0]["path"] == "rows.2.email"


@pytest.mark.parametrize(
    ("body", "query", "told"),
    [
        ("", "", "empty"),
        ("website\n", "", "no rows"),
        ("colour\nred\n", "", "no column says"),
        (CSV, "fields=company_shoe_size", "company_shoe_size"),
        (CSV, "providers=nobody", "nobody"),
        (CSV, "map=nothing=website", "there is no column"),
        (CSV, "kind=nothing", "no job kind"),
        (CSV, "kind=deliver_webhook", "takes no input"),
        (CSV, "priority=9", "priority"),
        (CSV, "unknown=1", "unknown"),
        (CSV, "tags=%00", "tag"),
        ("website\nacme.com,b\n", "", "2 values for 1 columns"),
        (b"PAR1 broken", "", "damaged"),
    ],
)
async def test_a_table_that_cannot_be_used_is_refused_and_leaves_nothing(
    service, dsn, body, query, told
):
    client = await service.client(Scope.WRITE)
    answer = await sent(client, body, query)
    assert answer.status == 422, answer.body
    if told != "damaged":
        assert told in str(answer.body)
    assert "/tmp" not in str(answer.body)
    assert counted(dsn) == (0, 0)


async def test_what_is_no_table_is_refused(service):
    client = await service.client(Scope.WRITE)
    answer = await sent(client, "<a/>", media="application/xml")
    assert (answer.status, answer.body["code"]) == (422, "input_invalid")
    assert "text/csv" in answer.body["detail"]
    empty = aiohttp.FormData({"name": "x"}, default_to_multipart=True)
    shown = {"Authorization": f"Bearer {client.key}"}
    url = f"{client.url}/v1/batches"
    async with client.http.post(url, data=empty, headers=shown) as told:
        assert (told.status, "part `file`" in await told.text()) == (422, True)


async def test_an_upload_over_the_cap_is_cut_off_whether_or_not_it_says_its_length(dsn):
    settings = Settings(database_url=dsn, log_level="error", api_max_upload_mb=1)
    async with serving(settings) as service:
        client = await service.client(Scope.WRITE)
        big = "website\n" + "acme.com\n" * 150_000

        async def unsized():
            for start in range(0, len(big), 1 << 16):
                yield big[start : start + (1 << 16)].encode()

        for body in (io.BytesIO(big.encode()), unsized()):
            answer = await sent(client, body)
            assert (answer.status, answer.body["code"]) == (413, "upload_too_large")
        answer = await posted(client, big.encode(), "leads.csv")
        assert answer.status == 413
    assert counted(dsn) == (0, 0)


async def test_the_same_request_makes_one_batch_however_often_and_at_once_it_is_sent(service, dsn):
    client = await service.client(Scope.WRITE)
    first = await sent(client, CSV, Idempotency_Key="k")
    again = await asyncio.gather(*(sent(client, CSV, Idempotency_Key="k") for _ in range(3)))
    told = {one.body["id"] for one in again if one.status == 202}
    assert told == {first.body["id"]}
    assert all(one.body["code"] == "batch_state_conflict" for one in again if one.status != 202)
    other = await sent(client, CSV + "gamma.com,c\n", Idempotency_Key="k")
    assert (other.status, other.body["code"]) == (422, "idempotency_conflict")
    options = await sent(client, CSV, "priority=1", Idempotency_Key="k")
    assert options.body["code"] == "idempotency_conflict"
    assert counted(dsn) == (1, 2)


async def test_what_a_killed_process_had_taken_of_a_table_is_gone_when_it_is_sent_again(
    service, dsn
):
    client = await service.client(Scope.WRITE)
    first = await sent(client, CSV, Idempotency_Key="k")
    with psycopg.connect(dsn, autocommit=True) as conn:  # as it stood in the middle of the load
        conn.execute("delete from glaze.job")
        conn.execute("update glaze.batch set state = 'loading', queued = 0")
    again = await sent(client, CSV, Idempotency_Key="k")
    assert again.status == 202
    assert again.body["id"] != first.body["id"]
    assert counted(dsn) == (1, 2)


async def test_a_batch_is_paused_resumed_cancelled_and_says_so(service: Service):
    client = await service.client(Scope.WRITE)
    batch_id = (await sent(client, CSV)).body["id"]
    path = f"/v1/batches/{batch_id}"
    assert (await client.post(f"{path}/pause")).body["state"] == "paused"
    again = await client.post(f"{path}/pause")
    assert (again.status, again.body["code"]) == (409, "batch_state_conflict")
    assert (await client.post(f"{path}/resume")).body["state"] == "running"
    assert (await client.post(f"{path}/cancel")).body["state"] == "cancelled"
    assert (await client.post(f"{path}/cancel")).status == 409
    assert (await client.post(f"{path}/retry")).status == 409


async def test_a_batch_is_worked_on_to_its_end_and_failed_rows_are_tried_again(service: Service):
    client = await service.client(Scope.WRITE)
    made = await sent(client, CSV, "fields=company_industry&providers=industry_list")
    async with working(service):
        batch = await ended(client, made.body["id"])
        assert (batch["state"], batch["percent"]) == ("finished", 100)
        assert batch["completed"] + batch["partial"] + batch["failed"] == 2
        again = await client.post(f"/v1/batches/{batch['id']}/retry", {"partial": True})
        assert again.body["rows"] == batch["partial"] + batch["failed"]
        await ended(client, batch["id"])


async def test_pages_of_batches_follow_one_another(service: Service):
    client = await service.client(Scope.WRITE)
    ids = [(await sent(client, CSV)).body["id"] for _ in range(3)]
    first = (await client.get("/v1/batches?limit=2")).body
    rest = (await client.get(f"/v1/batches?limit=2&before={first['next_before']}")).body
    assert [one["id"] for one in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next_before"] is None


async def test_reading_is_not_writing_and_another_workspace_sees_no_batch(service, theirs):
    mine = await service.client(Scope.WRITE)
    batch_id = (await sent(mine, CSV)).body["id"]
    reader = await service.client(Scope.READ)
    assert (await sent(reader, CSV)).status == 403
    assert (await reader.post(f"/v1/batches/{batch_id}/pause")).status == 403
    for act in ("pause", "resume", "cancel", "retry"):
        assert (await theirs.post(f"/v1/batches/{batch_id}/{act}")).status == 404
    assert (await theirs.get(f"/v1/batches/{batch_id}")).status == 404
    assert (await theirs.get("/v1/batches")).body["items"] == []
    assert (await mine.get(f"/v1/batches/{batch_id}")).body["state"] == "running"


async def test_a_formula_in_a_table_is_none_in_its_export_whoever_wrote_it(service: Service):
    client = await service.client(Scope.WRITE)
    notes = ["=HYPERLINK(1)", "@SUM(1+1)*cmd", "\uff1d1+1", " +1+1", "+49301234567", "-5"]
    lines = "".join(f'acme{n}.com,"{note}"\n' for n, note in enumerate(notes))
    made = (await sent(client, f"website,company\n{lines}", "map=company=company")).body
    path = f"{client.url}/v1/batches/{made['id']}/export"
    shown = {"Authorization": f"Bearer {client.key}"}
    async with client.http.get(path, headers=shown) as answer:
        [names, *rows] = csv.reader(io.StringIO(await answer.text()))
    column = names.index("company")
    told = ["'=HYPERLINK(1)", "'@SUM(1+1)*cmd", "'\uff1d1+1", "'+1+1", "+49301234567", "'-5"]
    assert [row[column] for row in rows] == told
    async with client.http.get(f"{path}?format=jsonl", headers=shown) as answer:
        texts = [json.loads(line)["company"] for line in (await answer.text()).splitlines()]
    assert texts[0] == notes[0], "JSON runs nothing"


async def test_inline_rows_that_are_too_many_bytes_are_to_be_sent_as_a_file(service: Service):
    client = await service.client(Scope.WRITE)
    body = b'{"rows": [{"website": "' + b"a" * (17 << 20) + b'"}]}'
    answer = await sent(client, io.BytesIO(body), media="application/json")
    assert (answer.status, answer.body["code"]) == (413, "upload_too_large")
    assert "as a file" in answer.body["detail"]
    assert "GLAZE_API_MAX_UPLOAD_MB" not in answer.body["detail"]
