"""Register numbers and numbers of staff, as pages of several countries write them."""

# ruff: noqa: RUF001  Japanese has signs of its own

import pytest

from glaze.model.value import Json
from glaze.providers.website import extract


def stated(text: str, field: str, url: str = "https://fernoak.com/") -> list[Json]:
    return [one.value for one in extract(f"<p>{text}</p>".encode(), url) if one.field == field]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Registergericht: Amtsgericht München, HRB 123456", "HRB123456"),
        ("Handelsregister HRB-Nr.: 4711 B", "HRB4711B"),
        ("FN 123456a, Handelsgericht Wien", "FN123456A"),
        ("SIRET : 552 100 554 00013", "552100554"),
        ("RCS Paris B 552 100 554", "552100554"),
        ("KvK-nummer: 12345678", "12345678"),
        ("Registered in England and Wales No. 01234567", "01234567"),
        ("Registered in England & Wales under company number 12345678", "12345678"),
        ("Company number SC123456", "SC123456"),
        ("ABN 51 824 753 556", "51824753556"),
        ("CVR-nr. 12 34 56 78", "12345678"),
        ("Org.nr: 556036-0793", "5560360793"),
        ("KRS 0000123456", "0000123456"),
        ("REA MI-1234567", "MI1234567"),
        ("法人番号：1234567890123", "1234567890123"),
    ],
)
def test_a_register_number_is_read_behind_its_label(text: str, number: str) -> None:
    assert stated(text, "company_registration_number") == [number]


@pytest.mark.parametrize(
    "text",
    [
        "Registered charity no. 1234567",
        "call company 1234567 times",
        "Company 1998-2024",
        "Order no. 1234567",
        "RCS messaging since 2019",
    ],
)
def test_other_numbers_are_no_register_numbers(text: str) -> None:
    assert stated(text, "company_registration_number") == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("We employ people: 500+ employees worldwide", 500),
        ("employs over 12,000 people", 12_000),
        ("unsere 250 Mitarbeiterinnen und Mitarbeiter", 250),
        ("rund 1.200 Mitarbeitende", 1_200),
        ("a team of 25 professionals", 25),
        ("our 40-strong team", 40),
        ("350 collaborateurs", 350),
        ("従業員数：約1,250名", 1_250),
    ],
)
def test_a_number_of_staff_is_read_in_several_languages(text: str, count: int) -> None:
    assert stated(text, "company_employee_count") == [count]


def test_a_range_of_staff_is_a_size() -> None:
    assert stated("Company size: 51-200 employees", "company_size") == ["51-200"]
    assert stated("Company size: 51-200 employees", "company_employee_count") == []


@pytest.mark.parametrize(
    "text",
    [
        "Built for companies with 50 employees or more",
        "ideal for teams of 10 to 50 employees",
        "employs 30% less energy",
        "Unternehmen mit 500 Mitarbeitern",
        "free plan for 5 team members",
    ],
)
def test_the_staff_of_others_is_not_the_companys(text: str) -> None:
    assert stated(text, "company_employee_count") == []
    assert stated(text, "company_size") == []
