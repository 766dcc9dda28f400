"""The facts a page prints, ready for HTML, and the record of which ones it printed."""

import html
from collections.abc import Sequence
from dataclasses import dataclass, field

import phonenumbers

from glaze_sandbox.sites.phrases import COUNTRY_NAMES, PHRASES, REGION_CODES, Phrases
from glaze_sandbox.sites.plan import SitePlan
from glaze_sandbox.world.entities import Company, Person
from glaze_sandbox.world.words import INDUSTRIES

CF_KEY = 0x5A  # Cloudflare's address protection: first byte is the key, the rest is XOR
OPENING_HOURS = "Mo-Fr 08:30-17:30"
_STATE_AFTER_CITY = frozenset({"US", "CA", "AU"})


def trades_of(company: Company) -> list[object]:
    """Return the industry as vendors call it, and in the words of the company's own language."""
    industry = next(one for one in INDUSTRIES if one.name == company.industry)
    return list(dict.fromkeys((industry.name, industry.in_language(company.language))))


@dataclass(slots=True)
class Facts:
    """One company and its plan, seen from one page; every ``say`` is recorded as published."""

    company: Company
    plan: SitePlan
    people: Sequence[Person]
    customer: str  # the name of another company, for decoys
    published: dict[str, list[object]] = field(default_factory=dict)
    stated: dict[str, list[object]] = field(default_factory=dict)  # in prose, or implied

    @property
    def words(self) -> Phrases:
        """The phrases of the site's language."""
        return PHRASES[self.plan.language]

    def shows(self, name: str) -> bool:
        """Tell whether the site publishes ``name``."""
        return name in self.plan.publish

    def say(self, name: str, *values: object) -> None:
        """Record that this page prints ``name``; ``values`` are the acceptable readings."""
        known = self.published.setdefault(name, [])
        known.extend(v for v in values if v not in known)

    def name(self) -> str:
        """Return the company's name."""
        self.say("company_name", self.company.name, self.company.legal_name)
        return html.escape(self.company.name)

    def legal_name(self) -> str:
        """Return the legal name where it is published, else the plain one."""
        if not self.shows("company_legal_name"):
            return self.name()
        self.say("company_legal_name", self.company.legal_name)
        return html.escape(self.company.legal_name)

    def street(self) -> str:
        """Return street and number."""
        self.say("company_street", self.company.address.street)
        self.stated["company_country"] = [self.company.address.country]  # an address implies it
        return html.escape(self.company.address.street)

    def postal_code(self) -> str:
        """Return the postal code."""
        self.say("company_postal_code", self.company.address.postal_code)
        return self.company.address.postal_code

    def city(self) -> str:
        """Return the city."""
        self.say("company_city", self.company.address.city)
        return html.escape(self.company.address.city)

    def region(self) -> str:
        """Return the region: its code where the country writes codes."""
        region = self.company.address.region
        code = REGION_CODES.get(region, region)
        self.say("company_region", *dict.fromkeys((region, code)))
        return html.escape(code)

    def city_line(self) -> str:
        """Return city, region and postal code in the order of the country."""
        country = self.company.address.country
        if country in _STATE_AFTER_CITY:
            return f"{self.city()}, {self.region()} {self.postal_code()}"
        if country == "GB":
            return f"{self.city()} {self.postal_code()}"
        if country == "JP":
            mark = f"〒{self.postal_code()} {self.city()}"
            return mark if self.plan.language == "ja" else f"{self.city()} {self.postal_code()}"
        return f"{self.postal_code()} {self.city()}"

    def country(self) -> str:
        """Return the country's own name, empty where the site leaves it out."""
        if not self.shows("company_country"):
            return ""
        self.say("company_country", self.company.address.country)
        return COUNTRY_NAMES[self.company.address.country]

    def country_code(self) -> str:
        """Return the country's code, for structured data."""
        self.say("company_country", self.company.address.country)
        return self.company.address.country

    def phone(self) -> str:
        """Return the phone number in the site's style, a link where it makes links."""
        self.say("company_phone", self.company.phone)
        number = phonenumbers.parse(self.company.phone)
        formats = phonenumbers.PhoneNumberFormat
        national = phonenumbers.format_number(number, formats.NATIONAL)
        international = phonenumbers.format_number(number, formats.INTERNATIONAL)
        if self.plan.phone_style == "national":
            return national
        if self.plan.phone_style == "tel_link":
            return f'<a href="tel:{self.company.phone}">{national}</a>'
        if self.plan.phone_style == "rfc3966":
            return f'<a href="tel:{international.replace(" ", "-")}">{international}</a>'
        return international

    def fax(self) -> str:
        """Return a fax number: a decoy, for it is no phone."""
        other = f"{self.company.phone[:-1]}{(int(self.company.phone[-1]) + 1) % 10}"
        number = phonenumbers.parse(other)
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)

    def email(self) -> str:
        """Return the address as the site writes it; one put together by script is not published."""
        address = self.company.email
        local, _, domain = address.partition("@")
        style = self.plan.email_style
        if style == "script":
            return (
                f"<script>document.write('{local}' + String.fromCharCode(64) + '{domain}')</script>"
            )
        self.say("company_email", address)
        if style == "mailto":
            return f'<a href="mailto:{address}">{address}</a>'
        if style == "entities":
            coded = "".join(f"&#{ord(c)};" for c in address)
            return f'<a href="&#109;&#97;&#105;&#108;&#116;&#111;&#58;{coded}">{coded}</a>'
        if style == "brackets":
            return f"{local} [at] {domain.replace('.', ' [dot] ')}"
        if style == "cfemail":
            coded = bytes([CF_KEY, *(b ^ CF_KEY for b in address.encode())]).hex()
            return (
                f'<a href="/cdn-cgi/l/email-protection" class="__cf_email__" '
                f'data-cfemail="{coded}">[email&#160;protected]</a>'
            )
        return address

    def description(self) -> str:
        """Return what the company says about itself; prose states the trade too."""
        self.say("company_description", self.company.description)
        self.stated["company_industry"] = trades_of(self.company)
        return html.escape(self.company.description)

    def founded(self) -> str:
        """Return the sentence about the foundation."""
        self.say("company_founded_year", self.company.founded)
        return self.words.founded.format(year=self.company.founded)

    def employees(self) -> str:
        """Return the sentence about the number of employees."""
        self.stated["company_employee_count"] = [self.company.employees]
        return self.words.employees.format(count=self.company.employees)

    def vat(self) -> str:
        """Return the VAT number."""
        self.say("company_vat_id", self.company.vat_id)
        return str(self.company.vat_id)

    def hours(self) -> str:
        """Return the opening hours as schema.org writes them."""
        self.say("company_opening_hours", OPENING_HOURS)
        return OPENING_HOURS

    def logo(self) -> str:
        """Return the logo's path."""
        self.say("company_logo_url", f"{self.company.url}assets/logo.svg")
        return "/assets/logo.svg"

    def socials(self) -> list[str]:
        """Return the company's own profiles."""
        if not self.shows("socials"):
            return []
        for name, url in self.company.socials.items():
            self.say(name, url)
        self.say("company_social_urls", *self.company.socials.values())
        return list(self.company.socials.values())
