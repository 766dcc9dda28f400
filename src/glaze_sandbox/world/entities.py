"""Companies and people as they truly are, and their truth under the product's field names."""

import unicodedata
from dataclasses import dataclass, field

Truth = dict[str, object]  # canonical field name -> value

SIZES = (10, 50, 200, 500, 1000, 5000, 10_000)
_UMLAUTS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"}
)


def ascii_of(text: str) -> str:
    """Return ``text`` in the letters that addresses and slugs are written with."""
    flat = unicodedata.normalize("NFKD", text.translate(_UMLAUTS))
    return "".join(c for c in flat if c.isascii() and (c.isalnum() or c in " -"))


def size_bucket(employees: int) -> str:
    """Return the bucket of the ladder 1-10 ... 10001+ that holds ``employees``."""
    low = 1
    for high in SIZES:
        if employees <= high:
            return f"{low}-{high}"
        low = high + 1
    return "10001+"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a company sits."""

    street: str
    city: str
    region: str
    postal_code: str
    country: str  # ISO 3166-1 alpha-2


@dataclass(frozen=True, slots=True)
class Company:
    """A company of the world; ``None`` means that it truly has no such thing."""

    index: int
    name: str
    legal_name: str
    domain: str
    www: bool  # the site lives at www., the apex redirects there
    industry: str
    employees: int
    founded: int
    revenue: int  # whole US dollars a year
    address: Address
    phone: str  # E.164
    email: str
    email_pattern: str
    slug: str  # of LinkedIn and the other networks
    twitter: str | None
    facebook: str | None
    instagram: str | None
    youtube: str | None
    github: str | None
    ticker: str | None
    vat_id: str | None
    technologies: tuple[str, ...]
    tags: tuple[str, ...]
    mail: str  # google, microsoft365, own, none (a null MX) or absent (no MX at all)
    description: str  # in the language of the country
    language: str

    @property
    def host(self) -> str:
        """The host name that serves the site."""
        return f"www.{self.domain}" if self.www else self.domain

    @property
    def url(self) -> str:
        """The address of the site."""
        return f"https://{self.host}/"

    @property
    def linkedin_url(self) -> str:
        """The LinkedIn company page."""
        return f"https://www.linkedin.com/company/{self.slug}"

    @property
    def socials(self) -> dict[str, str]:
        """The company's own profiles by canonical field name."""
        found = {
            "company_linkedin_url": self.linkedin_url,
            "company_twitter_url": self.twitter and f"https://x.com/{self.twitter}",
            "company_facebook_url": self.facebook and f"https://www.facebook.com/{self.facebook}",
            "company_instagram_url": self.instagram
            and f"https://www.instagram.com/{self.instagram}",
            "company_youtube_url": self.youtube and f"https://www.youtube.com/@{self.youtube}",
            "company_github_url": self.github and f"https://github.com/{self.github}",
        }
        return {name: url for name, url in found.items() if url}

    def truth(self) -> Truth:
        """Return every true value by canonical field name, gaps left out."""
        values: Truth = {
            "company_name": self.name,
            "company_legal_name": self.legal_name,
            "company_domain": self.domain,
            "company_website": self.url.rstrip("/"),
            "company_description": self.description,
            "company_industry": self.industry,
            "company_employee_count": self.employees,
            "company_size": size_bucket(self.employees),
            "company_revenue": self.revenue,
            "company_founded_year": self.founded,
            "company_ticker": self.ticker,
            "company_street": self.address.street,
            "company_city": self.address.city,
            "company_region": self.address.region,
            "company_postal_code": self.address.postal_code,
            "company_country": self.address.country,
            "company_phone": self.phone,
            "company_email": self.email,
            "company_email_pattern": self.email_pattern,
            "company_technologies": list(self.technologies),
            "company_tags": list(self.tags),
            "company_vat_id": self.vat_id,
            "company_mail_provider": "none" if self.mail == "absent" else self.mail,
        }
        values |= self.socials
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works at ``company``."""

    company: Company = field(repr=False)
    number: int  # within the company, from 0: the one at the top
    first_name: str
    last_name: str
    title: str
    seniority: str
    department: str
    email: str | None
    slug: str
    phone: str
    skills: tuple[str, ...]

    @property
    def full_name(self) -> str:
        """Given and family name."""
        return f"{self.first_name} {self.last_name}"

    @property
    def linkedin_url(self) -> str:
        """The LinkedIn profile."""
        return f"https://www.linkedin.com/in/{self.slug}"

    def truth(self) -> Truth:
        """Return every true value by canonical field name, gaps left out."""
        values: Truth = {
            "person_full_name": self.full_name,
            "person_first_name": self.first_name,
            "person_last_name": self.last_name,
            "person_email": self.email,
            "person_phone": self.phone,
            "person_title": self.title,
            "person_seniority": self.seniority,
            "person_department": self.department,
            "person_linkedin_url": self.linkedin_url,
            "person_city": self.company.address.city,
            "person_region": self.company.address.region,
            "person_country": self.company.address.country,
            "person_skills": list(self.skills),
            "person_company_name": self.company.name,
            "person_company_domain": self.company.domain,
            "person_company_linkedin_url": self.company.linkedin_url,
        }
        return {name: value for name, value in values.items() if value is not None}
