"""Tries the addresses that a company's or a person's profiles may have, and reads what is there."""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

from protego import Protego

from glaze.errors import FetchError
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
    Verdict,
)
from glaze.model.text import fold
from glaze.model.value import FieldName, Json
from glaze.model.vendor_body import Readings, field_sets, gives, identified_by, not_asked
from glaze.providers.social.evidence import EXACT, Evidence, Subject, evidence
from glaze.providers.social.sites import SITES, Site

_AGENT = "GlazeBot"
_HEADERS: Mapping[str, str] = {
    "User-Agent": "GlazeBot/0.1 (company research; obeys robots.txt)",
    "Accept": "text/html",
}
_MAX_BYTES = 2_000_000
_MAX_ROBOTS_BYTES = 500_000
_PAGE_S = 8.0
_AT_ONCE = 6  # sites; each gets one request after the other
_TRIES = 2  # addresses at one site
_ROBOTS_USES = 300  # visits after which a robots.txt is read again

_NAME, _DOMAIN = FieldName("company_name"), FieldName("company_domain")
_PERSON = FieldName("person_full_name")
_OWN_FIELDS = frozenset(
    "github twitter youtube instagram facebook tiktok crunchbase xing mastodon".split()
)

_COMPANY = Operation(
    name="company_profiles",
    needs=field_sets(
        "company_domain company_name company_twitter_url",
        "company_domain company_linkedin_url company_name",
        "company_domain company_name",
        "company_domain",
    ),
    gives=gives(
        **{f"company_{name}_url": EXACT for name in sorted(_OWN_FIELDS)},
        company_social_urls=EXACT,
    ),
    timeout_s=60.0,
    resend=Resend.SAFE,
)
_PEOPLE = Operation(
    name="person_profiles",
    needs=field_sets(
        "company_domain company_name person_full_name",
        "company_domain person_full_name",
        "company_name person_full_name",
    ),
    gives=gives(person_github_url=EXACT, person_twitter_url=EXACT, person_social_urls=EXACT),
    timeout_s=60.0,
    resend=Resend.SAFE,
)
# One visit asks each site once or twice, so the limit on visits is the limit on each site. There is
# no common circuit: one site's outage says nothing of the others.
SPEC = ProviderSpec(
    name="social",
    operations=(_COMPANY, _PEOPLE),
    limits=(Limit(30, 60),),
    room=10,
    patient=False,
)


@dataclass(frozen=True, slots=True)
class _Profile:
    site: Site
    url: str
    why: Evidence


@dataclass
class _Visit:
    """One ask under way, and what it found so far."""

    subject: Subject
    handles: Sequence[str]
    http: VendorHttp
    room: asyncio.Semaphore
    profiles: list[_Profile] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    read: int = 0  # pages that told whether they are the subject's


class Social:
    """Asks some twenty public sites for a profile under the handles that the subject may have.

    A handle alone proves nothing. A page counts where it names the subject in its title or
    description and shows the company's own domain (for a person, the employer's name will do).
    robots.txt is obeyed, redirects pass the guard, nothing is logged into. LinkedIn is not among
    the sites: it shows its pages to nobody without an account.
    """

    def __init__(self, spec: ProviderSpec = SPEC) -> None:
        """``spec`` may carry the user's own limits."""
        self.spec = spec
        self._robots: dict[str, tuple[Protego | None, list[None]]] = {}

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer each ask by a visit to every site."""
        declared = self.spec.operation(operation)
        return [await self._one(declared, identified_by(ask, declared.needs), http) for ask in asks]

    async def _one(
        self, operation: Operation, question: Mapping[FieldName, str], http: VendorHttp
    ) -> Reply:
        if not question:
            return not_asked("too little is known to tell a profile from a namesake's")
        subject = _subject(question)
        handles = [*_handles(question, subject)]
        visit = _Visit(subject, handles, http, asyncio.Semaphore(_AT_ONCE))
        sites = [site for site in SITES if site.people or not subject.is_person]
        async with asyncio.TaskGroup() as group:
            for site in sites:
                group.create_task(self._ask(site, visit))
        visit.profiles.sort(key=lambda found: SITES.index(found.site))
        return _reply(operation, visit)

    async def _ask(self, site: Site, visit: _Visit) -> None:
        """Try the site's addresses one after the other, until one is the subject's."""
        async with visit.room:
            for url in [*site.fitting(visit.handles, visit.subject.domain)][:_TRIES]:
                try:
                    if not await self._allows(visit.http, url):
                        visit.notes.append(f"{site.name}: robots.txt does not allow {_AGENT}")
                        return
                    found = await _read(site, url, visit)
                except FetchError as error:
                    visit.notes.append(f"{site.name}: {error}")
                    return
                if isinstance(found, str):
                    visit.notes.append(f"{site.name}: {found}")
                    return
                visit.read += 1
                if found:
                    visit.profiles.append(_Profile(site, url, found))
                    return

    async def _allows(self, http: VendorHttp, url: str) -> bool:
        """Tell whether the site's robots.txt allows ``url``; absent allows, failing forbids."""
        parts = urlsplit(url)
        rules, uses = self._robots.get(parts.netloc, (None, [None] * _ROBOTS_USES))
        if len(uses) >= _ROBOTS_USES:
            rules, uses = await _robots(http, f"{parts.scheme}://{parts.netloc}/robots.txt"), []
            self._robots[parts.netloc] = (rules, uses)
        uses.append(None)
        return rules is None or rules.can_fetch(url, _AGENT)


async def _robots(http: VendorHttp, url: str) -> Protego | None:
    response = await http.request(
        "GET", url, headers=_HEADERS, max_bytes=_MAX_ROBOTS_BYTES, timeout_s=_PAGE_S
    )
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Protego.parse("User-agent: *\nDisallow: /")
    if response.status != HTTPStatus.OK:
        return None
    return Protego.parse(response.body.decode("utf-8", "replace"))


async def _read(site: Site, url: str, visit: _Visit) -> Evidence | str | None:
    """Return the evidence on a page, why the site shows none, or None: nobody, or another."""
    response = await visit.http.request(
        "GET", url, headers=_HEADERS, max_bytes=_MAX_BYTES, timeout_s=_PAGE_S
    )
    if response.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return None
    if response.status != HTTPStatus.OK:
        return f"it does not show its profiles ({response.status})"
    handle = url.rpartition("/")[2].lstrip("@").lower()
    if handle not in response.url.lower():
        return None  # led to a login or to its first page
    return evidence(response.body, visit.subject, proven=site.by_domain)


def _subject(question: Mapping[FieldName, str]) -> Subject:
    domain, name = question.get(_DOMAIN, ""), question.get(_NAME, "")
    if person := question.get(_PERSON):
        return Subject(person, is_person=True, domain=domain, employer=name)
    return Subject(name or domain.partition(".")[0], is_person=False, domain=domain)


def _handles(question: Mapping[FieldName, str], subject: Subject) -> Iterator[str]:
    """Yield the handles to try, the likeliest first: known ones, then spellings of the name."""
    words = fold(subject.name).split()
    spelled = ["".join(words), "-".join(words)]
    if subject.is_person:
        found = [*spelled, f"{words[0][:1]}{words[-1]}" if words else ""]
    else:
        known = (url for name, url in sorted(question.items()) if name.endswith("_url"))
        label = subject.domain.partition(".")[0]
        key = company_key(subject.name)
        found = [
            *(re.sub(r"^@", "", url.rpartition("/")[2]) for url in known),
            label,
            label.replace("-", ""),
            key.replace(" ", "-"),
            key.replace(" ", ""),
        ]
    yield from dict.fromkeys(handle for handle in found if handle.isascii() and handle)


def _reply(operation: Operation, visit: _Visit) -> Reply:
    readings = Readings(operation.gives)
    about = "person" if visit.subject.is_person else "company"
    for found in visit.profiles:
        name = f"{about}_{found.site.name}_url"
        if FieldName(name) in operation.gives:
            sure, quote = found.why.sure, found.why.quote
            readings.add(name, found.url, confidence=sure, url=found.url, quote=quote)
    if visit.profiles:
        readings.add(
            f"{about}_social_urls",
            [found.url for found in visit.profiles],
            confidence=min(found.why.sure for found in visit.profiles),
            url=visit.profiles[0].url,
            quote=" | ".join(f"{found.url}: {found.why.quote}" for found in visit.profiles),
        )
    nothing = Verdict.NO_MATCH if visit.read else Verdict.VENDOR_ERROR
    return Reply(
        Verdict.MATCH if readings.found else nothing,
        Unbilled(),
        readings=readings.found,
        raw=json.dumps(_raw(visit)).encode(),
        detail="" if visit.read else "no site could be read",
        notes=(*readings.notes, *sorted(visit.notes)),
    )


def _raw(visit: _Visit) -> Json:
    return [
        {"site": one.site.name, "url": one.url, "quote": one.why.quote, "sure": one.why.sure}
        for one in visit.profiles
    ]


social = Social()
