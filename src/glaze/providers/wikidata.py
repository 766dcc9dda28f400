"""Wikidata: what its community collected about a company. Free, keyless, polite."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

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
    VendorResponse,
    Verdict,
)
from glaze.model.same_company import Entry, Found, Sought, same_company
from glaze.model.value import FieldName, Json
from glaze.model.vendor_body import (
    Readings,
    at,
    field_sets,
    gives,
    identified_by,
    not_asked,
    objects_at,
    parse_json,
    text_at,
    unusable,
)

_AGENT = "Glaze/0.1 (self-hosted company data)"
_SPARQL = "https://query.wikidata.org/sparql"
_ITEM = re.compile(r"Q[1-9][0-9]{0,11}")
_LANGUAGES = "en|mul|de|fr|es|it|nl|pt|sv|pl|ja|zh"
_MAXLAG_S = 5  # Wikimedia's own advice for clients that can wait
_CANDIDATES = 10
_MOST_IDS = 50  # of one wbgetentities
_DOLLAR = "Q4917"

# What an organisation's item has, and that of its product or of a person of its name has not.
_OF_ORGANISATIONS = ("P159", "P1454", "P1128", "P452", "P1278", "P414", "P169")
# Identifiers that become addresses: property -> field, address.
_PROFILES: Mapping[str, tuple[str, str]] = {
    "P4264": ("company_linkedin_url", "https://www.linkedin.com/company/{}"),
    "P2002": ("company_twitter_url", "https://x.com/{}"),
    "P2013": ("company_facebook_url", "https://www.facebook.com/{}"),
    "P2003": ("company_instagram_url", "https://www.instagram.com/{}"),
    "P2397": ("company_youtube_url", "https://www.youtube.com/channel/{}"),
    "P2037": ("company_github_url", "https://github.com/{}"),
    "P2088": ("company_crunchbase_url", "https://www.crunchbase.com/organization/{}"),
    "P7085": ("company_tiktok_url", "https://www.tiktok.com/@{}"),
    "P154": ("company_logo_url", "https://commons.wikimedia.org/wiki/Special:FilePath/{}"),
}
_REGISTERS: Mapping[str, str] = {"P1278": "lei", "P5531": "cik"}
_PRECISIONS: Mapping[int, int] = {9: 4, 10: 7, 11: 10}  # of a time -> letters of its date

_COMPANY = Operation(
    name="company",
    needs=field_sets(
        "company_domain company_name", "company_domain", "company_country company_name"
    ),
    gives=gives(
        company_name=85,
        company_website=85,
        company_description=45,
        company_industry=70,
        company_employee_count=65,
        company_size=65,
        company_revenue=60,
        company_founded_date=85,
        company_founded_year=85,
        company_city=80,
        company_country=85,
        company_status=80,
        company_ticker=80,
        company_exchange=80,
        company_lei=85,
        company_registry_ids=85,
        company_mastodon_url=80,
        **{field: 80 for field, _ in _PROFILES.values()},
    ),
    timeout_s=30.0,
    resend=Resend.SAFE,
)
SPEC = ProviderSpec(
    name="wikidata",
    operations=(_COMPANY,),
    base_url="https://www.wikidata.org/w",
    key_setting="contact",
    key_optional=True,
    # An ask takes up to four requests. Wikimedia's figures of 2026 are unconfirmed; at most three
    # requests at once are its rule.
    limits=(Limit(30, 60),),
    keyed_limits=(Limit(60, 60),),
    concurrency=3,
    patient=False,
)


class _Refused(Exception):
    """Wikidata did not answer the question; ``reply`` says why."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.detail)
        self.reply = reply


class Wikidata:
    """Speaks to ``www.wikidata.org/w/api.php`` and ``query.wikidata.org``.

    Vendor facts: a User-Agent that says who asks is mandatory; at most three requests at once;
    ``maxlag`` makes a busy server answer 200 with an error and ``Retry-After``; 429 likewise.
    """

    def __init__(self, spec: ProviderSpec = SPEC) -> None:
        """``spec`` may carry the user's own limits."""
        self.spec = spec

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer each ask: find items by site, else by name; read them; name what they refer to."""
        needs = self.spec.operation(operation).needs
        return [await _one(identified_by(ask, needs), http) for ask in asks]


async def _one(question: Mapping[FieldName, str], http: VendorHttp) -> Reply:
    if not question:
        return not_asked("neither a domain nor a name with its country is known")
    sought = Sought.of(question)
    try:
        items = await _items(http, sought)
        named = await _referred(http, items)
    except _Refused as refused:
        return refused.reply
    found = same_company(sought, (_entry(item, named) for item in items))
    if not isinstance(found, Found):
        return Reply(Verdict.NO_MATCH, Unbilled(), detail=found)
    item = found.record
    readings = _read(item, named, minus=found.basis)
    kept = [item.record, *(one.record for one in named.values())]
    return Reply(
        Verdict.MATCH if readings.found else Verdict.NO_MATCH,
        Unbilled(),
        readings=readings.found,
        raw=json.dumps(kept).encode(),
        detail=str(found.basis),
        notes=readings.notes,
    )


# --- asking ---------------------------------------------------------------------------------


async def _items(http: VendorHttp, sought: Sought) -> "list[_Item]":
    """Return the organisations' items that may be the company's."""
    ids = await _ids_by_site(http, sought.domain) if sought.domain else []
    if not ids and sought.name:
        ids = await _ids_by_name(http, sought.name)
    items = [*(await _entities(http, ids, "labels|aliases|descriptions|claims")).values()]
    return [item for item in items if _may_be(item, sought)]


def _may_be(item: "_Item", sought: Sought) -> bool:
    """Tell an organisation of this name or with a site from all else; the rest is judged later."""
    if not any(item.values(name) for name in _OF_ORGANISATIONS):
        return False
    keys = set(map(company_key, item.names))
    return bool(sought.domain and item.sites) or company_key(sought.name or "") in keys


async def _ids_by_site(http: VendorHttp, domain: str) -> list[str]:
    """Find items by their official website, which is stored as it was typed in."""
    if not re.fullmatch(r"[a-z0-9._-]+", domain):
        return []
    sites = " ".join(
        f"<{scheme}://{host}{end}>"
        for scheme in ("https", "http")
        for host in (f"www.{domain}", domain)
        for end in ("/", "")
    )
    query = f"SELECT ?item WHERE {{ VALUES ?site {{ {sites} }} ?item wdt:P856 ?site }} LIMIT 20"
    body = await _get(http, _SPARQL, {"format": "json", "query": query})
    if not isinstance(at(body, "results", "bindings"), list):
        raise _Refused(Reply(Verdict.VENDOR_ERROR, Unbilled(), detail="no result of a query"))
    urls = (text_at(row, "item", "value") for row in objects_at(body, "results", "bindings"))
    return [*dict.fromkeys(_ids(url.rpartition("/")[2] for url in urls if url))]


async def _ids_by_name(http: VendorHttp, name: str) -> list[str]:
    params = {"action": "wbsearchentities", "search": name, "language": "en", "type": "item"}
    body = await _api(http, params | {"limit": str(_CANDIDATES)})
    if not isinstance(at(body, "search"), list):
        raise _Refused(Reply(Verdict.VENDOR_ERROR, Unbilled(), detail="no result of a search"))
    return [*_ids(text_at(one, "id") for one in objects_at(body, "search"))]


def _ids(texts: Iterable[str | None]) -> Iterator[str]:
    yield from (text for text in texts if text and _ITEM.fullmatch(text))


async def _referred(http: VendorHttp, items: "Sequence[_Item]") -> "Mapping[str, _Item]":
    """Return the items that ``items`` refer to: countries, seats, industries, exchanges."""
    ids = [
        id_ for item in items for name in ("P17", "P159", "P452", "P414") for id_ in item.refs(name)
    ]
    return await _entities(http, [*dict.fromkeys(ids)][:_MOST_IDS], "labels|claims")


async def _entities(http: VendorHttp, ids: Sequence[str], props: str) -> "dict[str, _Item]":
    if not ids:
        return {}
    params = {"action": "wbgetentities", "ids": "|".join(ids), "props": props}
    body = await _api(http, params | {"languages": _LANGUAGES})
    if not isinstance(at(body, "entities"), Mapping):
        raise _Refused(Reply(Verdict.VENDOR_ERROR, Unbilled(), detail="no items"))
    found = {id_: at(body, "entities", id_) for id_ in ids}
    return {id_: _Item(id_, one) for id_, one in found.items() if isinstance(one, Mapping)}


async def _api(http: VendorHttp, params: Mapping[str, str]) -> Json:
    common = {"format": "json", "maxlag": str(_MAXLAG_S)}
    return await _get(http, f"{http.base_url}/api.php", {**params, **common})


async def _get(http: VendorHttp, url: str, params: Mapping[str, str]) -> Json:
    agent = f"{_AGENT[:-1]}; {http.key})" if http.key else _AGENT
    response = await http.request("GET", url, params=params, headers={"User-Agent": agent})
    body = parse_json(response.body) if response.status == HTTPStatus.OK else None
    code = text_at(body, "error", "code")
    if not isinstance(body, Mapping) or code:
        raise _Refused(unusable(_verdict(response, code), response))
    return body


def _verdict(response: VendorResponse, code: str | None) -> Verdict:
    if code in ("maxlag", "ratelimited"):
        return Verdict.RATE_LIMITED
    return _HABITS.get(response.status, Verdict.VENDOR_ERROR)


_HABITS: Mapping[int, Verdict] = {
    400: Verdict.BAD_INPUT,
    403: Verdict.AUTH,  # the User-Agent says too little
    429: Verdict.RATE_LIMITED,
}


# --- reading --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Item:
    """One item and its statements; deprecated ones do not count, preferred ones go first."""

    id: str
    record: Mapping[str, Json]

    @property
    def label(self) -> str | None:
        """The name in the first language that has one."""
        labels = (text_at(self.record, "labels", lang, "value") for lang in _LANGUAGES.split("|"))
        return next(filter(None, labels), None)

    @property
    def names(self) -> tuple[str, ...]:
        """Every label and alias."""
        found = []
        for lang in _LANGUAGES.split("|"):
            found.append(text_at(self.record, "labels", lang, "value"))
            aliases = objects_at(self.record, "aliases", lang)
            found.extend(text_at(one, "value") for one in aliases)
        return tuple(dict.fromkeys(filter(None, found)))

    @property
    def sites(self) -> tuple[str, ...]:
        """The official websites."""
        return tuple(filter(None, map(text_at, self.values("P856"))))

    def statements(self, name: str) -> list[Mapping[str, Json]]:
        """Return the statements of a property, those of the best rank only."""
        stated = [
            one
            for one in objects_at(self.record, "claims", name)
            if text_at(one, "mainsnak", "snaktype") == "value" and one.get("rank") != "deprecated"
        ]
        preferred = [one for one in stated if one.get("rank") == "preferred"]
        return preferred or stated

    def values(self, name: str) -> list[Json]:
        """Return the values of a property."""
        return [at(one, "mainsnak", "datavalue", "value") for one in self.statements(name)]

    def first(self, name: str) -> str | None:
        """Return the first value of a property of texts."""
        return next(filter(None, map(text_at, self.values(name))), None)

    def refs(self, name: str) -> list[str]:
        """Return the ids of the items that a property refers to."""
        return [*_ids(text_at(value, "id") for value in self.values(name))]


def _entry(item: _Item, named: Mapping[str, _Item]) -> Entry[_Item]:
    return Entry(item, item.names, _country(item, named), item.sites)


def _country(item: _Item, named: Mapping[str, _Item]) -> str | None:
    countries = (named[id_].first("P297") for id_ in item.refs("P17") if id_ in named)
    return next(filter(None, countries), None)


def _read(item: _Item, named: Mapping[str, _Item], *, minus: int) -> Readings:
    readings = Readings(_COMPANY.gives, url=f"https://www.wikidata.org/wiki/{item.id}", minus=minus)
    readings.add("company_name", item.label)
    readings.add("company_description", text_at(item.record, "descriptions", "en", "value"))
    readings.add("company_website", next(iter(item.sites), None))
    readings.add("company_country", _country(item, named))
    for field, name in (("company_industry", "P452"), ("company_city", "P159")):
        ref = next((named[id_] for id_ in item.refs(name) if id_ in named), None)
        readings.add(field, ref.label if ref else None)
    _read_dates(readings, item)
    _read_numbers(readings, item)
    _read_identifiers(readings, item)
    _read_listing(readings, item, named)
    return readings


def _read_dates(readings: Readings, item: _Item) -> None:
    founded = next(filter(None, map(_date, item.values("P571"))), None)
    readings.add("company_founded_date", founded)
    readings.add("company_founded_year", founded[:4] if founded else None)
    if item.values("P576"):
        readings.add("company_status", "dissolved")


def _date(value: Json) -> str | None:
    """Return a time as precise as it is meant: +1998-00-00, precision 9, is 1998."""
    letters = (
        _PRECISIONS.get(precision) if isinstance(precision := at(value, "precision"), int) else 0
    )
    time = (text_at(value, "time") or "").lstrip("+")
    return time[:letters] if letters and time[:1].isdigit() else None


def _read_numbers(readings: Readings, item: _Item) -> None:
    for name, fields in (
        ("P1128", ("company_employee_count", "company_size")),
        ("P2139", ("company_revenue",)),
    ):
        stated = [one for one in item.statements(name) if _amount(one, money=name == "P2139")]
        if not stated:
            continue
        latest = max(stated, key=lambda one: _as_of(one) or "")
        amount, as_of = _amount(latest, money=name == "P2139"), _as_of(latest)
        quote = f"{amount}{f', as of {as_of}' if as_of else ''}"
        for field in fields:
            readings.add(field, amount, quote=quote)


def _amount(statement: Json, *, money: bool) -> str | None:
    value = at(statement, "mainsnak", "datavalue", "value")
    if money and not (text_at(value, "unit") or "").endswith(f"/{_DOLLAR}"):
        return None
    found = re.fullmatch(r"\+(\d{1,15})(?:\.\d+)?", text_at(value, "amount") or "")
    return found[1] if found else None


def _as_of(statement: Json) -> str | None:
    """Return the point in time (P585) of a statement, as precise as it is meant."""
    points = objects_at(statement, "qualifiers", "P585")
    return next(filter(None, (_date(at(one, "datavalue", "value")) for one in points)), None)


def _read_identifiers(readings: Readings, item: _Item) -> None:
    for name, (field, address) in _PROFILES.items():
        if value := item.first(name):
            readings.add(field, address.format(value.replace(" ", "_")), quote=f"{name}: {value}")
    user, _, host = (item.first("P4033") or "").lstrip("@").partition("@")
    readings.add("company_mastodon_url", f"https://{host}/@{user}" if user and host else None)
    readings.add("company_lei", item.first("P1278"))
    numbers = {key: text for name, key in _REGISTERS.items() if (text := item.first(name))}
    readings.add("company_registry_ids", numbers)


def _read_listing(readings: Readings, item: _Item, named: Mapping[str, _Item]) -> None:
    for statement in item.statements("P414"):
        exchange = named.get(text_at(statement, "mainsnak", "datavalue", "value", "id") or "")
        readings.add("company_exchange", exchange.label if exchange else None)
        ticker = next(iter(objects_at(statement, "qualifiers", "P249")), None)
        readings.add("company_ticker", text_at(ticker, "datavalue", "value"))


wikidata = Wikidata()
