"""An OpenAI-compatible chat completion, answered by a gullible reader instead of a model."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from glaze_sandbox.billing import Clock
from glaze_sandbox.limits import Left
from glaze_sandbox.seeded import hex_id
from glaze_sandbox.vendors.model import StandIn, at, text_of, tokens
from glaze_sandbox.wire import Answer, Call, Charge, json_answer

PRICES = {  # US dollars for a million tokens: in, out
    "gpt-6-luna": (0.10, 0.50),
    "gpt-6.1-terra": (1.0, 5.0),
    "gpt-6-sol": (2.0, 10.0),
    "gpt-5.4-mini": (0.75, 4.50),
}
DEFAULT_PRICE = (0.10, 0.50)


class OpenAI:
    """Plays ``api.openai.com``."""

    name = "openai"
    hosts = ("api.openai.com",)

    def __init__(self, seed: int, clock: Clock, model: StandIn) -> None:
        """``model`` answers; ``clock`` stamps its answers."""
        self._seed = seed
        self._clock = clock
        self._model = model
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

    def room_headers(self, lefts: Sequence[Left]) -> dict[str, str]:
        """Return the requests that are left of a minute, and how long it lasts."""
        return {
            name: value
            for one in lefts[:1]
            for name, value in (
                ("x-ratelimit-limit-requests", str(one.calls)),
                ("x-ratelimit-remaining-requests", str(one.left)),
                ("x-ratelimit-reset-requests", f"{one.reset_s:.3f}s"),
            )
        }

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
        text = "\n".join(text_of(m) for m in messages if m.get("role") == "user")
        content = self._model.answer(text, at(body, "response_format", "json_schema", "schema"))
        prompt_tokens = tokens("".join(map(text_of, messages)))
        completion_tokens = tokens(content)
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


def _error(status: int, message: str, type_: str, code: str | None = None) -> Answer:
    error = {"message": message, "type": type_, "param": None, "code": code}
    return json_answer(status, {"error": error})
