"""How long values stay fresh for a workspace, over HTTP: its own times alone, and what follows."""

import pytest

from glaze.model.access import Scope
from glaze.pipeline import beliefs
from tests.api.conftest import Client, Service
from tests.api.test_answering import ACME, ASKED, keep

NAME = "company_name"


async def days(client: Client, field: str = NAME) -> float:
    return (await client.get("/v1/freshness")).body["days"][field]


async def test_a_time_is_set_listed_replaced_and_removed_and_nobody_else_has_it(
    service: Service, theirs: Client
):
    admin = await service.client()
    usual = await days(admin)
    await admin.ask("PUT", "/v1/freshness", {"field": NAME, "days": 3})
    told = await admin.ask("PUT", "/v1/freshness", {"field": NAME, "days": 400})
    assert (told.status, told.body) == (200, {"field": NAME, "days": 400.0})
    await admin.ask("PUT", "/v1/freshness", {"days": 100})
    read = await admin.get("/v1/freshness")
    assert read.body["items"] == [{"field": None, "days": 100.0}, {"field": NAME, "days": 400.0}]
    assert (await days(admin), await days(admin, "person_title")) == (400, 100)
    assert (await theirs.get("/v1/freshness")).body["items"] == []
    assert await days(theirs) == usual
    here = f"/v1/freshness?field={NAME}"
    assert (await theirs.ask("DELETE", here)).status == 404
    assert (await admin.ask("DELETE", here)).status == 204
    assert (await admin.ask("DELETE", here)).status == 404
    assert await days(admin) == max(usual, 100)
    log = (await admin.get("/v1/audit?limit=10")).body["items"]
    assert [one["action"] for one in log if one["action"].startswith("freshness.")] == [
        "freshness.remove", "freshness.set", "freshness.set", "freshness.set",
    ]  # fmt: skip


async def test_a_change_is_not_made_where_somebody_else_made_one_since(service: Service):
    admin = await service.client()
    etag = (await admin.get("/v1/freshness")).headers["ETag"]
    body = {"field": NAME, "days": 3}
    assert (await admin.ask("PUT", "/v1/freshness", body, If_Match=etag)).status == 200
    late = await admin.ask("PUT", "/v1/freshness", body | {"days": 9}, If_Match=etag)
    assert (late.status, late.body["code"]) == (412, "edit_conflict")
    gone = await admin.ask("DELETE", f"/v1/freshness?field={NAME}", If_Match=etag)
    assert gone.status == 412
    assert await days(admin) == 3


@pytest.mark.parametrize(
    "body", [{"field": "company_colour", "days": 3}, {"days": -1}, {"days": 4000}, {"field": NAME}]
)
async def test_a_time_that_cannot_be_is_refused_and_only_an_admin_sets_one(
    service: Service, body: dict
):
    admin, writer = await service.client(), await service.client(Scope.WRITE)
    assert (await admin.ask("PUT", "/v1/freshness", body)).status == 422
    assert (await writer.ask("PUT", "/v1/freshness", {"days": 3})).status == 403
    assert (await admin.get("/v1/freshness")).body["items"] == []


async def test_what_a_workspace_holds_fresh_is_answered_from_its_cache_and_what_not_is_asked(
    service: Service, dsn: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(beliefs, "LOOK_EVERY_S", 0.0)
    admin = await service.client()
    await keep(service, dsn, age_days=20)
    for span, status in ((10, 202), (30, 200), (10, 202)):
        await admin.ask("PUT", "/v1/freshness", {"field": NAME, "days": span})
        answer = await admin.post("/v1/enrich", {**ASKED, "input": ACME})
        assert answer.status == status, (span, answer.body)
