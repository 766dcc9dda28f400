"""SEC EDGAR: companies that file with the US Securities and Exchange Commission. Free, keyless."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from glaze.model.country import subdivision_name
from glaze.model.names import company_key
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
from glaze.model.same_company import Entry, Found, Sought, same_company
from glaze.model.value import FieldName, Json
from glaze.model.vendor_body import (
    Readings,
    at,
    country_of,
    field_sets,
    gives,
    identified_by,
    int_at,
    not_asked,
    objects_at,
    parse_json,
    text_at,
    texts_at,
    unusable,
)

SURE = 95  # what the company swore to
_TICKERS = "https://www.sec.gov/files/company_tickers_exchange.json"
_MOST = 3  # filers of one name that are looked at
_BLOCKED_S = 600.0
"""Who went over the limit is let in again after ten quiet minutes."""
_STATE_MARK = re.compile(r"\s*/[A-Z]{2,3}/?\s*$")  # "BANK OF AMERICA CORP /DE/"

_COMPANY = Operation(
    name="company",
    needs=field_sets(
        "company_country company_domain company_name",
        "company_country company_legal_name",
        "company_country company_name",
        "company_domain company_name",
    ),
    gives=gives(
        company_legal_name=SURE,
        company_registry_ids=SURE,
        company_sic=90,
        company_industry=70,
        company_ticker=SURE,
        company_exchange=SURE,
        company_website=80,
        company_phone=80,
        company_street=85,
        company_city=85,
        company_region=85,
        company_postal_code=85,
        company_country=85,
    ),
    timeout_s=30.0,
    resend=Resend.SAFE,
)
SPEC = ProviderSpec(
    name="sec_edgar",
    operations=(_COMPANY,),
    base_url="https://data.sec.gov",
    key_setting="contact",
    limits=(Limit(120, 60),),  # 10 requests a second in all; an ask takes two or three
    concurrency=2,
    patient=False,
)


@dataclass
class _Filers:
    """The list of filers as it was last read, and by what to ask whether it changed."""

    by_name: dict[str, list[int]] = field(default_factory=dict)
    validators: dict[str, str] = field(default_factory=dict)


class SecEdgar:
    """Finds a filer in the list of tickers, then reads its submissions.

    Vendor facts: a User-Agent with a name and an address is required, else 403; 10 requests a
    second, over it 403 or 429 until ten minutes were quiet; 404 is no such filer. That the list
    comes with an ETag is unconfirmed: without one it is read once by a process.
    """

    def __init__(self, spec: ProviderSpec = SPEC) -> None:
        """``spec`` may carry the user's own limits."""
        self.spec = spec
        self._filers = _Filers()

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer each ask from the list and from the filers of that name."""
        needs = self.spec.operation(operation).needs
        return [await self._one(identified_by(ask, needs), http) for ask in asks]

    async def _one(self, question: Mapping[FieldName, str], http: VendorHttp) -> Reply:
        if not question:
            return not_asked("no name is known with its country or domain")
        refused = await self._refresh(http)
        if refused is not None:
            return refused
        sought = Sought.of(question)
        ciks = self._filers.by_name.get(company_key(sought.name or ""), [])
        entries = []
        for cik in ciks[:_MOST]:
            response = await _get(http, f"{http.base_url}/submissions/CIK{cik:010d}.json")
            record = parse_json(response.body)
            if response.status == HTTPStatus.OK and int_at(record, "cik") == cik:
                entries.append(_entry(record))
            elif response.status != HTTPStatus.NOT_FOUND:
                return _refusal(response)
        found = same_company(sought, entries) if ciks else "no filer has this name"
        if not isinstance(found, Found):
            return Reply(Verdict.NO_MATCH, Unbilled(), detail=found)
        return _reply(found)

    async def _refresh(self, http: VendorHttp) -> Reply | None:
        """Read the list where it is new or has changed; return the reply where that failed."""
        known = self._filers
        if known.by_name and not known.validators:
            return None
        response = await _get(http, _TICKERS, known.validators)
        if response.status == HTTPStatus.NOT_MODIFIED and known.by_name:
            return None
        by_name = _by_name(response) if response.status == HTTPStatus.OK else {}
        if not by_name:
            refused = _refusal(response)
            gone = refused.verdict is Verdict.NO_MATCH  # the list's absence is no filer's
            return replace(refused, verdict=Verdict.VENDOR_ERROR) if gone else refused
        known.by_name = by_name
        known.validators = {
            asks: response.headers[says]
            for says, asks in (("etag", "If-None-Match"), ("last-modified", "If-Modified-Since"))
            if says in response.headers
        }
        return None


async def _get(http: VendorHttp, url: str, more: Mapping[str, str] | None = None) -> VendorResponse:
    return await http.request("GET", url, headers={"User-Agent": http.key, **(more or {})})


def _by_name(response: VendorResponse) -> dict[str, list[int]]:
    body = parse_json(response.body)
    columns = texts_at(body, "fields")
    if not {"cik", "name"} <= set(columns):
        return {}
    cik_at, name_at = columns.index("cik"), columns.index("name")
    found: defaultdict[str, list[int]] = defaultdict(list)
    rows = at(body, "data")
    for row in rows if isinstance(rows, list) else []:
        cik, name = int_at(row, cik_at), _name(text_at(row, name_at))
        if cik is not None and name and cik not in found[company_key(name)]:
            found[company_key(name)].append(cik)
    return dict(found)


def _name(text: str | None) -> str:
    return _STATE_MARK.sub("", text or "")


def _entry(record: Json) -> Entry[Json]:
    names = [
        text_at(record, "name"),
        *(text_at(o, "name") for o in objects_at(record, "formerNames")),
    ]
    site = text_at(record, "website")
    country = _seat(record)[1]
    shown = tuple(filter(None, map(_name, names)))
    return Entry(record, shown, country, (site,) if site else ())


def _seat(record: Json) -> tuple[str | None, str | None]:
    """Return (region, ISO country): a state of the US by its letters, else what is written out."""
    address = at(record, "addresses", "business")
    state = subdivision_name(f"US-{text_at(address, 'stateOrCountry') or ''}")
    if state:
        return state, "US"
    written = (text_at(address, "stateOrCountryDescription") or "").split(",")
    region = written[0].strip() if len(written) > 1 else None
    return region, country_of(written[-1].strip())


def _reply(found: Found[Json]) -> Reply:
    record = found.record
    readings = _read(record, minus=found.basis)
    kept = (
        {key: value for key, value in record.items() if key != "filings"}
        if isinstance(record, Mapping)
        else {}
    )
    return Reply(
        Verdict.MATCH,
        Unbilled(),
        readings=readings.found,
        raw=json.dumps(kept).encode(),
        detail=str(found.basis),
        notes=readings.notes,
    )


def _read(record: Json, *, minus: int) -> Readings:
    cik = int_at(record, "cik") or 0
    region, country = _seat(record)
    page = f"https://www.sec.gov/cgi-bin/browse-edgar?action=getcompany&CIK={cik:010d}"
    readings = Readings(_COMPANY.gives, url=page, country=country, minus=minus)
    readings.add("company_legal_name", _name(text_at(record, "name")))
    ein = (text_at(record, "ein") or "").strip("0")
    numbers = {"cik": str(cik), "ein": text_at(record, "ein") if ein else None}
    readings.add("company_registry_ids", {key: text for key, text in numbers.items() if text})
    readings.add("company_sic", [code] if (code := text_at(record, "sic")) else None)
    readings.add("company_industry", text_at(record, "sicDescription"))
    readings.add("company_ticker", next(iter(texts_at(record, "tickers")), None))
    readings.add("company_exchange", next(iter(texts_at(record, "exchanges")), None))
    readings.add("company_website", text_at(record, "website"))
    readings.add("company_phone", text_at(record, "phone"))
    address = at(record, "addresses", "business")
    readings.add("company_street", text_at(address, "street1"))
    readings.add("company_city", text_at(address, "city"))
    readings.add("company_region", region)
    readings.add("company_postal_code", text_at(address, "zipCode"))
    readings.add("company_country", country)
    return readings


def _refusal(response: VendorResponse) -> Reply:
    verdict = _HABITS.get(response.status, Verdict.VENDOR_ERROR)
    if verdict is Verdict.AUTH and b"threshold" in response.body.lower():
        verdict = Verdict.RATE_LIMITED
    reply = unusable(verdict, response)
    if verdict is Verdict.RATE_LIMITED and reply.retry_after_s is None:
        return Reply(
            verdict, Unbilled(), raw=reply.raw, retry_after_s=_BLOCKED_S, detail=reply.detail
        )
    return reply


_HABITS: Mapping[int, Verdict] = {
    403: Verdict.AUTH,
    404: Verdict.NO_MATCH,
    429: Verdict.RATE_LIMITED,
}

sec_edgar = SecEdgar()
