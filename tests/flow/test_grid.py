"""What a table on a screen needs of the API: a look before it is sent, windows of rows, one cell, more columns."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from cli_process import Sandbox
from tests.api.conftest import THEIRS, Client, Service, serving
from tests.api.test_batches import ended, sent
from tests.api.test_jobs import working
from whole_path import settings_of, websites

from glaze.store.workspace import WorkspaceStore

FIELDS = "company_name,company_city"


@pytest.fixture
async def service(quick: Mapping[str, str]) -> AsyncIterator[Service]:
    async with serving(settings_of({**quick, "GLAZE_LOG_LEVEL": "error"})) as running:
        yield running


async def looked_at(client: Client, table: str, query: str = "") -> dict[str, Any]:
    shown = {"Authorization": f"Bearer {client.key}", "Content-Type": "text/csv"}
    url = f"{client.url}/v1/batches/preview?{query}"
    async with client.http.post(url, data=table.encode(), headers=shown) as answer:
        assert answer.status == 200, await answer.text()
        told: dict[str, Any] = await answer.json()
        return told


async def test_a_table_is_looked_at_before_it_is_sent_and_nothing_is_kept_of_it(
    service: Service, vendors: Sandbox
):
    client = await service.client()
    sites = websites(vendors, 3)
    table = "Site,Note\n" + "".join(f"{site},n\n" for site in sites) + "no site at all,n\n"
    before = vendors.billed_micros
    told = await looked_at(client, table, f"fields={FIELDS}")
    taken = {one["name"]: (one["taken_for"], one["sample"][0]) for one in told["columns"]}
    assert taken == {"Site": ("website", sites[0]), "Note": (None, "n")}
    assert (told["rows"], told["left_out"], told["planned_rows"]) == (3, 1, 3)
    assert told["faults"][0]["path"] == "rows.4.Site"
    assert told["plan"]["rows"] == 3
    assert told["plan"]["cost_micros"]["p50"] <= told["plan"]["cost_micros"]["p95"]
    assert told["plan"]["providers"]
    lost = await looked_at(client, table, "map=Site=")
    assert (lost["rows"], lost["plan"]) == (0, None)
    assert lost["fault"]
    assert [one["name"] for one in lost["columns"]] == ["Site", "Note"]
    with pytest.raises(AssertionError, match="no provider is called nobody"):
        await looked_at(client, table, f"fields={FIELDS}&providers=nobody")
    assert (await client.get("/v1/batches")).body["items"] == []
    assert vendors.billed_micros == before
    known = (await client.get("/v1/fields")).body
    assert {"website", "email"} <= known["words"].keys()
    assert "company_phone" in {one["name"] for one in known["fields"]}


async def test_what_is_beyond_the_planned_rows_is_reckoned_as_these_are(
    service: Service, vendors: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    client = await service.client()
    table = "website\n" + "".join(f"{site}\n" for site in websites(vendors, 4))
    whole = (await looked_at(client, table, f"fields={FIELDS}"))["plan"]
    monkeypatch.setattr("glaze.api.preview.MOST_PLANNED", 2)
    told = await looked_at(client, table, f"fields={FIELDS}")
    assert (told["rows"], told["planned_rows"], told["plan"]["rows"]) == (4, 2, 4)
    assert told["plan"]["most_micros"] == whole["most_micros"]
    assert told["plan"]["bind_cents"] >= whole["bind_cents"] - 1


async def test_a_finished_table_is_sorted_filtered_looked_into_and_widened_at_a_price(
    service: Service, vendors: Sandbox
):
    client = await service.client()
    async with working(service):
        sites = websites(vendors, 4)
        made = await sent(
            client, "website\n" + "".join(f"{one}\n" for one in sites), f"fields={FIELDS}"
        )
        batch = await ended(client, made.body["id"])
        path = f"/v1/batches/{batch['id']}"
        rows = (await client.get(f"{path}/rows?row=3&row=1&row=99")).body["items"]
        assert [one["row"] for one in rows] == [1, 3]
        await client.post(f"{path}/rows/2/cells/company_name/choose", {"value": "Zzyzx"})

        every = (await client.get(f"{path}/outline?sort=company_name")).body
        assert (every["rows"], every["looked_at"], every["next_after"]) == ([1, 2, 3, 4], 4, None)
        assert every["keys"][1] == "zzyzx"
        for query, rows_found in (
            ("is=decided&field=company_name", [2]),
            ("source=user", [2]),
            ("source=user&field=company_city", []),
            ("text=zZyZx", [2]),
            (f"text={sites[2]}", [3]),
            ("is=low&below=1", []),
            ("is=found&state=queued", []),
            ("after=3", [4]),
        ):
            assert (await client.get(f"{path}/outline?{query}")).body["rows"] == rows_found, query

        cell = (await client.get(f"{path}/rows/1/cells/company_name")).body
        shown = rows[0]["cells"]["company_name"]
        assert cell["value"] == shown
        assert [one["provider"] for one in cell["stated"]][:1]
        assert shown["source"] in {one["name"] for one in cell["stages"]}
        assert cell["costs"]["total"] == sum(one["cost_micros"] for one in cell["stages"])
        decided = (await client.get(f"{path}/rows/2/cells/company_name")).body["decided"]
        assert (decided["value"], decided["act"]) == ("Zzyzx", "corrected")

        # A further column: first what it would cost, then a batch of its own held to that.
        column = {"field": "company_industry"}
        quoted = await client.post(f"{path}/columns", column)
        lacking = quoted.body["quote"]["rows"]  # what another answer brought along is known
        assert quoted.status == 409
        assert 0 < lacking <= 4
        assert (
            "company_industry" not in (await client.get(f"{path}/rows")).body["items"][0]["missing"]
        )
        added = await client.post(f"{path}/columns", {**column, "max_cost_cents": 100})
        assert added.status == 202, added.body
        asked = await ended(client, added.body["asked"]["id"])
        assert asked["cost_micros"] <= 1_000_000
        assert asked["tags"] == [f"table-{batch['id']}"]
        wide = (await client.get(f"{path}/rows")).body["items"]
        filled = [one["row"] for one in wide if "company_industry" in one["cells"]]
        assert len(filled) == asked["completed"] + 4 - lacking > 0
        assert (await client.post(f"{path}/columns", {**column, "max_cost_cents": 0})).status == 409

        theirs = await service.client(
            workspace_id=(await WorkspaceStore(service.app.db).create("theirs")).id
        )
        assert THEIRS
        for strange in ("outline", "rows?row=1", "rows/1/cells/company_name"):
            assert (await theirs.get(f"{path}/{strange}")).status == 404
        assert (await theirs.post(f"{path}/columns", column)).status == 404


async def test_a_column_that_is_known_already_stands_there_at_once_and_costs_nothing(
    service: Service, vendors: Sandbox
):
    client = await service.client()
    async with working(service):
        table = "website\n" + websites(vendors, 1)[0] + "\n"
        wide = await sent(client, table, "fields=company_name,company_phone")
        await ended(client, wide.body["id"])
        narrow = await sent(client, table, "fields=company_name")
        await ended(client, narrow.body["id"])
        path = f"/v1/batches/{narrow.body['id']}"
        known = (await client.get(f"/v1/batches/{wide.body['id']}/rows")).body["items"][0]["cells"]
        assert "company_phone" in known
        before = vendors.billed_micros
        added = await client.post(f"{path}/columns", {"field": "company_phone"})
        assert (added.status, added.body["asked"]) == (202, None), added.body
        (row,) = (await client.get(f"{path}/rows")).body["items"]
        assert row["cells"]["company_phone"]["value"] == known["company_phone"]["value"]
        assert vendors.billed_micros == before


async def test_a_stopped_table_tells_what_was_spent_since(service: Service, vendors: Sandbox):
    client = await service.client()
    made = await sent(client, "website\n" + websites(vendors, 1)[0] + "\n")
    path = f"/v1/batches/{made.body['id']}"
    assert (made.body["stopped_micros"], made.body["open_calls"]) == (None, 0)
    stopped = (await client.post(f"{path}/cancel")).body
    assert (stopped["stopped_micros"], stopped["open_calls"]) == (0, 0)
    assert stopped["cancelled_at"]
