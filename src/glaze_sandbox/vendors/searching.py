"""The web as a search engine's index holds it: who a query means, and which pages it leads to.

Each engine has an index of its own: what it knows of a company or person, and how often it is
wrong, follows from its profile. The shape in which it answers is the engine's own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from glaze_sandbox.knowledge import Knowledge, Profile
from glaze_sandbox.seeded import rng
from glaze_sandbox.world.entities import Company, Person, Truth
from glaze_sandbox.world.make import slugify
from glaze_sandbox.world.places import BY_CODE
from glaze_sandbox.world.population import World

PANEL_FROM = 150  # employees: of smaller companies there is no panel
FIRST_SHARE = 0.85  # of the companies: their own site is the first result
LONGEST_NAME = 4  # words
HAS_ACCOUNTS = 0.4  # share of the people that have an account and a site of their own
SHOWS_SITE = 0.5  # share of the profiles whose result shows the company's domain
_DOMAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_OPERATOR = re.compile(r"-?\b(?:site|inurl|intitle):\S+")


@dataclass(frozen=True, slots=True)
class Hit:
    """One page that the index leads to, with the company or person that it is about."""

    title: str
    url: str
    text: str
    about: Company | Person | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """What an engine shows beside its results: what it believes about the company itself."""

    name: str
    url: str
    industry: str
    about: str | None
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a query, before an engine puts it into its shape."""

    hits: list[Hit]
    panel: Panel | None = None
    believed: Truth | None = None  # about the company that was meant


class Index:
    """One engine's index over the world."""

    def __init__(self, profile: Profile, world: World) -> None:
        """Draw what the engine holds out of ``world``."""
        self._world = world
        self._known = Knowledge(profile, world)

    def company(self, company: Company) -> Truth | None:
        """Return what the engine believes about ``company``, None for nothing."""
        return self._known.company(company)

    def person(self, person: Person) -> Truth | None:
        """Return what the engine believes about ``person``, None for nothing."""
        return self._known.person(person)

    def search(self, query: str, site: str | None = None) -> Found:
        """Return what ``query`` leads to, of ``site`` alone where it is given."""
        company = self._company_in(query)
        if company is None:
            return Found(_noise(query) if site is None else [])
        person = self._person_in(query, company)
        believed = self._known.company(company)
        hits: list[Hit] = []
        if person is not None and self._known.person(person) is not None:
            hits.append(_profile(person))
            hits.extend(_accounts(person) if "profile" in query else ())
        if believed is not None and site != "linkedin.com/in":
            hits.extend(_pages(company, believed, dead=self._world.is_dead(company)))
            hits.extend(_socials(company, believed) if "profile" in query else ())
        hits.extend(_noise(query))
        if site is not None:
            hits = [hit for hit in hits if site.partition("/")[0] in hit.url]
        large = believed is not None and company.employees >= PANEL_FROM
        panel = _panel(company, believed) if believed and large else None
        return Found(hits, panel, believed)

    def _company_in(self, query: str) -> Company | None:
        plain = without_operators(query)
        for domain in _DOMAIN.findall(query.lower()):
            if company := self._world.by_domain(domain):
                return company
        return next(filter(None, map(self._world.by_name, _phrases(plain))), None)

    def _person_in(self, query: str, company: Company) -> Person | None:
        key = f"-{slugify(query)}-"
        people = self._world.people_of(company)
        return next((p for p in people if f"-{slugify(p.full_name)}-" in key), None)


def without_operators(query: str) -> str:
    """Return ``query`` without ``site:`` and the like."""
    return _OPERATOR.sub(" ", query)


def site_in(query: str) -> str | None:
    """Return the site that a query's ``site:`` operator names, None where it has none."""
    found = re.search(r"\bsite:(\S+)", query)
    return found and found[1]


def _phrases(text: str) -> Iterator[str]:
    """Yield the runs of words in ``text`` that may be a company's name, quoted ones first."""
    yield from re.findall(r'"([^"]+)"', text)
    words = re.findall(r"[\w'&.-]+", text)
    for length in range(min(LONGEST_NAME, len(words)), 1, -1):
        for start in range(len(words) - length + 1):
            yield " ".join(words[start : start + length])


def _profile(person: Person) -> Hit:
    return Hit(
        title=f"{person.full_name} - {person.title} - {person.company.name} | LinkedIn",
        url=person.linkedin_url,
        text=f"{person.company.address.city} · {person.title} · {person.company.name}. "
        f"View {person.full_name}'s profile on LinkedIn.",
        about=person,
    )


def _accounts(person: Person) -> list[Hit]:
    """Return the accounts that the index knows of some people, each after a namesake's."""
    if rng("serp-account", person.slug).random() >= HAS_ACCOUNTS:
        return []
    name, handle = person.full_name, person.slug
    own = f"{person.title} at {person.company.name}"
    bare = slugify(name).replace("-", "")
    return [
        Hit(f"{name} ({handle}-77) · GitHub", f"https://github.com/{handle}-77", "Bread and maps."),
        Hit(f"{name} ({handle}) · GitHub", f"https://github.com/{handle}", own, about=person),
        Hit(f"{name} - about me", f"https://{bare}.dev/", f"I am {own}.", about=person),
    ]


def _pages(company: Company, believed: Truth, *, dead: bool) -> list[Hit]:
    about = str(believed.get("company_description", company.name))
    hits = [
        Hit(
            title=f"{company.name} | LinkedIn",
            url=company.linkedin_url,
            text=f"{company.name} | 1,204 followers on LinkedIn. {about}",
            about=company,
        ),
        Hit(
            title=f"{company.name} - Company Profile",
            url=f"https://www.businesslisthub.com/company/{company.slug}",
            text=f"{company.name}: address, phone number and reviews.",
        ),
    ]
    if not dead:
        site = Hit(title=company.name, url=company.url, text=about, about=company)
        hits.insert(0 if rng("serp", company.domain).random() < FIRST_SHARE else 1, site)
    return hits


def _socials(company: Company, believed: Truth) -> list[Hit]:
    """Return the company's profiles that the index knows, each after a namesake's."""
    hits = []
    for field, url in company.socials.items():
        site = field.removeprefix("company_").removesuffix("_url")
        if field not in believed or site == "linkedin":
            continue
        handle = url.rpartition("/")[2].lstrip("@")
        fans = url.replace(handle, f"the{handle[:6]}fans"[:15])
        title = f"{company.name} (@{{}}) · {site.title()}"
        hits.append(Hit(title.format("fans"), fans, f"All about {company.name}, by fans."))
        shows = rng("serp-profile", url).random() < SHOWS_SITE
        text = f"{company.domain} · 312 followers" if shows else "312 followers, 40 posts"
        hits.append(Hit(title.format(handle), url, text, about=company))
    return hits


def _noise(query: str) -> list[Hit]:
    words = " ".join(without_operators(query).replace('"', "").split())
    return [
        Hit(
            title=f"{words} - search the trade directory",
            url=f"https://www.tradedirectorynet.com/search/{slugify(words)}",
            text=f"Results for {words}: suppliers, addresses, opening hours.",
        )
    ]


def _panel(company: Company, believed: Truth) -> Panel:
    country = believed.get("company_country")
    where = [
        believed.get("company_city"),
        BY_CODE[country].name if isinstance(country, str) else None,
    ]
    attributes = {
        "Founded": believed.get("company_founded_year"),
        "Headquarters": ", ".join(str(part) for part in where if part),
        "Number of employees": believed.get("company_employee_count"),
        "Phone": believed.get("company_phone"),
    }
    about = believed.get("company_description")
    return Panel(
        name=company.name,
        url=str(believed["company_website"]),
        industry=str(believed.get("company_industry", "")),
        about=None if about is None else str(about),
        attributes={name: str(value) for name, value in attributes.items() if value},
    )
