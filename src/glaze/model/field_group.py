"""Named groups of fields: what is asked where nobody names single ones."""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

from glaze.model.field import EntityKind
from glaze.model.value import FieldName


class EnrichmentType(StrEnum):
    """A group that a caller may ask for by name."""

    EMAIL = "email"
    COMPANY = "company"
    SOCIAL = "social"


def _names(text: str) -> tuple[FieldName, ...]:
    return tuple(map(FieldName, text.split()))


USUAL_FIELDS: Mapping[EntityKind, tuple[FieldName, ...]] = {
    EntityKind.COMPANY: _names(
        """company_name company_description company_industry company_employee_count company_city
        company_country company_phone company_email company_linkedin_url"""
    ),
    EntityKind.PERSON: _names(
        """person_full_name person_email person_title person_linkedin_url company_name
        company_industry company_employee_count"""
    ),
}
"""What is asked of a company or a person where the caller names neither fields nor groups."""

_FIRMOGRAPHICS = _names(
    """company_name company_domain company_description company_industry company_employee_count
    company_city company_country company_phone"""
)
GROUPS: Mapping[EntityKind, Mapping[EnrichmentType, tuple[FieldName, ...]]] = {
    EntityKind.COMPANY: {
        EnrichmentType.EMAIL: _names("company_email"),
        EnrichmentType.COMPANY: _FIRMOGRAPHICS,
        EnrichmentType.SOCIAL: _names(
            """company_linkedin_url company_twitter_url company_facebook_url
            company_instagram_url company_youtube_url"""
        ),
    },
    EntityKind.PERSON: {
        EnrichmentType.EMAIL: _names("person_email"),
        EnrichmentType.COMPANY: _FIRMOGRAPHICS,
        EnrichmentType.SOCIAL: _names("person_linkedin_url person_twitter_url"),
    },
}
"""The fields of each group, by what the record is about."""

PROFILES: Mapping[EntityKind, tuple[FieldName, ...]] = {
    EntityKind.COMPANY: (
        *GROUPS[EntityKind.COMPANY][EnrichmentType.SOCIAL],
        *_names(
            """company_github_url company_crunchbase_url company_tiktok_url company_xing_url
            company_mastodon_url company_social_urls"""
        ),
    ),
    EntityKind.PERSON: (
        *GROUPS[EntityKind.PERSON][EnrichmentType.SOCIAL],
        *_names("person_github_url person_facebook_url person_social_urls"),
    ),
}
"""Every profile that has a field of its own, and the list of all."""


def wanted_fields(
    about: EntityKind, types: Iterable[EnrichmentType], single: Iterable[FieldName]
) -> tuple[FieldName, ...]:
    """Return single fields and those of groups, each once; the usual ones where none is named."""
    grouped = (name for type_ in types for name in GROUPS[about][type_])
    return tuple(dict.fromkeys((*single, *grouped))) or USUAL_FIELDS[about]


def default_fields(words: Collection[str]) -> tuple[FieldName, ...]:
    """Return what is asked where nobody says: a person's fields where the input has a person's."""
    personal = {"first_name", "last_name", "name", "lead_id", "contact_id", "email"}
    about_people = any(word in personal or word.startswith("person_") for word in words)
    return USUAL_FIELDS[EntityKind.PERSON if about_people else EntityKind.COMPANY]
