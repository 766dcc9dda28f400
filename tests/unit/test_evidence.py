"""A quote supports a value only where its words say so, not where they merely occur (E11)."""

import pytest

from glaze.model.evidence import supports
from glaze.model.value import FieldName, Json


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("person_full_name", "John Smith", "John Doe met our founder Mary Smith"),
        ("person_full_name", "John Smith", "We met John. Smith was there too"),
        ("person_full_name", "John Smith", "John Smith-Jones leads the team"),
        ("person_first_name", "Smith", "our founder Mary Smith"),
        ("person_last_name", "Mary", "our founder Mary Smith"),
        ("company_city", "York", "Our couriers drive from New York to Boston"),
        ("company_city", "Kansas", "Our office is in Kansas City"),
        ("company_city", "Baden", "Unser Büro ist in Baden-Baden"),
        ("company_city", "Reading", "We are fond of reading books"),
        ("company_legal_name", "Acme GmbH", "© 2024 Acme GmbH & Co. KG"),
        ("company_name", "Acme", "© 2024 Acme Bank GmbH"),
        ("person_title", "Head of Sales", "Head of Marketing, formerly in Sales"),
        ("company_street", "2 Main Street", "12 Main Street, Austin"),
    ],
)
def test_words_put_together_or_cut_from_a_longer_name_are_no_name(
    field: str, value: Json, quote: str
) -> None:
    assert not supports(FieldName(field), value, quote)


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("person_full_name", "John Smith", "our founder John Smith met Mary"),
        ("person_full_name", "Hans Müller", "Geschäftsführer: Dr. Hans Müller"),
        ("person_full_name", "Jane Doe", "Jane Doe CEO"),
        ("person_full_name", "J. P. Morgan", "founded by J.P. Morgan"),
        ("person_first_name", "Mary", "our founder Mary Smith"),
        ("person_last_name", "Smith", "our founder Mary Smith"),
        ("company_city", "New York", "Our couriers drive from New York to Boston"),
        ("company_city", "Berlin", "Hauptstr. 5, 10115 Berlin Germany"),
        ("company_city", "Austin", "5 Main Street, Austin TX 78701"),
        ("company_city", "Frankfurt am Main", "mit Sitz in Frankfurt am Main."),
        ("company_city", "München", "In München zu Hause"),
        ("company_city", "東京", "当社は東京を拠点とする企業です。"),
        ("company_name", "Acme", "© 2024 Acme GmbH"),
        ("company_name", "Acme", "© 2024 Acme S.r.l."),
        ("company_legal_name", "Acme Inc", "© 2024 Acme, Inc. All rights reserved"),
        ("company_street", "Hauptstr 5", "Hauptstr. 5, 10115 Berlin"),
        ("person_title", "Head of Sales", "Jane Doe, Head of Sales"),
    ],
)
def test_a_name_that_stands_there_as_one_phrase_is_kept(
    field: str, value: Json, quote: str
) -> None:
    assert supports(FieldName(field), value, quote)


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("company_employee_count", 1998, "Our team has grown steadily since 1998 in Berlin"),
        ("company_employee_count", 1998, "Our team since 1998"),
        ("company_employee_count", 1998, "In 1998 people laughed at us"),
        ("company_employee_count", 1924, "Our team ships 1924 parcels a day"),
        ("company_employee_count", 120, "Our team grew by 120 % last year"),
        ("company_employee_count", 120, "More than 120k employees use it"),
        ("company_employee_count", 200, "1 200 Mitarbeiter arbeiten hier"),
        ("company_size", "1001-5000", "Our team has grown steadily since 1998 in Berlin"),
        ("company_founded_year", 1924, "Founded by two friends, we ship 1924 parcels a day"),
        ("company_founded_year", 1924, "Since then 1924 employees have joined"),
        ("company_founded_year", 2015, "Founded by former bankers, we moved to Berlin in 2015"),
        ("company_founded_year", 1998, "The best 1998 wines"),
        ("company_founded_year", 1990, "Founded in the 1990s by friends"),
    ],
)  # fmt: skip
def test_a_number_far_from_what_it_is_called_counts_for_nothing(
    field: str, value: Json, quote: str
) -> None:
    assert not supports(FieldName(field), value, quote)


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("company_employee_count", 12, "Today we are a team of 12 people."),
        ("company_employee_count", 120, "Number of employees: 120"),
        ("company_employee_count", 1200, "1 200 Mitarbeiter arbeiten hier"),
        ("company_employee_count", 1800, "Since 1998, 1800 employees have joined"),
        ("company_employee_count", 80, "We have 80 sales people"),
        ("company_employee_count", 80, "Notre équipe compte 80 salariés"),
        ("company_employee_count", 35, "従業員数35名。"),
        ("company_size", "11-50", "11-50 employees"),
        ("company_founded_year", 1998, "Est. 1998 in Berlin"),
        ("company_founded_year", 1998, "Acme wurde 1998 in München von Jane Doe gegründet"),
        ("company_founded_year", 1998, "founded by Jane Doe and John Smith in 1998"),
        ("company_founded_year", 1998, "Seit 1998 entwickeln wir Software"),
        ("company_founded_year", 1998, "Fondée en 1998, notre maison a grandi"),
        ("company_founded_year", 1998, "Opgericht in 1998, zijn wij gegroeid."),
        ("company_founded_year", 1998, "1998年設立。着実に成長してまいりました。"),
    ],
)
def test_a_number_beside_what_it_is_called_is_kept(field: str, value: Json, quote: str) -> None:
    assert supports(FieldName(field), value, quote)


@pytest.mark.parametrize(
    "quote",
    [
        "HRB 99 30 12345678",
        "HRB 3012345678",
        "Amtsgericht Berlin, Handelsregister Nr. 30 12345678",
        "VAT ID: 3012345678",
        "DE3012345678",
        "+43 30 12345678",
        "1 99 30 12345678",
    ],
)
def test_digits_of_a_register_or_of_a_longer_number_are_no_phone(quote: str) -> None:
    assert not supports(FieldName("person_phone"), "+493012345678", quote)


@pytest.mark.parametrize(
    "quote",
    [
        "Tel. 030 12345678",
        "030/12345678, Berlin",
        "Call +49 30 1234-5678 today",
        "+49 (0)30 12345678",
        "0049 30 12345678",
        "(030) 12345678",
        "HRB 99, Tel.: 030 12345678",
    ],
)
def test_a_phone_number_is_kept_however_it_is_written(quote: str) -> None:
    assert supports(FieldName("person_phone"), "+493012345678", quote)
