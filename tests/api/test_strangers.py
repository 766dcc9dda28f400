"""Every route that names something by id is attacked: with no key, and with another workspace's (S1).

The routes are those of the OpenAPI document, so one that is new is attacked, too.
"""

import re
from typing import Any

import psycopg
import pytest
from psycopg import sql

from glaze.model.access import Role
from glaze.model.value import WorkspaceId
from glaze.store.member import By
from tests.api.conftest import Client, Service
from tests.api.test_batches import CSV, sent
from tests.api.test_jobs import made
from tests.api.test_steering import WEEKLY

NAMED = {"name": "weekly", "queue": "default", "what": "day", "field": "company_name"}
"""Parameters that are names: each workspace may have its own, and only mine must stay as it is."""
VENDORS = "/v1/hooks/"
"""What vendors call: they show no key but what their own tests attack."""
SIGNED = "/v1/payments/stripe"
"""What is signed instead, as its own tests attack."""
OPERATOR = re.compile(r"/v1/(workers/|queues/.*/(pause|resume))")
"""What is the whole installation's: for an admin of the first workspace alone."""


async def mine(service: Service) -> dict[str, Any]:
    """Make one of everything; return what the parameters of paths may be."""
    client = await service.client()
    [job_id] = await made(client)
    batch_id = (await sent(client, CSV, "fields=company_name")).body["id"]
    await client.ask("PUT", "/v1/schedules/weekly", WEEKLY)
    await client.ask("PUT", "/v1/budgets/day", {"cap_cents": 100})
    step = {"name": "a", "kind": "enrich", "args": WEEKLY["args"]}
    flow = await client.post("/v1/workflows", {"name": "flow", "steps": [step]})
    key = await client.post("/v1/keys", {"name": "k", "scopes": ["read"]})
    asked = {"email": "ada@example.com", "role": "viewer"}
    invited = await client.post("/v1/members/invitations", asked)
    member = await service.app.members.add(
        WorkspaceId(1), "bea@example.com", Role.VIEWER, "no hash", By()
    )
    assert member is not None
    url = "https://crm.example.com/glaze"
    hook = await client.post("/v1/webhooks", {"url": url, "events": ["job.completed"]})
    view = await client.post("/v1/views", {"list": "jobs", "name": "all", "query": {}})
    with psycopg.connect(service.app.db.dsn, autocommit=True) as owner:
        owner.execute("insert into glaze.entity (workspace_id, id, kind) values (1, 1, 'company')")
    await client.post("/v1/credit", {"cents": 100})
    search = await client.post("/v1/searches", {"criteria": {"titles": ["cto"]}})
    erased = await client.post("/v1/people/erase", {"input": {"email": "jane@acme.com"}})
    worker_id = await service.app.workers.register("w", "0", ["default"], lease_s=600)
    return NAMED | {
        "job_id": job_id,
        "batch_id": batch_id,
        "row_no": 1,
        "workflow_id": flow.body["id"],
        "key_id": key.body["id"],
        "worker_id": worker_id,
        "search_id": search.body["id"],
        "erasure_id": erased.body["id"],
        "call_id": 1,
        "invitation_id": invited.body["id"],
        "member_id": member.id,
        "webhook_id": hook.body["id"],
        "delivery_id": 1,
        "view_id": view.body["id"],
        "entity_id": 1,
    }


def standing(dsn: str) -> dict[str, str]:
    """Return a digest of what the first workspace has in each table, and of queues and workers."""
    found: dict[str, str] = {}
    with psycopg.connect(dsn) as conn:
        tables = conn.execute(
            "select table_name from information_schema.columns where table_schema = 'glaze'"
            " and column_name = 'workspace_id' and table_name <> 'api_key' order by 1"
        ).fetchall()
        for (name,) in tables:
            ask = sql.SQL(
                "select coalesce(md5(string_agg(t::text, '|' order by t::text)), '')"
                " from glaze.{} t where workspace_id = 1"
            ).format(sql.Identifier(name))
            found[name] = str(conn.execute(ask).fetchone())
        keys = "select count(*) from glaze.api_key where workspace_id = 1 and revoked_at is null"
        for one in (keys, "select drain_at from glaze.worker", "select * from glaze.queue"):
            found[one] = str(conn.execute(one).fetchall())
    return found


def example(document: dict[str, Any], operation: dict[str, Any]) -> Any:
    """Return the example of an operation's body, None where it takes none."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    name = content["schema"].get("$ref", "").rpartition("/")[2]
    schema = document["components"]["schemas"].get(name, content["schema"])
    return schema["examples"][0] if "examples" in schema else {}


async def test_no_route_tells_or_changes_anything_of_another_workspace_or_without_a_key(
    service: Service, theirs: Client, dsn: str
):
    known = await mine(service)
    document = (await service.stranger.get("/openapi.json")).body
    before = standing(dsn)
    attacked = 0
    for path, operations in document["paths"].items():
        params = re.findall(r"{(\w+)}", path)
        if not params or path.startswith(VENDORS):
            continue
        strange = [one for one in params if one not in known]
        assert not strange, f"{path}: add {strange} to what `mine` makes, so that it is attacked"
        url = path.format(**known)
        for method, operation in operations.items():
            body = example(document, operation)
            nobody = await service.stranger.ask(method.upper(), url, body)
            assert nobody.status == 401, (method, path, nobody)
            other = await theirs.ask(method.upper(), url, body)
            if set(params) <= NAMED.keys() and not OPERATOR.match(path):
                assert other.status < 500, (method, path, other)
            else:
                wanted = 403 if OPERATOR.match(path) else 404
                assert other.status == wanted, (method, path, other)
            attacked += 1
    assert attacked > 30
    assert standing(dsn) == before


@pytest.mark.parametrize("path", ["/healthz", "/docs", "/openapi.json"])
async def test_only_these_are_answered_without_a_key(service: Service, path: str):
    assert (await service.stranger.get(path)).status == 200


async def test_every_other_path_wants_a_key(service: Service):
    document = (await service.stranger.get("/openapi.json")).body
    for path, operations in document["paths"].items():
        if "{" in path or path in ("/healthz", "/livez", "/readyz", SIGNED):
            continue
        for method, operation in operations.items():
            answer = await service.stranger.ask(method.upper(), path, example(document, operation))
            assert answer.status == 401, (method, path, answer)


async def test_no_other_workspace_grants_itself_credit(theirs: Client):
    refused = await theirs.post("/v1/credit", {"cents": 100})
    assert (refused.status, refused.body["code"]) == (403, "scope_missing")
    assert (await theirs.get("/v1/credit")).body == {"balance_cents": 0}
