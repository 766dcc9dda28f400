"""Wikidata: items of the better known companies, of their products, and of namesakes elsewhere."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import cast

from glaze_sandbox.knowledge import WIKIDATA, Knowledge
from glaze_sandbox.seeded import draw, number
from glaze_sandbox.vendors.keyless import Keyless
from glaze_sandbox.wire import Answer, Call, json_answer
from glaze_sandbox.world.entities import Company, Truth
from glaze_sandbox.world.places import COUNTRIES
from glaze_sandbox.world.population import World
from glaze_sandbox.world.registers import all_truth

API, QUERY = "www.wikidata.org", "query.wikidata.org"
PRODUCTS, NAMESAKES = 0.25, 0.3  # share of the companies with an item of such a kind
_COMPANY, _PRODUCT, _NAMESAKE = 9_000_000, 9_200_000, 9_400_000  # first number of a kind
_COUNTRY, _OTHER = 8_000_000, 8_100_000

Claims = dict[str, list[dict[str, object]]]


class Wikidata(Keyless):
    """Plays ``www.wikidata.org`` and ``query.wikidata.org``."""

    name = "wikidata"
    hosts = (API, QUERY)

    def __init__(self, world: World) -> None:
        """Draw the items out of ``world``."""
        self._world = world
        self._known = Knowledge(WIKIDATA, world, all_truth)
        self._labels: dict[str, str] = {}  # of places, industries, exchanges

    def answer(self, call: Call) -> Answer:
        """Answer a query, a search or a list of items; who says nothing of himself is refused."""
        if "/" not in call.headers.get("User-Agent", ""):
            return Answer(403, b"Please set a user-agent", "text/plain")
        if call.host == QUERY:
            return self._query(call.query.get("query", ""))
        action = call.query.get("action")
        if action == "wbsearchentities":
            return self._search(call.query.get("search", ""))
        if action == "wbgetentities":
            ids = call.query.get("ids", "").split("|")
            return json_answer(200, {"entities": {id_: self._item(id_) for id_ in ids}})
        return json_answer(200, {"error": {"code": "badvalue", "info": "Unrecognized action"}})

    def _query(self, query: str) -> Answer:
        hosts = re.findall(r"<https://([^/>]+)/?>", query)
        found = next(filter(None, map(self._world.by_domain, hosts)), None)
        ids = [*self._ids(found, sites=True)] if found else []
        rows = [{"item": {"type": "uri", "value": f"http://{API}/entity/{id_}"}} for id_ in ids]
        return json_answer(200, {"head": {"vars": ["item"]}, "results": {"bindings": rows}})

    def _search(self, name: str) -> Answer:
        found = self._world.by_name(name)
        ids = [*self._ids(found, sites=False)] if found else []
        return json_answer(200, {"search": [{"id": id_} for id_ in ids], "success": 1})

    def _ids(self, company: Company, *, sites: bool) -> Iterator[str]:
        if self._known.company(company) is not None:
            yield f"Q{_COMPANY + company.index}"
        if draw("wikidata", "product", company.domain) < PRODUCTS:
            yield f"Q{_PRODUCT + company.index}"
        if not sites and draw("wikidata", "namesake", company.domain) < NAMESAKES:
            yield f"Q{_NAMESAKE + company.index}"

    def _item(self, id_: str) -> dict[str, object]:
        kind, index = divmod(int(id_.lstrip("Q")) - _COMPANY, 200_000)
        if not 0 <= kind <= 2 or index >= len(self._world):  # noqa: PLR2004  company, product, namesake
            return self._referred(id_)
        company = self._world.company(index)
        believed = self._known.company(company)
        claims = self._claims(believed) if kind == 0 and believed else _other(company, kind)
        return _entity(id_, company.name, claims)

    def _referred(self, id_: str) -> dict[str, object]:
        place = int(id_.lstrip("Q")) - _COUNTRY
        if 0 <= place < len(COUNTRIES):
            code = COUNTRIES[place].code
            return _entity(id_, COUNTRIES[place].name, {"P297": [_text(code)]})
        if id_ in self._labels:
            return _entity(id_, self._labels[id_], {})
        return {"id": id_, "missing": ""}

    def _ref(self, label: object) -> dict[str, object]:
        id_ = f"Q{_OTHER + number('wikidata', label) % 800_000}"
        self._labels[id_] = str(label)
        return _statement({"entity-type": "item", "id": id_}, "wikibase-entityid")

    def _claims(self, believed: Truth) -> Claims:
        claims: Claims = {"P856": [_text(believed["company_website"])]}
        for name, (field, form) in _FORMS.items():
            if field in believed:
                claims[name] = [form(believed[field])]
        for name, field in (("P452", "company_industry"), ("P159", "company_city")):
            if field in believed:
                claims[name] = [self._ref(believed[field])]
        if "company_employee_count" in believed:
            now = cast(int, believed["company_employee_count"])
            claims["P1128"] = [_count(now, 2024), _count(max(1, now // 2), 2015)]
        if "company_ticker" in believed:
            ticker = {"snaktype": "value", "datavalue": {"value": believed["company_ticker"]}}
            claims["P414"] = [self._ref("Nasdaq") | {"qualifiers": {"P249": [ticker]}}]
        return claims


def _other(company: Company, kind: int) -> Claims:
    """Return a product's statements, or those of a company of the same name far away."""
    if kind == 1:
        return {"P856": [_text(company.url)], "P571": [_time("1999-01-01")]}
    places = [country.code for country in COUNTRIES if country.code != company.address.country]
    site = f"https://www.{company.slug}-holdings.example"
    return {
        "P856": [_text(site)],
        "P17": [_country(places[company.index % len(places)])],
        "P1128": [_count(12_345, 2023)],
    }


def _entity(id_: str, label: str, claims: Claims) -> dict[str, object]:
    labels = {"en": {"language": "en", "value": label}}
    return {"type": "item", "id": id_, "labels": labels, "claims": claims}


def _statement(value: object, type_: str) -> dict[str, object]:
    snak = {"snaktype": "value", "datavalue": {"value": value, "type": type_}}
    return {"mainsnak": snak, "type": "statement", "rank": "normal"}


def _text(value: object) -> dict[str, object]:
    return _statement(value, "string")


def _country(code: object) -> dict[str, object]:
    place = next(i for i, country in enumerate(COUNTRIES) if country.code == code)
    return _statement({"entity-type": "item", "id": f"Q{_COUNTRY + place}"}, "wikibase-entityid")


def _time(date: object) -> dict[str, object]:
    return _statement({"time": f"+{date}T00:00:00Z", "precision": 11}, "time")


def _count(amount: int, year: int) -> dict[str, object]:
    time = {"value": {"time": f"+{year}-00-00T00:00:00Z", "precision": 9}, "type": "time"}
    qualifiers = {"P585": [{"snaktype": "value", "datavalue": time}]}
    return _statement({"amount": f"+{amount}", "unit": "1"}, "quantity") | {
        "qualifiers": qualifiers
    }


def _handle(url: object) -> dict[str, object]:
    return _text(str(url).rpartition("/")[2])


_FORMS: Mapping[str, tuple[str, Callable[[object], dict[str, object]]]] = {
    "P17": ("company_country", _country),
    "P571": ("company_founded_date", _time),
    "P1278": ("company_lei", _text),
    "P2002": ("company_twitter_url", _handle),
    "P2013": ("company_facebook_url", _handle),
    "P2003": ("company_instagram_url", _handle),
    "P2037": ("company_github_url", _handle),
    "P4264": ("company_linkedin_url", _handle),
}
