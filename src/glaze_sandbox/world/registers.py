"""What public registers truly hold of a company: numbers, dates and codes, drawn by its domain."""

from glaze_sandbox.seeded import draw, hex_id, number, rng
from glaze_sandbox.world.entities import Company, Truth

_LEI_PREFIX = "529900"
_LEI_SHARE = {"small": 0.08, "mid": 0.35, "large": 0.9}  # of the companies of a size
_SMALL, _MID = 50, 500  # most employees
_CODES = {  # industry -> US SIC, UK SIC 2007
    "computer software": ("7372", "62012"),
    "machinery": ("3559", "28990"),
    "logistics & supply chain": ("4731", "52290"),
    "construction": ("1542", "41201"),
    "medical devices": ("3841", "32500"),
    "renewables & environment": ("4911", "35110"),
    "food production": ("2000", "10890"),
    "accounting": ("8721", "69201"),
    "legal services": ("8111", "69102"),
    "marketing & advertising": ("7311", "73110"),
    "furniture": ("2511", "31090"),
    "chemicals": ("2820", "20590"),
    "financial services": ("6199", "64999"),
    "telecommunications": ("4813", "61900"),
}
_OTHER_CODES = ("7389", "82990")
_EARLIEST_DOMAIN, _LATEST_DOMAIN = 1994, 2022


def digits(company: Company, what: str, length: int) -> str:
    """Return ``length`` digits that belong to ``company`` and ``what``, the first one not 0."""
    low = 10 ** (length - 1)
    return str(low + number("register", what, company.domain) % (9 * low))


def has_lei(company: Company) -> bool:
    """Tell whether the company ever applied for a legal entity identifier."""
    size = (
        "small" if company.employees <= _SMALL else "mid" if company.employees <= _MID else "large"
    )
    return draw("lei", company.domain) < _LEI_SHARE[size]


def lei_of(*parts: object) -> str:
    """Return a legal entity identifier with good check digits (ISO 7064, MOD 97-10)."""
    stem = _LEI_PREFIX + hex_id("lei", *parts, length=12).upper()
    numeral = int("".join(str(int(letter, 36)) for letter in f"{stem}00"))
    return f"{stem}{98 - numeral % 97:02d}"


def registration_number(company: Company) -> str:
    """Return the number in the national register, in its form."""
    country = company.address.country
    if country == "DE":
        return f"HRB{digits(company, 'register', 5)}"
    return digits(company, "register", 9 if country in {"FR", "US"} else 8)


def sic(company: Company) -> str:
    """Return the industry code: UK SIC 2007 for a British company, else the US one."""
    us, uk = _CODES.get(company.industry, _OTHER_CODES)
    return uk if company.address.country == "GB" else us


def founded_date(company: Company) -> str:
    """Return the day of the entry into the register."""
    chance = rng("founded", company.domain)
    return f"{company.founded}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"


def domain_created(company: Company) -> str:
    """Return the day on which the domain was registered: years after the foundation, often."""
    chance = rng("domain-created", company.domain)
    year = max(_EARLIEST_DOMAIN, company.founded) + chance.randint(0, 6)
    day = f"{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
    return f"{min(year, _LATEST_DOMAIN)}-{day}"


def register_truth(company: Company) -> Truth:
    """Return what registers hold of ``company`` by canonical field name, gaps left out."""
    return {
        **({"company_lei": lei_of(company.domain)} if has_lei(company) else {}),
        "company_registration_number": registration_number(company),
        "company_sic": [sic(company)],
        "company_founded_date": founded_date(company),
        "company_status": "active",
        "company_domain_created": domain_created(company),
    }


def all_truth(company: Company) -> Truth:
    """Return everything that is true of ``company``."""
    return company.truth() | register_truth(company)
