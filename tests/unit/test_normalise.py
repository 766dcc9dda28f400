"""Every field type has one canonical form, and finding it twice changes nothing."""

import doctest
import unicodedata
from types import ModuleType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from glaze.errors import UnknownField
from glaze.model import country, moment, names, register, text
from glaze.model.field import FIELDS, FieldType
from glaze.model.normalise import Invalid, normalise
from glaze.model.value import FieldName, Json

FRAGMENTS = st.sampled_from(
    [
        "https://",
        "www.",
        "acme",
        ".com",
        "/in/",
        "company/",
        "linkedin.com",
        "x.com",
        "@",
        "$",
        "10",
        "M",
        "-",
        "1,234",
        "1.5",
        "+49",
        "00",
        "k",
        "bn",
        "%",
        "%25",
        "%2F",
        "?a=1&utm_source=b",
        "#",
        "GmbH",
        "McX",
        "de",
        "JANE",
        "İ",
        "ß",
        "ﬁ",
        "́",
        "\u200f",
        "\x00",
        "�",
        ".co.uk",
        "é",
        "1999",
    ]
)
TEXTS = st.one_of(st.text(max_size=40), st.lists(FRAGMENTS, max_size=6).map("".join))
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=6,
)


def shaped(field: FieldName) -> st.SearchStrategy[Json]:
    """Values that often are ones of this field."""
    number = st.integers(min_value=0, max_value=10**9)
    by_type: dict[FieldType, st.SearchStrategy[Json]] = {
        FieldType.EMAIL: st.emails(),
        FieldType.PHONE: st.from_regex(r"\+[1-9][0-9 ()-]{6,14}", fullmatch=True),
        FieldType.URL: st.from_regex(
            r"https?://(www\.)?(linkedin|x|facebook|youtube|github|crunchbase|acme)\.com"
            r"(/(in|company|channel|c|organization|@)?[\w%.-]{0,12}){0,3}(\?[\w=&]{0,9})?",
            fullmatch=True,
        ),
        FieldType.DOMAIN: st.from_regex(
            r"([a-z0-9äé-]{1,8}\.){1,3}(com|co\.uk|de)", fullmatch=True
        ),
        FieldType.DATE: st.dates().map(str)
        | st.from_regex(r"[12][0-9]{3}(-[01][0-9])?", fullmatch=True),
        FieldType.YEAR: st.integers(min_value=900, max_value=2300),
        FieldType.COUNT: number,
        FieldType.SIZE: number | st.from_regex(r"[0-9]{1,5}(-[0-9]{1,5}|\+)?", fullmatch=True),
        FieldType.MONEY: st.from_regex(r"\$?[0-9]{1,4}([.,][0-9]{1,3})?[KMB]?", fullmatch=True),
    }
    return by_type.get(FIELDS[field].type, TEXTS) | VALUES


@given(st.data(), st.sampled_from(sorted(FIELDS)), st.sampled_from([None, "US", "DE", "IT", "AR"]))
def test_normalising_twice_is_normalising_once(
    data: st.DataObject, field: FieldName, country: str | None
) -> None:
    value = data.draw(shaped(field))
    try:
        once = normalise(field, value, country=country)
    except Invalid:
        return
    assert normalise(field, once, country=country) == once
    assert normalise(field, once) == once, "a canonical value needs no country"


@given(TEXTS)
@example("a\u0301\x00\u0301")
def test_text_is_always_fit_to_be_stored(written: str) -> None:
    try:
        found = normalise(FieldName("company_name"), written)
    except Invalid:
        return
    assert isinstance(found, str)
    found.encode()
    assert "\x00" not in found
    assert found == found.strip() == unicodedata.normalize("NFC", found)


@pytest.mark.parametrize(
    ("field", "written", "canonical"),
    [
        ("company_name", "  Ac\x00me\ud800 \u202e Inc\n", "Acme Inc"),
        ("person_full_name", "JANE O'NEIL-MCDONALD", "Jane O'Neil-McDonald"),
        ("person_full_name", "vincent van gogh", "Vincent van Gogh"),
        ("person_full_name", "Ronald McDonald", "Ronald McDonald"),
        ("person_email", "Jane <mailto:x@y.com>", None),
        ("person_email", " Jane.Doe@ACME.com ", "Jane.Doe@acme.com"),
        ("person_email", "mailto:info@bücher.de?subject=hi", "info@xn--bcher-kva.de"),
        ("company_phone", "+44 (0)20 7946 0958", "+442079460958"),
        ("company_phone", "0044 20 7946 0958", "+442079460958"),
        ("company_phone", "020 7946 0958", None),
        ("company_phone", "+49 30 123456 ext. 5", "+4930123456"),
        ("company_website", "HTTP://u:p@WWW.Acme.com:80/?utm_source=x&b=2&a=1#t", "https://www.acme.com?a=1&b=2"),
        ("company_website", "https://acme.com?ª&0", "https://acme.com?%C2%AA&0"),
        ("company_website", "http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x"),
        ("company_website", "mailto:a@b.com", None),
        ("company_domain", "https://www.shop.Acme.co.uk/x", "acme.co.uk"),
        ("company_domain", "foo.github.io", "foo.github.io"),
        ("company_domain", "index.html", None),
        ("company_domain", "10.0.0.1", None),
        ("company_country", "U.S.A.", "US"),
        ("company_country", "Österreich", "AT"),
        ("company_country", "Bolivia", "BO"),
        ("company_country", "Gemrany", None),
        ("company_country", "xx", None),
        ("company_founded_year", "1999-05-01", 1999),
        ("company_founded_year", "1990-2000", None),
        ("company_employee_count", "1.234 Mitarbeiter", 1234),
        ("company_employee_count", "1,200+", 1200),
        ("company_employee_count", "51-200", None),
        ("company_size", "11 to 50 employees", "11-50"),
        ("company_size", 77, "51-200"),
        ("company_size", "10,001+", "10001+"),
        ("company_size", "1K-5K", None),
        ("company_size", "51-250", None),
        ("company_revenue", "$10M-$50M", 30_000_000),
        ("company_revenue", "$10-50M", 30_000_000),
        ("company_revenue", "251.2M", 251_200_000),
        ("company_revenue", "1.2bn", 1_200_000_000),
        ("company_revenue", "1,5 Mrd", 1_500_000_000),
        ("company_revenue", "$1,234,567.89", 1_234_568),
        ("company_revenue", "€10M", None),
        ("company_revenue", "over $1B", None),
        ("company_ticker", "NASDAQ: aapl", "AAPL"),
        ("company_vat_id", "DE 123.456-789", "DE123456789"),
        ("person_email_status", "catch-all", "risky"),
        ("person_seniority", "wizard", None),
        ("company_status", "voluntary-arrangement", "insolvent"),
        ("company_status", "thriving", None),
        ("company_founded_date", "2015-03-09T10:11:12Z", "2015-03-09"),
        ("company_founded_date", "+1998-05-00T00:00:00Z", "1998-05"),
        ("company_founded_date", "1998-02-30", None),
        ("company_founded_date", "03/04/2015", None),
        ("company_lei", "5299 00T8 BM49 AURS DO55", "529900T8BM49AURSDO55"),
        ("company_lei", "529900T8BM49AURSDO56", None),
        ("company_registration_number", "HRB 12 345", "HRB12345"),
        ("company_sic", [7372, "SIC: 111", "62012", "7372 - Software", "x"], ["7372", "0111", "62012"]),
        ("company_naics", ["541511", "5415111"], ["541511"]),
        ("company_tags", ["A", "a", "", None, " b "], ["A", "b"]),
        ("company_tags", ["N/A", "-", "unknown", "b"], ["b"]),
        ("company_tags", ["N/A", "-"], None),
        ("company_employee_count", "1.5", None),
        ("company_employee_count", "1.234", 1234),
        ("company_employee_count", "1.5K", 1500),
        ("company_employee_count", "12.0", 12),
        ("person_personal_emails", ["x", "a@b.com"], ["a@b.com"]),
        ("company_emails", ["x", "Info@B.com"], ["Info@b.com"]),
        ("company_domain_aliases", ["https://www.b.com/x", "?"], ["b.com"]),
        ("company_email_pattern", "{first}.{last}", "{first}.{last}"),
        ("company_email_pattern", "{f}{last}", "{f}{last}"),
        ("company_email_pattern", "jane.doe", None),
        ("company_email_pattern", "{{email}}", None),
        ("person_timezone", "Europe/Berlin", "Europe/Berlin"),
        ("person_timezone", "CET/Summer", None),
        ("company_social_urls", ["http://twitter.com/Acme", "acme.com/blog/"], ["https://x.com/acme", "https://acme.com/blog/"]),
        ("company_registry_ids", {"LEI": " y ", "cik": 3, "e": "", "u": "unknown"}, {"cik": "3", "lei": "y"}),
    ],
)  # fmt: skip
def test_what_people_and_vendors_write_has_one_form(
    field: str, written: Json, canonical: Json
) -> None:
    if canonical is None:
        with pytest.raises(Invalid) as refused:
            normalise(FieldName(field), written)
        assert refused.value.reason
    else:
        assert normalise(FieldName(field), written) == canonical


@pytest.mark.parametrize(
    ("field", "written", "canonical"),
    [
        ("company_linkedin_url", "https://uk.linkedin.com/company/Acme-Inc/about/?x=1", "https://www.linkedin.com/company/acme-inc"),
        ("company_linkedin_url", "company/acme", "https://www.linkedin.com/company/acme"),
        ("company_linkedin_url", "linkedin.com/in/jane", None),
        ("company_linkedin_url", "https://evil.com/linkedin.com/company/acme", None),
        ("company_linkedin_url", "https://linkedin.com.evil.com/company/acme", None),
        ("person_linkedin_url", "https://de.linkedin.com/in/Jos%C3%A9-x/en", "https://www.linkedin.com/in/jos%C3%A9-x"),
        ("person_linkedin_url", "https://www.linkedin.com/in/ACoAABcdefghijklmnopqrstuvw", None),
        ("person_linkedin_url", "linkedin.com/pub/a/1/2/3", None),
        ("company_twitter_url", "@Acme", "https://x.com/acme"),
        ("company_twitter_url", "https://twitter.com/Acme?lang=en", "https://x.com/acme"),
        ("company_twitter_url", "https://twitter.com/intent/tweet?x", None),
        ("company_facebook_url", "facebook.com/pages/Acme/123456", "https://www.facebook.com/123456"),
        ("company_facebook_url", "https://facebook.com/profile.php?id=123", "https://www.facebook.com/123"),
        ("company_facebook_url", "https://www.facebook.com/sharer.php?u=x", None),
        ("company_youtube_url", "youtube.com/channel/UCabcdefghijklmnopqrstuv", "https://www.youtube.com/channel/UCabcdefghijklmnopqrstuv"),
        ("company_youtube_url", "youtube.com/watch?v=1", None),
        ("company_github_url", "github.com/Acme/repo", "https://github.com/acme"),
        ("company_crunchbase_url", "crunchbase.com/organization/Acme", "https://www.crunchbase.com/organization/acme"),
        ("company_tiktok_url", "https://www.tiktok.com/@Acme.Co?lang=de", "https://www.tiktok.com/@acme.co"),
        ("company_tiktok_url", "https://www.tiktok.com/discover", None),
        ("company_xing_url", "https://www.xing.com/companies/Acme", "https://www.xing.com/pages/acme"),
        ("company_xing_url", "https://www.xing.com/profile/Jane_Doe", None),
        ("company_mastodon_url", "https://mastodon.social/@Acme/1234", "https://mastodon.social/@acme"),
        ("company_mastodon_url", "https://mastodon.social/about", None),
    ],
)  # fmt: skip
def test_a_profile_has_one_address(field: str, written: str, canonical: str | None) -> None:
    if canonical is None:
        with pytest.raises(Invalid):
            normalise(FieldName(field), written)
    else:
        assert normalise(FieldName(field), written) == canonical


def test_a_phone_number_is_read_in_its_country() -> None:
    phone = FieldName("company_phone")
    assert normalise(phone, "020 7946 0958", country="GB") == "+442079460958"
    assert normalise(phone, 4155552671, country="US") == "+14155552671"


def test_prose_is_cut_and_a_long_name_refused() -> None:
    long = "word " * 2_000
    assert len(str(normalise(FieldName("company_description"), long))) <= 5_000
    with pytest.raises(Invalid):
        normalise(FieldName("company_name"), long)


@pytest.mark.parametrize("written", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_none_is_no_text_either(written: float) -> None:
    with pytest.raises(Invalid, match="empty"):
        normalise(FieldName("person_title"), written)


def test_an_unknown_field_is_no_invalid_value_but_a_mistake() -> None:
    with pytest.raises(UnknownField):
        normalise(FieldName("company_nmae"), "x")


@pytest.mark.parametrize("module", [country, moment, names, register, text])
def test_the_examples_in_the_documentation_are_true(module: ModuleType) -> None:
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed
