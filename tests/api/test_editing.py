"""Of two who change the same thing the second is told so, where it says what it read (``If-Match``)."""

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import pytest

from glaze.model.access import Scope
from tests.api.conftest import Answer, Client, Service

HOOK = "https://example.com/glaze"


async def _budget(client: Client) -> tuple[str, str, str, list[dict]]:
    await client.ask("PUT", "/v1/budgets/day", {"cap_cents": 100})
    path = "/v1/budgets/day"
    return "PUT", path, path, [{"cap_cents": 200}, {"cap_cents": 300}]


async def _order(client: Client) -> tuple[str, str, str, list[dict]]:
    await client.ask("PUT", "/v1/order", {"min_confidence": 10})
    bodies = [{"min_confidence": 20}, {"field": "company_phone", "min_confidence": 30}]
    return "PUT", "/v1/order", "/v1/order", bodies


async def _retention(client: Client) -> tuple[str, str, str, list[dict]]:
    await client.ask("PUT", "/v1/retention", {"logs_days": 5})
    return "PUT", "/v1/retention", "/v1/retention", [{"logs_days": 7}, {"logs_days": 9}]


async def _webhook(client: Client) -> tuple[str, str, str, list[dict]]:
    made = await client.post("/v1/webhooks", {"url": HOOK, "events": ["job.*"]})
    path = f"/v1/webhooks/{made.body['id']}"
    return "PATCH", path, path, [{"description": "crm"}, {"disabled": True}]


async def _job(client: Client) -> tuple[str, str, str, list[dict]]:
    made = await client.post(
        "/v1/jobs", {"kind": "enrich", "args": {"input": {"domain": "acme.com"}}}
    )
    path = f"/v1/jobs/{made.body['id']}"
    return "PATCH", path, path, [{"priority": 2}, {"tags": ["urgent"]}]


Made = Callable[[Client], Awaitable[tuple[str, str, str, list[dict]]]]
ALL = [_budget, _order, _retention, _webhook, _job]


@pytest.mark.parametrize("make", ALL, ids=lambda one: one.__name__[1:])
async def test_of_two_changes_at_once_that_were_meant_for_the_same_one_is_made(
    service: Service, make: Made
):
    client = await service.client()
    method, path, read, (one, other) = await make(client)
    etag = (await client.get(read)).headers["ETag"]
    answers = await asyncio.gather(
        *(client.ask(method, path, body, If_Match=etag) for body in (one, other))
    )
    assert sorted(answer.status for answer in answers) == [200, 412], answers
    won, lost = sorted(answers, key=lambda answer: answer.status)
    _tells_what_to_do(lost)
    now = await client.get(read)
    assert now.headers["ETag"] != etag
    assert won.headers["ETag"] == now.headers["ETag"]
    again = await client.ask(method, path, other, If_Match=now.headers["ETag"])
    assert again.status == 200
    assert (
        await client.ask(method, path, one)
    ).status == 200  # who says nothing changes whatever is there


@pytest.mark.parametrize("make", [_budget, _order, _webhook], ids=["budget", "order", "webhook"])
async def test_what_was_changed_since_it_was_read_is_not_removed(service: Service, make: Made):
    client = await service.client()
    method, path, read, (one, _) = await make(client)
    etag = (await client.get(read)).headers["ETag"]
    await client.ask(method, path, one)
    refused = await client.ask("DELETE", path, If_Match=etag)
    _tells_what_to_do(refused)
    etag = (await client.get(read)).headers["ETag"]
    assert (await client.ask("DELETE", path, If_Match=etag)).status == 204


async def test_a_cap_is_set_for_the_first_time_by_one_of_two_who_say_so(service: Service):
    client = await service.client()
    path = "/v1/budgets/apollo"
    assert (await client.get(path)).status == 404
    answers = await asyncio.gather(
        *(client.ask("PUT", path, {"cap_cents": n}, If_None_Match="*") for n in (1, 2))
    )
    assert sorted(answer.status for answer in answers) == [200, 412]
    absent = await client.ask("PUT", "/v1/budgets/hunter", {"cap_cents": 1}, If_Match='"x"')
    assert absent.status == 412


async def test_who_changes_what_is_not_there_yet_waits_for_who_makes_it_at_this_moment(
    service: Service, dsn: str
):
    client = await service.client()
    waits = "select count(*) from pg_locks where not granted"
    async with (
        await psycopg.AsyncConnection.connect(dsn) as other,
        await psycopg.AsyncConnection.connect(dsn, autocommit=True) as looking,
    ):
        await other.execute("select pg_advisory_xact_lock(hashtextextended('budget', 1))")
        await other.execute("insert into glaze.spend_cap values (1, 'apollo', 50000)")
        path = "/v1/budgets/apollo"
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            change = group.create_task(client.ask("PUT", path, {"cap_cents": 1}, If_None_Match="*"))
            while (await (await looking.execute(waits)).fetchone()) == (0,):  # noqa: ASYNC110  another process's
                await asyncio.sleep(0.02)
            await other.commit()
        _tells_what_is_there(change.result())
    assert (await client.get(path)).body["cap_micros"] == 50000


def _tells_what_is_there(refused: Answer) -> None:
    assert (refused.status, refused.body.get("code")) == (412, "edit_conflict")


async def test_a_paused_price_is_asked_at_again_by_an_admin_and_the_log_says_who(
    service: Service, dsn: str
):
    client, writer = await service.client(), await service.client(Scope.WRITE)
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("set session_replication_role = replica")  # whose bill showed it is left out
        owner.execute(
            "insert into glaze.paused_price (workspace_id, provider, operation, reserved_micros,"
            " billed_micros, request_id) values (1, 'apollo', 'people_match', 1, 2, 1),"
            " (1, 'apollo', 'organization_enrich', 1, 2, 1)"
        )
    path = "/v1/budgets/apollo/resume"
    assert (await writer.post(path)).status == 403
    assert (await client.post("/v1/budgets/day/resume")).status == 422
    [left] = (await client.post(f"{path}?operation=people_match")).body
    assert left["operation"] == "organization_enrich"
    assert (await client.post(path)).body == []
    assert (await client.get("/v1/budgets")).body["paused"] == []
    log = (await client.get("/v1/audit?limit=2")).body["items"]
    assert [one["detail"]["operations"] for one in log if one["action"] == "price.resume"] == [
        ["organization_enrich"],
        ["people_match"],
    ]


def _tells_what_to_do(refused: Answer) -> None:
    assert (refused.status, refused.body["code"]) == (412, "edit_conflict")
    assert "read it again" in refused.body["detail"]
    assert "ETag" in refused.body["detail"]


async def test_a_pause_is_a_change_of_a_schedule(service: Service):
    client = await service.client()
    path = "/v1/schedules/weekly"
    made = {
        "cron": "0 6 * * 1",
        "kind": "enrich",
        "args": {"input": {"website": "a.example"}, "required_fields": ["company_name"]},
    }
    assert (await client.ask("PUT", path, made)).status in {200, 201}
    etag = (await client.get(path)).headers["ETag"]
    await client.post(f"{path}/pause")
    assert (await client.get(path)).headers["ETag"] != etag
    _tells_what_to_do(await client.ask("PUT", path, made, If_Match=etag))
