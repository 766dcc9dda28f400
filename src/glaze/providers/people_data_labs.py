"""People Data Labs: people, singly or a hundred in one request, and companies."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus

from glaze.model.career import station, stations
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
    not_asked,
    objects_at,
    parse_json,
    price_header,
    reset_wait_s,
    share_out,
    stated,
    text_at,
    texts_at,
    undocumented_billing,
    unusable,
)

CREDIT = Micros(280_000)
"""What one credit is taken to cost, $0.28: about the Pro plan's (unconfirmed); plans differ."""
SPENT = "x-call-credits-spent"
_RESET = "x-ratelimit-reset"
_MOST_CREDITS = 10  # of one record; what claims more is no number of credits
_LIKELIEST = 10
_UNSTATED_SHARE = 0.7
_BULK = 100
_WORK_EMAILS = ("current_professional", "professional")

# Canonical field -> the key in a person's record, and how sure it is at the highest likelihood.
_PERSON_FIELDS: Mapping[str, tuple[str, int]] = {
    "person_full_name": ("full_name", 88),
    "person_first_name": ("first_name", 88),
    "person_last_name": ("last_name", 88),
    "person_mobile": ("mobile_phone", 80),
    "person_title": ("job_title", 82),
    "person_headline": ("headline", 78),
    "person_summary": ("summary", 78),
    "person_department": ("job_title_role", 78),
    "person_linkedin_url": ("linkedin_url", 90),
    "person_twitter_url": ("twitter_url", 80),
    "person_github_url": ("github_url", 80),
    "person_facebook_url": ("facebook_url", 78),
    "person_city": ("location_locality", 78),
    "person_region": ("location_region", 78),
    "person_country": ("location_country", 84),
    "person_company_name": ("job_company_name", 82),
    "person_company_domain": ("job_company_website", 82),
    "person_company_linkedin_url": ("job_company_linkedin_url", 82),
}
_COMPANY_FIELDS: Mapping[str, tuple[str, int]] = {
    "company_name": ("name", 85),
    "company_domain": ("website", 88),
    "company_website": ("website", 88),
    "company_size": ("size", 82),
    "company_employee_count": ("employee_count", 78),
    "company_revenue_range": ("inferred_revenue", 70),
    "company_founded_year": ("founded", 80),
    "company_industry": ("industry", 82),
    "company_type": ("type", 78),
    "company_ticker": ("ticker", 88),
    "company_linkedin_url": ("linkedin_url", 90),
    "company_twitter_url": ("twitter_url", 82),
    "company_facebook_url": ("facebook_url", 82),
}
_PLACES: Mapping[str, tuple[str, int]] = {
    "company_street": ("street_address", 75),
    "company_city": ("locality", 80),
    "company_region": ("region", 80),
    "company_postal_code": ("postal_code", 75),
    "company_country": ("country", 84),
}
# Strings come in small letters; these fields are shown to people.
_SHOWN = frozenset(
    """
    person_title person_department person_city person_region person_company_name company_name
    company_industry company_type company_street company_city company_region
    """.split()
)
_SMALL_WORDS = frozenset("and of the for at in on to de la le du von van der und et y".split())
_CAPITALS = frozenset("ceo cto cfo coo cmo cio cpo vp svp evp hr it pr ui ux qa usa uk".split())

_LEGAL_FORMS = {
    form.lower(): form
    for form in (
        "AG AB AS BV B.V. GmbH KG KGaA LLC LLP LP Ltd NV N.V. OY Oyj PLC PBC SA S.A. SAS SARL SE SL SpA S.p.A. SRL"
    ).split()
}

_BEGINNING = re.compile(r"^\w|(?<=['\u2019])\w(?=\w)")

_PERSON = Operation(
    name="person",
    needs=field_sets(
        "person_email",
        "person_linkedin_url",
        "person_full_name company_domain",
        "person_first_name person_last_name company_domain",
        "person_full_name company_name",
        "person_first_name person_last_name company_name",
    ),
    gives=gives(
        **{field: sure for field, (_, sure) in _PERSON_FIELDS.items()},
        person_email=82,
        person_personal_emails=80,
        person_phone=75,
        person_seniority=80,
        person_skills=78,
        person_experience=78,
        person_education=78,
    ),
    price_micros=CREDIT,
    batch_size=_BULK,
    timeout_s=60.0,
    limits=(Limit(100, 60),),  # the free plan's; a paid one has 1,000
    bulk_limits=(Limit(60, 60),),  # unconfirmed: the vendor counts each endpoint by itself
)
_COMPANY = Operation(
    name="company",
    needs=field_sets("company_domain", "company_linkedin_url", "company_name"),
    gives=gives(
        **{field: sure for field, (_, sure) in {**_COMPANY_FIELDS, **_PLACES}.items()},
        company_description=78,
        company_tags=75,
        company_domain_aliases=72,
        company_sic=72,
        company_naics=72,
    ),
    price_micros=CREDIT,
    limits=(Limit(100, 60),),
)
SPEC = ProviderSpec(
    name="people_data_labs",
    operations=(_PERSON, _COMPANY),
    base_url="https://api.peopledatalabs.com/v5",
    key_setting="pdl_api_key",
    limits=(Limit(100, 60),),
    room_headers=(
        RoomHeaders("x-ratelimit-remaining", 60, _RESET, key="minute"),
        RoomHeaders("x-ratelimit-remaining", 86_400, key="day"),
    ),
    credit_micros=CREDIT,
)

# What is wanted of a person's record: an answer may have one megabyte at most.
_INCLUDED = ",".join(
    [
        *dict.fromkeys(key for key, _ in _PERSON_FIELDS.values()),
        "id",
        "work_email",
        "personal_emails",
        "emails",
        "phone_numbers",
        "job_title_levels",
        "skills",
        "experience",
        "education",
    ]
)
_PERSON_PARAMETERS: Mapping[str, str] = {
    "person_email": "email",
    "person_linkedin_url": "profile",
    "person_full_name": "name",
    "person_first_name": "first_name",
    "person_last_name": "last_name",
    "company_domain": "company",  # a name, a site or a page
    "company_name": "company",
}
_COMPANY_PARAMETERS: Mapping[str, str] = {
    "company_domain": "website",
    "company_linkedin_url": "profile",
    "company_name": "name",
}


class PeopleDataLabs:
    """Speaks to ``api.peopledatalabs.com``.

    Vendor facts (its documentation): a match costs a credit, and ``x-call-credits-spent`` says what
    a request did cost; 404 is a miss and free; 402 an empty account; 429 comes without
    ``retry-after``, but with the moment when its window ends. A bulk answer is a list with a status
    a row. Unconfirmed: the price of a credit, ``data_include`` in the parameters of a bulk request.
    """

    def __init__(self, spec: ProviderSpec = SPEC) -> None:
        """``spec`` may carry the user's own price and limits; bills are stated by its price."""
        self.spec = spec

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer up to a hundred asks of ``person``, or one of ``company``."""
        declared = self.spec.operation(operation)
        questions = [identified_by(ask, declared.needs) for ask in asks]
        sent = [question for question in questions if question]
        price = declared.price_micros
        if not sent:
            answers: list[Reply] = []
        elif operation == _COMPANY.name:
            answers = [await _company(sent[0], http, price)]
        elif len(sent) == 1:
            answers = [await _person(sent[0], http, price)]
        else:
            answers = await _people(sent, http, price)
        unused = iter(answers)
        return [
            next(unused) if question else not_asked("no identifier that is enough for a match")
            for question in questions
        ]


async def _person(question: Mapping[FieldName, str], http: VendorHttp, price: Micros) -> Reply:
    response = await http.request(
        "GET",
        f"{http.base_url}/person/enrich",
        params=_person_parameters(question),
        headers=_headers(http),
    )
    refused = _refusal(response)
    if refused is not None:
        return refused
    body = parse_json(response.body)
    record = at(body, "data")
    if not isinstance(record, Mapping):
        return malformed(response)
    return stated(_read_person(record, _share(body)), _bill(response, price), response.body)


async def _company(question: Mapping[FieldName, str], http: VendorHttp, price: Micros) -> Reply:
    response = await http.request(
        "GET",
        f"{http.base_url}/company/enrich",
        params={_COMPANY_PARAMETERS[field]: value for field, value in question.items()},
        headers=_headers(http),
    )
    refused = _refusal(response)
    if refused is not None:
        return refused
    record = parse_json(response.body)
    if not isinstance(record, Mapping):
        return malformed(response)
    return stated(_read_company(record, _share(record)), _bill(response, price), response.body)


async def _people(
    questions: Sequence[Mapping[FieldName, str]], http: VendorHttp, price: Micros
) -> list[Reply]:
    requests: list[Json] = [
        {"metadata": {"row": row}, "params": _person_parameters(question)}
        for row, question in enumerate(questions)
    ]
    response = await http.request(
        "POST",
        f"{http.base_url}/person/bulk",
        headers=_headers(http),
        json={"requests": requests},
    )
    refused = _refusal(response)
    items = _rows(parse_json(response.body), len(questions)) if refused is None else {}
    if not items:
        return [refused or malformed(response)] * len(questions)
    bills = _bulk_bills(response, items, len(questions), price)
    return [_row(items.get(row), bill, response) for row, bill in enumerate(bills)]


def _rows(body: Json, asked: int) -> dict[int, Mapping[str, Json]]:
    """Return the rows of a bulk answer by the place of their question, in whatever order they came.

    Each repeats the number that was sent with its question; rows without are taken by their place,
    as long as none is missing.
    """
    listed = objects_at(body)
    rows: dict[int, Mapping[str, Json]] = {}
    for place, item in enumerate(listed):
        named = int_at(item, "metadata", "row")
        if named is None and len(listed) == asked and at(item, "metadata") is None:
            named = place
        if named is not None and 0 <= named < asked and int_at(item, "status") is not None:
            rows.setdefault(named, item)
    return rows


def _bulk_bills(
    response: VendorResponse, items: Mapping[int, Mapping[str, Json]], asked: int, price: Micros
) -> list[Billing]:
    """Return what each question of a bulk request costs; what got no row may have cost something.

    A row that is missing is free where the credits of the request are those of the rows that came.
    """
    hits = [row for row, item in items.items() if int_at(item, "status") == HTTPStatus.OK]
    spent = price_header(response, SPENT)
    if isinstance(spent, BillingUnknown):
        return [spent] * asked
    lost = [row for row in range(asked) if row not in items]
    if spent is None or spent > len(hits):
        missing: Billing = BillingUnknown("the answer has no row for this question")
        spent = float(len(hits)) if lost or spent is None else spent
    else:
        missing = Unbilled()
    if spent > _MOST_CREDITS * asked:
        return [BillingUnknown(f"the vendor states {spent:g} credits for {asked} records")] * asked
    bills = share_out(Micros(round(spent * price)), hits or sorted(items))
    return [missing if row in lost else bills.get(row, Unbilled()) for row in range(asked)]


def _row(item: Mapping[str, Json] | None, bill: Billing, response: VendorResponse) -> Reply:
    """Return the reply to one question of a bulk request."""
    if item is None:
        return Reply(Verdict.VENDOR_ERROR, bill, detail="the answer has no row for this question")
    # The shape of a single answer, for replay.
    raw = json.dumps({name: part for name, part in item.items() if name != "metadata"}).encode()
    record = at(item, "data")
    status = int_at(item, "status") or 0
    if status == HTTPStatus.OK and isinstance(record, Mapping):
        return stated(_read_person(record, _share(item)), bill, raw)
    alone = replace(response, status=status, body=raw)
    verdict = _REFUSALS.get(status, Verdict.VENDOR_ERROR)
    if status == HTTPStatus.OK:
        bill = BillingUnknown("a success that could not be read")
    reply = unusable(verdict, alone, bill)
    return replace(reply, raw_status=status, retry_after_s=_pause_s(verdict, response))


def _person_parameters(question: Mapping[FieldName, str]) -> dict[str, str]:
    named = {_PERSON_PARAMETERS[field]: value for field, value in question.items()}
    return named | {"data_include": _INCLUDED}


def _headers(http: VendorHttp) -> dict[str, str]:
    return {"X-Api-Key": http.key, "accept": "application/json"}


def _share(body: Json) -> float:
    """Return how sure the vendor is of the match, 0 to 1: its likelihood is 1 to 10."""
    likelihood = int_at(body, "likelihood")
    if likelihood is None or not 0 < likelihood <= _LIKELIEST:
        return _UNSTATED_SHARE
    return likelihood / _LIKELIEST


def _bill(response: VendorResponse, price: Micros) -> Billing:
    """Return what a single answer cost: the credits it names, else the documented one."""
    spent = price_header(response, SPENT)
    if isinstance(spent, BillingUnknown):
        return spent
    if spent is None:
        spent = 1.0
    if spent > _MOST_CREDITS:
        return BillingUnknown(f"the vendor states {spent:g} credits for one record")
    micros = Micros(round(spent * price))
    return Billed(micros) if micros else Unbilled()


def _read_person(record: Mapping[str, Json], share: float) -> Readings:
    country = country_of(text_at(record, "location_country"))
    readings = Readings(_PERSON.gives, country=country, share=share)
    for field, (key, _) in _PERSON_FIELDS.items():
        readings.add(field, _shown(field, text_at(record, key)))
    readings.add("person_email", text_at(record, "work_email") or _work_email(record))
    readings.add("person_personal_emails", texts_at(record, "personal_emails"))
    for number in texts_at(record, "phone_numbers"):
        readings.add("person_phone", number)
    for level in texts_at(record, "job_title_levels"):
        readings.add("person_seniority", level)
    readings.add("person_skills", texts_at(record, "skills"))
    readings.add("person_experience", stations(map(_position, objects_at(record, "experience"))))
    readings.add("person_education", stations(map(_study, objects_at(record, "education"))))
    return readings


def _position(one: Mapping[str, Json]) -> str | None:
    title, company = text_at(one, "title", "name"), text_at(one, "company", "name")
    span = (text_at(one, "start_date"), text_at(one, "end_date"))
    return station(_shown("person_title", title), _shown("company_name", company), *span)


def _study(one: Mapping[str, Json]) -> str | None:
    taught = " ".join([*texts_at(one, "degrees"), *texts_at(one, "majors")]) or None
    school = _shown("company_name", text_at(one, "school", "name"))
    span = (text_at(one, "start_date"), text_at(one, "end_date"))
    return station(_shown("person_title", taught), school, *span)


def _work_email(record: Mapping[str, Json]) -> str | None:
    listed = objects_at(record, "emails")
    typed = {text_at(one, "type"): text_at(one, "address") for one in reversed(listed)}
    return next((typed[kind] for kind in _WORK_EMAILS if typed.get(kind)), None)


def _read_company(record: Mapping[str, Json], share: float) -> Readings:
    readings = Readings(_COMPANY.gives, share=share)
    readings.add("company_name", text_at(record, "display_name"))
    for field, (key, _) in _COMPANY_FIELDS.items():
        readings.add(field, _shown(field, text_at(record, key, numbers=True)))
    for field, (key, _) in _PLACES.items():
        readings.add(field, _shown(field, text_at(record, "location", key, numbers=True)))
    about = text_at(record, "summary") or text_at(record, "headline")
    readings.add("company_description", about)
    readings.add("company_tags", texts_at(record, "tags"))
    readings.add("company_domain_aliases", texts_at(record, "alternative_domains"))
    for system in ("sic", "naics"):
        codes = [text_at(one, f"{system}_code", numbers=True) for one in objects_at(record, system)]
        readings.add(f"company_{system}", [code for code in codes if code])
    return readings


def _shown(field: str, text: str | None) -> str | None:
    """Return what people read with capitals, where it came in small letters only."""
    if text is None or field not in _SHOWN or not text.islower():
        return text
    words = text.split()
    return " ".join(_word(word, first=not place) for place, word in enumerate(words))


def _word(word: str, *, first: bool) -> str:
    """Return a word as it is written: R&D, GmbH, O'Neill, John's."""
    if word in _CAPITALS or "&" in word:
        return word.upper()
    if word in _LEGAL_FORMS:
        return _LEGAL_FORMS[word]
    if word in _SMALL_WORDS and not first:
        return word
    return _BEGINNING.sub(lambda found: found[0].upper(), word)


_REFUSALS: Mapping[int, Verdict] = {
    400: Verdict.BAD_INPUT,
    401: Verdict.AUTH,
    402: Verdict.OUT_OF_CREDITS,
    403: Verdict.FORBIDDEN_PLAN,
    404: Verdict.NO_MATCH,
    429: Verdict.RATE_LIMITED,
}


def _refusal(response: VendorResponse) -> Reply | None:
    """Return the reply for every status but 200, by this vendor's habits; None for 200."""
    status = response.status
    if status == HTTPStatus.OK:
        return None
    verdict = _REFUSALS.get(status, Verdict.VENDOR_ERROR)
    spent = price_header(response, SPENT)
    billing = Unbilled() if status in _REFUSALS else undocumented_billing(response)
    if isinstance(spent, BillingUnknown):
        billing = spent
    elif spent is not None:
        reason = f"status {status}, and yet the vendor states {spent:g} credits"
        billing = BillingUnknown(reason) if spent else Unbilled()
    reply = unusable(verdict, response, billing)
    return replace(reply, retry_after_s=reply.retry_after_s or _pause_s(verdict, response))


def _pause_s(verdict: Verdict, response: VendorResponse) -> float | None:
    return reset_wait_s(response, _RESET) if verdict is Verdict.RATE_LIMITED else None


people_data_labs = PeopleDataLabs()
