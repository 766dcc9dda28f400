"""Bright Data: LinkedIn profiles and company pages, collected on demand; every answer comes later."""

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus

from glaze.model.provider import (
    Ask,
    Billed,
    BillingUnknown,
    Limit,
    Operation,
    ProviderSpec,
    Reply,
    Unbilled,
    VendorHttp,
    VendorResponse,
    Verdict,
)
from glaze.model.value import FieldName, Json, Micros
from glaze.model.vendor_body import (
    Readings,
    country_of,
    field_sets,
    gives,
    identified_by,
    malformed,
    not_asked,
    parse_json,
    promised,
    text_at,
    undocumented_billing,
    unusable,
)

RECORD_PRICE = Micros(2_000)
"""What one record is taken to cost, $0.002: a constant of the vendor's SDK (unconfirmed)."""
_FIRST_POLL_S = 10.0
"""The vendor names no time; its synchronous endpoint gives up after a minute."""
_PEOPLE, _COMPANIES = "gd_l1viktl72bvl7bjuj0", "gd_l1vikfnt1wgvvqz95w"
_HANDLE = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)

# Canonical field -> the key in the record, and how sure it is there (0 to 100). Since November 2025
# public pages hide position, experience and education: what there is of them is an old copy.
_PROFILE_FIELDS: Mapping[str, tuple[tuple[str, ...], int]] = {
    "person_full_name": (("name",), 90),
    "person_city": (("city",), 75),
    "person_country": (("country_code",), 85),
    "person_summary": (("about",), 85),
    "person_company_name": (("current_company", "name"), 65),
}
_PAGE_FIELDS: Mapping[str, tuple[tuple[str, ...], int]] = {
    "company_name": (("name",), 90),
    "company_website": (("website",), 85),
    "company_domain": (("website",), 85),
    "company_description": (("about",), 85),
    "company_industry": (("industries",), 85),
    "company_size": (("company_size",), 85),
    "company_founded_year": (("founded",), 80),
    "company_country": (("country_code",), 80),
}


def _given(
    fields: Mapping[str, tuple[tuple[str, ...], int]], **more: int
) -> Mapping[FieldName, int]:
    return gives(**{field: sure for field, (_, sure) in fields.items()}, **more)


_PROFILE = Operation(
    name="profile",
    needs=field_sets("person_linkedin_url"),
    gives=_given(_PROFILE_FIELDS, person_linkedin_url=90),
    price_micros=RECORD_PRICE,
    collect_s=1800.0,
)
_COMPANY = Operation(
    name="company",
    needs=field_sets("company_linkedin_url"),
    gives=_given(_PAGE_FIELDS, company_linkedin_url=90),
    price_micros=RECORD_PRICE,
    collect_s=1800.0,
)
SPEC = ProviderSpec(
    name="brightdata",
    operations=(_PROFILE, _COMPANY),
    base_url="https://api.brightdata.com/datasets/v3",
    key_setting="brightdata_api_key",
    limits=(Limit(10, 1), Limit(100, 60)),  # unconfirmed: the vendor states none
    opt_in=True,
    family="linkedin",
    notice=(
        "Bright Data sells data scraped from LinkedIn, whose terms forbid scraping and who has "
        "taken vendors to court over it. Check that you may use such data before you allow it."
    ),
)


class BrightData:
    """Speaks to ``api.brightdata.com``.

    Vendor facts (its documentation and SDK): a trigger answers with a snapshot's id; its progress is
    ``collecting``, ``digesting``, ``ready`` or ``failed``; a record is charged where it succeeds.
    Unconfirmed: the shape of a company's record, of errors, and every status but 200.
    """

    def __init__(self, spec: ProviderSpec = SPEC) -> None:
        """``spec`` may carry the user's own price and limits; bills are stated by its price."""
        self.spec = spec

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Have one page collected for each ask."""
        return [await self._trigger(operation, ask, http) for ask in asks]

    async def collect(self, operation: str, handle: str, ask: Ask, http: VendorHttp) -> Reply:
        """Fetch the snapshot ``handle`` once it is ready."""
        if not _HANDLE.fullmatch(handle):
            return Reply(Verdict.VENDOR_ERROR, BillingUnknown("no id of a snapshot"))
        progress = await _get(http, f"progress/{handle}")
        status = text_at(parse_json(progress.body), "status")
        if progress.status == HTTPStatus.OK and status == "failed":
            return unusable(Verdict.VENDOR_ERROR, progress)
        if progress.status != HTTPStatus.OK or status != "ready":
            return _not_yet(progress, handle)
        snapshot = await _get(http, f"snapshot/{handle}", format="json")
        records = parse_json(snapshot.body)
        if snapshot.status != HTTPStatus.OK or not isinstance(records, list):
            return _not_yet(snapshot, handle)
        return _record(self.spec.operation(operation), ask, records, snapshot)

    def announced(self, headers: Mapping[str, str], body: bytes, key: str) -> str | None:
        """Return the snapshot that a notice speaks of; the vendor shows the secret it was given."""
        shown = headers.get("authorization", "").encode()
        if not key or not hmac.compare_digest(shown, _shared(key).encode()):
            return None
        return text_at(parse_json(body), "snapshot_id")

    async def _trigger(self, operation: str, ask: Ask, http: VendorHttp) -> Reply:
        url = next(iter(identified_by(ask, self.spec.operation(operation).needs).values()), None)
        if url is None:
            return not_asked("no LinkedIn address is known")
        dataset = _PEOPLE if operation == _PROFILE.name else _COMPANIES
        params = {"dataset_id": dataset, "format": "json", "include_errors": "true"}
        if http.callback_url:
            params |= {"notify": http.callback_url, "auth_header": _shared(http.key)}
        response = await http.request(
            "POST",
            f"{http.base_url}/trigger",
            params=params,
            headers=_headers(http),
            json=[{"url": url}],
        )
        if response.status != HTTPStatus.OK:
            return _refusal(response)
        handle = text_at(parse_json(response.body), "snapshot_id") or ""
        if not _HANDLE.fullmatch(handle):
            return malformed(response)
        return replace(promised(handle, response), retry_after_s=_FIRST_POLL_S, detail="")


def _shared(key: str) -> str:
    """Return the secret that the vendor sends back with a notice, made of the key they share."""
    return f"Bearer {hmac.digest(key.encode(), b'notice', 'sha256').hex()}"


def _headers(http: VendorHttp) -> dict[str, str]:
    return {"Authorization": f"Bearer {http.key}"}


async def _get(http: VendorHttp, path: str, **params: str) -> VendorResponse:
    url = f"{http.base_url}/{path}"
    return await http.request("GET", url, params=params, headers=_headers(http))


def _record(
    operation: Operation, ask: Ask, records: Sequence[Json], response: VendorResponse
) -> Reply:
    """Read the one record of a snapshot; none, or one with an error, is a miss and free."""
    record = records[0] if records else None
    if record is None or (isinstance(record, Mapping) and text_at(record, "error")):
        return Reply(Verdict.NO_MATCH, Unbilled(), raw=response.body)
    person = operation.name == _PROFILE.name
    url = next(iter(identified_by(ask, operation.needs).values()), None)
    readings = Readings(
        operation.gives, url=url, country=country_of(text_at(record, "country_code"))
    )
    for field, (path, _) in (_PROFILE_FIELDS if person else _PAGE_FIELDS).items():
        readings.add(field, text_at(record, *path, numbers=True))
    if not readings.found:
        return malformed(response)
    readings.add(next(iter(operation.needs[0])), url)
    price = operation.price_micros
    return Reply(
        Verdict.MATCH,
        Billed(price) if price else Unbilled(),
        readings=readings.found,
        raw=json.dumps(record).encode(),
        notes=readings.notes,
    )


def _not_yet(response: VendorResponse, handle: str) -> Reply:
    """Return the reply for a poll without an answer: whatever stands in the way may pass."""
    refused = _refusal(response)
    if refused.verdict in (Verdict.RATE_LIMITED, Verdict.AUTH, Verdict.OUT_OF_CREDITS):
        return refused
    return replace(refused, verdict=Verdict.PENDING, handle=handle)


_REFUSALS: Mapping[int, Verdict] = {
    400: Verdict.BAD_INPUT,
    401: Verdict.AUTH,
    402: Verdict.OUT_OF_CREDITS,
    403: Verdict.FORBIDDEN_PLAN,
    422: Verdict.BAD_INPUT,
    429: Verdict.RATE_LIMITED,
}


def _refusal(response: VendorResponse) -> Reply:
    """Return the reply for every status but 200; none of them is documented."""
    if response.status in _REFUSALS:
        return unusable(_REFUSALS[response.status], response)
    return unusable(Verdict.VENDOR_ERROR, response, undocumented_billing(response))


brightdata = BrightData()
