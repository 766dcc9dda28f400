"""A language model behind an OpenAI-compatible API: OpenAI, vLLM, Ollama, llama.cpp and others."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from http import HTTPStatus

from glaze.errors import FetchError
from glaze.model.batch_file import MOST_BYTES, not_yet, pending_under, read_lines, short_name
from glaze.model.inference import Completion, LlmConfig, Prompt
from glaze.model.language_model import MOST_TOKENS, LanguageModel, Result
from glaze.model.provider import (
    Billed,
    Billing,
    BillingUnknown,
    Deferral,
    Limit,
    Reply,
    Unbilled,
    VendorHttp,
    VendorResponse,
    Verdict,
)
from glaze.model.room import RoomHeaders
from glaze.model.value import Json
from glaze.model.vendor_body import (
    at,
    int_at,
    objects_at,
    parse_json,
    redact,
    text_at,
    undocumented_billing,
    unusable,
)

LOOKED_THROUGH = 20
"""So many of the newest batches are looked through for one whose creation was not answered."""
_ENDPOINT = "/v1/chat/completions"
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_LONGEST_NOTE = 512  # of a value of a batch's metadata; there are 16 at most
_ENDED = frozenset({"completed", "expired", "cancelled"})


class OpenAiWire:
    """Speaks ``POST /chat/completions`` with a strict JSON schema.

    Vendor facts: 429 also means an exhausted quota (``insufficient_quota``), as 402 does at others;
    a model that is unknown or not allowed is 404; the bill follows from ``usage``. A server that
    knows no ``max_completion_tokens`` knows ``max_tokens``: both are sent to servers of one's own.

    ``POST /files`` takes JSON lines of requests, ``POST /batches`` answers them within 24 hours at
    half the price; the file alone is free. A batch that is ``completed``, ``expired`` or
    ``cancelled`` has its results, in any order, in two files, of what was answered and of what was
    not; one that ``failed`` was not begun. What was not answered is not billed (unconfirmed by a
    bill). A list of batches shows their metadata: in it stand the names of the questions, so that a
    batch whose creation was not answered is known again. Servers of one's own (vLLM, Ollama,
    llama.cpp) have no such routes, or answer them at no lesser price: they are always asked at once.
    """

    name = "llm"
    default_model = "gpt-6-luna"
    base_url = "https://api.openai.com/v1"
    limits: tuple[Limit, ...] = (Limit(500, 60),)
    room_headers: tuple[RoomHeaders, ...] = (
        RoomHeaders("x-ratelimit-remaining-requests", 60, "x-ratelimit-reset-requests"),
    )

    deferral = Deferral(percent=50, most=100, collect_s=26 * 3600.0, requests=2)
    only_at_vendor = True

    async def send(self, prompt: Prompt, config: LlmConfig, http: VendorHttp) -> VendorResponse:
        """Send the prompt: exactly one request."""
        return await http.request(
            "POST",
            f"{http.base_url}/chat/completions",
            headers=_headers(http),
            json=_params(prompt, config),
        )

    async def hand_in(
        self, prompts: Mapping[str, Prompt], config: LlmConfig, http: VendorHttp
    ) -> VendorResponse | Reply:
        """Upload the prompts as a file, which is free, then create a batch of it."""
        uploaded = await self._upload(prompts, config, http)
        if isinstance(uploaded, Reply):
            return uploaded
        return await http.request(
            "POST",
            f"{http.base_url}/batches",
            headers=_headers(http),
            json={
                "input_file_id": uploaded,
                "endpoint": _ENDPOINT,
                "completion_window": "24h",
                "metadata": dict(_notes(prompts)),
            },
        )

    async def _upload(
        self, prompts: Mapping[str, Prompt], config: LlmConfig, http: VendorHttp
    ) -> str | Reply:
        lines = (
            {
                "custom_id": short_name(name),
                "method": "POST",
                "url": _ENDPOINT,
                "body": _params(prompt, config),
            }
            for name, prompt in prompts.items()
        )
        file = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
        content, kind = _form(file)
        try:
            response = await http.request(
                "POST",
                f"{http.base_url}/files",
                headers={**_headers(http), "Content-Type": kind},
                content=content,
            )
        except FetchError as error:  # whatever became of the file: no batch was created
            raise FetchError(f"the file was not taken: {error}", sent=False) from error
        refused = self.refusal(response)
        if refused is not None:
            return Reply(
                refused.verdict,
                Unbilled(),
                raw=refused.raw,
                retry_after_s=refused.retry_after_s,
                detail=refused.detail,
            )
        file_id = text_at(parse_json(response.body), "id") or ""
        return file_id if _ID.fullmatch(file_id) else unusable(Verdict.VENDOR_ERROR, response)

    def handle_of(self, response: VendorResponse) -> str | None:
        """Return the batch's id."""
        handle = text_at(parse_json(response.body), "id") or ""
        return handle if _ID.fullmatch(handle) else None

    async def results(
        self, handle: str | None, names: Sequence[str], http: VendorHttp
    ) -> Mapping[str, Result] | Reply:
        """Return what became of each prompt, once the batch has ended."""
        if handle is None:
            return await self._looked_for(names, http)
        if not _ID.fullmatch(handle):
            return Reply(Verdict.VENDOR_ERROR, BillingUnknown("no id of a batch"))
        batch = await _get(http, f"/batches/{handle}")
        if batch.status != HTTPStatus.OK:
            return not_yet(self.refusal(batch), handle)
        return await self._ended(parse_json(batch.body), handle, names, http)

    async def _looked_for(
        self, names: Sequence[str], http: VendorHttp
    ) -> Mapping[str, Result] | Reply:
        """Look the newest batches through for the one whose metadata names these."""
        listed = await _get(http, "/batches", limit=str(LOOKED_THROUGH))
        if listed.status != HTTPStatus.OK:
            return not_yet(self.refusal(listed), "")
        body, wanted = parse_json(listed.body), {short_name(name) for name in names}
        if not isinstance(at(body, "data"), list):
            return pending_under("")
        for batch in objects_at(body, "data"):
            handle = text_at(batch, "id") or ""
            if wanted & _noted(at(batch, "metadata")) and _ID.fullmatch(handle):
                return await self._ended(batch, handle, names, http)
        return Reply(Verdict.VENDOR_ERROR, Unbilled(), detail="the vendor never had the batch")

    async def _ended(
        self, batch: Json, handle: str, names: Sequence[str], http: VendorHttp
    ) -> Mapping[str, Result] | Reply:
        """Read the files of a batch that has ended."""
        status = text_at(batch, "status")
        if status == "failed":
            told = text_at(batch, "errors", "data", 0, "message") or "the vendor refused its file"
            failed = Reply(Verdict.VENDOR_ERROR, Unbilled(), detail=redact(told)[:200])
            return {name: Result(failed) for name in names}
        if status not in _ENDED:
            return pending_under(handle)
        found: dict[str, Result] = {}
        for file_id in (text_at(batch, "output_file_id"), text_at(batch, "error_file_id")):
            if file_id is None or not _ID.fullmatch(file_id):
                continue
            file = await _get(http, f"/files/{file_id}/content")
            if file.status != HTTPStatus.OK:
                return not_yet(self.refusal(file), handle)
            lines = read_lines(file.body)
            if lines is None:
                return pending_under(handle)
            found |= self._by_name(lines, names, file)
        return found

    def _by_name(
        self, lines: Sequence[Json], names: Sequence[str], file: VendorResponse
    ) -> dict[str, Result]:
        """Return the results of these names, out of a file's lines in whatever order."""
        wanted = {short_name(name): name for name in names}
        named = ((wanted.get(text_at(line, "custom_id") or ""), line) for line in lines)
        return {name: Result(self._told(line, file)) for name, line in named if name is not None}

    def _told(self, line: Json, file: VendorResponse) -> VendorResponse | Reply:
        """Return one result as the vendor would have answered at once, or what became of it instead."""
        status, body = int_at(line, "response", "status_code"), at(line, "response", "body")
        if status is None and isinstance(at(line, "error"), Mapping):
            why = text_at(line, "error", "message") or text_at(line, "error", "code") or "an error"
            return Reply(Verdict.VENDOR_ERROR, Unbilled(), detail=redact(why)[:200])
        if status is None or not isinstance(body, Mapping):
            return Reply(Verdict.VENDOR_ERROR, BillingUnknown("a result that cannot be read"))
        told = VendorResponse(status, {}, json.dumps(body).encode(), file.url)
        refused = self.refusal(told)
        if refused is None:
            return told
        verdict = (
            Verdict.BAD_INPUT if refused.verdict is Verdict.BAD_INPUT else Verdict.VENDOR_ERROR
        )
        return Reply(verdict, Unbilled(), detail=refused.detail)

    def completion(self, response: VendorResponse, config: LlmConfig) -> Completion | None:
        """Return the completion and its price; None for a success that cannot be read."""
        body = parse_json(response.body)
        choice = at(body, "choices", 0)
        if not isinstance(at(choice, "message"), Mapping) or at(body, "error"):
            return None
        return Completion(
            content=_content(at(choice, "message", "content")),
            ended=text_at(choice, "finish_reason") or "no reason",
            billing=_billing(body, config),
            refused=bool(at(choice, "message", "refusal")),
        )

    def refusal(self, response: VendorResponse) -> Reply | None:
        """Return the reply for every status but 200; None for 200."""
        if response.status == HTTPStatus.OK:
            return None
        verdict = _REFUSALS.get(response.status)
        if verdict is None:
            return unusable(Verdict.VENDOR_ERROR, response, undocumented_billing(response))
        error = at(parse_json(response.body), "error")
        if "insufficient_quota" in (text_at(error, "code"), text_at(error, "type")):
            verdict = Verdict.OUT_OF_CREDITS
        return unusable(verdict, response)


def _headers(http: VendorHttp) -> dict[str, str]:
    return {"Authorization": f"Bearer {http.key}"} if http.key else {}


def _params(prompt: Prompt, config: LlmConfig) -> dict[str, Json]:
    caps: dict[str, Json] = {"max_completion_tokens": config.max_output_tokens}
    if not config.needs_key:
        caps["max_tokens"] = config.max_output_tokens
    return {
        "model": config.model,
        **caps,
        "messages": [
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": prompt.user},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answers", "strict": True, "schema": dict(prompt.schema)},
        },
    }


def _form(file: bytes) -> tuple[bytes, str]:
    """Return a form that uploads ``file`` (multipart/form-data, RFC 7578), and its content type."""
    boundary = f"glaze-{sha256(file).hexdigest()[:32]}"
    head = (
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="purpose"\r\n\r\n'
        f"batch\r\n--{boundary}\r\n"
        'Content-Disposition: form-data; name="file"; filename="questions.jsonl"\r\n'
        "Content-Type: application/jsonl\r\n\r\n"
    )
    body = head.encode() + file + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


def _notes(names: Mapping[str, Prompt]) -> Iterator[tuple[str, str]]:
    """Yield the names as a batch's metadata: as many in a value as fit."""
    line, place = "", 0
    for name in map(short_name, names):
        if line and len(line) + 1 + len(name) > _LONGEST_NOTE:
            yield f"questions_{place}", line
            line, place = "", place + 1
        line = f"{line} {name}".strip()
    yield f"questions_{place}", line


def _noted(metadata: Json) -> frozenset[str]:
    """Return the names that stand in a batch's metadata."""
    if not isinstance(metadata, Mapping):
        return frozenset()
    texts = [text_at(metadata, key) or "" for key in metadata if key.startswith("questions_")]
    return frozenset(name for text in texts for name in text.split())


async def _get(http: VendorHttp, path: str, **params: str) -> VendorResponse:
    return await http.request(
        "GET",
        f"{http.base_url}{path}",
        params=params or None,
        headers=_headers(http),
        max_bytes=MOST_BYTES,
    )


def _billing(body: Json, config: LlmConfig) -> Billing:
    tokens_in = int_at(body, "usage", "prompt_tokens")
    tokens_out = int_at(body, "usage", "completion_tokens")
    if tokens_in is None or tokens_out is None:
        return BillingUnknown("the answer states no usage")
    if not (0 <= tokens_in <= MOST_TOKENS and 0 <= tokens_out <= MOST_TOKENS):
        return BillingUnknown("the answer states an impossible usage")
    return Billed(config.price_micros(tokens_in, tokens_out))


def _content(content: Json) -> str:
    """Return the message text; some servers send it in parts."""
    parts = (text_at(part, "text") or "" for part in objects_at(content))
    return content if isinstance(content, str) else "".join(parts)


_REFUSALS: Mapping[int, Verdict] = {
    400: Verdict.BAD_INPUT,
    401: Verdict.AUTH,
    402: Verdict.OUT_OF_CREDITS,
    403: Verdict.FORBIDDEN_PLAN,
    404: Verdict.FORBIDDEN_PLAN,
    413: Verdict.BAD_INPUT,
    422: Verdict.BAD_INPUT,
    429: Verdict.RATE_LIMITED,
}

llm = LanguageModel(OpenAiWire())
