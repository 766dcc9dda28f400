"""Makes one company or its people out of the seed."""

import random
import re

from glaze_sandbox.seeded import hex_id, rng
from glaze_sandbox.world.entities import Address, Company, Person, ascii_of
from glaze_sandbox.world.places import COUNTRIES, Country, fill
from glaze_sandbox.world.prose import description
from glaze_sandbox.world.words import (
    EMAIL_PATTERNS,
    HEADS,
    IMPLIED,
    INDUSTRIES,
    ROLES,
    TAILS,
    TECHNOLOGIES,
)

Stub = tuple[str, str, str, int, int]  # name, label, domain, country index, industry index

_WEIGHTS = [country.weight for country in COUNTRIES]
_MAIL = ("google", "microsoft365", "own", "none", "absent")
_MAIL_WEIGHTS = (42, 36, 16, 2, 4)
_SIZE_RANGES = ((2, 10), (11, 50), (51, 200), (201, 500), (501, 1000), (1001, 5000), (5001, 24_000))
_SIZE_WEIGHTS = (18, 30, 26, 12, 7, 5, 2)
_MAILBOXES = {
    "en": ("info", "hello", "contact"),
    "de": ("info", "kontakt"),
    "fr": ("contact", "info"),
    "es": ("info", "contacto"),
    "it": ("info", "contatti"),
    "nl": ("info", "contact"),
    "ja": ("info", "contact"),
}
_SKILLS = (
    "negotiation",
    "budgeting",
    "python",
    "sales",
    "forecasting",
    "crm",
    "leadership",
    "lean",
)
_HYPHENATED = 0.5  # share of the domains that keep the hyphen
_AT_WWW = 0.6
_LISTED_FROM = 3000  # employees
_SMALL, _MID = 50, 500  # most employees of a segment


def slugify(text: str) -> str:
    """Return ``text`` as the part of a URL."""
    return re.sub(r"[^a-z0-9]+", "-", ascii_of(text).lower()).strip("-")


def make_stub(seed: int, index: int, taken: set[str]) -> Stub:
    """Return the cheap part of company ``index``: what lookups need; ``taken`` holds used labels."""
    chance = rng(seed, "company", index)
    country_index = chance.choices(range(len(COUNTRIES)), _WEIGHTS)[0]
    country = COUNTRIES[country_index]
    industry_index = chance.randrange(len(INDUSTRIES))
    while True:
        coined = chance.choice(HEADS) + chance.choice(TAILS)
        name = f"{coined} {chance.choice(INDUSTRIES[industry_index].suffixes)}"
        label = slugify(name) if chance.random() < _HYPHENATED else slugify(name).replace("-", "")
        key = slugify(name).replace("-", "")
        if key not in taken:
            taken.add(key)
            return (
                name,
                label,
                f"{label}.{chance.choice(country.tlds)}",
                country_index,
                industry_index,
            )


def make_company(seed: int, index: int, stub: Stub) -> Company:
    """Return company ``index`` in full."""
    name, label, domain, country_index, industry_index = stub
    country, industry = COUNTRIES[country_index], INDUSTRIES[industry_index]
    chance = rng(seed, "company-detail", index)
    employees = chance.randint(*chance.choices(_SIZE_RANGES, _SIZE_WEIGHTS)[0])
    city = chance.choice(country.cities)
    street = country.street.format(
        street=chance.choice(country.streets), number=chance.randint(1, 240)
    )
    founded = chance.randint(1948, 2021)
    handle = label.replace("-", "")
    mail = chance.choices(_MAIL, _MAIL_WEIGHTS)[0]

    def maybe(probability: float, value: str) -> str | None:
        return value if chance.random() < probability else None

    return Company(
        index=index,
        name=name,
        legal_name=f"{name} {chance.choice(country.legal_forms)}",
        domain=domain,
        www=chance.random() < _AT_WWW,
        industry=industry.name,
        employees=employees,
        founded=founded,
        revenue=employees * chance.randint(80, 320) * 1000,
        address=Address(street, city.name, city.region, fill(city.postal, chance), country.code),
        phone=fill(city.phone, chance),
        email=f"{chance.choice(_MAILBOXES[country.language])}@{domain}",
        email_pattern=chance.choice(EMAIL_PATTERNS),
        slug=slugify(name),
        twitter=maybe(0.55, handle[:15]),
        facebook=maybe(0.5, handle),
        instagram=maybe(0.35, handle),
        youtube=maybe(0.25, handle),
        github=maybe(0.8 if industry.name == "computer software" else 0.06, slugify(name)),
        ticker=handle[:4].upper() if employees > _LISTED_FROM else None,
        vat_id=fill(country.vat, chance) if country.vat else None,
        technologies=_technologies(mail, chance),
        tags=industry.tags,
        mail=mail,
        description=description(country, industry, name, city.name, chance),
        language=country.language,
    )


def _technologies(mail: str, chance: random.Random) -> tuple[str, ...]:
    used = chance.sample(sorted(TECHNOLOGIES), chance.randint(1, 5))
    return tuple(sorted([*used, *(IMPLIED[name] for name in (mail, *used) if name in IMPLIED)]))


def make_people(seed: int, company: Company, country: Country) -> tuple[Person, ...]:
    """Return everybody known at ``company``, the one at the top first."""
    chance = rng(seed, "people", company.index)
    count = min(12, 2 + company.employees // 25)
    firsts = chance.sample(country.first_names, count)
    lasts = chance.sample(country.last_names, count)
    roles = [ROLES[chance.randrange(2)], *chance.sample(ROLES[2:], count - 1)]
    return tuple(
        _person(seed, company, number_, names=names, role=role, chance=chance)
        for number_, (*names, role) in enumerate(zip(firsts, lasts, roles, strict=True))
    )


def _person(
    seed: int,
    company: Company,
    number_: int,
    *,
    names: list[str],
    role: tuple[str, str, str],
    chance: random.Random,
) -> Person:
    first, last = names
    local = company.email_pattern.format(
        first=slugify(first).replace("-", ""),
        last=slugify(last).replace("-", ""),
        f=slugify(first)[0],
    )
    title, seniority, department = role
    return Person(
        company=company,
        number=number_,
        first_name=first,
        last_name=last,
        title=title,
        seniority=seniority,
        department=department,
        email=None if company.mail == "none" else f"{local}@{company.domain}",
        slug=f"{slugify(f'{first} {last}')}-{person_code(seed, company.index, number_)}",
        phone=f"{company.phone[:-2]}{chance.randint(0, 99):02d}",
        skills=tuple(chance.sample(_SKILLS, 3)),
    )


def person_code(seed: int, company_index: int, number_: int) -> str:
    """Return the hexadecimal tail of a profile slug; ``company_of_code`` reads it back."""
    check = hex_id(seed, "slug", company_index, number_, length=3)
    return f"{company_index * 16 + number_:x}{check}"


def company_of_code(seed: int, code: str) -> tuple[int, int] | None:
    """Return (company index, person number) that ``code`` stands for, None for a foreign code."""
    if not re.fullmatch(r"[0-9a-f]{4,}", code):
        return None
    index, number_ = divmod(int(code[:-3], 16), 16)
    return (index, number_) if person_code(seed, index, number_) == code else None


def segment_of(company: Company) -> str:
    """Return the segment by which vendors' hit rates differ: country group and size."""
    size = (
        "small" if company.employees <= _SMALL else "mid" if company.employees <= _MID else "large"
    )
    country = company.address.country
    region = "us" if country in {"US", "CA"} else "jp" if country == "JP" else "eu"
    return f"{region}-{size}"
