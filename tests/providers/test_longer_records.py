"""What records tell beyond the usual: careers, studies, funding, owners, ranges of revenue, by each vendor's own keys."""

import pytest
from vendor_fake import VendorFake, ask, one, values

from glaze.model.career import station
from glaze.model.normalise import Invalid, normalise
from glaze.model.value import FieldName
from glaze.providers.apollo import apollo
from glaze.providers.clearbit import clearbit
from glaze.providers.enrichlayer import enrichlayer
from glaze.providers.hunter import hunter
from glaze.providers.people_data_labs import people_data_labs

ACME = {"company_domain": "acme.com"}
JANE = {"person_email": "jane@acme.com"}
PAST = {
    "title": "Engineer",
    "organization_name": "Old Ltd",
    "start_date": "2015-03-01",
    "end_date": "2019-01-01",
}
NOW = {"title": "CTO", "organization_name": "Acme", "start_date": "2019-02-01", "end_date": None}
CAREER = ["CTO, Acme (since 2019-02)", "Engineer, Old Ltd (2015-03 to 2019-01)"]
RECORDS = [
    (
        apollo,
        "organization_enrich",
        ACME,
        {
            "organization": {
                "primary_domain": "acme.com",
                "publicly_traded_exchange": "nasdaq",
                "latest_funding_stage": "Series B",
                "latest_funding_round_date": "2024-05-01T00:00:00.000+00:00",
                "owned_by_organization": {"id": "1", "name": "Acme Group"},
                "ultimate_parent_organization": {"name": "Acme Holdings"},
            }
        },
        {
            "company_domain": "acme.com",
            "company_exchange": "nasdaq",
            "company_funding_stage": "Series B",
            "company_funding_last_date": "2024-05-01",
            "company_parent": "Acme Group",
        },
    ),
    (
        apollo,
        "people_match",
        JANE,
        {"person": {"name": "Jane Doe", "employment_history": [NOW, PAST, {}]}},
        {"person_full_name": "Jane Doe", "person_experience": CAREER},
    ),
    (
        people_data_labs,
        "person",
        JANE,
        {
            "status": 200,
            "likelihood": 10,
            "data": {
                "full_name": "jane doe",
                "experience": [
                    {
                        "title": {"name": "cto"},
                        "company": {"name": "acme"},
                        "start_date": "2019-02",
                        "end_date": None,
                    },
                    {
                        "title": None,
                        "company": {"name": "old ltd"},
                        "start_date": None,
                        "end_date": "2019",
                    },
                ],
                "education": [
                    {
                        "school": {"name": "university of leeds"},
                        "degrees": ["bachelors"],
                        "majors": ["physics"],
                        "end_date": "2011",
                    }
                ],
            },
        },
        {
            "person_full_name": "Jane Doe",
            "person_experience": ["CTO, Acme (since 2019-02)", "Old Ltd (until 2019)"],
            "person_education": ["Bachelors Physics, University of Leeds (until 2011)"],
        },
    ),
    (
        people_data_labs,
        "company",
        ACME,
        {
            "status": 200,
            "likelihood": 10,
            "name": "acme",
            "inferred_revenue": "$10M-$25M",
            "sic": [{"sic_code": "3569"}],
            "naics": [{"naics_code": "333999"}, {"naics_code": None}],
        },
        {
            "company_name": "Acme",
            "company_revenue_range": "10000000-25000000",
            "company_sic": ["3569"],
            "company_naics": ["333999"],
        },
    ),
    (
        hunter,
        "company",
        ACME,
        {
            "data": {
                "name": "Acme",
                "metrics": {"estimatedAnnualRevenue": "$10M-$50M"},
                "parent": {"domain": "group.com"},
            }
        },
        {
            "company_name": "Acme",
            "company_revenue_range": "10000000-50000000",
            "company_parent": "group.com",
        },
    ),
    (
        clearbit,
        "company",
        ACME,
        {
            "name": "Acme",
            "metrics": {"estimatedAnnualRevenue": "$10B+"},
            "ultimateParent": {"domain": "top.com"},
        },
        {
            "company_name": "Acme",
            "company_revenue_range": "10000000000+",
            "company_parent": "top.com",
        },
    ),
    (
        enrichlayer,
        "profile",
        {"person_linkedin_url": "https://www.linkedin.com/in/jane"},
        {
            "full_name": "Jane Doe",
            "experiences": [
                {
                    "title": "Intern",
                    "company": "Old",
                    "starts_at": {"year": 2010},
                    "ends_at": {"year": 2011, "month": 6},
                }
            ],
            "education": [
                {
                    "school": "Leeds",
                    "degree_name": "BSc",
                    "field_of_study": "Physics",
                    "starts_at": {"year": 2008, "month": 9, "day": 1},
                }
            ],
        },
        {
            "person_full_name": "Jane Doe",
            "person_linkedin_url": "https://www.linkedin.com/in/jane",
            "person_experience": ["Intern, Old (2010 to 2011-06)"],
            "person_education": ["BSc Physics, Leeds (since 2008-09)"],
        },
    ),
]


@pytest.mark.parametrize(
    ("provider", "operation", "known", "body", "told"),
    RECORDS,
    ids=[f"{provider.spec.name}.{operation}" for provider, operation, *_ in RECORDS],
)
async def test_a_record_is_read_by_the_vendors_own_keys(
    provider, operation, known, body, told
) -> None:
    wanted = next(name for name in told if name not in known)
    reply = await one(provider, operation, ask(wanted, **known), VendorFake.of(body))
    assert values(reply) == told


def test_a_station_without_a_name_is_none_and_one_without_dates_has_none() -> None:
    assert station(None, None, "2019", None) is None
    assert station("Engineer", None, None, None) == "Engineer"


@pytest.mark.parametrize("told", ["€10M-€50M", "a lot", "$50M-$10M"])
def test_no_range_of_dollars_is_refused(told: str) -> None:
    with pytest.raises(Invalid):
        normalise(FieldName("company_revenue_range"), told)


def test_a_range_of_revenue_stays_as_it_is_when_it_is_read_again() -> None:
    once = normalise(FieldName("company_revenue_range"), "$1M to $10 million")
    assert once == "1000000-10000000" == normalise(FieldName("company_revenue_range"), once)
