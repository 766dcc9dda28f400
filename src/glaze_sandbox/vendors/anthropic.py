"""Anthropic's Messages API, answered by a gullible reader instead of a model.

An answer is billed by its tokens. Errors are typed objects; a call above the limit is told by
``retry-after`` when to come back.
"""

import json
import math

from glaze_sandbox.seeded import hex_id
from glaze_sandbox.vendors.model import StandIn, at, text_of, tokens
from glaze_sandbox.wire import Answer, Call, Charge, json_answer

PRICES = {  # US dollars for a million tokens: in, out
    "claude-haiku-5-5": (0.10, 0.50),
    "claude-sonnet-5-5": (2.0, 10.0),
    "claude-opus-5-5": (4.0, 20.0),
    "claude-haiku-4-5": (1.0, 5.0),
}


class Anthropic:
    """Plays ``api.anthropic.com``."""

    name = "anthropic"
    hosts = ("api.anthropic.com",)

    def __init__(self, seed: int, model: StandIn) -> None:
        """``model`` answers."""
        self._seed = seed
        self._model = model
        self._requests = 0

    def key_of(self, call: Call) -> str:
        """Return the ``x-api-key`` header."""
        return call.headers.get("x-api-key", "")

    def refuse_key(self, call: Call) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 401."""
        return self._error(401, "authentication_error", "invalid x-api-key")

    def refuse_rate(self, call: Call, retry_after_s: float) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 429 with ``retry-after``."""
        message = "This request would exceed your organization's rate limit."
        headers = {"retry-after": str(max(1, math.ceil(retry_after_s)))}
        return self._error(429, "rate_limit_error", message, headers)

    def answer(self, call: Call) -> Answer:
        """Answer one message."""
        if call.path != "/v1/messages" or call.method != "POST":
            return self._error(404, "not_found_error", "Not Found")
        body = call.json()
        if not call.headers.get("anthropic-version"):
            return self._error(400, "invalid_request_error", "anthropic-version: header required")
        if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
            return self._error(400, "invalid_request_error", "messages: Field required")
        if not isinstance(body.get("max_tokens"), int):
            return self._error(400, "invalid_request_error", "max_tokens: Field required")
        if body.get("model") not in PRICES:
            return self._error(404, "not_found_error", f"model: {body.get('model')}")
        self._requests += 1
        return self._complete(body, str(body["model"]))

    def _complete(self, body: dict[str, object], model: str) -> Answer:
        messages = body["messages"]
        text = "\n".join(map(text_of, messages if isinstance(messages, list) else []))
        content = self._model.answer(text, at(body, "output_config", "format", "schema"))
        tokens_in, tokens_out = tokens(f"{body.get('system', '')}{text}"), tokens(content)
        price_in, price_out = PRICES[model]
        micros = math.ceil(tokens_in * price_in + tokens_out * price_out)
        request_id = f"msg_{hex_id(self._seed, 'anthropic', self._requests)}"
        value = {
            "id": request_id,
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [{"type": "text", "text": content}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": tokens_in,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": tokens_out,
            },
        }
        question = hex_id(model, json.dumps(body, sort_keys=True), length=32)
        charge = Charge("message", question, tokens_in + tokens_out, micros)
        return json_answer(
            200,
            value,
            headers={"request-id": request_id},
            charges=(charge,),
            request_id=request_id,
        )

    def _error(
        self, status: int, type_: str, message: str, headers: dict[str, str] | None = None
    ) -> Answer:
        request_id = f"req_{hex_id(self._seed, type_, message)}"
        error = {"type": type_, "message": message}
        value = {"type": "error", "error": error, "request_id": request_id}
        return json_answer(status, value, headers={"request-id": request_id} | (headers or {}))
