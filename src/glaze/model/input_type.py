"""The types of input: whom each is about, what identifies it, what is asked of it, who is asked first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from glaze.errors import InputError
from glaze.model.field import FIELDS, EntityKind, known_field
from glaze.model.field_group import USUAL_FIELDS
from glaze.model.identity import Identity, identify
from glaze.model.value import FieldName

InputType = Literal["company_website", "linkedin_profile", "company_linkedin", "person", "company"]
"""What an input is about."""

_LINKEDIN = ("enrichlayer", "brightdata")
_PAGE = FieldName("company_linkedin_url")
_PROFILE = FieldName("person_linkedin_url")
_SITE = FieldName("company_website")
_FULL_NAME = FieldName("person_full_name")


def _names(text: str) -> tuple[FieldName, ...]:
    return tuple(known_field(name).name for name in text.split())


@dataclass(frozen=True, slots=True)
class TypeRule:
    """What a type means.

    ``wants`` is the identifier without which an input is not of it; None: any that leads to its
    ``entity``. ``accepts`` says so for people. ``fields`` are asked where the caller names none,
    ``first`` are asked first where nobody orders otherwise and the caller named the type.
    """

    entity: EntityKind
    wants: FieldName | None
    accepts: str
    fields: tuple[FieldName, ...]
    first: tuple[str, ...] = ()


TYPES: Mapping[InputType, TypeRule] = {
    "company_website": TypeRule(
        EntityKind.COMPANY,
        _SITE,
        "a website, a domain or an address at the company's domain",
        _names(
            """company_name company_description company_industry company_email company_phone
            company_city company_country company_linkedin_url company_founded_year
            company_logo_url company_technologies"""
        ),
        ("website",),
    ),
    "linkedin_profile": TypeRule(
        EntityKind.PERSON,
        _PROFILE,
        "a LinkedIn profile (linkedin.com/in/...)",
        _names(
            """person_full_name person_headline person_title person_company_name person_city
            person_country person_summary person_skills"""
        ),
        _LINKEDIN,
    ),
    "company_linkedin": TypeRule(
        EntityKind.COMPANY,
        _PAGE,
        "a LinkedIn company page (linkedin.com/company/...)",
        _names(
            """company_name company_website company_description company_industry
            company_employee_count company_size company_founded_year company_type company_city
            company_country"""
        ),
        _LINKEDIN,
    ),
    "person": TypeRule(
        EntityKind.PERSON,
        None,
        "a work e-mail address, a LinkedIn profile, a full name with the company, or lead_id",
        USUAL_FIELDS[EntityKind.PERSON],
    ),
    "company": TypeRule(
        EntityKind.COMPANY,
        None,
        "a website, domain, company name, LinkedIn company page, or account_id",
        USUAL_FIELDS[EntityKind.COMPANY],
    ),
}

_LONG: Mapping[str, FieldName] = {"person_name": _FULL_NAME}
"""Names that other products use for a field of ours."""


def entity_of(type_: InputType) -> EntityKind:
    """Return whose fields an input of this type is asked for."""
    return TYPES[type_].entity


def field_of(name: str, type_: InputType | None) -> FieldName:
    """Return a canonical field; with a type, ``name`` is short for the entity's own.

    Raises: UnknownField.
    """
    if type_ is not None and name not in FIELDS:
        short = f"{entity_of(type_)}_{name}"
        if short in FIELDS or short in _LONG:
            name = short
    return known_field(_LONG.get(name, name)).name


def inferred_type(identity: Identity) -> InputType:
    """Return what an input is about where the caller does not say."""
    if person := identity.keys.get(EntityKind.PERSON):
        return "linkedin_profile" if {key.scheme for key in person} == {"linkedin"} else "person"
    if _SITE in identity.known:
        return "company_website"
    return "company_linkedin" if _PAGE in identity.known else "company"


def default_fields_of(type_: InputType | None, given: Mapping[str, str]) -> tuple[FieldName, ...]:
    """Return what is asked where the caller names no fields: as the type says, or the input."""
    if type_ is not None:
        return TYPES[type_].fields
    try:
        return TYPES[inferred_type(identify(given))].fields
    except InputError:  # of whom nobody can be told: the pipeline says why
        return USUAL_FIELDS[EntityKind.COMPANY]


def refuse_unfit(type_: InputType, identity: Identity) -> None:
    """Let an input pass that is of this type.

    Raises: InputError, saying what the type takes and what the input looks like.
    """
    rule = TYPES[type_]
    fits = rule.wants in identity.known if rule.wants else rule.entity in identity.keys
    if not fits:
        other = inferred_type(identity)
        raise InputError(
            f"type {type_} takes {rule.accepts}; this input looks like {other}:"
            f" give such an identifier, or leave type out"
        )
