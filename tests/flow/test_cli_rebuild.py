"""``glaze rebuild``: everything derived again from stored answers, for nothing."""

import csv
import json
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import psycopg
import pytest
from cli_process import Cli, Sandbox, ended, environment, write_world
from ledger_facts import one, rows
from tests.copied import copied

from glaze.boot.providers import configure_providers
from glaze.model.failpoint import At, nowhere
from glaze.model.provider import Ask, Provider, Reply, VendorHttp, Verdict
from glaze.model.value import DEFAULT_WORKSPACE, FieldName, Reading
from glaze.pipeline.beliefs import Beliefs
from glaze.pipeline.rebuild import Rebuild, Rebuilt
from glaze.settings import Settings
from glaze.store.database import Database
from glaze.store.rebuild import RebuildStore

QUICK = {
    f"GLAZE_PROVIDER__{name}__CALLS_PER_MINUTE": "6000" for name in ("APOLLO", "SERPER", "LLM")
}
COMPANY = (
    "company_name,company_industry,company_employee_count,company_phone,company_linkedin_url,"
    "company_mail_provider,company_founded_year,company_description"
)
ALLOWED = ("--allow", "enrichlayer")
KEYS = ("HUNTER_API_KEY", "PDL_API_KEY", "ZEROBOUNCE_API_KEY", "CLEARBIT_API_KEY")
PEOPLE = "person_email,person_title,person_linkedin_url,person_company_domain"
ANSWERED = "select count(*) from glaze.call where state = 'settled'"
DERIVED = {
    "observation": "select * from glaze.observation order by id",
    "entity_field": "select * from glaze.entity_field order by entity_id, field",
    "entity": "select * from glaze.entity order by id",
    "call": "select * from glaze.call order by id",
    "answer": "select call_id, md5(body) from glaze.answer order by call_id",
    "budget": "select * from glaze.budget order by id",
}


def derived(dsn: str) -> dict[str, str]:
    """Return every row that a rebuild could touch, as text: ids and times included."""
    return {name: repr(rows(dsn, query)) for name, query in DERIVED.items()}


@pytest.fixture(scope="module")
def origin(
    server_dsn: str, template: str, playing: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cli]:
    """Companies and people asked about at many kinds of sources, bulk requests among them."""
    playing.send("POST", "reset")
    with copied(server_dsn, template, "glaze_rebuilt") as dsn:
        folder = tmp_path_factory.mktemp("rebuilt")
        cli = Cli(folder, environment(dsn, playing) | QUICK | dict.fromkeys(KEYS, "sandbox-test"))
        write_world(folder / "companies.csv", 10, 300)
        cli.run("enrich", "companies.csv", "-o", "c.csv", "--fields", COMPANY, *ALLOWED)
        people(folder / "people.csv", playing)
        cli.run("enrich", "people.csv", "-o", "p.csv", "--fields", PEOPLE, *ALLOWED)
        yield cli


@pytest.fixture
def copy(server_dsn: str, origin: Cli) -> Iterator[str]:
    """A database of this test's own with all of it."""
    del origin  # it only has to be there
    with copied(server_dsn, "glaze_rebuilt", "glaze_copy") as dsn:
        yield dsn


@pytest.fixture
def cli(origin: Cli, copy: str) -> Cli:
    """The command where nobody could be reached: at the sandbox's address nothing listens."""
    deaf = {"DATABASE_URL": copy, "GLAZE_SANDBOX_URL": "http://127.0.0.1:9"}
    return Cli(origin.folder, origin.environment | deaf)


def people(path: Path, sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/_sandbox/truth/people.jsonl"
    with urllib.request.urlopen(url, timeout=10) as lines, path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("first_name", "last_name", "company_domain"))
        for line in islice(lines, 10):
            truth = json.loads(line)
            names = (f"person_{part}_name" for part in ("first", "last"))
            writer.writerow((*(truth[name] for name in names), truth["person_company_domain"]))


def test_a_rebuild_with_the_same_readers_changes_no_byte_and_asks_nobody(
    cli: Cli, copy: str, playing: Sandbox
):
    before, asked = derived(copy), playing.get("stats")
    told = json.loads(cli.run("rebuild", "--json").out)
    assert told["left"] == {}
    assert told["read"] == told["answers"] == one(copy, ANSWERED)
    assert (told["changed"], told["new"], told["gone"], told["fields"]) == (0, 0, 0, 0), told
    assert told["entities"] > 15
    assert derived(copy) == before
    assert playing.get("stats") == asked
    providers = {row["provider"] for row in rows(copy, "select provider from glaze.question")}
    assert len(providers) > 8, providers


class Louder:
    """The next version of a provider: it reads one field otherwise, one more, and one no more."""

    def __init__(self, inner: Provider) -> None:
        self.spec = inner.spec
        self._inner = inner

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        replies = await self._inner.look_up(operation, asks, http)
        return [replace(reply, readings=self._read(reply)) for reply in replies]

    def _read(self, reply: Reply) -> tuple[Reading, ...]:
        kept = [one for one in reply.readings if one.field != "company_phone"]
        louder = [
            replace(one, value=str(one.value).upper()) if one.field == "company_name" else one
            for one in kept
        ]
        more = [Reading(FieldName("company_legal_name"), "Louder Ltd", 70)] if louder else []
        return (*louder, *more)


async def rebuilt(
    cli: Cli, change: Mapping[str, type], *, dry: bool = False, at: At = nowhere
) -> Rebuilt:
    """Rebuild in this process, with some providers in their next version."""
    installed = dict(configure_providers(Settings()).by_name)
    for name, kind in change.items():
        installed[name] = kind(installed[name])
    async with Database.open(cli.environment["DATABASE_URL"]) as db:
        beliefs = Beliefs(one.spec for one in installed.values())
        return await Rebuild(RebuildStore(db), installed, beliefs, at, page=5).run(
            DEFAULT_WORKSPACE, dry=dry
        )


class Broken(Louder):
    """A version that fails."""

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        raise KeyError(operation, asks, http.base_url)


class Refusing(Louder):
    """A version that does not understand the answers any more."""

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        replies = await super().look_up(operation, asks, http)
        return [replace(reply, verdict=Verdict.VENDOR_ERROR, readings=()) for reply in replies]


STATED = """select o.id, o.call_id, o.entity_id, o.provider, o.field, o.value #>> '{}' as value, o.cost_micros,
  o.retrieved_at::text as at from glaze.observation o order by o.id"""


SHOWN = """select f.*, o.value as stated from glaze.entity_field f
  join glaze.observation o on o.id = f.observation_id where f.field = 'company_name'"""


async def test_a_changed_reader_changes_what_it_reads_otherwise_and_nothing_else(
    cli: Cli, copy: str
):
    before, stands = rows(copy, STATED), derived(copy)
    dry = await rebuilt(cli, {"website": Louder}, dry=True)
    assert derived(copy) == stands, "a dry run leaves everything as it was"
    done = await rebuilt(cli, {"website": Louder})
    assert (done.changed, done.new, done.gone) == (dry.changed, dry.new, dry.gone)
    after = {row["id"]: row for row in rows(copy, STATED)}
    own = [row for row in before if row["provider"] == "website"]
    for row in before:
        found = after.pop(row["id"], None)
        if row["provider"] != "website":
            assert found == row
        elif row["field"] == "company_phone":
            assert found is None
        else:
            assert found is not None
            louder = row["field"] == "company_name"
            assert found["value"] == (row["value"].upper() if louder else row["value"])
            assert found["at"] == row["at"]
    assert {(row["provider"], row["field"], row["value"]) for row in after.values()} == {
        ("website", "company_legal_name", "Louder Ltd")
    }
    assert done.changed == sum(
        r["field"] == "company_name" and r["value"] != r["value"].upper() for r in own
    )
    assert done.gone == sum(r["field"] == "company_phone" for r in own) > 0
    assert done.fields > 0
    assert all(row["value"] == row["stated"] for row in rows(copy, SHOWN))
    cli.run("ledger", "verify")
    # Back in the installed version everything is as it was, but for the ids of what is read anew.
    told = json.loads(cli.run("rebuild", "--provider", "website", "--json").out)
    assert (told["changed"], told["new"], told["gone"]) == (done.changed, done.gone, done.new)
    assert contents(before) == contents(rows(copy, STATED))


def contents(found: list[dict[str, object]]) -> list[tuple[object, ...]]:
    told = [{k: v for k, v in row.items() if k not in ("id", "at")} for row in found]
    return sorted(tuple(row.values()) for row in told)  # type: ignore[type-var]


async def test_what_cannot_be_read_again_stays_as_it_is_and_is_counted(cli: Cli, copy: str):
    with psycopg.connect(copy, autocommit=True) as conn:
        conn.execute(
            "delete from glaze.answer where call_id in (select c.id from glaze.call c"
            " join glaze.question q on q.id = c.question_id where q.provider = 'serper')"
        )
    before = derived(copy)

    done = await rebuilt(cli, {"website": Broken, "apollo": Refusing})
    why = {name.partition(":")[0] for name in done.left}
    assert why == {"website", "apollo", "serper"}, done.left
    assert done.read + done.left.total() == done.answers
    assert derived(copy) == before


async def test_one_that_dies_in_the_middle_leaves_whole_pages_and_is_finished_by_the_next(
    cli: Cli, copy: str
):
    class Dies(Exception):
        pass

    def at(_: str) -> None:
        raise Dies

    whole = await rebuilt(cli, {"website": Louder}, dry=True)
    with pytest.raises(Dies):
        await rebuilt(cli, {"website": Louder}, at=at)
    assert all(row["value"] == row["stated"] for row in rows(copy, SHOWN))
    rest = await rebuilt(cli, {"website": Louder})
    assert 0 < rest.changed < whole.changed
    again = await rebuilt(cli, {"website": Louder})
    assert (again.changed, again.new, again.gone, again.fields) == (0, 0, 0, 0)


async def test_a_rebuild_beside_a_run_that_writes_loses_nothing_of_either_and_locks_nobody_out(
    cli: Cli, origin: Cli, copy: str
):
    worker = Cli(origin.folder, origin.environment | {"DATABASE_URL": copy})
    answered = one(copy, ANSWERED)
    process = worker.start(
        "enrich", "companies.csv", "-o", "x.csv", "--fields", COMPANY, "--skip-cache", *ALLOWED
    )
    rounds = 0
    while process.poll() is None:
        await rebuilt(cli, {"website": Louder} if rounds % 2 else {})
        rounds += 1
    ended(process)
    assert rounds > 1
    assert one(copy, ANSWERED) > answered
    await rebuilt(cli, {})
    last = await rebuilt(cli, {})
    assert (last.changed, last.new, last.gone, last.fields) == (0, 0, 0, 0)
    assert last.read == last.answers == one(copy, ANSWERED)
    own = "select count(*) from glaze.job where state not in ('completed', 'partial')"
    assert one(copy, own) == 0
    locked = "select deadlocks from pg_stat_database where datname = current_database()"
    assert one(copy, locked) == 0
    worker.run("ledger", "verify")
