"""A reading is judged before it counts: accepted, believed less, or rejected (E5, P9)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glaze.model.field import FIELDS
from glaze.model.value import FieldName, Json, Reading
from glaze.pipeline.validate import Accepted, Rejected, validate

NOW = datetime(2026, 11, 1, tzinfo=UTC)
OWN = {"company_domain": "acme.com"}


def judge(
    field: str,
    value: Json,
    known: dict[str, Json] | None = None,
    mx: dict[str, bool] | None = None,
) -> Accepted | Rejected:
    reading = Reading(FieldName(field), value, 80)
    stated = {FieldName(name): stated for name, stated in (known or {}).items()}
    return validate(reading, known=stated, now=NOW, mx=mx)


def confidence(found: Accepted | Rejected) -> int:
    assert isinstance(found, Accepted), found
    return found.reading.confidence


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("company_name", "N/A"),
        ("person_full_name", "null null"),
        ("person_full_name", "N/A n/a"),
        ("company_name", "{{company.name}}"),
        ("company_name", "Home"),
        ("company_name", "Just a moment..."),
        ("company_name", "https://acme.com"),
        ("company_name", "acme.com is for sale - buy this domain"),
        ("company_description", "Please enable JavaScript and cookies to continue"),
        ("person_full_name", "jane@acme.com"),
        ("person_email", "test@example.com"),
        ("person_email", "email_not_unlocked@domain.com"),
        ("person_email", "your.name@acme.com"),
        ("person_email", "sprite@2x.png"),
        ("person_email", "jane at acme"),
        ("company_phone", "+1 111 111 1111"),
        ("company_phone", "+49 30 12345678"),
        ("company_phone", "12"),
        ("company_founded_year", 1599),
        ("company_founded_year", 2027),
        ("company_employee_count", 0),
        ("company_employee_count", 90_000_000),
        ("company_revenue", 0),
        ("company_domain", "gmail.com"),
        ("company_website", "https://www.facebook.com/acme"),
        ("company_website", "http://10.0.0.1/"),
        ("company_linkedin_url", "https://www.linkedin.com/in/jane"),
        ("person_linkedin_url", "https://acme.com/in/jane"),
    ],
)
def test_what_is_no_value_of_its_field_is_rejected_with_a_reason(field: str, value: Json) -> None:
    found = judge(field, value)
    assert isinstance(found, Rejected)
    assert found.reason


@pytest.mark.parametrize(
    ("field", "value", "known"),
    [
        ("company_name", "acme.com", OWN),
        ("person_email", "info@acme.com", OWN),
        ("person_email", "jane@gmail.com", {}),
        ("person_email_status", "deliverable", {"person_email": "jane@mailinator.com"}),
        ("person_email", "jane@mailinator.com", {}),
        ("person_email", "jane@other.com", OWN),
        ("company_email", "info@other.com", OWN),
        ("company_email", "noreply@acme.com", OWN),
        ("company_phone", "+4930123456", {"company_country": "US"}),
        ("company_phone", "+15551234567", {}),
        ("company_country", "US", {"company_phone": "+4930123456"}),
        ("company_employee_count", 100, {"company_size": "11-50"}),
        ("company_size", "11-50", {"company_employee_count": 100}),
        ("company_website", "https://other.com", OWN),
        ("company_domain", "other.com", OWN),
        ("person_first_name", "User123", {}),
    ],
)
def test_what_contradicts_or_looks_odd_is_believed_less_and_says_why(
    field: str, value: Json, known: dict[str, Json]
) -> None:
    found = judge(field, value, known)
    assert 0 < confidence(found) < 80
    assert isinstance(found, Accepted)
    assert found.notes


@pytest.mark.parametrize(
    ("field", "value", "known"),
    [
        ("company_name", "Acme", OWN),
        ("company_email", "info@acme.com", OWN),
        ("person_email", "jane@acme.com", OWN),
        ("person_email", "jane@example.com", {"company_domain": "example.com"}),
        ("person_email_status", "unknown", {}),
        ("company_type", "Private", {}),
        ("company_email_pattern", "{first}", {}),
        ("company_phone", "+4930123456", {"company_country": "DE"}),
        ("company_phone", "+80012345679", {"company_country": "DE"}),
        ("company_employee_count", 100, {"company_size": "51-200"}),
        ("company_founded_year", 2026, {}),
        ("company_founded_year", 1600, {}),
        ("company_website", "https://shop.acme.com", OWN),
        ("company_country", "DE", {"company_phone": "+4930123456"}),
    ],
)
def test_what_is_consistent_keeps_its_confidence(
    field: str, value: Json, known: dict[str, Json]
) -> None:
    assert confidence(judge(field, value, known)) == 80


def test_an_address_at_a_domain_without_mail_is_rejected_and_an_unasked_one_is_not() -> None:
    assert isinstance(judge("person_email", "jane@acme.com", mx={"acme.com": False}), Rejected)
    assert confidence(judge("person_email", "jane@acme.com", mx={"acme.com": True})) == 80
    assert confidence(judge("person_email", "jane@acme.com", mx={"other.com": False})) == 80


def test_an_accepted_reading_is_canonical_and_keeps_what_stood_there() -> None:
    found = judge("company_phone", "030 / 123456", {"company_country": "DE"})
    assert isinstance(found, Accepted)
    assert (found.reading.value, found.reading.raw) == ("+4930123456", "030 / 123456")


def test_a_number_without_country_is_read_where_the_company_s_domain_says() -> None:
    found = judge("company_phone", "01452 912958", {"company_domain": "acme.co.uk"})
    assert isinstance(found, Accepted)
    assert found.reading.value == "+441452912958"
    assert isinstance(judge("company_phone", "01452 912958", {"company_domain": "a.io"}), Rejected)


@given(
    st.sampled_from(sorted(FIELDS)),
    st.text(max_size=30) | st.integers() | st.lists(st.text(max_size=5)) | st.none(),
    st.integers(-10, 200),
)
def test_no_reading_breaks_the_judge_or_gains_confidence(
    field: FieldName, value: Json, stated: int
) -> None:
    found = validate(Reading(field, value, stated), known={}, now=NOW)
    if isinstance(found, Accepted):
        assert 0 <= found.reading.confidence <= min(100, max(0, stated))
    else:
        assert found.reason
