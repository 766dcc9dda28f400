"""Apollo.io: people match, singly or ten in one request, organization enrichment, and searches."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from glaze.model.career import station, stations
from glaze.model.mailbox import as_subject
from glaze.model.names import person_key
from glaze.model.provider import (
    Ask,
    Billed,
    Billing,
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
from glaze.model.room import RoomHeaders
from glaze.model.value import FieldName, Json, Micros
from glaze.model.vendor_body import (
    Readings,
    at,
    country_of,
    field_sets,
    gives,
    identified_by,
    int_at,
    malformed,
    message_of,
    not_asked,
    objects_at,
    parse_json,
    promised,
    text_at,
    texts_at,
    undocumented_billing,
    unusable,
)

CREDIT_PRICE = Micros(100_000)
"""What one credit is taken to cost, $0.10; a credit's real price depends on the plan."""

# Shown where an address exists but was not paid for; not a value, and never a key.
LOCKED_EMAIL = "email_not_unlocked@domain.com"
_MOST_CREDITS = 9  # one record: 1 for the contact and 8 for a mobile number

# Canonical identifier -> Apollo's parameter, the same in the query and in bulk details.
_PARAMETERS: Mapping[str, str] = {
    "person_apollo_id": "id",
    "person_email": "email",
    "person_linkedin_url": "linkedin_url",
    "person_full_name": "name",
    "person_first_name": "first_name",
    "person_last_name": "last_name",
    "company_domain": "domain",
    "company_name": "organization_name",
}
_ORGANIZATION_PARAMETERS: Mapping[str, str] = {
    "company_domain": "domain",
    "company_linkedin_url": "linkedin_url",
    "company_name": "name",
}
_UNSURE_OF_NAME = 20  # off the confidence where a company was found by its name alone


# Canonical field -> Apollo's key in the record, and how sure it is there (0 to 100).
_PERSON_FIELDS: Mapping[str, tuple[str, int]] = {
    "person_apollo_id": ("id", 95),
    "person_full_name": ("name", 90),
    "person_first_name": ("first_name", 90),
    "person_last_name": ("last_name", 90),
    "person_title": ("title", 85),
    "person_headline": ("headline", 80),
    "person_seniority": ("seniority", 85),
    "person_linkedin_url": ("linkedin_url", 90),
    "person_twitter_url": ("twitter_url", 80),
    "person_github_url": ("github_url", 80),
    "person_facebook_url": ("facebook_url", 80),
    "person_photo_url": ("photo_url", 75),
    "person_city": ("city", 80),
    "person_region": ("state", 80),
    "person_country": ("country", 85),
}
_ORGANIZATION_FIELDS: Mapping[str, tuple[str, int]] = {
    "company_name": ("name", 90),
    "company_domain": ("primary_domain", 90),
    "company_website": ("website_url", 90),
    "company_industry": ("industry", 85),
    "company_employee_count": ("estimated_num_employees", 80),
    "company_size": ("estimated_num_employees", 80),
    "company_revenue": ("annual_revenue", 70),
    "company_founded_year": ("founded_year", 80),
    "company_ticker": ("publicly_traded_symbol", 90),
    "company_exchange": ("publicly_traded_exchange", 85),
    "company_street": ("street_address", 80),
    "company_city": ("city", 80),
    "company_region": ("state", 80),
    "company_postal_code": ("postal_code", 80),
    "company_country": ("country", 85),
    "company_linkedin_url": ("linkedin_url", 90),
    "company_twitter_url": ("twitter_url", 85),
    "company_facebook_url": ("facebook_url", 85),
    "company_crunchbase_url": ("crunchbase_url", 85),
    "company_logo_url": ("logo_url", 80),
    "company_funding_total": ("total_funding", 75),
    "company_funding_stage": ("latest_funding_stage", 75),
    "company_funding_last_date": ("latest_funding_round_date", 75),
}

_MATCH = Operation(
    name="people_match",
    needs=field_sets(
        "person_email",
        "person_linkedin_url",
        "person_apollo_id",
        "person_full_name company_domain",
        "person_first_name person_last_name company_domain",
        "person_full_name company_name",
        "person_first_name person_last_name company_name",
    ),
    gives=gives(
        **{field: sure for field, (_, sure) in _PERSON_FIELDS.items()},
        person_email=90,
        person_email_status=85,
        person_department=80,
        person_experience=80,
        person_company_name=85,
        person_company_domain=85,
        person_company_linkedin_url=85,
    ),
    price_micros=CREDIT_PRICE,
    batch_size=10,
)
_ENRICH = Operation(
    name="organization_enrich",
    needs=field_sets("company_domain", "company_linkedin_url", "company_name"),
    gives=gives(
        **{field: sure for field, (_, sure) in _ORGANIZATION_FIELDS.items()},
        company_description=80,
        company_phone=80,
        company_technologies=75,
        company_tags=75,
        company_parent=75,
    ),
    price_micros=CREDIT_PRICE,
    batch_size=10,
)
_PHONE = Operation(
    name="people_phone",
    needs=_MATCH.needs,
    gives=gives(person_phone=85, person_mobile=85),
    price_micros=Micros(_MOST_CREDITS * CREDIT_PRICE),
    flags="reveal_phone_number",
    collect_s=3600.0,
    needs_callback=True,
)
SPEC = ProviderSpec(
    name="apollo",
    operations=(_MATCH, _ENRICH, _PHONE),
    base_url="https://api.apollo.io/api/v1",
    key_setting="apollo_api_key",
    limits=(Limit(100, 60),),
    room_headers=(
        RoomHeaders("x-minute-requests-left", 60),
        RoomHeaders("x-hourly-requests-left", 3_600),
        RoomHeaders("x-24-hour-requests-left", 86_400),
    ),
    credit_micros=CREDIT_PRICE,
)


class Apollo:
    """Speaks to ``api.apollo.io``.

    Vendor facts (its OpenAPI document): a miss is a 200 without a person and costs nothing; a bad
    key is 401 in plain text; a key out of scope is 403; no limit header on 401 and 403. What an
    empty account answers is not documented: 402, or any refusal that speaks of credits, counts.
    Phone numbers come later, to a webhook that nobody signs, and are to be had for 30 days by the
    request's id, for nothing. Unconfirmed: whether the credits it names then hold the match's own.
    """

    def __init__(self, spec: ProviderSpec = SPEC) -> None:
        """``spec`` may carry the user's own price and limits; bills are stated by its price."""
        self.spec = spec

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer up to ten asks of ``people_match`` or of ``organization_enrich``, one for a phone.

        Several go into one bulk request, whose billed credits are shared out over the replies.
        """
        if operation == _PHONE.name:
            return [await self._phone(ask, http) for ask in asks]
        declared = self.spec.operation(operation)
        questions = [identified_by(ask, declared.needs) for ask in asks]
        sent = [question for question in questions if question]
        price = declared.price_micros
        if not sent:
            answers: list[Reply] = []
        elif len(sent) == 1:
            ask_one = _enrich if operation == _ENRICH.name else _match
            answers = [await ask_one(sent[0], http, price)]
        else:
            ask_many = _bulk_enrich if operation == _ENRICH.name else _bulk_match
            answers = await ask_many(sent, http, price)
        unused = iter(answers)
        return [
            next(unused) if question else not_asked("no identifier that Apollo can match by")
            for question in questions
        ]

    async def _phone(self, ask: Ask, http: VendorHttp) -> Reply:
        """Have a number looked for; the person who comes with it is not asked for here."""
        question = identified_by(ask, _PHONE.needs)
        if not question or not http.callback_url:
            return not_asked("no identifier, or no address for Apollo to report to")
        reveal = {"reveal_phone_number": "true", "webhook_url": http.callback_url}
        response = await http.request(
            "POST",
            f"{http.base_url}/people/match",
            params=_parameters(question, _PARAMETERS) | reveal,
            headers=_headers(http),
        )
        body = parse_json(response.body)
        if refused := refusal(response):
            return refused
        if isinstance(at(body, "person"), Mapping) and (handle := _request_id(body)):
            return promised(handle, response)
        return _single(response, "person", _person, self._credit)

    async def collect(self, operation: str, handle: str, ask: Ask, http: VendorHttp) -> Reply:
        """Fetch the numbers that were found under a request's id."""
        del operation, ask
        if not handle.removeprefix("-").isdecimal():
            return Reply(Verdict.VENDOR_ERROR, BillingUnknown("no id of a request"))
        url = f"{http.base_url}/webhook_result/{handle}"
        response = await http.request("GET", url, headers=_headers(http))
        body = parse_json(response.body)
        if response.status == HTTPStatus.OK and isinstance(at(body, "webhook_result"), Mapping):
            return _numbers(body, response, self._credit)
        refused = refusal(response) or malformed(response)
        if refused.verdict in (Verdict.RATE_LIMITED, Verdict.AUTH, Verdict.FORBIDDEN_PLAN):
            return refused
        if text_at(body, "error_code") in _GONE:
            return replace(refused, billing=BillingUnknown("the vendor has no such result"))
        wait_s = int_at(body, "retry_after_seconds")
        return replace(
            refused,
            verdict=Verdict.PENDING,
            handle=handle,
            retry_after_s=None if wait_s is None else float(max(1, min(wait_s, 600))),
        )

    def announced(self, headers: Mapping[str, str], body: bytes, key: str) -> str | None:
        """Return the request that a webhook speaks of; the vendor signs none."""
        del headers, key
        return _request_id(parse_json(body))

    @property
    def _credit(self) -> Micros:
        return self.spec.credit_micros


_GONE = frozenset({"request_id_unknown", "request_id_expired", "invalid_request_id"})


def _request_id(body: Json) -> str | None:
    """Return the request's id, a signed number of 64 bits, as text."""
    return text_at(body, "request_id", numbers=True)


def _numbers(body: Json, response: VendorResponse, credit: Micros) -> Reply:
    """Read what a webhook's result holds: the match itself cost a credit whatever was found."""
    result = at(body, "webhook_result")
    readings = Readings(_PHONE.gives)
    for person in objects_at(result, "people"):
        for number in objects_at(person, "phone_numbers"):
            if (text_at(number, "status_cd") or "").startswith("invalid"):
                continue
            field = "person_mobile" if text_at(number, "type_cd") == "mobile" else "person_phone"
            readings.add(field, text_at(number, "sanitized_number"))
    verdict = Verdict.MATCH if readings.found else Verdict.NO_MATCH
    billing = _numbers_bill(result, credit)
    return Reply(verdict, billing, readings.found, response.body, notes=readings.notes)


def _numbers_bill(result: Json, credit: Micros) -> Billing:
    """Return what the match and its numbers cost, in whole credits: also what was not reserved."""
    stated = at(result, "credits_consumed")
    used = 0 if stated is None else int_at(stated)
    records = max(1, len(objects_at(result, "people")))
    if used is None or not 0 <= used <= _MOST_CREDITS * records:
        return BillingUnknown(f"the vendor states {stated!r:.40} credits for {records} records")
    return Billed(Micros((1 + used) * credit)) if credit else Unbilled()


async def _match(question: Mapping[FieldName, str], http: VendorHttp, price: Micros) -> Reply:
    response = await http.request(
        "POST",
        f"{http.base_url}/people/match",
        params=_parameters(question, _PARAMETERS),
        headers=_headers(http),
    )
    return refusal(response) or _single(response, "person", _person, price)


async def _enrich(question: Mapping[FieldName, str], http: VendorHttp, price: Micros) -> Reply:
    response = await http.request(
        "GET",
        f"{http.base_url}/organizations/enrich",
        params=_parameters(question, _ORGANIZATION_PARAMETERS),
        headers=_headers(http),
    )
    return refusal(response) or _single(
        response, "organization", lambda found: _organization(found, _doubt(question)), price
    )


def _doubt(question: Mapping[FieldName, str]) -> int:
    """Return what is taken off the confidence of what was found by these identifiers."""
    return _UNSURE_OF_NAME if set(question) == {"company_name"} else 0


def _single(
    response: VendorResponse,
    key: str,
    read: Callable[[Mapping[str, Json]], Readings],
    price: Micros,
) -> Reply:
    body = parse_json(response.body)
    record = at(body, key)
    if isinstance(record, Mapping) and not _says_failed(body):
        return _stated(read(record), Billed(price), response.body)
    # The documents do not show whether a miss has a null record or none at all.
    named = isinstance(body, Mapping) and (key in body or "request_id" in body or not body)
    if record is None and named and not _says_failed(body):
        return Reply(Verdict.NO_MATCH, Unbilled(), raw=response.body)
    return malformed(response)


async def _bulk_match(
    questions: Sequence[Mapping[FieldName, str]], http: VendorHttp, price: Micros
) -> list[Reply]:
    response = await http.request(
        "POST",
        f"{http.base_url}/people/bulk_match",
        headers=_headers(http),
        json={"details": [_parameters(question, _PARAMETERS) for question in questions]},
    )
    refused = refusal(response)
    body = parse_json(response.body)
    matches = at(body, "matches")
    if refused is None and (
        not isinstance(matches, list)
        or len(matches) != len(questions)
        or _says_failed(body)
        or _is_out_of_order(questions, matches)
    ):
        refused = malformed(response)
    if refused is not None or not isinstance(matches, list):
        return [refused or malformed(response)] * len(questions)
    billings = _share_out(int_at(body, "credits_consumed"), matches, price)
    return [
        _bulk_item("person", match, _person, bill)
        for match, bill in zip(matches, billings, strict=True)
    ]


def _is_out_of_order(questions: Sequence[Mapping[FieldName, str]], matches: Sequence[Json]) -> bool:
    """Tell whether a record is of somebody whom another question of the same request asked about.

    Records are told from one another by their place alone; one in the wrong place would give one
    person another's data.
    """
    asked = [_marks(question) for question in questions]
    found = [
        _marks({field: text_at(match, key) or "" for field, key in _MARKS.items()})
        for match in matches
    ]
    return _strays(asked, found)


_MARKS: Mapping[FieldName, str] = {
    FieldName("person_email"): "email",
    FieldName("person_linkedin_url"): "linkedin_url",
    FieldName("person_full_name"): "name",
}


def _marks(known: Mapping[FieldName, str]) -> set[str]:
    """Return what names one person among those of a request, in comparable form."""
    first, last = (known.get(FieldName(f"person_{part}_name"), "") for part in ("first", "last"))
    name = known.get(FieldName("person_full_name")) or f"{first} {last}".strip()
    page = known.get(FieldName("person_linkedin_url"), "").rstrip("/").rpartition("/")[2]
    marks = {
        f"email {known.get(FieldName('person_email'), '').lower()}",
        f"page {page.lower()}",
        f"name {person_key(name) if name else ''}",
    }
    return {mark for mark in marks if mark.partition(" ")[2]}


async def _bulk_enrich(
    questions: Sequence[Mapping[FieldName, str]], http: VendorHttp, price: Micros
) -> list[Reply]:
    response = await http.request(
        "POST",
        f"{http.base_url}/organizations/bulk_enrich",
        headers=_headers(http),
        json={
            "details": [_parameters(question, _ORGANIZATION_PARAMETERS) for question in questions]
        },
    )
    if refused := refusal(response):
        return [refused] * len(questions)
    body = parse_json(response.body)
    records = None if _says_failed(body) else _placed(questions, at(body, "organizations"))
    if records is None:
        return [malformed(response)] * len(questions)
    billings = _share_out(int_at(body, "unique_enriched_records"), records, price)
    return [
        _bulk_organization(question, record, bill)
        for question, record, bill in zip(questions, records, billings, strict=True)
    ]


def _placed(questions: Sequence[Mapping[FieldName, str]], found: Json) -> list[Json] | None:
    """Return the record of each question, None where they cannot be told apart.

    That the list keeps the order, with null for a miss, is not documented: where it is shorter, or
    a record is another question's, each goes to the one question that names its site or its page.
    """
    if not isinstance(found, list):
        return None
    asked = [_company_marks(question) for question in questions]
    marked = [
        _company_marks({f: text_at(one, k) or "" for f, k in _SITES.items()}) for one in found
    ]
    if len(found) == len(questions) and not _strays(asked, marked):
        return found
    records: list[Json] = [None] * len(questions)
    for record, marks in zip(found, marked, strict=True):
        places = [place for place, others in enumerate(asked) if marks & others]
        if record is not None and not places:
            return None
        for place in places:
            records[place] = record
    return records


def _strays(asked: Sequence[set[str]], found: Sequence[set[str]]) -> bool:
    """Tell whether a record stands in one place and is named by the question of another."""
    return any(
        marks and not marks & asked[place] and any(marks & other for other in asked)
        for place, marks in enumerate(found)
    )


_SITES: Mapping[FieldName, str] = {
    FieldName("company_domain"): "primary_domain",
    FieldName("company_linkedin_url"): "linkedin_url",
}


def _company_marks(known: Mapping[FieldName, str]) -> set[str]:
    """Return what names one company among those of a request, in comparable form."""
    page = known.get(FieldName("company_linkedin_url"), "").rstrip("/").rpartition("/")[2]
    marks = {f"site {known.get(FieldName('company_domain'), '').lower()}", f"page {page.lower()}"}
    return {mark for mark in marks if mark.partition(" ")[2]}


def _bulk_organization(question: Mapping[FieldName, str], record: Json, billing: Billing) -> Reply:
    def read(found: Mapping[str, Json]) -> Readings:
        return _organization(found, _doubt(question))

    return _bulk_item("organization", record, read, billing)


def _bulk_item(
    key: str, match: Json, read: Callable[[Mapping[str, Json]], Readings], billing: Billing
) -> Reply:
    raw = json.dumps({key: match}).encode()  # the shape of a single answer, for replay
    if match is None:
        return Reply(Verdict.NO_MATCH, billing, raw=raw)
    if isinstance(match, Mapping):
        return _stated(read(match), billing, raw)
    reason = "a record of no known shape"
    return Reply(Verdict.VENDOR_ERROR, BillingUnknown(reason), raw=raw, detail=reason)


def _share_out(credits_used: int | None, matches: Sequence[Json], price: Micros) -> list[Billing]:
    """Return each match's share of the request's bill, in whole credits.

    Without a stated ``credits_consumed`` every match counts as the one documented credit.
    """
    hits = [place for place, match in enumerate(matches) if match is not None]
    if credits_used is None:
        credits_used = len(hits)
    if not 0 <= credits_used <= _MOST_CREDITS * len(matches):
        reason = f"the vendor states {credits_used} credits for {len(matches)} records"
        return [BillingUnknown(reason)] * len(matches)
    bearers = hits or range(len(matches))
    each, extra = divmod(credits_used, len(bearers))
    shares = {place: each + (rank < extra) for rank, place in enumerate(bearers)}
    return [
        Billed(Micros(price * share)) if (share := shares.get(place)) else Unbilled()
        for place in range(len(matches))
    ]


def _stated(readings: Readings, billing: Billing, raw: bytes) -> Reply:
    """Return the reply for a record; one that states nothing usable may still have been charged."""
    if readings.found:
        return Reply(Verdict.MATCH, billing, readings=readings.found, raw=raw, notes=readings.notes)
    reason = "a record without a usable value"
    return Reply(
        Verdict.VENDOR_ERROR, BillingUnknown(reason), raw=raw, detail=reason, notes=readings.notes
    )


def _person(record: Mapping[str, Json]) -> Readings:
    readings = Readings(_MATCH.gives)
    for field, (key, _) in _PERSON_FIELDS.items():
        readings.add(field, text_at(record, key))
    _email(record, readings)
    department = next((name for name in texts_at(record, "departments") if name != "c_suite"), "")
    readings.add("person_department", department.removeprefix("master_").replace("_", " "))
    past = objects_at(record, "employment_history")
    readings.add(
        "person_experience",
        stations(
            station(
                text_at(one, "title"),
                text_at(one, "organization_name"),
                text_at(one, "start_date"),
                text_at(one, "end_date"),
            )
            for one in past
        ),
    )
    # ``contact`` is the user's own CRM record there and may be another person's: not read.
    employer = at(record, "organization")
    readings.add("person_company_name", text_at(employer, "name"))
    readings.add("person_company_domain", text_at(employer, "primary_domain"))
    readings.add("person_company_linkedin_url", text_at(employer, "linkedin_url"))
    return readings


def _email(record: Mapping[str, Json], readings: Readings) -> None:
    email, status = text_at(record, "email"), text_at(record, "email_status")
    if email is None or email.lower() == LOCKED_EMAIL:
        return  # the status may say "verified" all the same: it is the hidden address's
    sure = {None: 75, "verified": 95, "extrapolated": 60}.get(status, 50)
    if readings.add("person_email", email, confidence=sure):
        readings.add("person_email_status", status, url=as_subject(email))


def _organization(record: Mapping[str, Json], minus: int) -> Readings:
    country = country_of(text_at(record, "country"))
    readings = Readings(_ENRICH.gives, country=country, minus=minus)
    for field, (key, _) in _ORGANIZATION_FIELDS.items():
        readings.add(field, _scalar(record, key))
    about = text_at(record, "short_description") or text_at(record, "seo_description")
    readings.add("company_description", about)
    readings.add(
        "company_phone",
        text_at(record, "primary_phone", "sanitized_number") or text_at(record, "phone"),
    )
    named = [
        name for one in objects_at(record, "current_technologies") if (name := text_at(one, "name"))
    ]
    readings.add("company_technologies", texts_at(record, "technology_names") or named)
    readings.add("company_tags", texts_at(record, "keywords"))
    for owner in ("owned_by_organization", "ultimate_parent_organization"):
        readings.add("company_parent", text_at(record, owner, "name"))
    return readings


def _scalar(record: Mapping[str, Json], key: str) -> Json:
    value = record.get(key)
    return value if isinstance(value, int | float) else text_at(value)


def _parameters(question: Mapping[FieldName, str], names: Mapping[str, str]) -> dict[str, str]:
    return {names[field]: value for field, value in question.items()}


def _headers(http: VendorHttp) -> dict[str, str]:
    return {"x-api-key": http.key, "accept": "application/json"}


def _says_failed(body: Json) -> bool:
    """Tell whether a body reports an error, whatever its status code."""
    told = any(at(body, key) for key in ("error", "error_code", "error_message"))
    return told or at(body, "status") == "failed"


def refusal(response: VendorResponse) -> Reply | None:
    """Return the reply for every status but 200, by Apollo's habits; None for 200."""
    status, said = response.status, message_of(response).lower()
    if status == HTTPStatus.OK:
        return None
    if status in _REFUSALS:
        spent = "credit" in said and status != HTTPStatus.TOO_MANY_REQUESTS
        verdict = Verdict.OUT_OF_CREDITS if spent else _REFUSALS[status]
        return unusable(verdict, response)
    return unusable(Verdict.VENDOR_ERROR, response, undocumented_billing(response))


PEOPLE = Operation(
    name="people_search",
    needs=(),
    gives={},
    timeout_s=30.0,
    limits=(Limit(200, 60),),
)
"""People by criteria: costs no credits, and shows neither addresses nor family names."""

COMPANIES = Operation(
    name="organization_search",
    needs=(),
    gives={},
    price_micros=CREDIT_PRICE,
    timeout_s=30.0,
    limits=(Limit(200, 60),),
)
"""Companies by criteria: a credit for each page, whatever is on it (unconfirmed for an empty one)."""

_OF_PEOPLE: Mapping[str, str] = {
    "titles": "person_titles[]",
    "seniorities": "person_seniorities[]",
    "locations": "person_locations[]",
    "company_locations": "organization_locations[]",
    "company_domains": "q_organization_domains_list[]",
    "company_sizes": "organization_num_employees_ranges[]",
    "keywords": "q_keywords",
}
_OF_COMPANIES: Mapping[str, str] = {
    "company_names": "q_organization_name",
    "company_locations": "organization_locations[]",
    "company_domains": "q_organization_domains_list[]",
    "company_sizes": "organization_num_employees_ranges[]",
    "keywords": "q_organization_keyword_tags[]",
}
PEOPLE_CRITERIA, COMPANY_CRITERIA = frozenset(_OF_PEOPLE), frozenset(_OF_COMPANIES)

Criteria = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Shown:
    """Somebody whom a search shows: ``family`` is masked as the vendor masks it."""

    id: str
    first_name: str
    family: str
    title: str
    company: str
    has_email: bool


@dataclass(frozen=True, slots=True)
class ShownCompany:
    """A company that a search found. It is all there: whoever shows it masks it."""

    name: str
    domain: str  # "" where only its LinkedIn page is known
    linkedin_url: str
    industry: str
    country: str
    employees: int | None


@dataclass(frozen=True, slots=True)
class Page:
    """The first page of a search for people, and how many fit in all."""

    people: Sequence[Shown]
    total: int


@dataclass(frozen=True, slots=True)
class CompanyPage:
    """The first page of a search for companies, and how many fit in all."""

    companies: Sequence[ShownCompany]
    total: int


async def search_people(criteria: Criteria, most: int, http: VendorHttp) -> Page | Reply:
    """Return up to ``most`` (at most 100) people that fit, or the reply that the vendor refused with.

    ``criteria`` maps titles, seniorities, locations, company_domains, company_sizes ("1,10") and
    keywords to what may be. Vendor facts: its OpenAPI document (``POST /mixed_people/api_search``).
    """
    response = await _searched("mixed_people/api_search", _OF_PEOPLE, criteria, most, http)
    if refused := refusal(response):
        return refused
    body = parse_json(response.body)
    total = int_at(body, "total_entries")
    if total is None or not isinstance(at(body, "people"), list):
        return malformed(response)
    people = [
        Shown(
            id=record,
            first_name=text_at(one, "first_name") or "",
            family=text_at(one, "last_name_obfuscated") or "",
            title=text_at(one, "title") or "",
            company=text_at(one, "organization", "name") or "",
            has_email=at(one, "has_email") is True,
        )
        for one in objects_at(body, "people")
        if (record := text_at(one, "id"))
    ]
    return Page(people[:most], max(0, total))


@dataclass(slots=True)
class CompanySearch:
    """One search for companies, as a provider: it is asked through the ledger, for it is billed.

    Vendor facts: ``POST /mixed_companies/search`` costs one credit a page. Unconfirmed: that the
    answer holds ``organizations`` (and ``accounts``, those in the user's own CRM) beside
    ``pagination``, as its reference page shows.
    """

    criteria: Criteria
    most: int
    spec: ProviderSpec

    @classmethod
    def at(cls, spec: ProviderSpec, criteria: Criteria, most: int) -> "CompanySearch":
        """Return the search at the price of a credit that ``spec``, Apollo's, may have been given."""
        operation = replace(COMPANIES, price_micros=spec.credit_micros)
        return cls(criteria, most, replace(spec, operations=(operation,)))

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer the one question there is; what was found is read from ``raw`` by ``companies_in``."""
        del operation
        response = await _searched(
            "mixed_companies/search", _OF_COMPANIES, self.criteria, self.most, http
        )
        return [self._reply(response)] * len(asks)

    def _reply(self, response: VendorResponse) -> Reply:
        refused = refusal(response)
        if refused is not None:
            return refused
        page = companies_in(response.body, self.most)
        if page is None:
            return malformed(response)
        verdict = Verdict.MATCH if page.companies else Verdict.NO_MATCH
        price = self.spec.operations[0].price_micros
        return Reply(verdict, Billed(price) if price else Unbilled(), raw=response.body)


def companies_in(raw: bytes, most: int) -> CompanyPage | None:
    """Return what an answer of the search for companies holds, None where it is none."""
    body = parse_json(raw)
    total = int_at(body, "pagination", "total_entries")
    if total is None or not isinstance(at(body, "organizations"), list):
        return None
    found: dict[str, ShownCompany] = {}
    for one in (*objects_at(body, "organizations"), *objects_at(body, "accounts")):
        company = _found(one)
        if key := company.domain or company.linkedin_url:
            found.setdefault(key, company)
    return CompanyPage([*found.values()][:most], max(0, total))


def _found(one: Json) -> ShownCompany:
    return ShownCompany(
        name=text_at(one, "name") or "",
        domain=text_at(one, "primary_domain") or text_at(one, "domain") or "",
        linkedin_url=text_at(one, "linkedin_url") or "",
        industry=text_at(one, "industry") or "",
        country=text_at(one, "country") or "",
        employees=int_at(one, "estimated_num_employees"),
    )


async def _searched(
    path: str, names: Mapping[str, str], criteria: Criteria, most: int, http: VendorHttp
) -> VendorResponse:
    params = [(names[name], value) for name in sorted(criteria) for value in criteria[name]]
    return await http.request(
        "POST",
        f"{http.base_url}/{path}",
        params=[*params, ("page", "1"), ("per_page", str(most))],
        headers=_headers(http),
    )


_REFUSALS: Mapping[int, Verdict] = {
    400: Verdict.BAD_INPUT,
    401: Verdict.AUTH,
    402: Verdict.OUT_OF_CREDITS,
    403: Verdict.FORBIDDEN_PLAN,
    422: Verdict.BAD_INPUT,
    429: Verdict.RATE_LIMITED,
}

apollo = Apollo()
