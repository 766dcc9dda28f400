"""GitHub: the public account of a company or a person. Free; a token raises the limit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus

from glaze.model.names import company_key
from glaze.model.profile import profile_url
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
from glaze.model.room import RoomHeaders
from glaze.model.same_company import Basis, Entry, Sought, basis_of
from glaze.model.value import FieldName, Json
from glaze.model.vendor_body import (
    Readings,
    country_of,
    field_sets,
    gives,
    identified_by,
    not_asked,
    parse_json,
    reset_wait_s,
    text_at,
    unusable,
)

SURE = 90
_GUESSED = 2  # accounts that are tried where none is known
_UNCONFIRMED = 15  # taken off where the account names no site
_COMPANY = FieldName("company_github_url")
_PERSON = FieldName("person_github_url")

_ORGANISATION = Operation(
    name="organisation",
    needs=field_sets(
        "company_domain company_github_url",
        "company_github_url",
        "company_domain company_name",
        "company_domain",
    ),
    gives=gives(
        company_github_url=SURE,
        company_name=80,
        company_description=70,
        company_website=85,
        company_email=75,
        company_twitter_url=85,
        company_city=55,
        company_country=55,
        company_logo_url=70,
    ),
    timeout_s=15.0,
    resend=Resend.SAFE,
)
_USER = Operation(
    name="user",
    needs=field_sets("person_github_url"),
    gives=gives(
        person_github_url=SURE,
        person_full_name=85,
        person_email=80,
        person_company_name=65,
        person_twitter_url=85,
        person_summary=75,
        person_city=60,
        person_country=60,
        person_photo_url=80,
    ),
    timeout_s=15.0,
    resend=Resend.SAFE,
)
SPEC = ProviderSpec(
    name="github",
    operations=(_ORGANISATION, _USER),
    base_url="https://api.github.com",
    # The vendor counts requests, 60 an hour by address or 5,000 by token: an ask may take two.
    limits=(Limit(30, 3600),),
    room_headers=(RoomHeaders("x-ratelimit-remaining", 3_600, "x-ratelimit-reset"),),
    keyed_limits=(Limit(2_500, 3600),),
    concurrency=5,
    patient=False,
)


class GitHub:
    """Speaks to ``api.github.com``.

    Vendor facts (unconfirmed): 404 is nobody; a full window is 403 or 429 with
    ``x-ratelimit-remaining: 0`` and the moment of its end in ``x-ratelimit-reset``; too much at
    once is 403 with ``retry-after``; a bad token is 401.
    """

    def __init__(self, spec: ProviderSpec = SPEC) -> None:
        """``spec`` may carry the user's own limits."""
        self.spec = spec

    async def look_up(
        self, operation: str, asks: Sequence[Ask], http: VendorHttp
    ) -> Sequence[Reply]:
        """Answer each ask from the account that is known, else from one that names the domain."""
        declared = self.spec.operation(operation)
        one = _user if operation == _USER.name else _organisation
        return [await one(identified_by(ask, declared.needs), http) for ask in asks]


async def _organisation(question: Mapping[FieldName, str], http: VendorHttp) -> Reply:
    if not question:
        return not_asked("neither an account nor a domain is known")
    known = _COMPANY in question
    sought = Sought.of(question)
    logins = [_login(question[_COMPANY])] if known else [*_guesses(sought)][:_GUESSED]
    reply = Reply(Verdict.NO_MATCH, Unbilled(), detail="no account has the company's name")
    for login in logins:
        response = await _get(http, login)
        if response.status != HTTPStatus.OK:
            reply = unusable(_verdict(response), response)
            if reply.verdict is Verdict.NO_MATCH:
                continue
            return _with_wait(reply, response)
        account = parse_json(response.body)
        if not text_at(account, "type"):
            return unusable(Verdict.VENDOR_ERROR, response)
        basis = _basis(account, sought, known=known)
        if basis is not None:
            readings = _read_company(account, minus=_UNCONFIRMED if basis is Basis.NAME else 0)
            if readings.found:
                return _match(response, readings, basis)
        reply = unusable(Verdict.NO_MATCH, response)
    return reply


def _guesses(sought: Sought) -> Iterator[str]:
    """Yield the logins that spell the domain's label or the name; a guess alone proves nothing."""
    label = (sought.domain or "").partition(".")[0]
    name = company_key(sought.name or "").replace(" ", "-")
    yield from dict.fromkeys(filter(str.isascii, filter(None, (label, name))))


def _basis(account: Json, sought: Sought, *, known: bool) -> Basis | None:
    """Tell why the account is the company's: it names the domain, or it is known to be its own."""
    if text_at(account, "type") != "Organization":
        return None
    sites = (text_at(account, "blog"), text_at(account, "email"))
    entry = Entry(account, (), None, tuple(filter(None, sites)))
    if sought.domain and entry.websites:
        return basis_of(sought, entry)
    return Basis.NAME if known else None


def _match(response: VendorResponse, readings: Readings, basis: Basis) -> Reply:
    return Reply(
        Verdict.MATCH,
        Unbilled(),
        readings=readings.found,
        raw=response.body,
        detail=str(basis) if basis is Basis.DOMAIN else "the account that was known",
        notes=readings.notes,
    )


async def _user(question: Mapping[FieldName, str], http: VendorHttp) -> Reply:
    if not question:
        return not_asked("no GitHub account is known")
    response = await _get(http, _login(question[_PERSON]))
    if response.status != HTTPStatus.OK:
        return _with_wait(unusable(_verdict(response), response), response)
    account = parse_json(response.body)
    if not text_at(account, "type"):
        return unusable(Verdict.VENDOR_ERROR, response)
    if text_at(account, "type") != "User":
        return unusable(Verdict.NO_MATCH, response)
    readings = _read_person(account)
    return _match(response, readings, Basis.NAME)


async def _get(http: VendorHttp, login: str) -> VendorResponse:
    headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    if http.key:
        headers["Authorization"] = f"Bearer {http.key}"
    return await http.request("GET", f"{http.base_url}/users/{login}", headers=headers)


def _login(url: str) -> str:
    return profile_url("github", url).rpartition("/")[2]


def _read_company(account: Json, *, minus: int) -> Readings:
    page = text_at(account, "html_url")
    readings = Readings(_ORGANISATION.gives, url=page, minus=minus)
    readings.add("company_github_url", page)
    for field, key in _COMPANY_FIELDS.items():
        readings.add(field, text_at(account, key))
    city, country = _seat(account)
    readings.add("company_city", city)
    readings.add("company_country", country)
    return readings


def _read_person(account: Json) -> Readings:
    page = text_at(account, "html_url")
    readings = Readings(_USER.gives, url=page)
    readings.add("person_github_url", page)
    for field, key in _PERSON_FIELDS.items():
        readings.add(field, text_at(account, key))
    readings.add("person_company_name", (text_at(account, "company") or "").lstrip("@"))
    city, country = _seat(account)
    readings.add("person_city", city)
    readings.add("person_country", country)
    return readings


def _seat(account: Json) -> tuple[str | None, str | None]:
    """Return (city, country) of a location like "Munich, Germany"; what says less, says nothing."""
    parts = [part.strip() for part in (text_at(account, "location") or "").split(",")]
    country = country_of(parts[-1])
    return (parts[0] if country and len(parts) > 1 else None), country


def _with_wait(reply: Reply, response: VendorResponse) -> Reply:
    if reply.verdict is Verdict.RATE_LIMITED and reply.retry_after_s is None:
        wait_s = reset_wait_s(response, "x-ratelimit-reset")
        return replace(reply, retry_after_s=wait_s)
    return reply


def _verdict(response: VendorResponse) -> Verdict:
    full = response.headers.get("x-ratelimit-remaining") == "0"
    if response.status == HTTPStatus.FORBIDDEN and (full or "retry-after" in response.headers):
        return Verdict.RATE_LIMITED
    return _HABITS.get(response.status, Verdict.VENDOR_ERROR)


_COMPANY_FIELDS: Mapping[str, str] = {
    "company_name": "name",
    "company_description": "bio",
    "company_website": "blog",
    "company_email": "email",
    "company_twitter_url": "twitter_username",
    "company_logo_url": "avatar_url",
}
_PERSON_FIELDS: Mapping[str, str] = {
    "person_full_name": "name",
    "person_email": "email",
    "person_summary": "bio",
    "person_twitter_url": "twitter_username",
    "person_photo_url": "avatar_url",
}
_HABITS: Mapping[int, Verdict] = {
    401: Verdict.AUTH,
    403: Verdict.FORBIDDEN_PLAN,
    404: Verdict.NO_MATCH,
    429: Verdict.RATE_LIMITED,
}

github = GitHub()
