"""RDAP: what a domain's registry and registrar publish about it. Free, keyless."""

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from glaze.errors import FetchError
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
from glaze.model.value import FieldName, Json
from glaze.model.vendor_body import (
    Readings,
    at,
    country_of,
    field_sets,
    gives,
    identified_by,
    not_asked,
    objects_at,
    parse_json,
    text_at,
    texts_at,
    unusable,
)

_IANA = "https://data.iana.org/rdap"
_DOMAIN = FieldName("company_domain")
_TYPE = "application/rdap+json"
_COUNTRY_PLACE = 6  # of the seven parts of a jCard address (RFC 6350, 6.3.1)

# What stands where the registrant's name would: redaction (RFC 9537) and privacy services.
_HIDDEN = re.compile(
    r"redact|privacy|proxy|proxies|withheld|not disclosed|undisclosed|data protected|gdpr|masked"
    r"|whoisguard|identity protect|protect(?:ion)? serv|domain protect|statutory|registration private"
    r"|on behalf of|private person|not available|whois agent|c/o |^(?:none|n/?a|-+|\.+)$",
    re.IGNORECASE,
)

_REGISTRATION = Operation(
    name="registration",
    needs=field_sets("company_domain"),
    gives=gives(company_domain_created=95, company_legal_name=65, company_country=60),
    timeout_s=20.0,
    resend=Resend.SAFE,
)
# Each registry counts for itself and few say how; one that fails says nothing of the next, so the
# base URL stays empty and there is no common circuit.
SPEC = ProviderSpec(
    name="rdap",
    operations=(_REGISTRATION,),
    limits=(Limit(100, 60),),
    concurrency=5,
    patient=False,
)


class Rdap:
    """Finds the registry in IANA's bootstrap file (RFC 9224), asks it, then the registrar it names.

    Vendor facts: 404 is no data; an end of a domain that the file lacks (``.de``) has no server;
    personal data is redacted nearly everywhere. A registrant without an organisation is a person,
    and is not read.
    """

    def __init__(self, spec: ProviderSpec = SPEC) -> None:
        """``spec`` may carry the user's own limits."""
        self.spec = spec
        self._registries: dict[str, str] = {}  # the end of a domain -> base URL

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer each ask by one or two requests, after one for the bootstrap file."""
        needs = self.spec.operation(operation).needs
        return [await self._one(identified_by(ask, needs).get(_DOMAIN, ""), http) for ask in asks]

    async def _one(self, domain: str, http: VendorHttp) -> Reply:
        if not domain:
            return not_asked("no domain is known")
        if not self._registries:
            response = await http.request("GET", f"{http.base_url or _IANA}/dns.json")
            self._registries.update(_bootstrap(response))
            if not self._registries:
                return unusable(_of_list(_verdict(response)), response)
        base = _registry_of(domain, self._registries)
        if base is None:
            return Reply(Verdict.NO_MATCH, Unbilled(), detail="no registry of its kind has RDAP")
        try:
            response = await _get(http, f"{base}domain/{domain}")
        except FetchError:
            self._registries.clear()  # it may have moved: read the file again
            raise
        record = _record_of(response, domain)
        if record is None:
            return unusable(_verdict(response), response)
        return await _reply(record, response, http)


async def _get(http: VendorHttp, url: str) -> VendorResponse:
    return await http.request("GET", url, headers={"Accept": _TYPE}, max_bytes=1_000_000)


def _bootstrap(response: VendorResponse) -> dict[str, str]:
    if response.status != HTTPStatus.OK:
        return {}
    services = at(parse_json(response.body), "services")
    found: dict[str, str] = {}
    for service in services if isinstance(services, list) else []:
        bases = [url for url in texts_at(service, 1) if url.startswith("https://")]
        for end in texts_at(service, 0) if bases else []:
            found[end.lower()] = bases[0].rstrip("/") + "/"
    return found


def _registry_of(domain: str, registries: Mapping[str, str]) -> str | None:
    """Return the registry of the longest end of ``domain`` that the file has."""
    labels = domain.split(".")
    ends = (".".join(labels[start:]) for start in range(1, len(labels)))
    return next((registries[end] for end in ends if end in registries), None)


def _record_of(response: VendorResponse, domain: str) -> Json:
    """Return the registry's answer about this very domain, None for anything else."""
    record = parse_json(response.body) if response.status == HTTPStatus.OK else None
    named = (text_at(record, "ldhName") or "").rstrip(".").lower()
    return record if named == domain else None


async def _reply(record: Json, response: VendorResponse, http: VendorHttp) -> Reply:
    readings = Readings(_REGISTRATION.gives, url=response.url)
    bodies, notes = {response.url: record}, []
    for event in objects_at(record, "events"):
        if text_at(event, "eventAction") == "registration":
            readings.add("company_domain_created", text_at(event, "eventDate"))
    organisation, country = _registrant(record)
    registrar = None if organisation else _registrar_link(record, response.url)
    where = response.url
    if registrar:
        try:
            second = await _get(http, registrar)
        except FetchError as error:
            notes.append(f"the registrar did not answer: {error}")
        else:
            found = _record_of(second, (text_at(record, "ldhName") or "").rstrip(".").lower())
            bodies[second.url], where = found, second.url
            organisation, country = _registrant(found)
            if found is None:
                notes.append(f"the registrar answered {second.status} without this domain")
    readings.add("company_legal_name", organisation, url=where, quote=organisation)
    readings.add("company_country", country if organisation else None, url=where)
    return Reply(
        Verdict.MATCH if readings.found else Verdict.NO_MATCH,
        Unbilled(),
        readings=readings.found,
        raw=json.dumps(bodies).encode(),
        detail="" if organisation else "the registrant is not public",
        notes=(*readings.notes, *notes),
    )


def _registrant(record: Json) -> tuple[str | None, str | None]:
    """Return (organisation, country) of a registrant, Nones for a hidden one or a person."""
    for entity in objects_at(record, "entities"):
        if "registrant" in texts_at(entity, "roles"):
            card = _card(entity)
            organisation = card.get("org") or (
                card.get("fn") if card.get("kind") == "org" else None
            )
            if organisation and not _HIDDEN.search(organisation):
                return organisation, country_of(card.get("country"))
    return None, None


def _card(entity: Json) -> dict[str, str]:
    """Return the texts of a jCard (RFC 7095): fn, org, kind, country."""
    found: dict[str, str] = {}
    lines = at(entity, "vcardArray", 1)
    for line in lines if isinstance(lines, list) else []:
        name = text_at(line, 0) or ""
        if name == "adr":
            country = text_at(line, 1, "cc") or text_at(line, 3, _COUNTRY_PLACE)
            found.setdefault("country", country or "")
        elif text := text_at(line, 3) or next(iter(texts_at(line, 3)), None):
            found.setdefault(name, text)
    return found


def _registrar_link(record: Json, own: str) -> str | None:
    for link in objects_at(record, "links"):
        url = text_at(link, "href") or ""
        if text_at(link, "rel") == "related" and text_at(link, "type") in (None, _TYPE):
            return url if url.startswith("https://") and url != own else None
    return None


def _of_list(verdict: Verdict) -> Verdict:
    """Return what a verdict means of the bootstrap file: that it is gone says nothing of a domain."""
    return Verdict.VENDOR_ERROR if verdict is Verdict.NO_MATCH else verdict


def _verdict(response: VendorResponse) -> Verdict:
    return _HABITS.get(response.status, Verdict.VENDOR_ERROR)


_HABITS: Mapping[int, Verdict] = {
    400: Verdict.BAD_INPUT,
    404: Verdict.NO_MATCH,
    429: Verdict.RATE_LIMITED,
}

rdap = Rdap()
