"""One rule per field type that brings a value into its canonical form, or says why it cannot."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache, lru_cache
from zoneinfo import available_timezones

import phonenumbers

from glaze.model import quantity
from glaze.model.country import country_code
from glaze.model.field import Field, FieldType, known_field
from glaze.model.industry import INDUSTRIES
from glaze.model.mailbox import parse_email
from glaze.model.moment import iso_date
from glaze.model.names import repair_case
from glaze.model.profile import known_profile, profile_site, profile_url
from glaze.model.register import is_lei
from glaze.model.text import clean, is_placeholder
from glaze.model.value import FieldName, Json
from glaze.model.web_address import domain_of, parse_url

_MAX_TEXT = 300
_MAX_PROSE = 5_000
_MAX_ITEMS = 200
_PROSE = frozenset({"company_description", "person_summary"})
_PERSON_NAMES = frozenset({"person_full_name", "person_first_name", "person_last_name"})
_CODE = re.compile(r"[A-Z0-9][A-Z0-9.\-]{0,29}")
_PATTERN = re.compile(r"[\w.\-]*(?:\{(?:first|last|f|l|middle|m)\}[\w.\-]*)+")

# Words of vendors for the same thing; a field that is not here takes any short word.
_MOST_NAMED = 20  # choices that a message lists
_CHOICES: Mapping[str, Mapping[str, str]] = {
    "company_industry_group": {
        form: name for name in INDUSTRIES for form in (name, name.replace(" and ", " & "))
    },
    "person_email_status": {
        **dict.fromkeys(("deliverable", "valid", "verified", "ok", "safe"), "deliverable"),
        **dict.fromkeys(
            ("undeliverable", "invalid", "bounced", "mailbox_not_found"), "undeliverable"
        ),
        **dict.fromkeys(
            ("risky", "catch-all", "catch_all", "catchall", "accept_all", "role", "webmail"),
            "risky",
        ),
        **dict.fromkeys(("likely to engage", "guessed", "extrapolated"), "risky"),
        "disposable": "disposable",
        **dict.fromkeys(("unknown", "unverified", "unavailable", "greylisted"), "unknown"),
    },
    "company_status": {
        **dict.fromkeys(("active", "open", "registered", "operating", "in operation"), "active"),
        **dict.fromkeys(("inactive", "dormant", "ceased"), "inactive"),
        **dict.fromkeys(
            ("insolvent", "liquidation", "receivership", "administration", "bankrupt"),
            "insolvent",
        ),
        **dict.fromkeys(("voluntary-arrangement", "insolvency-proceedings"), "insolvent"),
        **dict.fromkeys(("dissolved", "closed", "removed", "converted-closed"), "dissolved"),
    },
    "person_seniority": {
        **dict.fromkeys(("founder", "owner", "co-founder", "cofounder"), "founder"),
        **dict.fromkeys(
            ("c_suite", "c-suite", "c suite", "cxo", "executive", "c-level"), "c_suite"
        ),
        **dict.fromkeys(("vp", "vice president", "svp", "evp", "partner"), "vp"),
        **dict.fromkeys(("director", "head"), "director"),
        **dict.fromkeys(("manager", "lead"), "manager"),
        "senior": "senior",
        **dict.fromkeys(("entry", "junior", "intern", "training", "unpaid"), "entry"),
    },
}


def states_nothing(field: FieldName, text: str) -> bool:
    """Tell whether a text says nothing of ``field``: a placeholder, where that is no word of it.

    "none" and "unknown" are values of some choices, and a pattern of addresses consists of holes.
    """
    if known_field(field).type is FieldType.CHOICE or field == "company_email_pattern":
        return not text.strip()
    return is_placeholder(clean(text))


class Invalid(ValueError):
    """A value that cannot be one of its field; ``reason`` says why, for people."""

    def __init__(self, reason: str) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Given:
    field: Field
    value: Json
    country: str | None

    @property
    def text(self) -> str:
        """The value as cleaned text."""
        if isinstance(self.value, str):
            found = clean(self.value)
        elif isinstance(self.value, int | float) and not isinstance(self.value, bool):
            found = str(self.value) if math.isfinite(self.value) else ""
        else:
            raise Invalid("not a text")
        if not found:
            raise Invalid("empty")
        return found

    @property
    def number(self) -> int | float | str:
        """The value as a number, or as text that should hold one."""
        if isinstance(self.value, float) and not math.isfinite(self.value):
            raise Invalid("not a number")
        if isinstance(self.value, int | float) and not isinstance(self.value, bool):
            return self.value
        return self.text


def normalise(field: FieldName, value: Json, *, country: str | None = None) -> Json:
    """Bring ``value`` into the canonical form of ``field``; doing it again changes nothing.

    Args:
        field: A canonical field.
        value: What the caller, a page or a vendor gave.
        country: ISO 3166-1 alpha-2, the region in which a phone number without country code is
            read.

    Raises:
        Invalid: ``value`` cannot be a value of this field.
        UnknownField: there is no such field.
    """
    known = known_field(field)
    if value is None:
        raise Invalid("empty")
    try:
        return _RULES[known.type](_Given(known, value, country))
    except Invalid:
        raise
    except ValueError as error:
        raise Invalid(str(error)) from error


def _text(given: _Given) -> str:
    text = given.text
    if given.field.name in _PROSE:
        return text[:_MAX_PROSE].rstrip()
    if len(text) > _MAX_TEXT:
        raise Invalid(f"longer than {_MAX_TEXT} characters")
    if given.field.name == "company_email_pattern" and not _PATTERN.fullmatch(text):
        raise Invalid("not a pattern of addresses such as {first}.{last}")
    if given.field.name == "company_revenue_range":
        return quantity.usd_range(text)
    if given.field.name == "person_timezone" and text not in _zones():
        raise Invalid("not the IANA name of a time zone")
    return repair_case(text) if given.field.name in _PERSON_NAMES else text


@cache
def _zones() -> AbstractSet[str]:
    return available_timezones()


def _email(given: _Given) -> str:
    return parse_email(given.text)


def _phone(given: _Given) -> str:
    return e164(given.text, given.country)


@lru_cache(maxsize=4096)
def e164(text: str, country: str | None = None) -> str:
    """Return a phone number in E.164, without its extension.

    Args:
        text: The number as written; ``tel:`` and a leading ``00`` are understood.
        country: Region for numbers without country code, ISO 3166-1 alpha-2.

    Raises:
        Invalid: it cannot be a number there.
    """
    text = re.sub(r"^tel:", "", text, flags=re.IGNORECASE).strip()
    if text.startswith("00"):
        text = "+" + text[2:]
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as error:
        if error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
            raise Invalid("no country code, and no country is known to read it in") from error
        raise Invalid("not a phone number") from error
    found = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if not phonenumbers.is_possible_number(number) or found != phonenumbers.format_number(
        phonenumbers.parse(found, None), phonenumbers.PhoneNumberFormat.E164
    ):
        raise Invalid("not a possible phone number")
    return found


def _url(given: _Given) -> str:
    site = profile_site(given.field.name)
    if site is None:
        return str(parse_url(given.text))
    found = profile_url(site, given.text)
    if site == "linkedin":
        wanted = ("/in/",) if given.field.name == "person_linkedin_url" else _LINKEDIN_PAGES
        if not any(part in found for part in wanted):
            raise Invalid(f"not a LinkedIn {'profile' if wanted == ('/in/',) else 'company page'}")
    return found


_LINKEDIN_PAGES = ("/company/", "/school/", "/showcase/")


def _domain(given: _Given) -> str:
    return domain_of(given.text)


def _country(given: _Given) -> str:
    return country_code(given.text)


def _year(given: _Given) -> int:
    return quantity.year(given.number)


def _date(given: _Given) -> str:
    return iso_date(given.text)


def _count(given: _Given) -> int:
    return quantity.count(given.number)


def _size(given: _Given) -> str:
    return quantity.size(given.number)


def _money(given: _Given) -> int:
    return quantity.usd(given.number)


def _code(given: _Given) -> str:
    text = given.text.upper()
    if given.field.name == "company_ticker":
        text = text.rpartition(":")[2].strip().removeprefix("$")
    else:
        text = re.sub(r"[\s.\-/]", "", text)
    if not _CODE.fullmatch(text):
        raise Invalid("not a short code of letters and digits")
    if given.field.name == "company_lei" and not is_lei(text):
        raise Invalid("not a legal entity identifier: its check digits do not fit")
    return text


def _choice(given: _Given) -> str:
    word = given.text.lower()
    choices = _CHOICES.get(given.field.name)
    if choices is None:
        return _text(_Given(given.field, word, None))
    found = choices.get(word) or choices.get(word.replace(" ", "_"))
    if found is None:
        names = [*dict.fromkeys(choices.values())]
        few = len(names) <= _MOST_NAMED
        raise Invalid(f"not one of {', '.join(names)}" if few else f"none of the {len(names)}")
    return found


def _list(given: _Given) -> list[Json]:
    if isinstance(given.value, str):
        items: Sequence[Json] = [given.value]
    elif isinstance(given.value, Sequence):
        items = given.value
    else:
        raise Invalid("not a list")
    found: dict[str, Json] = {}
    for item in items:
        try:
            text = _item(given.field, item)
        except ValueError:
            continue  # one bad item does not spoil the list
        found.setdefault(text.casefold(), text)
    if not found:
        raise Invalid("no usable item")
    return list(found.values())[:_MAX_ITEMS]


def _item(field: Field, item: Json) -> str:
    given = _Given(field, item, None)
    if states_nothing(field.name, given.text):
        raise Invalid("a placeholder")
    if field.name in ("person_personal_emails", "company_emails"):
        return parse_email(given.text)
    if field.name == "company_domain_aliases":
        return domain_of(given.text)
    if field.name in _INDUSTRY_CODES:
        return _industry_code(given.text, *_INDUSTRY_CODES[field.name])
    if field.name in ("company_social_urls", "person_social_urls"):
        address = parse_url(given.text)
        profile = known_profile(address)
        return profile[1] if profile else str(address)
    return _text(given)


# The least and the most digits of a code, and how many a number has that lost its zeros.
_INDUSTRY_CODES: Mapping[str, tuple[int, int, int]] = {
    "company_sic": (4, 5, 4),
    "company_naics": (2, 6, 2),
}


def _industry_code(text: str, least: int, most: int, full: int) -> str:
    """Return the digits that a code begins with: ``7372 - Software`` is ``7372``."""
    found = re.match(r"(?:[a-z]+[ :]*)?(\d+)\b", text, re.IGNORECASE)
    code = found[1].zfill(full) if found else ""
    if not least <= len(code) <= most:
        raise Invalid("not an industry code")
    return code


def _map(given: _Given) -> dict[str, Json]:
    if not isinstance(given.value, Mapping):
        raise Invalid("not a map")
    found: dict[str, Json] = {}
    for name, item in given.value.items():
        key = clean(str(name)).lower()
        try:
            if key and not states_nothing(given.field.name, str(item)):
                found.setdefault(key, _text(_Given(given.field, item, None)))
        except Invalid:
            continue  # one bad entry does not spoil the map
    if not found:
        raise Invalid("no usable entry")
    return dict(sorted(found.items())[:_MAX_ITEMS])


_RULES: Mapping[FieldType, Callable[[_Given], Json]] = {
    FieldType.TEXT: _text,
    FieldType.EMAIL: _email,
    FieldType.PHONE: _phone,
    FieldType.URL: _url,
    FieldType.DOMAIN: _domain,
    FieldType.COUNTRY: _country,
    FieldType.YEAR: _year,
    FieldType.DATE: _date,
    FieldType.COUNT: _count,
    FieldType.SIZE: _size,
    FieldType.MONEY: _money,
    FieldType.CODE: _code,
    FieldType.CHOICE: _choice,
    FieldType.LIST: _list,
    FieldType.MAP: _map,
}
