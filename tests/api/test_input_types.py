"""What an input is about (E1): each type's identifiers, fields and sources, over HTTP."""

import pytest

from glaze.model.input_type import TYPES
from glaze.model.request import EnrichArgs
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.pipeline.terms import StandingTerms
from tests.api.conftest import Service

SITE, PROFILE, PAGE = (
    "https://www.acme.com/about",
    "https://www.linkedin.com/in/jane-doe",
    "linkedin.com/company/acme",
)
JANE = {"first_name": "Jane", "last_name": "Doe", "company": "Acme"}
OF: dict[str, dict[str, str]] = {
    "company_website": {"url": SITE},
    "linkedin_profile": {"url": PROFILE},
    "company_linkedin": {"url": PAGE},
    "person": JANE,
    "company": {"company": "Acme"},
}
UNFIT = [
    ("company_website", {"url": PROFILE}, "linkedin_profile"),
    ("company_website", {"company": "Acme"}, "company"),
    ("linkedin_profile", {"url": PAGE}, "company_linkedin"),
    ("linkedin_profile", {"email": "jane@acme.com"}, "person"),
    ("company_linkedin", {"url": SITE}, "company_website"),
    ("person", {"url": SITE}, "company_website"),
    ("company", {"url": PROFILE}, "linkedin_profile"),
]


@pytest.mark.parametrize("type_", OF)
async def test_a_type_has_its_own_usual_fields_and_so_has_an_input_that_looks_like_it(
    service: Service, type_: str
):
    client = await service.client()
    for said in ({"type": type_}, {}):
        answer = await client.post("/v1/enrich", {"input": OF[type_], "wait_s": 0, **said})
        assert answer.status == 202, answer.body
        assert answer.body["args"]["required_fields"] == [*TYPES[type_].fields]  # type: ignore[index]
        assert answer.body["args"].get("type") == said.get("type")


@pytest.mark.parametrize(("type_", "given", "looks_like"), UNFIT)
async def test_an_input_that_is_not_of_its_type_is_refused_with_what_it_looks_like(
    service: Service, type_: str, given: dict[str, str], looks_like: str
):
    client = await service.client()
    body = {"input": given, "type": type_, "fields": ["name"], "wait_s": 0}
    for path, asked in (("enrich", body), ("jobs", _as_job(body))):
        answer = await client.post(f"/v1/{path}", asked)
        assert (answer.status, answer.body["code"]) == (422, "args_invalid"), answer.body
        (fault,) = answer.body["errors"]
        assert fault["path"].endswith("input")
        assert f"type {type_} takes " in fault["message"]
        assert f"looks like {looks_like}" in fault["message"]
    assert (await client.get("/v1/jobs")).body["items"] == []


def _as_job(body: dict) -> dict:
    names = {"required_fields": body["fields"]}
    return {"kind": "enrich", "args": {"input": body["input"], "type": body["type"], **names}}


async def test_the_names_of_other_products_are_understood(service: Service):
    client = await service.client()
    body = {"url": SITE, "type": "company_website", "wait_s": 0}
    theirs = {"requiredFields": ["name", "industry"], "skipCache": True, "maxCostCents": 25}
    args = (await client.post("/v1/enrich", body | theirs)).body["args"]
    assert args["required_fields"] == ["company_name", "company_industry"]
    assert (args["skip_cache"], args["max_cost_cents"]) == (True, 25)
    person = {"url": PROFILE, "type": "linkedin_profile", "wait_s": 0}
    for names in (["name", "title"], ["person_name", "person_title"]):
        args = (await client.post("/v1/enrich", person | {"fields": names})).body["args"]
        assert args["required_fields"] == ["person_full_name", "person_title"]


async def test_a_types_sources_are_first_unless_somebody_orders_otherwise():
    async def order(standing: tuple[str, ...], **args: object) -> tuple[str, ...]:
        asked = EnrichArgs.model_validate({"input": OF["linkedin_profile"], **args})
        return (await StandingTerms(standing).of(DEFAULT_WORKSPACE, "enrich", asked)).order

    said = {"type": "linkedin_profile"}
    assert await order((), **said) == ("enrichlayer", "brightdata", "learned")
    assert await order(()) == ()
    assert await order(("cheapest",), **said) == ("cheapest",)
    assert await order((), **said, order=["apollo"]) == ("apollo",)
