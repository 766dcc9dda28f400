"""Yellowbook, an invented directory: phone and city of a company, by its domain, for a cent."""

from collections.abc import Sequence

from glaze.model.provider import (
    Ask,
    Billed,
    Limit,
    Operation,
    ProviderSpec,
    Reply,
    Unbilled,
    VendorHttp,
    Verdict,
)
from glaze.model.room import RoomHeaders
from glaze.model.vendor_body import (
    Readings,
    field_sets,
    gives,
    identified_by,
    malformed,
    not_asked,
    parse_json,
    text_at,
    unusable,
)

COMPANY = Operation(
    name="company",
    needs=field_sets("company_domain"),
    gives=gives(company_phone=85, company_city=80),
    price_micros=10_000,
)
SPEC = ProviderSpec(
    name="yellowbook",
    operations=(COMPANY,),
    base_url="https://api.yellowbook.example/v1",
    key_setting="yellowbook_api_key",
    limits=(Limit(50, 60),),
    room_headers=(RoomHeaders("x-calls-left", 60, "x-calls-reset"),),
)
OK = 200
REFUSALS = {
    401: Verdict.AUTH,
    402: Verdict.OUT_OF_CREDITS,
    404: Verdict.NO_MATCH,
    429: Verdict.RATE_LIMITED,
}
"""What this vendor's status codes mean; none of them is charged."""


class Yellowbook:
    """Looks companies up."""

    spec = SPEC

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer each ask with one request."""
        return [await self._one(self.spec.operation(operation), ask, http) for ask in asks]

    async def _one(self, operation: Operation, ask: Ask, http: VendorHttp) -> Reply:
        question = identified_by(ask, operation.needs)
        if not question:
            return not_asked("no domain is known")
        response = await http.request(
            "GET",
            f"{http.base_url}/companies/{question['company_domain']}",
            headers={"Authorization": f"Bearer {http.key}"},
        )
        if response.status != OK:
            verdict = REFUSALS.get(response.status, Verdict.VENDOR_ERROR)
            return unusable(verdict, response, Unbilled())
        record = parse_json(response.body)
        readings = Readings(operation.gives)
        readings.add("company_phone", text_at(record, "phone"))
        readings.add("company_city", text_at(record, "address", "city"))
        if not readings.found:
            return malformed(response)
        price = Billed(operation.price_micros)
        return Reply(Verdict.MATCH, price, readings.found, response.body, notes=readings.notes)


yellowbook = Yellowbook()
