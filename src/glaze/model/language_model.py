"""A provider around a language model: prompt, schema and evidence are shared, the wire is not."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, Self

from glaze.model.inference import (
    Completion,
    LlmConfig,
    Prompt,
    is_readable,
    operations_of,
    prompt_of,
    reply_of,
)
from glaze.model.provider import (
    Ask,
    Limit,
    Operation,
    ProviderSpec,
    Reply,
    Tier,
    Unbilled,
    VendorHttp,
    VendorResponse,
)
from glaze.model.room import RoomHeaders
from glaze.model.value import FREE
from glaze.model.vendor_body import malformed, not_asked

MOST_TOKENS = 10_000_000
"""A usage above it is no usage."""


class Wire(Protocol):
    """How one vendor's API is spoken to and what its answers mean."""

    name: str  # of the provider
    default_model: str
    base_url: str
    limits: tuple[Limit, ...]
    room_headers: tuple[RoomHeaders, ...]

    async def send(self, prompt: Prompt, config: LlmConfig, http: VendorHttp) -> VendorResponse:
        """Send the prompt: exactly one request."""
        ...

    def refusal(self, response: VendorResponse) -> Reply | None:
        """Return the reply for an answer that is no completion; None for one that may be."""
        ...

    def completion(self, response: VendorResponse, config: LlmConfig) -> Completion | None:
        """Return the completion and its price; None for a success that cannot be read."""
        ...


class LanguageModel:
    """Infers fields from one page for each question, by one request.

    Where the model costs nothing, an answer without readable rows is asked for once more; a paid
    one is not: what was paid for a badly formed answer stays paid, and it counts as a miss.
    """

    def __init__(
        self, wire: Wire, config: LlmConfig | None = None, spec: ProviderSpec | None = None
    ) -> None:
        """``spec`` may carry the user's own limits; by default it follows from ``config``."""
        self.wire = wire
        self.config = config or LlmConfig(wire.default_model)
        self.spec = spec or ProviderSpec(
            name=wire.name,
            operations=operations_of(self.config),
            base_url=wire.base_url,
            key_setting="llm_api_key" if self.config.needs_key else None,
            limits=wire.limits,
            room_headers=wire.room_headers,
            tier=Tier.INFERENCE,
            family="website",  # it has read the site's own pages
        )

    def with_config(self, config: LlmConfig) -> Self:
        """Return the provider for another model, price or cap."""
        return type(self)(self.wire, config)

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer one ask from the page that is its ``evidence``, cut to the cap."""
        declared = self.spec.operation(operation)
        return [await self._one(declared, ask, http) for ask in asks]

    async def _one(self, operation: Operation, ask: Ask, http: VendorHttp) -> Reply:
        prompt = prompt_of(operation, ask, self.config.max_input_tokens)
        if isinstance(prompt, str):
            return not_asked(prompt)
        if operation.price_micros > FREE:
            return (await self._asked(prompt, http))[0]
        reply, readable = await self._asked(prompt, http)
        if not readable:
            reply, _ = await self._asked(prompt, http)
        return replace(reply, billing=Unbilled())

    async def _asked(self, prompt: Prompt, http: VendorHttp) -> tuple[Reply, bool]:
        """Return the reply, and whether asking the same again could not better it."""
        response = await self.wire.send(prompt, self.config, http)
        refused = self.wire.refusal(response)
        if refused is not None:
            return refused, True
        completion = self.wire.completion(response, self.config)
        if completion is None:
            return malformed(response), False
        return reply_of(prompt, completion, response.body), is_readable(completion)
