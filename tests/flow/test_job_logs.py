"""What running jobs say of themselves: progress, log lines, who they belong to, and nothing secret."""

import asyncio
import json
import logging
import random
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import structlog
from cli_process import Cli, Sandbox, write_world
from jobs_process import Args, options
from ledger_facts import rows
from psycopg.conninfo import conninfo_to_dict
from whole_path import Api, free_port, query, watch, websites

from glaze.jobs.journal import MOST_LINES
from glaze.jobs.kind import JobContext, Kind
from glaze.jobs.worker import Worker
from glaze.logs import configure_logs
from glaze.model.job import NewJob, RetryPolicy
from glaze.model.outcome import Done, Failed, Outcome, Retry
from glaze.model.redact import Redactor
from glaze.model.value import DEFAULT_WORKSPACE, JobId, Json
from glaze.store.batch import BatchStore, NewBatch
from glaze.store.database import Database
from glaze.store.event import START, EventStore, NewEvent
from glaze.store.job import JobStore, Progress

WS = DEFAULT_WORKSPACE
HANG_S = 60.0
Run = Callable[[Args, JobContext], Awaitable[Outcome]]
SECRET_CANARIES = {
    "APOLLO_API_KEY": "sandbox-canary-apollo-5577",
    "SEARCH_API_KEY": "sandbox-canary-search-5577",
    "LINKEDIN_API_KEY": "sandbox-canary-linkedin-5577",
    "LLM_API_KEY": "sandbox-canary-llm-5577",
}
PERSON_CANARIES = ("Zebulon", "Quackenbush", "zebulon.quackenbush", "zq-profile-99", "5550199887")


@pytest.fixture
def _logs_as_before() -> Iterator[None]:
    kept, handlers = structlog.get_config(), logging.getLogger().handlers[:]
    yield
    structlog.configure(**kept)
    configure = logging.getLogger()
    configure.handlers[:] = handlers


async def work(db: Database, run: Run, over: Callable[[], Awaitable[bool]], **more: Any) -> None:
    kinds = {"nap": Kind("nap", Args, run, RetryPolicy(base_s=0.01))}
    worker = Worker(db, kinds, options("test", 5.0), rng=random.Random(1), **more)
    async with asyncio.timeout(HANG_S):
        await worker.drain(over, asyncio.Event())


async def do(db: Database, run: Run, args: Json = None, **more: Any) -> JobId:
    """Run one job to its end."""
    [job_id] = await JobStore(db).enqueue(WS, [NewJob("nap", args or {}, max_attempts=2)])

    async def over() -> bool:
        view = await JobStore(db).get(WS, job_id)
        return view is not None and view.finished_at is not None

    await work(db, run, over, **more)
    return job_id


async def said(db: Database, job_id: JobId, type_: str = "log") -> list[Any]:
    return [e.data for e in await EventStore(db).log(WS, job_id) if e.type == type_]


# -- progress ------------------------------------------------------------------------------------


async def test_a_jobs_progress_is_read_while_it_runs(db: Database) -> None:
    [job_id] = await JobStore(db).enqueue(WS, [NewJob("nap", {})])
    seen: list[Progress | None] = []

    async def run(_args: Args, context: JobContext) -> Outcome:
        context.progress(40, "asked Apollo")
        while True:
            view = await JobStore(db).get(WS, job_id)
            if view is not None and view.progress is not None:
                break
            await asyncio.sleep(0.01)
        seen.append(view.progress)
        return Done()

    async def over() -> bool:
        return bool(seen)

    await work(db, run, over)
    assert seen == [Progress(40, "asked Apollo")]


async def test_of_many_steps_at_once_only_the_last_is_written(db: Database) -> None:
    async def run(_args: Args, context: JobContext) -> Outcome:
        for percent in range(1000):
            context.progress(percent, f"step {percent}")
        return Done()

    job_id = await do(db, run)
    assert [(d["percent"], d["message"]) for d in await said(db, job_id, "progress")] == [
        (100, "step 999")
    ]
    types = [event.type for event in await EventStore(db).log(WS, job_id)]
    assert types == ["enqueued", "claimed", "progress", "completed"]


async def test_a_frozen_workers_late_word_does_not_hide_what_runs_now(db: Database) -> None:
    [job_id] = await JobStore(db).enqueue(WS, [NewJob("nap", {})])
    events = [
        NewEvent("progress", {"percent": percent, "message": "", "claim": claim}, job_id)
        for claim, percent in ((2, 10), (1, 90))
    ]
    await EventStore(db).append(WS, events)
    view = await JobStore(db).get(WS, job_id)
    assert view is not None
    assert view.progress == Progress(10, "")


# -- log lines -----------------------------------------------------------------------------------


async def test_log_lines_stand_in_the_jobs_log_in_order_and_before_its_end(db: Database) -> None:
    async def run(_args: Args, context: JobContext) -> Outcome:
        context.log("debug", "not kept")
        context.log("info", "asked", provider="apollo", found=3)
        context.log("error", "gave up")
        return Done()

    job_id = await do(db, run)
    assert await said(db, job_id) == [
        {
            "level": "info",
            "message": "asked",
            "facts": {"provider": "apollo", "found": 3},
            "attempt": 1,
        },
        {"level": "error", "message": "gave up", "attempt": 1},
    ]
    assert [e.type for e in await EventStore(db).log(WS, job_id)][-1] == "completed"


async def test_a_talkative_attempt_is_cut_short_and_the_next_may_talk_again(db: Database) -> None:
    async def run(_args: Args, context: JobContext) -> Outcome:
        for n in range(MOST_LINES + 300):
            context.log("info", f"line {n}")
        return Retry("again", "later", 0.0) if context.job.attempt == 1 else Done()

    lines = await said(db, await do(db, run))
    for attempt in (1, 2):
        messages = [line["message"] for line in lines if line["attempt"] == attempt]
        assert messages[:-1] == [f"line {n}" for n in range(MOST_LINES)]
        assert messages[-1] == f"more than {MOST_LINES} lines: dropped"


async def test_whatever_a_job_logs_is_bounded_and_breaks_nothing(db: Database) -> None:
    loop: dict[str, object] = {}
    loop["loop"] = loop

    async def run(_args: Args, context: JobContext) -> Outcome:
        context.log("info", "x" * 10_000, big="y" * 100_000)
        context.log("info", "nul \0, half \ud800", odd=object(), loop=loop, nan=float("nan"))
        context.log(
            "info", "names of its own", event="e", level="l", exc_info="x", message_="m", job=1
        )
        context.progress(float("nan"), "z" * 10_000)
        return Done()

    long, odd, named = await said(db, job_id := await do(db, run))
    assert len(long["message"]) == 500
    assert len(json.dumps(long["facts"])) < 5_000
    assert set(odd["facts"]) == {"odd", "loop", "nan"}
    assert named["facts"]["event"] == "e"
    [progress] = await said(db, job_id, "progress")
    assert (progress["percent"], len(progress["message"])) == (0, 500)


async def test_rows_of_a_batch_log_only_what_is_abnormal(db: Database) -> None:
    batches = BatchStore(db)
    batch_id = await batches.create(WS, NewBatch("nap", {}))
    await batches.add_rows(WS, batch_id, iter([{}, {}]))
    await batches.start(WS, batch_id)

    async def run(_args: Args, context: JobContext) -> Outcome:
        context.progress(50, "half way")
        context.log("info", "as usual")
        context.log("warning", "odd")
        return Done()

    async def over() -> bool:
        progress = await batches.progress(WS, batch_id)
        return progress is not None and progress.over

    await work(db, run, over)
    events, _ = await EventStore(db).feed(WS, START)
    told = [(e.type, e.data["message"]) for e in events if e.type in {"log", "progress"}]
    assert told == [("log", "odd")] * 2


async def test_why_a_job_failed_is_told_without_its_person_and_its_keys(db: Database) -> None:
    async def run(_args: Args, context: JobContext) -> Outcome:
        if context.job.attempt == 1:
            raise ValueError("no Lovelace with sk-aaaabbbbccccdddd at ada@example.com")
        return Failed("nobody", "Ada Lovelace, +49 30 1234567")

    args = {"input": {"name": "Ada Lovelace"}}
    job_id = await do(db, run, args, redactor=Redactor())
    log = await EventStore(db).log(WS, job_id)
    view = await JobStore(db).get(WS, job_id)
    assert view is not None
    assert view.error == "nobody: [person], [phone]"
    text = json.dumps([event.data for event in log])
    assert "crashed" in text
    for canary in ("Ada", "Lovelace", "sk-aaaa", "ada@", "1234567"):
        assert canary not in text


# -- lines of the process ------------------------------------------------------------------------


@pytest.mark.usefixtures("_logs_as_before")
def test_each_component_has_a_level_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("warning", "text", levels={"jobs": "debug", "gateway": "error", "lib": "info"})
    for name in ("jobs", "gateway", "api"):
        for level in ("debug", "info", "warning", "error"):
            getattr(structlog.get_logger(name), level)("said")
    logging.getLogger("lib").info("a library")
    logging.getLogger("other").info("not heard")
    lines = capsys.readouterr().err.splitlines()
    found = [re.fullmatch(r"\[(\w+)\] \[\S+Z\] \[(\w+)\] (.+)", line) for line in lines]
    assert [(m[1], m[2]) for m in found if m] == [
        *[("jobs", level) for level in ("debug", "info", "warning", "error")],
        ("gateway", "error"),
        *[("api", level) for level in ("warning", "error")],
        ("lib", "info"),
    ]


@pytest.mark.usefixtures("_logs_as_before")
@pytest.mark.parametrize("form", ["text", "json"])
def test_every_line_is_masked_a_librarys_too(form: Any, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", form, mask=Redactor(["canary-secret"]).facts)
    structlog.get_logger("jobs").info("for ada@example.com", first_name="Ada", key="canary-secret")
    try:
        int("canary-secret and ada@example.com")
    except ValueError:
        structlog.get_logger("jobs").exception("broke")
        logging.getLogger("lib").exception("ada@example.com %s", "canary-secret")
    told = capsys.readouterr().err
    assert told.count("Traceback") == 2
    assert "ValueError" in told
    for canary in ("canary", "Ada", "ada@"):
        assert canary not in told


# -- the whole path ------------------------------------------------------------------------------


def post(api: Api, body: Mapping[str, Any], **headers: str) -> tuple[int, Any, Any]:
    request = urllib.request.Request(
        f"{api.url}/enrich",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", **api.headers, **headers},
    )
    try:
        with urllib.request.urlopen(request, timeout=90) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, json.load(error)


def all_text(dsn: str) -> str:
    """Return every event and every job's row as text."""
    return json.dumps(
        rows(dsn, "select to_jsonb(e) as row from glaze.event e")
        + rows(dsn, "select to_jsonb(j) as row from glaze.job j")
    )


def test_one_id_leads_from_the_request_to_the_vendors_and_no_line_says_who_or_with_which_key(
    tmp_path: Path, dsn: str, quick: Mapping[str, str], vendors: Sandbox
) -> None:
    port = free_port()
    environment = {
        **quick,
        **SECRET_CANARIES,
        "GLAZE_API_PORT": str(port),
        "GLAZE_LOG_LEVEL": "debug",
        "GLAZE_LOG_FORMAT": "json",
        "GLAZE_ALLOW": "enrichlayer",
    }
    site, other = websites(vendors, 2, skip=9)
    first, last, mail, profile, phone = PERSON_CANARIES
    person = {
        "name": f"{first} {last}",
        "email": f"{mail}@{site.split('/')[2].removeprefix('www.')}",
        "phone": f"+1{phone}",
        "linkedin_url": f"https://www.linkedin.com/in/{profile}",
        "company": "Orblomar Works",
    }
    fields = ["person_title", "person_email", "company_name", "company_industry"]
    process = Cli(tmp_path, environment).start("up")
    try:
        api = Api(port, dsn)
        watch(lambda: api.get("/healthz"))
        taken = {"X-Correlation-ID": "order-7/a"}
        ask = {"input": person, "required_fields": fields, "wait_s": 60}
        status, headers, job = post(api, ask, **taken)
        assert (status, headers["X-Correlation-ID"]) == (200, "order-7/a")
        assert job["correlation_id"] == "order-7/a"
        assert job["progress"]["percent"] >= 10
        for vendor in ("apollo", "serper"):
            fault = {"kind": "malformed", "vendor": vendor}
            vendors.send("POST", "faults", fault)
        again = {**ask, "skip_cache": True, "input": person | {"phone": "", "url": other}}
        _, headers, _ = post(api, again, **{"X-Request-ID": "has spaces & <marks>"})
        made = headers["X-Correlation-ID"]
        assert re.fullmatch("[0-9a-f]{32}", made)
        status, headers, _ = post(api, {"input": {}, "required_fields": []})
        assert (status, bool(headers["X-Correlation-ID"])) == (422, True)
        assert post(api, {**ask, "input": {"email": f"{mail}@"}})[0] == 200
    finally:
        process.terminate()
        out, err = process.communicate(timeout=60)
    lines = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    assert_one_id(dsn, lines, "order-7/a", job["id"])
    told = out + err + all_text(dsn)
    assert len(told) > 5_000
    password = str(conninfo_to_dict(dsn)["password"])
    assert_absent(told, [*SECRET_CANARIES.values(), password, *PERSON_CANARIES])
    asked = "select count(*) from glaze.vendor_request where correlation_id = %s"
    assert rows(dsn, asked.replace("%s", f"'{made}'"))[0]["count"] > 0
    assert {"api", "jobs", "gateway", "job"} <= {line["logger"] for line in lines}


def assert_one_id(dsn: str, lines: list[Any], correlation: str, job_id: int) -> None:
    """The request, its job, its vendor requests and all lines about them carry one id."""
    of_it = [line for line in lines if line.get("correlation") == correlation]
    assert {"api", "jobs", "gateway"} <= {line["logger"] for line in of_it}
    about = [line for line in lines if line.get("job") == job_id]
    assert {line["correlation"] for line in about} == {correlation}
    asked = [line["request"] for line in about if line["event"] == "vendor request"]
    kept = rows(dsn, f"select id from glaze.vendor_request where correlation_id = '{correlation}'")
    assert sorted(asked) == sorted(row["id"] for row in kept)
    assert kept
    assert query(dsn, f"select correlation_id from glaze.job where id = {job_id}") == correlation


def assert_absent(text: str, planted: list[str]) -> None:
    """Neither a secret nor a trace of the person is in the text."""
    found = {canary: text.lower().count(canary.lower()) for canary in planted}
    assert found == dict.fromkeys(planted, 0)


def test_a_files_run_has_one_id_on_everything_it_asks(
    tmp_path: Path, dsn: str, quick: Mapping[str, str]
) -> None:
    cli = Cli(tmp_path, {**quick, "GLAZE_LOG_LEVELS": "gateway=debug", "GLAZE_LOG_FORMAT": "json"})
    write_world(tmp_path / "in.csv", 5, 300)
    ran = cli.run("enrich", "in.csv", "-o", "out.csv", "--fields", "company_name,company_phone")
    lines = [json.loads(line) for line in ran.err.splitlines() if line.startswith("{")]
    kept = rows(dsn, "select distinct correlation_id as id from glaze.vendor_request")
    assert len(kept) == 1
    assert {line["correlation"] for line in lines} == {kept[0]["id"]}
    assert len(lines) >= 5


def test_a_setting_for_levels_that_is_none_is_refused(tmp_path: Path) -> None:
    cli = Cli(tmp_path, {"GLAZE_LOG_LEVELS": "jobs"})
    process = cli.start("migrate")
    assert isinstance(process, subprocess.Popen)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "GLAZE_LOG_LEVELS" in err
    assert "jobs=debug" in err
