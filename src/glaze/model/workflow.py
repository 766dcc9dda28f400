"""Workflows: a few steps that come after one another, enqueued as one graph and seen as one."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from glaze.model.job import TERMINAL, IfFailed, JobState, NewJob
from glaze.model.value import BatchId, JobId, WorkflowId


@dataclass(frozen=True, slots=True)
class Step:
    """One job of a workflow. ``after`` names earlier steps, with what becomes of this one if they fail."""

    name: str
    job: NewJob
    after: Mapping[str, IfFailed]


@dataclass(frozen=True, slots=True)
class Node:
    """A step as it stands. Times are aware UTC; ``error`` is "code: message"."""

    id: JobId
    step: str
    kind: str
    state: JobState
    error: str | None
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Edge:
    """``child_id`` comes after a job, which may be outside the workflow, or after a batch."""

    child_id: JobId
    parent_id: JobId | None
    batch_id: BatchId | None
    if_failed: IfFailed


@dataclass(frozen=True, slots=True)
class WorkflowView:
    """A workflow as a graph: its steps in the order of their declaration, and who comes after whom."""

    id: WorkflowId
    name: str
    created_at: datetime
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def over(self) -> bool:
        """Whether every step is at its end."""
        return all(node.state in TERMINAL for node in self.nodes)

    @property
    def counts(self) -> Mapping[JobState, int]:
        """How many steps are in each state."""
        return Counter(node.state for node in self.nodes)

    @property
    def state(self) -> str:
        """``running`` until every step is at its end, then the worst of the steps' ends.

        Of these ``failed`` (a step failed or is dead) is worse than ``cancelled``, then
        ``partial``, then ``completed``.
        """
        if not self.over:
            return "running"
        states = set(self.counts)
        if states & {JobState.FAILED, JobState.DEAD}:
            return JobState.FAILED.value
        ends = (JobState.CANCELLED, JobState.PARTIAL)
        return next((end.value for end in ends if end in states), JobState.COMPLETED.value)
