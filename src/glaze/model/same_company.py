"""Whether an entry of a register is the company that was asked about: a namesake is not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, TypeVar

from glaze.model.names import company_key, legal_form
from glaze.model.value import FieldName
from glaze.model.web_address import domain_of

T = TypeVar("T")

_NAMES = (FieldName("company_legal_name"), FieldName("company_name"))

_OF_GROUPS = frozenset({"holding", "holdings", "group"})


class Basis(IntEnum):
    """What a match rests on, the best first; the value is what it takes from the confidence."""

    DOMAIN = 0  # the official site lies at the company's domain
    LEGAL_NAME = 5  # the same name with the same legal form, in the same country
    NAME = 15  # the same name in the same country, where one of the two has no legal form

    def __str__(self) -> str:
        """Return the words for people."""
        return {
            Basis.DOMAIN: "matched by domain",
            Basis.LEGAL_NAME: "matched by legal name and country",
            Basis.NAME: "matched by name and country",
        }[self]


@dataclass(frozen=True, slots=True)
class Sought:
    """The company of a question: all that an entry is compared with."""

    name: str | None = None
    country: str | None = None  # ISO 3166-1 alpha-2
    domain: str | None = None  # registrable

    @classmethod
    def of(cls, question: Mapping[FieldName, str]) -> "Sought":
        """Read it from the identifiers that make up a question."""
        return cls(
            name=next((question[name] for name in _NAMES if name in question), None),
            country=question.get(FieldName("company_country")),
            domain=question.get(FieldName("company_domain")),
        )


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """One entry of a register, as far as it tells who it is about; ``record`` is all of it."""

    record: T
    names: tuple[str, ...]
    country: str | None = None
    websites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """The one entry that is the company."""

    record: T
    basis: Basis


def same_company(sought: Sought, entries: Iterable[Entry[T]]) -> Found[T] | str:
    """Return the entry that is the company, or why there is none, in words for people.

    Where both state a domain, it decides alone. Else name and country must both be equal, and the
    legal forms, where both have one. Two entries that fit equally well are none.
    """
    fitting = [
        Found(entry.record, basis)
        for entry in entries
        if (basis := basis_of(sought, entry)) is not None
    ]
    if not fitting:
        return "no entry is this company's"
    best = min(found.basis for found in fitting)
    rivals = [found for found in fitting if found.basis == best]
    if len(rivals) > 1:
        return f"{len(rivals)} entries fit; which one is meant cannot be told"
    return rivals[0]


def basis_of(sought: Sought, entry: Entry[T]) -> Basis | None:
    """Return what makes ``entry`` the company, None where it is another or may be."""
    domains = {domain for site in entry.websites if (domain := _domain(site))}
    if sought.domain and domains:
        return Basis.DOMAIN if sought.domain in domains else None
    if not sought.name or not sought.country or sought.country != entry.country:
        return None
    key, form = company_key(sought.name), _form(sought.name)
    namesakes = [
        name
        for name in entry.names
        if key and company_key(name) == key and _members(name) == _members(sought.name)
    ]
    if form and form in map(_form, namesakes):
        return Basis.LEGAL_NAME
    if any(not form or not _form(name) for name in namesakes):
        return Basis.NAME
    return None


def _members(name: str) -> frozenset[str]:
    """Return the words that tell a group from its members: Acme Holding is not Acme."""
    return _OF_GROUPS & set(legal_form(name).split())


def _form(name: str) -> str:
    return " ".join(word for word in legal_form(name).split() if word not in _OF_GROUPS)


def _domain(site: str) -> str | None:
    try:
        return domain_of(site)
    except ValueError:
        return None
