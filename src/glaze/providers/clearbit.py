"""Clearbit, for keys issued before 2024: people, companies and both; answers may come later."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from glaze.model.clearbit_record import (
    COMPANY_GIVES,
    PERSON_GIVES,
    country_of_record,
    read_company,
    read_person,
)
from glaze.model.provider import (
    Ask,
    Billed,
    Limit,
    Operation,
    ProviderSpec,
    Reply,
    Unbilled,
    VendorHttp,
    VendorResponse,
    Verdict,
)
from glaze.model.room import RoomHeaders
from glaze.model.value import Micros
from glaze.model.vendor_body import (
    Readings,
    at,
    field_sets,
    gives,
    identified_by,
    int_at,
    malformed,
    not_asked,
    parse_json,
    promised,
    text_at,
    undocumented_billing,
    unusable,
)

LOOKUP = Micros(100_000)
"""What one record is taken to cost, $0.10 (unconfirmed: old contracts differ)."""
API_VERSION = "2019-12-19"
_COLLECT_S = 3600.0
_LONGEST_WAIT_S = 600.0

_PERSON = Operation(
    name="person",
    needs=field_sets("person_email"),
    gives=gives(**PERSON_GIVES),
    price_micros=LOOKUP,
    collect_s=_COLLECT_S,
)
_COMPANY = Operation(
    name="company",
    needs=field_sets("company_domain"),
    gives=gives(**COMPANY_GIVES),
    price_micros=LOOKUP,
    collect_s=_COLLECT_S,
)
_COMBINED = Operation(
    name="combined",
    needs=field_sets("person_email"),
    gives=gives(**PERSON_GIVES, **COMPANY_GIVES),
    price_micros=Micros(2 * LOOKUP),
    collect_s=_COLLECT_S,
    includes=frozenset({_PERSON.name, _COMPANY.name}),
)
SPEC = ProviderSpec(
    name="clearbit",
    operations=(_PERSON, _COMPANY, _COMBINED),
    base_url="https://person.clearbit.com",
    key_setting="clearbit_api_key",
    limits=(Limit(600, 60),),
    room_headers=(RoomHeaders("x-ratelimit-remaining", 60, "x-ratelimit-reset"),),
    credit_micros=LOOKUP,
)


class Clearbit:
    """Speaks to ``person.clearbit.com`` and ``company.clearbit.com``.

    Vendor facts (its client libraries, its help centre): 202 means that it looks, and the same
    request some time later has the record; a webhook may tell, signed by HMAC-SHA1 with the key
    less its ``sk_`` or ``pk_``; a miss is 404; 600 requests a minute, whose end
    ``x-ratelimit-reset`` names. Unconfirmed: that a miss is free, that a record is charged once
    whether it came at once, by webhook or by asking again, and the shapes of 402 and 422.
    """

    def __init__(self, spec: ProviderSpec = SPEC) -> None:
        """``spec`` may carry the user's own price and limits; bills are stated by its price."""
        self.spec = spec

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer each ask by one request."""
        return [await self._find(operation, ask, http) for ask in asks]

    async def collect(self, operation: str, handle: str, ask: Ask, http: VendorHttp) -> Reply:
        """Ask once more for what was looked for meanwhile; ``handle`` is the webhook's id."""
        reply = await self._find(operation, ask, http)
        if reply.verdict in (Verdict.VENDOR_ERROR, Verdict.PENDING):
            return replace(reply, verdict=Verdict.PENDING, handle=handle)
        return reply

    def announced(self, headers: Mapping[str, str], body: bytes, key: str) -> str | None:
        """Return the id of a webhook that is signed with our key."""
        secret = key.removeprefix("sk_").removeprefix("pk_").encode()
        signed = f"sha1={hmac.new(secret, body, hashlib.sha1).hexdigest()}"
        given = headers.get("x-request-signature", "")
        if not secret or not hmac.compare_digest(given.encode(), signed.encode()):
            return None
        return text_at(parse_json(body), "id")

    async def _find(self, operation: str, ask: Ask, http: VendorHttp) -> Reply:
        declared = self.spec.operation(operation)
        question = identified_by(ask, declared.needs)
        if not question:
            return not_asked("no identifier that Clearbit can look up")
        (identifier,) = question.values()
        about_company = operation == _COMPANY.name
        params = {"domain" if about_company else "email": identifier}
        if http.callback_url:
            params |= {"webhook_id": http.token, "webhook_url": http.callback_url}
        response = await http.request(
            "GET",
            f"{_base(http.base_url, about_company=about_company)}{_PATHS[operation]}",
            params=params,
            headers={"Authorization": f"Bearer {http.key}", "API-Version": API_VERSION},
        )
        if response.status == HTTPStatus.ACCEPTED:
            return promised(http.token, response)
        return _refusal(response) or _record(declared, response)


_PATHS: Mapping[str, str] = {
    _PERSON.name: "/v2/people/find",
    _COMPANY.name: "/v2/companies/find",
    _COMBINED.name: "/v2/combined/find",
}


def _base(base_url: str, *, about_company: bool) -> str:
    """Return the host that answers; companies have one of their own."""
    return base_url.replace("//person.", "//company.", 1) if about_company else base_url


def _record(operation: Operation, response: VendorResponse) -> Reply:
    data = parse_json(response.body)
    both = operation.name == _COMBINED.name
    person = at(data, "person") if both else data
    company = at(data, "company") if both else data
    readings = Readings(operation.gives, country=country_of_record(company))
    if operation.name != _COMPANY.name:
        read_person(person, readings)
    if operation.name != _PERSON.name:
        read_company(company, readings)
    if not readings.found:
        return malformed(response)
    price = operation.price_micros
    billing = Billed(price) if price else Unbilled()
    return Reply(Verdict.MATCH, billing, readings.found, response.body, notes=readings.notes)


_REFUSALS: Mapping[int, Verdict] = {
    400: Verdict.BAD_INPUT,
    401: Verdict.AUTH,
    402: Verdict.OUT_OF_CREDITS,
    403: Verdict.FORBIDDEN_PLAN,
    404: Verdict.NO_MATCH,
    422: Verdict.BAD_INPUT,
    429: Verdict.RATE_LIMITED,
}


def _refusal(response: VendorResponse) -> Reply | None:
    """Return the reply for every status but 200, by Clearbit's habits; None for 200."""
    if response.status == HTTPStatus.OK:
        return None
    kind = text_at(parse_json(response.body), "error", "type")
    if response.status == HTTPStatus.NOT_FOUND and kind == "unknown_route":
        return unusable(Verdict.VENDOR_ERROR, response)  # the base URL is wrong
    if response.status not in _REFUSALS:
        return unusable(Verdict.VENDOR_ERROR, response, undocumented_billing(response))
    refused = unusable(_REFUSALS[response.status], response)
    if refused.verdict is Verdict.RATE_LIMITED and refused.retry_after_s is None:
        return replace(refused, retry_after_s=_until_reset_s(response))
    return refused


def _until_reset_s(response: VendorResponse) -> float | None:
    """Return the seconds from the answer's own date to the end of the window it names."""
    reset = int_at(response.headers.get("x-ratelimit-reset"))
    try:
        now = parsedate_to_datetime(response.headers.get("date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return None if reset is None else min(max(reset - now, 1.0), _LONGEST_WAIT_S)


clearbit = Clearbit()
