"""Writes rows of the world as CSV: what a user would bring to be enriched."""

import csv
from collections.abc import Iterator
from itertools import chain, islice, repeat
from pathlib import Path

from glaze_sandbox.world.entities import Company, Person
from glaze_sandbox.world.population import World

Row = tuple[str, ...]
COMPANY_HEADER = ("Company", "Website")
LEAD_HEADER = ("First Name", "Last Name", "Company", "Email", "LinkedIn URL")


def company_row(company: Company) -> Row:
    """Return a row of the companies file; every third website is a bare domain."""
    website = company.domain if company.index % 3 == 0 else company.url
    return company.name, website


def lead_row(person: Person) -> Row:
    """Return a row of the leads file: the name, and one or two ways to find the person."""
    names = (person.first_name, person.last_name)
    style = (person.company.index + person.number) % 3
    if style == 0:
        return (*names, person.company.name, "", "")
    if style == 1 and person.email is not None:
        return (*names, "", person.email, "")
    return (*names, person.company.name, "", person.linkedin_url)


def write_csv(world: World, path: Path, rows: int, kind: str) -> int:
    """Write ``rows`` rows of ``kind`` (companies or leads) and return how many the world had."""
    header, source = (
        (COMPANY_HEADER, map(company_row, world.companies()))
        if kind == "companies"
        else (LEAD_HEADER, map(lead_row, _leads(world)))
    )
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        written = [writer.writerow(row) for row in islice(source, rows)]
    return len(written)


def _leads(world: World) -> Iterator[Person]:
    """Yield people in rounds: the first of every company, then the second."""
    places = chain.from_iterable(zip(range(len(world)), repeat(n)) for n in range(12))
    for index, number in places:
        people = world.people_of(world.company(index))
        if number < len(people):
            yield people[number]
