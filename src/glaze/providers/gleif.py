"""GLEIF: the register of legal entity identifiers. Free, keyless."""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus

from glaze.model.country import subdivision_name
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
from glaze.model.register import is_lei
from glaze.model.same_company import Entry, Found, Sought, same_company
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
    text_at,
    texts_at,
    unusable,
)

SURE = 95  # a register that checks against the national one
_MOST = 50  # entries of one answer; a name shared by more says too little
_LEI = FieldName("company_lei")
_PAGE = "https://search.gleif.org/#/record/"
_NO_COMPANY = frozenset({"FUND", "BRANCH"})

_ENTITY = Operation(
    name="entity",
    needs=field_sets(
        "company_lei", "company_country company_legal_name", "company_country company_name"
    ),
    gives=gives(
        company_lei=SURE,
        company_legal_name=SURE,
        company_registration_number=90,
        company_registry_ids=90,
        company_status=90,
        company_founded_date=85,
        company_founded_year=85,
        company_street=85,
        company_city=90,
        company_region=85,
        company_postal_code=85,
        company_country=SURE,
    ),
    timeout_s=15.0,
    resend=Resend.SAFE,
)
SPEC = ProviderSpec(
    name="gleif",
    operations=(_ENTITY,),
    base_url="https://api.gleif.org/api/v1",
    limits=(Limit(60, 60),),  # unconfirmed: often quoted, nowhere published
    concurrency=5,
    patient=False,
)


class Gleif:
    """Speaks to ``api.gleif.org`` (JSON:API).

    Vendor facts: an unknown identifier is 404, a search without hits an empty list; 429 with
    ``Retry-After`` (unconfirmed). ``status`` of the entity is the company's, that of the
    registration only tells whether the entry is renewed.
    """

    def __init__(self, spec: ProviderSpec = SPEC) -> None:
        """``spec`` may carry the user's own limits."""
        self.spec = spec

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer each ask by one search."""
        needs = self.spec.operation(operation).needs
        return [await _one(identified_by(ask, needs), http) for ask in asks]


async def _one(question: Mapping[FieldName, str], http: VendorHttp) -> Reply:
    if not question:
        return not_asked("neither an identifier nor a name with its country is known")
    lei = question.get(_LEI)
    response = await http.request(
        "GET",
        f"{http.base_url}/lei-records{f'/{lei}' if lei else ''}",
        params=None if lei else _search(Sought.of(question)),
        headers={"Accept": "application/vnd.api+json"},
    )
    if response.status != HTTPStatus.OK:
        return unusable(_HABITS.get(response.status, Verdict.VENDOR_ERROR), response)
    body = parse_json(response.body)
    data = at(body, "data")
    if not isinstance(data, Mapping if lei else list):
        return unusable(Verdict.VENDOR_ERROR, response)
    if lei:
        return _reply(response, _read(data, minus=0) if text_at(data, "id") == lei else None)
    found = same_company(Sought.of(question), _entries(body))
    if not isinstance(found, Found):
        return Reply(Verdict.NO_MATCH, Unbilled(), raw=response.body, detail=found)
    return _reply(response, _read(found.record, minus=found.basis), str(found.basis))


def _search(sought: Sought) -> Mapping[str, str]:
    return {
        "filter[entity.legalName]": sought.name or "",
        "filter[entity.legalAddress.country]": sought.country or "",
        "page[size]": str(_MOST),
    }


def _entries(body: Json) -> Iterator[Entry[Json]]:
    for record in objects_at(body, "data"):
        entity = at(record, "attributes", "entity")
        if text_at(entity, "category") in _NO_COMPANY:
            continue
        others = (text_at(one, "name") for one in objects_at(entity, "otherNames"))
        names = (text_at(entity, "legalName", "name"), *others)
        country = text_at(entity, "legalAddress", "country")
        yield Entry(record, tuple(filter(None, names)), country)


def _reply(response: VendorResponse, readings: Readings | None, detail: str = "") -> Reply:
    if readings is None or not readings.found:
        return unusable(Verdict.VENDOR_ERROR, response)
    return Reply(
        Verdict.MATCH,
        Unbilled(),
        readings=readings.found,
        raw=response.body,
        detail=detail,
        notes=readings.notes,
    )


def _read(record: Json, *, minus: int) -> Readings:
    lei = text_at(record, "id") or ""
    entity = at(record, "attributes", "entity")
    readings = Readings(_ENTITY.gives, url=f"{_PAGE}{lei}" if is_lei(lei) else None, minus=minus)
    readings.add("company_lei", lei)
    readings.add("company_legal_name", text_at(entity, "legalName", "name"))
    registered_as = text_at(entity, "registeredAs")
    readings.add("company_registration_number", registered_as)
    readings.add("company_registry_ids", {"lei": lei} if is_lei(lei) else None)
    status = text_at(entity, "status")
    readings.add("company_status", status if status in ("ACTIVE", "INACTIVE") else None)
    created = text_at(entity, "creationDate")
    readings.add("company_founded_date", created)
    readings.add("company_founded_year", created[:4] if created else None)
    seat = at(entity, "headquartersAddress") or at(entity, "legalAddress")
    readings.add("company_street", next(iter(texts_at(seat, "addressLines")), None))
    readings.add("company_city", text_at(seat, "city"))
    readings.add("company_region", subdivision_name(text_at(seat, "region") or ""))
    readings.add("company_postal_code", text_at(seat, "postalCode", numbers=True))
    readings.add("company_country", text_at(seat, "country"))
    return readings


_HABITS: Mapping[int, Verdict] = {
    400: Verdict.BAD_INPUT,
    404: Verdict.NO_MATCH,
    429: Verdict.RATE_LIMITED,
}

gleif = Gleif()
