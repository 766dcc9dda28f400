"""The vendors' own billing log: the judge of what was paid, and whether it was paid twice."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import IO

from glaze_sandbox.wire import Answer

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Bill:
    """One billed unit."""

    vendor: str
    operation: str
    question: str
    credits: float
    micros: int
    at: str  # ISO 8601, UTC
    request_id: str
    api_key: str


class BillingLog:
    """Every billed unit in memory, and each appended to ``sink`` before the answer leaves."""

    def __init__(self, clock: Clock, sink: IO[str] | None = None) -> None:
        """Bills carry the time of ``clock``; ``sink`` is a text file open for appending."""
        self._clock = clock
        self._sink = sink
        self.bills: list[Bill] = []

    def record(self, vendor: str, api_key: str, answer: Answer) -> None:
        """Bill every charge of ``answer``."""
        if not answer.charges:
            return
        at = self._clock().isoformat()
        fresh = [
            Bill(
                vendor, c.operation, c.question, c.credits, c.micros, at, answer.request_id, api_key
            )
            for c in answer.charges
        ]
        self.bills.extend(fresh)
        if self._sink is not None:
            self._sink.writelines(
                json.dumps(asdict(bill), ensure_ascii=False) + "\n" for bill in fresh
            )
            self._sink.flush()

    def clear(self) -> None:
        """Forget the bills in memory; the file keeps its lines."""
        self.bills.clear()

    def duplicates(self) -> list[dict[str, object]]:
        """Return each question that one key was billed for more than once."""
        groups: defaultdict[tuple[str, str, str, str], list[Bill]] = defaultdict(list)
        for bill in self.bills:
            groups[(bill.vendor, bill.operation, bill.question, bill.api_key)].append(bill)
        return [
            {
                "vendor": vendor,
                "operation": operation,
                "question": question,
                "api_key": api_key,
                "count": len(bills),
                "times": [bill.at for bill in bills],
                "request_ids": [bill.request_id for bill in bills],
            }
            for (vendor, operation, question, api_key), bills in groups.items()
            if len(bills) > 1
        ]

    def totals(self) -> dict[str, dict[str, float]]:
        """Return bills, credits and micros by vendor."""
        totals: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for bill in self.bills:
            totals[bill.vendor].update({"bills": 1, "micros": bill.micros})
            totals[bill.vendor]["credits"] += bill.credits  # type: ignore[assignment]  # may be a half
        return {vendor: dict(counts) for vendor, counts in totals.items()}
