"""However an input is written, the same entity has the same keys and the same question (E2)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glaze.errors import InputError, UnknownField
from glaze.model.field import FIELDS, EntityKind
from glaze.model.identity import PLAIN_WORDS, Key, canonical_question, identify
from glaze.model.value import FieldName

COMPANY, PERSON = EntityKind.COMPANY, EntityKind.PERSON
ACME = (Key("domain", "acme.com"),)


@pytest.mark.parametrize(
    "written",
    [
        {"url": "https://www.acme.com/about?utm_source=x#team"},
        {"url": "acme.com"},
        {"website": "HTTP://WWW.ACME.COM/"},
        {"domain": "shop.Acme.com"},
        {"email": "info@acme.com"},
        {"company_domain": "acme.com", "company": "Acme, Inc."},
        {"name": "Acme GmbH", "website": "acme.com", "country": "Germany"},
        {"company": "N/A", "domain": " acme.com "},
    ],
)
def test_every_way_to_write_a_company_leads_to_one_key(written: dict[str, str]) -> None:
    found = identify(written)
    assert found.keys[COMPANY] == ACME
    assert found.known[FieldName("company_domain")] == "acme.com"
    assert PERSON not in found.keys


@pytest.mark.parametrize(
    "written",
    [
        {"name": "Jane Doe", "company": "Acme", "domain": "acme.com"},
        {"first_name": "JANE", "last_name": "DOE", "website": "https://acme.com/team"},
        {"name": "Doe, Jane", "company_domain": "acme.com", "person_title": "CEO"},
        {"person_full_name": "Dr. Jane Mary Doe, PhD", "person_company_domain": "acme.com"},
    ],
)
def test_every_way_to_write_a_person_at_a_company_leads_to_one_key(written: dict[str, str]) -> None:
    found = identify(written)
    assert found.keys[PERSON] == (Key("name_at", "jane doe@acme.com"),)
    assert found.keys[COMPANY] == ACME
    assert found.known[FieldName("person_first_name")] == "Jane"
    assert found.known[FieldName("person_last_name")] == "Doe"


def test_a_work_address_names_the_person_and_the_company() -> None:
    found = identify({"email": "Jane.Doe@Acme.com"})
    assert found.keys == {PERSON: (Key("email", "jane.doe@acme.com"),), COMPANY: ACME}
    assert found.known[FieldName("company_website")] == "https://acme.com"


@pytest.mark.parametrize("domain", ["gmail.com", "web.de", "mailinator.com"])
def test_a_mail_provider_is_nobody_s_employer(domain: str) -> None:
    found = identify({"email": f"jane@{domain}"})
    assert COMPANY not in found.keys
    assert found.known == {FieldName("person_email"): f"jane@{domain}"}
    with pytest.raises(InputError, match="company_domain"):
        identify({"domain": domain})


@pytest.mark.parametrize(
    ("url", "kind", "key"),
    [
        ("https://uk.linkedin.com/in/Jane-Doe/?x=1", PERSON, "in/jane-doe"),
        ("linkedin.com/company/Acme/about", COMPANY, "company/acme"),
        ("http://m.linkedin.com/school/mit", COMPANY, "school/mit"),
    ],
)
def test_the_path_of_a_linkedin_url_tells_person_from_company(
    url: str, kind: EntityKind, key: str
) -> None:
    for word in ("url", "linkedin_url"):
        assert identify({word: url}).keys == {kind: (Key("linkedin", key),)}


def test_a_profile_elsewhere_identifies_without_lending_its_host_as_domain() -> None:
    found = identify({"url": "facebook.com/Acme"})
    assert found.known == {FieldName("company_facebook_url"): "https://www.facebook.com/acme"}
    page = identify({"url": "https://sites.google.com/view/acme"})
    assert FieldName("company_domain") not in page.known
    assert identify({"url": "https://facebook.com"}).keys[COMPANY] == (
        Key("domain", "facebook.com"),
    )


def test_a_name_is_a_company_s_unless_the_input_speaks_of_a_person() -> None:
    assert COMPANY in identify({"name": "Acme", "domain": "acme.com"}).keys
    assert PERSON in identify({"name": "Jane Doe", "company": "Acme"}).keys
    assert PERSON not in identify({"name": "Acme GmbH", "email": "info@acme.com"}).keys


def test_a_company_name_alone_is_a_key_only_where_nothing_better_is_known() -> None:
    assert identify({"company": "The ACME Co., Ltd."}).keys[COMPANY] == (Key("name", "acme"),)
    assert identify({"company": "Acme", "domain": "acme.com"}).keys[COMPANY] == ACME
    assert identify({"company": "Booking.com"}).keys[COMPANY] == (Key("domain", "booking.com"),)


def test_the_caller_s_own_id_is_a_key() -> None:
    assert identify({"lead_id": "17"}).keys == {PERSON: (Key("external", "lead/17"),)}


def test_a_phone_number_is_read_in_the_input_s_country() -> None:
    found = identify({"phone": "030 123456", "country": "Germany", "domain": "acme.com"})
    assert found.known[FieldName("company_phone")] == "+4930123456"


def test_a_bad_part_is_noted_and_does_not_spoil_the_rest() -> None:
    found = identify({"domain": "acme.com", "phone": "call me", "email": "jane@"})
    assert found.keys[COMPANY] == ACME
    assert any("phone 'call me'" in note for note in found.notes)
    assert any("email 'jane@'" in note for note in found.notes)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({}, "input is empty"),
        ({"website": "N/A", "email": "-"}, "input is empty"),
        ({"url": "not a url"}, "url 'not a url'"),
        ({"url": "http://169.254.169.254/latest"}, "IP address"),
        ({"first_name": "Jane", "last_name": "Doe"}, "fits too many people"),
        ({"country": "DE"}, "identify nobody"),
        ({"linkedin_url": "linkedin.com/feed"}, "linkedin_url"),
    ],
)
def test_an_unusable_input_says_which_part_why_and_what_to_do(
    written: dict[str, str], says: str
) -> None:
    with pytest.raises(InputError, match=says) as refused:
        identify(written)
    assert "Please give" in str(refused.value)


def test_an_unknown_word_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UnknownField, match="company_name"):
        identify({"company_nmae": "", "domain": "acme.com"})


def test_the_same_question_has_the_same_text_however_its_identifiers_were_written() -> None:
    needs = frozenset({FieldName("company_website"), FieldName("person_email")})
    one = identify({"email": "Jane@Acme.com", "website": "http://acme.com"}).known
    two = identify({"email": "jane@ACME.com", "url": "https://www.acme.com/about"}).known
    assert canonical_question(needs, one) == canonical_question(needs, two)
    assert json.loads(canonical_question(needs, one)) == {
        "company_website": "acme.com",
        "person_email": "jane@acme.com",
    }


@given(
    st.dictionaries(
        st.sampled_from(sorted(PLAIN_WORDS) + sorted(FIELDS)),
        st.one_of(
            st.text(max_size=20),
            st.sampled_from(["acme.com", "a@b.com", "linkedin.com/in/x1", "Jane Doe", "x.com/a"]),
        ),
        max_size=5,
    )
)
def test_any_input_is_refused_or_identified_and_then_stays_what_it_is(
    written: dict[str, str],
) -> None:
    try:
        found = identify(written)
    except InputError:
        return
    assert found.keys
    own_ids = {word: written[word] for word in written if word.endswith("_id")}
    canonical = {name: value for name, value in found.known.items() if isinstance(value, str)}
    assert identify({**own_ids, **canonical}).known.items() >= canonical.items()
