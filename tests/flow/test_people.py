"""A person's rights (S5): erased from everything, kept away afterwards, and where all of it came from."""

import asyncio
import base64
import copy
import json
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from cli_process import Sandbox
from psycopg import sql
from test_hooks_in import reachable
from tests.api.conftest import Client, Service
from tests.api.test_batches import ended as batch_ended
from tests.api.test_batches import sent
from tests.api.test_jobs import ended, working

from glaze.jobs.erasing import Eraser
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.store.personal import ERASED, FREE
from glaze_sandbox.knowledge import APOLLO, Knowledge
from glaze_sandbox.seeded import hex_id
from glaze_sandbox.world.entities import Person
from glaze_sandbox.world.population import World

HOOK = "https://hooks.customer-app.com"
WANTED = "person_title,person_seniority,person_city,person_email,company_industry"
LEAD, OTHER_LEAD = "lead-4711-x", "lead-4712-y"


@dataclass(frozen=True)
class Two:
    """A person to erase, and a neighbour at the same company."""

    person: Person
    neighbour: Person
    world: World

    @property
    def needles(self) -> list[str]:
        one = self.person
        known = [str(one.email), one.full_name, one.phone[-9:], f"in/{one.slug}", LEAD]
        return [*known, apollo_id(self.world, one)]


def apollo_id(world: World, one: Person) -> str:
    """Return by what Apollo knows somebody, as its search shows and its match states."""
    return hex_id(world.seed, "apollo", one.slug)


@pytest.fixture
def two(vendors: Sandbox) -> Two:
    """Return two whom the vendors know, at a company that is alive."""
    health = vendors.get("health")
    world = World(health["seed"], health["companies"])
    believed = Knowledge(APOLLO, world)
    for company in world.companies():
        known = [
            one
            for one in world.people_of(company)
            if one.email and one.phone and (believed.person(one) or {}).get("person_title")
        ]
        if len(known) > 1 and not world.is_dead(company):
            return Two(*known[:2], world)
    raise AssertionError("nobody fits")


@pytest.fixture
async def service(quick: Mapping[str, str]) -> AsyncIterator[Service]:
    apollo = {"APOLLO_WEBHOOK_SECRET": "nobody-guesses", "GLAZE_ALLOW": "apollo"}
    async with reachable(dict(quick) | apollo) as running:
        yield running


def about(one: Person) -> dict[str, str]:
    given = {"email": str(one.email), "name": one.full_name, "company": one.company.name}
    return given | {"phone": one.phone}


def dump(dsn: str) -> str:
    """Return every row of every table as text, compressed answers in plain."""
    found = []
    with psycopg.connect(dsn) as conn:
        tables = conn.execute(
            "select relname from pg_class where relnamespace = 'glaze'::regnamespace and relkind = 'r'"
        ).fetchall()
        for (name,) in tables:
            rows = conn.execute(
                sql.SQL("select t::text from glaze.{} t").format(sql.Identifier(name))
            ).fetchall()
            found += [f"{name}: {row}" for (row,) in rows]
        for body, call in conn.execute(
            "select a.body, c::text from glaze.answer a join glaze.call c on c.id = a.call_id"
        ):
            plain = zlib.decompress(body).decode("utf-8", "replace")
            raw = base64.b64decode(json.loads(plain)["raw"]).decode("utf-8", "replace")
            found.append(f"answer: {call} {raw} {plain}")
    return "\n".join(found)


def hits(dsn: str, needles: list[str]) -> dict[str, int]:
    """Return how often each needle is in the dump, case aside; of those that are."""
    text = dump(dsn).casefold()
    return {one: text.count(one.casefold()) for one in needles if one.casefold() in text}


def rows_with(dsn: str, needles: list[str]) -> Counter[str]:
    """Return in how many rows of each table a needle stands; raw answers aside, which may name both."""
    found: Counter[str] = Counter()
    for line in dump(dsn).casefold().splitlines():
        if any(one.casefold() in line for one in needles):
            found[line.partition(":")[0]] += 1
    del found["answer"]
    return found


def where(dsn: str, needle: str) -> list[str]:
    return [line[:1000] for line in dump(dsn).splitlines() if needle.casefold() in line.casefold()]


UNNAMED = frozenset({"answer", "erasure", "entity", "callback", "question"})
"""What holds ids and hashes of a person, is compressed, or is written by the erasing itself."""


async def seeded(service: Service, two: Two) -> dict[str, Any]:
    """Name both through every path there is; return what it takes to look at them again."""
    client = await service.client()
    await client.post("/v1/webhooks", {"url": f"{HOOK}/all", "events": ["*"]})
    made: dict[str, Any] = {}
    jobs = []
    for one, lead in ((two.person, LEAD), (two.neighbour, OTHER_LEAD)):
        single = {"input": about(one), "fields": WANTED.split(","), "wait_s": 0}
        jobs.append(await client.post("/v1/enrich", single, Idempotency_Key=f"ask for {one.email}"))
        profile = {"url": one.linkedin_url}
        asked = {"input": profile, "fields": ["person_phone", "person_full_name"], "wait_s": 0}
        jobs.append(await client.post("/v1/enrich", asked))
        for kind, args in (
            (
                "single_lead_enrichment",
                {"lead_id": lead, "input_data": about(one), "required_fields": ["person_title"]},
            ),
            ("enrich_contact", {"contact_id": lead}),
            ("email_validation", {"emails": [str(one.email)]}),
        ):
            hook = f"{HOOK}/job?for={lead}"
            body = {"kind": kind, "args": args, "webhook_url": hook, "tags": ["vip", lead]}
            jobs.append(await client.post("/v1/jobs", body))
    both = {
        "contacts": [about(two.person), about(two.neighbour)],
        "required_fields": ["person_title"],
    }
    jobs.append(await client.post("/v1/jobs", {"kind": "search_enrichment", "args": both}))
    csv = "name,email,company\n" + "".join(
        f"{one.full_name},{one.email},{one.company.name}\n" for one in (two.person, two.neighbour)
    )
    batch = await sent(client, csv, f"fields={WANTED}&tags=spring")
    weekly = {"cron": "0 6 * * MON", "zone": "UTC", "kind": "enrich"}
    for n, one in enumerate((two.person, two.neighbour)):
        args = {"input": about(one), "required_fields": ["person_title"]}
        await client.ask("PUT", f"/v1/schedules/weekly-{n}", weekly | {"args": args})
    for answer in (*jobs, batch):
        assert answer.status in (200, 202), answer
    made["jobs"] = [answer.body["id"] for answer in jobs]
    made["batch"] = batch.body["id"]
    async with working(service):
        for job_id in made["jobs"]:
            await ended(client, job_id)
        await batch_ended(client, made["batch"])
        cell = f"/v1/batches/{made['batch']}/rows/1/cells/person_email"
        assert (await client.post(f"{cell}/choose", {"value": str(two.person.email)})).status == 200
    return made


def seed_by_hand(dsn: str, two: Two, job_id: int) -> None:
    """Write what only somebody else's code would: a callback, log lines, audit details."""
    told = json.dumps(about(two.person))
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(
            "insert into glaze.job_callback (workspace_id, job_id, event, wanted_until, data, arrived_at)"
            " values (1, %s, 'approved', now(), %s, now())",
            (job_id, told),
        )
        conn.execute(
            "insert into glaze.event (workspace_id, type, job_id, data) values (1, 'log', %s, %s)",
            (job_id, json.dumps({"level": "info", "message": f"wrote to {two.person.email}"})),
        )
        conn.execute(
            "insert into glaze.audit (workspace_id, actor, action, target, detail)"
            " values (1, 'crm', 'lead.import', %s, %s)",
            (LEAD, told),
        )
        conn.execute(
            "insert into glaze.saved_view (workspace_id, list, name, query, created_by)"
            " values (1, 'jobs', 'her jobs', %s, 'key 1')",
            (json.dumps({"words": str(two.person.email)}),),
        )
        contacts = [
            {"person_apollo_id": apollo_id(two.world, one), "first_name": one.first_name}
            | {"last_name": "Xx***x", "title": None, "company": "", "has_email": True}
            for one in (two.person, two.neighbour)
        ]
        email, name = str(two.person.email), two.person.full_name
        conn.execute("insert into glaze.workflow (workspace_id, name) values (1, %s)", (email,))
        conn.execute(
            "update glaze.batch set name = %s, columns = %s",
            (f"{name} <{email}>", json.dumps([["Note", None], [email, None], ["Mail", "email"]])),
        )
        conn.execute(
            "update glaze.batch_row set carried = %s",
            (json.dumps({"Note": f"met {name} <{email}>", "Mails": [email], "Kept": "this"}),),
        )
        conn.execute(
            "insert into glaze.icp_score (workspace_id, entity_id, version, certainty, reasons)"
            " select 1, id, 1, 50, %s from glaze.entity where kind = 'company' limit 1",
            (json.dumps([{"detail": f"{email} works there"}]),),
        )
        for table, column in (("vendor_request", "error"), ("call", "detail")):
            conn.execute(
                f"update glaze.{table} set {column} = %s where id = (select min(id) from glaze.{table})",
                (f"no such mailbox: {email}",),
            )
        conn.execute(
            "insert into glaze.search (workspace_id, criteria, fields, most, contacts, error, created_by)"
            " values (1, %s, '{person_email}', 5, %s, %s, 'key 1')",
            (
                json.dumps({"keywords": [str(two.person.email)]}),
                json.dumps(contacts),
                f"search_refused: no such person: {two.person.full_name} <{two.person.email}>",
            ),
        )
        conn.execute(
            "insert into glaze.payment (workspace_id, event_id, search_id, cents, currency, outcome)"
            " values (1, 'evt_1', 1, 5, 'usd', %s)",
            (f"refused: paid by {two.person.email}",),
        )
        conn.execute(
            "insert into glaze.credit_entry (workspace_id, cents, reason, actor)"
            " values (1, 5, %s, %s)",
            (f"gift of {two.person.email}", str(two.person.phone)),
        )
        conn.execute(
            "insert into glaze.webhook_attempt (workspace_id, delivery_id, round, attempt, duration_ms, excerpt)"
            " select 1, id, 9, 9, 1, %s from glaze.webhook_delivery limit 1",
            (f"thanks for {two.person.full_name} <{two.person.email}>",),
        )


async def erased(client: Client, person: dict[str, str]) -> Any:
    begun = await client.post("/v1/people/erase", {"input": person})
    assert begun.status == 202, begun
    async with asyncio.timeout(60):
        while True:
            told = (await client.get(f"/v1/people/erasures/{begun.body['id']}")).body
            if told["state"] == "done":
                return told
            await asyncio.sleep(0.05)


async def test_a_person_is_erased_from_every_table_and_stays_away_while_a_neighbour_keeps_all(
    service: Service, two: Two, dsn: str, vendors: Sandbox
):
    made = await seeded(service, two)
    seed_by_hand(dsn, two, made["jobs"][0])
    client = await service.client()
    theirs = [str(two.neighbour.email), f"in/{two.neighbour.slug}", OTHER_LEAD]
    theirs.append(apollo_id(two.world, two.neighbour))
    before, kept = hits(dsn, two.needles), rows_with(dsn, theirs)
    assert set(before) == set(two.needles)  # each got in somewhere, else this shows nothing
    named_in = {*rows_with(dsn, two.needles), *UNNAMED}
    assert named_in >= ERASED, f"seed {ERASED - named_in}: nothing is shown of them"
    spent = money(dsn)
    report = (await client.post("/v1/people/where-from", {"input": about(two.person)})).body
    assert not report["suppressed"]
    assert {"apollo"} <= {one["provider"] for one in report["values"]}
    assert all(one["call_id"] and one["asked_at"] for one in report["values"])
    assert report["found_in"]["job_args"] >= 4

    async with working(service):
        told = await erased(client, about(two.person) | {"linkedin_url": two.person.linkedin_url})
    assert told["removed"]["entity"] >= 1
    left = hits(dsn, two.needles)
    assert left == {}, [where(dsn, one) for one in left]
    assert money(dsn) == spent
    assert rows_with(dsn, theirs) == kept
    report = (await client.post("/v1/people/where-from", {"input": about(two.person)})).body
    assert (report["suppressed"], report["values"], report["found_in"]) == (True, [], {})

    await assert_kept_away(service, client, two, dsn, vendors)


def money(dsn: str) -> list[Any]:
    with psycopg.connect(dsn) as conn:
        return conn.execute(
            "select c.id, q.provider, c.price_micros, c.created_at from glaze.call c"
            " join glaze.question q on q.id = c.question_id order by c.id"
        ).fetchall()


async def assert_kept_away(
    service: Service, client: Client, two: Two, dsn: str, vendors: Sandbox
) -> None:
    """Bring the person in again by each door: each says why, nothing is kept and nothing paid."""
    bills = vendors.billed_micros
    again = {"input": about(two.person), "fields": ["person_title"], "wait_s": 0}
    refused = await client.post("/v1/enrich", again)
    assert (refused.status, refused.body["code"]) == (422, "person_suppressed")
    profile = {"input": {"url": two.person.linkedin_url}, "fields": ["person_title"]}
    assert (await client.post("/v1/enrich", profile)).body["code"] == "person_suppressed"
    lead = {"lead_id": LEAD, "input_data": about(two.person)}
    job = await client.post("/v1/jobs", {"kind": "single_lead_enrichment", "args": lead})
    assert job.body["code"] == "person_suppressed"
    csv = f"name,email,company,told by\n{two.person.full_name},{two.person.email},"
    csv += f"{two.person.company.name},\n{two.neighbour.full_name},{two.neighbour.email},"
    csv += f"{two.neighbour.company.name},{two.person.email}\n"  # what is carried along names them
    batch = await sent(client, csv, f"fields={WANTED}&map=told by=")
    async with working(service):
        await batch_ended(client, batch.body["id"])
    rows = (await client.get(f"/v1/batches/{batch.body['id']}/rows")).body["items"]
    assert [row["state"] for row in rows] == ["failed", "partial"], rows
    assert rows[0]["error"].startswith("person_suppressed: ")
    assert vendors.billed_micros == bills
    assert hits(dsn, two.needles) == {}


def text_tables(dsn: str) -> set[str]:
    """Return the tables that have a column which could hold a name."""
    with psycopg.connect(dsn) as conn:
        rows = conn.execute(
            "select distinct c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid"
            " where c.relnamespace = 'glaze'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0"
            " and not a.attisdropped"
            " and a.atttypid in ('text'::regtype, 'jsonb'::regtype, 'json'::regtype, 'bytea'::regtype,"
            "   'text[]'::regtype, 'varchar'::regtype)"
        ).fetchall()
    return {name for (name,) in rows}


def test_every_table_that_could_hold_a_name_is_erased_from_or_said_to_hold_none(dsn: str):
    assert text_tables(dsn) - {"entity"} == (ERASED | set(FREE)) - {"entity"}
    assert not ERASED & set(FREE)


async def test_an_erasure_that_is_killed_anywhere_goes_on_and_a_worker_brings_nothing_back(
    quick: Mapping[str, str], two: Two, dsn: str, vendors: Sandbox
):
    """A worker enriches the person all the while; the erasing dies after each of its steps."""
    vendors.slow_down(0.5)
    one = two.person
    async with reachable(quick) as service:
        client = await service.client()
        for lead in range(6):
            args = {
                "lead_id": f"{LEAD}-{lead}",
                "input_data": about(one),
                "required_fields": ["person_title", "person_city", "company_phone"],
                "skip_cache": True,
            }
            await client.post("/v1/jobs", {"kind": "single_lead_enrichment", "args": args})
        erasure = 0
        async with working(service):
            await until(lambda: hits(dsn, [one.full_name]) and _asking(dsn))
            eraser = service.app.eraser
            who = about(one) | {"linkedin_url": one.linkedin_url}
            erasure = await eraser.begin(DEFAULT_WORKSPACE, who, "test")
            for n in range(40):
                dying = _Dying(eraser, n)
                if await dying.died(erasure):
                    continue
                break
            await eraser.run(DEFAULT_WORKSPACE, erasure)
            await until(lambda: not _asking(dsn))  # calls that were under way
        assert hits(dsn, [str(one.email), one.full_name, f"in/{one.slug}"]) == {}
        spent = vendors.billed_micros
        assert spent == sum(row[2] or 0 for row in money(dsn))


async def until(there: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while True:
            if there():
                return
            await asyncio.sleep(0.05)


def _asking(dsn: str) -> int:
    with psycopg.connect(dsn) as conn:
        row = conn.execute("select count(*) from glaze.call where state = 'sending'").fetchone()
    assert row is not None
    return int(row[0])


class _Died(BaseException):
    """Stands for the end of the process."""


class _Dying:
    """An eraser that dies at the n-th thing that it does."""

    def __init__(self, eraser: Eraser, n: int) -> None:
        self._left = n
        self._eraser = copy.copy(eraser)
        self._eraser._at = self._at  # what boot passes in

    def _at(self, _name: str) -> None:
        self._left -= 1
        if self._left < 0:
            raise _Died

    async def died(self, erasure: int) -> bool:
        try:
            await self._eraser.run(DEFAULT_WORKSPACE, erasure)
        except _Died:
            return True
        return False
