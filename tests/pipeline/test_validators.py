"""Each validator through the whole pipeline: what becomes of a good, a doubtful and a bad value (E5)."""

from collections.abc import Mapping
from typing import NamedTuple

import pytest

from glaze.model.request import EnrichResult
from glaze.model.value import FieldName, Json
from glaze.store.database import Database
from tests.pipeline.test_run import Desk, Source

SURE = 80  # of what the test's provider states


@pytest.fixture
def desk(db: Database) -> Desk:
    return Desk(db)


class Case(NamedTuple):
    """What a provider states of a field, and what is left of it: no value where it is no such."""

    field: str
    stated: Json
    value: Json
    confidence: int = SURE
    beside: Mapping[str, Json] = {}  # what is known from another source before
    given: Mapping[str, str] = {}  # what the caller says beside the domain


def bad(
    field: str, stated: Json, beside: Mapping[str, Json] = {}, given: Mapping[str, str] = {}
) -> Case:
    return Case(field, stated, None, 0, beside, given)


PERSON = {"first_name": "Jane", "last_name": "Roe"}
DE = {"country": "DE"}
VALIDATORS = {
    "email syntax": [
        Case("person_email", " Jane.Roe@ACME.com ", "Jane.Roe@acme.com", given=PERSON),
        Case("person_email", "jane@gmail.com", "jane@gmail.com", 56, given=PERSON),
        Case("person_email", "info@acme.com", "info@acme.com", 40, given=PERSON),
        Case("person_email", "jane@mailinator.com", "jane@mailinator.com", 19, given=PERSON),
        bad("person_email", "jane.roe at acme", given=PERSON),
        bad("person_email", "email_not_unlocked@acme.com", given=PERSON),
    ],
    "email MX": [
        Case(
            "company_email",
            "info@acme.com",
            "info@acme.com",
            beside={"company_mail_provider": "google"},
        ),
        Case(
            "company_email",
            "info@other.com",
            "info@other.com",
            64,
            beside={"company_mail_provider": "none"},
        ),
        bad("company_email", "info@acme.com", {"company_mail_provider": "none"}),
    ],
    "URL": [
        Case(
            "company_linkedin_url",
            "linkedin.com/company/Acme/?trk=x",
            "https://www.linkedin.com/company/acme",
        ),
        bad("company_linkedin_url", "https://www.linkedin.com/in/jane"),
        bad("company_linkedin_url", "not a page"),
    ],
    "phone": [
        Case("company_phone", "030 5557 0199", None, 0),
        Case("company_phone", "(614) 555-0102", "+16145550102", given={"country": "US"}),
        Case("company_phone", "+1 614 555 0102", "+16145550102", 72, given=DE),
        Case("company_phone", "+49 30 1", "+49301", 48, given=DE),
        bad("company_phone", "+49 30 11111111", given=DE),
        bad("company_phone", "call us"),
    ],
    "country": [
        Case("company_country", "Deutschland", "DE"),
        Case("company_country", "DE", "DE", 72, {"company_phone": "+16145550102"}),
        bad("company_country", "Atlantis"),
    ],
    "employee range": [
        Case("company_size", "11 to 50 employees", "11-50"),
        Case("company_size", "11-50", "11-50", 64, {"company_employee_count": 5000}),
        bad("company_size", "quite some"),
        Case("company_employee_count", "5,000", 5000),
        Case("company_employee_count", 5000, 5000, 64, {"company_size": "11-50"}),
        bad("company_employee_count", 0),
        bad("company_employee_count", 90_000_000),
    ],
    "year": [
        Case("company_founded_year", "1999", 1999),
        Case("company_founded_year", 2019, 2019, 64, {"company_founded_date": "2001-03-01"}),
        bad("company_founded_year", 1599),
        bad("company_founded_year", 3019),
        bad("company_founded_year", "long ago"),
    ],
    "money": [
        Case("company_revenue", "$12.5M", 12_500_000),
        Case("company_revenue", 90_000_000_000, 90_000_000_000, 56, {"company_employee_count": 12}),
        Case("company_revenue", 20_000, 20_000, 56, {"company_employee_count": 400}),
        bad("company_revenue", 0),
        bad("company_revenue", 9_000_000_000_000),
        bad("company_revenue", "a lot"),
    ],
}


@pytest.mark.parametrize("validator", VALIDATORS)
async def test_a_good_value_counts_a_doubtful_one_less_and_a_bad_one_not_at_all(
    desk: Desk, validator: str
) -> None:
    for n, case in enumerate(VALIDATORS[validator]):
        domain = f"acme{n}.com"  # a company of its own for each
        stated, value = of(case.stated, domain), of(case.value, domain)
        before = {FieldName(name): known for name, known in case.beside.items()}
        sources = [Source("early", before)] if before else []
        stating = Source("vendor", {FieldName(case.field): stated}, price=1_000)
        result = await desk.enrich(
            [*sources, stating],
            [*case.beside, case.field],
            given={"domain": domain, **case.given},
            min_confidence=10,
        )
        assert isinstance(result, EnrichResult)
        assert len(stating.asked) == 1, case
        found = result.data.get(FieldName(case.field))
        told = (None, 0) if found is None else (found.value, found.confidence)
        assert told == (value, case.confidence), case
        assert (case.field in result.missing) == (found is None), case
        if found is not None and value != stated:
            assert str(stated) in await raws(desk.db), case


def of(value: Json, domain: str) -> Json:
    """The case's value about the company at ``domain``."""
    if not isinstance(value, str):
        return value
    return value.replace("acme.com", domain).replace("ACME.com", domain.upper())


async def raws(db: Database) -> list[str]:
    """The stored words of what was put into canonical form."""
    async with db.workspace(1) as conn:
        rows = await (await conn.execute("select raw from observation")).fetchall()
    return [row["raw"] for row in rows if row["raw"]]
