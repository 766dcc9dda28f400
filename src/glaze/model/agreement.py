"""When two values of a field mean the same: what merging and question keys compare by."""

import json
from collections.abc import Callable, Mapping, Sequence

from glaze.model.field import FIELDS, FieldType
from glaze.model.names import company_key, person_key
from glaze.model.text import fold
from glaze.model.value import FieldName, Json

_TOLERANCE = 0.10
_NEAR = frozenset({FieldType.COUNT, FieldType.MONEY})
_FORMS: Mapping[str, Callable[[str], str]] = {
    "company_name": company_key,
    "company_legal_name": company_key,
    "person_company_name": company_key,
    "person_full_name": person_key,
}
_FORMS_BY_TYPE: Mapping[FieldType, Callable[[str], str]] = {
    FieldType.TEXT: fold,
    FieldType.EMAIL: str.casefold,
    FieldType.URL: lambda url: url.partition("://")[2].removeprefix("www.").rstrip("/"),
}


def comparable(field: FieldName, value: Json) -> str:
    """Return the text by which normalised values of ``field`` are compared.

    Equal texts mean the same thing: company names without legal form, names and places without
    case and accents, addresses without ``https://www.``, mailboxes without case.
    """
    kind = FIELDS[field].type
    if not isinstance(value, str):
        return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return _FORMS.get(field, _FORMS_BY_TYPE.get(kind, str))(value) or value.casefold()


def agree(field: FieldName, a: Json, b: Json) -> bool:
    """Tell whether two normalised values of ``field`` support each other.

    Counts and money within 10 % of the larger do; lists and maps do where they share an entry;
    a year or a month supports every day in it.
    """
    kind = FIELDS[field].type
    if kind in _NEAR and isinstance(a, int | float) and isinstance(b, int | float):
        return abs(a - b) <= _TOLERANCE * max(abs(a), abs(b))
    if kind is FieldType.DATE and isinstance(a, str) and isinstance(b, str):
        return a.startswith(b) or b.startswith(a)
    if kind is FieldType.LIST:
        return bool(_entries(a) & _entries(b))
    if kind is FieldType.MAP:
        return bool(_entries(a) & _entries(b))
    return comparable(field, a) == comparable(field, b)


def _entries(value: Json) -> set[str]:
    if isinstance(value, Mapping):
        return {f"{name}={str(item).casefold()}" for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return {str(item).casefold() for item in value}
    return {str(value).casefold()}
