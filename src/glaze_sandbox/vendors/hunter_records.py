"""Hunter's records, written from what it believes: the finder's, the search's, and Clearbit's shape."""

from collections.abc import Mapping, Sequence
from typing import cast

from glaze_sandbox.seeded import hex_id
from glaze_sandbox.world.entities import Person, Truth
from glaze_sandbox.world.places import BY_CODE

Record = dict[str, object]


def search_record(
    domain: str, believed: Truth, people: Sequence[tuple[Person, Truth]]
) -> dict[str, list[Record]]:
    """Return the ``data`` of a domain search."""
    emails = [_address(str(known["person_email"]), known, "personal") for _, known in people]
    general = believed.get("company_email")
    if general:
        emails.insert(0, _address(str(general), {}, "generic"))
    record: Record = {
        "domain": domain or None,
        "disposable": False,
        "webmail": False,
        "accept_all": False,
        "pattern": believed.get("company_email_pattern"),
        "organization": believed.get("company_name"),
        "description": believed.get("company_description"),
        "industry": believed.get("company_industry"),
        "twitter": believed.get("company_twitter_url"),
        "linkedin": believed.get("company_linkedin_url"),
        "country": believed.get("company_country"),
        "state": believed.get("company_region"),
        "city": believed.get("company_city"),
        "headcount": believed.get("company_size"),
        "company_type": "privately held" if believed else None,
        "emails": emails[:10],
    }
    return cast(dict[str, list[Record]], record)


def _address(email: str, known: Truth, kind: str) -> Record:
    domain = email.rpartition("@")[2]
    source = {"domain": domain, "uri": f"http://{domain}/contact", "still_on_page": True}
    return {
        "value": email,
        "type": kind,
        "confidence": 88 if kind == "personal" else 92,
        "first_name": known.get("person_first_name"),
        "last_name": known.get("person_last_name"),
        "position": known.get("person_title"),
        "seniority": known.get("person_seniority"),
        "department": known.get("person_department"),
        "linkedin": known.get("person_linkedin_url"),
        "twitter": None,
        "phone_number": known.get("person_phone"),
        "verification": {"date": None, "status": None},
        "sources": [source],
    }


def finder_record(
    params: Mapping[str, str], person: Person | None, believed: Truth, score: int
) -> Record:
    """Return the ``data`` of the finder; without a person ``email`` and ``score`` are null."""
    email = believed.get("person_email") if person else None
    return {
        "first_name": person.first_name if person else params.get("first_name"),
        "last_name": person.last_name if person else params.get("last_name"),
        "email": email,
        "score": score if person else None,
        "domain": person.company.domain if person else params.get("domain"),
        "accept_all": False if person else None,
        "position": believed.get("person_title"),
        "twitter": None,
        "linkedin_url": person.linkedin_url if person else None,
        "phone_number": believed.get("person_phone"),
        "company": person.company.name if person else None,
        "sources": [],
        "verification": {"date": "2026-11-01", "status": "valid"} if email else {},
    }


def person_record(person: Person, believed: Truth) -> Record:
    """Return a person in Clearbit's shape."""
    return {
        "id": hex_id("hunter", person.slug, length=32),
        "name": {
            "fullName": person.full_name,
            "givenName": person.first_name,
            "familyName": person.last_name,
        },
        "email": believed.get("person_email"),
        "location": believed.get("person_city"),
        "timeZone": None,
        "utcOffset": None,
        "geo": _geo(believed, "person"),
        "bio": None,
        "site": None,
        "avatar": None,
        "employment": {
            "domain": person.company.domain,
            "name": person.company.name,
            "title": believed.get("person_title"),
            "role": believed.get("person_department"),
            "subRole": None,
            "seniority": believed.get("person_seniority"),
        },
        "facebook": {"handle": None},
        "github": {"handle": None},
        "twitter": {"handle": None},
        "linkedin": {"handle": person.slug},
        "fuzzy": False,
        "emailProvider": None,
        "indexedAt": "2026-10-02",
        "phone": believed.get("person_phone"),
        "activeAt": None,
        "inactiveAt": None,
    }


def company_record(believed: Truth) -> Record:
    """Return a company in Clearbit's shape; the number of employees is a text here."""
    domain = str(believed["company_domain"])
    size = believed.get("company_size")
    return {
        "id": hex_id("hunter", domain, length=32),
        "name": believed["company_name"],
        "legalName": believed.get("company_legal_name"),
        "domain": domain,
        "domainAliases": [],
        "site": {
            "phoneNumbers": [],
            "emailAddresses": [e for e in (believed.get("company_email"),) if e],
        },
        "category": {"industry": believed.get("company_industry"), "sic4Codes": []},
        "tags": believed.get("company_tags", []),
        "description": believed.get("company_description"),
        "foundedYear": believed.get("company_founded_year"),
        "location": believed.get("company_city"),
        "geo": _geo(believed, "company"),
        "logo": None,
        "linkedin": {"handle": f"company/{_last(believed.get('company_linkedin_url'))}"},
        "twitter": {"handle": _last(believed.get("company_twitter_url"))},
        "facebook": {"handle": _last(believed.get("company_facebook_url"))},
        "crunchbase": {"handle": None},
        "emailProvider": believed.get("company_mail_provider"),
        "type": "private",
        "company_type": "privately held",
        "ticker": believed.get("company_ticker"),
        "identifiers": {"usEIN": None},
        "phone": believed.get("company_phone"),
        "metrics": {"employees": size, "annualRevenue": believed.get("company_revenue")},
        "tech": believed.get("company_technologies", []),
        "techCategories": [],
    }


def _geo(believed: Truth, kind: str) -> Record:
    code = believed.get(f"{kind}_country")
    return {
        "streetName": believed.get(f"{kind}_street"),
        "streetNumber": None,
        "city": believed.get(f"{kind}_city"),
        "state": believed.get(f"{kind}_region"),
        "postalCode": believed.get(f"{kind}_postal_code"),
        "country": BY_CODE[code].name if isinstance(code, str) else None,
        "countryCode": code,
    }


def _last(url: object) -> str | None:
    return str(url).rstrip("/").rpartition("/")[2] if url else None
