"""Webhooks out (H6): endpoints hear what happened, signed, again until they take it, and each once."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cli_process import Sandbox
from ledger_facts import one, rows
from standardwebhooks import Webhook, WebhookVerificationError
from tests.docs.reading import ROOT
from whole_path import HANG_S, booted, failing_process

from glaze.boot.app import App
from glaze.errors import InputError, NotFound
from glaze.jobs.enqueue import enqueue, new_job
from glaze.model.identity import identify
from glaze.model.request import EnrichArgs
from glaze.model.value import DEFAULT_WORKSPACE, BatchId, FieldName, JobId, WorkspaceId
from glaze.store.batch import NewBatch
from glaze.store.event import PROGRESS, NewEvent
from glaze.store.webhook import WebhookChange
from glaze.tasks.answering import Known
from glaze.tasks.courier import EACH_AT_ONCE

WS = DEFAULT_WORKSPACE
HOST = "hooks.customer-app.com"
HOOK = f"https://{HOST}/all"
NODE = ROOT / "tests" / "node"


@pytest.fixture
async def app(quick: Mapping[str, str]) -> AsyncIterator[App]:
    async with booted(quick) as running:
        yield running


def do(dsn: str, statement: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute(statement.encode())


async def put(app: App, **options: Any) -> JobId:
    args = {"emails": ["ada@mailinator.com"]}
    job = new_job(app.kinds, "email_validation", args, **options)
    (job_id,) = await enqueue(app.jobs, app.kinds, WS, [job])
    return job_id


async def worked(app: App, dsn: str, deliveries: int) -> None:
    """Work until so many deliveries have ended."""

    async def over() -> bool:
        ended = "select count(*) from glaze.webhook_delivery where state <> 'pending'"
        return bool(one(dsn, ended) >= deliveries)

    async with asyncio.timeout(HANG_S):
        await app.worker().drain(over, asyncio.Event())


async def attempted(app: App, dsn: str, attempts: int) -> None:
    """Sweep until so many attempts were made."""
    async with asyncio.timeout(HANG_S):
        while one(dsn, "select count(*) from glaze.webhook_attempt") < attempts:
            await app.courier.sweep()
            await asyncio.sleep(0.05)


def messages(vendors: Sandbox) -> list[dict[str, Any]]:
    return list(vendors.get("webhooks"))


async def test_an_endpoint_hears_of_a_job_in_messages_that_only_its_secret_verifies(
    app: App, vendors: Sandbox, dsn: str
):
    made = await app.webhooks.create(WS, HOOK, ["job.*"])
    job_id = await put(app, tags=("vip",), correlation_id="order-7")
    await worked(app, dsn, 2)
    told = {}
    for message in messages(vendors):
        body = Webhook(made.secret).verify(message["body"], message["headers"])
        told[body["type"]] = body["data"]
        with pytest.raises(WebhookVerificationError):
            Webhook(f"whsec_{'A' * 43}=").verify(message["body"], message["headers"])
        with pytest.raises(WebhookVerificationError):
            Webhook(made.secret).verify(message["body"] + " ", message["headers"])
    assert set(told) == {"job.created", "job.completed"}
    for data in told.values():
        assert data["job_id"] == job_id
        assert (data["kind"], data["tags"]) == ("email_validation", ["vip"])
        assert data["correlation_id"] == "order-7"
    assert "mailinator" not in str(messages(vendors))  # ids, not what was found


async def test_a_job_that_the_cache_answered_is_told_by_endpoint_and_by_its_own_url(
    app: App, vendors: Sandbox
):
    who = {"domain": "acme.com"}
    await app.entities.open(WS, [identify(who).keys])
    await app.deciding.choose(WS, who, "company_name", "Acme")
    await app.webhooks.create(WS, HOOK, ["job.created", "job.completed"])
    args = EnrichArgs(input=who, required_fields=(FieldName("company_name"),))
    own = {"webhook_url": f"https://{HOST}/own", "tags": ("vip",)}
    answered = await app.answering.answer(WS, app.kinds["enrich"].job(args, **own), args)
    assert isinstance(answered, Known)
    job_id = answered.job.id

    async def told() -> bool:
        return len(messages(vendors)) >= 3

    async with asyncio.timeout(HANG_S):
        await app.worker().drain(told, asyncio.Event())
    heard = [(one["path"], json.loads(one["body"])) for one in messages(vendors)]
    ours = {(path, body["type"]) for path, body in heard if body["data"]["job_id"] == job_id}
    assert ours == {("/all", "job.created"), ("/all", "job.completed"), ("/own", "job.completed")}
    [outcome] = [body for path, body in heard if path == "/own"]
    assert outcome["data"]["tags"] == ["vip"]
    assert outcome["data"]["result"]["data"]["company_name"]["value"] == "Acme"


async def test_the_official_library_of_another_language_verifies_what_is_sent(
    app: App, vendors: Sandbox
):
    if not (shutil.which("node") and (NODE / "node_modules" / "standardwebhooks").exists()):
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("Node or its library is missing: make browser-deps")
        pytest.skip("Node or its library is missing: make browser-deps")
    made = await app.webhooks.create(WS, HOOK, ["job.created"])
    await put(app, webhook_url=f"https://{HOST}/own", tags=("Zoë €",))
    rotated = await app.webhooks.rotate(WS, made.webhook.id, overlap_s=600)

    async def told() -> bool:
        return len(messages(vendors)) >= 2

    async with asyncio.timeout(HANG_S):
        await app.worker().drain(told, asyncio.Event())
    paths = {message["path"]: message for message in messages(vendors)}
    own = await app.webhooks.job_secret(WS)
    for message, secret, verdict in (
        (paths["/all"], made.secret, "verified"),
        (paths["/all"], rotated.secret, "verified"),
        (paths["/own"], own, "verified"),
        (paths["/all"], own, "refused"),
        (paths["/own"], made.secret, "refused"),
        (paths["/all"] | {"body": paths["/all"]["body"] + "\n"}, made.secret, "refused"),
    ):
        assert verified(message, secret) == verdict


def verified(message: Mapping[str, Any], secret: str) -> str:
    """Return what the official JavaScript library says of a message."""
    script = Path("verify.mjs")
    given = json.dumps({"secret": secret, "body": message["body"], "headers": message["headers"]})
    ran = subprocess.run(
        ["node", str(script)], cwd=NODE, input=given, capture_output=True, text=True, check=True
    )
    return ran.stdout.strip()


@pytest.mark.parametrize("point", ["webhooks_fanned", "webhook_claimed", "webhook_sent"])
async def test_a_worker_killed_while_it_tells_loses_nothing_and_tells_nothing_under_two_ids(
    quick: Mapping[str, str], vendors: Sandbox, dsn: str, point: str
):
    async with booted(quick) as app:
        await app.webhooks.create(WS, HOOK, ["job.created"])
        ids = [await put(app, queue="nobody-serves-this") for _ in range(3)]
    with failing_process(quick, point, 1, "kill") as victim:
        assert await asyncio.to_thread(victim.wait, 60) == -signal.SIGKILL
    # What it had claimed is free again once its lease is over.
    do(
        dsn,
        "update glaze.webhook_delivery set claimed_until = now() where claimed_until is not null",
    )
    async with booted(quick) as app:
        await worked(app, dsn, 3)
    heard: dict[str, set[int]] = {}
    for message in messages(vendors):
        job_id = json.loads(message["body"])["data"]["job_id"]
        heard.setdefault(message["headers"]["webhook-id"], set()).add(job_id)
    assert sorted(heard.values(), key=min) == [{job_id} for job_id in ids]
    again = len(messages(vendors)) - len(ids)
    assert again <= (EACH_AT_ONCE if point == "webhook_sent" else 0)


async def test_what_is_looked_through_twice_is_told_once(app: App, dsn: str):
    made = await app.webhooks.create(WS, HOOK, ["job.created"])
    begun = rows(dsn, "select xid, event_id from glaze.webhook_feed")[0]
    await put(app)
    await app.deliveries.fan_out(WS)
    do(dsn, f"update glaze.webhook_feed set xid = {begun['xid']}, event_id = {begun['event_id']}")
    await app.deliveries.fan_out(WS)
    assert len(await app.deliveries.page(WS, made.webhook.id)) == 1


async def test_two_workers_that_look_at_once_tell_each_event_once(app: App):
    made = await app.webhooks.create(WS, HOOK, ["job.created"])
    for _ in range(20):
        await put(app)
    await asyncio.gather(*(app.deliveries.fan_out(WS) for _ in range(8)))
    assert len(await app.deliveries.page(WS, made.webhook.id)) == 20


async def test_a_refused_delivery_is_tried_again_later_and_the_log_tells_how_each_try_ended(
    app: App, vendors: Sandbox, dsn: str
):
    made = await app.webhooks.create(WS, f"https://{HOST}/wordy", ["job.created"])
    fault = {"kind": "status", "host": HOST, "status": 500, "times": 1}
    vendors.send("POST", "faults", fault)
    await put(app)
    await attempted(app, dsn, 1)
    (delivery,) = await app.deliveries.page(WS, made.webhook.id)
    assert (delivery.state, delivery.attempt) == ("pending", 1)
    assert delivery.next_attempt_at is not None
    assert 3 <= (delivery.next_attempt_at - delivery.created_at).total_seconds() < 60
    assert (await app.webhooks.get(WS, made.webhook.id)).failing_since is not None

    do(dsn, "update glaze.webhook_delivery set due_at = now()")
    await attempted(app, dsn, 2)
    (delivery,) = await app.deliveries.page(WS, made.webhook.id)
    assert (delivery.state, delivery.next_attempt_at) == ("delivered", None)
    assert [one["status"] for one in delivery.attempts] == [500, 200]
    assert delivery.attempts[0]["error"].startswith("webhook_refused: ")
    first, second = messages(vendors)
    assert first["headers"]["webhook-id"] == second["headers"]["webhook-id"]
    assert first["body"] == second["body"]
    assert (await app.webhooks.get(WS, made.webhook.id)).failing_since is None


async def test_a_receiver_that_asks_to_wait_is_obeyed(app: App, vendors: Sandbox, dsn: str):
    made = await app.webhooks.create(WS, HOOK, ["job.created"])
    fault = {"kind": "status", "host": HOST, "status": 429, "times": 1, "retry_after": 900}
    vendors.send("POST", "faults", fault)
    await put(app)
    await attempted(app, dsn, 1)
    (delivery,) = await app.deliveries.page(WS, made.webhook.id)
    assert delivery.next_attempt_at is not None
    assert 850 <= (delivery.next_attempt_at - delivery.created_at).total_seconds() < 990


async def test_what_ended_is_told_again_when_asked_one_by_one_or_all_that_failed(
    app: App, vendors: Sandbox, dsn: str
):
    made = await app.webhooks.create(WS, HOOK, ["job.created"])
    webhook_id = made.webhook.id
    for _ in range(3):
        await put(app)
    await attempted(app, dsn, 3)
    (newest, *_rest) = await app.deliveries.page(WS, webhook_id)
    assert await app.deliveries.replay(WS, webhook_id, delivery_id=newest.id) == 1
    do(
        dsn,
        "update glaze.webhook_delivery set state = 'failed', ended_at = now()"
        f" where id < {newest.id}",
    )
    assert await app.deliveries.replay(WS, webhook_id, since=newest.created_at) == 0
    assert await app.deliveries.replay(WS, webhook_id, since=made.webhook.created_at) == 2
    await attempted(app, dsn, 6)
    ids = [message["headers"]["webhook-id"] for message in messages(vendors)]
    assert sorted(ids) == sorted(2 * list(set(ids)))
    assert len(set(ids)) == 3
    with pytest.raises(NotFound):
        await app.deliveries.replay(WS, webhook_id, delivery_id=99)


async def test_an_endpoint_that_is_gone_or_fails_for_five_days_is_disabled_with_notice(
    app: App, vendors: Sandbox, dsn: str
):
    gone = await app.webhooks.create(WS, HOOK, ["job.created"])
    vendors.send("POST", "faults", {"kind": "status", "host": HOST, "status": 410, "times": 1})
    await put(app)
    await attempted(app, dsn, 1)
    assert (await app.webhooks.get(WS, gone.webhook.id)).disabled_why == "gone"

    failing = await app.webhooks.create(WS, HOOK, ["job.created"])
    vendors.send("POST", "faults", {"kind": "status", "host": HOST, "status": 500})
    for days, why in (("4.9", None), ("5.1", "failing")):
        do(
            dsn,
            f"update glaze.webhook set failing_since = now() - interval '{days} days'"
            f" where id = {failing.webhook.id}",
        )
        await put(app)
        done = one(dsn, "select count(*) from glaze.webhook_attempt")
        await attempted(app, dsn, done + 1)
        assert (await app.webhooks.get(WS, failing.webhook.id)).disabled_why == why
    noted = [entry.deed for entry in await app.audit.page(WS)]
    assert [(deed.actor, deed.target, deed.detail["why"]) for deed in noted[:1]] == [
        ("glaze", f"webhook {failing.webhook.id}", "failing")
    ]
    assert one(dsn, "select count(*) from glaze.event where type = 'webhook_disabled'") == 2
    # Nothing is sent any more, until it is enabled: then what was left is.
    vendors.send("POST", "reset")
    await app.courier.sweep()
    with pytest.raises(InputError, match="disabled"):
        await app.deliveries.test(WS, failing.webhook.id, app.clock(), actor="test")
    (told, *_rest) = await app.deliveries.page(WS, gone.webhook.id, state="failed")
    assert await app.deliveries.replay(WS, gone.webhook.id, delivery_id=told.id) == 1
    (told, *_rest) = await app.deliveries.page(WS, gone.webhook.id, state="pending")
    assert told.next_attempt_at is None  # it waits, as the rest does
    await app.webhooks.change(WS, failing.webhook.id, WebhookChange(disabled=False))
    done = one(dsn, "select count(*) from glaze.webhook_attempt")
    await attempted(app, dsn, done + 2)
    assert {message["path"] for message in messages(vendors)} == {"/all"}


async def test_a_name_that_leads_inside_is_never_dialled(app: App, vendors: Sandbox, dsn: str):
    traps = vendors.get("hosts")["traps"]
    host = next(t["hosts"][0] for t in traps.values() if "127.0.0.1" in t["addresses"])
    reached = asyncio.Event()

    async def canary(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.set()
        writer.close()

    server = await asyncio.start_server(canary, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    made = await app.webhooks.create(WS, f"http://{host}:{port}/", ["job.created"])
    await put(app)
    await attempted(app, dsn, 1)
    server.close()
    (delivery,) = await app.deliveries.page(WS, made.webhook.id)
    assert delivery.state == "failed"
    assert delivery.attempts[0]["error"].startswith("address_refused: ")
    assert not reached.is_set()


async def test_a_redirect_is_no_delivery_and_is_not_followed(app: App, vendors: Sandbox, dsn: str):
    made = await app.webhooks.create(WS, f"https://{HOST}/moved", ["job.created"])
    await put(app)
    await attempted(app, dsn, 1)
    (delivery,) = await app.deliveries.page(WS, made.webhook.id)
    assert [one["status"] for one in delivery.attempts] == [301]
    assert [message["path"] for message in messages(vendors)] == ["/moved"]


async def test_of_a_jobs_progress_the_last_word_is_told_once_a_second(app: App, dsn: str):
    made = await app.webhooks.create(WS, HOOK, ["job.progress"])
    job_id = await put(app)

    async def say(*percents: int) -> None:
        said = [NewEvent(PROGRESS, {"percent": n, "claim": 1}, job_id) for n in percents]
        await app.events.append(WS, said)
        await app.deliveries.fan_out(WS)

    await say(10, 20, 30)
    await say(40)
    assert percents(await app.deliveries.page(WS, made.webhook.id)) == [40]
    await attempted(app, dsn, 1)
    await say(50)
    await say(60, 70)
    page = await app.deliveries.page(WS, made.webhook.id)
    assert percents(page) == [70, 40]
    due = rows(dsn, "select due_at from glaze.webhook_delivery order by id")
    assert (due[1]["due_at"] - due[0]["due_at"]).total_seconds() >= 1


async def test_until_it_is_sent_the_last_word_on_a_batch_takes_the_place_of_the_one_before(
    app: App, dsn: str
):
    made = await app.webhooks.create(WS, HOOK, ["batch.progress"])
    ids = [await app.batches.create(WS, NewBatch("enrich", {})) for _ in range(2)]

    async def came(batch_id: BatchId, n: int) -> None:
        do(dsn, f"update glaze.batch set completed = {n}, total = 9 where id = {batch_id}")
        await app.events.append(WS, [NewEvent("batch_progress", None, batch_id=batch_id)])

    for n in (1, 2):
        await came(ids[0], n)
    await app.deliveries.fan_out(WS)
    await came(ids[0], 3)
    await came(ids[1], 1)
    await app.deliveries.fan_out(WS)
    page = await app.deliveries.page(WS, made.webhook.id)
    assert [(one.batch_id, json.loads(one.body)["data"]["completed"]) for one in page] == [
        (ids[1], 1),
        (ids[0], 3),
    ]


def percents(page: list[Any]) -> list[int]:
    return [json.loads(one.body)["data"]["percent"] for one in page]


async def test_what_happened_before_an_endpoint_listened_and_elsewhere_is_not_told(
    app: App, dsn: str
):
    do(dsn, "insert into glaze.workspace (id, name) values (2, 'theirs')")
    await put(app)
    mine = await app.webhooks.create(WS, HOOK, ["*"])
    theirs = await app.webhooks.create(WorkspaceId(2), HOOK, ["*"])
    await put(app)
    await app.courier.sweep()
    assert [one.type for one in await app.deliveries.page(WS, mine.webhook.id)] == ["job.created"]
    assert await app.deliveries.page(WorkspaceId(2), theirs.webhook.id) == []
    assert theirs.secret != mine.secret
