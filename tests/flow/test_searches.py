"""Searches (H8): seen for nothing, unlocked by credit or a signed payment, and what was paid is never lost."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cli_process import Cli, Sandbox
from ledger_facts import assert_budgets_hold, assert_paid_once, one
from test_people import hits
from tests.api.conftest import Answer, Client, Service, serving
from tests.api.test_jobs import ended, working
from whole_path import settings_of, watch

from glaze.model.access import Scope
from glaze.model.job import NewJob
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.store.retention import RetentionStore
from glaze.store.workspace import WorkspaceStore
from glaze_sandbox.knowledge import APOLLO, Knowledge
from glaze_sandbox.seeded import hex_id
from glaze_sandbox.world.entities import Person
from glaze_sandbox.world.population import World

LATER = "checkout.session.async_payment_succeeded"
SECRET = "whsec_of-the-checkout"
FIELDS = ["person_full_name", "person_title"]
ASKED = {"criteria": {"titles": ["engineer"]}, "fields": FIELDS, "limit": 5}
SETTINGS = {"PAYMENT_WEBHOOK_SECRET": SECRET, "GLAZE_SEARCH_CONTACT_CENTS": "25"}
SETTINGS |= {"GLAZE_SEARCH_COMPANY_CENTS": "40"}


@pytest.fixture
async def service(quick: Mapping[str, str]) -> AsyncIterator[Service]:
    async with serving(settings_of(dict(quick) | SETTINGS)) as running:
        yield running


async def reached(client: Client, search_id: int, *states: str) -> Any:
    async with asyncio.timeout(60):
        while True:
            search = (await client.get(f"/v1/searches/{search_id}")).body
            if search["state"] in states:
                return search
            await asyncio.sleep(0.05)


async def previewed(service: Service, client: Client, asked: Any = ASKED) -> Any:
    made = await client.post("/v1/searches", asked)
    assert (made.status, made.body["state"]) == (202, "draft")
    async with working(service):
        return await reached(client, made.body["id"], "preview", "failed")


def checkout(reference: str, cents: int, **changed: Any) -> dict[str, Any]:
    session = {"client_reference_id": reference, "amount_total": cents, "currency": "usd"}
    session |= {"id": "cs_1", "payment_status": "paid"} | changed.pop("session", {})
    event = {"id": "evt_1", "type": "checkout.session.completed", "data": {"object": session}}
    return event | changed


async def paid(
    service: Service, event: Any, *, secret: str = SECRET, age_s: int = 0, body: bytes = b""
) -> Answer:
    """Send an event as Stripe does, bytes as they are; ``body`` in place of the one that was signed."""
    raw = event if isinstance(event, bytes) else json.dumps(event).encode()
    moment = int(service.app.clock().timestamp()) - age_s
    mac = hmac.new(secret.encode(), f"{moment}.".encode() + raw, hashlib.sha256).hexdigest()
    headers = {"Stripe-Signature": f"t={moment},v1={'0' * 64},v1={mac}"}
    async with service.http.post(
        f"{service.url}/v1/payments/stripe", data=body or raw, headers=headers
    ) as answer:
        return Answer(answer.status, answer.headers, await answer.json(content_type=None))


async def test_a_search_shows_masked_contacts_and_a_price_for_nothing_and_credit_unlocks_it_once(
    service: Service, vendors: Sandbox, dsn: str
):
    client = await service.client()
    search = await previewed(service, client)
    assert vendors.billed_micros == 0
    assert (len(search["contacts"]), search["price_cents"]) == (5, 125)
    assert search["found"] >= 5
    assert all("***" in contact["last_name"] for contact in search["contacts"])
    path = f"/v1/searches/{search['id']}"
    short = await client.post(f"{path}/unlock")
    assert (short.status, short.body["code"]) == (402, "credit_short")
    assert (await client.post("/v1/credit", {"cents": 300})).body == {"balance_cents": 300}
    unlocks = await asyncio.gather(*(client.post(f"{path}/unlock") for _ in range(4)))
    assert sorted(answer.status for answer in unlocks) == [202, 409, 409, 409]
    assert (await client.get("/v1/credit")).body == {"balance_cents": 175}
    async with working(service):
        search = await reached(client, search["id"], "ready")
    job = (await client.get(f"/v1/jobs/{search['job_id']}")).body
    rows = (await client.get(f"/v1/batches/{job['result']['batch_id']}/rows")).body["items"]
    names = [row["cells"].get("person_full_name", {}).get("value", "") for row in rows]
    assert any(" " in name and "*" not in name for name in names), rows
    assert 0 < job["result"]["cost_micros"] <= 125 * 10_000
    assert_paid_once(dsn, vendors)
    assert_budgets_hold(dsn)
    entries = (await client.get("/v1/credit/entries")).body["items"]
    assert [(entry["cents"], entry["reason"]) for entry in entries] == [
        (-125, "search"),
        (300, "granted"),
    ]
    told = "select string_agg(type, ',' order by id) from glaze.event where type like 'search.%'"
    assert one(dsn, told) == (
        "search.created,search.preview,search.paid,search.enriching,search.ready"
    )


def known_to_apollo(vendors: Sandbox, search: Any) -> list[tuple[str, Person]]:
    """Return who stands behind the contacts of a search, with Apollo's id; of those with an address."""
    health = vendors.get("health")
    world = World(health["seed"], health["companies"])
    people = [one for company in world.companies() for one in world.people_of(company)]
    by_id = {hex_id(world.seed, "apollo", one.slug): one for one in people}
    return [(shown, by_id[shown]) for shown in search if by_id[shown].email]


async def test_a_suppressed_person_is_not_shown_and_whom_nobody_could_know_is_not_charged_for_or_kept(
    service: Service, vendors: Sandbox, dsn: str
):
    client = await service.client()
    await client.post("/v1/credit", {"cents": 1000})
    first = await previewed(service, client)
    ids = [shown["person_apollo_id"] for shown in one(dsn, "select contacts from glaze.search")]
    stated = dict(known_to_apollo(vendors, ids))
    believed = Knowledge(APOLLO, World(*map(vendors.get("health").get, ("seed", "companies"))))
    (met_id, met), (new_id, new) = [
        (shown, person)
        for shown, person in stated.items()
        if (believed.person(person) or {}).get("person_email") == person.email
    ][:2]
    # One was enriched by the address before, so that Apollo's id is known; of the other nothing is.
    asked = {"input": {"email": str(met.email)}, "fields": ["person_title"], "wait_s": 30}
    async with working(service):
        assert (await client.post("/v1/enrich", asked)).status == 200
    for person in (met, new):
        who = {"input": {"email": str(person.email)}}
        assert (await client.post("/v1/people/suppress", who)).status == 200
    second = await previewed(service, client)
    assert (second["found"], len(second["contacts"])) == (first["found"] - 1, 4)
    assert second["price_cents"] == 100
    shown = f"select contacts::text from glaze.search where id = {second['id']}"
    assert (met_id in one(dsn, shown), new_id in one(dsn, shown)) == (False, True)

    assert (await client.post(f"/v1/searches/{second['id']}/unlock")).status == 202
    async with working(service):
        ready = await reached(client, second["id"], "ready", "failed")
    assert (ready["state"], ready["returned_cents"]) == ("ready", 25)
    assert (await client.get("/v1/credit")).body == {"balance_cents": 1000 - 100 + 25}
    assert hits(dsn, [str(new.email), new.full_name]) == {}
    job = (await client.get(f"/v1/jobs/{ready['job_id']}")).body
    enriched = (await client.get(f"/v1/batches/{job['result']['batch_id']}/rows")).body["items"]
    [barred] = [row for row in enriched if row["state"] == "failed"]
    assert barred["error"].startswith("person_suppressed: ")
    assert barred["cells"] == {}
    assert_paid_once(dsn, vendors)
    third = await previewed(service, client)
    assert (third["found"], len(third["contacts"])) == (first["found"] - 2, 3)


COMPANIES = {
    "about": "companies",
    "criteria": {"company_sizes": ["11,500"]},
    "fields": ["company_name", "company_website", "company_phone"],
    "limit": 4,
}


async def test_companies_are_shown_masked_bought_once_in_the_ledger_and_enriched_once_unlocked(
    service: Service, vendors: Sandbox, dsn: str
):
    client = await service.client()
    search = await previewed(service, client, COMPANIES)
    assert (search["contacts"], len(search["companies"])) == (None, 4)
    assert search["found"] > 4
    assert search["price_cents"] == 4 * 40
    assert vendors.billed_micros == 100_000  # a credit for the page
    kept = one(dsn, "select contacts from glaze.search")
    for company, hidden in zip(search["companies"], kept, strict=True):
        assert "***" in company["name"]
        assert hidden["company_domain"] not in str(company)
    again = await previewed(service, client, COMPANIES)
    assert again["companies"] == search["companies"]
    assert vendors.billed_micros == 100_000
    await client.post("/v1/credit", {"cents": 160})
    path = f"/v1/searches/{search['id']}"
    assert (await client.post(f"{path}/unlock")).status == 202
    async with working(service):
        search = await reached(client, search["id"], "ready")
    job = (await client.get(f"/v1/jobs/{search['job_id']}")).body
    rows = (await client.get(f"/v1/batches/{job['result']['batch_id']}/rows")).body["items"]
    assert [row["input"]["company_domain"] for row in rows] == [
        one["company_domain"] for one in kept
    ]
    assert all("***" not in row["cells"]["company_name"]["value"] for row in rows)
    assert_paid_once(dsn, vendors)
    assert_budgets_hold(dsn)


async def test_a_search_for_companies_beyond_the_budget_is_not_sent_and_says_so(
    service: Service, vendors: Sandbox
):
    client = await service.client()
    await client.ask("PUT", "/v1/budgets/day", {"cap_cents": 9})
    failed = await previewed(service, client, COMPANIES)
    assert failed["state"] == "failed"
    assert failed["error"].startswith("budget_exceeded: over budget")
    assert vendors.billed_micros == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"criteria": {"titles": ["cto"]}}, "titles says nothing of companies"),
        ({"fields": ["person_email"]}, "person_email is a person's"),
        ({"criteria": {}}, "give a criterion: company_domains"),
    ],
)
async def test_companies_are_not_looked_for_by_what_people_are(
    service: Service, change: dict[str, Any], told: str
):
    client = await service.client()
    refused = await client.post("/v1/searches", COMPANIES | change)
    assert refused.status == 422
    assert told in refused.body["detail"]


async def test_a_payment_counts_once_if_it_is_signed_fresh_enough_and_for_this_search(
    service: Service, dsn: str
):
    client = await service.client()
    search = await previewed(service, client)
    reference, price = search["payment_reference"], search["price_cents"]
    good = checkout(reference, price)
    theirs = await WorkspaceStore(service.app.db).create("theirs")
    foreign = reference.replace("search-1-", f"search-{theirs.id}-")
    for answer in (
        await paid(service, good, secret="another"),
        await paid(service, good, age_s=301),
        await paid(service, good, age_s=-301),
        await paid(service, good, body=json.dumps(checkout(reference, 1)).encode()),
    ):
        assert answer.status == 400
    assert (await client.post("/v1/payments/stripe", good)).status == 400
    assert (await paid(service, checkout(foreign, price))).status == 404
    assert (await paid(service, checkout(reference[:-1], price))).status == 404
    for n, (cents, session) in enumerate(((price - 1, {}), (price, {"currency": "eur"}))):
        bad = checkout(reference, cents, id=f"evt_bad{n}", session={"id": f"cs_bad{n}"} | session)
        assert (await paid(service, bad)).status == 422
    waiting = checkout(reference, price, session={"payment_status": "unpaid"})
    assert (await paid(service, waiting)).body == {"status": "ignored"}
    assert (await client.get(f"/v1/searches/{search['id']}")).body["state"] == "preview"

    together = await asyncio.gather(*(paid(service, good) for _ in range(4)))
    assert sorted(answer.body["status"] for answer in together) == [*["duplicate"] * 3, "unlocked"]
    same = await paid(service, good | {"id": "evt_2", "type": LATER})
    assert same.body == {"status": "duplicate"}
    again = await paid(service, checkout(reference, price, id="evt_3", session={"id": "cs_2"}))
    assert again.body == {"status": "credited"}
    assert (await client.get("/v1/credit")).body == {"balance_cents": price}
    assert one(dsn, "select count(*) from glaze.job where kind = 'enrich_search'") == 1
    outcomes = "select string_agg(outcome, '; ' order by event_id) from glaze.payment"
    assert one(dsn, outcomes) == (
        f"unlocked; credited; refused: {price - 1} cents of {price};"
        " refused: paid in eur, not in usd"
    )


async def test_an_empty_secret_is_none_and_signs_no_payment(quick: Mapping[str, str]):
    nothing = dict(quick) | SETTINGS | {"PAYMENT_WEBHOOK_SECRET": ""}
    async with serving(settings_of(nothing)) as service:
        assert (await paid(service, checkout("search-1-1-00", 1), secret="")).status == 400


async def test_money_that_comes_days_later_unlocks_and_what_else_is_sold_is_no_fault(
    service: Service, dsn: str
):
    client = await service.client()
    search = await previewed(service, client)
    reference, price = search["payment_reference"], search["price_cents"]
    for n, other in enumerate((None, "order-77", "search-party", f"re-{reference}")):
        sold = checkout(reference, price, id=f"evt_o{n}", session={"client_reference_id": other})
        assert (await paid(service, sold)).body == {"status": "ignored"}
    for cents in (True, "125", None, 1.5):
        odd = await paid(service, checkout(reference, cents))  # type: ignore[arg-type]  # what is no amount
        assert (odd.status, odd.body["code"]) == (422, "input_invalid")
    halves = (checkout(reference, price, id="evt_\ud800"), checkout(reference, price))
    halves[1]["data"]["object"]["currency"] = "\udfff"
    for unreadable in (b"[" * 500_000, b'{"a":' * 100_000, b'{"id": "\xff"}', *halves):
        odd = await paid(service, unreadable)
        assert (odd.status, odd.body["code"]) == (422, "input_invalid")
    waiting = checkout(reference, price, session={"payment_status": "unpaid"})
    assert (await paid(service, waiting)).body == {"status": "ignored"}
    came = checkout(reference, price, id="evt_2", type=LATER)
    assert (await paid(service, came)).body == {"status": "unlocked"}
    assert one(dsn, "select string_agg(outcome, ';') from glaze.payment") == "unlocked"


async def test_a_search_that_nobody_paid_for_is_not_enriched_whatever_job_names_it(
    service: Service, vendors: Sandbox
):
    client = await service.client()
    search = await previewed(service, client)
    job = NewJob("enrich_search", {"search_id": search["id"]})
    (job_id,) = await service.app.jobs.enqueue(DEFAULT_WORKSPACE, [job])
    async with working(service):
        assert (await ended(client, job_id))["error"].startswith("search_unpaid: ")
    assert vendors.billed_micros == 0
    path = f"/v1/searches/{search['id']}"
    assert (await client.get(path)).body["state"] == "preview"
    await client.post("/v1/credit", {"cents": 125})
    assert (await client.post(f"{path}/unlock")).status == 202
    async with working(service):
        ready = await reached(client, search["id"], "ready")
    billed = vendors.billed_micros
    await client.post(f"/v1/jobs/{ready['job_id']}/retry")
    async with working(service):
        again = await ended(client, ready["job_id"])
    assert again["error"].startswith("search_ended: ")
    assert vendors.billed_micros == billed


@pytest.mark.parametrize("what", ["batches", "jobs"])
async def test_a_search_that_is_broken_off_gives_back_what_was_paid_for_the_rest_and_no_more(
    quick: Mapping[str, str], vendors: Sandbox, dsn: str, what: str
):
    served = "select completed + partial from glaze.batch"
    alone = dict(quick) | SETTINGS | {"GLAZE_CONCURRENCY": "1"}
    async with serving(settings_of(alone)) as service:
        client = await service.client()
        await client.post("/v1/credit", {"cents": 125})
        search = await previewed(service, client)
        vendors.slow_down(0.3)
        path = f"/v1/searches/{search['id']}"
        unlocked = (await client.post(f"{path}/unlock")).body
        async with working(service):
            watching = lambda: (one(dsn, f"select coalesce(({served}), 0)") or 0) > 0  # noqa: E731
            await asyncio.to_thread(watch, watching, hang_s=30)
            batch = one(dsn, "select id from glaze.batch")
            broken_off = batch if what == "batches" else unlocked["job_id"]
            assert (await client.post(f"/v1/{what}/{broken_off}/cancel")).status == 200
            over = await reached(client, search["id"], "ready", "failed")
            ended_at = "select finished_at is not null from glaze.batch"
            await asyncio.to_thread(watch, lambda: one(dsn, ended_at), hang_s=30)
            back = await client.post(f"{path}/refund")
        kept = 25 * one(dsn, served)
        assert 0 < kept < 125
        expected = ("ready", 409) if what == "batches" else ("failed", 200)
        assert (over["state"], back.status) == expected
        assert (await client.get("/v1/credit")).body == {"balance_cents": 125 - kept}
        assert (await client.post(f"{path}/refund")).status == 409
        assert (await client.post(f"/v1/batches/{batch}/retry")).status == 409


@pytest.mark.parametrize("what", ["batches", "jobs"])
async def test_companies_that_were_handed_over_are_not_given_back_by_breaking_their_search_off(
    quick: Mapping[str, str], vendors: Sandbox, dsn: str, what: str
):
    alone = dict(quick) | SETTINGS | {"GLAZE_CONCURRENCY": "1"}
    async with serving(settings_of(alone)) as service:
        client = await service.client()
        await client.post("/v1/credit", {"cents": 160})
        search = await previewed(service, client, COMPANIES)
        vendors.slow_down(0.3)
        path = f"/v1/searches/{search['id']}"
        unlocked = (await client.post(f"{path}/unlock")).body
        async with working(service):
            enriched = "select coalesce(sum(completed + partial), 0) from glaze.batch"
            await asyncio.to_thread(watch, lambda: (one(dsn, enriched) or 0) > 0, hang_s=30)
            batch = one(dsn, "select id from glaze.batch")
            broken_off = batch if what == "batches" else unlocked["job_id"]
            assert (await client.post(f"/v1/{what}/{broken_off}/cancel")).status == 200
            await reached(client, search["id"], "ready", "failed")
            is_over = "select finished_at is not null from glaze.batch"
            await asyncio.to_thread(watch, lambda: one(dsn, is_over), hang_s=30)
        assert one(dsn, "select cancelled from glaze.batch") > 0
        rows = (await client.get(f"/v1/batches/{batch}/rows")).body["items"]
        assert all("***" not in row["input"]["company_domain"] for row in rows)
        refused = await client.post(f"{path}/refund")
        assert (refused.status, refused.body["code"]) == (409, "search_state_conflict")
        assert (await client.get("/v1/credit")).body == {"balance_cents": 0}
        if what == "jobs":
            assert "were handed over" in refused.body["detail"]
            retention, after = RetentionStore(service.app.db), ""
            while one(dsn, "select count(*) from glaze.batch"):  # nor once it is too old to be kept
                after = (await retention.batches(DEFAULT_WORKSPACE, 0, after)).last or ""
            assert (await client.post(f"{path}/refund")).status == 409
            assert (await client.post(f"{path}/retry")).status == 202
            async with working(service):
                await reached(client, search["id"], "ready")
            assert_paid_once(dsn, vendors)


async def test_companies_that_were_not_handed_over_yet_are_paid_back_whole(service: Service):
    client = await service.client()
    await client.post("/v1/credit", {"cents": 160})
    search = await previewed(service, client, COMPANIES)
    path = f"/v1/searches/{search['id']}"
    unlocked = (await client.post(f"{path}/unlock")).body
    assert (await client.post(f"/v1/jobs/{unlocked['job_id']}/cancel")).status == 200
    assert (await client.post(f"{path}/refund")).status == 200
    assert (await client.get("/v1/credit")).body == {"balance_cents": 160}


async def test_a_payment_outlives_workers_that_are_killed_before_and_after_its_batch_is_made(
    quick: Mapping[str, str], service: Service, vendors: Sandbox, dsn: str, tmp_path: Path
):
    client = await service.client()
    search = await previewed(service, client)
    vendors.slow_down(1.0)
    assert (await paid(service, checkout(search["payment_reference"], 125))).status == 200
    cli = Cli(tmp_path, dict(quick) | SETTINGS)
    state = "select state from glaze.search"
    for seen in ("enriching", "enriching"):
        process = cli.start("worker")
        await asyncio.to_thread(watch, lambda seen=seen: one(dsn, state) == seen, hang_s=60)
        process.kill()
        process.communicate()
    async with working(service):
        await reached(client, search["id"], "ready")
    assert one(dsn, "select count(*) from glaze.batch") == 1
    assert one(dsn, "select count(*) from glaze.batch_row") == 5
    assert_paid_once(dsn, vendors)


async def test_a_search_that_failed_is_tried_again_or_paid_back_and_never_both(
    service: Service, vendors: Sandbox, dsn: str
):
    client = await service.client()
    await client.post("/v1/credit", {"cents": 250})
    first, second = [await previewed(service, client) for _ in range(2)]
    vendors.send("POST", "faults", {"kind": "status", "vendor": "apollo", "status": 401})
    for search in (first, second):
        await client.post(f"/v1/searches/{search['id']}/unlock")
    async with working(service):
        for search in (first, second):
            failed = await reached(client, search["id"], "failed")
            assert failed["error"]
    assert (await client.get("/v1/credit")).body == {"balance_cents": 0}
    back = f"/v1/searches/{first['id']}"
    assert (await client.post(f"{back}/refund")).status == 200
    for act in ("refund", "retry"):
        assert (await client.post(f"{back}/{act}")).status == 409
    assert (await client.get("/v1/credit")).body == {"balance_cents": 125}
    vendors.send("DELETE", "faults")
    with_key = "delete from glaze.vendor_room"  # what was said against the key
    _do(dsn, with_key)
    its_batch = (
        "select b.id from glaze.batch b join glaze.search s on s.job_id = b.job_id"
        f" where s.id = {second['id']}"
    )
    some = f"batch_id = ({its_batch}) where id = (select max(id) from glaze.call)"
    _do(dsn, f"update glaze.call set price_micros = 300001, {some}")
    assert (await client.post(f"/v1/searches/{second['id']}/retry")).status == 202
    async with working(service):
        await reached(client, second["id"], "ready")
    cap = "select cap_micros from glaze.budget where scope = 'batch' and scope_key::bigint"
    assert (
        one(dsn, f"{cap} = ({its_batch})") == 940_000
    )  # of the 125 cents that were paid the first try took 31
    assert (await client.post(f"/v1/searches/{second['id']}/refund")).status == 409
    assert (await client.get("/v1/credit")).body == {"balance_cents": 125}


def _do(dsn: str, statement: str) -> None:
    import psycopg  # noqa: PLC0415  of this one use

    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute(statement.encode())


async def test_a_request_that_is_sent_again_under_its_key_gives_credit_and_searches_once(
    service: Service, dsn: str
):
    client = await service.client()
    for path, body, other in (
        ("/v1/credit", {"cents": 100}, {"cents": 200}),
        ("/v1/searches", ASKED, ASKED | {"limit": 6}),
    ):
        together = (client.post(path, body, Idempotency_Key="k") for _ in range(4))
        again = await asyncio.gather(*together)
        assert {answer.status for answer in again} <= {200, 202}
        assert len({str(answer.body) for answer in again}) == 1
        refused = await client.post(path, other, Idempotency_Key="k")
        assert (refused.status, refused.body["code"]) == (422, "idempotency_conflict")
    assert (await client.post("/v1/credit", {"cents": 100})).body == {"balance_cents": 200}
    for table, n in (("search", 1), ("job", 1), ("credit_entry", 2)):
        assert one(dsn, f"select count(*) from glaze.{table}") == n


async def test_only_who_runs_the_installation_gives_credit_and_only_an_admin_gives_money_back(
    service: Service,
):
    writer = await service.client(Scope.WRITE)
    assert (await writer.post("/v1/credit", {"cents": 100})).status == 403
    other = await WorkspaceStore(service.app.db).create("theirs")
    theirs = await service.client(workspace_id=other.id)
    for whose in ({}, {"workspace_id": 1}, {"workspace_id": other.id}):
        own = await theirs.post("/v1/credit", {"cents": 123456} | whose)
        assert (own.status, own.body["code"]) == (403, "scope_missing")
    admin = await service.client()
    granted = {"cents": 500, "workspace_id": other.id}
    assert (await admin.post("/v1/credit", granted)).body == {"balance_cents": 500}
    assert (await admin.post("/v1/credit", granted | {"workspace_id": 99})).status == 404
    assert (await theirs.get("/v1/credit")).body == {"balance_cents": 500}
    assert (await admin.get("/v1/credit")).body == {"balance_cents": 0}
    assert (await writer.post("/v1/searches/1/refund")).status == 403
    assert (await writer.post("/v1/searches/1/unlock")).status == 404
    assert (await writer.post("/v1/searches", {"criteria": {}})).status == 422
