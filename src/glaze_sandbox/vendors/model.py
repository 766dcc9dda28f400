"""What stands in for a language model behind every LLM vendor: a gullible reader with bad habits.

It reads a JSON schema of the shape ``{"answers": [{"field": enum, "value", "quote", ...}]}`` and
the user's text; it never looks at the wording of the instructions. At seeded rates it cuts its JSON
short, or supports a wrong value with an invented quote.
"""

import json
import random
from dataclasses import asdict, replace

from pydantic import BaseModel, ConfigDict, Field

from glaze_sandbox.seeded import rng
from glaze_sandbox.vendors.reading import Found, Text, choose, obey, read

CHARACTERS_PER_TOKEN = 4
_DEFAULTS: dict[str, object] = {"confidence": 70}


class Habits(BaseModel):
    """How often the stand-in misbehaves, as shares of its answers."""

    model_config = ConfigDict(extra="forbid")

    malformed_rate: float = Field(default=0.02, ge=0, le=1)
    unsupported_rate: float = Field(default=0.03, ge=0, le=1)
    batch_wait_s: float = Field(default=1.0, ge=0, le=86_400)  # until a vendor's batch has ended
    batch_errored_rate: float = Field(default=0.02, ge=0, le=1)  # of the requests in one
    batch_expired_rate: float = Field(default=0.0, ge=0, le=1)
    obedient: bool = False  # answers whatever a text tells it to, however it is told


class StandIn:
    """Answers prompts for every LLM vendor of one sandbox."""

    def __init__(self, seed: int) -> None:
        """``seed`` decides when it misbehaves."""
        self.habits = Habits()
        self._seed = seed
        self._prompts = 0

    def answer(self, text: str, schema: object) -> str:
        """Return the message about the user's ``text``, bound to ``schema``, now and then spoilt."""
        self._prompts += 1
        properties = _item_schema(schema)
        chance = rng(self._seed, "llm", self._prompts, text)
        malformed = chance.random() < self.habits.malformed_rate
        fields = _enum(properties.get("field"))
        given = Text(_from_first_page(text), tuple(_enum(properties.get("page_url"))))
        believed = obey(given, fields) if self.habits.obedient else {}
        choices = properties.get("value")
        found = [*read(given, fields), *choose(given, fields, _enum(choices))]
        answers = [
            believed.get(found.field) or self._maybe_unsupported(found, chance)
            for found in [*found, *believed.values()]
        ]
        rows = [_fill(found, properties) for found in answers]
        content = json.dumps({"answers": rows}, ensure_ascii=False)
        return content[: max(1, len(content) * 2 // 3)] if malformed else content

    def _maybe_unsupported(self, found: Found, chance: random.Random) -> Found:
        if chance.random() >= self.habits.unsupported_rate:
            return found
        value = found.value + chance.randint(1, 40) if isinstance(found.value, int) else found.value
        return replace(found, value=value, quote=f"The company states that it is {value}.")


def text_of(message: object) -> str:
    """Return the text of a message, which may come in parts."""
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def at(value: object, *path: str) -> object:
    """Return what stands at ``path``, None where nothing does."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def tokens(text: str) -> int:
    """Return about how many tokens ``text`` makes."""
    return max(1, len(text) // CHARACTERS_PER_TOKEN)


def _from_first_page(text: str) -> str:
    """Return ``text`` from the first line with an address on: what stands before asks, not tells."""
    place = text.find("://")
    return text[text.rfind("\n", 0, max(place, 0)) + 1 :]


def _fill(found: Found, properties: dict[str, object]) -> dict[str, object]:
    known = asdict(found)
    names = list(properties) or list(known)
    return {name: known.get(name, _DEFAULTS.get(name)) for name in names}


def _item_schema(schema: object) -> dict[str, object]:
    """Return the properties of one answer, empty where the request binds to no such schema."""
    found = at(schema, "properties", "answers", "items", "properties")
    return found if isinstance(found, dict) else {}


def _enum(schema: object) -> list[str]:
    choices = at(schema, "enum")
    return [str(c) for c in choices] if isinstance(choices, list) else []
