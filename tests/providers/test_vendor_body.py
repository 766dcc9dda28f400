"""Vendors' answers, read leniently."""

import pytest

from glaze.model.provider import Billed, BillingUnknown, Unbilled, VendorResponse
from glaze.model.value import Micros
from glaze.model.vendor_body import (
    Readings,
    at,
    gives,
    int_at,
    message_of,
    parse_json,
    price_header,
    retry_after_s,
    share_out,
    text_at,
)


def response(body: bytes = b"", status: int = 429, **headers: str) -> VendorResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return VendorResponse(status, named, body, "https://vendor.example")


def test_json_in_a_string_is_json() -> None:
    assert parse_json(b'"{\\"error\\": \\"no\\"}"') == {"error": "no"}


@pytest.mark.parametrize("body", [b"", b"\xff", b"{", b"<html>", b"[" * 100_000, b"1" * 5_000])
def test_what_is_no_json_is_nothing(body) -> None:
    assert parse_json(body) is None


def test_a_path_through_the_wrong_types_leads_nowhere() -> None:
    value = {"a": [{"b": " x "}], "t": True}
    assert text_at(value, "a", 0, "b") == "x"
    assert at(value, "a", 5, "b") is at(value, "a", "b") is at(value, "t", 0) is None
    assert text_at(value, "t") is int_at(value, "t") is None


@pytest.mark.parametrize(
    ("given", "read"),
    [("1,200", 1200), (12.0, 12), ("12", 12), (1.5, None), (float("inf"), None), ("9" * 40, None)],
)
def test_whole_numbers_are_read_however_they_are_written(given, read) -> None:
    assert int_at(given) == read


def test_a_message_for_people_does_not_echo_the_question_or_the_key() -> None:
    body = b'{"error": {"message": "Bad key sk-live-123 for jane@acme.com, +1 555 123 4567"}}'
    said = message_of(response(body, 401))
    assert said.startswith("401: Bad key")
    assert not {"sk-live-123", "jane@acme.com", "4567"} & set(said.replace(",", " ").split())


def test_an_html_error_page_is_shortened_to_its_words() -> None:
    assert (
        message_of(response(b"<html><h1>502 Bad Gateway</h1></html>", 502))
        == "502: 502 Bad Gateway"
    )


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "17"}, 17),
        ({"retry_after": "999999999"}, 86_400),
        ({"retry_after": "-5"}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "nan"}, None),
        ({"retry_after": f"Sun, 22 Nov {'9' * 20} 10:01:00 GMT"}, None),
        ({"retry_after": "Sun, 22 Nov 2026 10:01:00 +99999999999999"}, None),
        ({}, None),
        (
            {
                "retry_after": "Sun, 22 Nov 2026 10:01:00 GMT",
                "date": "Sun, 22 Nov 2026 10:00:00 GMT",
            },
            60,
        ),
        ({"retry_after": "Sun, 22 Nov 2026 10:01:00 GMT"}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_beside_the_answers_own(headers, seconds) -> None:
    assert retry_after_s(response(**headers)) == seconds


@pytest.mark.parametrize(("header", "number"), [("2", 2), (" 0.5 ", 0.5), ("0", 0)])
def test_a_header_states_the_price_in_credits(header, number) -> None:
    assert price_header(response(x_credits=header), "x-credits") == number
    assert price_header(response(), "x-credits") is None


@pytest.mark.parametrize("header", ["-1", "many", "1e9", "nan", "", "10000000000", "9" * 5000])
def test_a_header_without_a_possible_number_leaves_the_price_unknown(header) -> None:
    assert isinstance(price_header(response(x_credits=header), "x-credits"), BillingUnknown)


def test_a_price_is_shared_out_without_a_rest() -> None:
    shares = share_out(Micros(100), [0, 2, 5])
    assert shares == {0: Billed(Micros(34)), 2: Billed(Micros(33)), 5: Billed(Micros(33))}
    assert share_out(Micros(1), [3, 4]) == {3: Billed(Micros(1)), 4: Unbilled()}
    assert share_out(Micros(100), []) == {}


def test_what_is_said_of_a_doubtful_match_is_believed_by_its_share() -> None:
    readings = Readings(gives(company_name=90, company_city=80), share=0.5, minus=5)
    readings.add("company_name", "Acme")
    readings.add("company_city", "Leeds", confidence=100)
    assert [reading.confidence for reading in readings.found] == [40, 45]
