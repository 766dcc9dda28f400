"""The website provider: a few pages of the company's own site, read for everything they state."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from glaze.model.provider import (
    Ask,
    Operation,
    Page,
    ProviderSpec,
    Reply,
    Resend,
    Unbilled,
    VendorHttp,
    VendorResponse,
    Verdict,
)
from glaze.model.value import FieldName, Json, Reading
from glaze.model.vendor_body import field_sets, gives, identified_by, not_asked
from glaze.providers.website.document import Document, domain_or_host, host_of
from glaze.providers.website.extract import readings_of
from glaze.providers.website.fetch import TRIES, Failure, Robots, get
from glaze.providers.website.merge_pages import PageReadings, merged
from glaze.providers.website.parked import parked
from glaze.providers.website.parse import parse
from glaze.providers.website.site_pages import Choice, pages_to_read
from glaze.providers.website.sitemap import listed_pages

_READ_FOR_S = 25.0  # within the operation's 30 s, so that what was read by then is kept
_LONGEST_DELAY_S = 2.0
_FEW_PAGES = 2  # fewer, and the menu may be one that only a script draws
_MAX_PAGE_TEXT = 20_000
_MAX_RAW_READINGS = 400

_SITE = Operation(
    name="site",
    needs=field_sets("company_website", "company_domain"),
    gives=gives(
        company_name=80,
        company_legal_name=78,
        company_website=70,
        company_description=78,
        company_industry=70,
        company_employee_count=60,
        company_size=70,
        company_founded_year=70,
        company_street=80,
        company_city=80,
        company_region=80,
        company_postal_code=80,
        company_country=80,
        company_phone=80,
        company_email=80,
        company_linkedin_url=80,
        company_twitter_url=80,
        company_facebook_url=80,
        company_instagram_url=80,
        company_youtube_url=80,
        company_github_url=80,
        company_crunchbase_url=75,
        company_social_urls=80,
        company_logo_url=76,
        company_technologies=78,
        company_tags=55,
        company_opening_hours=70,
        company_ticker=75,
        company_vat_id=80,
        company_registry_ids=80,
        company_registration_number=76,
        company_lei=80,
        company_naics=75,
        company_tiktok_url=80,
        company_xing_url=80,
        company_mastodon_url=80,
        company_contact_url=72,
        company_careers_url=72,
    ),
    timeout_s=30.0,
    resend=Resend.SAFE,
)


@dataclass
class _Visit:
    """What was read of one site so far."""

    pages: list[PageReadings] = field(default_factory=list)
    texts: list[Page] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Website:
    """Reads the company's own site; free, and needs no key."""

    # No limit is shared: each site is asked for its own few pages, one after the other.
    spec = ProviderSpec(name="website", operations=(_SITE,), limits=(), room=100)

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Read the site that each ask names; what fails is said in its Reply."""
        needs = self.spec.operation(operation).needs
        return [await self._site(ask, needs, http) for ask in asks]

    async def _site(
        self, ask: Ask, needs: Sequence[frozenset[FieldName]], http: VendorHttp
    ) -> Reply:
        known = identified_by(ask, needs)
        start = next(iter(known.values()), "")
        if not start:
            return not_asked("neither a website nor a domain is known")
        visit = _Visit()
        try:
            async with asyncio.timeout(_READ_FOR_S):
                failure = await _read_site(http, start, visit)
        except TimeoutError:
            failure = Failure(Verdict.VENDOR_ERROR, "the site did not answer in time")
            visit.notes.append(f"stopped after {_READ_FOR_S:.0f} s")
        if failure and not visit.pages:
            return Reply(
                failure.verdict,
                Unbilled(),
                raw=_raw(visit, start),
                retry_after_s=failure.retry_after_s,
                detail=failure.detail,
                notes=tuple(visit.notes),
            )
        readings = merged(visit.pages)
        return Reply(
            Verdict.MATCH if readings else Verdict.NO_MATCH,
            Unbilled(),
            readings=readings,
            raw=_raw(visit, start),
            detail="" if readings else "the site states nothing that could be read",
            pages=tuple(visit.texts),
            notes=tuple(visit.notes),
        )


website = Website()


async def _read_site(http: VendorHttp, start: str, visit: _Visit) -> Failure | None:
    """Read the first page, then the few that it leads to; None where the first could be read."""
    robots, answer = await _first_page(http, start)
    if isinstance(answer, Failure):
        return answer
    asked, got = domain_or_host(host_of(_with_scheme(start))), domain_or_host(host_of(answer.url))
    if asked != got:
        return Failure(Verdict.NO_MATCH, f"the site leads to another one, {got}")
    home = await _read_page(answer, "home", visit)
    if said := parked(home):
        visit.pages.clear()
        visit.texts.clear()  # nobody is to quote from it either
        return Failure(Verdict.NO_MATCH, f"there is no site, the domain is parked: {said!r}")
    if robots.delay_s > _LONGEST_DELAY_S:
        visit.notes.append(
            f"only the first page: robots.txt wants {robots.delay_s:g} s between two"
        )
        return None
    choices = pages_to_read(home)
    if len(choices) < _FEW_PAGES:
        choices = pages_to_read(home, await listed_pages(http, robots, home))
    for choice in choices:
        await asyncio.sleep(robots.delay_s)
        await _read_choice(http, robots, home, choice, visit)
    return None


async def _first_page(http: VendorHttp, start: str) -> tuple[Robots, VendorResponse | Failure]:
    """Fetch the first page under the first spelling of its address that a server answers to."""
    failures: list[Failure] = []
    absent: set[str] = set()
    for url in _spellings(start):
        if (host := host_of(url)) in absent:
            continue
        robots = await Robots.read(http, url)
        if reason := robots.forbids(url):
            refused = Verdict.VENDOR_ERROR if robots.failing else Verdict.NO_MATCH
            return robots, Failure(refused, reason)
        answer = await get(http, url, tries=1 if failures else TRIES)
        if isinstance(answer, VendorResponse) or not answer.unreached:
            return robots, answer
        failures.append(answer)
        if answer.verdict is Verdict.NO_MATCH:
            absent.add(host)
    # A host that is there but silent may answer later, whatever the other spellings come to.
    silent = (one for one in failures if one.verdict is not Verdict.NO_MATCH)
    return Robots(None), next(silent, failures[0])


async def _read_choice(
    http: VendorHttp, robots: Robots, home: Document, choice: Choice, visit: _Visit
) -> None:
    """Read one more page, or note why not."""
    reason = robots.forbids(choice.url)
    answer = Failure(Verdict.NO_MATCH, reason) if reason else await get(http, choice.url)
    if isinstance(answer, Failure):
        visit.notes.append(f"{choice.kind} page left out: {answer.detail}")
    elif domain_or_host(host_of(answer.url)) != home.domain:
        visit.notes.append(f"{choice.kind} page left out: it leads to another site")
    elif all(page.url != answer.url for page in visit.pages):
        await _read_page(answer, choice.kind, visit)


async def _read_page(answer: VendorResponse, kind: str, visit: _Visit) -> Document:
    document, readings = await asyncio.to_thread(_taken_apart, answer)
    visit.pages.append(PageReadings(answer.url, kind, readings))
    text = "\n".join((document.title, *document.lines))[:_MAX_PAGE_TEXT]
    visit.texts.append(Page(answer.url, text.strip()))
    return document


def _taken_apart(answer: VendorResponse) -> tuple[Document, list[Reading]]:
    document = parse(answer.body, answer.url, answer.headers.get("content-type"))
    document.headers = answer.headers
    return document, readings_of(document)


def _with_scheme(start: str) -> str:
    return start if "://" in start else f"https://{start}/"


def _spellings(start: str) -> list[str]:
    """Return the addresses to try, most likely first: as given, with www, without TLS."""
    url = _with_scheme(start)
    parts = urlsplit(url)
    host = parts.netloc
    other = host.removeprefix("www.") if host.startswith("www.") else f"www.{host}"
    spelt = [url, parts._replace(netloc=other).geturl()]
    if parts.scheme == "https" and parts.port is None:
        spelt.append(parts._replace(scheme="http").geturl())
    return list(dict.fromkeys(spelt))


def _raw(visit: _Visit, start: str) -> bytes:
    pages: list[Json] = [
        {
            "url": page.url,
            "kind": page.kind,
            "readings": [
                {
                    "field": one.field,
                    "value": one.value,
                    "confidence": one.confidence,
                    "quote": one.quote,
                }
                for one in page.readings[:_MAX_RAW_READINGS]
            ],
        }
        for page in visit.pages
    ]
    document: Json = {"asked": start, "pages": pages, "notes": list(visit.notes)}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
