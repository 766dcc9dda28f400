"""DNS: who runs a domain's mail, and which services its records were set up for. Free, keyless."""

import json
import re
from collections.abc import Mapping, Sequence

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
    Verdict,
)
from glaze.model.technology import shown_by_records
from glaze.model.vendor_body import Readings, field_sets, gives, identified_by, not_asked

MX_SURE = 95
NO_MX_SURE = 80  # a name without MX may still take mail at its own address (RFC 5321, 5.1)
NO_MAIL = "none"
OWN_MAIL = "own"
OTHER_MAIL = "other"

# What the name of a mail exchanger ends in -> who runs the mail.
_MAIL_HOSTS: Mapping[str, str] = {
    "google.com": "google",
    "googlemail.com": "google",
    "mail.protection.outlook.com": "microsoft365",
    "mx.microsoft": "microsoft365",
    "olc.protection.outlook.com": "microsoft365",
    "zoho.com": "zoho",
    "zoho.eu": "zoho",
    "zoho.in": "zoho",
    "zohomail.com": "zoho",
    "pphosted.com": "proofpoint",
    "ppe-hosted.com": "proofpoint",
    "mimecast.com": "mimecast",
    "mimecast.co.za": "mimecast",
    "barracudanetworks.com": "barracuda",
    "messagelabs.com": "broadcom",
    "iphmx.com": "cisco",
    "trendmicro.com": "trendmicro",
    "trendmicro.eu": "trendmicro",
    "hornetsecurity.com": "hornetsecurity",
    "antispameurope.com": "hornetsecurity",
    "sophos.com": "sophos",
    "messagingengine.com": "fastmail",
    "protonmail.ch": "proton",
    "icloud.com": "apple",
    "yandex.net": "yandex",
    "yandex.ru": "yandex",
    "secureserver.net": "godaddy",
    "ionos.com": "ionos",
    "kundenserver.de": "ionos",
    "1and1.com": "ionos",
    "ovh.net": "ovh",
    "gandi.net": "gandi",
    "hostinger.com": "hostinger",
    "privateemail.com": "namecheap",
    "registrar-servers.com": "namecheap",
    "emailsrvr.com": "rackspace",
    "mailgun.org": "mailgun",
    "amazonaws.com": "amazon",
    "strato.de": "strato",
    "rzone.de": "strato",
    "hetzner.com": "hetzner",
    "your-server.de": "hetzner",
    "mailbox.org": "mailbox.org",
    "migadu.com": "migadu",
    "qq.com": "tencent",
    "mxhichina.com": "alibaba",
}

_RECORDS = Operation(
    name="records",
    needs=field_sets("company_domain"),
    gives=gives(company_mail_provider=MX_SURE, company_technologies=80),
    timeout_s=10.0,
    resend=Resend.SAFE,
)
SPEC = ProviderSpec(name="dns_mx", operations=(_RECORDS,), limits=(Limit(100, 1),), room=20)


class DnsMx:
    """Asks DNS for a domain's MX and TXT records and for what its ``www`` points to."""

    def __init__(self, spec: ProviderSpec = SPEC) -> None:
        """``spec`` may carry the user's own limits."""
        self.spec = spec

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer each ask by three DNS questions.

        Silence about TXT or ``www`` is noted; silence about MX raises, for it is the main answer.
        """
        needs = self.spec.operation(operation).needs
        return [
            await _one(next(iter(identified_by(ask, needs).values()), ""), http) for ask in asks
        ]


async def _one(domain: str, http: VendorHttp) -> Reply:
    if not domain:
        return not_asked("no domain is known")
    exchangers = [*await http.resolve(domain, "MX")]
    texts, text_notes = await _optional(http, domain, "TXT")
    aliases, alias_notes = await _optional(http, f"www.{domain}", "CNAME")
    provider, sure = mail_provider(domain, exchangers)
    readings = Readings(_RECORDS.gives)
    quote = " | ".join(sorted(exchangers)) or f"{domain} has no MX record"
    readings.add("company_mail_provider", provider, confidence=sure, quote=quote)
    marks = technologies(texts, aliases)
    readings.add("company_technologies", [*marks], quote=" | ".join(marks.values()))
    found = {"MX": exchangers, "TXT": texts, "CNAME": aliases}
    return Reply(
        Verdict.MATCH,
        Unbilled(),
        readings=readings.found,
        raw=json.dumps(found).encode(),
        notes=(*readings.notes, *text_notes, *alias_notes),
    )


async def _optional(
    http: VendorHttp, name: str, record_type: str
) -> tuple[list[str], tuple[str, ...]]:
    try:
        return [*await http.resolve(name, record_type)], ()
    except FetchError as error:
        return [], (f"no answer about {record_type} records: {error}",)


def mail_provider(domain: str, exchangers: Sequence[str]) -> tuple[str, int]:
    """Return who runs the mail of ``domain`` and how sure that is, from MX lines.

    A line reads ``10 mx.example.com``; the most preferred host decides. ``0 .`` is a null MX: the
    domain takes no mail (RFC 7505).

    >>> mail_provider("acme.com", ["10 aspmx.l.google.com"])
    ('google', 95)
    """
    hosts = [host for _, host in sorted(map(_exchanger, exchangers))]
    if not hosts:
        return NO_MAIL, NO_MX_SURE
    if not any(hosts):
        return NO_MAIL, MX_SURE
    host = next(filter(None, hosts))
    known = _owner(host, _MAIL_HOSTS)
    if known:
        return known, MX_SURE
    return (OWN_MAIL if _is_below(host, domain) else OTHER_MAIL), MX_SURE


def _exchanger(line: str) -> tuple[int, str]:
    preference, _, host = line.strip().partition(" ")
    rank = int(preference) if re.fullmatch(r"[0-9]{1,5}", preference) else 65_535
    return rank, (host or preference).strip().rstrip(".").lower()


def technologies(texts: Sequence[str], aliases: Sequence[str]) -> dict[str, str]:
    """Return the services that TXT records and the alias of ``www`` show, each with its record."""
    found: dict[str, str] = {}
    for name, record in shown_by_records(texts, aliases):
        found.setdefault(name, record)
    return found


def _owner(host: str, owners: Mapping[str, str]) -> str | None:
    return next((name for end, name in owners.items() if _is_below(host, end)), None)


def _is_below(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


dns_mx = DnsMx()
