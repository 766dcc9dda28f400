"""Who an input means: its identifiers in canonical form, and the keys equal entities share."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from glaze.errors import InputError
from glaze.model.agreement import comparable
from glaze.model.field import EntityKind, known_field
from glaze.model.mailbox import is_disposable, is_free_mail, is_role, mail_domain, parse_email
from glaze.model.names import company_key, has_legal_form, person_key, split_name
from glaze.model.normalise import Invalid, normalise
from glaze.model.profile import is_linkedin, known_profile, parse_linkedin, profile_site
from glaze.model.text import clean, fold, is_placeholder
from glaze.model.value import FieldName, Json
from glaze.model.web_address import domain_of, is_ip, is_shared_host, parse_url, registrable

_COMPANY_NAME = FieldName("company_name")
_COMPANY_DOMAIN = FieldName("company_domain")
_COMPANY_WEBSITE = FieldName("company_website")
_COMPANY_LINKEDIN = FieldName("company_linkedin_url")
_PERSON_NAME = FieldName("person_full_name")
_PERSON_FIRST = FieldName("person_first_name")
_PERSON_LAST = FieldName("person_last_name")
_PERSON_EMAIL = FieldName("person_email")
_PERSON_LINKEDIN = FieldName("person_linkedin_url")
_PERSON_APOLLO = FieldName("person_apollo_id")


class Key(NamedTuple):
    """One name of an entity: (domain, acme.com), (linkedin, in/jane), (email, jane@acme.com)."""

    scheme: str  # domain, linkedin, email, apollo, name_at, name, external
    value: str


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known of an input's company and person before anything is asked.

    ``keys`` holds an entry for each kind of entity the input identifies, the strongest key first:
    any one of them leads to the entity. ``notes`` says what could not be used, and why.
    """

    known: Mapping[FieldName, Json]
    keys: Mapping[EntityKind, tuple[Key, ...]]
    notes: tuple[str, ...] = ()


PLAIN_WORDS: Mapping[str, str] = {
    "url": "any website, LinkedIn profile or LinkedIn company page",
    "website": "the company's website",
    "domain": "the company's domain",
    "email": "a work address, or the company's own (info@...)",
    "name": "a person's name where the input speaks of a person, else the company's",
    "first_name": "given name",
    "last_name": "family name",
    "company": "the company's name",
    "linkedin_url": "a LinkedIn profile or company page",
    "phone": "a phone number",
    "country": "country, as name or code",
    "lead_id": "the caller's own id of a person",
    "contact_id": "the caller's own id of a person",
    "account_id": "the caller's own id of a company",
}
"""The words an input may use beside the canonical field names, and what they mean."""

_EXTERNAL = {
    "lead_id": EntityKind.PERSON,
    "contact_id": EntityKind.PERSON,
    "account_id": EntityKind.COMPANY,
}
_LONGEST_ID = 255
_PERSON_WORDS = frozenset({"first_name", "last_name", "company", "lead_id", "contact_id"})
_PLAIN_FIELDS = {
    "first_name": _PERSON_FIRST,
    "last_name": _PERSON_LAST,
    "company": _COMPANY_NAME,
}


@dataclass(slots=True)
class _Draft:
    """An identity in the making; the first value of a field stays."""

    known: dict[FieldName, Json] = field(default_factory=dict)
    external: dict[EntityKind, list[Key]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def put(self, name: str, value: str, *, country: str | None = None) -> None:
        """Keep a value in canonical form. Raises: Invalid."""
        found = FieldName(name)
        self.known.setdefault(found, normalise(found, value, country=country))

    def text(self, name: FieldName) -> str | None:
        """Return a known text, if there is one."""
        found = self.known.get(name)
        return found if isinstance(found, str) else None


def identify(given: Mapping[str, str]) -> Identity:
    """Find out which company and which person an input means (E2).

    ``given`` maps canonical field names or the words of ``PLAIN_WORDS`` to what the caller wrote.
    Equal entities get equal keys, however they are written. A part that cannot be used is noted
    and passed over as long as the rest identifies someone.

    Raises:
        UnknownField: a word that is neither a field nor a plain word.
        InputError: nothing in the input identifies anyone; says which part, why, what to do.
    """
    for word in given:
        known_word(word)
    parts = {word: text for word, raw in given.items() if not is_placeholder(text := clean(raw))}
    draft = _Draft()
    is_person = _speaks_of_a_person(parts)
    country = _country(draft, parts, is_person=is_person)
    # Canonical names are statements and outrank what plain words only suggest.
    for word, text in sorted(parts.items(), key=lambda part: _precedence(part[0])):
        try:
            _take(draft, word, text, is_person=is_person, country=country)
        except ValueError as error:
            draft.notes.append(f"{word} {_short(text)}: {error}")
    _complete(draft)
    keys = _keys(draft)
    if not keys:
        raise InputError(_why_unusable(draft))
    return Identity(draft.known, keys, tuple(draft.notes))


def known_word(word: str) -> None:
    """Make sure that an input may use ``word``. Raises: UnknownField."""
    if word not in PLAIN_WORDS:
        known_field(word)


def canonical_question(needs: frozenset[FieldName], known: Mapping[FieldName, Json]) -> str:
    """Return the one text of a vendor question: the needed identifiers, comparable and sorted.

    However an identifier was written, the same question has the same text, and is bought once.

    Raises: KeyError where ``known`` lacks one of ``needs``.
    """
    asked = {name: comparable(name, known[name]) for name in needs}
    return json.dumps(asked, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")  # noqa: PLR2004  a line's worth


_ORDER = ("domain", "website", "url", "linkedin_url", "email", "company", "name", "first_name")


def _precedence(word: str) -> tuple[int, int, str]:
    if word not in PLAIN_WORDS:
        return (0, 0, word)
    return (1, _ORDER.index(word) if word in _ORDER else len(_ORDER), word)


def _speaks_of_a_person(parts: Mapping[str, str]) -> bool:
    """Tell whether "name" is a person's: something else in the input must be a person's, too."""
    if has_legal_form(parts.get("name", "")):
        return False
    if any(word in _PERSON_WORDS or word.startswith("person_") for word in parts):
        return True
    if "email" in parts and not _is_role_address(parts["email"]):
        return True
    return any(_is_profile(parts[word]) for word in ("url", "linkedin_url") if word in parts)


def _is_role_address(email: str) -> bool:
    try:
        return is_role(parse_email(email))
    except ValueError:
        return False


def _is_profile(url: str) -> bool:
    try:
        return parse_linkedin(url).is_person
    except ValueError:
        return False


def _country(draft: _Draft, parts: dict[str, str], *, is_person: bool) -> str | None:
    """Take the country first: phone numbers are read in it."""
    text = parts.pop("country", None)
    if text is not None:
        name = "person_country" if is_person else "company_country"
        try:
            draft.put(name, text)
        except Invalid as error:
            draft.notes.append(f"country {_short(text)}: {error}")
    for name in ("company_country", "person_country"):
        if name in parts:
            try:
                draft.put(name, parts[name])
            except Invalid as error:
                draft.notes.append(f"{name} {_short(parts[name])}: {error}")
            del parts[name]
    return draft.text(FieldName("company_country")) or draft.text(FieldName("person_country"))


def _take(draft: _Draft, word: str, text: str, *, is_person: bool, country: str | None) -> None:
    """Put one part of the input where it belongs. Raises: ValueError, with a reason."""
    match word:
        case "url" | "website":
            _take_url(draft, text)
        case "domain":
            _take_domain(draft, domain_of(text))
        case "linkedin_url":
            _take_linkedin(draft, text)
        case "email":
            _take_email(draft, text)
        case "phone":
            draft.put("person_phone" if is_person else "company_phone", text, country=country)
        case "name":
            draft.put(_PERSON_NAME if is_person else _COMPANY_NAME, text)
        case "lead_id" | "contact_id" | "account_id":
            draft.external.setdefault(_EXTERNAL[word], []).append(_external(word, text))
        case _:
            draft.put(_PLAIN_FIELDS.get(word, word), text, country=country)


def _external(word: str, text: str) -> Key:
    if len(text) > _LONGEST_ID:
        raise ValueError(f"an id has at most {_LONGEST_ID} characters")
    return Key("external", f"{word.removesuffix('_id')}/{text}")


def _take_url(draft: _Draft, text: str) -> None:
    address = parse_url(text)
    profile = known_profile(address)
    if is_linkedin(address.host) and address.path:
        _take_linkedin(draft, text)
    elif profile is not None:
        draft.put(f"company_{profile[0]}_url", profile[1])
    elif address.path and is_shared_host(address.host):
        # A page on somebody else's site: worth reading, but no domain of the company's own.
        draft.put(_COMPANY_WEBSITE, str(address))
    elif is_ip(address.host):
        raise Invalid("an IP address is nobody's name; give the site's domain")
    else:
        _take_domain(draft, registrable(address.host))
        draft.put(_COMPANY_WEBSITE, str(address._replace(path="", query="")))


def _take_domain(draft: _Draft, domain: str) -> None:
    if is_free_mail(domain) or is_disposable(domain):
        raise Invalid(
            f"{domain} hands out mailboxes to anyone and names no company;"
            " if the provider itself is meant, give company_domain"
        )
    draft.put(_COMPANY_DOMAIN, domain)


def _take_linkedin(draft: _Draft, text: str) -> None:
    page = parse_linkedin(text)
    draft.put(_PERSON_LINKEDIN if page.is_person else _COMPANY_LINKEDIN, str(page))


def _take_email(draft: _Draft, text: str) -> None:
    email = parse_email(text)
    draft.put("company_email" if is_role(email) else _PERSON_EMAIL, email)


def _complete(draft: _Draft) -> None:
    """Derive what follows from the parts: the employer, the domain, the site, the split name."""
    for employer, own in (
        ("person_company_name", _COMPANY_NAME),
        ("person_company_domain", _COMPANY_DOMAIN),
        ("person_company_linkedin_url", _COMPANY_LINKEDIN),
    ):
        if FieldName(employer) in draft.known:
            draft.known.setdefault(own, draft.known[FieldName(employer)])
    _complete_domain(draft)
    domain = draft.text(_COMPANY_DOMAIN)
    if domain:
        draft.known.setdefault(_COMPANY_WEBSITE, f"https://{domain}")
    _complete_name(draft)


def _complete_domain(draft: _Draft) -> None:
    if _COMPANY_DOMAIN in draft.known:
        return
    website = draft.text(_COMPANY_WEBSITE)
    emails = (draft.text(FieldName("company_email")), draft.text(_PERSON_EMAIL))
    sources = [website] if website and not _is_foreign(website) else []
    name = draft.text(_COMPANY_NAME) or ""
    if " " not in name and "." in name:  # "Booking.com" is a name and a domain
        sources.append(name)
    for source in (*sources[:1], *filter(None, emails), *sources[1:]):
        try:
            _take_domain(draft, mail_domain(source) if "@" in source else domain_of(source))
        except ValueError:
            continue
        return


def _is_foreign(website: str) -> bool:
    address = parse_url(website)
    return is_shared_host(address.host) and bool(address.path)


def _complete_name(draft: _Draft) -> None:
    full = draft.text(_PERSON_NAME)
    first, last = draft.text(_PERSON_FIRST), draft.text(_PERSON_LAST)
    if full is None and first and last:
        try:
            draft.put(_PERSON_NAME, f"{first} {last}")
        except Invalid as error:
            draft.notes.append(f"first and last name together: {error}")
    elif full is not None:
        given, family = split_name(full)
        if given and family:
            draft.put(_PERSON_FIRST, given)
            draft.put(_PERSON_LAST, family)


def _keys(draft: _Draft) -> Mapping[EntityKind, tuple[Key, ...]]:
    found = {
        EntityKind.COMPANY: [*_company_keys(draft), *draft.external.get(EntityKind.COMPANY, [])],
        EntityKind.PERSON: [*_person_keys(draft), *draft.external.get(EntityKind.PERSON, [])],
    }
    return {kind: tuple(keys) for kind, keys in found.items() if keys}


def _company_keys(draft: _Draft) -> list[Key]:
    keys = []
    if domain := draft.text(_COMPANY_DOMAIN):
        keys.append(Key("domain", domain))
    if page := draft.text(_COMPANY_LINKEDIN):
        keys.append(Key("linkedin", parse_linkedin(page).key))
    if keys:
        return keys
    for found, url in draft.known.items():
        site = profile_site(found)
        if site and found.startswith("company_"):
            keys.append(Key(site, comparable(found, url)))
    website, name = draft.text(_COMPANY_WEBSITE), draft.text(_COMPANY_NAME)
    if website:
        keys.append(Key("page", comparable(_COMPANY_WEBSITE, website)))
    # A name alone is a weak identity, used only where the input has nothing better.
    if name and not keys:
        country = draft.text(FieldName("company_country"))
        key = company_key(name) or fold(name)
        keys.append(Key("name", f"{key}|{country}" if country else key))
    return keys


def _person_keys(draft: _Draft) -> list[Key]:
    keys = []
    if email := draft.text(_PERSON_EMAIL):
        keys.append(Key("email", email.casefold()))
    if page := draft.text(_PERSON_LINKEDIN):
        keys.append(Key("linkedin", parse_linkedin(page).key))
    if record := draft.text(_PERSON_APOLLO):
        keys.append(Key("apollo", record))
    full = draft.text(_PERSON_NAME)
    company = _company_keys(draft)
    place = company[0].value if company else None
    if full and place and _PERSON_LAST in draft.known:
        keys.append(Key("name_at", f"{person_key(full)}@{place}"))
    return keys


def _why_unusable(draft: _Draft) -> str:
    advice = (
        "give a website, domain, e-mail address, LinkedIn URL, company name,"
        " or a full name together with its company"
    )
    if draft.notes:
        return f"{'; '.join(draft.notes)}. Please {advice}"
    if any(name in draft.known for name in (_PERSON_NAME, _PERSON_FIRST, _PERSON_LAST)):
        return f"a person's name alone fits too many people. Please {advice}"
    if draft.known:
        return f"{', '.join(sorted(draft.known))} alone identify nobody. Please {advice}"
    return f"the input is empty. Please {advice}"
