"""An OpenAI-compatible chat completion, answered by a gullible reader instead of a model.

It reads ``response_format.json_schema.schema`` of the shape ``{"answers": [{"field": enum,
"value", "quote", "page_url"}]}`` and the user messages; it never looks at the wording of the
prompt. At seeded rates it cuts its JSON short, or supports a wrong value with an invented quote.
"""

import json
import math
import random
from dataclasses import asdict, replace
from typing import cast

from pydantic import BaseModel, ConfigDict, Field

from glaze_sandbox.billing import Clock
from glaze_sandbox.seeded import hex_id, rng
from glaze_sandbox.vendors.reading import Found, Text, read
from glaze_sandbox.wire import Answer, Call, Charge, json_answer

PRICES = {  # US dollars for a million tokens: in, out
    "gpt-6-luna": (0.10, 0.50),
    "gpt-6.1-terra": (1.0, 5.0),
    "gpt-6-sol": (2.0, 10.0),
    "gpt-5.4-mini": (0.75, 4.50),
}
DEFAULT_PRICE = (0.10, 0.50)
CHARACTERS_PER_TOKEN = 4
_DEFAULTS: dict[str, object] = {"confidence": 70}


class Habits(BaseModel):
    """How often the stand-in misbehaves, as shares of its answers."""

    model_config = ConfigDict(extra="forbid")

    malformed_rate: float = Field(default=0.02, ge=0, le=1)
    unsupported_rate: float = Field(default=0.03, ge=0, le=1)


class OpenAI:
    """Plays ``api.openai.com``."""

    name = "openai"
    hosts = ("api.openai.com",)

    def __init__(self, seed: int, clock: Clock) -> None:
        """``seed`` decides when the stand-in misbehaves; ``clock`` stamps its answers."""
        self.habits = Habits()
        self._seed = seed
        self._clock = clock
        self._requests = 0

    def key_of(self, call: Call) -> str:
        """Return the Bearer token."""
        return call.bearer()

    def refuse_key(self, call: Call) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 401."""
        return _error(
            401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key"
        )

    def refuse_rate(self, call: Call, retry_after_s: float) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 429 with ``retry-after``."""
        refused = _error(429, "Rate limit reached.", "requests", "rate_limit_exceeded")
        return replace(refused, headers={"retry-after": str(max(1, round(retry_after_s)))})

    def answer(self, call: Call) -> Answer:
        """Answer one completion."""
        if call.path == "/v1/models" and call.method == "GET":
            models = [{"id": name, "object": "model", "owned_by": "sandbox"} for name in PRICES]
            return json_answer(200, {"object": "list", "data": models})
        if call.path != "/v1/chat/completions" or call.method != "POST":
            return _error(404, f"Invalid URL ({call.method} {call.path})", "invalid_request_error")
        body = call.json()
        if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
            return _error(400, "Missing required parameter: 'messages'.", "invalid_request_error")
        self._requests += 1
        return self._complete(body)

    def _complete(self, body: dict[str, object]) -> Answer:
        model = str(body.get("model", "gpt-6-luna"))
        messages = [m for m in cast(list[object], body["messages"]) if isinstance(m, dict)]
        text = "\n".join(_content(m) for m in messages if m.get("role") == "user")
        content = self._content(text, _item_schema(body))
        prompt_tokens = _tokens("".join(map(_content, messages)))
        completion_tokens = _tokens(content)
        price_in, price_out = PRICES.get(model, DEFAULT_PRICE)
        micros = math.ceil(prompt_tokens * price_in + completion_tokens * price_out)
        question = hex_id(model, json.dumps(body, sort_keys=True), length=32)
        request_id = f"chatcmpl-{hex_id(self._seed, 'openai', self._requests)}"
        value = {
            "id": request_id,
            "object": "chat.completion",
            "created": int(self._clock().timestamp()),
            "model": model,
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": content, "refusal": None},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": {
                "prompt_tokens": prompt_tokens,
                "completion_tokens": completion_tokens,
                "total_tokens": prompt_tokens + completion_tokens,
            },
        }
        charge = Charge("chat_completion", question, prompt_tokens + completion_tokens, micros)
        headers = {"x-request-id": request_id}
        return json_answer(200, value, headers=headers, charges=(charge,), request_id=request_id)

    def _content(self, text: str, properties: dict[str, object]) -> str:
        """Return the assistant's message: JSON bound to the schema, now and then spoilt."""
        chance = rng(self._seed, "llm", self._requests, text)
        malformed = chance.random() < self.habits.malformed_rate
        fields = _enum(properties.get("field"))
        given = Text(_from_first_page(text), tuple(_enum(properties.get("page_url"))))
        answers = [self._maybe_unsupported(found, chance) for found in read(given, fields)]
        rows = [_fill(found, properties) for found in answers]
        content = json.dumps({"answers": rows}, ensure_ascii=False)
        return content[: max(1, len(content) * 2 // 3)] if malformed else content

    def _maybe_unsupported(self, found: Found, chance: random.Random) -> Found:
        if chance.random() >= self.habits.unsupported_rate:
            return found
        value = found.value + chance.randint(1, 40) if isinstance(found.value, int) else found.value
        return replace(found, value=value, quote=f"The company states that it is {value}.")


def _from_first_page(text: str) -> str:
    """Return ``text`` from the first line with an address on: what stands before asks, not tells."""
    place = text.find("://")
    return text[text.rfind("\n", 0, max(place, 0)) + 1 :]


def _fill(found: Found, properties: dict[str, object]) -> dict[str, object]:
    known = asdict(found)
    names = list(properties) or list(known)
    return {name: known.get(name, _DEFAULTS.get(name)) for name in names}


def _content(message: dict[str, object]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _at(value: object, *path: str) -> object:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _item_schema(body: dict[str, object]) -> dict[str, object]:
    """Return the properties of one answer, empty where the request binds to no such schema."""
    schema = _at(body, "response_format", "json_schema", "schema")
    found = _at(schema, "properties", "answers", "items", "properties")
    return found if isinstance(found, dict) else {}


def _enum(schema: object) -> list[str]:
    choices = _at(schema, "enum")
    return [str(c) for c in choices] if isinstance(choices, list) else []


def _tokens(text: str) -> int:
    return max(1, len(text) // CHARACTERS_PER_TOKEN)


def _error(status: int, message: str, type_: str, code: str | None = None) -> Answer:
    error = {"message": message, "type": type_, "param": None, "code": code}
    return json_answer(status, {"error": error})
