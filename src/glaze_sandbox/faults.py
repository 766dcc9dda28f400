"""Faults on demand: what goes wrong, where, how often."""

import json
import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_ROWS = ("matches", "email_batch")  # what holds the rows of a bulk answer that is no list itself


class FaultKind(StrEnum):
    """What goes wrong."""

    STATUS = "status"  # answers ``status``, unbilled, with ``retry_after`` where given
    SLOW = "slow"  # waits ``delay_s`` before the vendor sees the request
    DRIP = "drip"  # answers and bills, then sends a few bytes every ``delay_s``
    DROP_BEFORE_BILLING = "drop_before_billing"  # closes the connection, nothing is billed
    DROP_AFTER_BILLING = "drop_after_billing"  # bills, then closes the connection
    MALFORMED = "malformed"  # bills, then sends half of the body
    SHUFFLED = "shuffled"  # bills, then sends the rows of a bulk answer the other way round
    SHORT = "short"  # bills, then leaves the last row out of a bulk answer


class FaultSpec(BaseModel):
    """A fault as ``POST /_sandbox/faults`` takes it; the first that matches a request acts."""

    model_config = ConfigDict(extra="forbid")

    kind: FaultKind
    vendor: str | None = None
    host: str | None = None
    path_prefix: str = "/"
    status: int = Field(default=503, ge=400, le=599)
    retry_after: int | None = Field(default=None, ge=0)
    delay_s: float = Field(default=1.0, ge=0, le=3600)
    probability: float = Field(default=1.0, ge=0, le=1)
    times: int | None = Field(default=None, ge=1)  # None: until cleared

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.vendor is None and self.host is None:
            raise ValueError("a fault needs a vendor or a host")
        return self


@dataclass(slots=True)
class ActiveFault:
    """A fault with what is left of it."""

    id: int
    spec: FaultSpec
    left: int | None
    fired: int = 0

    def describe(self) -> dict[str, object]:
        """Return the fault as the control routes show it."""
        return {
            "id": self.id,
            "fired": self.fired,
            "left": self.left,
            **self.spec.model_dump(mode="json"),
        }


class FaultPlan:
    """The faults in force, oldest first."""

    def __init__(self, rng: random.Random) -> None:
        """``rng`` decides where a fault has a probability."""
        self._rng = rng
        self._next_id = 1
        self.active: list[ActiveFault] = []

    def add(self, spec: FaultSpec) -> ActiveFault:
        """Put ``spec`` in force."""
        fault = ActiveFault(self._next_id, spec, spec.times)
        self._next_id += 1
        self.active.append(fault)
        return fault

    def clear(self, fault_id: int | None = None) -> None:
        """End fault ``fault_id``, or all."""
        self.active = [f for f in self.active if fault_id is not None and f.id != fault_id]

    def strike(self, vendor: str | None, host: str, path: str) -> FaultSpec | None:
        """Return the fault that hits this request, and count it down."""
        for fault in self.active:
            if fault.left == 0 or not _matches(fault.spec, vendor, host, path):
                continue
            if fault.spec.probability < 1 and self._rng.random() >= fault.spec.probability:
                continue
            fault.fired += 1
            if fault.left is not None:
                fault.left -= 1
            return fault.spec
        return None


def other_rows(body: bytes, kind: FaultKind) -> bytes:
    """Return a bulk answer with its rows turned round, or without the last; others as they are."""
    try:
        found = json.loads(body)
    except ValueError:
        return body
    inside = next((name for name in _ROWS if isinstance(found, dict) and name in found), None)
    rows = found[inside] if inside else found
    if isinstance(rows, list):
        rows[:] = rows[::-1] if kind is FaultKind.SHUFFLED else rows[:-1]
    return json.dumps(found).encode()


def _matches(spec: FaultSpec, vendor: str | None, host: str, path: str) -> bool:
    return (
        (spec.vendor is None or spec.vendor == vendor)
        and (spec.host is None or spec.host == host)
        and path.startswith(spec.path_prefix)
    )
