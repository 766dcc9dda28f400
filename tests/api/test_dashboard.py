"""The dashboard's files as they are served (U1): with a build, and without one."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from glaze.api import problems
from glaze.api.built import MISSING
from glaze.api.dashboard import pages
from tests.api.conftest import Answer

SCRIPT = "console.log('glaze');" * 100
SECRET = "not of the build"


@pytest.fixture
def build(tmp_path: Path) -> Path:
    where = tmp_path / "web"
    (where / "assets").mkdir(parents=True)
    (where / "index.html").write_text("<!doctype html><title>Glaze</title>")
    (where / "assets" / "index-1a2b.js").write_text(SCRIPT)
    (tmp_path / "secret").write_text(SECRET)
    return where


async def get(where: Path, path: str, **headers: str) -> Answer:
    """Ask for exactly this path: a client would tidy it up."""
    api = FastAPI()
    problems.install(api)
    api.router.routes.extend(pages(where).routes)
    shown = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    told: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        told.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": shown}
    await api({**scope, "http_version": "1.1", "scheme": "http", "root_path": ""}, receive, send)
    begun = told[0]
    named = {name.decode(): value.decode() for name, value in begun["headers"]}
    return Answer(begun["status"], named, b"".join(one.get("body", b"") for one in told[1:]))


async def test_without_a_build_everybody_is_told_how_to_make_one(tmp_path: Path):
    for path in ("/", "/app/", "/app/jobs/1", "/app/assets/x.js"):
        answer = await get(tmp_path, path)
        assert (answer.status, json.loads(answer.body)["code"]) == (404, "not_found")
        assert MISSING in json.loads(answer.body)["detail"]


async def test_every_page_is_the_index_and_only_what_was_built_is_a_file(build: Path):
    assert (await get(build, "/")).headers["location"] == "/app/"
    index = await get(build, "/app/")
    for path in ("/app", "/app/jobs/4711", "/app/../secret", "/app//etc/passwd", "/app/%2e%2e"):
        assert (await get(build, path)).body == index.body
    for path in ("/app/assets/none.js", "/app/assets/../../secret", "/app/assets/../index.html"):
        assert (await get(build, path)).status == 404
    for path in ("/secret", "/v1/nothing", "/application"):
        assert (await get(build, path)).status == 404


async def test_a_file_of_the_build_is_kept_for_ever_and_the_index_never(build: Path):
    asset = await get(build, "/app/assets/index-1a2b.js", accept_encoding="gzip, br")
    assert asset.headers["content-encoding"] == "gzip"
    assert gzip.decompress(asset.body).decode() == SCRIPT
    assert "immutable" in asset.headers["cache-control"]
    plain = await get(build, "/app/assets/index-1a2b.js")
    assert "content-encoding" not in plain.headers
    assert plain.body.decode() == SCRIPT
    index = await get(build, "/app/")
    assert index.headers["cache-control"] == "no-cache"
    again = await get(build, "/app/", if_none_match=index.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    for answer in (asset, index, again):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
