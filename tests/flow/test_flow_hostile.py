"""Sites that attack: the job ends well, nothing forbidden is reached, nothing false is kept."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cli_process import Sandbox
from whole_path import Api, free_port, glaze_process, watch

FIELDS = [
    "company_name",
    "company_description",
    "company_industry",
    "company_employee_count",
    "company_founded_year",
    "company_phone",
    "company_email",
]
PROVIDERS = ["website", "dns_mx", "llm"]
MOST_MEMORY_KB = 250_000
"""Below what an idle process and one decoded bomb of 200 MB take."""
REFUSED = "refused to go there"
UNREADABLE = {
    "bomb": "larger than",
    "huge": "larger than",
    "robots-bomb": "too large",
    # Which of two patiences ends first, the page's or the site's, is the machine's affair.
    **dict.fromkeys(("drip", "silent", "robots-drip"), "answer"),
    "loop": "redirects",
    "broken": "500",
    **dict.fromkeys(
        ("to-loopback", "to-metadata", "rebind", "loopback", "private", "metadata", "zero"), REFUSED
    ),
    **dict.fromkeys(("mixed", "ipv6-loopback", "mapped", "nat64", "sixtofour"), REFUSED),
}
"""Traps behind which there is no page that could be read, and what the website's stage says."""


@pytest.fixture
def up(dsn: str, quick: Mapping[str, str]) -> Iterator[tuple[Api, int]]:

    port = free_port()
    environment = dict(quick) | {"GLAZE_API_PORT": str(port), "GLAZE_CONCURRENCY": "30"}
    with glaze_process(environment, "up") as process:
        api = Api(port, dsn)
        watch(lambda: api.get("/healthz"))
        yield api, process.pid


def peak_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if "VmHWM" in line))


def website_stage(job: Any) -> Any:
    return next(stage for stage in job["result"]["stages"] if stage["name"] == "website")


def why_nothing(stage: Any) -> str:
    return f"{stage['error'] or ''} {stage['detail'] or ''}"


def test_no_hostile_site_fails_a_job_or_gets_anything_out_of_it(
    up: tuple[Api, int], vendors: Sandbox
):
    api, pid = up
    traps = vendors.get("hosts")["traps"]
    with ThreadPoolExecutor(len(traps)) as pool:
        asked = {
            name: pool.submit(
                api.enrich,
                url=f"http://{name}-trap-demo.com",
                fields=FIELDS,
                providers=PROVIDERS,
                wait_s=60,
            )
            for name in traps
        }
    jobs = {name: future.result() for name, future in asked.items()}

    assert {name: job["state"] for name, job in jobs.items()} == dict.fromkeys(traps, "partial")
    said = {name: why_nothing(website_stage(job)) for name, job in jobs.items()}
    assert {name for name, word in UNREADABLE.items() if word not in said[name]} == set(), said
    assert vendors.get("stats")["canary"] == 0
    assert peak_kb(pid) < MOST_MEMORY_KB

    values = {
        name: {field: found["value"] for field, found in job["result"]["data"].items()}
        for name, job in jobs.items()
    }
    for name, found in values.items():
        for value in found.values():
            assert "\x00" not in str(value), name
            assert len(str(value)) < 20_000, name
    for name in ("inject", "inject-quote"):
        assert "company_employee_count" not in values[name]
        assert "company_founded_year" not in values[name]
        assert "casino" not in str(values[name])
        assert "Totally Legit" not in str(values[name])
    assert "<img" not in str(values["script"])
    assert "javascript:" not in str(values["script"])
    assert api.get("/healthz")["status"] == "ok"
