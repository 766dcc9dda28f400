"""Dashboard, alerts and guide speak of metrics that there are, and of all of them."""

import json
import re
from typing import Any

import yaml

from glaze.model.measure import METRICS
from tests.docs.reading import ROOT

DASHBOARD = ROOT / "examples" / "grafana" / "glaze.json"
ALERTS = ROOT / "examples" / "prometheus" / "alerts.yml"
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
SERIES = {name + end for name, one in METRICS.items() for end in SUFFIXES[one.kind]}


def named(expression: str) -> set[str]:
    """Return the metrics that a PromQL expression reads."""
    return set(re.findall(r"\bglaze_\w+", expression))


def labels(expression: str) -> list[tuple[str, str]]:
    """Return which labels an expression asks of which metric."""
    return [
        (metric, label)
        for metric, inside in re.findall(r"\b(glaze_\w+)\{([^}]*)\}", expression)
        for label in re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"', inside)
    ]


def expressions() -> list[str]:
    dashboard: dict[str, Any] = json.loads(DASHBOARD.read_text())
    panels = [one["expr"] for panel in dashboard["panels"] for one in panel["targets"]]
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    alerts = [rule["expr"] for group in groups for rule in group["rules"]]
    guide = re.findall(
        r"^\|[^|]+\| `(.+)` \|$", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE
    )
    assert (len(panels), len(alerts), len(guide)) > (15, 8, 6)
    return [*panels, *alerts, *(one.replace("\\|", "|") for one in guide)]


def test_every_expression_reads_metrics_and_labels_that_there_are() -> None:
    for expression in expressions():
        assert named(expression), expression
        assert named(expression) <= SERIES, expression
        for metric, label in labels(expression):
            base = re.sub(r"_(total|bucket|sum|count)$", "", metric)
            assert label in METRICS.get(metric, METRICS.get(base)).labels, (metric, label)


def test_the_dashboard_shows_every_metric() -> None:
    text = DASHBOARD.read_text()
    assert not [name for name in METRICS if name not in text]
