"""Faults, limits and bills: what a test can make the vendors do, and who ends up paying."""

import asyncio
import io
import json

import aiohttp
import pytest

from glaze_sandbox.server import serve
from glaze_sandbox.state import new_state


@pytest.fixture
def ask(sandbox, known_company):
    async def ask():
        params = {"domain": known_company.domain}
        async with sandbox.apollo("GET", "/organizations/enrich", params=params) as response:
            return response.status, response.headers, await response.read()

    return ask


async def fault(sandbox, **spec):
    return await sandbox.control("POST", "faults", json={"vendor": "apollo", **spec})


async def billed(sandbox):
    return len(await sandbox.control("GET", "billing"))


async def test_a_drop_before_billing_costs_nothing_and_a_drop_after_it_does(sandbox, ask):
    for kind, bills in (("drop_before_billing", 0), ("drop_after_billing", 1)):
        await fault(sandbox, kind=kind, times=1)
        with pytest.raises(aiohttp.ClientConnectionError):
            await ask()
        assert await billed(sandbox) == bills
    assert (await ask())[0] == 200
    assert (await sandbox.control("GET", "billing/duplicates"))[0]["count"] == 2


async def test_a_status_fault_is_not_billed_and_carries_retry_after(sandbox, ask):
    await fault(sandbox, kind="status", status=429, retry_after=7, times=1)
    await fault(sandbox, kind="status", status=503, retry_after=3, times=1)
    for status, wait in ((429, "7"), (503, "3")):
        given, headers, _ = await ask()
        assert (given, headers["Retry-After"]) == (status, wait)
    assert await billed(sandbox) == 0


async def test_a_malformed_body_is_billed(sandbox, ask):
    await fault(sandbox, kind="malformed")
    status, _, body = await ask()
    assert status == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)
    assert await billed(sandbox) == 1


async def test_a_client_that_gives_up_on_a_slow_vendor_is_billed_all_the_same(sandbox, ask):
    await fault(sandbox, kind="slow", delay_s=0.2)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await ask()
    async with asyncio.timeout(10):
        while not await billed(sandbox):  # noqa: ASYNC110  the bill is written by the other side
            await asyncio.sleep(0.02)


async def test_a_dripping_body_arrives_whole_in_the_end(sandbox, ask):
    await fault(sandbox, kind="drip", delay_s=0.0001)
    status, _, body = await ask()
    assert (status, bool(json.loads(body))) == (200, True)


async def test_a_fault_strikes_its_path_only_and_goes_when_cleared(sandbox, ask):
    added = await fault(sandbox, kind="status", status=500, path_prefix="/api/v1/people")
    assert (await ask())[0] == 200
    await fault(sandbox, kind="status", status=500, probability=0)
    assert (await ask())[0] == 200
    assert len(await sandbox.control("GET", "faults")) == 2
    assert await sandbox.control("DELETE", f"faults?id={added['id']}") == {"left": 1}
    assert await sandbox.control("DELETE", "faults") == {"left": 0}


async def test_a_fault_that_makes_no_sense_is_refused_with_the_reason(sandbox):
    answer = await sandbox.control("POST", "faults", json={"kind": "explode"})
    assert answer["error"][0]["loc"] == ["kind"]
    answer = await sandbox.control("POST", "faults", json={"kind": "status", "vendor": "apolo"})
    assert answer["error"].startswith("no vendor is called apolo")


async def test_a_company_site_can_be_made_to_fail(sandbox, known_company):
    host = known_company.host
    await sandbox.control("POST", "faults", json={"host": host, "kind": "status", "times": 1})
    async with sandbox.request("GET", host, "/") as response:
        assert response.status == 503
    async with sandbox.request("GET", host, "/") as response:
        assert response.status == 200


async def test_a_rate_limit_is_kept_in_a_sliding_window_and_violations_are_counted(sandbox, ask):
    limit = {"vendor": "apollo", "calls": 2, "window_s": 600}
    await sandbox.control("POST", "limits", json=limit)
    statuses = [(await ask())[0] for _ in range(4)]
    assert statuses == [200, 200, 429, 429]
    _, headers, body = await ask()
    assert 590 <= int(headers["retry-after"]) <= 600
    assert headers["x-hourly-requests-left"] == "0"
    assert b"maximum number of api calls allowed" in body
    stats = await sandbox.control("GET", "stats")
    assert (stats["limit_violations"], stats["limit_peaks"]) == ({"apollo": 3}, {"apollo": 2})
    assert await billed(sandbox) == 2


async def test_each_bill_is_appended_to_the_file_before_the_answer_leaves(known_company):
    sink = io.StringIO()
    async with serve(new_state(7, 120, sink)) as running, aiohttp.ClientSession() as session:
        url = f"{running.url}/vendor/api.apollo.io/api/v1/organizations/enrich"
        params, headers = {"domain": known_company.domain}, {"x-api-key": "sandbox-file"}
        async with session.get(url, params=params, headers=headers) as response:
            await response.read()
            [line] = sink.getvalue().splitlines()
    assert json.loads(line)["api_key"] == "sandbox-file"
    assert json.loads(line)["question"] == f"domain:{known_company.domain}"


async def test_reset_forgets_bills_faults_limits_and_counters(sandbox, ask):
    await ask()
    await fault(sandbox, kind="status")
    await sandbox.control("POST", "limits", json={"vendor": "apollo", "calls": 0, "window_s": 1})
    await sandbox.control("POST", "reset")
    assert (await ask())[0] == 200
    stats = await sandbox.control("GET", "stats")
    assert stats["requests"] == {"apollo": 1}
    assert stats["billed"]["apollo"] == {"bills": 1, "credits": 1, "micros": 100_000}
