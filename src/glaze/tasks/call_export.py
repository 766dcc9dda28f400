"""Calls of the ledger as lines of a CSV, for whoever compares them with a vendor's own account."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from glaze.files.cell import text_of
from glaze.files.writing import defuse
from glaze.model.value import MICROS_PER_CENT, Json
from glaze.store.calls import CallView

COLUMNS = (
    *("id", "created_at", "provider", "operation", "state", "verdict", "reserved", "price"),
    *("job_id", "batch_id", "request_id", "wanted", "resolved_by", "detail"),
)
"""Of an export; ``billed`` is for whoever fills it in for ``reconcile``."""
BILLED = "billed"


def _dollars(micros: int | None) -> str:
    return "" if micros is None else f"{Decimal(micros) / (100 * MICROS_PER_CENT):f}"


def as_document(call: CallView) -> dict[str, Json]:
    """Return a call for machines: times as ISO 8601, money in micros."""
    return plain(asdict(call))


def plain(facts: Mapping[str, Any]) -> dict[str, Json]:
    """Return facts as JSON has them."""
    return {
        name: value.isoformat()
        if isinstance(value, datetime)
        else [*value]
        if isinstance(value, tuple)
        else value
        for name, value in facts.items()
    }


def line_of(call: CallView) -> list[str]:
    """Return a call as a line of an export."""
    facts = as_document(call) | {
        "reserved": _dollars(call.reserved_micros),
        "price": _dollars(call.price_micros),
        "wanted": " ".join(call.wanted),
    }
    return [defuse(text_of(facts[name])) for name in COLUMNS] + [""]
