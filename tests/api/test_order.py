"""How a workspace has its jobs ask, over HTTP: rules by kind of job and field, its own alone."""

import pytest

from glaze.model.access import Scope
from tests.api.conftest import Client, Service
from tests.api.test_jobs import working

PHONE = {"kind": "enrich", "field": "company_phone", "order": ["apollo"], "min_confidence": 70}
ASKED = {"input": {"domain": "acme.example"}, "required_fields": ["company_phone"], "wait_s": 30}


async def rules(client: Client) -> list[dict]:
    return (await client.get("/v1/order")).body["items"]


async def test_a_rule_is_set_listed_replaced_and_removed_and_nobody_else_has_it(
    service: Service, theirs: Client
):
    admin = await service.client()
    assert (await rules(admin), await rules(theirs)) == ([], [])
    told = await admin.ask("PUT", "/v1/order", PHONE)
    assert (told.status, told.body) == (200, {**PHONE, "providers": None})
    await admin.ask("PUT", "/v1/order", {"providers": ["website", "hunter.email_finder"]})
    await admin.ask("PUT", "/v1/order", {**PHONE, "min_confidence": 80})
    every, phone = await rules(admin)
    assert (every["kind"], every["field"], every["order"]) == (None, None, None)
    assert every["providers"] == ["website", "hunter.email_finder"]
    assert phone["min_confidence"] == 80
    assert await rules(theirs) == []
    here = "/v1/order?kind=enrich&field=company_phone"
    assert (await theirs.ask("DELETE", here)).status == 404
    assert (await admin.ask("DELETE", here)).status == 204
    assert (await admin.ask("DELETE", here)).status == 404
    assert await rules(admin) == [every]
    log = (await admin.get("/v1/audit?limit=10")).body["items"]
    assert [one["action"] for one in log if one["action"].startswith("order.")] == [
        "order.remove", "order.set", "order.set", "order.set",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"order": ["nobody"]},
        {"providers": ["nobody.match"]},
        {"field": "company_phonee", "min_confidence": 5},
        {"kind": "no_such_kind", "min_confidence": 5},
        {"field": "company_phone", "order": ["learned"]},
        {"min_confidence": 101},
        {"floor": 5},
    ],
)
async def test_a_rule_that_names_what_there_is_not_or_says_nothing_is_refused(
    service: Service, wrong: dict
):
    admin = await service.client()
    assert (await admin.ask("PUT", "/v1/order", wrong)).status in {400, 422}
    assert await rules(admin) == []


async def test_who_reads_and_writes_may_not_set_a_rule(service: Service):
    for scope in (Scope.READ, Scope.WRITE):
        client = await service.client(scope)
        assert (await client.ask("PUT", "/v1/order", PHONE)).status == 403
        assert (await client.ask("DELETE", "/v1/order")).status == 403


async def test_a_job_that_is_posted_keeps_to_the_rules_unless_it_says_otherwise(service: Service):
    admin = await service.client()
    await admin.ask("PUT", "/v1/order", {"field": "company_phone", "providers": ["gravatar"]})
    async with working(service):
        asked = await admin.post("/v1/enrich", ASKED)
        own = await admin.post("/v1/enrich", {**ASKED, "providers": ["github"]})
    detail = {
        name: next(
            one["detail"] for one in told["result"]["stages"] if one["name"] == "gap_analysis"
        )
        for name, told in (("rule", asked.body), ("own", own.body))
    }
    assert "github.organisation: not among" not in detail["own"]
    assert "website.site: not among the allowed providers" in detail["rule"]
    assert "website.site: not among the allowed providers" in detail["own"]
