"""A provider around a language model: prompt, schema and evidence are shared, the wire is not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self, runtime_checkable

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
    Billed,
    BillingUnknown,
    Deferral,
    Limit,
    Operation,
    ProviderSpec,
    Reply,
    Tier,
    Unbilled,
    VendorHttp,
    VendorResponse,
    Verdict,
)
from glaze.model.room import RoomHeaders
from glaze.model.value import FREE, Micros
from glaze.model.vendor_body import malformed, not_asked, promised

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


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one prompt of a vendor's batch: a response as it gives at once, or a reply."""

    told: VendorResponse | Reply


@runtime_checkable
class BatchWire(Protocol):
    """A wire whose vendor takes many prompts at once and answers them later, for less."""

    deferral: Deferral
    only_at_vendor: bool  # whether a server of one's own that speaks the same knows no batches

    async def hand_in(
        self, prompts: Mapping[str, Prompt], config: LlmConfig, http: VendorHttp
    ) -> VendorResponse | Reply:
        """Send prompts, each under the name that it is given back by: one request that is charged.

        A reply says that it did not come to that request.
        """
        ...

    def handle_of(self, response: VendorResponse) -> str | None:
        """Return the handle of a batch that was taken, None where it was not."""
        ...

    async def results(
        self, handle: str | None, names: Sequence[str], http: VendorHttp
    ) -> Mapping[str, Result] | Reply:
        """Return what became of the prompts so named, or the reply that stands for all of them.

        Without a handle the batch is looked for. A name that is not in it has no result.
        """
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
            operations=operations_of(self.config, _deferral(wire, self.config)),
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

    async def defer(self, operation: str, asks: Sequence[Ask], http: VendorHttp) -> Sequence[Reply]:
        """Hand the prompts about the asks' pages in together, to be answered later at less."""
        if not isinstance(self.wire, BatchWire):
            return await self.look_up(operation, asks, http)
        declared, most = self.spec.operation(operation), self.config.max_input_tokens
        prompts = [prompt_of(declared, ask, most) for ask in asks]
        named = {
            name: prompt
            for name, prompt in zip(http.tokens, prompts, strict=True)
            if not isinstance(prompt, str)
        }
        taken = await self._hand_in(self.wire, named, http) if named else not_asked("")
        return [not_asked(one) if isinstance(one, str) else taken for one in prompts]

    async def _hand_in(
        self, wire: BatchWire, named: Mapping[str, Prompt], http: VendorHttp
    ) -> Reply:
        response = await wire.hand_in(named, self.config, http)
        if isinstance(response, Reply):
            return response
        refused = self.wire.refusal(response)
        if refused is not None:
            return refused
        handle = wire.handle_of(response)
        return (
            malformed(response)
            if handle is None
            else replace(promised(handle, response), detail="")
        )

    async def collect_deferred(
        self, operation: str, handle: str | None, asks: Mapping[str, Ask], http: VendorHttp
    ) -> Mapping[str, Reply]:
        """Read each answer of a batch against the page that it was asked about."""
        if not isinstance(self.wire, BatchWire):
            gone = Reply(Verdict.VENDOR_ERROR, BillingUnknown("it cannot be collected any more"))
            return dict.fromkeys(asks, gone)
        results = await self.wire.results(handle, [*asks], http)
        if isinstance(results, Reply):
            return dict.fromkeys(asks, results)
        declared = self.spec.operation(operation)
        return {
            name: self._result(declared, ask, results[name], self.wire.deferral)
            if name in results
            else Reply(Verdict.VENDOR_ERROR, BillingUnknown("the vendor's batch holds no result"))
            for name, ask in asks.items()
        }

    def _result(self, operation: Operation, ask: Ask, result: Result, later: Deferral) -> Reply:
        told = result.told
        if isinstance(told, Reply):
            return told
        prompt = prompt_of(operation, ask, self.config.max_input_tokens)
        completion = self.wire.completion(told, self.config)
        if completion is None or isinstance(prompt, str):
            return malformed(told)
        reply = reply_of(prompt, completion, told.body)
        billing = reply.billing
        if isinstance(billing, Billed):
            billing = Billed(Micros(-(-billing.micros * later.percent // 100)))
        return replace(reply, billing=billing)


def _deferral(wire: Wire, config: LlmConfig) -> Deferral | None:
    """Return how the vendor answers later for less; None where it does not."""
    if not isinstance(wire, BatchWire) or (wire.only_at_vendor and not config.needs_key):
        return None
    return wire.deferral
