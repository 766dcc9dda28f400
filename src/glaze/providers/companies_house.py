"""Companies House: the register of the United Kingdom. Free, with a free key."""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus

from glaze.model.provider import (
    Ask,
    Limit,
    Operation,
    ProviderSpec,
    Reply,
    Resend,
    Unbilled,
    VendorHttp,
    VendorResponse,
    Verdict,
)
from glaze.model.same_company import Basis, Entry, Found, Sought, same_company
from glaze.model.value import FieldName, Json
from glaze.model.vendor_body import (
    Readings,
    at,
    field_sets,
    gives,
    identified_by,
    not_asked,
    objects_at,
    parse_json,
    reset_wait_s,
    text_at,
    texts_at,
    unusable,
)

SURE = 95  # the register itself
_HERE = "GB"
_COUNTRY = FieldName("company_country")
_NUMBER = FieldName("company_registration_number")
_MOST = "20"  # hits of a search
_GONE = frozenset({"dissolved", "converted-closed", "removed", "closed"})
_PAGE = "https://find-and-update.company-information.service.gov.uk/company/"

_COMPANY = Operation(
    name="company",
    needs=field_sets(
        "company_country company_registration_number",
        "company_country company_legal_name",
        "company_country company_name",
    ),
    gives=gives(
        company_legal_name=SURE,
        company_registration_number=SURE,
        company_registry_ids=SURE,
        company_status=SURE,
        company_founded_date=SURE,
        company_founded_year=SURE,
        company_type=85,
        company_sic=90,
        company_street=80,
        company_city=80,
        company_region=80,
        company_postal_code=80,
        company_country=90,
    ),
    timeout_s=15.0,
    resend=Resend.SAFE,
)
SPEC = ProviderSpec(
    name="companies_house",
    operations=(_COMPANY,),
    base_url="https://api.company-information.service.gov.uk",
    key_setting="companies_house_api_key",
    limits=(Limit(300, 300),),  # 600 requests in 5 minutes; an ask takes two
    concurrency=5,
    patient=False,
)


class CompaniesHouse:
    """Speaks to ``api.company-information.service.gov.uk``.

    Vendor facts: the key is the user of HTTP Basic (unconfirmed); 600 requests in any 5 minutes,
    then 429, with the end in ``x-ratelimit-reset`` (unconfirmed); 404 is no such company.
    """

    def __init__(self, spec: ProviderSpec = SPEC) -> None:
        """``spec`` may carry the user's own limits."""
        self.spec = spec

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer each ask by a search and the company it found; elsewhere nothing is sent."""
        needs = self.spec.operation(operation).needs
        return [await _one(identified_by(ask, needs), http) for ask in asks]


async def _one(question: Mapping[FieldName, str], http: VendorHttp) -> Reply:
    if not question:
        return not_asked("neither a name nor a number is known, with the country")
    if question[_COUNTRY] != _HERE:
        return not_asked("this register is the United Kingdom's")
    number, basis = question.get(_NUMBER), Basis.DOMAIN
    if number is None:
        response = await _get(http, "/search/companies", q=_name(question), items_per_page=_MOST)
        hits = at(parse_json(response.body), "items")
        if response.status != HTTPStatus.OK or not isinstance(hits, list):
            return _refusal(response)
        found = _pick(Sought.of(question), [*_entries(response)])
        if not isinstance(found, Found):
            return Reply(Verdict.NO_MATCH, Unbilled(), raw=response.body, detail=found)
        number, basis = found.record, found.basis
    response = await _get(http, f"/company/{number}")
    record = parse_json(response.body)
    if response.status != HTTPStatus.OK or text_at(record, "company_number") != number:
        return _refusal(response)
    readings = _read(record, number, minus=basis)
    return Reply(
        Verdict.MATCH,
        Unbilled(),
        readings=readings.found,
        raw=json.dumps(record).encode(),
        detail="" if basis is Basis.DOMAIN else str(basis),
        notes=readings.notes,
    )


async def _get(http: VendorHttp, path: str, **params: str) -> VendorResponse:
    token = b64encode(f"{http.key}:".encode()).decode()
    return await http.request(
        "GET", f"{http.base_url}{path}", params=params, headers={"Authorization": f"Basic {token}"}
    )


def _name(question: Mapping[FieldName, str]) -> str:
    return Sought.of(question).name or ""


def _entries(response: VendorResponse) -> Iterator[tuple[Entry[str], bool]]:
    """Yield each hit with whether the company is gone."""
    for hit in objects_at(parse_json(response.body), "items"):
        number, title = text_at(hit, "company_number"), text_at(hit, "title")
        if number and number.isalnum() and title:
            yield Entry(number, (title,), _HERE), text_at(hit, "company_status") in _GONE


def _pick(sought: Sought, hits: Sequence[tuple[Entry[str], bool]]) -> Found[str] | str:
    """Choose among living companies; a name that only a dissolved one bears is that one's."""
    living = same_company(sought, (entry for entry, gone in hits if not gone))
    if isinstance(living, Found) or any(not gone for entry, gone in hits if _fits(sought, entry)):
        return living
    return same_company(sought, (entry for entry, _ in hits))


def _fits(sought: Sought, entry: Entry[str]) -> bool:
    return isinstance(same_company(sought, [entry]), Found)


def _read(record: Json, number: str, *, minus: int) -> Readings:
    readings = Readings(_COMPANY.gives, url=f"{_PAGE}{number}", country=_HERE, minus=minus)
    readings.add("company_legal_name", text_at(record, "company_name"))
    readings.add("company_registration_number", number)
    readings.add("company_registry_ids", {"companies_house": number})
    readings.add("company_status", text_at(record, "company_status"))
    created = text_at(record, "date_of_creation")
    readings.add("company_founded_date", created)
    readings.add("company_founded_year", created[:4] if created else None)
    readings.add("company_type", _TYPES.get(text_at(record, "type") or ""))
    readings.add("company_sic", texts_at(record, "sic_codes"))
    office = at(record, "registered_office_address")
    street = " ".join(
        filter(None, (text_at(office, "premises"), text_at(office, "address_line_1")))
    )
    readings.add("company_street", street)
    readings.add("company_city", text_at(office, "locality"))
    readings.add("company_region", text_at(office, "region"))
    readings.add("company_postal_code", text_at(office, "postal_code"))
    readings.add("company_country", _HERE)
    return readings


_TYPES: Mapping[str, str] = {
    "ltd": "Private limited company",
    "plc": "Public limited company",
    "llp": "Limited liability partnership",
    "limited-partnership": "Limited partnership",
    "private-unlimited": "Private unlimited company",
    "private-limited-guarant-nsc": "Private company limited by guarantee",
    "charitable-incorporated-organisation": "Charitable incorporated organisation",
    "oversea-company": "Overseas company",
}


def _refusal(response: VendorResponse) -> Reply:
    reply = unusable(_HABITS.get(response.status, Verdict.VENDOR_ERROR), response)
    wait_s = reply.retry_after_s or reset_wait_s(response, "x-ratelimit-reset")
    return replace(reply, retry_after_s=wait_s)


_HABITS: Mapping[int, Verdict] = {
    400: Verdict.BAD_INPUT,
    401: Verdict.AUTH,
    403: Verdict.AUTH,
    404: Verdict.NO_MATCH,
    416: Verdict.BAD_INPUT,
    429: Verdict.RATE_LIMITED,
}

companies_house = CompaniesHouse()
