"""The website provider reads what the sandbox's sites publish, and little else."""

import asyncio
from collections.abc import Mapping

import pytest
from extraction_truth import FIELDS, Score, read_sites, scores, table

from glaze.model.provider import Reply, Unbilled, Verdict

COMPANIES, SEED = 250, 23
# What a change may not fall below; the table in a failure says where it stands.
PRECISION: Mapping[str, float] = {"company_phone": 0.95, "company_legal_name": 0.97}
RECALL: Mapping[str, float] = {"company_phone": 0.96, "company_legal_name": 0.95}
FLOOR = 0.97


@pytest.fixture(scope="module")
def sites() -> tuple[list[dict[str, object]], dict[str, Reply]]:
    return asyncio.run(read_sites(COMPANIES, SEED))


@pytest.fixture(scope="module")
def found(sites: tuple[list[dict[str, object]], dict[str, Reply]]) -> dict[str, Score]:
    return scores(*sites)


@pytest.mark.parametrize("field", FIELDS)
def test_what_the_sites_publish_is_read_and_little_else(
    field: str, found: dict[str, Score]
) -> None:
    assert found[field].published
    assert found[field].precision >= PRECISION.get(field, FLOOR), f"\n{table(found)}"
    assert found[field].recall >= RECALL.get(field, FLOOR), f"\n{table(found)}"


def test_every_site_is_answered_for_free_and_none_as_an_outage(
    sites: tuple[list[dict[str, object]], dict[str, Reply]],
) -> None:
    truth, replies = sites
    assert len(replies) == len(truth)
    assert all(reply.billing == Unbilled() for reply in replies.values())
    assert {reply.verdict for reply in replies.values()} <= {Verdict.MATCH, Verdict.NO_MATCH}


def test_a_site_that_forbids_robots_is_left_alone_with_the_reason(
    sites: tuple[list[dict[str, object]], dict[str, Reply]],
) -> None:
    denied = [site["domain"] for site in sites[0] if site["robots"] == "deny"]
    assert denied
    for domain in denied:
        assert sites[1][str(domain)].readings == ()
        assert "robots.txt" in sites[1][str(domain)].detail


def test_the_makers_phone_and_mail_in_a_footer_are_not_the_companys(
    sites: tuple[list[dict[str, object]], dict[str, Reply]],
) -> None:
    for reply in sites[1].values():
        values = {str(reading.value) for reading in reply.readings}
        assert not values & {"+12125550199", "hello@pixelhandwerkstudio.com"}
