"""Structured data as templates really write it: broken, nested, and about several companies."""

import json

import pytest

from glaze.model.value import Json
from glaze.providers.website import extract

OWN = {"@type": "Organization", "name": "Fern & Oak", "url": "https://www.fernoak.com"}
PHONE = "+15032220148"


def read(*data: object) -> dict[str, list[Json]]:
    scripts = "".join(
        f'<script type="application/ld+json">{one if isinstance(one, str) else json.dumps(one)}</script>'
        for one in data
    )
    found: dict[str, list[Json]] = {}
    page = f'<html lang="en"><title>Fern & Oak</title>{scripts}'
    for reading in extract(page.encode(), "https://www.fernoak.com/"):
        found.setdefault(reading.field, []).append(reading.value)
    return found


@pytest.mark.parametrize(
    "broken",
    [
        '{"@type":"Organization","name":"Fern","telephone":"+1 503 222 0148"}{"@type":"WebSite"}',
        '\n//<![CDATA[\n{"@type":"Organization","name":"Fern","telephone":"+1 503 222 0148"}\n//]]>\n',
        '{"@type":"Organization","name":"Fern","description":"a\nb","telephone":"+1 503 222 0148",}',
        (
            "{&quot;@type&quot;:&quot;Organization&quot;,&quot;name&quot;:&quot;Fern&quot;,"
            "&quot;telephone&quot;:&quot;+1 503 222 0148&quot;}"
        ),
        '[{"@type":"WebSite"}] ; {"@type":"Organization","name":"Fern","telephone":"+1 503 222 0148"}',
    ],
)
def test_what_templates_break_is_mended(broken: str) -> None:
    assert read(broken)["company_phone"] == [PHONE]


def test_properties_may_be_plain_texts_and_lists() -> None:
    found = read(
        {
            **OWN,
            "@type": ["Organization", "LocalBusiness"],
            "name": "Fern &amp; Oak",
            "telephone": ["(503) 222-0148", "(503) 222-0149"],
            "address": "14 Harbor Way, Portland, OR 97209",
            "logo": "/img/logo.svg",
            "sameAs": "https://www.tiktok.com/@fernoak",
            "foundingDate": "1998",
            "numberOfEmployees": "51-200",
            "openingHours": "Mo-Fr 09:00-17:00",
        }
    )
    assert found["company_name"] == ["Fern & Oak"]
    assert found["company_phone"] == [PHONE, "+15032220149"]
    assert found["company_street"] == ["14 Harbor Way"]
    assert (found["company_city"], found["company_postal_code"]) == (["Portland"], ["97209"])
    assert found["company_logo_url"] == ["https://www.fernoak.com/img/logo.svg"]
    assert found["company_tiktok_url"] == ["https://www.tiktok.com/@fernoak"]
    assert found["company_size"] == ["51-200"]
    assert found["company_opening_hours"] == [["Mo-Fr 09:00-17:00"]]


def test_branches_lend_their_addresses_to_the_company_and_other_companies_do_not() -> None:
    def store(name: str, street: str, city: str, **more: object) -> dict[str, object]:
        address = {"streetAddress": street, "addressLocality": city, "addressCountry": "US"}
        return {"@type": "Store", "name": name, "address": address, **more}

    found = read(
        {
            "@graph": [
                {
                    **OWN,
                    "@id": "#us",
                    "parentOrganization": {**store("Big Inc", "1 Wall St", "NY")},
                },
                store(
                    "Harbor Shop", "14 Harbor Way", "Portland", parentOrganization={"@id": "#us"}
                ),
                store("Fern & Oak Boise", "9 Elm St", "Boise"),
                store("Rival Ltd", "2 Low Rd", "Salem"),
            ]
        }
    )
    assert found["company_city"] == ["Portland", "Boise"]
    assert found["company_name"] == ["Fern & Oak"]


def test_a_day_from_midnight_to_midnight_is_a_day_off() -> None:
    days = [("Monday", "09:00", "17:00"), ("Sunday", "00:00", "00:00")]
    spec = [{"dayOfWeek": day, "opens": opens, "closes": closes} for day, opens, closes in days]
    found = read({**OWN, "openingHoursSpecification": spec})
    assert found["company_opening_hours"] == [["Mo 09:00-17:00"]]


def test_registers_codes_have_fields_of_their_own() -> None:
    found = read({**OWN, "leiCode": "5493001KJTIIGC8Y1R12", "naics": "541511", "duns": "123456789"})
    assert found["company_lei"] == ["5493001KJTIIGC8Y1R12"]
    assert found["company_naics"] == [["541511"]]
    assert found["company_registry_ids"] == [{"lei": "5493001KJTIIGC8Y1R12", "duns": "123456789"}]


def test_a_job_offers_employer_is_not_the_site() -> None:
    other = {"@type": "Organization", "name": "Other GmbH", "telephone": "+49 30 123456"}
    assert "company_phone" not in read({"@type": "JobPosting", "hiringOrganization": other})
