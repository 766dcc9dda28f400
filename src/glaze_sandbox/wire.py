"""What passes between the server and the vendors it plays: a call in, an answer out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from multidict import MultiMapping

from glaze_sandbox.limits import Left

ANYONE = "sandbox-anyone"
"""The credential of a call to a vendor that asks for none."""


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request as a vendor sees it."""

    host: str
    method: str
    path: str
    query: MultiMapping[str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> object:
        """Return the body as JSON, None where it is not.

        The vendors answer a malformed body with an error of their own, so nothing is raised.
        """
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def bearer(self) -> str:
        """Return the token of ``Authorization: Bearer``, empty where there is none."""
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


@dataclass(frozen=True, slots=True)
class Charge:
    """One unit that the vendor bills for an answer."""

    operation: str
    question: str  # canonical: equal for equal questions, however they were worded or bundled
    credits: float
    micros: int  # of a US dollar


@dataclass(frozen=True, slots=True)
class Callback:
    """What the vendor posts to its customer ``wait_s`` seconds after the answer."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    wait_s: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What the vendor sends back, and what it bills for it."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    charges: tuple[Charge, ...] = ()
    request_id: str = ""
    callbacks: tuple[Callback, ...] = ()


def json_answer(
    status: int,
    value: object,
    *,
    headers: Mapping[str, str] | None = None,
    charges: tuple[Charge, ...] = (),
    request_id: str = "",
    callbacks: tuple[Callback, ...] = (),
) -> Answer:
    """Return ``value`` as a JSON answer."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(
        status,
        body,
        headers=headers or {},
        charges=charges,
        request_id=request_id,
        callbacks=callbacks,
    )


@runtime_checkable
class Metered(Protocol):
    """A vendor whose accounts run out of credits: any key that begins with ``sandbox-spent``."""

    def refuse_credits(self, call: Call) -> Answer:
        """Answer a call of an account that is empty, in the vendor's own shape."""
        ...


@runtime_checkable
class TellsRoom(Protocol):
    """A vendor whose answers, refusals of the rate included, tell how many calls it still takes."""

    def room_headers(self, lefts: Sequence[Left]) -> Mapping[str, str]:
        """Return the headers for what is left of its limits, the shortest window first."""
        ...


@runtime_checkable
class Remembers(Protocol):
    """A vendor whose answers depend on what it was asked before."""

    def forget(self) -> None:
        """Forget it."""
        ...


class Vendor(Protocol):
    """A vendor over the world: pure, so that answering and billing cannot come apart."""

    @property
    def name(self) -> str:
        """The vendor's name in bills and counters."""
        ...

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host names that it answers at."""
        ...

    def key_of(self, call: Call) -> str:
        """Return the credential that ``call`` carries, empty for none."""
        ...

    def answer(self, call: Call) -> Answer:
        """Answer one call with a good credential."""
        ...

    def refuse_key(self, call: Call) -> Answer:
        """Answer a call whose credential is missing or wrong, in the vendor's own shape."""
        ...

    def refuse_rate(self, call: Call, retry_after_s: float) -> Answer:
        """Answer a call above the rate limit, in the vendor's own shape."""
        ...
