"""Finding jobs among many, and how they fare (H1): filters, words, estimates, metrics, saved views."""

from typing import Any

import psycopg
import pytest

from glaze.model.access import Scope
from tests.api.conftest import Client, Service
from tests.api.test_jobs import BROKEN, ENRICH, ended, made, working

OLD = "update glaze.job set created_at = now() - interval '2 days', finished_at = now() - interval '2 days' where id = %s"


async def listed(client: Client, query: str) -> list[int]:
    answer = await client.get(f"/v1/jobs?{query}")
    assert answer.status == 200, answer.body
    return [one["id"] for one in answer.body["items"]]


def asking(domain: str) -> dict[str, Any]:
    return {"input": {"domain": domain}, "required_fields": ["company_name"]}


async def test_jobs_are_found_by_state_kind_tag_time_and_how_long_they_took(
    service: Service, dsn: str
):
    client = await service.client(Scope.WRITE)
    [plain] = await made(client)
    [tagged] = await made(client, tags=["spring", "vip"])
    [other] = await made(client, tags=["spring"])
    [mail] = await made(client, kind="email_validation", args={"emails": ["a@b.com"]})
    [failed, old] = await made(client, 2, args=BROKEN)
    await client.post(f"/v1/jobs/{other}/cancel")
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute(
            "update glaze.job set state = 'failed', started_at = now() - interval '90 s',"
            " finished_at = now() where id = any(%s)",
            ([failed, old],),
        )
        owner.execute(OLD, (old,))
        [day] = owner.execute("select to_char(now() - interval '1 day', 'YYYY-MM-DD')").fetchone()
    assert await listed(client, "state=failed") == [old, failed]
    assert await listed(client, f"state=failed&state=dead&finished_after={day}T00:00:00Z") == [
        failed
    ]
    assert await listed(client, "state=pending&state=cancelled") == [mail, other, tagged, plain]
    assert await listed(client, "state=processing") == []
    assert await listed(client, "kind=email_validation") == [mail]
    assert await listed(client, "kind=email_validation&kind=enrich&limit=2") == [old, failed]
    assert await listed(client, "kind=enrich&state=cancelled") == [other]
    assert await listed(client, "tag=spring") == [other, tagged]
    assert await listed(client, "tag=spring&tag=vip") == [tagged]
    assert await listed(client, "any_tag=vip&any_tag=spring&limit=1") == [other]
    assert await listed(client, "tag=spring&state=pending") == [tagged]
    assert await listed(client, "slower_than_s=60") == [failed]
    assert await listed(client, "slower_than_s=100") == []
    assert await listed(client, "queue=nowhere") == []
    changed = await client.ask("PATCH", f"/v1/jobs/{plain}", {"tags": ["summer"]})
    assert changed.status == 200
    assert await listed(client, "tag=summer") == [plain]
    await client.ask("PATCH", f"/v1/jobs/{plain}", {"tags": []})
    assert await listed(client, "tag=summer") == []


async def test_jobs_are_found_by_words_of_their_arguments_page_by_page(service: Service, theirs):
    client = await service.client(Scope.WRITE)
    ids = [(await made(client, args=asking(f"acme{n % 2}.com"), tags=["x"]))[0] for n in range(6)]
    [mail] = await made(client, kind="email_validation", args={"emails": ["Ada@Acme1.com"]})
    assert await listed(client, "text=acme1.com") == [ids[5], ids[3], ids[1]]
    assert await listed(client, "text=ACME") == ids[::-1]
    assert await listed(client, "text=ada%40acme1.com") == [mail]
    assert await listed(client, "text=acme0+company_name&limit=2") == [ids[4], ids[2]]
    assert await listed(client, f"text=acme0&limit=2&before={ids[2]}") == [ids[0]]
    assert await listed(client, "text=acme1&kind=enrich&tag=x") == [ids[5], ids[3], ids[1]]
    assert await listed(client, "text=acme1&state=cancelled") == []
    for nothing in ("acme9", "%2D%2D", "ws%2F1", "a%27%20or%20true"):
        assert await listed(client, f"text={nothing}") == [], nothing
    assert await listed(theirs, "text=acme") == []
    act = {"action": "cancel", "where": {"text": "acme1.com"}}
    assert (await client.post("/v1/jobs/actions", act)).body["done"] == 3
    assert (await client.get("/v1/jobs?text=")).status == 422


async def test_a_list_says_how_many_there_are_where_it_is_asked_to(service: Service):
    client = await service.client(Scope.WRITE)
    ids = await made(client, 3)
    await client.post(f"/v1/jobs/{ids[0]}/cancel")
    for query, jobs in (("", 3), ("&state=cancelled&state=pending", 3), ("&state=cancelled", 1)):
        page = (await client.get(f"/v1/jobs?count=true&limit=1{query}")).body
        assert page["estimate"] == {"jobs": jobs, "exact": True}, query
    assert (await client.get("/v1/jobs?count=true&text=acme")).body["estimate"] is None
    assert (await client.get("/v1/jobs")).body["estimate"] is None


async def test_metrics_tell_what_waits_what_ended_and_at_what_rate(service: Service, theirs):
    client = await service.client()
    empty = (await client.get("/v1/metrics")).body
    assert (empty["ended"], empty["sample"]["success"]["rate"]) == (0, None)
    [broken, good] = [(await made(client, args=args))[0] for args in (BROKEN, ENRICH)]
    [later] = await made(client, run_at="2090-01-01T00:00:00Z")
    async with working(service):
        await ended(client, broken)
        good_state = (await ended(client, good))["state"]
    assert later
    told = (await client.get("/v1/metrics?window_s=3600")).body
    assert told["open"] == {"waiting": 0, "scheduled": 1, "pending": 0, "processing": 0}
    assert told["ended"] == told["sample"]["jobs"] == 2
    assert told["per_minute"] == pytest.approx(2 / 60)
    assert told["sample"]["states"]["failed"] == 1 + (good_state == "failed")
    assert told["sample"]["durations"]["p95_s"] > 0
    assert (await theirs.get("/v1/metrics")).body["ended"] == 0
    assert (await client.get("/v1/metrics?window_s=1")).status == 422


async def test_a_view_is_saved_and_of_two_who_change_it_the_second_is_told(service: Service):
    client, reader = await service.client(Scope.WRITE), await service.client(Scope.READ)
    body = {"list": "jobs", "name": "dead ", "query": {"state": ["dead", "failed"]}}
    made_ = await client.post("/v1/views", body)
    assert made_.status == 201
    path = made_.headers["Location"]
    seen = await reader.get(path)
    assert (seen.body["name"], seen.body["query"]) == ("dead", body["query"])
    again = await client.post("/v1/views", body)
    assert (again.status, again.body["code"]) == (422, "input_invalid")
    change = {"name": "bad", "query": {}}
    etag = seen.headers["ETag"]
    first = await client.ask("PUT", path, change, If_Match=etag)
    assert (first.status, first.body["name"]) == (200, "bad")
    second = await client.ask("PUT", path, {**change, "name": "worse"}, If_Match=etag)
    assert (second.status, second.body["code"]) == (412, "edit_conflict")
    assert (await client.ask("DELETE", path, If_Match=etag)).status == 412
    assert (await reader.ask("DELETE", path)).status == 403
    assert [one["name"] for one in (await reader.get("/v1/views?list=jobs")).body] == ["bad"]
    assert (await reader.get("/v1/views?list=calls")).body == []
    assert (await client.ask("DELETE", path, If_Match=first.headers["ETag"])).status == 204
    assert (await client.get(path)).status == 404
