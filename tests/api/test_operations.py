"""What a dashboard of operations reads: queues, workers, dead letters with a price, what was learned."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from glaze.model.access import Scope
from glaze.model.calibration import Bin, Curve, Origin, Point
from glaze.model.value import DEFAULT_WORKSPACE, FieldName
from glaze.settings import Settings
from tests.api.conftest import Client, Service, serving
from tests.api.test_jobs import ended, working
from tests.flow.cli_process import Sandbox, running_sandbox

ASKED = {"input": {"domain": "nobody-knows-it.example"}, "required_fields": ["company_phone"]}


@pytest.fixture(scope="module")
def vendors() -> Iterator[Sandbox]:
    with running_sandbox(companies=20) as running:
        yield running


@pytest.fixture
async def service(dsn: str, vendors: Sandbox) -> AsyncIterator[Service]:
    settings = Settings(
        database_url=dsn, sandbox_url=vendors.url, apollo_api_key="sandbox-test", log_level="error"
    )
    async with serving(settings) as running:
        yield running


async def test_a_queue_tells_its_rate_and_a_worker_for_how_long_it_has_held_what_it_holds(
    service: Service, vendors: Sandbox
):
    client = await service.client()
    done = await client.post("/v1/jobs", {"kind": "enrich", "args": ASKED})
    async with working(service):
        await ended(client, done.body["id"])
        vendors.slow_down(5.0)
        try:
            held = await client.post(
                "/v1/jobs", {"kind": "enrich", "args": {**ASKED, "skip_cache": True}}
            )
            worker = await _at_work(client)
        finally:
            vendors.send("DELETE", "faults")
        assert worker["job_ids"] == [held.body["id"]]
        assert 0 <= worker["oldest_job_s"] < 20
        [queue] = (await client.get("/v1/queues")).body
        assert (queue["processing"], queue["ended_per_min"]) == (1, 1)


async def _at_work(client: Client) -> dict:
    async with asyncio.timeout(20):
        while True:
            for worker in (await client.get("/v1/workers")).body:
                if worker["job_ids"]:
                    return worker
            await asyncio.sleep(0.05)


async def test_dead_letters_are_grouped_by_cause_and_priced_before_a_group_is_opened_again(
    service: Service, theirs: Client, dsn: str
):
    client = await service.client()
    made = [await client.post("/v1/jobs", {"kind": "enrich", "args": ASKED}) for _ in range(3)]
    other = {"kind": "email_validation", "args": {"emails": ["ada@example.com"]}}
    made.append(await client.post("/v1/jobs", other))
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute(
            "update glaze.job set state = 'dead', error = 'crashed: again', finished_at = now()"
        )
    groups = (await client.get("/v1/jobs/groups?state=dead")).body
    assert {(one["kind"], one["code"], one["jobs"]) for one in groups} == {
        ("enrich", "crashed", 3),
        ("email_validation", "crashed", 1),
    }
    where = {"where": {"state": ["dead"], "error_code": "crashed"}}
    quote = (await client.post("/v1/jobs/quote", where)).body
    assert (quote["jobs"], quote["priced"]) == (4, 3)
    # All three ask the same question, which is bought once.
    assert 0 < quote["p50_micros"] <= quote["p95_micros"] <= quote["most_micros"]
    one = (await client.post("/v1/jobs/quote", {"ids": [made[0].body["id"]]})).body
    assert (one["jobs"], one["most_micros"]) == (1, quote["most_micros"])
    foreign = (await theirs.post("/v1/jobs/quote", {"ids": [made[0].body["id"]]})).body
    assert (foreign["jobs"], foreign["most_micros"]) == (0, 0)
    running = await client.post("/v1/jobs/quote", {"where": {"state": ["pending"]}})
    assert running.status == 422


async def test_what_was_learned_of_providers_and_how_far_they_are_believed_is_the_workspaces_own(
    service: Service, theirs: Client
):
    client = await service.client(Scope.READ)
    writer = await service.client(Scope.WRITE)
    asked = await writer.post("/v1/jobs", {"kind": "enrich", "args": ASKED})
    async with working(service):
        await ended(writer, asked.body["id"])
    learned = (await client.get("/v1/learned?provider=apollo")).body
    [lesson] = learned["lessons"]
    assert (lesson["field"], lesson["operation"]) == ("company_phone", "apollo.organization_enrich")
    assert (lesson["calls"], lesson["known"], lesson["asked_by"]) == (1, False, "")
    assert 0 <= lesson["low"] <= lesson["rate"] <= lesson["high"] <= 1
    [told] = (await client.get("/v1/learned?provider=apollo&segments=true")).body["lessons"]
    assert told["asked_by"] == "company_domain"
    assert (await client.get("/v1/learned?field=person_email")).body["lessons"] == []
    assert (await client.get("/v1/learned?field=no_such")).status == 422
    assert (await theirs.get("/v1/learned")).body == {"lessons": [], "lifts": []}
    none = (await client.get("/v1/calibration")).body
    assert (none["version"], none["curves"]) == (None, [])


async def test_the_curves_of_a_calibration_are_told_as_they_were_fitted(service: Service):
    client = await service.client(Scope.READ)
    bins = (Bin(60.0, 10, 5), Bin(90.0, 10, 9))
    curve = Curve((Point(60.0, 0.5), Point(90.0, 0.9)), bins)
    curves = {("apollo", FieldName("company_phone")): curve}
    await service.app.calibrations.add(DEFAULT_WORKSPACE, Origin.USERS, 20, curves)
    told = (await client.get("/v1/calibration?provider=apollo")).body
    assert (told["origin"], told["samples"], told["held_out"]) == ("users", 20, None)
    assert told["curves"] == [
        {
            "provider": "apollo",
            "field": "company_phone",
            "points": [{"stated": 60.0, "sure": 0.5}, {"stated": 90.0, "sure": 0.9}],
            "bins": [
                {"stated": 60.0, "statements": 10, "right": 5},
                {"stated": 90.0, "statements": 10, "right": 9},
            ],
        }
    ]
    assert (await client.get("/v1/calibration?provider=hunter")).body["curves"] == []


async def test_the_books_are_judged_from_the_workspaces_own_rows_and_by_an_admin_alone(
    service: Service, theirs: Client, dsn: str
):
    admin, reader = await service.client(), await service.client(Scope.READ)
    await admin.ask("PUT", "/v1/budgets/day", {"cap_cents": 500})
    asked = await admin.post("/v1/jobs", {"kind": "enrich", "args": ASKED})
    async with working(service):
        await ended(admin, asked.body["id"])
    judged = {one["invariant"]: one for one in (await admin.get("/v1/calls/verify")).body}
    assert all(one["holds"] for one in judged.values())
    assert judged["ended_calls_have_a_price"]["rows"] > 0
    assert (await reader.get("/v1/calls/verify")).status == 403
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("update glaze.budget set spent_micros = spent_micros + 1")
    books = {one["invariant"]: one for one in (await admin.get("/v1/calls/verify")).body}
    broken = books["budgets_hold_what_their_calls_hold"]
    assert (broken["holds"], broken["broken"], len(broken["examples"])) == (False, 1, 1)
    assert all(one["rows"] == 0 for one in (await theirs.get("/v1/calls/verify")).body)
    shown = {one["name"]: one for one in (await reader.get("/v1/providers")).body}
    assert (shown["apollo"]["calls"]["calls"], shown["apollo"]["circuit"]["state"]) == (1, "closed")
