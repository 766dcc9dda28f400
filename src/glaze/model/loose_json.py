"""Reads the JSON objects in what a language model wrote, well formed or not."""

import json
import re
from collections.abc import Iterator, Mapping

from glaze.model.value import Json

_LONGEST = 200_000  # characters: no model's answer is longer
_MOST_TRIES = 400  # objects that begin and do not end
_TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")
_decoder = json.JSONDecoder()


def objects_in(text: str, key: str) -> list[Mapping[str, Json]] | None:
    """Return the objects of the list under ``key``, None where ``text`` holds no such list.

    What is repaired, in this order: prose and fences around the JSON, a comma before a closing
    bracket, a list without the object around it, an answer that was cut: of a cut list the objects
    that are whole. Nothing is guessed: an object that does not parse is not there.
    """
    text = text[:_LONGEST]
    for attempt in (text, _TRAILING_COMMA.sub("", text)):
        found = _listed(attempt, key)
        if found is not None:
            return found
    return None


def _listed(text: str, key: str) -> list[Mapping[str, Json]] | None:
    loose: list[Mapping[str, Json]] = []
    for one in _objects(text):
        rows = one.get(key)
        if isinstance(rows, list):
            return [row for row in rows if isinstance(row, Mapping)]
        if isinstance(one.get("field"), str):
            loose.append(one)
    if loose:
        return loose  # the rows alone: of a list that was cut, or that came without its object
    return [] if text.strip() == "[]" else None


def _objects(text: str) -> Iterator[Mapping[str, Json]]:
    """Yield the outermost objects that parse, in order."""
    place = text.find("{")
    tries = 0
    while place >= 0 and tries < _MOST_TRIES:
        try:
            found, end = _decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            tries += 1
            end = place + 1
        else:
            yield found
        place = text.find("{", end)
