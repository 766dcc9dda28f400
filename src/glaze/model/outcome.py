"""How one attempt at a job ended: a closed set, so that a new kind of ending is a type error."""

from dataclasses import dataclass
from datetime import datetime

from glaze.model.value import Json


@dataclass(frozen=True, slots=True)
class Done:
    """The job did all it was asked; ``result`` is stored as it is."""

    result: Json = None


@dataclass(frozen=True, slots=True)
class Partial:
    """The job asked properly but some of what was wanted is not to be had."""

    result: Json = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Something transient failed; try again after the kind's backoff, or ``delay_s`` if given."""

    code: str
    message: str
    delay_s: float | None = None


@dataclass(frozen=True, slots=True)
class Snooze:
    """Nothing failed, but the job must wait until ``until``; the attempt is given back."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A permanent error: trying again cannot help."""

    code: str
    message: str
    result: Json = None


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The user cancelled it; what was already bought is kept."""

    result: Json = None


@dataclass(frozen=True, slots=True)
class CalledBack:
    """What a job that waited for a callback was told; no outcome, but what one goes on with."""

    data: Json = None


Outcome = Done | Partial | Retry | Snooze | Failed | Cancelled
