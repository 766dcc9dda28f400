"""What the fuzzer adds to its requests: loaded by ``st run`` in its own process (tests/api/fuzzing.py)."""

import asyncio
import os
from typing import Any
from urllib.parse import urlencode

import schemathesis

from glaze.model.access import Scope
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.store.access import KeyStore
from glaze.store.database import Database

LONGEST_QUERY = 40_000
MOST_WAIT_S = 0.1
MOST_RUN_MS = 1_000

_keys: dict[Scope, str] = {}


async def _issue(scope: Scope) -> str:
    async with Database.open(os.environ["FUZZED_DATABASE"], size=1) as db:
        return (await KeyStore(db).create(DEFAULT_WORKSPACE, "fuzzer", [scope])).text


def _shown(path: str) -> str:
    if path.startswith("/v1/worker/"):
        cron = path.endswith("/cron")
        return os.environ["CRON_SECRET" if cron else "WORKER_SECRET_TOKEN"]
    scope = Scope.CALLBACK if path.startswith("/v1/callbacks/") else Scope.ADMIN
    if scope not in _keys:
        _keys[scope] = asyncio.run(_issue(scope))
    return _keys[scope]


@schemathesis.auth(refresh_interval=None)
class Shown:
    """Shows what the route wants; requests that are to show nothing, or nonsense, do so."""

    def get(self, case: Any, _context: Any) -> str:
        """Return the key of today."""
        return _shown(case.path)

    def set(self, case: Any, data: str, _context: Any) -> None:
        """Show it."""
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """Wait for no job: what it comes to is not this test's subject."""
    for given in (case.body, case.query):
        _lower(given, "wait_s", MOST_WAIT_S)
        _lower(given, "timeout_ms", MOST_RUN_MS)


def _lower(given: Any, name: str, most: float) -> None:
    """Lower a wait that is within its bounds; one beyond them is to be refused."""
    value = given.get(name) if isinstance(given, dict) else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        longest = {"wait_s": 60, "timeout_ms": 840_000}[name]
        if most < value <= longest:
            given[name] = most


@schemathesis.hook
def after_call(_context: Any, case: Any, response: Any) -> None:  # noqa: ARG001  called by names
    """Forget a key that the fuzzer has revoked."""
    shown = response.request.headers.get("Authorization", "")
    if response.status_code == 401:
        for scope, key in list(_keys.items()):
            if shown == f"Bearer {key}":
                del _keys[scope]


@schemathesis.serializer("application/jsonl", "application/x-ndjson")
def as_sent(_context: Any, value: Any) -> dict[str, bytes]:
    """Send a table of lines as it stands."""
    return {"data": value if isinstance(value, bytes) else str(value).encode(errors="replace")}


@schemathesis.hook
def filter_case(_context: Any, case: Any) -> bool:
    """Leave out what the HTTP server below the API refuses itself: a longer address than it reads."""
    return len(urlencode(case.query or {}, doseq=True)) < LONGEST_QUERY
