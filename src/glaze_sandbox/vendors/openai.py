"""An OpenAI-compatible chat completion, answered by a gullible reader instead of a model.

A batch is created of an uploaded file of requests and ends some seconds later, at half the price.
What was answered and what was not are two files of JSON lines, in another order than the requests'.
What succeeds is billed whether anybody fetches it or not.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from email.message import Message
from email.parser import BytesParser
from typing import cast

from glaze_sandbox.billing import Clock
from glaze_sandbox.limits import Left
from glaze_sandbox.seeded import hex_id, rng
from glaze_sandbox.vendors.model import StandIn, at, text_of, tokens
from glaze_sandbox.wire import Answer, Call, Charge, json_answer

PRICES = {  # US dollars for a million tokens: in, out
    "gpt-6-luna": (0.10, 0.50),
    "gpt-6.1-terra": (1.0, 5.0),
    "gpt-6-sol": (2.0, 10.0),
    "gpt-5.4-mini": (0.75, 4.50),
}
DEFAULT_PRICE = (0.10, 0.50)
MOST_REQUESTS = 50_000
_COMPLETIONS = "/v1/chat/completions"
_LISTED = 20  # batches that a list shows where no limit is asked for
_MOST_NOTES, _LONGEST_NOTE_NAME, _LONGEST_NOTE = 16, 64, 512

Value = dict[str, object]


@dataclass(frozen=True, slots=True)
class _Batch:
    """What one customer handed in together."""

    key: str
    about: Value  # as it was asked for
    counts: Value
    files: tuple[str | None, str | None]  # of what was answered, and of what was not
    created_at: float


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
        self._files: dict[str, tuple[str, bytes]] = {}  # with the key of whose they are
        self._batches: dict[str, _Batch] = {}

    def forget(self) -> None:
        """Forget every file and every batch."""
        self._files.clear()
        self._batches.clear()

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
        """Answer one completion, or take, list, show or deliver a batch of them."""
        if call.path == "/v1/models" and call.method == "GET":
            models = [{"id": name, "object": "model", "owned_by": "sandbox"} for name in PRICES]
            return json_answer(200, {"object": "list", "data": models})
        if call.path.startswith("/v1/files"):
            return self._file(call, call.path.removeprefix("/v1/files").strip("/"))
        if call.path.startswith("/v1/batches"):
            return self._batch(call, call.path.removeprefix("/v1/batches").strip("/"))
        if call.path != _COMPLETIONS or call.method != "POST":
            return _error(404, f"Invalid URL ({call.method} {call.path})", "invalid_request_error")
        body = call.json()
        if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
            return _error(400, "Missing required parameter: 'messages'.", "invalid_request_error")
        value, charge = self._complete(body)
        request_id = str(value["id"])
        headers = {"x-request-id": request_id}
        return json_answer(200, value, headers=headers, charges=(charge,), request_id=request_id)

    def _file(self, call: Call, path: str) -> Answer:
        if call.method == "POST" and not path:
            form = _form_of(call)
            if form.get("purpose") != b"batch" or not form.get("file"):
                return _error(400, "'purpose' and 'file' are required", "invalid_request_error")
            file_id = self._kept(self.key_of(call), form["file"])
            told = {"id": file_id, "object": "file", "bytes": len(form["file"]), "purpose": "batch"}
            return json_answer(200, told)
        file_id, _, part = path.partition("/")
        key, body = self._files.get(file_id, ("", b""))
        if call.method != "GET" or part != "content" or key != self.key_of(call):
            return _error(404, f"No such File object: {file_id}", "invalid_request_error")
        return Answer(200, body, "application/octet-stream")

    def _kept(self, key: str, body: bytes) -> str:
        file_id = f"file-{hex_id(self._seed, 'file', len(self._files), length=24)}"
        self._files[file_id] = (key, body)
        return file_id

    def _batch(self, call: Call, path: str) -> Answer:
        if call.method == "POST" and not path:
            return self._create(call)
        if call.method == "GET" and not path:
            return self._list(call)
        batch = self._batches.get(path)
        if call.method != "GET" or batch is None or batch.key != self.key_of(call):
            return _error(404, f"No batch found with id '{path}'", "invalid_request_error")
        return json_answer(200, self._shown(path, batch))

    def _create(self, call: Call) -> Answer:
        """Answer a batch at once, and show it later."""
        body, key = call.json(), self.key_of(call)
        about: Value = body if isinstance(body, dict) else {}
        owner, file = self._files.get(str(about.get("input_file_id")), ("", b""))
        wrong = _wrong_batch(about) or ("" if owner == key and file else "no such input file")
        lines = [json.loads(line) for line in file.splitlines()]
        names = [str(at(line, "custom_id")) for line in lines]
        if not wrong and not (1 <= len(set(names)) == len(names) <= MOST_REQUESTS):
            wrong = "custom_id: unique, and 1 to 50,000 of them"
        if wrong:
            return _error(400, wrong, "invalid_request_error")
        done = [self._result(line) for line in lines]
        answered = [line for line, charge in done if charge is not None]
        failed = [line for line, charge in done if charge is None]
        files = (self._lines(key, answered), self._lines(key, failed))
        now = self._clock().timestamp()
        counts: Value = {"total": len(done), "completed": len(answered), "failed": len(failed)}
        batch_id = f"batch_{hex_id(self._seed, 'batch', len(self._batches), *names, length=24)}"
        batch = self._batches[batch_id] = _Batch(key, about, counts, files, now)
        charges = tuple(charge for _, charge in done if charge is not None)
        return json_answer(200, self._shown(batch_id, batch), charges=charges, request_id=batch_id)

    def _lines(self, key: str, lines: Sequence[Value]) -> str | None:
        if not lines:
            return None
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in reversed(lines))
        return self._kept(key, text.encode())

    def _result(self, line: Value) -> tuple[Value, Charge | None]:
        """Return a line of results, and what it is billed."""
        name, body = str(line["custom_id"]), at(line, "body")
        habits, chance = self._model.habits, rng(self._seed, "batch", line["custom_id"]).random()
        told: Value = {"id": f"batch_req_{hex_id(self._seed, name)}", "custom_id": name}
        if chance < habits.batch_expired_rate:
            late = {"code": "batch_expired", "message": "This request could not be executed."}
            return told | {"response": None, "error": late}, None
        wrong = chance < habits.batch_expired_rate + habits.batch_errored_rate
        if wrong or not isinstance(body, dict) or not isinstance(body.get("messages"), list):
            error = {"message": "The server had an error.", "type": "server_error", "code": None}
            failed = {"status_code": 500, "request_id": name, "body": {"error": error}}
            return told | {"response": failed, "error": None}, None
        value, charge = self._complete(body, share=0.5)
        answered = {"status_code": 200, "request_id": str(value["id"]), "body": value}
        return told | {"response": answered, "error": None}, charge

    def _list(self, call: Call) -> Answer:
        mine = [(id_, one) for id_, one in self._batches.items() if one.key == self.key_of(call)]
        limit = call.query.get("limit", "")
        most = int(limit) if limit.isdecimal() else _LISTED
        shown = [self._shown(id_, one) for id_, one in reversed(mine)][:most]
        return json_answer(
            200, {"object": "list", "data": shown, "has_more": len(shown) < len(mine)}
        )

    def _shown(self, batch_id: str, batch: _Batch) -> Value:
        ends_at = batch.created_at + self._model.habits.batch_wait_s
        ended = self._clock().timestamp() >= ends_at
        output, errors = batch.files if ended else (None, None)
        running: Value = {"total": batch.counts["total"], "completed": 0, "failed": 0}
        return {
            "id": batch_id,
            "object": "batch",
            **batch.about,
            "errors": None,
            "status": "completed" if ended else "in_progress",
            "output_file_id": output,
            "error_file_id": errors,
            "created_at": int(batch.created_at),
            "expires_at": int(batch.created_at) + 86_400,
            "completed_at": int(ends_at) if ended else None,
            "request_counts": batch.counts if ended else running,
        }

    def _complete(self, body: dict[str, object], share: float = 1.0) -> tuple[Value, Charge]:
        """Return a completion and its charge, ``share`` of the price."""
        self._requests += 1
        model = str(body.get("model", "gpt-6-luna"))
        messages = [m for m in cast(list[object], body["messages"]) if isinstance(m, dict)]
        text = "\n".join(text_of(m) for m in messages if m.get("role") == "user")
        content = self._model.answer(text, at(body, "response_format", "json_schema", "schema"))
        prompt_tokens = tokens("".join(map(text_of, messages)))
        completion_tokens = tokens(content)
        price_in, price_out = PRICES.get(model, DEFAULT_PRICE)
        full = math.ceil(prompt_tokens * price_in + completion_tokens * price_out)
        micros = math.ceil(full * share)
        question = hex_id(model, json.dumps(body, sort_keys=True), length=32)
        request_id = f"chatcmpl-{hex_id(self._seed, 'openai', self._requests)}"
        value: Value = {
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
        return value, Charge("chat_completion", question, prompt_tokens + completion_tokens, micros)


def _form_of(call: Call) -> dict[str, bytes]:
    """Return the parts of an uploaded form by name; none where the body is no form."""
    kind = call.headers.get("content-type", "")
    head = f"Content-Type: {kind}\r\n\r\n".encode("latin-1", "replace")
    form = BytesParser().parsebytes(head + call.body)
    parts = form.get_payload() if form.is_multipart() else []
    found: dict[str, bytes] = {}
    for part in parts:
        body = part.get_payload(decode=True) if isinstance(part, Message) else None
        if isinstance(part, Message) and isinstance(body, bytes):
            found[str(part.get_param("name", header="content-disposition"))] = body
    return found


def _wrong_batch(about: Value) -> str:
    """Return what is wrong with the request for a batch, "" where nothing is."""
    if about.get("endpoint") != _COMPLETIONS or about.get("completion_window") != "24h":
        return "endpoint and completion_window are required"
    notes = about.get("metadata") or {}
    if not isinstance(notes, dict) or len(notes) > _MOST_NOTES:
        return "metadata: at most 16 values"
    for name, text in notes.items():
        if len(str(name)) > _LONGEST_NOTE_NAME or len(str(text)) > _LONGEST_NOTE:
            return "metadata: names of 64 characters, values of 512"
    return ""


def _error(status: int, message: str, type_: str, code: str | None = None) -> Answer:
    error = {"message": message, "type": type_, "param": None, "code": code}
    return json_answer(status, {"error": error})
