"""A namesake is not the company: domain, else legal name and country, else nobody."""

import pytest

from glaze.model.same_company import Basis, Entry, Found, Sought, same_company


def entry(*names: str, country: str | None = "DE", site: str = "") -> Entry[str]:
    return Entry(f"{names[0]} {site}", names, country, (site,) if site else ())


def found(sought: Sought, *entries: Entry[str]) -> Basis | None:
    result = same_company(sought, entries)
    return result.basis if isinstance(result, Found) else None


ACME = Sought("Acme", "DE", "acme.de")


def test_the_domain_decides_whatever_the_name() -> None:
    assert found(ACME, entry("Something Else", site="http://www.acme.de/en/")) is Basis.DOMAIN
    assert found(ACME, entry("Acme", site="https://acme.com")) is None


def test_without_a_domain_name_and_country_must_both_be_equal() -> None:
    assert found(ACME, entry("ACME GmbH")) is Basis.NAME
    assert found(ACME, entry("ACME GmbH", country="AT")) is None
    assert found(ACME, entry("ACME GmbH", country=None)) is None
    assert found(ACME, entry("Acme Tools GmbH")) is None
    assert found(Sought("Acme", None, "acme.de"), entry("Acme")) is None


def test_another_legal_form_is_another_company() -> None:
    legal = Sought("Acme GmbH", "DE")
    assert found(legal, entry("ACME GMBH")) is Basis.LEGAL_NAME
    assert found(legal, entry("Acme AG")) is None
    assert found(Sought("Acme Limited", "GB"), entry("ACME LTD", country="GB")) is Basis.LEGAL_NAME
    assert found(legal, entry("Acme AG", "Acme GmbH")) is Basis.LEGAL_NAME  # by a former name


def test_a_holding_is_not_its_member() -> None:
    assert found(ACME, entry("Acme Holding GmbH")) is None
    assert found(Sought("Acme Holdings", "DE"), entry("Acme Holdings GmbH")) is Basis.NAME


def test_two_that_fit_equally_well_are_none() -> None:
    assert found(ACME, entry("Acme GmbH"), entry("Acme AG")) is None
    assert found(ACME, entry("Acme GmbH"), entry("Acme AG", site="acme.de")) is Basis.DOMAIN
    assert "2 entries" in str(same_company(ACME, [entry("Acme GmbH"), entry("Acme AG")]))


@pytest.mark.parametrize("name", ["", "  ", "!!!"])
def test_a_name_without_letters_fits_nobody(name: str) -> None:
    assert found(Sought(name, "DE"), entry(name or "x")) is None
