"""What a vendor believes: a seeded part of the truth, some of it stale or wrong."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import cast

from glaze_sandbox.seeded import draw, rng
from glaze_sandbox.world.entities import Company, Person, Truth, size_bucket
from glaze_sandbox.world.make import segment_of
from glaze_sandbox.world.population import World
from glaze_sandbox.world.words import ROLES

ALWAYS = frozenset({"company_name", "company_domain", "company_website", "company_linkedin_url"})
ALWAYS_OF_PEOPLE = frozenset(
    {
        "person_full_name",
        "person_first_name",
        "person_last_name",
        "person_linkedin_url",
        "person_country",
        "person_company_name",
        "person_company_domain",
    }
)


@dataclass(frozen=True, slots=True)
class Profile:
    """How much one vendor knows, and how often it is wrong. All numbers are shares of 1."""

    vendor: str
    company_hit: float
    person_hit: float
    by_segment: Mapping[str, float]  # added to the hit rates: us-, eu-, jp- with small, mid, large
    coverage: Mapping[str, float]  # of a field, given a hit; ``default`` stands for the rest
    wrong: float  # of a field's values
    stale: float  # of the records: true some years ago

    def hit_rate(self, kind: str, company: Company) -> float:
        """Return the chance that this vendor has a record ``kind`` (company, person) at ``company``."""
        base = self.company_hit if kind == "company" else self.person_hit
        return min(max(base + self.by_segment.get(segment_of(company), 0.0), 0.02), 0.99)

    def covers(self, field: str) -> float:
        """Return the chance that a record holds ``field``."""
        return self.coverage.get(field, self.coverage.get("default", 1.0))


@dataclass(frozen=True)
class Knowledge:
    """One vendor's records over one world. Records are drawn when asked, the same each time."""

    profile: Profile
    world: World
    facts: Callable[[Company], Truth] = Company.truth  # out of which it knows some

    @cached_property
    def _companies(self) -> dict[int, Truth | None]:
        return {}

    @cached_property
    def _people(self) -> dict[str, Truth | None]:
        return {}

    def knows(self, kind: str, key: str, company: Company) -> bool:
        """Tell whether the vendor has a record of ``key`` at all."""
        chance = draw(self.world.seed, self.profile.vendor, "hit", kind, key)
        return chance < self.profile.hit_rate(kind, company)

    def company(self, company: Company) -> Truth | None:
        """Return what the vendor believes about ``company``, None for no record."""
        if company.index not in self._companies:
            self._companies[company.index] = self._draw_company(company)
        return self._companies[company.index]

    def person(self, person: Person) -> Truth | None:
        """Return what the vendor believes about ``person``, None for no record."""
        if person.slug not in self._people:
            self._people[person.slug] = self._draw_person(person)
        return self._people[person.slug]

    def _draw_company(self, company: Company) -> Truth | None:
        if not self.knows("company", company.domain, company):
            return None
        chance = rng(self.world.seed, self.profile.vendor, "company", company.domain)
        believed = self._cover(self.facts(company), ALWAYS, chance)
        if chance.random() < self.profile.stale and "company_employee_count" in believed:
            believed["company_employee_count"] = max(1, int(company.employees * 0.6))
        for name in [n for n in believed if n not in ALWAYS]:
            if chance.random() < self.profile.wrong:
                _spoil_company(believed, name, company, self.world, chance)
        if "company_employee_count" in believed:
            believed["company_size"] = size_bucket(cast(int, believed["company_employee_count"]))
        return believed

    def _draw_person(self, person: Person) -> Truth | None:
        if not self.knows("person", person.slug, person.company):
            return None
        chance = rng(self.world.seed, self.profile.vendor, "person", person.slug)
        believed = self._cover(person.truth(), ALWAYS_OF_PEOPLE, chance)
        if chance.random() < self.profile.stale and "person_title" in believed:
            title, seniority, department = ROLES[chance.randrange(8, len(ROLES))]
            believed |= {"person_title": title}
            believed |= {"person_seniority": seniority, "person_department": department}
        if "person_email" in believed and chance.random() < self.profile.wrong:
            local = f"{person.first_name[0]}{person.number}".lower()
            believed["person_email"] = f"{local}@{person.company.domain}"
        return believed

    def _cover(self, truth: Truth, always: frozenset[str], chance: random.Random) -> Truth:
        return {
            name: value
            for name, value in truth.items()
            if (chance.random() < self.profile.covers(name)) or name in always
        }


def _spoil_company(
    believed: Truth, name: str, company: Company, world: World, chance: random.Random
) -> None:
    """Replace one value by a wrong one of the same kind, as mixed-up sources do."""
    other = world.company((company.index + chance.randint(1, 40)) % len(world))
    if name == "company_founded_year":
        believed[name] = company.founded + chance.choice((-9, -3, -1, 1, 2, 5))
    elif name == "company_employee_count":
        believed[name] = max(1, int(company.employees * chance.choice((0.3, 0.5, 2.0, 3.1))))
    elif name in {"company_phone", "company_industry", "company_revenue", "company_description"}:
        believed[name] = other.truth()[name]
    elif name in {"company_street", "company_postal_code"} and "company_street" in believed:
        believed["company_street"] = other.address.street


APOLLO = Profile(
    vendor="apollo",
    company_hit=0.80,
    person_hit=0.66,
    by_segment={
        "us-small": -0.08, "us-mid": 0.10, "us-large": 0.16,
        "eu-small": -0.22, "eu-mid": 0.0, "eu-large": 0.10,
        "jp-small": -0.5, "jp-mid": -0.3, "jp-large": -0.1,
    },
    coverage={
        "default": 0.85, "company_legal_name": 0.0, "company_vat_id": 0.0, "company_email": 0.0,
        "company_email_pattern": 0.0, "company_mail_provider": 0.0, "company_revenue": 0.62,
        "company_phone": 0.7, "company_founded_year": 0.78, "company_street": 0.72,
        "company_instagram_url": 0.0, "company_youtube_url": 0.0, "company_github_url": 0.0,
        "person_email": 0.84, "person_phone": 0.0, "person_title": 0.96, "person_skills": 0.0,
    },
    wrong=0.035,
    stale=0.10,
)  # fmt: skip

ENRICHLAYER = Profile(
    vendor="enrichlayer",
    company_hit=0.86,
    person_hit=0.82,
    by_segment={
        "us-small": -0.04, "us-large": 0.10, "eu-small": -0.10, "eu-large": 0.08,
        "jp-small": -0.35, "jp-mid": -0.2,
    },
    coverage={
        "default": 0.9, "company_legal_name": 0.0, "company_vat_id": 0.0, "company_email": 0.0,
        "company_email_pattern": 0.0, "company_mail_provider": 0.0, "company_phone": 0.0,
        "company_revenue": 0.0, "company_street": 0.45, "company_postal_code": 0.45,
        "company_technologies": 0.0, "company_twitter_url": 0.0, "company_facebook_url": 0.0,
        "company_instagram_url": 0.0, "company_youtube_url": 0.0, "company_github_url": 0.0,
        "person_email": 0.0, "person_phone": 0.0, "person_seniority": 0.0,
        "person_department": 0.0, "person_title": 0.97,
    },
    wrong=0.02,
    stale=0.06,
)  # fmt: skip

SERPER = Profile(
    vendor="serper",
    company_hit=0.93,
    person_hit=0.75,
    by_segment={"us-large": 0.05, "eu-small": -0.05, "jp-small": -0.2},
    coverage={
        "default": 0.0, "company_description": 0.9, "company_industry": 0.8,
        "company_founded_year": 0.55, "company_employee_count": 0.35, "company_city": 0.7,
        "company_country": 0.7, "company_phone": 0.35, "company_street": 0.35,
        "company_twitter_url": 0.5, "company_facebook_url": 0.5,
        "person_title": 0.85,
    },
    wrong=0.05,
    stale=0.08,
)  # fmt: skip

GLEIF = Profile(
    vendor="gleif",
    company_hit=0.99,  # of those that have an identifier at all
    person_hit=0.0,
    by_segment={},
    coverage={"default": 1.0, "company_founded_date": 0.6},
    wrong=0.005,
    stale=0.04,  # lapsed: nobody renewed the entry
)

HUNTER = Profile(
    vendor="hunter",
    company_hit=0.78,
    person_hit=0.60,
    by_segment={
        "us-small": -0.06, "us-large": 0.12, "eu-small": -0.14, "eu-mid": 0.04, "eu-large": 0.12,
        "jp-small": -0.4, "jp-mid": -0.25,
    },
    coverage={
        "default": 0.8, "company_vat_id": 0.0, "company_legal_name": 0.5, "company_revenue": 0.2,
        "company_email": 0.75, "company_email_pattern": 0.9, "company_mail_provider": 0.6,
        "company_phone": 0.5, "company_street": 0.4, "company_postal_code": 0.5,
        "company_instagram_url": 0.0, "company_youtube_url": 0.0, "company_github_url": 0.0,
        "person_email": 0.93, "person_phone": 0.15, "person_title": 0.85, "person_skills": 0.0,
    },
    wrong=0.03,
    stale=0.08,
)  # fmt: skip

PEOPLE_DATA_LABS = Profile(
    vendor="people_data_labs",
    company_hit=0.80,
    person_hit=0.64,
    by_segment={
        "us-small": -0.04, "us-mid": 0.08, "us-large": 0.15, "eu-small": -0.2, "eu-mid": -0.05,
        "eu-large": 0.08, "jp-small": -0.45, "jp-mid": -0.3,
    },
    coverage={
        "default": 0.82, "company_vat_id": 0.0, "company_legal_name": 0.0, "company_email": 0.0,
        "company_email_pattern": 0.0, "company_mail_provider": 0.0, "company_phone": 0.0,
        "company_revenue": 0.0, "company_technologies": 0.0, "company_instagram_url": 0.0,
        "company_youtube_url": 0.0, "company_github_url": 0.0, "company_street": 0.5,
        "person_email": 0.7, "person_phone": 0.45, "person_title": 0.92, "person_skills": 0.8,
    },
    wrong=0.04,
    stale=0.12,
)  # fmt: skip

WIKIDATA = Profile(
    vendor="wikidata",
    company_hit=0.35,  # who is large enough to be written about
    person_hit=0.0,
    by_segment={
        "us-small": -0.33, "us-mid": 0.0, "us-large": 0.55,
        "eu-small": -0.33, "eu-mid": -0.05, "eu-large": 0.5,
        "jp-small": -0.33, "jp-mid": 0.0, "jp-large": 0.5,
    },
    coverage={
        "default": 0.5, "company_industry": 0.75, "company_country": 0.95, "company_city": 0.7,
        "company_founded_date": 0.85, "company_employee_count": 0.55, "company_lei": 0.4,
        "company_ticker": 0.9,
    },
    wrong=0.02,
    stale=0.25,
)  # fmt: skip

BRIGHTDATA = Profile(
    vendor="brightdata",
    company_hit=0.90,
    person_hit=0.85,
    by_segment={"us-small": -0.05, "eu-small": -0.12, "jp-small": -0.35, "jp-mid": -0.2},
    coverage={
        "default": 0.85, "company_size": 0.92, "person_city": 0.9,
        "person_title": 0.02,  # public pages hide position, experience and education
    },
    wrong=0.02,
    stale=0.10,
)  # fmt: skip

CLEARBIT = Profile(
    vendor="clearbit",
    company_hit=0.74,
    person_hit=0.52,
    by_segment={
        "us-small": -0.05, "us-mid": 0.10, "us-large": 0.18, "eu-small": -0.25, "eu-mid": -0.05,
        "eu-large": 0.08, "jp-small": -0.5, "jp-mid": -0.35, "jp-large": -0.15,
    },
    coverage={
        "default": 0.82, "company_vat_id": 0.0, "company_legal_name": 0.6, "company_email": 0.2,
        "company_email_pattern": 0.0, "company_revenue": 0.55, "company_phone": 0.45,
        "company_instagram_url": 0.0, "company_youtube_url": 0.0, "company_github_url": 0.0,
        "person_email": 1.0, "person_phone": 0.0, "person_title": 0.88, "person_skills": 0.0,
    },
    wrong=0.04,
    stale=0.18,  # keys and records are of before 2024
)  # fmt: skip

BRAVE = Profile(
    vendor="brave",
    company_hit=0.84,
    person_hit=0.6,
    by_segment={"us-small": -0.04, "us-large": 0.10, "eu-small": -0.14, "jp-small": -0.4},
    coverage={
        "default": 0.0, "company_description": 0.85, "company_industry": 0.6,
        "company_founded_year": 0.5, "company_employee_count": 0.25, "company_city": 0.55,
        "company_country": 0.55, "company_phone": 0.1, "person_title": 0.8,
    },
    wrong=0.05,
    stale=0.12,
)  # fmt: skip

TAVILY = Profile(
    vendor="tavily",
    company_hit=0.8,
    person_hit=0.5,
    by_segment={"us-large": 0.08, "eu-small": -0.12, "jp-small": -0.35},
    coverage={"default": 0.0, "company_description": 0.95, "person_title": 0.75},
    wrong=0.04,
    stale=0.1,
)

EXA = Profile(
    vendor="exa",
    company_hit=0.82,
    person_hit=0.7,
    by_segment={"us-small": 0.04, "us-large": 0.08, "eu-small": -0.1, "jp-small": -0.3},
    coverage={
        "default": 0.0, "company_description": 0.9, "company_founded_year": 0.6,
        "company_employee_count": 0.6, "company_city": 0.7, "company_country": 0.75,
        "company_revenue": 0.2, "person_title": 0.9,
    },
    wrong=0.06,
    stale=0.12,
)  # fmt: skip

_ALL = (
    APOLLO,
    BRIGHTDATA,
    CLEARBIT,
    BRAVE,
    ENRICHLAYER,
    EXA,
    GLEIF,
    HUNTER,
    PEOPLE_DATA_LABS,
    SERPER,
    WIKIDATA,
    TAVILY,
)
PROFILES = {profile.vendor: profile for profile in _ALL}
