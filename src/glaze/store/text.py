"""Text that PostgreSQL can hold: no NUL, no lone surrogate, whatever a page or vendor sent."""

import re
from typing import TypeVar

from glaze.model.value import Json

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

J = TypeVar("J", bound=Json)


def storable(value: J) -> J:
    """Return ``value`` with each NUL and lone surrogate replaced by U+FFFD, at any depth."""
    return _clean(value)  # type: ignore[return-value]  # the shape is kept


def _clean(value: Json) -> Json:
    if isinstance(value, str):
        return _UNSTORABLE.sub("�", value)
    if isinstance(value, dict):
        return {_UNSTORABLE.sub("�", key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value
