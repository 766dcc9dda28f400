"""The OpenAPI document: every error as a problem, every body with an example."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias

from fastapi import FastAPI

from glaze.api.auth import bearer, cookie
from glaze.api.following import HEADER
from glaze.api.schemas import SCHEMAS, Problem

Schema: TypeAlias = dict[str, Any]

PROBLEM = "application/problem+json"
_JSON = "application/json"
_METHODS = ("get", "put", "post", "patch", "delete")
_BY_KEY: list[Schema] = [{bearer.scheme_name: []}]
_DEEPEST = 8
"""Values that hold values end here."""

_MOMENT = "2026-03-14T09:26:53Z"
_BY_FORMAT: Mapping[str, object] = {
    "date-time": _MOMENT,
    "date": _MOMENT[:10],
    "uri": "https://example.com/",
    "email": "ada@example.com",
    "binary": "website\nhttps://example.com\n",
}
_BY_NAME: Mapping[str, object] = {
    "action": "key.create",
    "actor": "key 3 (crm)",
    "args": {"input": {"domain": "example.com"}, "required_fields": ["company_name"]},
    "body": '{"type":"job.completed","data":{"id":4711}}',
    "by": "key 3 (crm)",
    "call_id": 28,
    "code": "not_found",
    "columns": {"website": "company_domain"},
    "correlation_id": "4f1c0a5e8d7b4b6f9a3e2d1c0b9a8f7e",
    "cost_micros": 100_000,
    "credential": "default",
    "cron": "0 6 * * 1-5",
    "database": "ok",
    "detail": "there is no job 4711",
    "email": "ada@example.com",
    "finished_at": _MOMENT,
    "settled_at": _MOMENT,
    "started_at": _MOMENT,
    "event": "approved",
    "events": ["job.completed"],
    "excerpt": "ok",
    "field": "company_name",
    "host": "enrich-1",
    "id": 4711,
    "input": {"domain": "example.com"},
    "job_id": 4711,
    "key": "glz_1_k3y9_...",
    "kind": "enrich",
    "message": "asked Apollo",
    "missing": [],
    "name": "spring",
    "operation": "people_match",
    "path": "body.input",
    "prefix": "k3y9",
    "provider": "apollo",
    "queue": "default",
    "quote": "Example Ltd",
    "reason": "cheapest",
    "request": {"method": "POST", "status": 200},
    "required_fields": ["company_name"],
    "scope": "workspace_day",
    "scope_key": "*",
    "secret": "whsec_...",
    "settings": {"required_fields": ["company_name"]},
    "source": "apollo",
    "source_url": "https://example.com/imprint",
    "state": "completed",
    "step": "enrich",
    "tag": "spring",
    "tags": ["spring"],
    "target": "3",
    "type": "job.completed",
    "title": "Not found",
    "token": "glzr_...",
    "url": "https://example.com/hooks/glaze",
    "value": "Example Ltd",
    "verdict": "found",
    "version": "0.1.0",
    "worker_id": "enrich-1 (7)",
    "zone": "Europe/Berlin",
}
"""What a member of this name looks like, where its own schema says no more."""
_BY_MEDIA: Mapping[str, str] = {
    "text/csv": "row,state,error,website,company_name\n1,completed,,example.com,Example Ltd\n",
    "text/tab-separated-values": "website\tname\nexample.com\tExample Ltd\n",
    "application/x-ndjson": '{"website": "example.com"}\n',
    "application/jsonl": '{"website": "example.com"}\n',
    "text/plain": "# TYPE glaze_build_info gauge\n",
    "text/event-stream": 'id: 17-42\ndata: {"event": "change", "type": "completed", "job_id": 4711}\n\n',
}
"""What a table or a stream looks like, where the route says no more."""
_KEYS: Mapping[str, str] = {
    "cells": "company_name",
    "data": "company_name",
    "environment": "region",
}
"""A key of what maps names to values, by what the map is called."""

_HEADERS: Mapping[str, Mapping[str, Schema]] = {
    "": {HEADER: {"description": "the id in every log line about the request"}},
    "401": {"WWW-Authenticate": {"description": "`Bearer`"}},
    "429": {"Retry-After": {"description": "seconds to wait"}},
    "503": {"Retry-After": {"description": "seconds to wait"}},
}


def install(api: FastAPI) -> None:
    """Let ``api`` show a document that is complete."""
    plain = api.openapi

    def openapi() -> Schema:
        if api.openapi_schema is None:
            complete(plain())
        return api.openapi_schema or {}

    api.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's own guide extends it


def complete(document: Schema) -> None:
    """Describe every error of ``document`` as a problem and give every body an example."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    _complete_schemas(schemas)
    _refer_to_one_json(document)
    sampler = Sampler(schemas)
    shared = document["components"].setdefault("responses", {})
    for operation in operations(document):
        if operation.get("security") == _BY_KEY:  # ``auth.Needs`` takes a session, too
            operation["security"] = [*_BY_KEY, {cookie.scheme_name: []}]
        for status, response in operation["responses"].items():
            if int(status) >= HTTPStatus.BAD_REQUEST:
                _describe_problem(int(status), response)
            _describe_headers(status, response)
            _exemplify(sampler, response.get("content", {}))
        _share(operation["responses"], shared)
        _exemplify(sampler, operation.get("requestBody", {}).get("content", {}))
        for parameter in operation.get("parameters", ()):
            if parameter.get("required"):
                value = sampler.sample(parameter["schema"], parameter["name"])
                parameter.setdefault("example", value)


def _complete_schemas(schemas: Schema) -> None:
    schemas["Problem"] = Problem.model_json_schema(
        mode="serialization", ref_template=f"{SCHEMAS}{{model}}"
    )
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    # It refers to itself, which generators of clients cannot have; taken and given it is the same.
    for name in [one for one in schemas if one.startswith("Json-")]:
        del schemas[name]
        schemas["Json"] = {"title": "Json", "description": "any JSON value"}


def _refer_to_one_json(part: object) -> None:
    """Let what refers to JSON that comes in, or that goes out, refer to any JSON."""
    if isinstance(part, dict):
        if str(part.get("$ref", "")).startswith(f"{SCHEMAS}Json-"):
            part["$ref"] = f"{SCHEMAS}Json"
        for one in part.values():
            _refer_to_one_json(one)
    elif isinstance(part, list):
        for one in part:
            _refer_to_one_json(one)


def operations(document: Schema) -> Iterator[Schema]:
    """Yield each operation of ``document``."""
    for path in document["paths"].values():
        yield from (path[method] for method in _METHODS if method in path)


def _describe_problem(status: int, response: Schema) -> None:
    """Say that an error comes as a problem, unless the route says what else comes."""
    content = response.setdefault("content", {})
    if any("schema" in media and name != PROBLEM for name, media in content.items()):
        return
    phrase = HTTPStatus(status).phrase
    example = Problem(
        type="urn:glaze:problem:example",
        title=phrase,
        status=status,
        detail="what was wrong, where, and what to do",
        code="example",
    )
    content[PROBLEM] = {
        "schema": {"$ref": f"{SCHEMAS}Problem"},
        "example": example.model_dump(mode="json"),
    }


def _share(responses: Schema, shared: Schema) -> None:
    """Refer to a problem that most routes have in one place: said each time it is most of the document."""
    for status, response in responses.items():
        if PROBLEM in response.get("content", ()):
            name = f"Problem{status}"
            if shared.setdefault(name, response) == response:
                responses[status] = {"$ref": f"#/components/responses/{name}"}


def _describe_headers(status: str, response: Schema) -> None:
    for key in ("", status):
        for name, header in _HEADERS.get(key, {}).items():
            told = {**header, "schema": {"type": "string"}}
            response.setdefault("headers", {}).setdefault(name, told)


def _exemplify(sampler: "Sampler", content: Schema) -> None:
    for name, media in content.items():
        if name in _BY_MEDIA:
            media.setdefault("schema", {"type": "string"})
            media.setdefault("example", _BY_MEDIA[name])
        elif name == _JSON:
            media.setdefault("example", sampler.sample(media.get("schema", {})))


class Sampler:
    """Makes up values that a schema allows, from its examples where it has some."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        """Look references up in ``schemas``, the components of the document."""
        self._schemas = schemas

    def sample(self, schema: Schema, name: str = "", depth: int = 0) -> object:
        """Return a value for ``schema``; ``name`` is what the member that holds it is called."""
        if "$ref" in schema:
            target = self._schemas[schema["$ref"].rpartition("/")[2]]
            return self.sample(target, name, depth)
        if name in _BY_NAME and _takes(schema, _BY_NAME[name]):
            return _BY_NAME[name]
        found, value = _stated(schema)
        if found:
            return value
        for choice in ("anyOf", "oneOf", "allOf"):
            if choice in schema:
                return self._first_of(schema[choice], name, depth)
        return self._made(schema, name, depth)

    def _first_of(self, choices: list[Schema], name: str, depth: int) -> object:
        """Return null where it may be: what is not there yet, or nobody asked for."""
        if depth > _DEEPEST or any(one.get("type") == "null" for one in choices):
            return None
        return self.sample(choices[0], name, depth + 1)

    def _made(self, schema: Schema, name: str, depth: int) -> object:
        match _type_of(schema):
            case "object":
                return self._object(schema, name, depth)
            case "array":
                return self._array(schema, name, depth)
            case "string":
                return _text(schema, name)
            case "integer" | "number":
                return _number(schema)
            case "boolean":
                return False
            case _:
                return None

    def _object(self, schema: Schema, name: str, depth: int) -> object:
        if depth > _DEEPEST:
            return {}
        members = schema.get("properties", {})
        values = schema.get("additionalProperties")
        if not members and name in _KEYS and isinstance(values, dict):
            members = {_KEYS[name]: values}
        return {one: self.sample(given, one, depth + 1) for one, given in members.items()}

    def _array(self, schema: Schema, name: str, depth: int) -> object:
        if depth > _DEEPEST or "items" not in schema:
            return []
        return [self.sample(schema["items"], name.removesuffix("s"), depth + 1)]


def _stated(schema: Schema) -> tuple[bool, object]:
    """Return whether the schema itself names a value, and which."""
    if "const" in schema:
        return True, schema["const"]
    for several in ("examples", "enum"):
        if schema.get(several):
            return True, schema[several][0]
    if "example" in schema:
        return True, schema["example"]
    return False, None


def _type_of(schema: Schema) -> str | None:
    given = schema.get("type")
    if isinstance(given, list):
        return next((one for one in given if one != "null"), "null")
    return given


_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def _takes(schema: Schema, value: object) -> bool:
    """Tell whether ``value`` is of a type that the schema allows; one without a type allows all."""
    choices = [one for key in ("anyOf", "oneOf") for one in schema.get(key, ())]
    if choices:
        return any(_takes(one, value) for one in choices if "$ref" not in one)
    if "enum" in schema or "const" in schema:
        return value in schema.get("enum", [schema.get("const")])
    given = schema.get("type")
    if given is None:
        return True
    types = given if isinstance(given, list) else [given]
    if schema.get("format", "date-time") != "date-time" or "pattern" in schema:
        return False
    return any(isinstance(value, _KINDS[one]) for one in types)


def _text(schema: Schema, name: str) -> str:
    made = str(_BY_FORMAT.get(schema.get("format", ""), name or "text"))
    return made[: schema.get("maxLength", len(made))]


def _number(schema: Schema) -> int:
    low, high = int(schema.get("minimum", 1)), int(schema.get("maximum", 1))
    return max(low, min(1, high))
