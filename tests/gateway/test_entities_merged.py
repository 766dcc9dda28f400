"""Two entities turn out to be one while a call about the younger is under way."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import psycopg

from glaze.model.field import EntityKind
from glaze.model.identity import Key, identify
from glaze.model.value import DEFAULT_WORKSPACE, FieldName, Reading
from glaze.pipeline.asking import Answer
from glaze.pipeline.merge import merge as derive
from glaze.store.entity import Remerge, _merge
from tests.gateway.conftest import PRICE, Bench, Titles, question

EMAIL_KEY = Key("email", "a@x.com")
SLUG_KEY = Key("linkedin", "a-of-x")
KIND = EntityKind.PERSON


async def opened(bench: Bench, *keys: Key):
    ((entities, _),) = await bench.entities.open(DEFAULT_WORKSPACE, [{KIND: keys}])
    return entities


async def merge(bench: Bench, younger: int, older: int) -> None:
    async with bench.db.workspace(DEFAULT_WORKSPACE) as conn:
        await _merge(conn, younger, older)


async def test_an_answer_for_an_entity_that_was_merged_meanwhile_is_settled_and_kept_for_the_other(
    bench: Bench,
):
    bench.vendor.slow = True
    provider = bench.provider()
    (job,) = await bench.claimed()
    older = await opened(bench, EMAIL_KEY)
    younger = await opened(bench, SLUG_KEY)
    assert older != younger
    budgets = await bench.budget(PRICE)
    asker = replace(await bench.asker(job, budgets=budgets), entities=younger)
    async with bench.gateway() as gateway, asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(gateway.ask(question(provider, asker, "a@x.com")))
        await bench.vendor.arrived.wait()
        assert await opened(bench, EMAIL_KEY, SLUG_KEY) == older  # the younger is gone
        bench.vendor.gate.set()
    assert isinstance(asking.result(), Answer)
    (call,) = await bench.rows("select state::text, price_micros from call")
    assert call == {"state": "settled", "price_micros": PRICE}
    (kept,) = await bench.rows("select entity_id from observation")
    assert kept["entity_id"] == older[KIND]


async def test_a_known_answer_is_kept_for_the_entity_that_is_left(bench: Bench):
    provider = bench.provider()
    (job,) = await bench.claimed()
    other = await bench.asker(job)
    older, younger = await opened(bench, EMAIL_KEY), await opened(bench, SLUG_KEY)
    async with bench.gateway() as gateway:
        await gateway.ask(question(provider, other, "a@x.com"))
        await opened(bench, EMAIL_KEY, SLUG_KEY)
        known = await gateway.ask(question(provider, replace(other, entities=younger), "a@x.com"))
    assert isinstance(known, Answer)
    assert known.known
    assert known.readings
    kept = await bench.rows("select entity_id from observation order by id")
    assert [row["entity_id"] for row in kept] == [other.entities[KIND], older[KIND]]


async def test_merging_while_calls_settle_leaves_every_observation_with_a_living_entity(
    bench: Bench,
):
    provider = bench.provider()
    people = [
        [Key("email", f"{n}@x.com"), Key("linkedin", f"p{n}"), Key("domain", f"{n}.example")]
        for n in range(20)
    ]
    jobs = await bench.claimed(len(people) * 3)
    asking = []
    for job, (n, key) in zip(
        jobs, [(n, key) for n, keys in enumerate(people) for key in keys], strict=True
    ):
        asker = replace(await bench.asker(job), entities=await opened(bench, key))
        asking.append(question(provider, asker, f"{n}-{key.scheme}@x.com"))
    async with bench.gateway() as gateway:
        answers = await asyncio.gather(
            *(gateway.ask(one) for one in asking),
            *(opened(bench, first, second) for first, second, _ in people),
            *(opened(bench, third, second) for _, second, third in people),
            *(opened(bench, *keys) for keys in people),
        )
    assert sum(isinstance(answer, Answer) for answer in answers) == len(asking)
    gone = "(select id from entity where merged_into is not null)"
    assert not await bench.rows(f"select 1 from observation where entity_id in {gone}")
    assert not await bench.rows(f"select 1 from entity_key where entity_id in {gone}")
    assert not await bench.rows(f"select 1 from entity where merged_into in {gone}")
    owners = await bench.rows("select count(distinct entity_id) as n from observation")
    assert owners == [{"n": len(people)}]


class Employers(Titles):
    """Titles that name the employer, too."""

    async def look_up(self, operation, asks, http):
        replies = await super().look_up(operation, asks, http)
        employer = Reading(FieldName("company_name"), "Acme", 80)
        return [replace(reply, readings=(*reply.readings, employer)) for reply in replies]


async def somebody_waits(dsn: str) -> None:
    """Return as soon as a transaction of this database waits for another."""
    query = (
        "select count(*) from pg_stat_activity"
        " where wait_event_type = 'Lock' and datname = current_database()"
    )
    async with (
        asyncio.timeout(10),
        await psycopg.AsyncConnection.connect(dsn, autocommit=True) as conn,
    ):
        while (await (await conn.execute(query)).fetchone()) == (0,):  # noqa: ASYNC110  no event
            await asyncio.sleep(0.01)


async def test_an_answer_that_settles_during_a_second_merge_is_kept_for_who_is_left_at_last(
    bench: Bench, dsn: str
):
    keys = [Key("email", "a@x.com"), Key("linkedin", "a"), Key("email", "a@x.org")]
    oldest, older, youngest = [await opened(bench, key) for key in keys]
    ((company, _),) = await bench.entities.open(
        DEFAULT_WORKSPACE, [{EntityKind.COMPANY: [Key("domain", "x.com")]}]
    )
    provider = Employers(bench.vendor.url, batch_size=1, limits=())
    (job,) = await bench.claimed()
    asker = replace(await bench.asker(job), entities=youngest | company)
    bench.vendor.slow = True
    async with bench.gateway() as gateway, asyncio.TaskGroup() as tasks:
        tasks.create_task(gateway.ask(question(provider, asker, "a@x.com")))
        await bench.vendor.arrived.wait()
        await merge(bench, youngest[KIND], older[KIND])
        async with await psycopg.AsyncConnection.connect(dsn) as other:
            held = "select from glaze.entity where id = %s for update"
            await other.execute(held, [company[EntityKind.COMPANY]])
            bench.vendor.gate.set()
            await somebody_waits(
                dsn
            )  # the settlement knows the older one and waits for the company
            merging = tasks.create_task(merge(bench, older[KIND], oldest[KIND]))
            await asyncio.wait([merging], timeout=0.5)  # or it waits for the settlement
    kept = await bench.rows("select entity_id from observation where field = 'person_title'")
    assert kept == [{"entity_id": oldest[KIND]}]


async def person(bench: Bench, **given: str) -> int:
    keys = identify(given).keys
    ((entities, _),) = await bench.entities.open(DEFAULT_WORKSPACE, [keys])
    return entities[KIND]


async def test_a_callers_id_that_two_people_share_makes_them_no_one_person(bench: Bench):
    jane = await person(bench, email="jane@acme.com", contact_id="1")
    bob = await person(bench, email="bob@globex.com", contact_id="1")
    assert jane != bob
    assert await person(bench, email="bob@globex.com") == bob
    assert await person(bench, contact_id="1") == jane


async def test_namesakes_at_one_company_stay_two_people(bench: Bench):
    first = await person(bench, email="john.smith@bigcorp.com", name="John Smith")
    second = await person(bench, email="jsmith2@bigcorp.com", name="John Smith")
    assert first != second


async def test_people_of_one_group_who_share_only_a_weak_key_stay_apart(bench: Bench):
    rows = [{"email": f"{n}@acme.com", "contact_id": "1"} for n in range(3)]
    opened = await bench.entities.open(DEFAULT_WORKSPACE, [identify(row).keys for row in rows])
    assert len({entities[KIND] for entities, _ in opened}) == 3


async def test_an_email_and_a_profile_seen_apart_and_then_together_are_one_person(bench: Bench):
    profile = "https://www.linkedin.com/in/jane-doe"
    by_email = await person(bench, email="jane@acme.com")
    by_profile = await person(bench, linkedin_url=profile)
    assert by_email != by_profile
    assert await person(bench, email="jane@acme.com", linkedin_url=profile) == by_email
    assert await person(bench, linkedin_url=profile) == by_email


async def test_a_profile_of_somebody_with_another_email_merges_nobody(bench: Bench):
    profile = "https://www.linkedin.com/in/jane-doe"
    jane = await person(bench, email="jane@acme.com", linkedin_url=profile)
    bob = await person(bench, email="bob@globex.com")
    assert await person(bench, email="bob@globex.com", linkedin_url=profile) == bob
    assert await person(bench, linkedin_url=profile) == jane


async def test_a_chain_of_merges_within_one_group_names_who_is_left_at_last(bench: Bench):
    domain, email, slug = Key("domain", "x.com"), EMAIL_KEY, SLUG_KEY
    oldest, *_ = [await opened(bench, key) for key in (domain, email, slug)]
    wanted = [{KIND: keys} for keys in ((slug, email), (email, domain), (slug,))]
    found = await bench.entities.open(DEFAULT_WORKSPACE, wanted)
    assert [entities for entities, _ in found] == [oldest] * 3


async def test_what_was_bought_for_the_younger_answers_from_the_cache_after_a_merge(bench: Bench):
    provider = bench.provider()
    (job,) = await bench.claimed()
    older, younger = await opened(bench, EMAIL_KEY), await opened(bench, SLUG_KEY)
    asker = replace(await bench.asker(job), entities=younger)
    async with bench.gateway() as gateway:
        await gateway.ask(question(provider, asker, "a@x.com"))
    now = datetime(2026, 1, 1, tzinfo=UTC)
    remerge = Remerge(younger, lambda seen, at: derive(seen, now=at), now)
    (stored,) = await bench.entities.remerge(DEFAULT_WORKSPACE, [remerge])
    assert stored
    wanted = [{KIND: (EMAIL_KEY, SLUG_KEY)}]
    ((entities, kept),) = await bench.entities.open(DEFAULT_WORKSPACE, wanted)
    assert entities == older
    assert kept.keys() == stored.keys()
