"""A score is of the values as they are, whoever changed them and as of whatever moment."""

from collections.abc import Callable, Sequence
from datetime import datetime

import pytest

from glaze.model.icp import Profile
from glaze.model.observation import Observation, Winner
from glaze.model.value import DEFAULT_WORKSPACE, EntityId, FieldName, Json
from glaze.pipeline.merge import merge
from glaze.store.database import Database
from glaze.store.icp import IcpStore
from glaze.store.rebuild import RebuildStore
from glaze.store.statements import as_array, statements
from tests.pipeline.test_run import Desk, Source

PROFILE = Profile.model_validate({"criteria": [{"field": "company_name", "any_of": ["Acme"]}]})


@pytest.fixture
async def icp(db: Database) -> IcpStore:
    """A person who works at Acme, under a profile that looks for Acme."""
    says: dict[str, Json] = {"person_company_domain": "acme.com", "company_name": "Acme"}
    await Desk(db).enrich([Source("s", says)], ["company_name"], given={"email": "jane@acme.com"})
    icp = IcpStore(db)
    await icp.put(DEFAULT_WORKSPACE, PROFILE)
    return icp


async def people(db: Database) -> list[EntityId]:
    async with db.workspace(DEFAULT_WORKSPACE) as conn:
        rows = await (await conn.execute("select id from entity where kind = 'person'")).fetchall()
    return [EntityId(row["id"]) for row in rows]


async def rederived(db: Database, change: Callable[[dict], dict]) -> int:
    """Derive the company alone anew, as of the same moment, by a merge that comes to that."""

    def anew(observations: Sequence[Observation], now: datetime) -> dict[FieldName, Winner]:
        return change(merge(observations, now=now))

    _, _, fields = await RebuildStore(db).rederive(
        DEFAULT_WORKSPACE, EntityId(0), 1, anew, dry=False
    )
    return fields


def nameless(winners: dict) -> dict:
    return {name: kept for name, kept in winners.items() if name != "company_name"}


async def test_a_rebuild_that_changes_a_company_changes_the_score_of_who_works_there(
    db: Database, icp: IcpStore
):
    (jane,) = await people(db)
    before = (await icp.of(DEFAULT_WORKSPACE, [jane]))[jane]
    assert before.score == 100
    assert await rederived(db, dict) == 0
    assert await icp.rescore(DEFAULT_WORKSPACE) == 0
    assert await rederived(db, nameless) == 1
    assert (await icp.of(DEFAULT_WORKSPACE, [jane]))[jane].score is None
    assert await rederived(db, dict) == 1
    assert await icp.rescore(DEFAULT_WORKSPACE) == 1
    assert (await icp.of(DEFAULT_WORKSPACE, [jane]))[jane] == before


async def test_a_statement_that_is_not_read_any_more_takes_the_score_along(
    db: Database, icp: IcpStore
):
    (jane,) = await people(db)
    assert (await icp.of(DEFAULT_WORKSPACE, [jane]))[jane].score == 100
    async with db.workspace(DEFAULT_WORKSPACE) as conn:
        stated = await conn.execute("select id from observation where field = 'company_name'")
        ids = [row["id"] for row in await stated.fetchall()]
        for name in ("underive", "unstate"):
            await conn.execute(statements("rebuild")[name], {"ids": as_array(ids)})
    assert (await icp.of(DEFAULT_WORKSPACE, [jane]))[jane].score is None
