"""Vendors that call back over HTTP (H7): the sandbox posts to the API as the real ones would."""

import asyncio
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from random import Random

import pytest
from cli_process import Sandbox
from ledger_facts import assert_paid_once, one, rows
from test_flow_later import looked_for
from test_kinds import people
from tests.api.conftest import Service, serving
from whole_path import enrichment, finished, settings_of

from glaze.model.job import JobState
from glaze.model.ledger import Delivery
from glaze.model.request import EnrichArgs
from glaze.model.value import DEFAULT_WORKSPACE, FieldName, JobId
from glaze.pipeline.naming import sealed, token_of

KEY = "sandbox-test"
CALLS = "select id, state::text, polls, handle from glaze.call where handle is not null"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def reachable(environment: Mapping[str, str]) -> AsyncIterator[Service]:
    """Serve the API at the address that vendors are told."""
    port = free_port()
    told = {"GLAZE_CALLBACK_URL": f"http://127.0.0.1:{port}"}
    async with serving(settings_of(dict(environment) | told), port) as service:
        yield service


@pytest.fixture
def clearbit(quick: Mapping[str, str]) -> Mapping[str, str]:
    return dict(quick) | {"CLEARBIT_API_KEY": KEY, "GLAZE_PROVIDER__CLEARBIT__TIMEOUT_S": "2"}


async def enriched(service: Service, website: str, field: str, provider: str) -> JobId:
    job = enrichment(website, field, providers=(provider,))
    (job_id,) = await service.app.jobs.enqueue(DEFAULT_WORKSPACE, [job])
    return job_id


async def test_a_record_that_clearbit_queued_comes_by_its_signed_webhook_and_wakes_the_job(
    clearbit, vendors: Sandbox, dsn: str
):
    (site,) = looked_for(vendors, 1)
    async with reachable(clearbit) as service:
        job_id = await enriched(service, site, "company_name", "clearbit")
        (view,) = await finished(service.app, [job_id])
    assert view.state is JobState.COMPLETED
    assert view.result["data"]["company_name"]["source"] == "clearbit"
    assert [(call["state"], call["polls"]) for call in rows(dsn, CALLS)] == [("settled", 0)]
    assert one(dsn, "select count(*) from glaze.callback") == 1
    until = one(dsn, "select data->>'until' from glaze.event where type = 'snoozed'")
    assert view.finished_at is not None
    assert view.finished_at < datetime.fromisoformat(until)
    assert_paid_once(dsn, vendors)


async def test_numbers_that_apollo_looks_for_come_by_its_unsigned_webhook_at_a_sealed_address(
    quick, vendors: Sandbox, dsn: str
):
    apollo = dict(quick) | {"APOLLO_WEBHOOK_SECRET": "nobody-guesses", "GLAZE_ALLOW": "apollo"}
    async with reachable(apollo) as service:
        ids = []
        for person in people(vendors, 4):
            wanted = EnrichArgs(
                input=person,
                required_fields=(FieldName("person_phone"), FieldName("person_mobile")),
                providers=("apollo",),
            )
            job = service.app.kinds["enrich"].job(wanted)
            ids += await service.app.jobs.enqueue(DEFAULT_WORKSPACE, [job])
        views = await finished(service.app, ids)
    found = [value["source"] for view in views for value in view.result["data"].values()]
    assert set(found) == {"apollo"}
    calls = rows(dsn, CALLS)
    assert calls
    assert {call["state"] for call in calls} == {"settled"}
    assert one(dsn, "select count(*) from glaze.callback") == len(calls)
    assert {call["polls"] for call in calls} == {0}
    assert_paid_once(dsn, vendors)


def signed(body: bytes, secret: str = KEY) -> str:
    return f"sha1={hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()}"


async def test_of_a_thousand_forgeries_none_is_taken_and_each_is_logged(
    clearbit, vendors: Sandbox, dsn: str, capfd: pytest.CaptureFixture[str]
):
    """Wrong signatures, tokens, calls, providers and bodies; the genuine one still counts."""
    (site,) = looked_for(vendors, 1)
    async with serving(settings_of(clearbit)) as service:
        # The vendor is not told where: this test plays its callbacks.
        job_id = await enriched(service, site, "company_name", "clearbit")
        worker = service.app.worker()

        async def promised() -> bool:
            return bool(rows(dsn, CALLS))

        await worker.drain(promised, asyncio.Event())
        [call] = rows(dsn, CALLS)
        hash_key = bytes(one(dsn, "select hash_key from glaze.workspace where id = 1"))
        token = token_of(hash_key, DEFAULT_WORKSPACE, call["id"])
        body = json.dumps({"id": call["handle"], "status": 200, "body": {}}).encode()
        rng = Random(7)

        async def told(path: str, body: bytes, signature: str) -> int:
            headers = {"X-Request-Signature": signature} if signature else {}
            url = f"{service.url}/v1/hooks/{path}"
            async with service.http.post(url, data=body, headers=headers) as answer:
                return answer.status

        def forged() -> tuple[str, bytes, str]:
            flipped = bytearray(token, "ascii")
            place = rng.randrange(len(token) - 32, len(token))
            flipped[place] = ord("0123456789abcdef"[rng.randrange(16)])
            strange = flipped.decode() if flipped.decode() != token else token[:-1] + "."
            other = body + b" " * rng.randrange(1, 99)
            return rng.choice(
                [
                    (f"clearbit/{token}", body, signed(body, f"guess-{rng.random()}")),
                    (f"clearbit/{token}", other, signed(body)),
                    (f"clearbit/{token}", body, ""),
                    (f"clearbit/{token}", body, signed(body)[:-1]),
                    (f"clearbit/{token}", body, signed(body).upper()),
                    (f"clearbit/{strange}", body, signed(body)),
                    (f"clearbit/{sealed(token, 'x')}", body, signed(body)),
                    (f"apollo/{token}", b'{"request_id": "77"}', ""),
                    (f"hunter/{token}", body, signed(body)),
                    (f"clearbit/g2-{token[3:]}", body, signed(body)),
                    (f"clearbit/{token}", b'{"id": "another"}', signed(b'{"id": "another"}')),
                ]
            )

        taken = [await told(*forged()) for _ in range(1000)]
        assert set(taken) == {404}
        said = capfd.readouterr().err
        refused = [said.count(f'"delivery": "{why}"') for why in ("forged", "unknown")]
        assert sum(refused) == 1000
        assert min(refused) > 0
        assert token not in said  # an address is a secret of the vendor's
        assert one(dsn, "select count(*) from glaze.callback") == 0
        genuine = (f"clearbit/{token}", body, signed(body))
        assert await told(*genuine) == 204
        assert await told(*genuine) == 409
        (view,) = await finished(service.app, [job_id])
        assert view.state is JobState.COMPLETED
        later = body.replace(b"200", b"201")
        assert await told(f"clearbit/{token}", later, signed(later)) == 410
        assert await told(f"clearbit/{token}", b"x" * 1_000_001, "") == 413


async def test_clearbits_own_webhook_secret_takes_the_place_of_its_key(
    clearbit, vendors: Sandbox, dsn: str
):
    secret = {"CLEARBIT_WEBHOOK_SECRET": "of-the-webhooks-alone"}
    (site,) = looked_for(vendors, 1)
    async with serving(settings_of(dict(clearbit) | secret)) as service:
        job_id = await enriched(service, site, "company_name", "clearbit")
        worker = service.app.worker()

        async def promised() -> bool:
            return bool(rows(dsn, CALLS))

        await worker.drain(promised, asyncio.Event())
        [call] = rows(dsn, CALLS)
        hash_key = bytes(one(dsn, "select hash_key from glaze.workspace where id = 1"))
        token = token_of(hash_key, DEFAULT_WORKSPACE, call["id"])
        body = json.dumps({"id": call["handle"]}).encode()

        async def told(token: str, secret: str) -> Delivery:
            headers = {"x-request-signature": signed(body, secret)}
            return await service.app.collector.deliver("clearbit", token, headers, body)

        address = sealed(token, "of-the-webhooks-alone")
        assert await told(token, "of-the-webhooks-alone") is Delivery.FORGED
        assert await told(address, KEY) is Delivery.FORGED
        assert await told(address, "of-the-webhooks-alone") is Delivery.ACCEPTED
        await finished(service.app, [job_id])
