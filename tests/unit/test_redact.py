"""Secrets and personal data are masked, and what merely looks a little like them is not."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glaze.model.redact import EMAIL, PERSON, PHONE, SECRET, Redactor, is_personal

PLAIN = Redactor()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://glaze:hunter2@db:5432/x", f"postgresql://glaze:{SECRET}@db:5432/x"),
        ("https://u:p@ss@host/path", f"https://u:{SECRET}@host/path"),
        ("host=db password=hunter2 user=glaze", f"host=db password={SECRET} user=glaze"),
        ("Authorization: Bearer abc.def-123", f"Authorization: Bearer {SECRET}"),
        ('{"api_key": "a1b2c3"}', f'{{"api_key": "{SECRET}"}}'),
        ("GET /v1?api_key=a1b2c3&q=x", f"GET /v1?api_key={SECRET}&q=x"),
        ("X-Api-Key: a1b2c3", f"X-Api-Key: {SECRET}"),
        ("with sk-proj-aaaabbbbccccdddd", f"with {SECRET}"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcd", SECRET),
        ("mail ada.lovelace+x@mail.example.co.uk now", f"mail {EMAIL} now"),
        ("GET /find?email=ada%40example.com", f"GET /find?email={EMAIL}"),
        ("'ada@example.com' bounced", f"'{EMAIL}' bounced"),
        ("call +49 30 1234567", f"call {PHONE}"),
        ("call +1 (555) 123-4567.", f"call {PHONE}."),
        ("call (555) 123-4567", f"call {PHONE}"),
        ("tel 555-123-4567", f"tel {PHONE}"),
        ("tel 020 7946 0018", f"tel {PHONE}"),
        ("www.linkedin.com/in/ada-lovelace-1/", f"www.linkedin.com/in/{PERSON}/"),
    ],
)
def test_what_looks_like_a_secret_or_a_person_is_masked(text: str, masked: str) -> None:
    assert PLAIN.text(text) == masked
    assert PLAIN.text(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-04T10:30:00.123456Z",
        "01-02-2026",
        "job 1234567890 of batch 42 took 12.345 s",
        "worker host:12345, version 1.2.3, 10.20.30.40:5432",
        "550e8400-e29b-41d4-a716-446655440000",
        "connection refused: postgresql://localhost:5432/glaze",
        "linkedin.com/company/acme",
        "apollo.match: 3 of 10, $0.10, 100 requests a minute",
        "input_tokens 1200, output_tokens 30",
        "no @ sign, a@b, 50% + 3",
    ],
)
def test_what_is_neither_secret_nor_personal_stays_readable(text: str) -> None:
    assert PLAIN.text(text) == text


def test_facts_are_masked_by_their_names_however_deep() -> None:
    facts = {
        "provider": "apollo",
        "company_name": "Acme",
        "person_full_name": "Ada Lovelace",
        "last_name": "Lovelace",
        "phones": ["1", 2],
        "person_title": "Engineer",
        "headers": {"Authorization": "x", "Accept": "json"},
        "llm_api_key": "x",
        "rows": [{"email": "a", "row": 1}],
        "ok": True,
        "none": None,
    }
    assert PLAIN.facts(facts) == {
        "provider": "apollo",
        "company_name": "Acme",
        "person_full_name": PERSON,
        "last_name": PERSON,
        "phones": [PERSON, PERSON],
        "person_title": "Engineer",
        "headers": {"Authorization": SECRET, "Accept": "json"},
        "llm_api_key": SECRET,
        "rows": [{"email": PERSON, "row": 1}],
        "ok": True,
        "none": None,
    }


def test_known_secrets_are_masked_wherever_they_stand_and_never_shown() -> None:
    redactor = Redactor(["sandbox-canary-42", "postgres", "ab"])
    assert redactor.text("xsandbox-canary-42y") == f"x{SECRET}y"
    assert redactor.text("user postgres at postgresql://") == f"user {SECRET} at postgresql://"
    assert redactor.text("ab is too short to be told apart") == "ab is too short to be told apart"
    assert "canary" not in repr(redactor)


def test_whom_a_job_is_about_is_masked_in_any_text_by_parts_of_the_name_too() -> None:
    args = {"input": {"name": "Ada Lovelace", "company": "Engine Works", "email": "x"}}
    said = "no Lovelace at Engine Works; ADA LOVELACE is not Adamant"
    assert PLAIN.text(said, args) == f"no {PERSON} at Engine Works; {PERSON} is not Adamant"


def test_facts_of_any_type_become_json() -> None:
    class Odd:
        def __str__(self) -> str:
            return "odd: ada@example.com"

    deep: dict[str, object] = {}
    deep["self"] = deep
    told = PLAIN.facts({"odd": Odd(), "set": {1}, "deep": deep, "nul": "\0", "float": 1.5})
    assert told["odd"] == f"odd: {EMAIL}"
    assert told["set"] == [1]
    assert json.dumps(told)


@pytest.mark.parametrize("unit", ["a@", "0 1", "+1 ", "a.b", "://a:", "key=", "eyJ", "(", "sk-a"])
def test_hostile_text_is_masked_in_linear_time(unit: str) -> None:
    begun = time.process_time()
    told = PLAIN.text(unit * 100_000)
    assert time.process_time() - begun < 5
    assert len(told) <= 70_000


@given(st.text(max_size=200))
def test_masking_takes_any_text_and_what_is_masked_stays_so(text: str) -> None:
    once = PLAIN.text(text)
    assert PLAIN.text(once) == once


@pytest.mark.parametrize("name", ["company_name", "domain", "url", "row", "lead_id", "filename"])
def test_fields_of_companies_are_not_personal(name: str) -> None:
    assert not is_personal(name)
