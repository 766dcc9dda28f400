"""Person and company records in the shape that Clearbit coined and others kept, Hunter among them.

Sources: Clearbit's client libraries, Hunter's API documentation. A vendor's numbers may be texts.
"""

from collections.abc import Mapping

from glaze.model.value import Json
from glaze.model.vendor_body import Readings, at, country_of, text_at, texts_at

# Canonical field -> where it stands in the record, and how sure it is there (0 to 100).
_PERSON: Mapping[str, tuple[tuple[str, ...], int]] = {
    "person_full_name": (("name", "fullName"), 85),
    "person_first_name": (("name", "givenName"), 85),
    "person_last_name": (("name", "familyName"), 85),
    "person_email": (("email",), 85),
    "person_phone": (("phone",), 75),
    "person_title": (("employment", "title"), 80),
    "person_seniority": (("employment", "seniority"), 80),
    "person_department": (("employment", "role"), 75),
    "person_headline": (("bio",), 70),
    "person_summary": (("bio",), 75),
    "person_photo_url": (("avatar",), 75),
    "person_city": (("geo", "city"), 75),
    "person_region": (("geo", "state"), 75),
    "person_country": (("geo", "countryCode"), 80),
    "person_timezone": (("timeZone",), 75),
    "person_twitter_url": (("twitter", "handle"), 80),
    "person_github_url": (("github", "handle"), 80),
    "person_facebook_url": (("facebook", "handle"), 75),
    "person_company_name": (("employment", "name"), 80),
    "person_company_domain": (("employment", "domain"), 80),
}
_COMPANY: Mapping[str, tuple[tuple[str, ...], int]] = {
    "company_name": (("name",), 88),
    "company_legal_name": (("legalName",), 80),
    "company_domain": (("domain",), 90),
    "company_description": (("description",), 80),
    "company_industry": (("category", "industry"), 82),
    "company_employee_count": (("metrics", "employees"), 75),
    "company_revenue": (("metrics", "annualRevenue"), 70),
    "company_revenue_range": (("metrics", "estimatedAnnualRevenue"), 70),
    "company_founded_year": (("foundedYear",), 80),
    "company_ticker": (("ticker",), 85),
    "company_city": (("geo", "city"), 80),
    "company_region": (("geo", "state"), 80),
    "company_postal_code": (("geo", "postalCode"), 75),
    "company_country": (("geo", "countryCode"), 85),
    "company_phone": (("phone",), 75),
    "company_twitter_url": (("twitter", "handle"), 82),
    "company_facebook_url": (("facebook", "handle"), 82),
    "company_logo_url": (("logo",), 80),
    "company_funding_total": (("metrics", "raised"), 70),
}
_LINKEDIN_SURE = 85

PERSON_GIVES: Mapping[str, int] = {
    **{field: sure for field, (_, sure) in _PERSON.items()},
    "person_linkedin_url": _LINKEDIN_SURE,
}
"""What a person's record can state, with the confidence (0 to 100) it is taken at."""
COMPANY_GIVES: Mapping[str, int] = {
    **{field: sure for field, (_, sure) in _COMPANY.items()},
    "company_linkedin_url": _LINKEDIN_SURE,
    "company_crunchbase_url": 82,
    "company_size": 78,
    "company_type": 75,
    "company_street": 72,
    "company_tags": 75,
    "company_technologies": 72,
    "company_sic": 72,
    "company_naics": 72,
    "company_emails": 70,
    "company_domain_aliases": 75,
    "company_mail_provider": 70,
    "company_registry_ids": 75,
    "company_parent": 75,
}
"""What a company's record can state, likewise."""

_MAILERS = (("google", "google"), ("gmail", "google"), ("microsoft", "microsoft365"), ("outlook", "microsoft365"), ("office", "microsoft365"), ("zoho", "zoho"))  # fmt: skip


def read_person(record: Json, readings: Readings) -> None:
    """Add what a person's record states."""
    for field, (path, _) in _PERSON.items():
        readings.add(field, text_at(record, *path))
    readings.add("person_linkedin_url", _linkedin(record, "in"))


def read_company(record: Json, readings: Readings) -> None:
    """Add what a company's record states."""
    for field, (path, _) in _COMPANY.items():
        readings.add(field, text_at(record, *path, numbers=True))
    readings.add("company_linkedin_url", _linkedin(record, "company"))
    crunchbase = text_at(record, "crunchbase", "handle")
    readings.add("company_crunchbase_url", crunchbase and f"https://crunchbase.com/{crunchbase}")
    for path in (("metrics", "employeesRange"), ("metrics", "employees")):
        readings.add("company_size", text_at(record, *path, numbers=True))
    readings.add("company_type", text_at(record, "company_type") or text_at(record, "type"))
    readings.add("company_street", _street(record))
    for number in texts_at(record, "site", "phoneNumbers"):
        readings.add("company_phone", number)
    readings.add("company_emails", texts_at(record, "site", "emailAddresses"))
    readings.add("company_domain_aliases", texts_at(record, "domainAliases"))
    readings.add("company_tags", texts_at(record, "tags"))
    readings.add("company_technologies", texts_at(record, "tech"))
    readings.add("company_sic", _codes(record, "sicCode", "sic4Codes"))
    readings.add("company_naics", _codes(record, "naicsCode", "naics6Codes"))
    readings.add("company_mail_provider", _mailer(text_at(record, "emailProvider")))
    for owner in ("parent", "ultimateParent"):
        readings.add("company_parent", text_at(record, owner, "domain"))
    ein = text_at(record, "identifiers", "usEIN", numbers=True)
    readings.add("company_registry_ids", {"ein": ein} if ein else None)


def country_of_record(record: Json) -> str | None:
    """Return the ISO code of the country the record names: the one to read its phone numbers in."""
    return country_of(text_at(record, "geo", "countryCode") or text_at(record, "geo", "country"))


def _linkedin(record: Json, kind: str) -> str | None:
    """Return the page of a handle, which stands with its kind (``in/jane``) or without."""
    handle = (text_at(record, "linkedin", "handle") or "").strip("/")
    if not handle:
        return None
    return handle if "/" in handle else f"{kind}/{handle}"


def _street(record: Json) -> str | None:
    name = text_at(record, "geo", "streetName")
    number = text_at(record, "geo", "streetNumber", numbers=True)
    return f"{number} {name}" if name and number else name


def _codes(record: Json, one: str, several: str) -> list[Json]:
    """Return the industry codes of a system: the main one first."""
    first = text_at(record, "category", one, numbers=True)
    rest = at(record, "category", several)
    more = [text_at(rest, place, numbers=True) for place in range(_length(rest))]
    return [code for code in (first, *more) if code]


def _length(value: Json) -> int:
    return len(value) if isinstance(value, list) else 0


def _mailer(named: str | None) -> str | None:
    words = (named or "").lower()
    return next((mailer for mark, mailer in _MAILERS if mark in words), None)
