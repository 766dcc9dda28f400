"""Several ``glaze`` processes on one database: the work is done once, whoever dies."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path

from cli_process import Cli, Sandbox, ended, write_world
from ledger_facts import assert_budgets_hold, assert_paid_once, one, rows
from tests.storm_only import storm_only
from whole_path import Api, enrichment, free_port, glaze_process, query, watch, websites

from glaze.model.value import DEFAULT_WORKSPACE
from glaze.store.database import Database
from glaze.store.job import JobStore

FIELDS = ("company_name", "company_phone", "company_employee_count")
OPEN = "select count(*) from glaze.job where state not in ('completed', 'partial')"
LIVING = "select count(*) from glaze.worker where stopped_at is null"


@storm_only
async def test_two_worker_processes_share_the_work_and_one_that_is_killed_loses_nothing(
    db: Database, dsn: str, quick: Mapping[str, str], vendors: Sandbox
):
    vendors.slow_down(0.3)
    sites = websites(vendors, 40, skip=20)
    worker = ("worker", "--concurrency", "4")
    with glaze_process(quick, *worker) as first, glaze_process(quick, *worker) as second:
        watch(lambda: query(dsn, LIVING) == 2)
        jobs = [enrichment(site, *FIELDS) for site in sites]
        await JobStore(db).enqueue(DEFAULT_WORKSPACE, jobs)
        both = "select count(distinct worker_id) = 2 from glaze.job where state = 'processing'"
        watch(lambda: query(dsn, both))
        watch(lambda: query(dsn, OPEN) <= 30)
        first.kill()
        watch(lambda: query(dsn, OPEN) == 0)
        second.send_signal(signal.SIGTERM)
        assert second.wait(60) == 0
    assert_paid_once(dsn, vendors)
    assert len(vendors.get("billing")) > 20
    ends = rows(
        dsn,
        "select count(*) as n from glaze.event where type in ('completed', 'partial')"
        " group by job_id",
    )
    assert [row["n"] for row in ends] == [1] * 40
    assert one(dsn, "select count(*) from glaze.event where type = 'rescued'") >= 1
    by_both = "select count(distinct data->>'worker') from glaze.event where type = 'claimed'"
    assert one(dsn, by_both) == 2
    assert one(dsn, LIVING) == 0


def test_a_job_that_the_api_took_is_done_by_another_process_after_a_kill(
    dsn: str, quick: Mapping[str, str], vendors: Sandbox
):
    port = free_port()
    environment = dict(quick) | {"GLAZE_API_PORT": str(port)}
    (site,) = websites(vendors, 1, skip=5)
    api = Api(port, dsn)
    with glaze_process(environment, "up") as process:
        watch(lambda: api.get("/healthz"))
        vendors.slow_down(5)
        taken = api.enrich(url=site, fields=list(FIELDS), max_cost_cents=50, wait_s=0)
        watch(lambda: query(dsn, "select state = 'processing' from glaze.job"))
        process.kill()
    vendors.send("DELETE", "faults")
    with glaze_process(environment, "up") as process:
        watch(lambda: api.get("/healthz"))
        done = watch(
            lambda: (job := api.get(f"/jobs/{taken['id']}"))["finished_at"] and job, hang_s=60
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert done["state"] in {"completed", "partial"}
    assert done["result"]["data"]["company_name"]["value"]
    assert_paid_once(dsn, vendors)
    assert_budgets_hold(dsn)


@storm_only
def test_a_killed_postgresql_comes_back_and_the_run_goes_on(
    tmp_path: Path, quick: Mapping[str, str], vendors: Sandbox
):
    """The embedded server's postmaster is killed twice in the middle of a run."""
    data = tmp_path / "data"
    environment = {k: v for k, v in quick.items() if k != "DATABASE_URL"}
    cli = Cli(tmp_path, environment | {"GLAZE_DATA_DIR": str(data)})
    lines = write_world(cli.folder / "in.csv", 60, 300)
    vendors.slow_down(0.2)
    process = cli.start("enrich", "in.csv", "-o", "out.csv", "--fields", ",".join(FIELDS))
    for bills in (15, 45):
        watch(lambda n=bills: process.poll() is not None or len(vendors.get("billing")) >= n)
        assert process.poll() is None, process.communicate()
        pid = int((data / "pgdata" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)
    ended(process)
    assert len((cli.folder / "out.csv").read_text().splitlines()) == len(lines) + 1
    assert vendors.get("billing/duplicates") == []
