"""The canonical fields: their entity, type and how long a value stays fresh."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from glaze.errors import UnknownField
from glaze.model.value import FieldName


class EntityKind(StrEnum):
    """What a field describes, and what observations hang on."""

    COMPANY = "company"
    PERSON = "person"


class FieldType(StrEnum):
    """How a field is normalised and validated; each has one rule in ``model/normalise.py``."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"  # E.164
    URL = "url"
    DOMAIN = "domain"  # registrable, lower case, A-label
    COUNTRY = "country"  # ISO 3166-1 alpha-2
    YEAR = "year"
    DATE = "date"  # ISO 8601; a year or a month alone where no more is known
    COUNT = "count"
    SIZE = "size"  # a bucket of the ladder 1-10 ... 10001+
    MONEY = "money"  # whole US dollars
    CODE = "code"  # a short upper-case code or ticker
    CHOICE = "choice"  # one of a closed set, lower case
    LIST = "list"  # several short texts
    MAP = "map"


DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Field:
    """One canonical field. Its values stay fresh for ``fresh_s`` seconds, unless the user says else."""

    name: FieldName
    entity: EntityKind
    type: FieldType
    description: str
    fresh_s: int = 7 * DAY_S


_YEAR_S, _QUARTER_S = 365 * DAY_S, 90 * DAY_S
_SETTLED = frozenset(
    {
        *("company_founded_year", "company_founded_date", "company_domain_created"),
        *("company_vat_id", "company_lei", "company_registration_number", "company_registry_ids"),
    }
)
"""Facts of a day that is past, and numbers that are given once."""
_LASTING = frozenset(
    {
        *("company_legal_name", "company_type", "company_industry", "company_industry_group"),
        *("company_sic", "company_naics", "company_ticker", "company_exchange"),
        *("company_street", "company_city", "company_region", "company_postal_code"),
        *("company_country", "company_phone", "company_linkedin_url", "company_twitter_url"),
        *("company_facebook_url", "company_instagram_url", "company_youtube_url"),
        *("company_github_url", "company_crunchbase_url", "company_tiktok_url"),
        *("company_xing_url", "company_mastodon_url", "person_full_name", "person_first_name"),
        *("person_last_name", "person_linkedin_url", "person_twitter_url", "person_github_url"),
        *("person_facebook_url", "person_apollo_id"),
    }
)
"""What changes once in years: addresses and numbers, profiles, names. What moves with people or
business (titles, mail addresses, headcounts, money, technologies) has the usual week."""


def _fresh_s(name: str) -> int:
    if name in _SETTLED:
        return _YEAR_S
    return _QUARTER_S if name in _LASTING else 7 * DAY_S


def _fields(
    entity: EntityKind, rows: Iterable[tuple[str, FieldType, str]]
) -> dict[FieldName, Field]:
    return {
        FieldName(name): Field(FieldName(name), entity, type_, description, _fresh_s(name))
        for name, type_, description in rows
    }


_T = FieldType

FIELDS: Mapping[FieldName, Field] = MappingProxyType(
    _fields(
        EntityKind.COMPANY,
        [
            ("company_name", _T.TEXT, "Name as the company shows it"),
            ("company_legal_name", _T.TEXT, "Registered name with its legal form"),
            ("company_domain", _T.DOMAIN, "Registrable domain of the official site"),
            ("company_domain_aliases", _T.LIST, "Other domains that lead to the company"),
            ("company_website", _T.URL, "Address of the official site"),
            ("company_description", _T.TEXT, "What the company does, in its own words"),
            ("company_industry", _T.TEXT, "Industry"),
            (
                "company_industry_group",
                _T.CHOICE,
                "Industry of the list in docs/industries.md, lower case",
            ),
            ("company_sic", _T.LIST, "Industry codes: US SIC (4 digits), UK SIC 2007 (5 digits)"),
            ("company_naics", _T.LIST, "Industry codes of the NAICS, 2 to 6 digits"),
            ("company_employee_count", _T.COUNT, "Number of employees"),
            ("company_size", _T.SIZE, "Employee bucket: 1-10, 11-50, ... 10001+"),
            ("company_revenue", _T.MONEY, "Annual revenue in whole US dollars"),
            (
                "company_revenue_range",
                _T.TEXT,
                "Annual revenue in whole US dollars between two amounts: 10000000-25000000",
            ),
            ("company_founded_year", _T.YEAR, "Year of foundation"),
            ("company_founded_date", _T.DATE, "Date of foundation or incorporation"),
            ("company_type", _T.TEXT, "Legal or ownership type"),
            ("company_status", _T.CHOICE, "active, inactive, insolvent or dissolved"),
            ("company_ticker", _T.CODE, "Stock ticker"),
            ("company_exchange", _T.TEXT, "Stock exchange"),
            ("company_street", _T.TEXT, "Street and number of the main address"),
            ("company_city", _T.TEXT, "City of the main address"),
            ("company_region", _T.TEXT, "State or region of the main address"),
            ("company_postal_code", _T.TEXT, "Postal code of the main address"),
            ("company_country", _T.COUNTRY, "Country of the main address"),
            ("company_phone", _T.PHONE, "Main phone number"),
            ("company_email", _T.EMAIL, "Main contact address"),
            ("company_emails", _T.LIST, "All addresses that are the company's, not a person's"),
            (
                "company_email_pattern",
                _T.TEXT,
                "Pattern of personal addresses, such as {first}.{last}",
            ),
            ("company_linkedin_url", _T.URL, "LinkedIn company page"),
            ("company_twitter_url", _T.URL, "X (Twitter) profile"),
            ("company_facebook_url", _T.URL, "Facebook page"),
            ("company_instagram_url", _T.URL, "Instagram profile"),
            ("company_youtube_url", _T.URL, "YouTube channel"),
            ("company_github_url", _T.URL, "GitHub organisation"),
            ("company_crunchbase_url", _T.URL, "Crunchbase page"),
            ("company_tiktok_url", _T.URL, "TikTok profile"),
            ("company_xing_url", _T.URL, "Xing page"),
            ("company_mastodon_url", _T.URL, "Mastodon profile"),
            ("company_social_urls", _T.LIST, "All profiles that are the company's own"),
            ("company_logo_url", _T.URL, "Logo image"),
            ("company_technologies", _T.LIST, "Technologies the site or DNS shows"),
            ("company_tags", _T.LIST, "Keywords"),
            ("company_opening_hours", _T.LIST, "Opening hours, as schema.org writes them"),
            ("company_funding_total", _T.MONEY, "Total funding in whole US dollars"),
            ("company_funding_stage", _T.TEXT, "Latest round of funding"),
            ("company_funding_last_date", _T.DATE, "When that round was"),
            ("company_parent", _T.TEXT, "Company that owns it: its name, or its domain"),
            ("company_vat_id", _T.CODE, "VAT identification number"),
            ("company_lei", _T.CODE, "Legal entity identifier (ISO 17442)"),
            ("company_registration_number", _T.CODE, "Number in the national register"),
            (
                "company_registry_ids",
                _T.MAP,
                "Numbers in registers: LEI, CIK, EIN, commercial register",
            ),
            ("company_domain_created", _T.DATE, "When the domain was registered"),
            ("company_mail_provider", _T.CHOICE, "Who runs the company's mail"),
            ("company_contact_url", _T.URL, "Contact page"),
            ("company_careers_url", _T.URL, "Careers page"),
        ],
    )
    | _fields(
        EntityKind.PERSON,
        [
            ("person_full_name", _T.TEXT, "Full name"),
            ("person_first_name", _T.TEXT, "Given name"),
            ("person_last_name", _T.TEXT, "Family name"),
            ("person_email", _T.EMAIL, "Work email"),
            (
                "person_email_status",
                _T.CHOICE,
                "deliverable, undeliverable, risky, disposable or unknown",
            ),
            ("person_personal_emails", _T.LIST, "Private addresses"),
            ("person_phone", _T.PHONE, "Direct phone"),
            ("person_mobile", _T.PHONE, "Mobile phone"),
            ("person_title", _T.TEXT, "Job title"),
            ("person_headline", _T.TEXT, "Profile headline"),
            (
                "person_seniority",
                _T.CHOICE,
                "founder, c_suite, vp, director, manager, senior or entry",
            ),
            ("person_department", _T.TEXT, "Department"),
            ("person_linkedin_url", _T.URL, "LinkedIn profile"),
            ("person_twitter_url", _T.URL, "X (Twitter) profile"),
            ("person_github_url", _T.URL, "GitHub profile"),
            ("person_facebook_url", _T.URL, "Facebook profile"),
            ("person_social_urls", _T.LIST, "All profiles that are the person's own"),
            ("person_photo_url", _T.URL, "Photo"),
            ("person_apollo_id", _T.TEXT, "Apollo's id of the person, by which it finds them"),
            ("person_city", _T.TEXT, "City"),
            ("person_region", _T.TEXT, "State or region"),
            ("person_country", _T.COUNTRY, "Country"),
            ("person_timezone", _T.TEXT, "Time zone, by its IANA name"),
            ("person_summary", _T.TEXT, "Profile summary"),
            ("person_experience", _T.LIST, "Positions, each as Engineer, Acme (since 2019-03)"),
            ("person_education", _T.LIST, "Studies, each as BSc Physics, Leeds (2008 to 2011)"),
            ("person_skills", _T.LIST, "Skills"),
            ("person_company_name", _T.TEXT, "Current employer"),
            ("person_company_domain", _T.DOMAIN, "Domain of the current employer"),
            ("person_company_linkedin_url", _T.URL, "LinkedIn page of the current employer"),
        ],
    ),
)


def known_field(name: str) -> Field:
    """Return the field called ``name``.

    Raises: UnknownField, naming the closest known fields.
    """
    found = FIELDS.get(FieldName(name))
    if found is None:
        close = ", ".join(difflib.get_close_matches(name, list(FIELDS), n=3))
        hint = f"; did you mean {close}?" if close else "; see docs/fields.md"
        raise UnknownField(f"unknown field {name!r}{hint}")
    return found
