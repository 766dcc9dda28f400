"""What a table is sorted and searched by is what its cells show, whoever a row turns out to mean."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from glaze.files.cell import text_of
from glaze.model.icp import Profile
from glaze.model.value import DEFAULT_WORKSPACE as WS
from glaze.model.value import BatchId, FieldName, WorkspaceId
from glaze.pipeline.scoring import Scoring
from glaze.store.batch import BatchStore, NewBatch, NewRow
from glaze.store.database import Database
from glaze.store.entity import EntityStore
from glaze.store.icp import IcpStore
from glaze.store.outline import Found, Look, OutlineStore, Trait
from glaze.store.workspace import WorkspaceStore
from glaze.tasks.cells import Cells, cells_of, places_of
from glaze.tasks.outline import SCORE, Key, keys_of, look_over, sorted_by
from glaze.tasks.page_scores import page_scores

FIELDS = tuple(
    map(FieldName, ("company_name", "company_employee_count", "person_title", "company_city"))
)
ASKED = FIELDS[:3]  # the last is a column that came later
BEGUN = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
ROWS = 160
TRAITS: tuple[Trait, ...] = ("missing", "low", "conflicting", "found", "decided")

KEEP = """
insert into entity_field (workspace_id, entity_id, field, value, confidence, observation_id, retrieved_at, alternatives)
values (1, %(entity)s, %(field)s, %(value)s, %(confidence)s, %(observation)s, %(at)s, %(alternatives)s)
"""
SEEN = """
insert into observation (workspace_id, entity_id, call_id, field, value, confidence, provider, retrieved_at)
values (1, %(entity)s, 1, %(field)s, %(value)s, %(confidence)s, 'apollo', %(at)s) returning id
"""
KEY = "insert into entity_key (workspace_id, kind, scheme, key, entity_id) values (1, %s, %s, %s, %s) on conflict do nothing"
ENDED = """
with made as (insert into result (workspace_id, body) values (1, %(body)s) returning id)
update batch_row set state = %(state)s, result_id = (select id from made) where row_no = %(row)s
"""


def an_input(rng: random.Random, n: int) -> dict[str, str]:
    """Somebody who is named in one way or in several; few are named by nobody else."""
    who = rng.randrange(ROWS // 4)
    ways = {
        "website": f"https://firm{who}.com",
        "company": f"Firm {who}",
        "company_linkedin_url": f"https://www.linkedin.com/company/firm-{rng.randrange(9)}",
        "email": f"jane.{who}@firm{rng.randrange(9)}.com",
        "person_linkedin_url": f"https://www.linkedin.com/in/jane-{rng.randrange(9)}",
    }
    some = rng.sample(sorted(ways), rng.randint(1, len(ways)))
    given = {word: ways[word] for word in some}
    if rng.random() < 0.3:
        given |= {"first_name": "Jane", "last_name": f"Doe{who}"}
    return given if n % 20 else {"note": "nobody"}


def a_value(rng: random.Random, field: str) -> Any:
    if field == "company_employee_count":
        return rng.choice((7, 12, 100, 3000))
    return rng.choice(("Zürich", "zebra", "Äpfel & Birnen", "straße", "", "ACME", ["b", "a"]))


def a_result(rng: random.Random) -> dict[str, Any]:
    """What a job found of what it was asked for, or why it failed."""
    if rng.random() < 0.15:
        return {"erased": True} if rng.random() < 0.5 else {"said": "another kind's"}
    data = {
        name: {
            "value": a_value(rng, name),
            "confidence": rng.randrange(101),
            "source": rng.choice(("website", "apollo")),
            "retrieved_at": BEGUN.isoformat(),
            "alternatives": [{"value": "x", "confidence": 1, "source": "serper"}][
                : rng.randrange(2)
            ],
        }
        for name in ASKED
        if rng.random() < 0.6
    }
    at = BEGUN + timedelta(hours=rng.randrange(48))
    missing = [name for name in ASKED if name not in data]
    body = {"status": "partial", "timestamp": at.isoformat(), "data": data, "missing": missing}
    if rng.random() < 0.5:
        body["icp"] = {"score": rng.randrange(101), "certainty": 50, "reasons": []}
    return body


@pytest.fixture
async def table(db: Database, dsn: str) -> BatchId:
    """A table whose rows lead to companies and people by keys that agree, lead nowhere or object."""
    rng = random.Random(20260301)
    batches = BatchStore(db)
    inputs: list[Any] = [an_input(rng, n) for n in range(ROWS)]
    batch = await batches.create(WS, NewBatch("enrich", {"required_fields": [*FIELDS]}))
    # Of some it was worked out at the upload whom they name, of others it was not.
    rows = [NewRow(one, places_of(one)) if n % 3 else one for n, one in enumerate(inputs)]
    await batches.add_rows(WS, batch, rows)
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("set session_replication_role = replica; set search_path = glaze")
        entities = {kind: _made(owner, kind) for kind in ("company", "person")}
        ways = [way for one in inputs for way in places_of(one).items()]
        for kind, (scheme, key) in ((kind, key) for kind, keys in ways for key in keys):
            if rng.random() < 0.6:
                owner.execute(KEY, (kind, scheme, key, rng.choice(entities[kind])))
        for field in FIELDS:
            for entity in entities[field.partition("_")[0]]:
                if rng.random() < 0.7:
                    _learn(owner, rng, entity, field)
        for n in range(1, ROWS + 1):
            state = rng.choice(("new", "queued", "completed", "partial", "failed"))
            body = Jsonb(a_result(rng))
            if state not in ("new", "queued"):
                owner.execute(ENDED, {"row": n, "state": state, "body": body})
    return batch


def _made(owner: psycopg.Connection, kind: str) -> list[int]:
    sql = "insert into entity (workspace_id, kind) select 1, %s::entity_kind from generate_series(1, 40) returning id"
    return [row[0] for row in owner.execute(sql, (kind,)).fetchall()]


def _learn(owner: psycopg.Connection, rng: random.Random, entity: int, field: str) -> None:
    """Let a value win: one that a source stated, before or after a row's job, or a person's."""
    others = [{"value": 1, "confidence": 2, "source": "exa"}][: rng.randrange(2)]
    kept: dict[str, Any] = {
        "entity": entity,
        "field": field,
        "value": Jsonb(a_value(rng, field)),
        "confidence": rng.randrange(101),
        "observation": None,
        "at": BEGUN + timedelta(hours=rng.randrange(48)),
        "alternatives": Jsonb(others),
    }
    if rng.random() < 0.7:
        (kept["observation"],) = owner.execute(SEEN, kept).fetchone() or (None,)
    owner.execute(KEEP, kept)


async def shown(db: Database, table: BatchId) -> list[Cells]:
    page = await BatchStore(db).results(WS, table, n=ROWS)
    return [*await cells_of(EntityStore(db), WS, page, FIELDS)]


async def found(
    db: Database, table: BatchId, look: Look, text: str = "", *, of: WorkspaceId = WS
) -> list[Found]:
    outlines = OutlineStore(db)
    first = await look_over(outlines, of, table, look, text=text, after=0, until=ROWS // 2)
    return first + await look_over(
        outlines, of, table, look, text=text, after=ROWS // 2, until=ROWS
    )


def scoring(db: Database) -> Scoring:
    return Scoring(IcpStore(db), EntityStore(db))


async def keys(db: Database, look: Look, rows: Sequence[Found]) -> list[Key]:
    return await keys_of(scoring(db), WS, look, rows)


async def test_a_row_is_sorted_by_what_its_cell_shows(db: Database, table: BatchId):
    cells = await shown(db, table)
    for name in FIELDS:
        look = sorted_by(Look(FIELDS), name)
        values = await found(db, table, look)
        own = [one[name].value if name in one else None for one in cells]
        assert [row.row_no for row in values] == [*range(1, ROWS + 1)]
        assert [row.key for row in values] == own, name
        assert len({*await keys(db, look, values)}) > 3
        sure = await found(db, table, sorted_by(Look(FIELDS), f"{name}.confidence"))
        assert [row.key for row in sure] == [
            one[name].confidence if name in one else None for one in cells
        ]
    # It is kept by now whom each row names.
    again = await found(db, table, sorted_by(Look(FIELDS), "company_city"))
    assert [row.key for row in again] == [
        one["company_city"].value if "company_city" in one else None for one in cells
    ]


async def test_a_row_is_sorted_by_the_score_that_it_shows_also_after_the_profile_changed(
    db: Database, table: BatchId
):
    look = sorted_by(Look(FIELDS), SCORE)
    rows = await found(db, table, look)
    assert [row.row_no for row in rows] == [*range(1, ROWS + 1)]
    assert {*await keys(db, look, rows)} == {None}  # nobody said whom they look for
    for city in ("Zürich", "straße"):
        wanted = [
            {"field": "company_city", "any_of": [city]},
            {"field": "person_title", "any_of": ["zebra"]},
        ]
        await IcpStore(db).put(WS, Profile.model_validate({"criteria": wanted}))
        scores = await page_scores(scoring(db), WS)
        assert scores is not None
        shown = await scores(await BatchStore(db).results(WS, table, n=ROWS))
        ordered = await keys(db, look, rows)
        assert ordered == [None if one is None else one.score for one in shown]
        assert len({*ordered}) > 5


@pytest.mark.parametrize("trait", TRAITS)
async def test_a_row_is_found_by_what_its_cells_are(db: Database, table: BatchId, trait: Trait):
    cells = await shown(db, table)

    def meets(one: Cells, fields: Sequence[FieldName], sources: Sequence[str]) -> bool:
        return any(
            (not sources or (name in one and one[name].source in sources))
            and {
                "missing": name not in one,
                "low": name in one and one[name].confidence < 40,
                "conflicting": name in one and bool(one[name].alternatives),
                "found": name in one,
                "decided": name in one and one[name].source == "user",
            }[trait]
            for name in fields
        )

    for fields, sources in product((FIELDS, FIELDS[1:2], FIELDS[2:3]), ((), ("apollo", "user"))):
        look = Look(fields, traits=[trait], sources=sources, below=40)
        wanted = [n for n, one in enumerate(cells, 1) if meets(one, fields, sources)]
        assert [row.row_no for row in await found(db, table, look)] == wanted, (fields, sources)


async def test_a_row_is_found_by_its_state_and_by_words_in_its_input_or_its_cells(
    db: Database, table: BatchId
):
    page = await BatchStore(db).results(WS, table, n=ROWS)
    cells = await shown(db, table)
    failed = await found(db, table, sorted_by(Look(FIELDS, states=["failed"]), "state"))
    assert [row.row_no for row in failed] == [row.row_no for row in page if row.state == "failed"]
    assert {row.key for row in failed} == {"failed"}
    for text in ("STRASSE", "zürich", "firm1", "nobody", "3000"):
        said = [
            [
                *(row.input.values() if isinstance(row.input, dict) else ()),
                *(v.value for v in one.values()),
            ]
            for row, one in zip(page, cells, strict=True)
        ]
        wanted = [
            n
            for n, each in enumerate(said, 1)
            if any(text.casefold() in text_of(one).casefold() for one in each)
        ]
        assert [row.row_no for row in await found(db, table, Look(FIELDS), text)] == wanted != []


async def test_nothing_is_found_in_the_table_of_another_workspace(db: Database, table: BatchId):
    theirs = (await WorkspaceStore(db).create("theirs")).id
    assert await found(db, table, Look(FIELDS), of=theirs) == []
