"""The ideal customer profile over HTTP: a workspace's own, not overwritten, and what follows for scores."""

from typing import Any

import pytest

from glaze.model.access import Scope
from tests.api.conftest import Client, Service
from tests.api.test_answering import ASKED, keep

LARGE = {"field": "company_employee_count", "at_least": 50}
NAMED = {"field": "company_name", "any_of": ["Acme"], "role": "must"}


async def score(client: Client) -> Any:
    body = (await client.post("/v1/enrich", ASKED)).body
    return body["result"].get("icp", {}).get("score")


async def test_a_profile_is_set_replaced_and_removed_and_records_are_scored_by_it_and_nobody_elses(
    service: Service, theirs: Client, dsn: str
):
    admin = await service.client()
    none = {"version": 0, "profile": None, "set_at": None}
    assert (await admin.get("/v1/icp")).body == none
    assert (await admin.ask("DELETE", "/v1/icp")).status == 404
    await keep(service, dsn)
    told = await admin.ask("PUT", "/v1/icp", {"criteria": [NAMED]})
    assert (told.status, told.body["version"]) == (200, 1)
    assert told.body["profile"]["criteria"][0]["any_of"] == ["Acme"]
    assert await score(admin) == 100
    await admin.ask("PUT", "/v1/icp", {"criteria": [NAMED | {"any_of": ["Globex"]}]})
    assert await score(admin) == 0
    assert (await theirs.get("/v1/icp")).body == none
    assert (await admin.ask("DELETE", "/v1/icp")).status == 204
    assert (await admin.get("/v1/icp")).body["profile"] is None
    assert await score(admin) is None
    await admin.ask("PUT", "/v1/icp", {"criteria": [NAMED]})
    assert await score(admin) == 100  # what an older one said does not count again
    log = (await admin.get("/v1/audit?limit=10")).body["items"]
    assert [one["action"] for one in log if one["action"].startswith("icp.")] == [
        "icp.set", "icp.remove", "icp.set", "icp.set",
    ]  # fmt: skip


async def test_a_profile_is_not_changed_where_somebody_else_changed_it_since(service: Service):
    admin = await service.client()
    seen = [(await admin.get("/v1/icp")).headers["ETag"]]  # there is none yet
    for criterion in (LARGE, NAMED):
        told = await admin.ask("PUT", "/v1/icp", {"criteria": [criterion]}, If_Match=seen[-1])
        assert told.status == 200
        seen.append(told.headers["ETag"])
    assert (await admin.get("/v1/icp")).headers["ETag"] == seen[-1]
    for etag in seen[:-1]:
        for method in ("PUT", "DELETE"):
            late = await admin.ask(method, "/v1/icp", {"criteria": [LARGE]}, If_Match=etag)
            assert (late.status, late.body["code"]) == (412, "edit_conflict")
    assert (await admin.get("/v1/icp")).body["version"] == 2


@pytest.mark.parametrize(
    ("criteria", "told"),
    [
        ([], "criteria"),
        ([{"field": "company_colour", "any_of": ["red"]}], "company_colour"),
        ([LARGE | {"any_of": ["7"]}], "give one of any_of"),
        ([NAMED, NAMED | {"role": "excludes"}], "nothing can, so each would score 0"),
    ],
)
async def test_a_profile_that_cannot_be_is_refused_with_what_is_wrong(
    service: Service, criteria: list[Any], told: str
):
    admin = await service.client()
    refused = await admin.ask("PUT", "/v1/icp", {"criteria": criteria})
    assert refused.status == 422
    assert told in str(refused.body)
    assert (await admin.get("/v1/icp")).body["profile"] is None


async def test_who_is_no_admin_reads_the_profile_and_does_not_change_it(service: Service):
    for scope in (Scope.READ, Scope.WRITE):
        client = await service.client(scope)
        assert (await client.get("/v1/icp")).status == 200
        for method in ("PUT", "DELETE"):
            refused = await client.ask(method, "/v1/icp", {"criteria": [LARGE]})
            assert refused.status == 403
