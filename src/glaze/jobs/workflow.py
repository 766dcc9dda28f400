"""Workflows declared in Python: sequence, fan-out and fan-in, enqueued as one graph."""

from collections.abc import Sequence
from dataclasses import replace

from glaze.errors import InputError
from glaze.jobs.enqueue import checked
from glaze.jobs.kind import Kinds
from glaze.model.job import IfFailed, NewJob
from glaze.model.value import WorkflowId, WorkspaceId
from glaze.model.workflow import Step
from glaze.store.workflow import WorkflowStore

MOST_STEPS = 1000
_LONGEST_NAME = 100


class Workflow:
    """Collects steps. A step may only come after one that was declared before, so there is no cycle.

    >>> flow = Workflow("refresh")
    >>> first = flow.step("first", NewJob("nap", {}))
    >>> both = [flow.step(f"part {n}", NewJob("nap", {}), after=[first]) for n in (1, 2)]
    >>> flow.step("last", NewJob("nap", {}), after=both)
    'last'
    """

    def __init__(self, name: str) -> None:
        """Begin without steps.

        Raises: InputError for a name that is not 1 to 100 printable characters.
        """
        self.name = _named(name)
        self._steps: dict[str, Step] = {}

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps, in the order of their declaration."""
        return tuple(self._steps.values())

    def step(
        self,
        name: str,
        job: NewJob,
        *,
        after: Sequence[str] = (),
        if_failed: IfFailed = IfFailed.CANCEL,
    ) -> str:
        """Add a step that runs once all of ``after`` are at their end; return its name.

        ``if_failed`` says what becomes of it where one of them does not succeed. Jobs and batches
        outside the workflow go into the job's own ``after``.

        Raises: InputError for a name that is taken or none, a step that is not declared yet, an
            idempotency key, or over 1,000 steps.
        """
        if _named(name) in self._steps:
            raise InputError(f"two steps are called {name!r}")
        if unknown := [one for one in after if one not in self._steps]:
            raise InputError(f"step {name!r} comes after {unknown[0]!r}, which is not declared yet")
        if job.idempotency_key is not None:
            raise InputError(f"step {name!r} has an idempotency key: its workflow is made as one")
        if len(self._steps) == MOST_STEPS:
            raise InputError(f"a workflow has at most {MOST_STEPS} steps; put more into a batch")
        self._steps[name] = Step(name, job, dict.fromkeys(after, if_failed))
        return name


def _named(name: str) -> str:
    if not (1 <= len(name) <= _LONGEST_NAME and name.isprintable()):
        raise InputError(f"not a name: {name[:80]!r}; give 1 to {_LONGEST_NAME} characters")
    return name


async def start(
    workflows: WorkflowStore, kinds: Kinds, workspace_id: WorkspaceId, flow: Workflow
) -> WorkflowId:
    """Check every step, then enqueue all of them in one transaction.

    Raises: as ``checked`` and ``WorkflowStore.start``; then nothing was written.
    """
    steps = [replace(step, job=checked(kinds, step.job)) for step in flow.steps]
    return await workflows.start(workspace_id, flow.name, steps)
