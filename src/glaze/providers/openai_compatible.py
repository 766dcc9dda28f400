"""A language model behind an OpenAI-compatible API: OpenAI, vLLM, Ollama, llama.cpp and others."""

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
    text_at,
    undocumented_billing,
    unusable,
)


class OpenAiWire:
    """Speaks ``POST /chat/completions`` with a strict JSON schema.

    Vendor facts: 429 also means an exhausted quota (``insufficient_quota``), as 402 does at others;
    a model that is unknown or not allowed is 404; the bill follows from ``usage``. A server that
    knows no ``max_completion_tokens`` knows ``max_tokens``: both are sent to servers of one's own.
    """

    name = "llm"
    default_model = "gpt-6-luna"
    base_url = "https://api.openai.com/v1"
    limits: tuple[Limit, ...] = (Limit(500, 60),)
    room_headers: tuple[RoomHeaders, ...] = (
        RoomHeaders("x-ratelimit-remaining-requests", 60, "x-ratelimit-reset-requests"),
    )

    async def send(self, prompt: Prompt, config: LlmConfig, http: VendorHttp) -> VendorResponse:
        """Send the prompt: exactly one request."""
        caps = {"max_completion_tokens": config.max_output_tokens}
        if not config.needs_key:
            caps["max_tokens"] = config.max_output_tokens
        return await http.request(
            "POST",
            f"{http.base_url}/chat/completions",
            headers={"Authorization": f"Bearer {http.key}"} if http.key else {},
            json={
                "model": config.model,
                **caps,
                "messages": [
                    {"role": "system", "content": prompt.system},
                    {"role": "user", "content": prompt.user},
                ],
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {
                        "name": "answers",
                        "strict": True,
                        "schema": dict(prompt.schema),
                    },
                },
            },
        )

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
