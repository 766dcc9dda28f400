"""JSON merge patch: what a replayed job does differently."""

from collections.abc import Mapping

from glaze.model.value import Json


def merge_patch(target: Json, patch: Json) -> Json:
    """Return ``target`` changed as ``patch`` says (RFC 7396): null removes, objects are merged.

    >>> merge_patch({"a": 1, "b": {"c": 2, "d": 3}}, {"a": None, "b": {"c": 4}})
    {'b': {'c': 4, 'd': 3}}
    """
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged
