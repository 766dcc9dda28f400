"""A language model behind Anthropic's Messages API."""

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus

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
    message_of,
    objects_at,
    parse_json,
    text_at,
    undocumented_billing,
    unusable,
)

VERSION = "2023-06-01"
OVERLOADED = 529
LOOKED_THROUGH = 20
"""So many of the newest batches are looked through for one whose creation was not answered."""
_BATCH_ID = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
# Usage as the vendor counts it -> what one token costs, in percent of the input price.
_INPUT: Mapping[str, int] = {
    "input_tokens": 100,
    "cache_creation_input_tokens": 125,
    "cache_read_input_tokens": 10,
}


class AnthropicWire:
    """Speaks ``POST /messages`` with ``output_config.format``, a JSON schema.

    Vendor facts: errors are ``{"type": "error", "error": {"type", "message"}}``; 429 comes with
    ``retry-after``; 529 is an overload of the whole service, nothing was done, and it is waited
    for like a 429; ``refusal`` and ``max_tokens`` end an answer that is no whole JSON, and are
    charged. Unconfirmed: that an empty account is 400 with a message about the credit balance
    besides the documented 402; what a 500 or 504 costs. There is no idempotency key.

    ``POST /messages/batches`` takes many at half price, ``{"requests": [{"custom_id", "params"}]}``
    with names of 1 to 64 letters, digits, ``-`` and ``_``. Within 24 hours it has ``ended``; its
    results are JSON lines in any order, each ``succeeded``, ``errored``, ``canceled`` or
    ``expired``; they are kept for 29 days. Only what succeeded is billed: so says the vendor's
    guide (unconfirmed by a bill). A list of batches tells no names: what is in one its results tell.
    """

    name = "anthropic"
    default_model = "claude-haiku-5-5"
    base_url = "https://api.anthropic.com/v1"
    limits: tuple[Limit, ...] = (Limit(50, 60),)
    room_headers: tuple[RoomHeaders, ...] = (
        RoomHeaders(  # names unconfirmed
            "anthropic-ratelimit-requests-remaining", 60, "anthropic-ratelimit-requests-reset"
        ),
    )

    deferral = Deferral(percent=50, most=100, collect_s=26 * 3600.0)
    only_at_vendor = False

    async def send(self, prompt: Prompt, config: LlmConfig, http: VendorHttp) -> VendorResponse:
        """Send the prompt: exactly one request."""
        return await http.request(
            "POST",
            f"{http.base_url}/messages",
            headers={"x-api-key": http.key, "anthropic-version": VERSION},
            json=_params(prompt, config),
        )

    async def hand_in(
        self, prompts: Mapping[str, Prompt], config: LlmConfig, http: VendorHttp
    ) -> VendorResponse:
        """Create a batch of the prompts: exactly one request."""
        return await http.request(
            "POST",
            f"{http.base_url}/messages/batches",
            headers={"x-api-key": http.key, "anthropic-version": VERSION},
            json={
                "requests": [
                    {"custom_id": short_name(name), "params": _params(prompt, config)}
                    for name, prompt in prompts.items()
                ]
            },
        )

    def handle_of(self, response: VendorResponse) -> str | None:
        """Return the batch's id."""
        handle = text_at(parse_json(response.body), "id") or ""
        return handle if _BATCH_ID.fullmatch(handle) else None

    async def results(
        self, handle: str | None, names: Sequence[str], http: VendorHttp
    ) -> Mapping[str, Result] | Reply:
        """Return what became of each prompt, once the batch has ended."""
        if handle is None:
            return await self._looked_for(names, http)
        batch = await _get(http, f"/{handle}") if _BATCH_ID.fullmatch(handle) else None
        if batch is None:
            return Reply(Verdict.VENDOR_ERROR, BillingUnknown("no id of a batch"))
        if batch.status != HTTPStatus.OK:
            return not_yet(self.refusal(batch), handle)
        if text_at(parse_json(batch.body), "processing_status") != "ended":
            return pending_under(handle)
        lines = await _get(http, f"/{handle}/results")
        if lines.status != HTTPStatus.OK:
            return not_yet(self.refusal(lines), handle)
        found = _by_name(lines, names)
        return pending_under(handle) if found is None else found

    async def _looked_for(
        self, names: Sequence[str], http: VendorHttp
    ) -> Mapping[str, Result] | Reply:
        """Look the newest batches through for one that holds these names."""
        listed = await _get(http, "", limit=str(LOOKED_THROUGH))
        if listed.status != HTTPStatus.OK:
            return not_yet(self.refusal(listed), "")
        batches, pending = objects_at(parse_json(listed.body), "data"), False
        for batch in batches:
            handle = text_at(batch, "id") or ""
            if text_at(batch, "processing_status") != "ended":
                pending = True  # it may be in there
            elif _BATCH_ID.fullmatch(handle):
                lines = await _get(http, f"/{handle}/results")
                found = _by_name(lines, names) if lines.status == HTTPStatus.OK else None
                if found:
                    return found
                pending = pending or found is None  # it may be in there, too
        if pending:
            return pending_under("")
        return Reply(Verdict.VENDOR_ERROR, Unbilled(), detail="the vendor never had the batch")

    def completion(self, response: VendorResponse, config: LlmConfig) -> Completion | None:
        """Return the completion and its price; None for a success that cannot be read."""
        body = parse_json(response.body)
        if not isinstance(at(body, "content"), list) or at(body, "error"):
            return None
        blocks = objects_at(body, "content")
        ended = text_at(body, "stop_reason") or "no reason"
        return Completion(
            content="".join(text_at(b, "text") or "" for b in blocks if b.get("type") == "text"),
            ended=ended,
            billing=_billing(at(body, "usage"), config),
            refused=ended == "refusal",
        )

    def refusal(self, response: VendorResponse) -> Reply | None:
        """Return the reply for every status but 200; None for 200."""
        if response.status == HTTPStatus.OK:
            return None
        verdict = _REFUSALS.get(response.status)
        if verdict is None:
            return unusable(Verdict.VENDOR_ERROR, response, undocumented_billing(response))
        if verdict is Verdict.BAD_INPUT and "credit balance" in message_of(response).lower():
            verdict = Verdict.OUT_OF_CREDITS
        return unusable(verdict, response, Unbilled())


def _params(prompt: Prompt, config: LlmConfig) -> dict[str, Json]:
    return {
        "model": config.model,
        "max_tokens": config.max_output_tokens,
        "system": prompt.system,
        "messages": [{"role": "user", "content": prompt.user}],
        "output_config": {"format": {"type": "json_schema", "schema": dict(prompt.schema)}},
    }


async def _get(http: VendorHttp, path: str, **params: str) -> VendorResponse:
    return await http.request(
        "GET",
        f"{http.base_url}/messages/batches{path}",
        params=params or None,
        headers={"x-api-key": http.key, "anthropic-version": VERSION},
        max_bytes=MOST_BYTES,
    )


def _by_name(lines: VendorResponse, names: Sequence[str]) -> dict[str, Result] | None:
    """Return the results of these names, out of a batch's lines in whatever order.

    None where they did not come whole: they can be had again.
    """
    read = read_lines(lines.body)
    if read is None:
        return None
    wanted = {short_name(name): name for name in names}
    found: dict[str, Result] = {}
    for told in read:
        name = wanted.get(text_at(told, "custom_id") or "")
        if name is not None:
            found[name] = Result(_told(at(told, "result"), lines))
    return found


def _told(result: Json, lines: VendorResponse) -> VendorResponse | Reply:
    """Return one result as the vendor would have answered at once, or what became of it instead."""
    kind = text_at(result, "type")
    message = at(result, "message")
    if kind == "succeeded" and isinstance(message, Mapping):
        return VendorResponse(HTTPStatus.OK, {}, json.dumps(message).encode(), lines.url)
    if kind in ("canceled", "expired"):
        return Reply(Verdict.VENDOR_ERROR, Unbilled(), detail=f"{kind} in the vendor's batch")
    if kind == "errored":
        error = at(result, "error", "error") or at(result, "error")
        verdict = _ERRORED.get(text_at(error, "type") or "", Verdict.VENDOR_ERROR)
        return Reply(verdict, Unbilled(), detail=(text_at(error, "message") or "errored")[:200])
    return Reply(Verdict.VENDOR_ERROR, BillingUnknown("a result that cannot be read"))


_ERRORED: Mapping[str, Verdict] = {"invalid_request_error": Verdict.BAD_INPUT}


def _billing(usage: Json, config: LlmConfig) -> Billing:
    counted = {name: int_at(usage, name) for name in (*_INPUT, "output_tokens")}
    if counted["input_tokens"] is None or counted["output_tokens"] is None:
        return BillingUnknown("the answer states no usage")
    tokens = {name: number or 0 for name, number in counted.items()}  # no cache, no such counter
    if not all(0 <= number <= MOST_TOKENS for number in tokens.values()):
        return BillingUnknown("the answer states an impossible usage")
    hundredths = sum(percent * tokens[name] for name, percent in _INPUT.items())
    return Billed(config.price_micros(-(-hundredths // 100), tokens["output_tokens"]))


_REFUSALS: Mapping[int, Verdict] = {
    400: Verdict.BAD_INPUT,
    401: Verdict.AUTH,
    402: Verdict.OUT_OF_CREDITS,
    403: Verdict.FORBIDDEN_PLAN,
    404: Verdict.FORBIDDEN_PLAN,
    413: Verdict.BAD_INPUT,
    429: Verdict.RATE_LIMITED,
    OVERLOADED: Verdict.RATE_LIMITED,
}

anthropic = LanguageModel(AnthropicWire())
