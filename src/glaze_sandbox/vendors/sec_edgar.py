"""SEC EDGAR: larger American companies, listed ones from elsewhere, and filers of the same name."""

from functools import cached_property

from glaze_sandbox.seeded import draw, hex_id, number
from glaze_sandbox.wire import ANYONE, Answer, Call, json_answer
from glaze_sandbox.world.entities import Company
from glaze_sandbox.world.places import BY_CODE
from glaze_sandbox.world.population import World
from glaze_sandbox.world.registers import digits, sic

FILES_FROM = 150  # employees: an American company of that size files
LISTED_ABROAD = 0.5  # share of the other listed companies that file here, too
WITH_SITE = 0.35  # share of the filers that name a site
NAMESAKES = 0.3
MOVED = 0.05  # share of the filers whose address is a former one
_FIRST_CIK = 1_000_000
_FIRST_NAMESAKE = 1_500_000
_STATES = {
    "Texas": "TX", "California": "CA", "Colorado": "CO", "Illinois": "IL", "New York": "NY",
    "Washington": "WA", "Ohio": "OH", "Oregon": "OR", "North Carolina": "NC",
    "Massachusetts": "MA", "Wisconsin": "WI", "Georgia": "GA", "Minnesota": "MN",
}  # fmt: skip
_INDUSTRIES = {"7372": "Services-Prepackaged Software", "4731": "Arrangement of Transportation"}


class SecEdgar:
    """Plays ``www.sec.gov`` and ``data.sec.gov``."""

    name = "sec_edgar"
    hosts = ("www.sec.gov", "data.sec.gov")

    def __init__(self, world: World) -> None:
        """Draw the filers out of ``world``."""
        self._world = world

    def key_of(self, call: Call) -> str:
        """Return what everybody has who says who asks."""
        return ANYONE if "@" in call.headers.get("User-Agent", "") else ""

    def refuse_key(self, call: Call) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 403, as a page."""
        page = b"<html><title>SEC.gov</title><h1>Your Request Originates from an Undeclared Automated Tool</h1>"
        return Answer(403, page, "text/html")

    def refuse_rate(self, call: Call, retry_after_s: float) -> Answer:  # noqa: ARG002  the same for every call
        """Answer 403, as a page, and no word of when."""
        page = b"<html><title>SEC.gov | Request Rate Threshold Exceeded</title></html>"
        return Answer(403, page, "text/html")

    def answer(self, call: Call) -> Answer:
        """Answer the list of tickers or one filer."""
        if call.host == "www.sec.gov":
            return self._tickers(call)
        filer = self._filers.get(call.path)
        if filer is None:
            return Answer(404, b"<Error><Code>NoSuchKey</Code></Error>", "application/xml")
        return json_answer(200, filer)

    @cached_property
    def _filers(self) -> dict[str, dict[str, object]]:
        found = [
            filer
            for company in self._world.companies()
            if is_filer(company)
            for filer in _filers_of(company)
        ]
        return {f"/submissions/CIK{filer['cik']}.json": filer for filer in found}

    def _tickers(self, call: Call) -> Answer:
        if call.path != "/files/company_tickers_exchange.json":
            return Answer(404, b"", "text/html")
        etag = f'"{hex_id("sec", self._world.seed, len(self._world))}"'
        if call.headers.get("If-None-Match") == etag:
            return Answer(304, b"", headers={"ETag": etag})
        rows = [
            [int(str(filer["cik"])), filer["name"], *_first_listing(filer)]
            for filer in self._filers.values()
        ]
        table = {"fields": ["cik", "name", "ticker", "exchange"], "data": rows}
        return json_answer(200, table, headers={"ETag": etag})


def _first_listing(filer: dict[str, object]) -> list[object]:
    tickers, exchanges = filer["tickers"], filer["exchanges"]
    assert isinstance(tickers, list)  # noqa: S101  made below
    assert isinstance(exchanges, list)  # noqa: S101
    return [tickers[0] if tickers else None, exchanges[0] if exchanges else None]


def is_filer(company: Company) -> bool:
    """Tell whether the company files with the SEC."""
    if company.address.country == "US":
        return company.employees >= FILES_FROM
    return company.ticker is not None and draw("sec", company.domain) < LISTED_ABROAD


def _filers_of(company: Company) -> list[dict[str, object]]:
    with_site = draw("sec", "site", company.domain) < WITH_SITE
    own = _filer(company, _FIRST_CIK, company.url if with_site else "")
    if draw("sec", "namesake", company.domain) >= NAMESAKES:
        return [own]
    site = f"https://{company.slug}-trust.example" if with_site else ""
    other = _filer(company, _FIRST_NAMESAKE, site)
    business = {"street1": "1 Quay", "city": "Dublin", "zipCode": "D01", "stateOrCountry": "L2"}
    business["stateOrCountryDescription"] = "Ireland"
    return [other | {"addresses": {"business": business}, "tickers": [], "exchanges": []}, own]


def _filer(company: Company, first_cik: int, site: str) -> dict[str, object]:
    code = sic(company)
    state = _STATES.get(company.address.region)
    moved = draw("sec", "moved", company.domain) < MOVED
    business = {
        "street1": "99 Former Road" if moved else company.address.street.upper(),
        "city": company.address.city.upper(),
        "zipCode": company.address.postal_code,
        "stateOrCountry": state or f"X{number(company.address.country) % 9}",
        "stateOrCountryDescription": state or BY_CODE[company.address.country].name,
    }
    return {
        "cik": f"{first_cik + company.index:010d}",
        "entityType": "operating",
        "sic": code,
        "sicDescription": _INDUSTRIES.get(code, company.industry.title()),
        "name": f"{company.legal_name.upper().rstrip('.')} /DE/",
        "tickers": [company.ticker] if company.ticker else [],
        "exchanges": ["NYSE"] if company.ticker else [],
        "ein": digits(company, "ein", 9),
        "website": site,
        "addresses": {"business": business},
        "phone": company.phone,
        "formerNames": [],
        "filings": {"recent": {"form": ["10-K"] * 40}},
    }
