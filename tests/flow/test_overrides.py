"""Each setting of one provider changes what happens on the whole path, over HTTP and in the ledger."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from cli_process import Sandbox
from ledger_facts import one, rows
from whole_path import booted, enrichment, finished, result_of, websites

from glaze.model.request import EnrichResult
from glaze.model.value import DEFAULT_WORKSPACE
from glaze.settings import ProviderOverride
from glaze.store.database import Database
from glaze.store.job import JobStore

EMPLOYEES = "company_employee_count"
OVERLAPS = (
    "select count(*) from glaze.call a join glaze.call b on a.id < b.id"
    " and a.created_at < b.settled_at and b.created_at < a.settled_at"
    " and a.request_id <> b.request_id"
)


@dataclass(frozen=True)
class Ran:
    """What came of a run."""

    dsn: str
    sandbox: Sandbox
    results: list[EnrichResult]

    def one(self, query: str) -> Any:
        return one(self.dsn, query)

    @property
    def bills(self) -> list[Any]:
        return list(self.sandbox.get("billing"))

    @property
    def asked(self) -> int:
        """How many questions were put to anybody."""
        return int(self.one("select count(*) from glaze.call"))


@dataclass(frozen=True)
class Case:
    """An override, and how to see that it acts: without it ``holds`` is not so."""

    name: str
    value: str
    holds: Callable[[Ran], bool]
    provider: str = "apollo"
    fields: tuple[str, ...] = (EMPLOYEES,)
    jobs: int = 1
    fault: Mapping[str, object] = field(default_factory=dict)


def named(**more: object) -> Mapping[str, object]:
    return {"vendor": "apollo", **more}


def of_github(name: str) -> Case:
    """A limit far below what jobs ask that do not wait: most of them go without."""
    url = ("company_github_url",)
    return Case(name, "1", lambda ran: 0 < ran.asked < 12, "github", url, jobs=12)


CASES = [
    Case("base_url", "{sandbox}/elsewhere", lambda ran: ran.asked == 1 and not ran.bills),
    Case("key", "sandbox-another", lambda ran: {b["api_key"] for b in ran.bills} == {"sandbox-another"}),
    Case("price_cents", "7", lambda ran: ran.one("select reserved_micros from glaze.call") == 70_000),
    Case("monthly_cap_cents", "0", lambda ran: not ran.asked and "over budget" in str(ran.results)),
    Case("batch_size", "2", lambda ran: ran.one("select max(calls) from glaze.vendor_request") == 2, jobs=6),
    Case("timeout_s", "0.5", lambda ran: ran.one("select state from glaze.call") == "unknown",
         fault=named(kind="slow", delay_s=2)),
    Case("retries", "0", lambda ran: ran.sandbox.get("stats")["requests"]["apollo"] == 1,
         fault=named(kind="status", status=429)),
    Case("confidence__company_employee_count", "61",
         lambda ran: ran.results[0].data[EMPLOYEES].confidence == 61),
    Case("concurrency", "1", lambda ran: ran.one(OVERLAPS) == 0, "github", ("company_github_url",), jobs=4,
         fault={"vendor": "github", "kind": "slow", "delay_s": 0.3}),
    of_github("calls_per_second"), of_github("calls_per_minute"), of_github("calls_per_hour"),
]  # fmt: skip


def test_every_override_has_a_case():
    assert {case.name.partition("__")[0] for case in CASES} == ProviderOverride.model_fields.keys()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_an_override_of_a_provider_acts(
    case: Case, db: Database, dsn: str, quick: Mapping[str, str], vendors: Sandbox
):
    variable = f"GLAZE_PROVIDER__{case.provider.upper()}__{case.name.upper()}"
    others = {name: text for name, text in quick.items() if "PROVIDER__APOLLO" not in name}
    if case.fault:
        vendors.send("POST", "faults", dict(case.fault))
    only = {"providers": (case.provider,), "min_confidence": 0}
    asked = [
        replace(enrichment(site, *case.fields, **only), max_attempts=1)
        for site in websites(vendors, case.jobs)
    ]
    async with booted({**others, variable: case.value.format(sandbox=vendors.url)}) as app:
        ids = await JobStore(db).enqueue(DEFAULT_WORKSPACE, asked)
        views = await finished(app, ids)
    ran = Ran(dsn, vendors, [result_of(view) for view in views if view.result])
    told = rows(
        dsn, "select state, detail, reserved_micros, created_at, settled_at from glaze.call"
    )
    assert case.holds(ran), (told, ran.results)
