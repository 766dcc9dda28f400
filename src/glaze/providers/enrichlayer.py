"""EnrichLayer: a person's or a company's LinkedIn data by the address of the page."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from glaze.model.career import station, stations
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
from glaze.model.value import Json, Micros
from glaze.model.vendor_body import (
    Readings,
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
    text_at,
    texts_at,
    unusable,
)

SURE = 95  # what LinkedIn itself shows, in the owner's words
PROFILE_PRICE = Micros(100_000)
"""What one profile or company page is taken to cost, $0.10; the real price depends on the plan."""

_PERSON_FIELDS: Mapping[str, str] = {
    "person_full_name": "full_name",
    "person_first_name": "first_name",
    "person_last_name": "last_name",
    "person_headline": "headline",
    "person_summary": "summary",
    "person_city": "city",
    "person_region": "state",
    "person_country": "country",
    "person_photo_url": "profile_pic_url",
}
_SOCIAL_IDS: Mapping[str, str] = {
    "person_twitter_url": "twitter_profile_id",
    "person_github_url": "github_profile_id",
    "person_facebook_url": "facebook_profile_id",
}
_COMPANY_FIELDS: Mapping[str, str] = {
    "company_name": "name",
    "company_description": "description",
    "company_website": "website",
    "company_domain": "website",
    "company_industry": "industry",
    "company_founded_year": "founded_year",
    "company_logo_url": "profile_pic_url",
}
_SEAT_FIELDS: Mapping[str, str] = {
    "company_country": "country",
    "company_city": "city",
    "company_region": "state",
    "company_postal_code": "postal_code",
    "company_street": "line_1",
}
_COMPANY_TYPES: Mapping[str, str] = {
    "EDUCATIONAL": "Educational institution",
    "GOVERNMENT_AGENCY": "Government agency",
    "NON_PROFIT": "Nonprofit",
    "PARTNERSHIP": "Partnership",
    "PRIVATELY_HELD": "Privately held",
    "PUBLIC_COMPANY": "Public company",
    "SELF_EMPLOYED": "Self-employed",
    "SELF_OWNED": "Sole proprietorship",
}

_PROFILE = Operation(
    name="profile",
    needs=field_sets("person_linkedin_url"),
    gives=gives(
        **dict.fromkeys(_PERSON_FIELDS, SURE),
        **dict.fromkeys(_SOCIAL_IDS, 90),
        person_linkedin_url=SURE,
        person_title=SURE,
        person_skills=SURE,
        person_experience=SURE,
        person_education=SURE,
        person_company_name=SURE,
        person_company_linkedin_url=SURE,
    ),
    price_micros=PROFILE_PRICE,
    timeout_s=90.0,  # the vendor's own SDK waits that long
)
_COMPANY = Operation(
    name="company",
    needs=field_sets("company_linkedin_url"),
    gives=gives(
        **dict.fromkeys(_COMPANY_FIELDS, SURE),
        **dict.fromkeys(_SEAT_FIELDS, SURE),
        company_linkedin_url=SURE,
        company_employee_count=90,
        company_size=SURE,
        company_type=SURE,
        company_tags=90,
    ),
    price_micros=PROFILE_PRICE,
    timeout_s=90.0,
)
SPEC = ProviderSpec(
    name="enrichlayer",
    operations=(_PROFILE, _COMPANY),
    base_url="https://enrichlayer.com/api/v2",
    key_setting="linkedin_api_key",
    limits=(Limit(300, 60),),  # unconfirmed: from the vendor's blog of 2021
    opt_in=True,
    family="linkedin",
    notice=(
        "EnrichLayer sells data scraped from LinkedIn, whose terms forbid scraping and who has "
        "taken vendors to court over it. Check that you may use such data before you allow it."
    ),
)


class EnrichLayer:
    """Speaks to ``enrichlayer.com``, which keeps Proxycurl's shapes.

    Vendor facts: a miss is 404; 404 and 5xx are free; 403 means out of credits; 401 a bad key.
    """

    def __init__(self, spec: ProviderSpec = SPEC) -> None:
        """``spec`` may carry the user's own price and limits; bills are stated by its price."""
        self.spec = spec

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer one ask of ``profile`` or ``company``."""
        declared = self.spec.operation(operation)
        return [await self._one(declared, ask, http) for ask in asks]

    async def _one(self, operation: Operation, ask: Ask, http: VendorHttp) -> Reply:
        url = next(iter(identified_by(ask, operation.needs).values()), None)
        if url is None:
            return not_asked("no LinkedIn address is known")
        is_person = operation.name == _PROFILE.name
        response = await http.request(
            "GET",
            f"{http.base_url}/{operation.name}",
            params={"profile_url" if is_person else "url": url},
            headers={"Authorization": f"Bearer {http.key}"},
        )
        if response.status != HTTPStatus.OK:
            return _refusal(response)
        record = parse_json(response.body)
        if not isinstance(record, Mapping):
            return malformed(response)
        readings = _person(record, url) if is_person else _company(record, url)
        if not readings.found:
            return malformed(response)
        readings.add(next(iter(operation.needs[0])), url)
        return Reply(
            Verdict.MATCH,
            Billed(operation.price_micros),
            readings=readings.found,
            raw=response.body,
            notes=readings.notes,
        )


def _person(record: Mapping[str, Json], url: str) -> Readings:
    readings = Readings(_PROFILE.gives, url=url)
    for field, key in _PERSON_FIELDS.items():
        readings.add(field, text_at(record, key))
    for field, key in _SOCIAL_IDS.items():
        readings.add(field, text_at(record, "extra", key))
    readings.add("person_skills", texts_at(record, "skills"))
    experiences = objects_at(record, "experiences")
    positions = (
        station(text_at(one, "title"), text_at(one, "company"), *_span(one)) for one in experiences
    )
    readings.add("person_experience", stations(positions))
    studies = (
        station(
            " ".join(texts_at([text_at(one, "degree_name"), text_at(one, "field_of_study")]))
            or None,
            text_at(one, "school"),
            *_span(one),
        )
        for one in objects_at(record, "education")
    )
    readings.add("person_education", stations(studies))
    job = next((one for one in experiences if one.get("ends_at") is None), None)
    readings.add("person_title", text_at(job, "title"))
    readings.add("person_company_name", text_at(job, "company"))
    readings.add("person_company_linkedin_url", text_at(job, "company_linkedin_profile_url"))
    return readings


def _span(one: Mapping[str, Json]) -> tuple[str | None, str | None]:
    """Return when a position or a study began and ended, as far as months are told."""
    begin, end = (_month(one, key) for key in ("starts_at", "ends_at"))
    return begin, end


def _month(one: Mapping[str, Json], key: str) -> str | None:
    year, month = int_at(one, key, "year"), int_at(one, key, "month")
    return None if year is None else f"{year}" if month is None else f"{year}-{month:02}"


def _company(record: Mapping[str, Json], url: str) -> Readings:
    readings = Readings(
        _COMPANY.gives, url=url, country=country_of(text_at(record, "hq", "country"))
    )
    for field, key in _COMPANY_FIELDS.items():
        readings.add(field, text_at(record, key, numbers=True))
    for field, key in _SEAT_FIELDS.items():
        readings.add(field, text_at(record, "hq", key, numbers=True))
    kind = text_at(record, "company_type") or ""
    readings.add("company_type", _COMPANY_TYPES.get(kind.upper()))
    readings.add("company_tags", texts_at(record, "specialities"))
    readings.add("company_employee_count", int_at(record, "company_size_on_linkedin"))
    readings.add("company_size", _size_of(record))
    return readings


def _size_of(record: Mapping[str, Json]) -> Json:
    """Return the stated range of employees as text; the upper end of the last one is null."""
    low, high = int_at(record, "company_size", 0), int_at(record, "company_size", 1)
    if low is None:
        return None
    return f"{low}-{high}" if high is not None else f"{low}+"


_REFUSALS: Mapping[int, Verdict] = {
    400: Verdict.BAD_INPUT,
    401: Verdict.AUTH,
    403: Verdict.OUT_OF_CREDITS,
    404: Verdict.NO_MATCH,
    429: Verdict.RATE_LIMITED,
}


def _refusal(response: VendorResponse) -> Reply:
    """Return the reply for every status but 200, by this vendor's habits."""
    if HTTPStatus.CONTINUE <= response.status < HTTPStatus.MULTIPLE_CHOICES:
        return malformed(response)
    verdict = _REFUSALS.get(response.status, Verdict.VENDOR_ERROR)
    if verdict is Verdict.NO_MATCH and "requested url" in message_of(response).lower():
        verdict = Verdict.VENDOR_ERROR  # the base URL is wrong: nothing is known about the page
    return unusable(verdict, response, Unbilled())


enrichlayer = EnrichLayer()
