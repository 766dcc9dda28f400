"""The OpenAPI document: complete, true, and shown by a page that loads nothing from elsewhere."""

import json
import re
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from glaze.api.document import PROBLEM, operations
from tests.api.conftest import Service

JSON = "application/json"
TEXT = "text/"


@pytest.fixture
async def document(service: Service) -> dict[str, Any]:
    """The document, with what routes share put in its place."""
    told = dict((await service.stranger.get("/openapi.json")).body)
    for operation in operations(told):
        answers = operation["responses"]
        for status, answer in answers.items():
            if "$ref" in answer:
                answers[status] = told["components"]["responses"][answer["$ref"].split("/")[-1]]
    return told


def errors(document: dict[str, Any], schema: Any, example: Any, judged: set[str]) -> list[str]:
    """Return what is wrong with an example; references lead into the document."""
    said = json.dumps([schema, example])
    if said in judged:
        return []
    judged.add(said)
    whole = {**schema, "components": document["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(example)]


def bodies(operation: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the media of a request and of what may come back."""
    answers = [answer.get("content", {}) for answer in operation["responses"].values()]
    request = operation.get("requestBody", {}).get("content", {})
    return [item for content in (request, *answers) for item in content.items()]


async def test_every_body_and_every_parameter_in_a_path_has_an_example_that_its_schema_allows(
    document: dict[str, Any],
) -> None:
    assert document["openapi"].startswith("3.1")
    judged: set[str] = set()
    for operation in operations(document):
        name = operation["operationId"]
        for media, body in bodies(operation):
            if media in {JSON, PROBLEM} or media.startswith(TEXT):
                assert "example" in body, (name, media)
                assert not errors(document, body["schema"], body["example"], judged), (name, body)
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path":
                assert "example" in parameter, (name, parameter)
                assert not errors(document, parameter["schema"], parameter["example"], judged), (
                    parameter
                )
    assert len(judged) > 100


async def test_every_schema_has_a_name_of_its_own_that_says_no_module(
    document: dict[str, Any],
) -> None:
    """Clients are generated from these names: two of a name would be told by where our code has them."""
    for name in document["components"]["schemas"]:
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]*", name), name


BOUNDS = {
    "integer": {"maximum", "exclusiveMaximum", "enum", "const"},
    "number": {"maximum", "exclusiveMaximum", "enum", "const"},
    "string": {"maxLength", "enum", "const", "pattern", "format"},
    "array": {"maxItems"},
}


def unbounded(
    document: dict[str, Any], schema: Any, where: str, seen: tuple[str, ...]
) -> list[str]:
    """Return which parts of what somebody may send have no end."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        told = {} if name in seen else document["components"]["schemas"][name]
        return unbounded(document, told, f"{where} {name}", (*seen, name))
    parts = [(where, one) for key in ("anyOf", "oneOf", "allOf") for one in schema.get(key, ())]
    parts += [(f"{where}.{name}", one) for name, one in schema.get("properties", {}).items()]
    parts += [(f"{where}[]", schema[key]) for key in ("items",) if key in schema]
    wants = BOUNDS.get(schema.get("type", ""), set())
    found = [where] if wants and not wants & set(schema) else []
    return found + [one for at, part in parts for one in unbounded(document, part, at, seen)]


async def test_whatever_may_be_sent_has_bounds(document: dict[str, Any]) -> None:
    """A number beyond what PostgreSQL holds, or a list of a million names, ends as a problem, not as a 500."""
    found: list[str] = []
    for operation in operations(document):
        name = operation["operationId"]
        for one in operation.get("parameters", ()):
            found += unbounded(document, one["schema"], f"{name} {one['name']}", ())
        for media, body in operation.get("requestBody", {}).get("content", {}).items():
            if not media.startswith(TEXT):  # a table, which has its own cap
                found += unbounded(document, body.get("schema", {}), name, ())
    assert found == []


async def test_every_error_is_documented_as_a_problem(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        if not path.startswith("/v1/"):
            continue
        for operation in operations({"paths": {path: item}}):
            told = {int(s): a for s, a in operation["responses"].items() if int(s) >= 400}
            assert {400, 401, 403, 404, 409, 422, 429, 503} <= told.keys()
            for answer in told.values():
                assert answer["content"].keys() == {PROBLEM}
                assert answer["content"][PROBLEM]["schema"] == {
                    "$ref": "#/components/schemas/Problem"
                }


async def test_the_page_of_the_document_loads_nothing_from_elsewhere(service: Service) -> None:
    page = (await service.stranger.get("/docs")).body
    assets = re.findall(r"""(?:src|href)=["']([^"']+)""", page)
    assert any(one.endswith(".js") for one in assets)
    assert any(one.endswith(".css") for one in assets)
    for asset in assets:
        assert asset.startswith("/")
        assert not asset.startswith("//")
        async with service.http.get(service.url + asset) as answer:
            assert answer.status == 200, asset
    assert "https://" not in re.sub(r"<!--.*?-->", "", page)
