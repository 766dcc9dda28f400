"""Serper: Google results, resolved to a company's site, its LinkedIn page and panel facts."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from glaze.model.names import company_key, person_key
from glaze.model.profile import parse_linkedin
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
from glaze.model.text import fold
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
    text_at,
    unusable,
)
from glaze.model.web_address import domain_of, is_shared_host, parse_url

SURE = 70
SEARCH_PRICE = Micros(1_000)
"""One search of ten results, $0.001; larger packages cost less."""
_MOST_CREDITS = 10
_SHORTEST_LABEL = 3  # letters: below it a domain says too little about a name

# The panel's attribute, as Google words it -> the field.
_PANEL: Mapping[str, tuple[str, ...]] = {
    "Founded": ("company_founded_year",),
    "Number of employees": ("company_employee_count", "company_size"),
    "Phone": ("company_phone",),
    "Customer service": ("company_phone",),
    "Revenue": ("company_revenue",),
}
_PERSON_NEEDS = field_sets(
    "person_full_name company_name",
    "person_first_name person_last_name company_name",
    "person_full_name company_domain",
    "person_first_name person_last_name company_domain",
)

_COMPANY = Operation(
    name="company_search",
    needs=field_sets("company_domain", "company_name"),
    gives=gives(
        company_name=SURE,
        company_domain=SURE,
        company_website=SURE,
        company_linkedin_url=SURE,
        company_description=SURE,
        company_industry=60,
        company_founded_year=SURE,
        company_employee_count=60,
        company_size=60,
        company_revenue=55,
        company_phone=SURE,
        company_city=60,
        company_country=60,
    ),
    price_micros=SEARCH_PRICE,
)
_COMPANY_PAGE = Operation(
    name="company_linkedin_search",
    needs=field_sets("company_name"),
    gives=gives(company_linkedin_url=SURE),
    price_micros=SEARCH_PRICE,
)
_PERSON_PAGE = Operation(
    name="person_linkedin_search",
    needs=_PERSON_NEEDS,
    gives=gives(person_linkedin_url=SURE, person_title=55),
    price_micros=SEARCH_PRICE,
)
SPEC = ProviderSpec(
    name="serper",
    operations=(_COMPANY, _COMPANY_PAGE, _PERSON_PAGE),
    base_url="https://google.serper.dev",
    key_setting="search_api_key",
    limits=(Limit(50, 1),),
)


@dataclass(frozen=True, slots=True)
class _Result:
    title: str
    link: str
    host: str
    snippet: str


class Serper:
    """Speaks to ``google.serper.dev``.

    Vendor facts: only successes are charged, and a search without results is one; 403 is a bad
    key; an empty account answers 400 with a message about credits (unconfirmed); limits come
    without headers.
    """

    def __init__(self, spec: ProviderSpec = SPEC) -> None:
        """``spec`` may carry the user's own price and limits; bills are stated by its price."""
        self.spec = spec

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer one ask by one search."""
        declared = self.spec.operation(operation)
        return [await _one(declared, ask, http) for ask in asks]


async def _one(operation: Operation, ask: Ask, http: VendorHttp) -> Reply:
    question = identified_by(ask, operation.needs)
    if not question:
        return not_asked("nothing is known to search for")
    response = await http.request(
        "POST",
        f"{http.base_url}/search",
        headers={"X-API-KEY": http.key},
        json={"q": _query(operation.name, question), "num": 10},
    )
    if response.status != HTTPStatus.OK:
        return _refusal(response)
    body = parse_json(response.body)
    credits_used = int_at(body, "credits")
    if not _is_search(body) or not (credits_used is None or 0 <= credits_used <= _MOST_CREDITS):
        return malformed(response)
    readings = _read(operation.name, question, body)
    price = operation.price_micros * (1 if credits_used is None else credits_used)
    return Reply(
        Verdict.MATCH if readings.found else Verdict.NO_MATCH,
        Billed(Micros(price)) if price else Unbilled(),
        readings=readings.found,
        raw=response.body,
        notes=readings.notes,
    )


def _is_search(body: Json) -> bool:
    """Tell whether ``body`` is a search's answer; one without results has an empty list."""
    if at(body, "message") or at(body, "error"):
        return False
    return isinstance(at(body, "organic"), list)


def _query(operation: str, question: Mapping[FieldName, str]) -> str:
    company = question.get(FieldName("company_name")) or question.get(FieldName("company_domain"))
    if operation == _COMPANY.name:
        return str(company)
    quoted = str(company).replace('"', " ")
    if operation == _COMPANY_PAGE.name:
        return f'site:linkedin.com/company "{quoted}"'
    name = _person_name(question).replace('"', " ")
    return f'site:linkedin.com/in "{name}" "{quoted}"'


def _person_name(question: Mapping[FieldName, str]) -> str:
    full = question.get(FieldName("person_full_name"))
    parts = (question.get(FieldName(f"person_{part}_name"), "") for part in ("first", "last"))
    return full or " ".join(parts)


def _read(operation: str, question: Mapping[FieldName, str], body: Json) -> Readings:
    results = [*_results(body)]
    if operation == _PERSON_PAGE.name:
        return _person_page(question, results)
    if operation == _COMPANY_PAGE.name:
        readings = Readings(_COMPANY_PAGE.gives)
        _add_page(readings, company_key(question[FieldName("company_name")]), results)
        return readings
    return _company(question, body, results)


def _results(body: Json) -> Iterator[_Result]:
    for one in objects_at(body, "organic"):
        link = text_at(one, "link")
        try:
            host = parse_url(link or "").host
        except ValueError:
            continue  # a result without a usable link names nothing
        title, snippet = text_at(one, "title") or "", text_at(one, "snippet") or ""
        yield _Result(title, link or "", host, snippet)


def _company(question: Mapping[FieldName, str], body: Json, results: Sequence[_Result]) -> Readings:
    name, domain = (
        question.get(FieldName("company_name")),
        question.get(FieldName("company_domain")),
    )
    panel = at(body, "knowledgeGraph")
    if not _is_about(panel, name, domain):
        panel = None
    readings = Readings(_COMPANY.gives, country=_seat(panel)[1])
    _add_panel(readings, panel)
    site = next((one for one in results if _is_site(one, name, domain)), None)
    if site is not None:
        readings.add("company_website", f"https://{site.host}", url=site.link, quote=_words(site))
        readings.add("company_domain", site.host, url=site.link, quote=_words(site))
        readings.add("company_description", site.snippet, url=site.link, quote=site.snippet)
    called = name or text_at(panel, "title")
    if called is None and domain:
        called = domain.partition(".")[0]
    _add_page(readings, company_key(called or ""), results)
    return readings


def _is_about(panel: Json, name: str | None, domain: str | None) -> bool:
    """Tell whether the knowledge panel is the asked company's: by its site, else by its name."""
    site = _domain(text_at(panel, "website"))
    if domain is not None:
        return site == domain
    return company_key(text_at(panel, "title") or "") == company_key(name or "")


def _add_panel(readings: Readings, panel: Json) -> None:
    website = text_at(panel, "website")
    about = text_at(panel, "description")
    readings.add("company_name", text_at(panel, "title"), url=website)
    readings.add("company_website", website, url=website)
    readings.add("company_domain", website, url=website)
    readings.add("company_description", about, url=website, quote=about)
    kind = re.fullmatch(r"(?i)(.+?)\s+company", text_at(panel, "type") or "")
    readings.add("company_industry", kind[1] if kind else None, url=website)
    city, country = _seat(panel)
    readings.add("company_city", city, url=website)
    readings.add("company_country", country, url=website)
    for label, fields in _PANEL.items():
        stated = text_at(panel, "attributes", label, numbers=True)
        value = re.sub(r"\s*\([^)]*\)\s*$", "", stated or "")  # "1,600 (2024)"
        for field in fields:
            readings.add(field, value, url=website, quote=f"{label}: {stated}")


def _seat(panel: Json) -> tuple[str | None, str | None]:
    """Return (city, ISO country) of a panel's headquarters such as "Munich, Germany"."""
    parts = (text_at(panel, "attributes", "Headquarters") or "").split(",")
    country = country_of(parts[-1].strip())
    city = parts[0].strip() if country and len(parts) > 1 else None
    return city, country


def _is_site(result: _Result, name: str | None, domain: str | None) -> bool:
    """Tell whether a result is the company's own site.

    Where only the name is known, the domain's own label must spell it: directories carry the
    company's name in the title, too.
    """
    if is_shared_host(result.host):
        return False
    found = _domain(result.host)
    if domain is not None or found is None:
        return found is not None and found == domain
    label = fold(found.partition(".")[0]).replace(" ", "")
    key = company_key(name or "").replace(" ", "")
    if min(len(label), len(key)) < _SHORTEST_LABEL:
        return False
    return label == key or (key in label and company_key(name or "") in fold(result.title))


def _add_page(readings: Readings, key: str, results: Sequence[_Result]) -> None:
    """Add the LinkedIn page whose title is the company's name or whose slug spells it."""
    for result in results:
        try:
            page = parse_linkedin(result.link)
        except ValueError:
            continue  # most results are other sites'
        titled = company_key(re.split(r"\s[|\-–—:]\s|\s*\|", result.title)[0])  # noqa: RUF001
        spelled = fold(page.slug).replace(" ", "") == key.replace(" ", "")
        if key and not page.is_person and (titled == key or spelled):
            readings.add("company_linkedin_url", result.link, url=result.link, quote=_words(result))
            return


def _person_page(question: Mapping[FieldName, str], results: Sequence[_Result]) -> Readings:
    """Read "Jane Doe - CTO - Acme | LinkedIn": the name must match, the company must appear."""
    readings = Readings(_PERSON_PAGE.gives)
    key = person_key(_person_name(question))
    company = question.get(FieldName("company_name")) or question[FieldName("company_domain")]
    employer = company_key(company if "." not in company else company.partition(".")[0])
    for result in results:
        parts = re.split(r"\s+[-–—|]\s+", result.title)  # noqa: RUF001  dashes as Google has them
        words = f" {fold(f'{result.title} {result.snippet}')} "
        if person_key(parts[0]) != key or f" {employer} " not in words:
            continue
        url, quote = result.link, _words(result)
        if readings.add("person_linkedin_url", url, url=url, quote=quote):
            titled = len(parts) > 2 and company_key(parts[1]) != employer  # noqa: PLR2004
            readings.add("person_title", parts[1] if titled else None, url=url, quote=quote)
            break
    return readings


def _words(result: _Result) -> str:
    return result.snippet or result.title


def _domain(text: str | None) -> str | None:
    try:
        return domain_of(text) if text else None
    except ValueError:
        return None


_REFUSALS: Mapping[int, Verdict] = {
    400: Verdict.BAD_INPUT,
    401: Verdict.AUTH,
    402: Verdict.OUT_OF_CREDITS,
    403: Verdict.AUTH,
    422: Verdict.BAD_INPUT,
    429: Verdict.RATE_LIMITED,
}


def _refusal(response: VendorResponse) -> Reply:
    """Return the reply for every status but 200, by this vendor's habits."""
    if response.status < HTTPStatus.MULTIPLE_CHOICES:
        return malformed(response)
    verdict = _REFUSALS.get(response.status, Verdict.VENDOR_ERROR)
    if verdict is not Verdict.RATE_LIMITED and "credit" in message_of(response).lower():
        verdict = Verdict.OUT_OF_CREDITS
    return unusable(verdict, response, Unbilled())


serper = Serper()
