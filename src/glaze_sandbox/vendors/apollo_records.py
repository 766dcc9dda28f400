"""Apollo's person and organization records, written from what it believes."""

from typing import cast

from glaze_sandbox.seeded import hex_id
from glaze_sandbox.world.entities import Person, Truth
from glaze_sandbox.world.places import BY_CODE
from glaze_sandbox.world.words import TECHNOLOGIES

Record = dict[str, object]


def person_record(seed: int, person: Person, believed: Truth) -> Record:
    """Return the ``person`` object of a match."""
    company_id = hex_id(seed, "apollo", person.company.domain)
    title = believed.get("person_title")
    email = believed.get("person_email")
    department = believed.get("person_department")
    return {
        "id": hex_id(seed, "apollo", person.slug),
        "first_name": person.first_name,
        "last_name": person.last_name,
        "name": person.full_name,
        "linkedin_url": person.linkedin_url.replace("https://", "http://"),
        "title": title,
        "headline": title and f"{title} at {person.company.name}",
        "email": email,
        "email_status": "verified" if email else "unavailable",
        "extrapolated_email_confidence": None,
        "photo_url": None,
        "twitter_url": None,
        "github_url": None,
        "facebook_url": None,
        "city": believed.get("person_city"),
        "state": believed.get("person_region"),
        "country": country_name(believed.get("person_country")),
        "seniority": believed.get("person_seniority"),
        "departments": [department] if department else [],
        "subdepartments": [],
        "functions": [department] if department else [],
        "organization_id": company_id,
        "employment_history": [
            {
                "current": True,
                "organization_id": company_id,
                "organization_name": person.company.name,
                "title": title,
                "start_date": f"{2012 + person.number % 10}-01-01",
                "end_date": None,
            }
        ],
        "contact": None,
        "organization": None,
    }


def organization_record(seed: int, believed: Truth) -> Record:
    """Return the ``organization`` object."""
    domain = str(believed["company_domain"])
    technologies = cast(list[str], believed.get("company_technologies", []))
    phone = believed.get("company_phone")
    revenue = cast(int | None, believed.get("company_revenue"))
    industry = believed.get("company_industry")
    country = country_name(believed.get("company_country"))
    street, city = believed.get("company_street"), believed.get("company_city")
    return {
        "id": hex_id(seed, "apollo", domain),
        "name": believed["company_name"],
        "website_url": f"http://www.{domain}",
        "primary_domain": domain,
        "linkedin_url": str(believed["company_linkedin_url"]).replace("https://", "http://"),
        "linkedin_uid": str(int(hex_id(seed, domain, length=7), 16)),
        "twitter_url": believed.get("company_twitter_url"),
        "facebook_url": believed.get("company_facebook_url"),
        "crunchbase_url": None,
        "phone": phone,
        "primary_phone": {"number": phone, "sanitized_number": phone} if phone else {},
        "founded_year": believed.get("company_founded_year"),
        "publicly_traded_symbol": believed.get("company_ticker"),
        "publicly_traded_exchange": None,
        "logo_url": None,
        "industry": industry,
        "industries": [industry] if industry else [],
        "secondary_industries": [],
        "keywords": believed.get("company_tags", []),
        "estimated_num_employees": believed.get("company_employee_count"),
        "raw_address": ", ".join(str(part) for part in (street, city, country) if part) or None,
        "street_address": street,
        "city": city,
        "state": believed.get("company_region"),
        "postal_code": believed.get("company_postal_code"),
        "country": country,
        "seo_description": None,
        "short_description": believed.get("company_description"),
        "annual_revenue": revenue,
        "annual_revenue_printed": f"{revenue / 1e6:.1f}M" if revenue else None,
        "total_funding": None,
        "latest_funding_stage": None,
        "latest_funding_round_date": None,
        "funding_events": [],
        "technology_names": technologies,
        "current_technologies": [
            {
                "uid": name.lower().replace(" ", "_"),
                "name": name,
                "category": TECHNOLOGIES.get(name, "Other"),
            }
            for name in technologies
        ],
        "departmental_head_count": {},
        "owned_by_organization": None,
        "ultimate_parent_organization": None,
        "suborganizations": [],
    }


def country_name(code: object) -> str | None:
    """Return the English name of the country ``code``."""
    return BY_CODE[code].name if isinstance(code, str) else None
