"""Errors are told in one form, with what HTTP wants beside."""

import pytest

from glaze.api.document import PROBLEM
from tests.api.conftest import Service


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/jobs", "GET, POST"),
        ("OPTIONS", "/v1/jobs/1", "DELETE, GET, PATCH"),
        ("PUT", "/v1/jobs/actions", "POST"),
        ("OPTIONS", "/v1/members/invitations", "GET, POST"),
        ("POST", "/healthz", "GET"),
    ],
)
async def test_a_method_that_a_path_does_not_answer_is_refused_with_those_that_it_does(
    service: Service, method: str, path: str, allowed: str
) -> None:
    refused = await service.stranger.ask(method, path)
    assert refused.status == 405
    assert refused.headers["Allow"] == allowed
    assert refused.headers["Content-Type"] == PROBLEM
    assert refused.body["code"] == "http_405"


async def test_a_body_that_is_no_text_is_a_problem(service: Service) -> None:
    client = await service.client()
    shown = {"Authorization": f"Bearer {client.key}", "Content-Type": "application/json"}
    async with service.http.post(f"{service.url}/v1/jobs", data=b'"\x80', headers=shown) as told:
        assert (told.status, told.content_type) == (400, PROBLEM)


async def test_text_that_no_database_can_hold_is_the_callers_mistake(service: Service) -> None:
    client = await service.client()
    for view in (
        {"list": "jobs", "name": "a\0b", "query": {"state": ["dead"]}},
        {"list": "jobs", "name": "a", "query": {"tag": ["b\0"]}},
        {"list": "jobs", "name": "a", "query": {"ta\0g": ["b"]}},
    ):
        refused = await client.post("/v1/views", view)
        assert refused.status == 422, refused.body
    for path in ("/v1/jobs/groups?error_code=a%00b", "/v1/jobs?tag=a%00b"):
        assert (await client.get(path)).status == 422
