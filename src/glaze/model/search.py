"""Web search results, whoever gave them, resolved to one company's site and pages or to nobody."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from glaze.model.names import company_key, person_key
from glaze.model.profile import is_linkedin, known_profile, parse_linkedin
from glaze.model.provider import Billing, Operation, Reply, VendorResponse, Verdict
from glaze.model.text import fold
from glaze.model.value import FieldName, Micros
from glaze.model.vendor_body import Readings, country_of, field_sets, gives
from glaze.model.web_address import domain_of, is_shared_host, parse_url

SURE = 70
"""Confidence in what was resolved from a search."""
RESULTS = 10
"""How many results one search asks for: the right one is rarely further down."""

COMPANY = "company_search"
COMPANY_PAGE = "company_linkedin_search"
PERSON_PAGE = "person_linkedin_search"
PROFILES = "company_profile_search"
PERSON_PROFILES = "person_profile_search"

_SHORTEST_LABEL = 3  # letters: below it a domain says too little about a name
_DASHES = "\\-–—"  # noqa: RUF001  as search engines print them
_PARTS = re.compile(rf"\s+[{_DASHES}|]\s+")
_HANDLE = re.compile(r"\s*\(?@")
_TITLE_END = re.compile(rf"\s*[(·@|]|\s[{_DASHES}:]\s")  # of a person's name
_NAME_END = re.compile(rf"\s[|{_DASHES}:]\s|\s*\|")

# The panel's attribute, as Google words it -> the field.
_ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
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
_PROFILED = field_sets(
    "company_domain company_name person_full_name",
    "company_name person_full_name",
    "company_domain person_full_name",
)
_OF_PEOPLE = ("github", "twitter", "facebook")
_PROFILE_SITES = "crunchbase facebook github instagram mastodon tiktok twitter xing youtube".split()
_SHOWN, _SPELLED = 75, 60  # the result shows the company's domain; its handle only spells it
_SITE = gives(
    company_name=SURE,
    company_domain=SURE,
    company_website=SURE,
    company_linkedin_url=SURE,
    company_description=SURE,
)
PANEL_FIELDS = gives(
    company_industry=60,
    company_founded_year=SURE,
    company_employee_count=60,
    company_size=60,
    company_revenue=55,
    company_phone=SURE,
    company_city=60,
    company_country=60,
)
"""What a panel of facts beside the results adds, where a search engine has one."""


@dataclass(frozen=True, slots=True)
class Result:
    """One result: where it leads and what the engine shows of it."""

    title: str
    link: str
    host: str
    snippet: str


@dataclass(frozen=True, slots=True)
class Panel:
    """The facts that an engine shows beside its results, in the engine's own words."""

    title: str | None = None
    website: str | None = None
    about: str | None = None
    industry: str | None = None
    city: str | None = None
    country: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Query:
    """What to search for, and the only site to search where ``site`` is given."""

    words: str
    site: str | None = None

    @property
    def as_operators(self) -> str:
        """The query in the operators that most engines share."""
        return f"site:{self.site} {self.words}" if self.site else self.words


def search_operations(
    price: Micros, panel: Mapping[FieldName, int] = MappingProxyType({})
) -> tuple[Operation, ...]:
    """Return the operations of a search API: company, its LinkedIn page, its profiles, a person's.

    Args:
        price: The most that one search costs.
        panel: Fields that the company search gives beyond site, name and page, with confidence.
    """
    return (
        Operation(
            name=COMPANY,
            needs=field_sets("company_domain", "company_name"),
            gives=MappingProxyType({**_SITE, **panel}),
            price_micros=price,
        ),
        Operation(
            name=COMPANY_PAGE,
            needs=field_sets("company_name"),
            gives=gives(company_linkedin_url=SURE),
            price_micros=price,
        ),
        Operation(
            name=PROFILES,
            needs=field_sets("company_domain company_name"),
            gives=gives(**{f"company_{site}_url": _SHOWN for site in _PROFILE_SITES}),
            price_micros=price,
        ),
        Operation(
            name=PERSON_PAGE,
            needs=_PERSON_NEEDS,
            gives=gives(person_linkedin_url=SURE, person_title=55),
            price_micros=price,
        ),
        Operation(
            name=PERSON_PROFILES,
            needs=_PROFILED,
            gives=gives(
                person_social_urls=_SHOWN, **{f"person_{site}_url": _SHOWN for site in _OF_PEOPLE}
            ),
            price_micros=price,
            opt_in=True,
        ),
    )


def query_for(operation: str, question: Mapping[FieldName, str]) -> Query:
    """Return what to search for to answer ``question``, the identifiers of ``operation``."""
    company = _text(question, "company_name") or _text(question, "company_domain") or ""
    if operation == COMPANY:
        return Query(company)
    quoted = company.replace('"', " ")
    if operation == COMPANY_PAGE:
        return Query(f'"{quoted}"', "linkedin.com/company")
    if operation == PROFILES:
        return Query(f'"{quoted}" official profile on X, Facebook, Instagram, YouTube, GitHub')
    name = _person_name(question).replace('"', " ")
    if operation == PERSON_PROFILES:
        return Query(f'"{name}" "{quoted}" profile on GitHub, X, personal site')
    return Query(f'"{name}" "{quoted}"', "linkedin.com/in")


def results_of(rows: Iterable[tuple[str | None, str | None, str | None]]) -> list[Result]:
    """Return the results of (title, link, snippet); one without a usable link names nothing."""
    found = []
    for title, link, snippet in rows:
        try:
            host = parse_url(link or "").host
        except ValueError:
            continue
        found.append(Result(title or "", link or "", host, snippet or ""))
    return found


def resolve(
    operation: Operation,
    question: Mapping[FieldName, str],
    results: Sequence[Result],
    panel: Panel | None = None,
) -> Readings:
    """Return what the results say about whom ``question`` asks for; empty where they fit nobody."""
    if operation.name == PERSON_PAGE:
        return _person_page(operation, question, results)
    if operation.name == PERSON_PROFILES:
        return _person_profiles(operation, question, results)
    if operation.name == PROFILES:
        return _profiles(operation, question, results)
    if operation.name == COMPANY_PAGE:
        readings = Readings(operation.gives)
        _add_page(readings, company_key(question[FieldName("company_name")]), results)
        return readings
    return _company(operation, question, results, panel)


def searched(
    operation: Operation,
    question: Mapping[FieldName, str],
    response: VendorResponse,
    results: Sequence[Result],
    *,
    billing: Billing,
    panel: Panel | None = None,
) -> Reply:
    """Return the Reply of a search that ended well, whether or not it found who was meant."""
    readings = resolve(operation, question, results, panel)
    return Reply(
        Verdict.MATCH if readings.found else Verdict.NO_MATCH,
        billing,
        readings=readings.found,
        raw=response.body,
        notes=readings.notes,
    )


def seat_of(text: str | None) -> tuple[str | None, str | None]:
    """Return (city, ISO country) of a seat as "Munich, Germany"; None for what it does not say."""
    parts = (text or "").split(",")
    country = country_of(parts[-1].strip())
    city = parts[0].strip() if country and len(parts) > 1 else None
    return city, country


def _text(question: Mapping[FieldName, str], name: str) -> str | None:
    return question.get(FieldName(name))


def _person_name(question: Mapping[FieldName, str]) -> str:
    parts = (_text(question, f"person_{part}_name") or "" for part in ("first", "last"))
    return _text(question, "person_full_name") or " ".join(parts)


def _company(
    operation: Operation,
    question: Mapping[FieldName, str],
    results: Sequence[Result],
    panel: Panel | None,
) -> Readings:
    name, domain = _text(question, "company_name"), _text(question, "company_domain")
    if panel is not None and not is_about(panel, question):
        panel = None
    readings = Readings(operation.gives, country=panel.country if panel else None)
    if panel is not None:
        _add_panel(readings, panel)
    site = next((one for one in results if _is_site(one, name, domain)), None)
    if site is not None:
        readings.add("company_website", f"https://{site.host}", url=site.link, quote=_words(site))
        readings.add("company_domain", site.host, url=site.link, quote=_words(site))
        readings.add("company_description", site.snippet, url=site.link, quote=site.snippet)
    called = name or (panel.title if panel else None)
    if called is None and domain:
        called = domain.partition(".")[0]
    _add_page(readings, company_key(called or ""), results)
    return readings


def is_about(panel: Panel, question: Mapping[FieldName, str]) -> bool:
    """Tell whether the panel is the asked company's: by its site, else by its name."""
    name, domain = _text(question, "company_name"), _text(question, "company_domain")
    if domain is not None:
        return _domain(panel.website) == domain
    return company_key(panel.title or "") == company_key(name or "")


def _add_panel(readings: Readings, panel: Panel) -> None:
    url = panel.website
    readings.add("company_name", panel.title, url=url)
    readings.add("company_website", url, url=url)
    readings.add("company_domain", url, url=url)
    readings.add("company_description", panel.about, url=url, quote=panel.about)
    readings.add("company_industry", panel.industry, url=url)
    readings.add("company_city", panel.city, url=url)
    readings.add("company_country", panel.country, url=url)
    for label, fields in _ATTRIBUTES.items():
        stated = panel.attributes.get(label)
        value = re.sub(r"\s*\([^)]*\)\s*$", "", stated or "")  # "1,600 (2024)"
        for name in fields:
            readings.add(name, value, url=url, quote=f"{label}: {stated}")


def _is_site(result: Result, name: str | None, domain: str | None) -> bool:
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


def _add_page(readings: Readings, key: str, results: Sequence[Result]) -> None:
    """Add the LinkedIn page whose title is the company's name or whose slug spells it."""
    for result in results:
        try:
            page = parse_linkedin(result.link)
        except ValueError:
            continue  # most results are other sites'
        titled = company_key(_NAME_END.split(result.title)[0])
        spelled = fold(page.slug).replace(" ", "") == key.replace(" ", "")
        if key and not page.is_person and (titled == key or spelled):
            readings.add("company_linkedin_url", result.link, url=result.link, quote=_words(result))
            return


def _person_page(
    operation: Operation, question: Mapping[FieldName, str], results: Sequence[Result]
) -> Readings:
    """Read "Jane Doe - CTO - Acme | LinkedIn": the name must match, the company must appear."""
    readings = Readings(operation.gives)
    key = person_key(_person_name(question))
    company = _text(question, "company_name") or question[FieldName("company_domain")]
    employer = company_key(company if "." not in company else company.partition(".")[0])
    for result in results:
        parts = _PARTS.split(result.title)
        words = f" {fold(f'{result.title} {result.snippet}')} "
        if person_key(parts[0]) != key or f" {employer} " not in words:
            continue
        url, quote = result.link, _words(result)
        if readings.add("person_linkedin_url", url, url=url, quote=quote):
            titled = len(parts) > 2 and company_key(parts[1]) != employer  # noqa: PLR2004
            readings.add("person_title", parts[1] if titled else None, url=url, quote=quote)
            break
    return readings


def _profiles(
    operation: Operation, question: Mapping[FieldName, str], results: Sequence[Result]
) -> Readings:
    """Add profiles whose title is the company's name, where the domain is shown or spelled.

    A title alone is a namesake's as well: the result must show the company's domain, or the
    address must spell its label.
    """
    readings = Readings(operation.gives)
    key, domain = (
        company_key(question[FieldName("company_name")]),
        question[FieldName("company_domain")],
    )
    label = domain.partition(".")[0].replace("-", "")
    for result in results:
        found = known_profile(parse_url(result.link))
        titled = company_key(_HANDLE.split(_NAME_END.split(result.title)[0])[0])
        if found is None or found[0] not in _PROFILE_SITES or not key or titled != key:
            continue
        names = re.findall(r"[a-z0-9.@-]+", f"{result.title} {result.snippet}".lower())
        shown = domain in {name.strip(".-").removeprefix("www.") for name in names}
        if shown or label in re.sub(r"[-_.]", "", found[1].rpartition("/")[2].lower()):
            sure = _SHOWN if shown else _SPELLED
            field_name = f"company_{found[0]}_url"
            quote = f"{result.title} | {result.snippet}".strip(" |")
            readings.add(field_name, found[1], confidence=sure, url=result.link, quote=quote)
    return readings


def _person_profiles(
    operation: Operation, question: Mapping[FieldName, str], results: Sequence[Result]
) -> Readings:
    """Add what is titled with the person's name and shows the employer, by its name or domain.

    A person's own site counts where the domain spells the name. LinkedIn has a search of its own.
    """
    readings = Readings(operation.gives)
    key = person_key(_person_name(question))
    company, domain = _text(question, "company_name") or "", _text(question, "company_domain") or ""
    urls, quotes = [], []
    for result in results:
        words = f"{result.title} | {result.snippet}".strip(" |")
        titled = person_key(_TITLE_END.split(result.title)[0])
        if is_linkedin(result.host) or not key or titled != key:
            continue
        if not _shows_employer(words, company_key(company), domain):
            continue
        found = known_profile(parse_url(result.link))
        spelled = fold((_domain(result.host) or "").partition(".")[0]).replace(" ", "")
        if found is not None:
            url = found[1]
            if found[0] in _OF_PEOPLE:
                readings.add(f"person_{found[0]}_url", url, url=result.link, quote=words)
        elif spelled == key.replace(" ", ""):
            url = f"https://{result.host}"
        else:
            continue
        urls.append(url)
        quotes.append(f"{url}: {words}")
    if urls:
        own = list(dict.fromkeys(urls))
        readings.add("person_social_urls", own, url=own[0], quote=" | ".join(quotes))
    return readings


def _shows_employer(words: str, company: str, domain: str) -> bool:
    shown = {
        name.strip(".-").removeprefix("www.") for name in re.findall(r"[a-z0-9.-]+", words.lower())
    }
    return (bool(domain) and domain in shown) or (
        bool(company) and f" {company} " in f" {fold(words)} "
    )


def _words(result: Result) -> str:
    return result.snippet or result.title


def _domain(text: str | None) -> str | None:
    try:
        return domain_of(text) if text else None
    except ValueError:
        return None
