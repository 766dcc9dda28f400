"""Workflows: graphs of jobs that are enqueued, looked at and cancelled as one."""

from collections.abc import Sequence
from dataclasses import replace

from glaze.errors import InputError
from glaze.model.job import After, IfFailed, JobState, NewJob
from glaze.model.value import JobId, WorkflowId, WorkspaceId
from glaze.model.workflow import Edge, Node, Step, WorkflowView
from glaze.store.attempt import Row
from glaze.store.database import Connection, Database
from glaze.store.job import JobStore
from glaze.store.statements import statements

_sql = statements("workflow")


class WorkflowStore:
    """Workflows of a workspace. Their steps are jobs like any other."""

    def __init__(self, db: Database, jobs: JobStore) -> None:
        """Use the pools of ``db``; steps are made and cancelled through ``jobs``."""
        self._db = db
        self._jobs = jobs

    async def start(
        self, workspace_id: WorkspaceId, name: str, steps: Sequence[Step]
    ) -> WorkflowId:
        """Enqueue all steps in one transaction; each may come after earlier ones, by name.

        Raises: InputError where there is no step, or one waits for what does not exist.
        """
        if not steps:
            raise InputError(f"workflow {name!r} has no steps")
        async with self._db.workspace(workspace_id) as conn:
            [row] = await _rows(conn, "create", name=name)
            ids = [JobId(one["id"]) for one in await _rows(conn, "new_ids", n=len(steps))]
            jobs = _tied(steps, ids, row["id"])
            enqueued = await self._jobs.enqueue_within(conn, jobs, ids)
        self._jobs.tell(enqueued.made)
        return WorkflowId(row["id"])

    async def view(self, workspace_id: WorkspaceId, workflow_id: WorkflowId) -> WorkflowView | None:
        """Return a workflow as a graph, or None where there is none."""
        async with self._db.workspace(workspace_id) as conn:
            found = await _rows(conn, "get", workflow=workflow_id)
            nodes = await _rows(conn, "nodes", workflow=workflow_id)
            edges = await _rows(conn, "edges", jobs=[row["id"] for row in nodes])
        if not found:
            return None
        return WorkflowView(
            **found[0],
            nodes=tuple(Node(**row | {"state": JobState(row["state"])}) for row in nodes),
            edges=tuple(Edge(**row | {"if_failed": IfFailed(row["if_failed"])}) for row in edges),
        )

    async def cancel(
        self, workspace_id: WorkspaceId, workflow_id: WorkflowId
    ) -> dict[JobId, JobState]:
        """Cancel what has not begun and ask what runs to stop; return the steps touched.

        Who waits for one of the steps from outside does as its policy says.

        Raises: InputError where there is no such workflow.
        """
        view = await self.view(workspace_id, workflow_id)
        if view is None:
            raise InputError(f"there is no workflow {workflow_id}")
        return await self._jobs.cancel(workspace_id, [node.id for node in view.nodes])


def _tied(steps: Sequence[Step], ids: Sequence[JobId], workflow_id: WorkflowId) -> list[NewJob]:
    """Return the steps' jobs, which name one another by id."""
    id_of = {step.name: job_id for step, job_id in zip(steps, ids, strict=True)}
    return [
        replace(
            step.job,
            workflow_id=workflow_id,
            step=step.name,
            after=(*step.job.after, *(After(id_of[n], policy) for n, policy in step.after.items())),
        )
        for step in steps
    ]


async def _rows(conn: Connection, statement: str, **params: object) -> list[Row]:
    return await (await conn.execute(_sql[statement], params)).fetchall()
