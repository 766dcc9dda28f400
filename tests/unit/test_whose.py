"""A record about somebody else than was asked for is believed by half, whatever it says."""

from datetime import UTC, datetime

import pytest

from glaze.model.value import FieldName, Json, Reading
from glaze.pipeline.validate import Judging

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def believed(known: dict[str, Json], *stated: tuple[str, Json], url: str | None = None):
    """Return how far each value is believed that was stated with 80, and what was said."""
    judge = Judging({FieldName(name): value for name, value in known.items()}, NOW, {})
    kept = judge(tuple(Reading(FieldName(name), value, 80, url=url) for name, value in stated))
    return {str(one.field): one.confidence for one in kept}, [why for _, why in judge.said]


def test_a_record_of_another_domain_is_doubted_whole_and_says_so() -> None:
    found, said = believed(
        {"company_domain": "acme.com"},
        ("company_name", "Evil"),
        ("company_revenue", 10_000_000),
        ("company_domain", "evil.org"),
    )
    assert found == {"company_name": 40, "company_revenue": 40, "company_domain": 56}
    assert "company_name believed less: from a record of evil.org, not of acme.com" in said


@pytest.mark.parametrize(
    "stated",
    [
        [("company_domain", "acme.com")],
        [("company_website", "https://www.acme.de/")],
        [("company_domain", "acme-group.com"), ("company_domain_aliases", ["acme.com"])],
        [("company_domain_aliases", ["no address at all"])],
        [],
    ],
    ids=["same", "of another country", "as an alias", "no domain", "none stated"],
)
def test_a_record_that_may_be_the_companys_own_is_believed(stated: list[tuple[str, Json]]) -> None:
    found, _ = believed({"company_domain": "acme.com"}, ("company_name", "Acme"), *stated)
    assert found["company_name"] == 80


@pytest.mark.parametrize("url", ["https://www.acme.com/imprint", "https://evil.org/"])
def test_what_a_site_says_of_itself_is_no_record_of_another(url: str) -> None:
    stated = (("company_name", "Acme"), ("company_website", "https://evil.org/"))
    found, _ = believed({"company_domain": "acme.com"}, *stated, url=url)
    assert found["company_name"] == 80


def test_a_person_of_quite_another_name_is_doubted_with_the_address() -> None:
    found, said = believed(
        {"person_full_name": "Jane Doe-Roe", "company_domain": "acme.com"},
        ("person_full_name", "Bob Smith"),
        ("person_title", "Chief Financial Officer"),
        ("company_name", "Acme"),
    )
    assert found == {"person_full_name": 40, "person_title": 40, "company_name": 80}
    assert "person_title believed less: from a record of bob smith" in said


@pytest.mark.parametrize("name", ["Jane Smith", "J. Doe-Roe", "DOE-ROE Jane", "jané"])
def test_a_name_that_shares_a_part_may_be_the_same_person(name: str) -> None:
    known: dict[str, Json] = {"person_first_name": "Jane", "person_last_name": "Doe-Roe"}
    found, _ = believed(known, ("person_first_name", name), ("person_title", "Engineer"))
    assert found["person_title"] == 80


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"person_first_name": "Bill"}, "William Gates"),
        ({"person_full_name": "Ivan Petrov"}, "Иван Петров"),
    ],
    ids=["by a first name alone", "in other letters"],
)
def test_names_that_cannot_be_compared_are_no_reason_to_doubt(
    asked: dict[str, Json], told: str
) -> None:
    found, _ = believed(asked, ("person_full_name", told), ("person_title", "Engineer"))
    assert found["person_title"] == 80
