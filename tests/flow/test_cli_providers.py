"""``glaze providers``: whom can be asked and how each fares, told by the database alone."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cli_process import Cli, Sandbox, write_world

FIELDS = "company_name,company_industry,company_employee_count,company_linkedin_url"


@pytest.fixture
def cli(tmp_path: Path, quick: Mapping[str, str], vendors: Sandbox) -> Cli:
    """A fleet of which apollo fails and serper answers; the LLM's key is none."""
    fault = {"kind": "status", "vendor": "apollo", "status": 503}
    vendors.send("POST", "faults", fault)
    alone = {"GLAZE_PROVIDER__APOLLO__BATCH_SIZE": "1"}  # each of the twelve fails for itself
    cli = Cli(tmp_path, {**quick, **alone, "LLM_API_KEY": "wrong"})
    write_world(tmp_path / "in.csv", 12, 300)
    cli.run("enrich", "in.csv", "-o", "out.csv", "--fields", FIELDS)
    return cli


def listed(cli: Cli, *options: str) -> dict[str, dict[str, Any]]:
    lines = cli.run("providers", "--json", *options).out.splitlines()
    return {one["name"]: one for one in map(json.loads, lines)}


def test_it_tells_what_each_cost_gave_and_took_and_what_keeps_one_back(
    cli: Cli, dsn: str, vendors: Sandbox
) -> None:
    longer = "update glaze.circuit set open_until = open_until + interval '1 hour'"
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(longer)  # a slow machine looks later than that
    found = listed(cli)
    serper, apollo, model = found["serper"], found["apollo"], found["llm"]

    assert (serper["state"], serper["key"]) == ("ready", "set")
    billed = [bill["micros"] for bill in vendors.get("billing") if bill["vendor"] == "serper"]
    calls = serper["calls"]
    assert calls["calls"] == vendors.get("stats")["requests"]["serper"]
    assert calls["spent_micros"] == sum(billed)
    assert calls["hits"] + calls["misses"] == calls["calls"]
    assert 0 < calls["p50_s"] <= calls["p95_s"]
    (window, *_) = serper["headroom"]
    assert window["calls"] == serper["limits"][0]["calls"]

    assert serper["seats"] is None  # its calls under way are not capped
    assert found["wikidata"]["seats"] == {"most": 3, "under_way": 0, "waiting": 0}
    assert "calls under way: 0 of 3, 0 processes want more" in cli.run("providers", "wikidata").out

    assert apollo["state"] == "circuit open"
    assert apollo["circuit"]["last_error"] == "status 503"
    assert apollo["circuit"]["opened_at"] < apollo["circuit"]["open_until"]
    assert apollo["calls"]["errors"] == apollo["calls"]["calls"] >= 5
    assert apollo["calls"]["error"] == "vendor_error"

    assert model["state"] == "key refused"
    assert vendors.get("stats")["requests"]["openai"] < 12  # not once a row
    assert found["clearbit"]["reason"].startswith("no key: set ")
    assert found["enrichlayer"]["reason"] == "opt-in: GLAZE_ALLOW=enrichlayer"
    assert found["website"]["key"] == "not needed"

    shown = cli.run("providers").out
    assert "circuit open" in shown
    detail = cli.run("providers", "apollo").out
    assert "circuit: open: " in detail
    assert "people_match: $0.10" in detail
    assert "last error: vendor_error" in detail
    doctor = cli.run("doctor").out
    assert "provider apollo: circuit " in doctor
    assert "provider llm: key refused" in doctor

    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("update glaze.circuit set open_until = clock_timestamp()")
    assert listed(cli, "apollo")["apollo"]["state"] == "circuit half-open"
    assert "no provider is called nobody" in cli.run("providers", "nobody", code=2).err
