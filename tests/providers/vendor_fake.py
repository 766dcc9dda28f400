"""A vendor that answers what the test says, over the same protocol as the real way out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from glaze.errors import ConnectFailed
from glaze.model.provider import (
    Ask,
    Operation,
    Page,
    Provider,
    Statement,
    VendorHttp,
    VendorResponse,
)
from glaze.model.value import FieldName, Json

SAMPLES = {
    "company_domain": "acme.com",
    "company_name": "Acme",
    "company_industry": "Software",
    "company_country": "GB",
    "company_legal_name": "Acme GmbH",
    "company_registration_number": "01234567",
    "company_lei": "529900T8BM49AURSDO55",
    "company_website": "https://acme.com",
    "company_linkedin_url": "https://www.linkedin.com/company/acme",
    "company_twitter_url": "https://x.com/acme",
    "company_github_url": "https://github.com/acme",
    "person_github_url": "https://github.com/jane",
    "person_email": "jane@acme.com",
    "person_full_name": "Jane Doe",
    "person_first_name": "Jane",
    "person_last_name": "Doe",
    "person_linkedin_url": "https://www.linkedin.com/in/jane-doe",
}


@dataclass
class Sent:
    """A request as the provider made it."""

    method: str
    url: str
    params: dict[str, str]
    headers: Mapping[str, str]
    json: Json
    content: bytes | None = None


@dataclass
class VendorFake(VendorHttp):
    """Answers every request alike, and every DNS question from ``records``."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    records: Mapping[tuple[str, str], Sequence[str]] | None = field(default_factory=dict)
    base_url: str = "https://vendor.example"
    key: str = "secret-key"
    token: str = "g1-7-token"
    callback_url: str = "https://us.example/callbacks/x/g1-7-token"
    sent: list[Sent] = field(default_factory=list)

    @classmethod
    def of(cls, value: object, status: int = 200, **more: object) -> "VendorFake":
        """A vendor that answers ``value`` as JSON."""
        return cls(status=status, body=json.dumps(value).encode(), **more)

    async def request(
        self,
        method,
        url,
        *,
        params=None,
        headers=None,
        json=None,
        content=None,
        max_bytes=0,
        timeout_s=None,
    ) -> VendorResponse:
        del max_bytes, timeout_s
        self.sent.append(Sent(method, url, dict(params or {}), headers or {}, json, content))
        return VendorResponse(self.status, self.headers, self.body, url)

    async def resolve(self, name: str, record_type: str) -> Sequence[str]:
        if self.records is None:
            raise ConnectFailed("no DNS server answers", sent=False)
        return self.records.get((name, record_type), ())


def ask(*want: str, evidence: Sequence[Page] = (), **known: Json) -> Ask:
    """An ask about ``known`` that wants ``want``."""
    return Ask(
        known={FieldName(name): value for name, value in known.items()},
        want=frozenset(FieldName(name) for name in want),
        evidence=tuple(evidence),
    )


def sample_ask(operation: Operation, *, needs: int = 0) -> Ask:
    """An ask that ``operation`` can answer."""
    page = Page("https://acme.com/about", "Acme was founded in 1998 and makes anvils in Toledo.")
    year = FieldName("company_founded_year")
    stated = tuple(Statement(one, "apollo", "2026-11-02") for one in (1998, 1999))
    return Ask(
        known={name: SAMPLES[name] for name in operation.needs[needs]},
        want=frozenset(operation.gives),
        evidence=(page,),
        candidates={year: (1998, 1999)} if operation.checks else {},
        statements={year: stated} if operation.chooses else {},
    )


def values(reply: object) -> dict[str, Json]:
    """The reply's values by field."""
    return {reading.field: reading.value for reading in reply.readings}


async def one(provider: Provider, operation: str, question: Ask, http: VendorHttp):
    """The reply to a single ask."""
    (reply,) = await provider.look_up(operation, [question], http)
    return reply
