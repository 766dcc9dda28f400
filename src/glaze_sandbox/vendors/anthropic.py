"""Anthropic's Messages API, answered by a gullible reader instead of a model.

An answer is billed by its tokens. Errors are typed objects; a call above the limit is told by
``retry-after`` when to come back.

A batch of messages ends some seconds after it was created, at half the price; its results are JSON
lines in another order than the requests'. Some requests of one are in error or expire, and are free;
what succeeds is billed whether anybody fetches it or not.
"""

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from glaze_sandbox.billing import Clock
from glaze_sandbox.seeded import hex_id, rng
from glaze_sandbox.vendors.model import StandIn, at, text_of, tokens
from glaze_sandbox.wire import Answer, Call, Charge, json_answer

PRICES = {  # US dollars for a million tokens: in, out
    "claude-haiku-5-5": (0.10, 0.50),
    "claude-sonnet-5-5": (2.0, 10.0),
    "claude-opus-5-5": (4.0, 20.0),
    "claude-haiku-4-5": (1.0, 5.0),
}


MOST_REQUESTS = 100_000
_BATCHES = "/v1/messages/batches"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_KINDS = ("succeeded", "errored", "canceled", "expired")
_LISTED = 20  # batches that a list shows where no limit is asked for

Value = dict[str, object]


@dataclass(frozen=True, slots=True)
class _Batch:
    """What one customer handed in together."""

    key: str
    lines: tuple[Value, ...]
    created_at: float


class Anthropic:
    """Plays ``api.anthropic.com``."""

    name = "anthropic"
    hosts = ("api.anthropic.com",)

    def __init__(self, seed: int, model: StandIn, clock: Clock) -> None:
        """``model`` answers."""
        self._seed = seed
        self._model = model
        self._clock = clock
        self._requests = 0
        self._batches: dict[str, _Batch] = {}

    def forget(self) -> None:
        """Forget every batch."""
        self._batches.clear()

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
        """Answer one message, or take, list, show or deliver a batch of them."""
        if not call.headers.get("anthropic-version"):
            return self._error(400, "invalid_request_error", "anthropic-version: header required")
        if call.path.startswith(_BATCHES):
            return self._batch(call, call.path.removeprefix(_BATCHES).strip("/"))
        if call.path != "/v1/messages" or call.method != "POST":
            return self._error(404, "not_found_error", "Not Found")
        body = call.json()
        wrong = _wrong(body)
        if wrong is not None or not isinstance(body, dict):
            return self._error(*(wrong or (400, "invalid_request_error", "no object")))
        value, charge = self._complete(body, str(body["model"]))
        request_id = str(value["id"])
        return json_answer(
            200,
            value,
            headers={"request-id": request_id},
            charges=(charge,),
            request_id=request_id,
        )

    def _batch(self, call: Call, path: str) -> Answer:
        if call.method == "POST" and not path:
            return self._create(call)
        batch_id, _, part = path.partition("/")
        batch = self._batches.get(batch_id)
        if call.method != "GET" or part not in ("", "results"):
            return self._error(404, "not_found_error", "Not Found")
        if not path:
            return self._list(call)
        if batch is None or batch.key != self.key_of(call):
            return self._error(404, "not_found_error", f"batch {batch_id} not found")
        return json_answer(200, self._shown(batch_id, batch)) if not part else self._results(batch)

    def _results(self, batch: _Batch) -> Answer:
        if not self._ended(batch):
            return self._error(404, "not_found_error", "results are not available yet")
        body = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in batch.lines)
        return Answer(200, body.encode(), "application/x-jsonl")

    def _create(self, call: Call) -> Answer:
        body = call.json()
        requests = body.get("requests") if isinstance(body, dict) else None
        if not isinstance(requests, list) or not 1 <= len(requests) <= MOST_REQUESTS:
            return self._error(400, "invalid_request_error", "requests: Field required")
        names = [str(one.get("custom_id")) if isinstance(one, dict) else "" for one in requests]
        if len({*names}) < len(names) or not all(map(_NAME.fullmatch, names)):
            return self._error(
                400, "invalid_request_error", "custom_id: unique, 1 to 64 of a-zA-Z0-9_-"
            )
        batch_id = f"msgbatch_{hex_id(self._seed, 'batch', len(self._batches), *names, length=24)}"
        done = [
            self._result(name, one.get("params")) for name, one in zip(names, requests, strict=True)
        ]
        now = self._clock().timestamp()
        lines = tuple(line for line, _ in reversed(done))
        batch = _Batch(self.key_of(call), lines, now)
        self._batches[batch_id] = batch
        charges = tuple(charge for _, charge in done if charge is not None)
        return json_answer(200, self._shown(batch_id, batch), charges=charges, request_id=batch_id)

    def _result(self, name: str, params: object) -> tuple[Value, Charge | None]:
        """Return a line of results, and what it is billed."""
        habits = self._model.habits
        chance = rng(self._seed, "batch", name).random()
        wrong = _wrong(params)
        if chance < habits.batch_expired_rate:
            return {"custom_id": name, "result": {"type": "expired"}}, None
        if chance < habits.batch_expired_rate + habits.batch_errored_rate:
            wrong = (500, "api_error", "Internal server error")
        if wrong is not None or not isinstance(params, dict):
            _, type_, message = wrong or (400, "invalid_request_error", "no object")
            error = {"type": "error", "error": {"type": type_, "message": message}}
            return {"custom_id": name, "result": {"type": "errored", "error": error}}, None
        value, charge = self._complete(params, str(params["model"]), share=0.5)
        return {"custom_id": name, "result": {"type": "succeeded", "message": value}}, charge

    def _list(self, call: Call) -> Answer:
        mine = [(id_, one) for id_, one in self._batches.items() if one.key == self.key_of(call)]
        limit = call.query.get("limit", "")
        most = int(limit) if limit.isdecimal() else _LISTED
        shown = [self._shown(id_, one) for id_, one in reversed(mine)][:most]
        return json_answer(200, {"data": shown, "has_more": len(shown) < len(mine)})

    def _ended(self, batch: _Batch) -> bool:
        return self._clock().timestamp() >= batch.created_at + self._model.habits.batch_wait_s

    def _shown(self, batch_id: str, batch: _Batch) -> Value:
        ended = self._ended(batch)
        kinds = [at(line, "result", "type") for line in batch.lines]
        created = datetime.fromtimestamp(batch.created_at, UTC)
        counts = {kind: kinds.count(kind) if ended else 0 for kind in _KINDS}
        url = f"https://{self.hosts[0]}{_BATCHES}/{batch_id}/results"
        return {
            "id": batch_id,
            "type": "message_batch",
            "processing_status": "ended" if ended else "in_progress",
            "request_counts": {"processing": 0 if ended else len(kinds), **counts},
            "created_at": created.isoformat(),
            "expires_at": (created + timedelta(hours=24)).isoformat(),
            "ended_at": created.isoformat() if ended else None,
            "results_url": url if ended else None,
        }

    def _complete(
        self, body: dict[str, object], model: str, share: float = 1.0
    ) -> tuple[Value, Charge]:
        """Return a message and its charge, ``share`` of the price."""
        self._requests += 1
        messages = body["messages"]
        text = "\n".join(map(text_of, messages if isinstance(messages, list) else []))
        content = self._model.answer(text, at(body, "output_config", "format", "schema"))
        tokens_in, tokens_out = tokens(f"{body.get('system', '')}{text}"), tokens(content)
        price_in, price_out = PRICES[model]
        micros = math.ceil(math.ceil(tokens_in * price_in + tokens_out * price_out) * share)
        request_id = f"msg_{hex_id(self._seed, 'anthropic', self._requests)}"
        value: Value = {
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
        return value, Charge("message", question, tokens_in + tokens_out, micros)

    def _error(
        self, status: int, type_: str, message: str, headers: dict[str, str] | None = None
    ) -> Answer:
        request_id = f"req_{hex_id(self._seed, type_, message)}"
        error = {"type": type_, "message": message}
        value = {"type": "error", "error": error, "request_id": request_id}
        return json_answer(status, value, headers={"request-id": request_id} | (headers or {}))


def _wrong(body: object) -> tuple[int, str, str] | None:
    """Return what is wrong with a request for one message: status, kind, what is said."""
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
        return 400, "invalid_request_error", "messages: Field required"
    if not isinstance(body.get("max_tokens"), int):
        return 400, "invalid_request_error", "max_tokens: Field required"
    if body.get("model") not in PRICES:
        return 404, "not_found_error", f"model: {body.get('model')}"
    return None
