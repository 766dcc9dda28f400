"""``/searches``, ``/credit`` and ``/payments``: people or companies by criteria, masked, then unlocked."""

import hmac
from datetime import datetime
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Header, HTTPException, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from glaze.api.auth import Admin, Reader, Writer
from glaze.api.hooks import body_of
from glaze.api.operations import operator
from glaze.api.schemas import PROBLEMS, V1, RowId, ShortName
from glaze.api.services import Services
from glaze.errors import InputError, NotFound
from glaze.model.payment import Payment, Reference, payment_of, seal, signed
from glaze.model.value import WorkspaceId
from glaze.store.search import Search
from glaze.tasks.preview_search import About, checked_criteria, checked_fields

log = structlog.get_logger("payments")

_CREDIT_SHORT: dict[int | str, dict[str, Any]] = {
    402: {"description": "the workspace's credit does not cover it"}
}

Some = Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=100)]


class Criteria(BaseModel):
    """Whom or what to look for; what is not given is not asked for."""

    model_config = ConfigDict(extra="forbid")

    titles: Some = Field(default_factory=list, description="of people")
    seniorities: Some = Field(default_factory=list, description="of people")
    locations: Some = Field(default_factory=list, description="where people live")
    company_names: Some = Field(default_factory=list, max_length=1, description="of companies")
    company_locations: Some = Field(default_factory=list)
    company_domains: Some = Field(default_factory=list)
    company_sizes: Some = Field(default_factory=list, description='"1,10", "11,50"')
    keywords: Some = Field(default_factory=list, max_length=1)


class SearchIn(BaseModel):
    """A search, and what is wanted of whom it finds."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "criteria": {"titles": ["cto"], "company_domains": ["example.com"]},
                    "fields": ["person_full_name", "person_email"],
                    "limit": 25,
                },
                {
                    "about": "companies",
                    "criteria": {"company_locations": ["germany"], "company_sizes": ["11,50"]},
                },
            ]
        },
    )

    about: About = "people"
    criteria: Criteria
    fields: list[ShortName] | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="what is wanted of each; null: name, address and profile, or name, site and phone",
    )
    limit: int = Field(default=25, ge=1, le=100, description="most contacts, or companies")


class ContactOut(BaseModel):
    """Somebody whom the search found; names are masked as the vendor masks them."""

    first_name: str
    last_name: str
    title: str
    company: str
    has_email: bool


class FoundCompanyOut(BaseModel):
    """A company that the search found; what would name it is masked."""

    name: str
    domain: str
    industry: str
    country: str
    employees: int | None


class SearchOut(BaseModel):
    """A search. Money in cents of a US dollar."""

    id: int
    about: About
    state: str = Field(description="draft, preview, paid, enriching, ready or failed")
    criteria: dict[str, Any]
    fields: list[str]
    contacts: list[ContactOut] | None = Field(description="null until they were looked for")
    companies: list[FoundCompanyOut] | None = Field(
        description="the same of a search for companies"
    )
    found: int | None = Field(description="all that fit")
    price_cents: int | None = Field(description="what unlocks them")
    paid_cents: int | None
    paid_by: str | None = Field(description="credit or payment")
    returned_cents: int = Field(
        description="of what was paid, given back as credit for those who were not, or may not be, enriched"
    )
    refunded_at: datetime | None
    payment_reference: str | None = Field(
        description="`client_reference_id` of the checkout that pays for it"
    )
    job_id: int | None = Field(description="works on it, or did last; its result names the batch")
    error: str | None
    created_at: datetime
    paid_at: datetime | None
    ended_at: datetime | None


class SearchPage(BaseModel):
    """Searches, newest first."""

    items: list[SearchOut]
    next_before: int | None = Field(description="`before` of the next page; null: this is the last")


class CreditOut(BaseModel):
    """What a workspace may spend on searches, in cents."""

    balance_cents: int


class GrantIn(BaseModel):
    """What is added to the credit; below 0: taken from it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"cents": 10000}]})

    cents: int = Field(ge=-(10**9), le=10**9)
    workspace_id: RowId | None = Field(default=None, description="whose; null: your own")


class EntryOut(BaseModel):
    """What came in (above 0) or went out."""

    id: int
    cents: int
    reason: str
    search_id: int | None
    actor: str
    at: datetime


class EntryPage(BaseModel):
    """Entries, newest first."""

    items: list[EntryOut]
    next_before: int | None = Field(description="`before` of the next page; null: this is the last")


class PaymentOut(BaseModel):
    """What became of a payment."""

    status: str = Field(description="unlocked, credited, duplicate or ignored")


Key = Annotated[str | None, Header(min_length=1, max_length=255)]
Before = Annotated[int | None, Query(ge=1, lt=1 << 63, description="an id")]


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["searches"], responses=PROBLEMS)
    searches = services.searches

    @router.post("/searches", status_code=202, summary="Search people or companies")
    async def create(
        body: SearchIn, who: Writer, response: Response, idempotency_key: Key = None
    ) -> SearchOut:
        """Look who fits: state `preview` says how many, who, and what they cost.

        The same `Idempotency-Key` with the same body names the same search.
        """
        criteria = checked_criteria(body.about, body.criteria.model_dump(exclude_defaults=True))
        fields = checked_fields(body.about, body.fields)
        made = await searches.create(
            who.workspace_id,
            criteria,
            fields,
            body.limit,
            who.actor,
            about=body.about,
            key=idempotency_key,
        )
        response.headers["Location"] = f"{V1}/searches/{made}"
        return await _out(services, who.workspace_id, made)

    @router.get("/searches", summary="List searches")
    async def page(
        who: Reader, limit: Annotated[int, Query(ge=1, le=1000)] = 100, before: Before = None
    ) -> SearchPage:
        """Return searches, newest first."""
        found = await searches.page(who.workspace_id, limit, before=before)
        key = await services.ledger.hash_key(who.workspace_id)
        last = found[-1].id if len(found) == limit else None
        items = [_search(one, who.workspace_id, key) for one in found]
        return SearchPage(items=items, next_before=last)

    @router.get("/searches/{search_id}", summary="Follow a search")
    async def show(search_id: RowId, who: Reader) -> SearchOut:
        """Return a search with the contacts as the vendor shows them for nothing."""
        return await _out(services, who.workspace_id, search_id)

    _acts(services, router)
    _credit(services, router)
    _payments(services, router)
    return router


def _acts(services: Services, router: APIRouter) -> None:
    searches = services.searches

    @router.post(
        "/searches/{search_id}/unlock",
        status_code=202,
        summary="Unlock by credit",
        responses=_CREDIT_SHORT,
    )
    async def unlock(search_id: RowId, who: Writer) -> SearchOut:
        """Pay for a search with the workspace's credit; its contacts are then enriched."""
        await searches.pay_by_credit(who.workspace_id, search_id, who.actor)
        return await _out(services, who.workspace_id, search_id)

    @router.post("/searches/{search_id}/retry", status_code=202, summary="Try a search again")
    async def retry(search_id: RowId, who: Writer) -> SearchOut:
        """Try a search that failed again; it stays paid, and no answer is bought twice."""
        await searches.retry(who.workspace_id, search_id, who.actor)
        return await _out(services, who.workspace_id, search_id)

    @router.post("/searches/{search_id}/refund", summary="Give back what was paid")
    async def refund(search_id: RowId, who: Admin) -> SearchOut:
        """Give what was paid for a search that failed back, as credit, once."""
        await searches.refund(who.workspace_id, search_id, who.actor)
        return await _out(services, who.workspace_id, search_id)


def _credit(services: Services, router: APIRouter) -> None:
    searches = services.searches

    @router.get("/credit", summary="Credit")
    async def credit(who: Reader) -> CreditOut:
        """Return what the workspace may spend on searches."""
        return CreditOut(balance_cents=await searches.balance(who.workspace_id))

    @router.post("/credit", summary="Grant credit", responses=_CREDIT_SHORT)
    async def grant(body: GrantIn, who: Admin, idempotency_key: Key = None) -> CreditOut:
        """Add to a workspace's credit, or take from it; never below nothing.

        Credit is what the installation sells: it needs an admin of its first workspace. The same
        `Idempotency-Key` with the same cents gives once.
        """
        operator(who)
        if not body.cents:
            raise InputError("give cents other than 0")
        whose = who.workspace_id if body.workspace_id is None else WorkspaceId(body.workspace_id)
        balance = await searches.grant(whose, body.cents, who.actor, idempotency_key)
        return CreditOut(balance_cents=balance)

    @router.get("/credit/entries", summary="How the credit came about")
    async def entries(
        who: Reader, limit: Annotated[int, Query(ge=1, le=1000)] = 100, before: Before = None
    ) -> EntryPage:
        """Return what came into the credit and went out of it, newest first."""
        found = await searches.entries(who.workspace_id, limit, before=before)
        last = found[-1].id if len(found) == limit else None
        items = [EntryOut.model_validate(one, from_attributes=True) for one in found]
        return EntryPage(items=items, next_before=last)


_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"description": "the signature is missing, forged or stale"},
    413: {"description": "too long"},
}


def _payments(services: Services, router: APIRouter) -> None:
    @router.post("/payments/stripe", summary="Take a payment (Stripe only)", responses=_REFUSALS)
    async def pay(
        request: Request,
        stripe_signature: Annotated[str, Header(max_length=2000)] = "",
    ) -> PaymentOut:
        """Take a completed checkout, signed by Stripe's scheme, and unlock the search it is for.

        A checkout counts once, whatever tells of it. Another payment for a search that is paid goes to the workspace's credit.
        """
        body = await body_of(request)
        secret = services.settings.payment_webhook_secret
        now_s = services.clock().timestamp()
        if secret is None or not signed(body, stripe_signature, secret.get_secret_value(), now_s):
            log.warning("payment refused", why="signature")
            raise HTTPException(400, "the signature is missing, forged or stale")
        payment = payment_of(body)
        if payment is None:
            return PaymentOut(status="ignored")
        return PaymentOut(status=await _taken(services, payment))


async def _taken(services: Services, payment: Payment) -> str:
    """Raises: NotFound for nobody's search; InputError for a payment that does not fit."""
    reference = payment.reference
    try:
        key = await services.ledger.hash_key(reference.workspace_id)
    except LookupError:
        key = b""
    genuine = seal(key, reference.search_id)
    if not (key and hmac.compare_digest(genuine.encode(), reference.seal.encode())):
        log.warning("payment refused", why="no search of this reference", payment=payment.event_id)
        raise NotFound("there is no search of this reference")
    outcome = await services.searches.pay(payment)
    say = log.warning if outcome.startswith("refused") else log.info
    say("payment", outcome=outcome, search=reference.search_id, payment=payment.event_id)
    if outcome.startswith("refused"):
        raise InputError(outcome)
    return outcome


async def _out(services: Services, workspace_id: WorkspaceId, search_id: int) -> SearchOut:
    """Raises: NotFound."""
    search = await services.searches.get(workspace_id, search_id)
    return _search(search, workspace_id, await services.ledger.hash_key(workspace_id))


def _search(search: Search, workspace_id: WorkspaceId, hash_key: bytes) -> SearchOut:
    reference = Reference(workspace_id, search.id, seal(hash_key, search.id))
    payable = search.state == "preview"
    named = {
        name: getattr(search, name) for name in SearchOut.model_fields if hasattr(search, name)
    }
    told = {
        "contacts": _shown(search, ContactOut, "people"),
        "companies": _shown(search, FoundCompanyOut, "companies"),
        "payment_reference": str(reference) if payable else None,
    }
    return SearchOut(**named | {"fields": [*search.fields], "criteria": {**search.criteria}} | told)


def _shown(search: Search, model: type[BaseModel], about: About) -> list[BaseModel] | None:
    """Return those whom the search found as the model shows them, without what is kept to find them by."""
    if search.contacts is None or search.about != about:
        return None
    return [model(**{name: one[name] for name in model.model_fields}) for one in search.contacts]
