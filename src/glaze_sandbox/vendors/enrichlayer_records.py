"""EnrichLayer's profile and company records, written from what it believes."""

from typing import cast

from glaze_sandbox.world.entities import Person, Truth
from glaze_sandbox.world.places import BY_CODE

Record = dict[str, object]


def profile_record(person: Person, believed: Truth) -> Record:
    """Return a person's profile; people-data vendors with LinkedIn data know no email or phone."""
    title = believed.get("person_title")
    country = cast(str, believed["person_country"])
    return {
        "public_identifier": person.slug,
        "profile_pic_url": None,
        "full_name": person.full_name,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "headline": title and f"{title} at {person.company.name}",
        "occupation": title and f"{title} at {person.company.name}",
        "summary": None,
        "country": country,
        "country_full_name": BY_CODE[country].name,
        "city": believed.get("person_city"),
        "state": believed.get("person_region"),
        "follower_count": 120 + 7 * person.number,
        "connections": 500,
        "experiences": [
            {
                "starts_at": {"day": 1, "month": 1, "year": 2012 + person.number % 10},
                "ends_at": None,
                "company": person.company.name,
                "company_linkedin_profile_url": person.company.linkedin_url,
                "title": title,
                "description": None,
                "location": believed.get("person_city"),
                "logo_url": None,
            }
        ],
        "education": [],
        "languages": [],
        "skills": believed.get("person_skills", []),
        "certifications": [],
        "personal_emails": [],
        "personal_numbers": [],
        "industry": person.company.industry,
        "gender": None,
        "birth_date": None,
        "extra": None,
        "inferred_salary": None,
    }


def company_record(slug: str, believed: Truth) -> Record:
    """Return a company's page."""
    size = str(believed.get("company_size", ""))
    low, _, high = size.partition("-")
    bounds = [int(low), int(high)] if high else [10_001, None] if size else [None, None]
    return {
        "linkedin_internal_id": str(abs(hash_of(slug))),
        "universal_name_id": slug,
        "name": believed["company_name"],
        "tagline": None,
        "description": believed.get("company_description"),
        "website": believed["company_website"],
        "industry": str(believed.get("company_industry", "")).title() or None,
        "company_size": bounds,
        "company_size_on_linkedin": believed.get("company_employee_count"),
        "company_type": "PUBLIC_COMPANY" if believed.get("company_ticker") else "PRIVATELY_HELD",
        "founded_year": believed.get("company_founded_year"),
        "hq": {
            "country": believed.get("company_country"),
            "city": believed.get("company_city"),
            "postal_code": believed.get("company_postal_code"),
            "line_1": believed.get("company_street"),
            "is_hq": True,
            "state": believed.get("company_region"),
        },
        "locations": [],
        "specialities": believed.get("company_tags", []),
        "follower_count": 900,
        "profile_pic_url": None,
        "background_cover_image_url": None,
        "similar_companies": [],
        "affiliated_companies": [],
        "updates": [],
    }


def hash_of(slug: str) -> int:
    """Return a stable number for ``slug``."""
    return int.from_bytes(slug.encode()[:6].ljust(6, b"-"), "big")
