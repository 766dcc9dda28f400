"""Judge each reading by itself and by what is known: accept, lower or reject it (E5).

Judging is not idempotent: it lowers confidence. So each reading is judged once, when its reply
arrives, and what is stored as an observation is the judged reading.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from math import prod

import phonenumbers

from glaze.model import mailbox
from glaze.model.country import country_of_domain
from glaze.model.field import FieldType, known_field
from glaze.model.names import company_key
from glaze.model.normalise import Invalid, normalise, states_nothing
from glaze.model.quantity import size
from glaze.model.text import fold
from glaze.model.value import FieldName, Json, Reading
from glaze.model.web_address import domain_of, is_ip, is_shared_host, parse_url
from glaze.pipeline.whose import Stranger, strangers

_EARLIEST_YEAR = 1600
_LARGEST_COMPANY = 5_000_000  # employees; the largest employers have about 2.3 million
_LARGEST_SUM = 2_000_000_000_000  # US dollars; no company's revenue has reached one trillion
_LEAST_PER_HEAD, _MOST_PER_HEAD = 500, 50_000_000  # US dollars of revenue in a year
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Accepted:
    """The reading in canonical form, its confidence lowered for each of ``notes``."""

    reading: Reading
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """A reading that is no value of its field; ``reason`` says why."""

    reading: Reading
    reason: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reason to believe a reading less: its confidence is multiplied by ``factor``."""

    factor: float
    note: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason not to believe a reading at all."""

    reason: str


Finding = Doubt | Refusal


@dataclass(frozen=True, slots=True)
class _Case:
    field: FieldName
    value: Json  # canonical
    known: Mapping[FieldName, Json]
    now: datetime
    mx: Mapping[str, bool]

    @property
    def text(self) -> str:
        """The canonical value of a field that is text."""
        return str(self.value)

    def known_text(self, name: str) -> str | None:
        """Return a known text, if there is one."""
        found = self.known.get(FieldName(name))
        return found if isinstance(found, str) else None

    def sibling(self, name: str) -> str | None:
        """Return the known field ``name`` of the entity that this field describes."""
        prefix = self.field.partition("_")[0]
        return self.known_text(f"{prefix}_{name}")


def validate(
    reading: Reading,
    *,
    known: Mapping[FieldName, Json],
    now: datetime,
    mx: Mapping[str, bool] | None = None,
) -> Accepted | Rejected:
    """Judge one reading.

    Args:
        reading: What a source stated, in canonical form or not yet.
        known: Canonical identifiers and values so far; what contradicts them is doubted.
        now: No year lies after it.
        mx: Mail domain to whether it takes mail, as far as DNS was asked.
    """
    if isinstance(reading.value, str) and states_nothing(reading.field, reading.value):
        return Rejected(reading, "a placeholder, not a value")
    try:
        value = normalise(reading.field, reading.value, country=region_of(reading.field, known))
    except Invalid as error:
        return Rejected(reading, error.reason)
    case = _Case(reading.field, value, known, now, mx or {})
    confidence = float(min(100, max(0, reading.confidence)))
    notes = []
    for finding in _findings(case):
        if isinstance(finding, Refusal):
            return Rejected(reading, finding.reason)
        confidence *= finding.factor
        notes.append(finding.note)
    raw = reading.raw if reading.raw is not None or value == reading.value else str(reading.value)
    judged = replace(reading, value=value, confidence=round(confidence), raw=raw)
    return Accepted(judged, tuple(notes))


@dataclass(frozen=True, slots=True)
class Judging:
    """Judges a reply's readings by what was known when it was asked for; drops what does not hold.

    ``said`` gathers why: of each reading that was dropped or lowered, its field and the reason.
    """

    known: Mapping[FieldName, Json]
    now: datetime
    mx: Mapping[str, bool]
    said: list[tuple[FieldName, str]] = field(default_factory=list)

    def __call__(self, readings: tuple[Reading, ...]) -> tuple[Reading, ...]:
        """Return the readings that hold, as they are to be kept."""
        judged = [validate(one, known=self.known, now=self.now, mx=self.mx) for one in readings]
        of_others = [
            *strangers([one.reading for one in judged if isinstance(one, Accepted)], self.known)
        ]
        judged = [_doubted(one, of_others) for one in judged]
        for one in judged:
            name = one.reading.field
            if isinstance(one, Rejected):
                self.said.append((name, f"{name} rejected: {one.reason}"))
            elif one.notes:
                self.said.append((name, f"{name} believed less: {', '.join(one.notes)}"))
        return tuple(one.reading for one in judged if isinstance(one, Accepted))


def _doubted(judged: Accepted | Rejected, of_others: Sequence[Stranger]) -> Accepted | Rejected:
    """Return a reading as it is believed where the whole answer is about somebody else."""
    about = [one for one in of_others if one.covers(judged.reading)]
    if isinstance(judged, Rejected) or not about:
        return judged
    confidence = judged.reading.confidence * prod(one.factor for one in about)
    lowered = replace(judged.reading, confidence=round(confidence))
    return Accepted(lowered, (*judged.notes, *(one.note for one in about)))


def region_of(field: FieldName, known: Mapping[FieldName, Json]) -> str | None:
    """Return the country in which a phone number without country code is read.

    That is the owner's, else the other party's, else that of the company's top-level domain.
    """
    if known_field(field).type is not FieldType.PHONE:
        return None
    first, second = ("person", "company") if field.startswith("person") else ("company", "person")
    for owner in (first, second):
        found = known.get(FieldName(f"{owner}_country"))
        if isinstance(found, str):
            return found
    domain = known.get(FieldName("company_domain"))
    return country_of_domain(domain) if isinstance(domain, str) else None


def _findings(case: _Case) -> Iterator[Finding]:
    yield from _CHECKS_BY_TYPE.get(known_field(case.field).type, _nothing)(case)
    yield from _CHECKS.get(case.field, _nothing)(case)


def _nothing(_case: _Case) -> Iterator[Finding]:
    yield from ()


# --- mail -----------------------------------------------------------------------------------

_SAMPLE_DOMAINS = frozenset(
    "example.com example.org example.net domain.com domain.tld email.tld yourdomain.com"
    " yourcompany.com your-domain.com company.tld mysite.com yoursite.com website.com sample.com"
    " test.com sentry.io wixpress.com".split()
)
_SAMPLE_BOXES = frozenset(
    "email_not_unlocked your.email youremail your.name yourname your_email you user username"
    " firstname.lastname first.last name.surname example someone".split()
)
_FILE_ENDINGS = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".css", ".js", ".woff2")


def _email(case: _Case) -> Iterator[Finding]:
    domain, box = mailbox.mail_domain(case.text), mailbox.local_part(case.text)
    host = case.text.rpartition("@")[2]
    # What a site's own domain is, is no sample there.
    sample = domain in _SAMPLE_DOMAINS and domain != _employer(case)
    if sample or box in _SAMPLE_BOXES or "not_unlocked" in box:
        yield Refusal("a sample address, not a mailbox")
    if host.endswith(_FILE_ENDINGS):
        yield Refusal("a file name, not a mailbox")
    if case.mx.get(host, case.mx.get(domain)) is False:
        yield Refusal(f"{host} takes no mail")
    if mailbox.is_disposable(domain):
        yield Doubt(0.3, "a throw-away address")


def _person_email(case: _Case) -> Iterator[Finding]:
    domain, employer = mailbox.mail_domain(case.text), _employer(case)
    if mailbox.is_role(case.text):
        yield Doubt(0.5, "belongs to a function, not to a person")
    if mailbox.is_free_mail(domain):
        yield Doubt(0.7, "a private address, not a work address")
    elif employer and domain != employer:
        yield Doubt(0.8, f"not at the employer's domain {employer}")


def _email_status(case: _Case) -> Iterator[Finding]:
    email = case.known_text("person_email")
    if email is None or case.value != "deliverable":
        return
    host, domain = email.rpartition("@")[2], mailbox.mail_domain(email)
    if case.mx.get(host, case.mx.get(domain)) is False:
        yield Refusal(f"{host} takes no mail, so nothing is deliverable there")
    if mailbox.is_disposable(domain):
        yield Doubt(0.5, "a throw-away address")


def _company_email(case: _Case) -> Iterator[Finding]:
    domain, own = mailbox.mail_domain(case.text), case.known_text("company_domain")
    if own and domain != own:
        yield Doubt(0.8, f"not at the company's domain {own}")
    if "no-reply" in case.text or "noreply" in case.text:
        yield Doubt(0.5, "nobody reads it")


def _employer(case: _Case) -> str | None:
    return case.known_text("person_company_domain") or case.known_text("company_domain")


# --- phone and country ----------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _phone_facts(number: str) -> tuple[bool, str | None]:
    """Return whether a number in E.164 is in use by its numbering plan, and its country."""
    parsed = phonenumbers.parse(number, None)
    region = phonenumbers.region_code_for_number(parsed)
    return phonenumbers.is_valid_number(parsed), region if region != "001" else None


def _phone(case: _Case) -> Iterator[Finding]:
    digits = case.text[1:]
    tail = digits[-8:]
    if len(set(tail)) == 1 or tail in "12345678901234567890":
        yield Refusal("a made-up number")
    valid, region = _phone_facts(case.text)
    if not valid:
        yield Doubt(0.6, "no number of its country's numbering plan")
    country = case.sibling("country") or case.known_text("company_country")
    if region and country and region != country:
        yield Doubt(0.9, f"a number of {region}, not of {country}")


def _country(case: _Case) -> Iterator[Finding]:
    phone = case.sibling("phone")
    region = _phone_facts(phone)[1] if phone else None
    if region and region != case.value:
        yield Doubt(0.9, f"the phone number is one of {region}")


# --- numbers --------------------------------------------------------------------------------


def _year(case: _Case) -> Iterator[Finding]:
    if isinstance(case.value, int) and not _EARLIEST_YEAR <= case.value <= case.now.year:
        yield Refusal(f"not a year between {_EARLIEST_YEAR} and {case.now.year}")


def _founded_year(case: _Case) -> Iterator[Finding]:
    registered = case.known_text("company_founded_date")
    if registered and isinstance(case.value, int) and case.value > int(registered[:4]):
        yield Doubt(0.8, f"later than the founding date {registered}")


def _date(case: _Case) -> Iterator[Finding]:
    if not str(_EARLIEST_YEAR) <= case.text <= case.now.date().isoformat():
        yield Refusal(f"not a date between {_EARLIEST_YEAR} and today")


def _count(case: _Case) -> Iterator[Finding]:
    if not isinstance(case.value, int) or not 0 < case.value <= _LARGEST_COMPANY:
        yield Refusal("no plausible number of employees")
    elif (bucket := case.known_text("company_size")) and size(case.value) != bucket:
        yield Doubt(0.8, f"does not fit the company's size {bucket}")


def _size(case: _Case) -> Iterator[Finding]:
    employees = case.known.get(FieldName("company_employee_count"))
    if isinstance(employees, int) and employees > 0 and size(employees) != case.value:
        yield Doubt(0.8, f"does not fit the {employees} employees")


def _money(case: _Case) -> Iterator[Finding]:
    if not isinstance(case.value, int) or not 0 < case.value <= _LARGEST_SUM:
        yield Refusal("no plausible amount")


def _revenue(case: _Case) -> Iterator[Finding]:
    employees = case.known.get(FieldName("company_employee_count"))
    if isinstance(employees, int) and employees > 0 and isinstance(case.value, int):
        per_head = case.value // employees
        if not _LEAST_PER_HEAD <= per_head <= _MOST_PER_HEAD:
            yield Doubt(0.7, f"US$ {per_head:,} for each of the {employees} employees")


# --- addresses ------------------------------------------------------------------------------


def _website(case: _Case) -> Iterator[Finding]:
    address = parse_url(case.text)
    if is_ip(address.host):
        yield Refusal("an IP address, not a site")
    elif address.path and is_shared_host(address.host):
        yield Refusal("a page on somebody else's site")
    else:
        yield from _other_domain(case, case.text)


def _domain(case: _Case) -> Iterator[Finding]:
    if mailbox.is_free_mail(case.text) or mailbox.is_disposable(case.text):
        yield Refusal("a mail provider's domain, not a company's")
    if case.field == "company_domain":
        yield from _other_domain(case, case.text)


def _other_domain(case: _Case, address: str) -> Iterator[Finding]:
    own = case.known_text("company_domain")
    try:
        stated = domain_of(address)
    except ValueError as error:
        yield Refusal(str(error))
        return
    if own and stated != own:
        yield Doubt(0.7, f"another domain than {own}")


# --- text -----------------------------------------------------------------------------------

_PAGE_TITLES = frozenset(
    """
    home, homepage, home page, start, startseite, accueil, inicio, welcome, willkommen, index, menu
    untitled, untitled document, just a moment, attention required cloudflare, attention required
    access denied, forbidden, 403 forbidden, 404, 404 not found, not found, page not found, error
    server error, internal server error, 502 bad gateway, 503 service unavailable, bad gateway
    service unavailable, site not found, website not found, account suspended, coming soon
    this account has been suspended, under construction, maintenance, site under maintenance
    website coming soon, domain for sale, domain parked, parked domain, parked, default page
    domain default page, default web site page, apache2 ubuntu default page it works, it works
    welcome to nginx, iis windows server, test page, log in, login, sign in, sign up, register
    redirecting, loading, please wait, are you a robot, security check, verify you are human
    one moment please, captcha, cookie consent, my site, my website, new site, your company
    company name, your company name, about, about us, contact, contact us, checking your browser
    robot or human, pardon our interruption, sitemap, search
    """.strip()
    .replace("\n    ", ", ")
    .split(", ")
)
_NOT_THE_SITE = re.compile(
    r"domain (?:name )?(?:is|may be) for sale|buy this domain|this domain (?:has|is) (?:been )?"
    r"(?:registered|parked|expired)|enable javascript|checking your browser|verify (?:that )?you"
    r" are (?:a )?human|default web page|website is (?:currently )?under construction"
    r"|parked (?:free|domain)|hugedomains|sedo(?:parking)?\.com|apache2? .*default page",
    re.IGNORECASE,
)
_LOOKS_LIKE_URL = re.compile(r"https?://|www\.", re.IGNORECASE)


def _company_name(case: _Case) -> Iterator[Finding]:
    if fold(case.text) in _PAGE_TITLES or _NOT_THE_SITE.search(case.text):
        yield Refusal("a page's title, not a name")
    if _LOOKS_LIKE_URL.match(case.text) or "@" in case.text:
        yield Refusal("an address, not a name")
    if not any(letter.isalnum() for letter in company_key(case.text)):
        yield Refusal("no letters")
    if len(case.text) > _LONGEST_NAME:
        yield Doubt(0.5, "long for a name")
    own = case.known_text("company_domain")
    if own and case.text.lower().removeprefix("www.") == own:
        yield Doubt(0.7, "only repeats the domain")


def _description(case: _Case) -> Iterator[Finding]:
    if fold(case.text) in _PAGE_TITLES or _NOT_THE_SITE.search(case.text):
        yield Refusal("what a parked or guarded page says, not the company")


def _person_name(case: _Case) -> Iterator[Finding]:
    if "@" in case.text or _LOOKS_LIKE_URL.match(case.text):
        yield Refusal("an address, not a name")
    if any(letter.isdigit() for letter in case.text):
        yield Doubt(0.6, "holds digits")
    if fold(case.text) in ("john doe", "jane doe", "first last", "firstname lastname"):
        yield Doubt(0.5, "a sample name")


_Check = Callable[[_Case], Iterator[Finding]]

_CHECKS_BY_TYPE: Mapping[FieldType, _Check] = {
    FieldType.EMAIL: _email,
    FieldType.PHONE: _phone,
    FieldType.COUNTRY: _country,
    FieldType.YEAR: _year,
    FieldType.DATE: _date,
    FieldType.COUNT: _count,
    FieldType.SIZE: _size,
    FieldType.MONEY: _money,
    FieldType.DOMAIN: _domain,
}
_CHECKS: Mapping[str, _Check] = {
    "person_email": _person_email,
    "person_email_status": _email_status,
    "company_email": _company_email,
    "company_website": _website,
    "company_founded_year": _founded_year,
    "company_revenue": _revenue,
    "company_name": _company_name,
    "company_legal_name": _company_name,
    "person_company_name": _company_name,
    "company_description": _description,
    "person_full_name": _person_name,
    "person_first_name": _person_name,
    "person_last_name": _person_name,
}
