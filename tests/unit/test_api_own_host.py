"""The API without keys answers this machine alone: no rebound name, no other site's page."""

import asyncio
import json
from typing import Any, cast

import pytest

from glaze.api.app import create_app
from glaze.api.services import Services


def asked(**headers: str) -> tuple[int, str, Any]:
    """Return status, content type and body of GET /openapi.json with these headers."""
    said: list[dict[str, Any]] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/openapi.json",
        "raw_path": b"/openapi.json",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 5000),
        "server": ("127.0.0.1", 3001),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    app = create_app(cast("Services", None), host="127.0.0.1")
    asyncio.run(app(scope, receive, send))
    given = dict(said[0]["headers"])
    body = b"".join(part.get("body", b"") for part in said[1:])
    return said[0]["status"], given[b"content-type"].decode(), json.loads(body)


@pytest.mark.parametrize(
    "host", ["localhost:3001", "LOCALHOST", "127.0.0.1:3001", "127.8.8.8", "[::1]:3001", "[::1]"]
)
def test_this_machine_by_any_of_its_own_names_is_answered(host: str) -> None:
    assert asked(host=host)[0] == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example:3001", "localhost.evil.example", "192.168.1.5:3001", "127.0.0.1.nip.io",
     "", "localhost@evil.example", "evil.example/localhost", "[::1", "localhost:port", "10.0.0.1"],
)  # fmt: skip
def test_a_host_that_is_not_this_machine_is_refused(host: str) -> None:
    status, kind, body = asked(host=host)
    assert (status, kind, body["code"]) == (421, "application/problem+json", "host_refused")


def test_a_page_of_this_host_may_ask_and_a_page_of_another_site_may_not() -> None:
    assert asked(host="localhost:3001", origin="http://localhost:3001")[0] == 200
    for origin in (
        "https://evil.example",
        "null",
        "http://localhost:8080",
        "http://127.0.0.1:3001",
    ):
        status, kind, body = asked(host="localhost:3001", origin=origin)
        assert (status, kind, body["code"]) == (403, "application/problem+json", "origin_refused")
