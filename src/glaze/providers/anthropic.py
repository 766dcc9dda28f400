"""A language model behind Anthropic's Messages API."""

from collections.abc import Mapping
from http import HTTPStatus

from glaze.model.inference import Completion, LlmConfig, Prompt
from glaze.model.language_model import MOST_TOKENS, LanguageModel
from glaze.model.provider import (
    Billed,
    Billing,
    BillingUnknown,
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

    async def send(self, prompt: Prompt, config: LlmConfig, http: VendorHttp) -> VendorResponse:
        """Send the prompt: exactly one request."""
        return await http.request(
            "POST",
            f"{http.base_url}/messages",
            headers={"x-api-key": http.key, "anthropic-version": VERSION},
            json={
                "model": config.model,
                "max_tokens": config.max_output_tokens,
                "system": prompt.system,
                "messages": [{"role": "user", "content": prompt.user}],
                "output_config": {"format": {"type": "json_schema", "schema": dict(prompt.schema)}},
            },
        )

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
