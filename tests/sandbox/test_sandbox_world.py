"""The generated world: the same seed is the same world, and its values are ordinary ones."""

import phonenumbers
from hypothesis import given, settings
from hypothesis import strategies as st

from glaze.model.field import FIELDS, known_field
from glaze_sandbox.export import write_csv
from glaze_sandbox.knowledge import PROFILES, Knowledge
from glaze_sandbox.sites.render import render_site
from glaze_sandbox.world.population import World


def everything(world):
    return [
        (c.truth(), [p.truth() for p in world.people_of(c)], render_site(world, c).pages)
        for c in world.companies()
    ]


def test_the_same_seed_gives_the_same_world_and_sites_byte_for_byte():
    assert everything(World(11, 40)) == everything(World(11, 40))
    assert everything(World(11, 5)) != everything(World(12, 5))


def test_a_larger_world_begins_with_the_smaller_one():
    small, large = World(7, 30), World(7, 300)
    assert [c.truth() for c in small.companies()] == [large.company(i).truth() for i in range(30)]


def test_ten_thousand_companies_have_domains_and_names_of_their_own():
    world = World(7, 10_000)
    assert len(set(world.domains)) == 10_000
    assert len({world.company(i).name for i in range(0, 10_000, 7)}) == len(range(0, 10_000, 7))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 499), st.integers(0, 11))
def test_everybody_is_found_by_every_identifier(index, number):
    world = World(7, 500)
    company = world.company(index)
    assert world.by_domain(f"www.{company.domain}") is company
    assert world.by_name(company.legal_name) is company
    assert world.by_slug(company.slug) is company
    people = world.people_of(company)
    person = people[number % len(people)]
    assert world.person_by_slug(person.slug) is person
    assert world.person_by_name(person.full_name.upper(), company) is person
    assert person.email is None or world.person_by_email(person.email.upper()) is person


def test_phone_numbers_are_valid_in_the_country_of_the_address():
    for company in World(3, 300).companies():
        number = phonenumbers.parse(company.phone)
        assert phonenumbers.is_valid_number(number), company.phone
        assert phonenumbers.region_code_for_number(number) == company.address.country


def test_truth_and_published_values_use_the_canonical_field_names():
    world = World(7, 60)
    for company in world.companies():
        site = render_site(world, company)
        names = {*company.truth(), *site.published, *site.stated}
        names |= {n for p in world.people_of(company) for n in p.truth()}
        assert names <= set(FIELDS), names - set(FIELDS)
    assert known_field("company_name")


def test_vendors_know_different_parts_of_the_world_and_some_of_it_wrongly():
    world = World(7, 500)
    companies = list(world.companies())
    for profile in PROFILES.values():
        known = Knowledge(profile, world)
        believed = [(c.truth(), known.company(c)) for c in companies]
        hits = [(truth, values) for truth, values in believed if values is not None]
        # A public register has entries of few companies, or of all; a vendor sells most of them.
        assert not profile.person_hit or 0.5 < len(hits) / len(companies) < 0.98
        wrong = sum(truth[n] != v for truth, values in hits for n, v in values.items())
        assert 0 < wrong < 0.1 * sum(len(values) for _, values in hits)


def test_two_thousand_rows_of_companies_and_leads_can_be_written(tmp_path):
    world = World(7, 2000)
    for kind in ("companies", "leads"):
        path = tmp_path / f"{kind}.csv"
        assert write_csv(world, path, 2000, kind) == 2000
        assert len(path.read_text().splitlines()) == 2001
