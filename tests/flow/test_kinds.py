"""The job kinds over real HTTP: the sandbox plays the vendors, the sites, DNS and the receiver."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import psycopg
import pytest
from cli_process import Sandbox
from whole_path import booted, finished, websites

from glaze.boot.app import App
from glaze.errors import ArgsInvalid
from glaze.jobs.enqueue import enqueue, new_job
from glaze.model.job import JobState
from glaze.model.value import DEFAULT_WORKSPACE, JobId, Json
from glaze.store.job import JobView
from glaze.store.record import Record, RecordKind
from glaze.tasks.deliver_webhook import PRIORITY, RETRY

HOOK = "https://hooks.customer-app.com/glaze"


@pytest.fixture
async def app(quick: Mapping[str, str]) -> AsyncIterator[App]:
    async with booted(quick) as booted_app:
        yield booted_app


async def tell(app: App, args: Json, **options: Any) -> JobId:
    """Make a delivery as the end of a job makes one."""
    kind = app.kinds["deliver_webhook"]
    (job_id,) = await app.jobs.enqueue(DEFAULT_WORKSPACE, [kind.job(kind.parse(args), **options)])
    return job_id


async def put(app: App, kind: str, args: Json, **options: Any) -> JobId:
    job = new_job(app.kinds, kind, args, **options)
    (job_id,) = await enqueue(app.jobs, app.kinds, DEFAULT_WORKSPACE, [job])
    return job_id


async def done(app: App, kind: str, args: Json, **options: Any) -> JobView:
    """Return a job of this kind at its end."""
    (view,) = await finished(app, [await put(app, kind, args, **options)])
    return view


async def record(app: App, kind: RecordKind, external_id: str) -> Record:
    return (await app.records.get(DEFAULT_WORKSPACE, kind, [external_id]))[external_id]


def lines(sandbox: Sandbox, name: str) -> list[dict[str, Any]]:
    import urllib.request  # noqa: PLC0415

    url = f"{sandbox.url}/_sandbox/truth/{name}.jsonl"
    with urllib.request.urlopen(url, timeout=30) as answer:
        return [json.loads(line) for line in answer]


def people(sandbox: Sandbox, n: int) -> list[dict[str, str]]:
    """Return inputs of people whom vendors know, at companies that are alive."""
    living = {c["company_domain"] for c in lines(sandbox, "companies") if not c["dead"]}
    found = [p for p in lines(sandbox, "people") if p["person_company_domain"] in living]
    return [
        {
            "first_name": p["person_first_name"],
            "last_name": p["person_last_name"],
            "domain": p["person_company_domain"],
        }
        for p in found[:n]
    ]


async def test_a_lead_is_enriched_by_its_callers_id_and_keeps_what_was_found(app, vendors):
    (ada,) = people(vendors, 1)
    args = {"lead_id": "lead_123", "input_data": ada, "enrichment_types": ["email", "company"]}
    view = await done(app, "single_lead_enrichment", args, tags=("lead_enrichment",))
    assert view.state in {JobState.COMPLETED, JobState.PARTIAL}
    assert view.result["lead_id"] == "lead_123"
    assert "company_name" in view.result["data"]
    kept = await record(app, RecordKind.LEAD, "lead_123")
    assert kept.input == ada
    assert kept.job_id == view.id
    assert kept.data["company_name"] == view.result["data"]["company_name"]
    paid = vendors.billed_micros
    again = await done(
        app, "single_lead_enrichment", {"lead_id": "lead_123", "enrichment_types": ["company"]}
    )
    assert again.result["data"]["company_name"]["value"] == kept.data["company_name"]["value"]
    assert vendors.billed_micros == paid


BY_RECORD = {
    "single_lead_enrichment": "lead_id",
    "enrich_account": "account_id",
    "enrich_contact": "contact_id",
    "company_data_update": "account_id",
    "social_profile_discovery": "contact_id",
}


async def test_an_unknown_record_without_input_fails_for_good(app):
    ids = [await put(app, kind, {word: "nobody"}) for kind, word in BY_RECORD.items()]
    for view in await finished(app, ids):
        assert view.state is JobState.FAILED
        assert view.attempt == 1
        assert view.error.startswith("record_not_found: ")


async def test_only_the_named_provider_is_asked(app, vendors):
    (site,) = websites(vendors, 1)
    args = {"account_id": "a1", "domain": site, "provider_id": "apollo"}
    view = await done(app, "enrich_account", args)
    sources = {value["source"] for value in view.result["data"].values()}
    assert sources == {"apollo"}
    asked = vendors.get("stats")["requests"]
    assert set(asked) == {"apollo"}


async def test_an_account_and_its_update_tell_what_has_changed(app, vendors, dsn):
    (site,) = websites(vendors, 1, skip=3)
    args = {"account_id": "a7", "domain": site, "required_fields": ["company_name"]}
    first = await done(app, "company_data_update", args)
    name = first.result["data"]["company_name"]["value"]
    assert first.result["changed"]["company_name"] == {"from": None, "to": name}
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(
            "update glaze.record set data = jsonb_set(data, '{company_name,value}', '\"Old Name\"')"
        )
    second = await done(
        app, "company_data_update", {"account_id": "a7"} | {"required_fields": ["company_name"]}
    )
    assert second.result["changed"]["company_name"] == {"from": "Old Name", "to": name}
    third = await done(
        app, "enrich_account", {"account_id": "a7", "required_fields": ["company_name"]}
    )
    assert third.result["data"]["company_name"]["value"] == name


async def test_a_contact_is_enriched_and_profiles_come_with_their_evidence(app, vendors):
    (site,) = websites(vendors, 1, skip=5)
    view = await done(app, "social_profile_discovery", {"input_data": {"website": site}})
    assert view.state is JobState.COMPLETED
    assert view.result["profiles"]
    for profile in view.result["profiles"].values():
        assert profile["url"].startswith("https://")
        assert profile["source"]
    assert any(profile["evidence"]["quote"] for profile in view.result["profiles"].values())
    (ada,) = people(vendors, 1)
    contact = await done(app, "enrich_contact", {"contact_id": "c1", "input_data": ada})
    assert contact.result["contact_id"] == "c1"
    assert (await record(app, RecordKind.CONTACT, "c1")).data == contact.result["data"]


async def test_profiles_without_a_field_of_their_own_come_with_their_evidence_too(app, vendors):
    jobs = [
        await put(app, "social_profile_discovery", {"input_data": {"website": site}})
        for site in websites(vendors, 3, skip=8)
    ]
    views = await finished(app, jobs)
    tried = [
        profile
        for view in views
        for profile in [*view.result["profiles"].values(), *view.result["more_profiles"]]
        if profile["source"] == "social"
    ]
    assert tried
    for profile in tried:
        assert profile["evidence"]["url"].startswith("https://")
        assert profile["evidence"]["quote"]
    named = {one["url"] for view in views for one in view.result["profiles"].values()}
    assert not named & {one["url"] for view in views for one in view.result["more_profiles"]}


async def test_a_url_is_enriched_with_short_field_names_of_its_type(app, vendors):
    (site,) = websites(vendors, 1, skip=7)
    args = {"url": site, "type": "company_website", "required_fields": ["name", "city"]}
    view = await done(app, "url_enrichment", args)
    assert view.result["url"] == site
    assert "company_name" in view.result["data"]


async def test_leads_are_enriched_as_one_batch_and_summed_up(app, vendors):
    known = people(vendors, 4)
    ids = [f"lead_{n}" for n in range(4)]
    args = {
        "lead_ids": [*ids, "stranger"],
        "input_data": dict(zip(ids, known, strict=True)),
        "enrichment_types": ["company"],
    }
    view = await done(app, "batch_lead_enrichment", args, priority=2)
    assert view.state is JobState.PARTIAL
    result = view.result
    assert result["total"] == 5
    assert result["failed"] == 1
    assert result["completed"] + result["partial"] == 4
    assert result["leads"]["stranger"] == "failed"
    assert result["errors"]["stranger"].startswith("record_not_found: ")
    assert result["cost_micros"] == vendors.billed_micros
    for id_, given in zip(ids, known, strict=True):
        kept = await record(app, RecordKind.LEAD, id_)
        assert kept.input == given
        assert "company_name" in kept.data
    progress = await app.batches.progress(DEFAULT_WORKSPACE, result["batch_id"])
    assert progress.kind == "single_lead_enrichment"


async def test_a_batch_job_holds_no_slot_while_its_rows_run(app, vendors):
    ids = [f"lead_{n}" for n in range(3)]
    given = dict(zip(ids, people(vendors, 3), strict=True))
    job_id = await put(app, "batch_lead_enrichment", {"lead_ids": ids, "input_data": given})

    async def over() -> bool:
        view = await app.jobs.get(DEFAULT_WORKSPACE, job_id)
        return view.finished_at is not None

    async with asyncio.timeout(90):
        await app.worker(concurrency=1).drain(over, asyncio.Event())
    view = await app.jobs.get(DEFAULT_WORKSPACE, job_id)
    assert sum(view.result["leads"][id_] in {"completed", "partial"} for id_ in ids) == 3
    assert view.attempt == 1
    log = await app.events.log(DEFAULT_WORKSPACE, job_id)
    assert "snoozed" in [event.type for event in log]


async def test_a_cancelled_batch_job_takes_its_rows_with_it(app, vendors):
    vendors.slow_down(1.0)
    ids = [f"lead_{n}" for n in range(40)]
    given = dict(zip(ids, people(vendors, 40), strict=True))
    job_id = await put(app, "batch_lead_enrichment", {"lead_ids": ids, "input_data": given})
    stop = asyncio.Event()
    async with asyncio.timeout(90), asyncio.TaskGroup() as group:
        group.create_task(app.worker(concurrency=4).run(stop))
        while True:
            log = await app.events.log(DEFAULT_WORKSPACE, job_id)
            if "snoozed" in [event.type for event in log]:
                break
            await asyncio.sleep(0.05)
        await app.jobs.cancel(DEFAULT_WORKSPACE, [job_id])
        progress = None
        while progress is None or not progress.over:
            progress = await batch_of(app, job_id)
            await asyncio.sleep(0.05)
        stop.set()
    assert progress.state == "cancelled"
    assert progress.cancelled > 0
    assert (await app.jobs.get(DEFAULT_WORKSPACE, job_id)).state is JobState.CANCELLED


async def batch_of(app: App, job_id: JobId):
    async with app.db.fleet() as conn:
        row = await (
            await conn.execute("select id from batch where job_id = %s", (job_id,))
        ).fetchone()
    return await app.batches.progress(DEFAULT_WORKSPACE, row["id"]) if row else None


async def test_a_batch_job_that_is_opened_again_makes_a_new_batch_and_pays_nothing_twice(
    app, vendors
):
    (ada,) = people(vendors, 1)
    args = {"lead_ids": ["l1"], "input_data": {"l1": ada}, "enrichment_types": ["company"]}
    first = await done(app, "batch_lead_enrichment", args)
    paid = vendors.billed_micros
    await app.jobs.reopen(DEFAULT_WORKSPACE, [first.id])
    (second,) = await finished(app, [first.id])
    assert second.round == 2
    assert second.result["batch_id"] != first.result["batch_id"]
    assert vendors.billed_micros == paid


async def test_a_search_gives_every_contact_back_with_its_cost(app, vendors):
    contacts = people(vendors, 3)
    nobody = {"first_name": "Nobody", "last_name": "Unknown", "company": "No Such Company Anywhere"}
    args = {"search_id": "s1", "contacts": [*contacts, nobody], "enrichment_types": ["company"]}
    view = await done(app, "search_enrichment", args)
    assert view.result["search_id"] == "s1"
    given = [contact["input"] for contact in view.result["contacts"]]
    assert given == [*contacts, nobody]
    assert all("company_name" in c["data"] for c in view.result["contacts"][:3])
    assert sum(c["cost_micros"] for c in view.result["contacts"]) == view.result["cost_micros"]
    assert view.result["cost_micros"] == vendors.billed_micros


async def test_addresses_are_judged_by_form_and_by_their_domains_mail(app, vendors):
    truth = [c for c in lines(vendors, "companies") if not c["dead"]]
    mail = {c["company_domain"]: c["company_mail_provider"] for c in truth}
    takes = next(domain for domain, provider in mail.items() if provider != "none")
    takes_none = next(domain for domain, provider in mail.items() if provider == "none")
    emails = [
        f"ada@{takes}",
        f"Info@{takes.upper()}",
        f"ada@{takes_none}",
        "ada@no-such-domain-anywhere.com",
        f"ada@unheard.{takes}",
        "ada(at)acme.com",
        "ada@mailinator.com",
    ]
    view = await done(app, "email_validation", {"emails": emails}, priority=1)
    found = view.result["emails"]
    assert [one["verdict"] for one in found] == [
        "valid",
        "valid",
        "invalid",
        "invalid",
        "invalid",
        "invalid",
        "disposable",
    ]
    assert [one["email"] for one in found] == emails
    assert found[0]["mail_provider"]
    assert not found[0]["role"]
    assert found[1]["role"]
    assert found[1]["normalised"] == f"Info@{takes}"
    assert found[5]["reason"].startswith("syntax: ")
    assert view.result["counts"] == {
        "valid": 2,
        "invalid": 4,
        "disposable": 1,
        "risky": 0,
        "unknown": 0,
    }
    assert vendors.billed_micros == 0
    assert view.state is JobState.COMPLETED


async def test_a_vendor_is_asked_about_a_mailbox_where_it_is_named(app, vendors):
    mail = {c["company_domain"]: c["company_mail_provider"] for c in lines(vendors, "companies")}
    known = [
        p["person_email"]
        for p in lines(vendors, "people")
        if "person_email" in p and mail[p["person_company_domain"]] != "none"
    ][:5]
    view = await done(app, "email_validation", {"emails": known, "provider_id": "apollo"})
    told = [one["vendor_status"] for one in view.result["emails"]]
    assert any(told)
    assert all(
        one["reason"].startswith("apollo says")
        for one in view.result["emails"]
        if one["vendor_status"] in {"deliverable", "undeliverable", "risky"}
    )
    assert vendors.get("stats")["requests"]["apollo"] > 0


async def test_every_verifier_with_a_key_may_be_asked_and_what_is_known_to_be_dead_is_not(
    quick, vendors
):
    keys = dict.fromkeys(("ZEROBOUNCE_API_KEY", "HUNTER_API_KEY"), "sandbox-test")
    mail = {c["company_domain"]: c for c in lines(vendors, "companies")}
    living = [
        p["person_email"]
        for p in lines(vendors, "people")
        if "person_email" in p
        and mail[p["person_company_domain"]]["company_mail_provider"] != "none"
        and not mail[p["person_company_domain"]]["dead"]
    ][:90]
    absent = [f"no.such.person@{email.partition('@')[2]}" for email in living[:10]]
    hopeless = ["ada(at)x.com", "ada@mailinator.com", "ada@there-is-no-such-domain.com"]
    emails = [*living, *absent, *hopeless]
    async with booted(dict(quick) | keys) as app:
        free = await done(app, "email_validation", {"emails": emails, "max_cost_cents": 0})
        assert vendors.get("billing") == []
        assert {one["vendor"] for one in free.result["emails"]} == {None}
        view = await done(app, "email_validation", {"emails": emails})
        paid = vendors.get("billing")
        again = await done(app, "email_validation", {"emails": emails})
    assert vendors.get("billing") == paid
    assert vendors.get("billing/duplicates") == []
    assert [o["verdict"] for o in again.result["emails"]] == [
        o["verdict"] for o in view.result["emails"]
    ]
    asked = {bill["question"] for bill in paid}
    assert not any(f"email:{email}" in asked for email in hopeless)
    requests = vendors.get("stats")["requests"]
    assert requests["zerobounce"] < 20  # a hundred in one request
    assert 0 < requests["hunter"] < 30  # only where the cheaper one could not tell
    found = {one["email"]: one for one in view.result["emails"]}
    right = [found[email]["verdict"] in {"valid", "risky"} for email in living]
    assert sum(right) > 80
    dead = [found[email] for email in absent]
    assert all(one["verdict"] == "invalid" or one["catch_all"] for one in dead if one["vendor"])
    assert any(one["catch_all"] and one["verdict"] == "risky" for one in found.values())
    assert {one["vendor"] for one in found.values()} == {"zerobounce", "hunter", None}
    told = next(one for one in found.values() if one["catch_all"])
    assert told["reason"] in {
        "zerobounce says risky (catch-all)",
        "hunter says risky (accept_all)",
    }


# -- webhooks --------------------------------------------------------------------------------------


async def deliveries(app: App, n: int) -> list[JobView]:
    """Work until ``n`` deliveries have ended, and return all there are."""

    async def over() -> bool:
        return len(await ended_deliveries(app)) >= n

    async with asyncio.timeout(90):
        await app.worker().drain(over, asyncio.Event())
    return await ended_deliveries(app)


async def ended_deliveries(app: App) -> list[JobView]:
    page = await app.jobs.page(DEFAULT_WORKSPACE)
    return [job for job in page if job.kind == "deliver_webhook" and job.finished_at is not None]


async def test_the_end_of_a_job_is_told_to_its_webhook_with_the_result(app, vendors):
    args = {"emails": ["ada@mailinator.com"]}
    view = await done(
        app,
        "email_validation",
        args,
        webhook_url=HOOK,
        tags=("email", "vip"),
        correlation_id="order-7",
    )
    (delivery,) = await deliveries(app, 1)
    assert delivery.state is JobState.COMPLETED
    assert delivery.priority == PRIORITY
    assert delivery.max_attempts == RETRY.max_attempts
    assert delivery.correlation_id == "order-7"
    (message,) = vendors.get("webhooks")
    assert message["method"] == "POST"
    assert message["path"] == "/glaze"
    assert message["headers"]["webhook-id"] == f"msg_{delivery.id}"
    assert message["headers"]["webhook-timestamp"].isdigit()
    assert message["headers"]["content-type"] == "application/json"
    body = json.loads(message["body"])
    assert body["type"] == "job.completed"
    data = body["data"]
    assert data["job_id"] == view.id
    assert data["result"] == view.result
    assert data["tags"] == ["email", "vip"]
    assert data["state"] == "completed"


async def test_a_job_without_a_webhook_is_followed_by_nothing(app, vendors):
    await done(app, "email_validation", {"emails": ["ada@mailinator.com"]})
    assert [job.kind for job in await app.jobs.page(DEFAULT_WORKSPACE)] == ["email_validation"]
    assert vendors.get("webhooks") == []


async def test_a_receiver_that_fails_is_told_again_under_the_same_id(app, vendors):
    fault = {"kind": "status", "host": "hooks.customer-app.com", "status": 500, "times": 1}
    vendors.send("POST", "faults", fault | {"retry_after": 0})
    await tell(app, {"url": HOOK, "type": "test.sent", "data": {"n": 1}})
    (delivery,) = await deliveries(app, 1)
    assert delivery.state is JobState.COMPLETED
    assert delivery.attempt == 2
    first, second = vendors.get("webhooks")
    assert first["headers"]["webhook-id"] == second["headers"]["webhook-id"]
    assert first["body"] == second["body"]


@pytest.mark.parametrize(
    ("url", "status", "code"),
    [
        (HOOK, 410, "webhook_gone"),
        ("https://private.trap/", None, "address_refused"),
    ],
)
async def test_where_nobody_listens_is_not_told_again(app, vendors, url, status, code):
    if status is None:
        traps = vendors.get("hosts")["traps"]
        host = next(t["hosts"][0] for t in traps.values() if "127.0.0.1" in t["addresses"])
        url = f"http://{host}/hook"
    else:
        fault = {"kind": "status", "host": "hooks.customer-app.com", "status": status}
        vendors.send("POST", "faults", fault)
    await tell(app, {"url": url, "type": "test.sent"})
    (delivery,) = await deliveries(app, 1)
    assert delivery.state is JobState.FAILED
    assert delivery.error.startswith(f"{code}: ")
    assert delivery.attempt == 1


async def test_a_redirect_is_no_delivery(app, vendors):
    url = "https://hooks.customer-app.com/moved"
    await tell(app, {"url": url, "type": "test.sent"}, max_attempts=1)
    (delivery,) = await deliveries(app, 1)
    assert delivery.state is JobState.DEAD
    assert "answers 301" in delivery.error
    assert [message["path"] for message in vendors.get("webhooks")] == ["/moved"]


async def test_a_receiver_that_thanks_at_length_is_not_told_again(app, vendors):
    url = "https://hooks.customer-app.com/wordy"
    await tell(app, {"url": url, "type": "test.sent"}, max_attempts=2)
    (delivery,) = await deliveries(app, 1)
    assert delivery.state is JobState.COMPLETED
    assert len(vendors.get("webhooks")) == 1


async def test_whoever_ends_a_job_its_webhook_is_told(app, vendors, dsn):
    """By a cancel, too late, or by a third death: none of these is written by a worker's finish."""
    args = {"emails": ["ada@mailinator.com"]}
    hooked = {"webhook_url": HOOK, "queue": "nobody-serves-this"}
    cancelled = await put(app, "email_validation", args, **hooked)
    late = await put(app, "email_validation", args, **hooked)
    poison = await put(app, "email_validation", args, **hooked)
    await app.jobs.cancel(DEFAULT_WORKSPACE, [cancelled])
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(
            "update glaze.job set expires_at = now() - interval '1 s' where id = %s", (late,)
        )
        conn.execute(
            "update glaze.job set state = 'processing', worker_id = 999999, deaths = 2, attempt = 1"
            " where id = %s",
            (poison,),
        )
    await deliveries(app, 3)
    told = {}
    for message in vendors.get("webhooks"):
        data = json.loads(message["body"])["data"]
        told[data["job_id"]] = (data["state"], (data["error"] or "").partition(":")[0])
    assert told == {
        cancelled: ("cancelled", ""),
        late: ("dead", "expired"),
        poison: ("dead", "poison"),
    }


# -- refused at the door ---------------------------------------------------------------------------


REFUSED: list[tuple[str, Json, str]] = [
    ("single_lead_enrichment", {}, "lead_id"),
    ("single_lead_enrichment", {"lead_id": "1", "lead_ids": []}, "lead_ids"),
    (
        "single_lead_enrichment",
        {"lead_id": "1", "input_data": {"frist_name": "A"}},
        "input_data.frist_name.[key]",
    ),
    ("single_lead_enrichment", {"lead_id": "1", "provider_id": "nobody"}, "provider_id"),
    (
        "single_lead_enrichment",
        {"lead_id": "1", "enrichment_types": ["email", "fax"]},
        "enrichment_types.1",
    ),
    ("enrich_account", {"account_id": "1", "required_fields": ["x"]}, "required_fields.0"),
    ("batch_lead_enrichment", {"lead_ids": []}, "lead_ids"),
    (
        "batch_lead_enrichment",
        {"lead_ids": ["1"], "input_data": {"2": {"email": "a@b.co"}}},
        "",
    ),
    ("company_data_update", {}, ""),
    ("social_profile_discovery", {"lead_id": "1", "account_id": "2"}, ""),
    ("email_validation", {"emails": [7]}, "emails.0"),
    ("email_validation", {"emails": ["a@b.co"], "provider_id": "nobody"}, "provider_id"),
    ("url_enrichment", {"url": "javascript:alert(1)"}, "url"),
    ("url_enrichment", {"url": "acme.com", "type": ["person"]}, "type"),
    (
        "url_enrichment",
        {"url": "acme.com", "type": "person", "required_fields": ["q"]},
        "required_fields.0",
    ),
    ("search_enrichment", {"contacts": [{}]}, "contacts.0"),
    ("enrich", {"required_fields": ["company_name", "company_nme"]}, "required_fields.1"),
    ("enrich", {"required_fields": ["company_name"], "providers": ["nope"]}, "providers"),
]


async def test_bad_arguments_are_refused_with_the_path_of_the_fault(app):
    told = {}
    for kind, args, path in REFUSED:
        with pytest.raises(ArgsInvalid) as refused:
            new_job(app.kinds, kind, args)
        told[kind, str(args)] = ([fault.path for fault in refused.value.faults], [path])
    assert {case: pair for case, pair in told.items() if pair[0] != pair[1]} == {}


async def test_every_kind_has_a_policy_a_timeout_a_queue_and_a_description(app):
    assert len(app.kinds) >= 11
    for kind in app.kinds.values():
        assert kind.description.endswith(".")
        assert kind.args.model_json_schema()["additionalProperties"] is False
        assert kind.timeout_s > 0
        assert kind.retry.max_attempts > 1
        assert kind.queue == "default"


async def test_a_persons_other_profiles_are_searched_for_where_that_is_allowed_and_paid_only_then(
    quick: Mapping[str, str], vendors: Sandbox
):
    search = "serper.person_profile_search"
    known = people(vendors, 12)
    wanted = ["person_github_url", "person_social_urls"]
    asked = [{"input_data": one, "required_fields": wanted} for one in known]
    found: list[Any] = []
    for allowed in ({}, {"GLAZE_ALLOW": search}):
        async with booted({**quick, **allowed}) as app:
            jobs = [await put(app, "social_profile_discovery", args) for args in asked]
            views = await finished(app, jobs)
        stages = [stage for view in views for stage in view.result["stages"]]
        assert any(stage["name"] == "serper" for stage in stages) == bool(allowed)
        if not allowed:
            told = [stage["detail"] or "" for stage in stages if stage["name"] == "gap_analysis"]
            assert any(f"{search}: opt-in: allow it by name" in one for one in told)
        found = [
            one
            for view in views
            for one in [*view.result["profiles"].values(), *view.result["more_profiles"]]
            if one["source"] == "serper"
        ]
        assert bool(found) == bool(allowed)
    for profile in found:  # a namesake's is nobody's
        assert not profile["url"].endswith("-77")
        assert " at " in profile["evidence"]["quote"]
