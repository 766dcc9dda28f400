"""What a source stated and when (an observation), and what was made of several of them."""

from dataclasses import dataclass
from datetime import datetime

from glaze.model.conflict import CHOICE
from glaze.model.request import Alternative, FieldValue
from glaze.model.value import FREE, CallId, FieldName, JobId, Json, Micros, ObservationId, Reading


@dataclass(frozen=True, slots=True)
class Observation:
    """One reading with where it came from: append-only, the unit of provenance.

    ``confidence`` (0 to 100) is the source's own, as lowered by validation; agreement with other
    sources is the merge's business and never written back here.
    """

    field: FieldName
    value: Json
    confidence: int
    provider: str
    retrieved_at: datetime  # aware; staleness is counted from here
    source_url: str | None = None
    quote: str | None = None
    raw: str | None = None
    call_id: CallId | None = None  # None: the caller's own input
    cost_micros: Micros = FREE
    id: ObservationId | None = None  # None until stored

    @classmethod
    def of(
        cls,
        reading: Reading,
        *,
        provider: str,
        retrieved_at: datetime,
        call_id: CallId | None = None,
        cost_micros: Micros = FREE,
    ) -> "Observation":
        """Turn a reading into an observation of ``provider``'s."""
        return cls(
            field=reading.field,
            value=reading.value,
            confidence=reading.confidence,
            provider=provider,
            retrieved_at=retrieved_at,
            source_url=reading.url,
            quote=reading.quote,
            raw=reading.raw,
            call_id=call_id,
            cost_micros=cost_micros,
        )

    @property
    def is_choice(self) -> bool:
        """Whether this is a model's choice among what others state: no evidence of its own."""
        return (self.raw or "").startswith(CHOICE) and self.call_id is not None


@dataclass(frozen=True, slots=True)
class Winner:
    """The value of a field after the merge.

    ``confidence`` is that after agreement, disagreement and age. ``alternatives`` are the
    other values, best first, each with its own confidence after the merge. ``witnesses`` names
    every provider that agrees, the winner's own included.
    """

    observation: Observation
    confidence: int
    alternatives: tuple[Alternative, ...] = ()
    witnesses: tuple[str, ...] = ()

    @property
    def value(self) -> Json:
        """The winning value."""
        return self.observation.value

    def as_field_value(self, *, cached: bool = False) -> FieldValue:
        """Return the winner as results show it; ``cached`` where this job paid nothing for it."""
        won = self.observation
        return FieldValue(
            value=won.value,
            confidence=self.confidence,
            source=won.provider,
            retrieved_at=won.retrieved_at,
            source_url=won.source_url,
            quote=won.quote,
            call_id=won.call_id,
            cost_micros=FREE if cached else won.cost_micros,
            cached=cached,
            alternatives=self.alternatives,
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored winner, and the job whose call brought it."""

    winner: Winner
    job_id: JobId | None
