"""One person in stored documents: where they are meant, and the document without them."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Final

from glaze.errors import InputError
from glaze.model.field import EntityKind
from glaze.model.identity import identify
from glaze.model.value import Json, Reading

MARK: Final = "[erased]"
"""Stands where a text mentioned the person."""
_ERASED: Final = "erased"
_TAIL = 9
"""Digits by which a phone number is known again, however it is written."""
_SHORTEST_ID = 6
"""Characters that one of the caller's ids must have to be looked for within text."""
_SEPARATOR = r"[^0-9A-Za-z]{0,3}"
_IDS = frozenset({"lead_id", "contact_id", "external_id"})
_SUBJECT = _IDS | {
    "email",
    "phone",
    "name",
    "full_name",
    "first_name",
    "last_name",
    "linkedin_url",
    "linkedin",
}
"""Keys whose value says whom a document is about; besides those that begin with ``person_``."""
_DEEPEST = 40
_LONGEST_TEXT = 1000
"""Characters beyond which a text is no address and no profile."""


def erased() -> Json:
    """Return what stands in place of a document that was about the person."""
    return {_ERASED: True}


def is_erased(document: Json) -> bool:
    """Tell whether a document is what is left of one that was about an erased person.

    Arguments of a row that was fed hold it as their ``input``.
    """
    if not isinstance(document, Mapping):
        return False
    return document.get(_ERASED) is True or is_erased(document.get("input"))


def people_in(document: Json) -> set[str]:
    """Return the keys (``scheme:value``) of every person that a job's arguments name.

    Each object is read as an input would be, and any other text by what it looks like: an address
    or a profile, as they stand in lists. What identifies nobody names nobody.
    """
    return {key for given in _inputs(document, 0) for key in subjects_of(given)}


def subjects_of(given: Mapping[str, str]) -> list[str]:
    """Return the keys (``scheme:value``) of the person that an input means, the strongest first."""
    try:
        found = identify(given)
    except InputError:
        return []
    return [f"{key.scheme}:{key.value}" for key in found.keys.get(EntityKind.PERSON, ())]


def people_stated(readings: Sequence[Reading]) -> list[str]:
    """Return the keys (``scheme:value``) of the person of whom a source's readings speak."""
    told = {one.field: one.value for one in readings if isinstance(one.value, str)}
    given = {_STATED[field]: value for field, value in told.items() if field in _STATED}
    return subjects_of(given) if any(name.startswith("person_") for name in given) else []


_STATED: Mapping[str, str] = {
    name: name
    for name in (
        "person_email",
        "person_linkedin_url",
        "person_apollo_id",
        "person_full_name",
        "person_first_name",
        "person_last_name",
    )
} | {"person_company_domain": "company_domain", "person_company_name": "company_name"}
"""What says of whom a reading is, and the word that an input uses for it."""


def _inputs(document: Json, depth: int) -> Iterator[dict[str, str]]:
    """Yield the texts of each object, under the words that an input may use."""
    if depth > _DEEPEST:
        return
    if isinstance(document, Mapping):
        yield from _of_object(document, depth)
    elif isinstance(document, str):
        yield from _looks_like(document)
    elif isinstance(document, Sequence):
        for value in document:
            yield from _inputs(value, depth + 1)


def _of_object(document: Mapping[str, Json], depth: int) -> Iterator[dict[str, str]]:
    texts = {k: v for k, v in document.items() if isinstance(v, str) and _is_word(k)}
    if texts:
        yield texts
    for word in ("lead", "contact"):
        named = document.get(f"{word}_ids")
        yield from ({f"{word}_id": one} for one in _texts(named))
    for word, value in document.items():
        if word not in texts:
            yield from _inputs(value, depth + 1)


def _looks_like(text: str) -> Iterator[dict[str, str]]:
    """Yield what an input would call an address, or a profile, that stands by itself."""
    if len(text) > _LONGEST_TEXT:
        return
    if "@" in text:
        yield {"email": text}
    if "linkedin." in text.casefold():
        yield {"linkedin_url": text}


def _texts(value: Json) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _is_word(word: str) -> bool:
    try:
        identify({word: ""})
    except InputError as error:
        return error.code != "field_unknown"
    return True


@dataclass(frozen=True, slots=True)
class Traits:
    """What a person is known by, in lower case; only as long as they are being erased."""

    emails: tuple[str, ...] = ()
    slugs: tuple[str, ...] = ()  # of LinkedIn profiles
    urls: tuple[str, ...] = ()  # other profiles of their own
    phones: tuple[str, ...] = ()
    names: tuple[str, ...] = ()  # full names
    split: tuple[tuple[str, str], ...] = ()  # given and family name
    ids: tuple[str, ...] = ()  # the caller's own, as they were written
    employers: tuple[str, ...] = ()  # domains and names of companies
    keys: tuple[str, ...] = ()  # ``scheme:value``, as entities are found by

    def joined(self, other: "Traits") -> "Traits":
        """Return what either knows."""
        both = {
            one.name: tuple(sorted({*getattr(self, one.name), *getattr(other, one.name)}))
            for one in fields(self)
        }
        return Traits(**both)

    def without(self, shared: Collection[str]) -> "Traits":
        """Return it without addresses and numbers that are others' as well."""
        return replace(
            self,
            emails=tuple(one for one in self.emails if one not in shared),
            phones=tuple(one for one in self.phones if one not in shared),
        )

    def as_json(self) -> dict[str, Json]:
        """Return it as it is stored until the person is erased."""
        return {name: [*map(_plain, values)] for name, values in asdict(self).items()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Sequence[object]]) -> "Traits":
        """Return it as ``as_json`` gave it."""
        return cls(
            **{
                name: tuple(tuple(one) if isinstance(one, list) else one for one in values)
                for name, values in stored.items()
            }  # type: ignore[arg-type]  # as it was written
        )


def _plain(value: object) -> Json:
    return list(value) if isinstance(value, tuple) else str(value)


class _About:
    """Says that a whole value is about the person."""


_ABOUT = _About()


@dataclass(frozen=True)
class Finder:
    """Finds a person in documents.

    An e-mail address, a profile, a phone number and the caller's id are theirs alone. A name is
    not: it counts in a document that also names where they work, or one of the former.
    """

    traits: Traits

    @cached_property
    def prefilter(self) -> str:
        """A regular expression of PostgreSQL (case aside) that every document with them matches."""
        found = [*self._own_patterns(bounded=False), *map(re.escape, self.traits.ids)]
        found += [*self._weak_patterns(bounded=False)]
        found += [re.escape(family) for _, family in self.traits.split]
        return "|".join(found) or "$.^"

    @cached_property
    def _own(self) -> re.Pattern[str]:
        return _any(self._own_patterns(bounded=True))

    @cached_property
    def _weak(self) -> re.Pattern[str]:
        return _any(self._weak_patterns(bounded=True))

    @cached_property
    def _employer(self) -> re.Pattern[str]:
        return _any(rf"(?<!\w){re.escape(one)}(?!\w)" for one in self.traits.employers)

    def _own_patterns(self, *, bounded: bool) -> Iterator[str]:
        before, after = (r"(?<![\w.+-])", r"(?![\w-])") if bounded else ("", "")
        for email in self.traits.emails:
            local, _, domain = email.partition("@")
            yield f"{before}{re.escape(local)}(?:@|%40){re.escape(domain)}{after}"
        for slug in self.traits.slugs:
            yield (r"(?<![a-z])" if bounded else "") + rf"in/{re.escape(slug)}{after}"
        for url in self.traits.urls:
            yield re.escape(url) + after
        for phone in self.traits.phones:
            digits = re.sub(r"\D", "", phone)[-_TAIL:]
            lead = r"(?:\+?[0-9()][0-9() ./-]{0,7})?" if bounded else ""
            yield lead + _SEPARATOR.join(digits) + ("(?![0-9])" if bounded else "")
        for one in self.traits.ids:
            if len(one) >= _SHORTEST_ID and not one.isdecimal():
                yield rf"{before}{re.escape(one)}{after}"

    def _weak_patterns(self, *, bounded: bool) -> Iterator[str]:
        before, after = (r"(?<![\w-])", r"(?![\w-])") if bounded else ("", "")
        for name in (*self.traits.names, *self.traits.slugs):
            yield before + r"\s+".join(map(re.escape, name.split())) + after
        for given, family in self.traits.split:
            yield rf"{before}{re.escape(family)},?\s+{re.escape(given)}{after}"

    def erase(self, document: Json) -> Json:
        """Return a document without the person, the same object where it does not name them.

        What is about them is ``erased()`` as a whole; of a list of records only theirs is; a
        text that mentions them has ``MARK`` instead.
        """
        if not self.concerns(document):
            return document
        return self.purge(document)

    def concerns(self, document: Json) -> bool:
        """Tell whether a document names the person."""
        text = "\n".join(_strings(document))
        if self._own.search(text) or self._names_id(document):
            return True
        return bool(self._employer.search(text)) and self._names_them(document, text)

    def mentions(self, document: Json) -> bool:
        """Tell whether a document names the person, or somebody who is called the same."""
        text = "\n".join(_strings(document))
        return bool(self._own.search(text)) or self._names_them(document, text)

    def purge(self, document: Json) -> Json:
        """Return what ``erase`` does of a document that is known to concern them."""
        left = self._without(document, "", 0)
        return erased() if left is _ABOUT else left  # type: ignore[return-value]

    def redact(self, document: Json) -> Json:
        """Return a document with ``MARK`` for each mention; nothing of it goes as a whole."""
        return self._redacted(document) if self.concerns(document) else document

    def marked(self, text: str) -> str:
        """Return a text that is known to concern them with ``MARK`` for each mention."""
        return self._weak.sub(MARK, self._own.sub(MARK, text))

    def _redacted(self, value: Json) -> Json:
        if isinstance(value, str):
            return MARK if value in self.traits.ids else self.marked(value)
        if isinstance(value, Mapping):
            return {name: self._redacted(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._redacted(item) for item in value]
        return value

    def _names_them(self, document: Json, text: str) -> bool:
        return bool(self._weak.search(text)) or any(
            self._both_names(one) for one in _objects(document)
        )

    def _names_id(self, document: Json) -> bool:
        """Tell whether one of the caller's ids stands where ids stand."""
        ids = {*self.traits.ids}
        if not ids:
            return False
        for one in _objects(document):
            if any(one.get(word) in ids for word in _IDS if isinstance(one.get(word), str)):
                return True
            if any(ids.intersection(_texts(one.get(word))) for word in ("lead_ids", "contact_ids")):
                return True
            if any(
                ids.intersection(found)
                for word in ("input_data", "leads", "errors")
                if isinstance(found := one.get(word), Mapping)
            ):
                return True
        return False

    def _both_names(self, one: Mapping[str, Json]) -> bool:
        texts = {value.casefold() for value in one.values() if isinstance(value, str)}
        return any(texts.issuperset(pair) for pair in self.traits.split)

    def _is_theirs(self, key: str, text: str) -> bool:
        """Tell whether a value is the person's own, not a text that mentions them."""
        if key in _IDS and text in self.traits.ids:
            return True
        told = text.strip().casefold()
        if self._own.fullmatch(told):
            return True
        if key == "url" or key.endswith(("linkedin_url", "linkedin")):
            found = self._own.search(told)
            return bool(found and "linkedin." in told)
        return _is_subject(key) and bool(self._weak.fullmatch(told))

    def _without(self, value: Json, key: str, depth: int) -> Json | _About:
        if isinstance(value, str):
            return _ABOUT if self._is_theirs(key, value) else self.marked(value)
        if depth > _DEEPEST:
            return MARK
        if isinstance(value, Mapping):
            return self._object(value, key, depth)
        if isinstance(value, list):
            return self._list(value, key, depth)
        return value

    def _object(self, value: Mapping[str, Json], key: str, depth: int) -> Json | _About:
        if self._both_names(value):
            return _ABOUT
        kept: dict[str, Json] = {}
        for name, item in value.items():
            if name in self.traits.ids or self._own.search(name):
                continue
            # Of a field's value with where it came from the field's own name counts.
            inner = key if name in ("value", "raw") and key else name
            left = self._without(item, inner, depth + 1)
            if left is not _ABOUT:
                kept[name] = left  # type: ignore[assignment]  # mypy does not tell the mark apart
            elif not name.startswith("company_"):
                return _ABOUT
        return kept

    def _list(self, value: list[Json], key: str, depth: int) -> list[Json]:
        kept: list[Json] = []
        for item in value:
            left = self._without(item, key.removesuffix("s"), depth + 1)
            if left is not _ABOUT:
                kept.append(left)  # type: ignore[arg-type]  # mypy does not tell the mark apart
        return kept


def _is_subject(key: str) -> bool:
    return key in _SUBJECT or key.startswith("person_")


def _objects(document: Json, depth: int = 0) -> Iterator[Mapping[str, Json]]:
    if depth > _DEEPEST:
        return
    if isinstance(document, Mapping):
        yield document
        for value in document.values():
            yield from _objects(value, depth + 1)
    elif isinstance(document, list):
        for value in document:
            yield from _objects(value, depth + 1)


def _strings(document: Json, depth: int = 0) -> Iterator[str]:
    """Yield every text and every key of a document, as it reads and not as JSON escapes it."""
    if isinstance(document, str):
        yield document
    elif depth > _DEEPEST:
        return
    elif isinstance(document, Mapping):
        for key, value in document.items():
            yield key
            yield from _strings(value, depth + 1)
    elif isinstance(document, Sequence):
        for value in document:
            yield from _strings(value, depth + 1)


def _any(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for one in patterns) or r"(?!)", re.IGNORECASE)
