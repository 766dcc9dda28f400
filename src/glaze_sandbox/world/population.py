"""The world: lookup by domain, name, email address, profile; details are made when first asked."""

from collections.abc import Iterator

from glaze_sandbox.seeded import draw
from glaze_sandbox.world.entities import Company, Person
from glaze_sandbox.world.make import (
    Stub,
    company_of_code,
    make_company,
    make_people,
    make_stub,
    slugify,
)
from glaze_sandbox.world.places import BY_CODE

DEAD_SHARE = 0.03  # of the companies: the domain is in every list, but has left the DNS


class World:
    """``companies`` companies out of ``seed``; the same seed gives the same world, byte for byte.

    A larger world begins with the companies of a smaller one.
    """

    def __init__(self, seed: int = 7, companies: int = 500) -> None:
        """Draw names and domains of all companies; everything else waits until it is asked."""
        self.seed = seed
        taken: set[str] = set()
        self._stubs: list[Stub] = [make_stub(seed, index, taken) for index in range(companies)]
        self._by_domain = {stub[2]: index for index, stub in enumerate(self._stubs)}
        self._by_slug = {slugify(stub[0]): index for index, stub in enumerate(self._stubs)}
        self._by_key = {slug.replace("-", ""): index for slug, index in self._by_slug.items()}
        self._companies: dict[int, Company] = {}
        self._people: dict[int, tuple[Person, ...]] = {}

    def __len__(self) -> int:
        """Return the number of companies."""
        return len(self._stubs)

    @property
    def domains(self) -> list[str]:
        """Every company's domain, dead ones included."""
        return list(self._by_domain)

    def company(self, index: int) -> Company:
        """Return company ``index``."""
        found = self._companies.get(index)
        if found is None:
            found = self._companies[index] = make_company(self.seed, index, self._stubs[index])
        return found

    def companies(self) -> Iterator[Company]:
        """Yield every company in order."""
        return map(self.company, range(len(self._stubs)))

    def people_of(self, company: Company) -> tuple[Person, ...]:
        """Return the known people of ``company``."""
        found = self._people.get(company.index)
        if found is None:
            country = BY_CODE[company.address.country]
            found = self._people[company.index] = make_people(self.seed, company, country)
        return found

    def is_dead(self, company: Company) -> bool:
        """Tell whether the company's domain has left the DNS."""
        return draw(self.seed, "dead", company.domain) < DEAD_SHARE

    def by_domain(self, domain: str) -> Company | None:
        """Return the company whose site or mail lives at ``domain`` (``www.`` allowed)."""
        index = self._by_domain.get(domain.lower().removeprefix("www."))
        return None if index is None else self.company(index)

    def by_name(self, name: str) -> Company | None:
        """Return the company called ``name``, its legal form or not."""
        key = slugify(name).replace("-", "")
        for length in range(len(key), max(len(key) - 10, 5), -1):
            index = self._by_key.get(key[:length])
            if index is not None:
                company = self.company(index)
                legal = slugify(company.legal_name).replace("-", "")
                return company if legal.startswith(key) or length == len(key) else None
        return None

    def by_slug(self, slug: str) -> Company | None:
        """Return the company of the LinkedIn page ``/company/slug``."""
        index = self._by_slug.get(slug.lower())
        return None if index is None else self.company(index)

    def person_by_slug(self, slug: str) -> Person | None:
        """Return the person of the LinkedIn profile ``/in/slug``."""
        place = company_of_code(self.seed, slug.rsplit("-", 1)[-1])
        if place is None or place[0] >= len(self):
            return None
        people = self.people_of(self.company(place[0]))
        person = people[place[1]] if place[1] < len(people) else None
        return person if person and person.slug == slug.lower() else None

    def person_by_email(self, email: str) -> Person | None:
        """Return the person whose work address is ``email``."""
        company = self.by_domain(email.rpartition("@")[2])
        if company is None:
            return None
        wanted = email.lower()
        return next((p for p in self.people_of(company) if p.email == wanted), None)

    def person_by_name(self, name: str, company: Company) -> Person | None:
        """Return the person called ``name`` at ``company``; accents and case do not matter."""
        wanted = slugify(name)
        return next((p for p in self.people_of(company) if slugify(p.full_name) == wanted), None)
