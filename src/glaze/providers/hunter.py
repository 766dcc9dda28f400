"""Hunter.io: addresses of a company, a person's address, its verification, and enrichment."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

from glaze.model.clearbit_record import (
    COMPANY_GIVES,
    PERSON_GIVES,
    country_of_record,
    read_company,
    read_person,
)
from glaze.model.mailbox import as_subject
from glaze.model.profile import parse_linkedin
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
    text_at,
    undocumented_billing,
    unusable,
)

CREDIT = Micros(24_500)
"""What one credit is taken to cost, $0.0245: the Starter plan's $49 for 2,000 (May 2026)."""
_HALF = Micros(CREDIT // 2)
_SEARCH_LIMITS = (Limit(15, 1), Limit(500, 60))  # each of its endpoints but the verifier
_VERIFIER_LIMITS = (Limit(10, 1), Limit(300, 60))
_ADDRESSES = 10  # a domain search costs one credit for each ten
_AGAIN_S = 5.0
"""The pause before a verification that is under way is asked about again; the vendor names none."""
_SUREST = 95

_COMPANY_NEEDS = ("company_domain", "company_name")
_PERSON_NEEDS = (
    "person_full_name company_domain",
    "person_first_name person_last_name company_domain",
    "person_linkedin_url",
    "person_full_name company_name",
    "person_first_name person_last_name company_name",
)
_PARAMETERS: Mapping[str, str] = {
    "company_domain": "domain",
    "company_name": "company",
    "person_email": "email",
    "person_full_name": "full_name",
    "person_first_name": "first_name",
    "person_last_name": "last_name",
    "person_linkedin_url": "linkedin_handle",
}
# Canonical field -> the key in the answer of a domain search, of the finder.
_SEARCHED: Mapping[str, tuple[str, int]] = {
    "company_name": ("organization", 82),
    "company_domain": ("domain", 85),
    "company_email_pattern": ("pattern", 85),
    "company_description": ("description", 75),
    "company_industry": ("industry", 75),
    "company_size": ("headcount", 75),
    "company_type": ("company_type", 70),
    "company_city": ("city", 72),
    "company_region": ("state", 72),
    "company_country": ("country", 80),
    "company_linkedin_url": ("linkedin", 82),
    "company_twitter_url": ("twitter", 80),
}
_FOUND: Mapping[str, tuple[str, int]] = {
    "person_first_name": ("first_name", 80),
    "person_last_name": ("last_name", 80),
    "person_title": ("position", 75),
    "person_linkedin_url": ("linkedin_url", 80),
    "person_twitter_url": ("twitter", 75),
    "person_phone": ("phone_number", 70),
    "person_company_name": ("company", 80),
    "person_company_domain": ("domain", 80),
}
# The verifier's word -> ours, and how sure that is; "unknown" is no answer.
_VERDICTS: Mapping[str, tuple[str, int]] = {
    "valid": ("deliverable", 95),
    "invalid": ("undeliverable", 95),
    "accept_all": ("risky", 90),
    "webmail": ("risky", 60),
    "disposable": ("disposable", 95),
}

_DOMAIN_SEARCH = Operation(
    name="domain_search",
    needs=field_sets(*_COMPANY_NEEDS),
    gives=gives(
        **{field: sure for field, (_, sure) in _SEARCHED.items()},
        company_email=80,
        company_emails=80,
    ),
    price_micros=CREDIT,
    limits=_SEARCH_LIMITS,
)
_EMAIL_FINDER = Operation(
    name="email_finder",
    needs=field_sets(*_PERSON_NEEDS),
    gives=gives(
        **{field: sure for field, (_, sure) in _FOUND.items()},
        person_email=90,
        person_email_status=85,
    ),
    price_micros=CREDIT,
    limits=_SEARCH_LIMITS,
    timeout_s=40.0,  # the vendor itself may take 20
)
_EMAIL_VERIFIER = Operation(
    name="email_verifier",
    needs=field_sets("person_email"),
    gives=gives(person_email_status=95),
    price_micros=_HALF,
    limits=_VERIFIER_LIMITS,
    timeout_s=40.0,
)
_PERSON = Operation(
    name="person",
    needs=field_sets("person_email", "person_linkedin_url"),
    gives=gives(**PERSON_GIVES),
    price_micros=CREDIT,
    limits=_SEARCH_LIMITS,
)
_COMPANY = Operation(
    name="company",
    needs=field_sets("company_domain"),
    gives=gives(**COMPANY_GIVES),
    price_micros=CREDIT,
    limits=_SEARCH_LIMITS,
)
_COMBINED = Operation(
    name="combined",
    needs=field_sets("person_email"),
    gives=gives(**PERSON_GIVES, **COMPANY_GIVES),
    price_micros=Micros(2 * CREDIT),
    limits=_SEARCH_LIMITS,
    includes=frozenset({_PERSON.name, _COMPANY.name}),
)
SPEC = ProviderSpec(
    name="hunter",
    operations=(_DOMAIN_SEARCH, _EMAIL_FINDER, _EMAIL_VERIFIER, _PERSON, _COMPANY, _COMBINED),
    base_url="https://api.hunter.io/v2",
    key_setting="hunter_api_key",
    limits=_SEARCH_LIMITS,
    credit_micros=CREDIT,
)

_Read = Callable[[Json], Readings]


class Hunter:
    """Speaks to ``api.hunter.io``.

    Vendor facts (its API documentation and help centre): one pool of credits, half a credit for a
    verification, one for up to ten addresses of a domain, nothing where no address is found; 403
    is the rate limit, 429 an empty account, 451 a person's objection; 202 means that a verification
    is under way, and the same request again is free. Unconfirmed: what enrichment costs (one credit
    a record is assumed), and whether a verification that failed at the mail server (222) is charged.
    """

    def __init__(self, spec: ProviderSpec = SPEC) -> None:
        """``spec`` may carry the user's own price and limits; bills are stated by its price."""
        self.spec = spec

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer each ask by one request."""
        declared = self.spec.operation(operation)
        return [await _one(declared, ask, http) for ask in asks]


async def _one(operation: Operation, ask: Ask, http: VendorHttp) -> Reply:
    question = identified_by(ask, operation.needs)
    if not question:
        return not_asked("no identifier that Hunter can look up")
    try:
        params = _params(operation, question)
    except ValueError as error:
        return not_asked(str(error))
    response = await http.request(
        "GET",
        f"{http.base_url}{_PATHS[operation.name]}",
        params=params,
        headers={"X-API-KEY": http.key},
    )
    return _refusal(operation, response) or _ANSWERS[operation.name](operation, response)


_PATHS: Mapping[str, str] = {
    _DOMAIN_SEARCH.name: "/domain-search",
    _EMAIL_FINDER.name: "/email-finder",
    _EMAIL_VERIFIER.name: "/email-verifier",
    _PERSON.name: "/people/find",
    _COMPANY.name: "/companies/find",
    _COMBINED.name: "/combined/find",
}


def _params(operation: Operation, question: Mapping[FieldName, str]) -> dict[str, str]:
    """Return the query. Raises: ValueError for an address that is no LinkedIn profile."""
    params = {_PARAMETERS[field]: value for field, value in question.items()}
    if profile := params.get("linkedin_handle"):
        params["linkedin_handle"] = parse_linkedin(profile).slug
    if operation.name == _DOMAIN_SEARCH.name:
        params["limit"] = str(_ADDRESSES)
    return params


def _domain_search(operation: Operation, response: VendorResponse) -> Reply:
    data = at(parse_json(response.body), "data")
    emails = at(data, "emails")
    if not isinstance(emails, list):
        return malformed(response)
    readings = Readings(operation.gives, country=country_of(text_at(data, "country")))
    for field, (key, _) in _SEARCHED.items():
        readings.add(field, text_at(data, key))
    general = [one for one in objects_at(data, "emails") if text_at(one, "type") == "generic"]
    addresses = [address for one in general if (address := text_at(one, "value"))]
    if addresses:
        sure = int_at(general[0], "confidence")
        url = text_at(general[0], "sources", 0, "uri")
        best = None if sure is None else min(sure, _SUREST)
        readings.add("company_email", addresses[0], confidence=best, url=url)
        readings.add("company_emails", addresses)
    return _stated(readings, response, operation.price_micros if emails else Micros(0))


def _email_finder(operation: Operation, response: VendorResponse) -> Reply:
    data = at(parse_json(response.body), "data")
    if not isinstance(data, Mapping) or "email" not in data:
        return malformed(response)
    email = text_at(data, "email")
    if email is None:  # a miss may come as a 200, too (unconfirmed), and is free
        return Reply(Verdict.NO_MATCH, Unbilled(), raw=response.body)
    readings = Readings(operation.gives)
    score = int_at(data, "score")
    sure = None if score is None else max(0, min(score, _SUREST))
    url = text_at(data, "sources", 0, "uri")
    if readings.add("person_email", email, confidence=sure, url=url):
        _add_status(readings, email, text_at(data, "verification", "status"))
    for field, (key, _) in _FOUND.items():
        readings.add(field, text_at(data, key))
    return _stated(readings, response, operation.price_micros)


def _email_verifier(operation: Operation, response: VendorResponse) -> Reply:
    data = at(parse_json(response.body), "data")
    status = text_at(data, "status")
    if status is None:
        return malformed(response)
    readings = Readings(operation.gives)
    if _add_status(readings, text_at(data, "email"), status):
        return _stated(readings, response, operation.price_micros)
    detail = f"the vendor says {status[:40]}"
    charged = Billed(operation.price_micros) if operation.price_micros else Unbilled()
    return Reply(Verdict.NO_MATCH, charged, raw=response.body, detail=detail)


def _add_status(readings: Readings, email: str | None, word: str | None) -> bool:
    verdict, sure = _VERDICTS.get(word or "", (None, 0))
    about = as_subject(email) if email else None
    return readings.add("person_email_status", verdict, confidence=sure, url=about, quote=word)


def _enrichment(operation: Operation, response: VendorResponse) -> Reply:
    data = at(parse_json(response.body), "data")
    if not isinstance(data, Mapping):
        return malformed(response)
    whole = operation.name == _COMBINED.name
    person = at(data, "person") if whole else data
    company = at(data, "company") if whole else data
    readings = Readings(operation.gives, country=country_of_record(company))
    if operation.name != _COMPANY.name:
        read_person(person, readings)
    if operation.name != _PERSON.name:
        read_company(company, readings)
    return _stated(readings, response, operation.price_micros)


_ANSWERS: Mapping[str, Callable[[Operation, VendorResponse], Reply]] = {
    _DOMAIN_SEARCH.name: _domain_search,
    _EMAIL_FINDER.name: _email_finder,
    _EMAIL_VERIFIER.name: _email_verifier,
    _PERSON.name: _enrichment,
    _COMPANY.name: _enrichment,
    _COMBINED.name: _enrichment,
}


def _stated(readings: Readings, response: VendorResponse, price: Micros) -> Reply:
    """Return the reply for a record; one that states nothing usable may still have been charged."""
    if readings.found:
        billing = Billed(price) if price else Unbilled()
        return Reply(Verdict.MATCH, billing, readings.found, response.body, notes=readings.notes)
    if not price:
        return Reply(Verdict.NO_MATCH, Unbilled(), raw=response.body, notes=readings.notes)
    return malformed(response)


_REFUSALS: Mapping[int, Verdict] = {
    400: Verdict.BAD_INPUT,
    401: Verdict.AUTH,
    403: Verdict.RATE_LIMITED,
    404: Verdict.NO_MATCH,
    422: Verdict.BAD_INPUT,
    429: Verdict.OUT_OF_CREDITS,
    451: Verdict.SUPPRESSED,
}
_FAILED_AT_THE_MAIL_SERVER = 222


def _refusal(operation: Operation, response: VendorResponse) -> Reply | None:
    """Return the reply for every status but 200, by this vendor's habits; None for 200."""
    status = response.status
    if status == HTTPStatus.OK:
        return None
    if status in _REFUSALS:
        return unusable(_REFUSALS[status], response)
    if operation.name == _EMAIL_VERIFIER.name and status == HTTPStatus.ACCEPTED:
        return Reply(
            Verdict.IN_PROGRESS,
            Unbilled(),
            raw=response.body,
            retry_after_s=_AGAIN_S,
            detail="the verification is under way",
        )
    if operation.name == _EMAIL_VERIFIER.name and status == _FAILED_AT_THE_MAIL_SERVER:
        reason = "the mail server failed, and the vendor does not say whether it charges"
        return unusable(Verdict.NO_MATCH, response, BillingUnknown(reason))
    return unusable(Verdict.VENDOR_ERROR, response, undocumented_billing(response))


hunter = Hunter()
