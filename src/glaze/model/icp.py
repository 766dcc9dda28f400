"""The ideal customer profile of a workspace, and how well a record fits it, with reasons."""

from collections.abc import Mapping, Sequence

from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from glaze.model.agreement import comparable
from glaze.model.field import FIELDS, EntityKind, FieldType, known_field
from glaze.model.icp_score import CriterionRole, Reason, Score
from glaze.model.normalise import Invalid, normalise
from glaze.model.request import Strict, Wanted
from glaze.model.text import fold
from glaze.model.value import FieldName, Json

_RANGED = frozenset({FieldType.COUNT, FieldType.MONEY, FieldType.YEAR})
_LISTED = frozenset({FieldType.LIST, FieldType.MAP})
_ONE_TEST: JsonDict = {
    "oneOf": [
        {"required": ["any_of"]},
        {"required": ["all_of"]},
        {"required": ["contains"]},
        {"anyOf": [{"required": ["at_least"]}, {"required": ["at_most"]}]},
    ]
}


class Criterion(Strict):
    """What one field has to be: exactly one of the tests, or a range."""

    model_config = ConfigDict(json_schema_extra=_ONE_TEST)

    field: Wanted = Field(json_schema_extra={"enum": [*sorted(FIELDS)]})
    any_of: tuple[str, ...] = ()  # it is one of these, or has one of them where it is a list
    all_of: tuple[str, ...] = ()  # a list has all of these
    contains: tuple[str, ...] = ()  # its text has one of these words or phrases
    at_least: int | None = None
    at_most: int | None = None
    weight: int = Field(default=1, ge=1, le=100)
    role: CriterionRole = CriterionRole.WEIGHED

    @model_validator(mode="after")
    def _is_one_test(self) -> "Criterion":
        ranged = self.at_least is not None or self.at_most is not None
        if sum(map(bool, (self.any_of, self.all_of, self.contains, ranged))) != 1:
            raise ValueError("give one of any_of, all_of, contains, or at_least and at_most")
        if any(not fold(word) for word in (*self.any_of, *self.all_of, *self.contains)):
            raise ValueError(f"{self.field}: a word without a letter or digit is never met")
        kind = known_field(self.field).type
        if ranged and kind not in _RANGED:
            raise ValueError(f"{self.field} is no number: give any_of or contains")
        if self.all_of and kind not in _LISTED:
            raise ValueError(f"{self.field} has one value: give any_of")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("at_least is above at_most: nothing can be both")
        self._wanted()
        return self

    def _wanted(self) -> frozenset[str]:
        """Return the values of ``any_of`` or ``all_of`` as they are compared."""
        if known_field(self.field).type in _LISTED:
            return frozenset(text.casefold() for text in (*self.any_of, *self.all_of))
        try:
            values = [normalise(self.field, text) for text in self.any_of]
        except Invalid as error:
            raise ValueError(f"{self.field}: {error.reason}") from None
        return frozenset(comparable(self.field, value) for value in values)

    def meets(self, value: Json) -> bool:
        """Tell whether a canonical value of the field is what is wanted."""
        if self.contains:
            text = f" {fold(_text(value))} "
            return any(f" {fold(word)} " in text for word in self.contains)
        if self.any_of or self.all_of:
            found = _entries(self.field, value)
            wanted = self._wanted()
            return wanted <= found if self.all_of else bool(wanted & found)
        if not isinstance(value, int | float):
            return False
        low = self.at_least is None or value >= self.at_least
        return low and (self.at_most is None or value <= self.at_most)

    @property
    def wanted(self) -> str:
        """What is wanted, for people."""
        if self.any_of or self.all_of or self.contains:
            word = "all of " if self.all_of else "with " if self.contains else ""
            return word + ", ".join(self.any_of or self.all_of or self.contains)
        low = "" if self.at_least is None else f"at least {self.at_least:,}"
        high = "" if self.at_most is None else f"at most {self.at_most:,}"
        return " and ".join(filter(None, (low, high)))


class Profile(Strict):
    """An ideal customer profile; its fields are a company's, a person's, or both."""

    name: str = Field(default="ideal customer", min_length=1, max_length=100)
    criteria: tuple[Criterion, ...] = Field(min_length=1, max_length=100)

    @model_validator(mode="after")
    def _weighs_something(self) -> "Profile":
        if all(one.role is CriterionRole.EXCLUDES for one in self.criteria):
            raise ValueError("every criterion excludes: give one at least that a record can meet")
        return self

    def of(self, kind: EntityKind) -> tuple[Criterion, ...]:
        """Return the criteria that a record is scored by: a person by its employer's, too."""
        if kind is EntityKind.PERSON:
            return self.criteria
        return tuple(one for one in self.criteria if known_field(one.field).entity is kind)


def score(criteria: Sequence[Criterion], known: Mapping[FieldName, tuple[Json, int]]) -> Score:
    """Return how well what is known fits ``criteria``.

    The score is the share of what was met among what is known, each by weight times confidence.
    What is unknown lowers the certainty and not the score. A must that is known not to be
    met, or an exclusion that is known to be, makes it 0.

    Args:
        criteria: Those that concern the record.
        known: Field to its canonical value and confidence, 0 to 100.
    """
    reasons = tuple(_reason(one, known) for one in criteria)
    counted = [one for one in reasons if one.role is not CriterionRole.EXCLUDES]
    total = sum(one.weight for one in counted)
    heard = sum(one.weight * one.confidence for one in counted if one.met is not None)
    met = sum(one.weight * one.confidence for one in counted if one.met)
    certainty = round(heard / total) if total else 0
    out = any(
        one.met is (one.role is CriterionRole.EXCLUDES)
        for one in reasons
        if one.role is not CriterionRole.WEIGHED
    )
    if out:
        return Score(0, certainty, reasons)
    return Score(round(100 * met / heard) if heard else None, certainty, reasons)


def _reason(one: Criterion, known: Mapping[FieldName, tuple[Json, int]]) -> Reason:
    if one.field not in known:
        return Reason(one.field, one.wanted, one.role, one.weight, None)
    value, confidence = known[one.field]
    met = one.meets(value)
    return Reason(one.field, one.wanted, one.role, one.weight, met, value, confidence)


def _entries(name: FieldName, value: Json) -> set[str]:
    if isinstance(value, Mapping):
        return {str(entry).casefold() for entry in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return {str(entry).casefold() for entry in value}
    return {comparable(name, value)}


def _text(value: Json) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " ".join(map(str, value))
    return str(value)
