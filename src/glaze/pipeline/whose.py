"""Whether a record is about whom was asked for: that of another company or person is doubted whole."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from glaze.model.text import fold
from glaze.model.value import FieldName, Json, Reading
from glaze.model.web_address import domain_of

_OF_ANOTHER = 0.5
"""By which every reading of such a record is multiplied: too little to be believed alone."""
_DOMAIN, _WEBSITE = FieldName("company_domain"), FieldName("company_website")
_ALIASES = FieldName("company_domain_aliases")
_FULL, _FIRST, _LAST = (FieldName(f"person_{part}_name") for part in ("full", "first", "last"))
_JUDGED_ALONE = frozenset({_DOMAIN, _WEBSITE})
"""Fields whose own check compares them with what is known."""


class Stranger(NamedTuple):
    """Somebody else whom the record at ``url`` (None: it has no address) is about.

    Of its readings of ``prefix`` fields less is believed, by ``factor``.
    """

    url: str | None
    prefix: str
    factor: float
    note: str

    def covers(self, reading: Reading) -> bool:
        """Tell whether a reading is of this record, and doubted for it."""
        own = reading.field.startswith(self.prefix) and reading.field not in _JUDGED_ALONE
        return own and reading.url == self.url


def strangers(readings: Sequence[Reading], known: Mapping[FieldName, Json]) -> Iterator[Stranger]:
    """Yield whom an answer's records are about, where that is somebody else.

    A record is the readings of one address, or of none; in canonical form. A company is known by
    its domain: a record that states others, and not this one as an alias, is another's. Domains
    that differ behind their name only (acme.com, acme.de) are one company's. A person is known by
    the whole name: a record in the same letters that shares no part of it is another's. What a site says of a domain of its
    own is no record but its page.
    """
    own, asked = known.get(_DOMAIN), _names(known)
    for url in dict.fromkeys(one.url for one in readings):
        record = [one for one in readings if one.url == url]
        stated = _domains(record)
        of_site = url is not None and _domain_at(url) in {own, *stated}
        same = isinstance(own, str) and {_label(one) for one in stated} & {_label(own)}
        if isinstance(own, str) and stated and not same and not of_site:
            note = f"from a record of {min(stated)}, not of {own}"
            yield Stranger(url, "company_", _OF_ANOTHER, note)
        told = _names({one.field: one.value for one in record})
        if len(asked) > 1 and told and not asked & told and _comparable(asked, told):
            note = f"from a record of {' '.join(sorted(told))}"
            yield Stranger(url, "person_", _OF_ANOTHER, note)


def _domains(record: Sequence[Reading]) -> set[str]:
    """Return the domains that a record says are the company's."""
    found = set[str]()
    for one in record:
        values = one.value if isinstance(one.value, list) else [one.value]
        if one.field in {_DOMAIN, _WEBSITE, _ALIASES}:
            found |= {_domain_at(value) for value in values if isinstance(value, str)}
    return found - {""}


def _domain_at(address: str) -> str:
    """Return the domain of an address, "" where it has none."""
    with suppress(ValueError):
        return domain_of(address)
    return ""


def _label(domain: str) -> str:
    return domain.partition(".")[0]


def _names(values: Mapping[FieldName, Json]) -> set[str]:
    """Return the parts of a person's name, initials aside, as far as it is told."""
    told = (values.get(name) for name in (_FULL, _FIRST, _LAST))
    words = {fold(word) for text in told if isinstance(text, str) for word in text.split()}
    return {word for word in words if len(word.strip(".")) > 1}


def _comparable(one: set[str], other: set[str]) -> bool:
    """Tell whether both are in Latin letters: who is written in others may be anybody."""
    return all(word.isascii() for word in one | other)
