"""``/enrich/linkedin-profile`` and ``/enrich/linkedin-company``: who is on a page, by its URL."""

from typing import Annotated

from fastapi import APIRouter, Header, Response
from pydantic import AliasChoices, ConfigDict, Field

from glaze.api.auth import Writer
from glaze.api.enrich import answered
from glaze.api.schemas import PROBLEMS, V1, JobOut, ShortName, WaitingOptions
from glaze.api.services import Services
from glaze.errors import InputError
from glaze.model.input_type import InputType, field_of
from glaze.model.profile import parse_linkedin
from glaze.model.request import EnrichArgs

Key = Annotated[str | None, Header(min_length=1, max_length=255)]


class PageIn(WaitingOptions):
    """A page on LinkedIn, and what is wanted of whom it shows."""

    url: str = Field(
        min_length=1,
        max_length=2048,
        validation_alias=AliasChoices("url", "linkedin_url"),
        description="its address",
    )
    fields: list[ShortName] = Field(
        default_factory=list,
        max_length=100,
        validation_alias=AliasChoices("fields", "required_fields"),
        description="canonical fields, or short ones such as `name`; none: the usual ones",
    )


class ProfileIn(PageIn):
    """A person's profile."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"url": "https://www.linkedin.com/in/jane-doe", "fields": ["title"]}]
        }
    )

    def args(self) -> EnrichArgs:
        """Return the job's arguments. Raises: InputError, UnknownField."""
        return _args(self, "linkedin_profile", is_person=True)


class CompanyIn(PageIn):
    """A company's page."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"url": "https://www.linkedin.com/company/acme", "fields": ["name"]}]
        }
    )

    def args(self) -> EnrichArgs:
        """Return the job's arguments. Raises: InputError, UnknownField."""
        return _args(self, "company_linkedin", is_person=False)


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["enrichment"], responses=PROBLEMS)

    @router.post(
        "/enrich/linkedin-profile",
        responses={202: {"model": JobOut}},
        summary="Enrich a LinkedIn profile",
    )
    async def profile(
        body: ProfileIn, who: Writer, response: Response, idempotency_key: Key = None
    ) -> JobOut:
        """Enrich a person by the address of a profile; waits and answers as `POST /v1/enrich`."""
        return await answered(
            services, who.workspace_id, body.args(), response, idempotency_key, wait_s=body.wait_s
        )

    @router.post(
        "/enrich/linkedin-company",
        responses={202: {"model": JobOut}},
        summary="Enrich a LinkedIn company page",
    )
    async def company(
        body: CompanyIn, who: Writer, response: Response, idempotency_key: Key = None
    ) -> JobOut:
        """Enrich a company by the address of its page; waits and answers as `POST /v1/enrich`."""
        return await answered(
            services, who.workspace_id, body.args(), response, idempotency_key, wait_s=body.wait_s
        )

    return router


def _args(body: PageIn, type_: InputType, *, is_person: bool) -> EnrichArgs:
    try:
        page = parse_linkedin(body.url)
    except ValueError as error:
        raise InputError(f"url: {error}") from None
    if page.is_person != is_person:
        other = "/v1/enrich/linkedin-company" if is_person else "/v1/enrich/linkedin-profile"
        raise InputError(f"url: {page} is no {'profile' if is_person else 'company page'}: {other}")
    wanted = [field_of(name, type_) for name in body.fields]
    return body.args_for({"linkedin_url": str(page)}, wanted, type_)
