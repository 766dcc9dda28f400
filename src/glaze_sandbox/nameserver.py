"""DNS over UDP for the hosts of the sandbox: addresses, mail exchangers, texts out of the world."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from glaze_sandbox.seeded import hex_id
from glaze_sandbox.sites.traps import PUBLIC, TRAPS, trap_of
from glaze_sandbox.world.entities import Company
from glaze_sandbox.world.population import World

CONTROL_HOST = "sandbox.glaze.internal"
TTL_S = 60
_SPF = {
    "google": "v=spf1 include:_spf.google.com ~all",
    "microsoft365": "v=spf1 include:spf.protection.outlook.com -all",
    "own": "v=spf1 mx -all",
    "none": "v=spf1 -all",
}

Records = dict[str, list[str]]  # type -> presentation form


class Zone:
    """Every name that the sandbox answers, looked up when asked."""

    def __init__(self, world: World, vendor_hosts: frozenset[str]) -> None:
        """Company names come out of ``world``; ``vendor_hosts`` have an address and no more."""
        self._world = world
        self._vendor_hosts = vendor_hosts | {CONTROL_HOST}
        self._asked: Counter[str] = Counter()
        self.queries: Counter[str] = Counter()

    def forget(self) -> None:
        """Clear the counters, so that ``rebind`` names begin anew."""
        self._asked.clear()
        self.queries.clear()

    def records(self, name: str, type_: str) -> list[str] | None:
        """Return the records of ``name``, None where the name does not exist."""
        self.queries[type_] += 1
        if name in self._vendor_hosts:
            return [PUBLIC] if type_ == "A" else []
        if (trap := trap_of(name)) is not None:
            return self._trap_records(name, trap, type_)
        label, _, rest = name.partition(".")
        company = self._world.by_domain(rest if label in {"_dmarc", "mail"} else name)
        if company is None or self._world.is_dead(company):
            return None
        return _company_records(company, label, name).get(type_, [])

    def ttl_s(self, name: str) -> int:
        """Return how long an answer about ``name`` may be kept, in seconds; rebinding needs 0."""
        trap = trap_of(name)
        return 0 if trap is not None and TRAPS[trap].later else TTL_S

    def _trap_records(self, name: str, trap: str, type_: str) -> list[str]:
        if type_ not in {"A", "AAAA"}:
            return []
        addresses = TRAPS[trap].addresses
        if type_ == "A" and TRAPS[trap].later:
            self._asked[name] += 1
            addresses = addresses if self._asked[name] == 1 else TRAPS[trap].later
        return [a for a in addresses if (":" in a) == (type_ == "AAAA")]


def _company_records(company: Company, label: str, name: str) -> Records:
    domain = company.domain
    if name == f"_dmarc.{domain}":
        policy = "reject" if company.mail == "none" else "quarantine"
        return {"TXT": [f'"v=DMARC1; p={policy}; rua=mailto:dmarc@{domain}"']}
    if name == f"mail.{domain}" or label == "www":
        return {"A": [PUBLIC]}
    texts = [f'"{_SPF[company.mail]}"'] if company.mail in _SPF else []
    texts += _verifications(company)
    return {"A": [PUBLIC], "MX": _exchangers(company), "TXT": texts, "NS": ["ns1.hostdns.net."]}


def _exchangers(company: Company) -> list[str]:
    domain = company.domain
    if company.mail == "google":
        return [
            "1 aspmx.l.google.com.",
            "5 alt1.aspmx.l.google.com.",
            "10 alt3.aspmx.l.google.com.",
        ]
    if company.mail == "microsoft365":
        return [f"0 {domain.replace('.', '-')}.mail.protection.outlook.com."]
    return {"own": [f"10 mail.{domain}."], "none": ["0 ."]}.get(company.mail, [])


def _verifications(company: Company) -> list[str]:
    token = hex_id("verification", company.domain, length=32)
    found = []
    if company.mail == "microsoft365":
        found.append(f'"MS=ms{int(token[:7], 16) % 10**8:08d}"')
    if "Google Analytics" in company.technologies:
        found.append(f'"google-site-verification={token}"')
    if "Atlassian" in company.technologies:
        found.append(f'"atlassian-domain-verification={token}"')
    if "HubSpot" in company.technologies:
        found.append(f'"hubspot-developer-verification={token}"')
    if "Stripe" in company.technologies:
        found.append(f'"stripe-verification={token}"')
    return found


def answer(zone: Zone, wire: bytes) -> bytes | None:
    """Return the answer to the DNS message ``wire``, None where it is no question."""
    try:
        query = dns.message.from_wire(wire)
    except dns.exception.DNSException:
        return None
    if query.flags & dns.flags.QR or not query.question:
        return None
    question = query.question[0]
    type_ = dns.rdatatype.to_text(question.rdtype)
    response = dns.message.make_response(query, recursion_available=True)
    response.flags |= dns.flags.AA
    name = question.name.to_text(omit_final_dot=True).lower()
    records = zone.records(name, type_)
    if records is None:
        response.set_rcode(dns.rcode.NXDOMAIN)
    elif records:
        ttl_s = zone.ttl_s(name)
        found = dns.rrset.from_text(question.name, ttl_s, dns.rdataclass.IN, type_, *records)
        response.answer.append(found)
    return response.to_wire()


class DnsProtocol(asyncio.DatagramProtocol):
    """Answers each datagram at once; faulty ones are dropped."""

    def __init__(self, reply: Callable[[bytes], bytes | None]) -> None:
        """``reply`` turns a question into an answer."""
        self._reply = reply
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket to answer on."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        """Answer one question."""
        reply = self._reply(data)
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)
