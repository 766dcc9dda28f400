"""``/workflows``: a few jobs that come after one another, made, seen and cancelled as one."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from glaze.api.auth import Reader, Writer
from glaze.api.schemas import PROBLEMS, V1, RowId, Tag
from glaze.api.services import Services
from glaze.errors import NotFound
from glaze.jobs.enqueue import new_job
from glaze.jobs.workflow import MOST_STEPS, Workflow, start
from glaze.model.job import IfFailed, JobState
from glaze.model.value import WorkflowId, WorkspaceId

Name = Annotated[str, Field(min_length=1, max_length=100)]


class StepIn(BaseModel):
    """One job, and the earlier steps that it comes after."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    kind: str = Field(max_length=255)
    args: dict[str, Any] = Field(default_factory=dict)
    after: list[Name] = Field(default_factory=list, max_length=MOST_STEPS)
    if_failed: IfFailed = Field(
        default=IfFailed.CANCEL, description="what becomes of it where one of these fails"
    )
    priority: int = Field(default=3, ge=1, le=5)
    tags: list[Tag] = Field(default_factory=list, max_length=20)


class WorkflowIn(BaseModel):
    """Steps; each may come after ones that stand before it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "refresh",
                    "steps": [
                        {
                            "name": "company",
                            "kind": "enrich",
                            "args": {
                                "input": {"domain": "example.com"},
                                "required_fields": ["company_name"],
                            },
                        },
                        {
                            "name": "phone",
                            "kind": "enrich",
                            "args": {
                                "input": {"domain": "example.com"},
                                "required_fields": ["company_phone"],
                            },
                            "after": ["company"],
                        },
                    ],
                }
            ]
        },
    )

    name: Name
    steps: list[StepIn] = Field(min_length=1, max_length=MOST_STEPS)


class StepOut(BaseModel):
    """A step as it stands."""

    job_id: int
    step: str
    kind: str
    state: JobState
    error: str | None
    started_at: datetime | None
    finished_at: datetime | None


class EdgeOut(BaseModel):
    """A job comes after another one, or after a batch."""

    job_id: int
    after_job: int | None
    after_batch: int | None
    if_failed: IfFailed


class WorkflowOut(BaseModel):
    """A workflow as a graph."""

    id: int
    name: str
    state: str = Field(description="running until every step is at its end, then the worst end")
    created_at: datetime
    steps: list[StepOut]
    edges: list[EdgeOut]


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["workflows"], responses=PROBLEMS)

    @router.post("/workflows", status_code=202, summary="Start a workflow")
    async def create(body: WorkflowIn, who: Writer, response: Response) -> WorkflowOut:
        """Make all steps at once, or none. A step is given the results of those before it."""
        flow = Workflow(body.name)
        for step in body.steps:
            options = {"priority": step.priority, "tags": tuple(step.tags)}
            job = new_job(services.kinds, step.kind, step.args, **options)
            flow.step(step.name, job, after=step.after, if_failed=step.if_failed)
        made = await start(services.workflows, services.kinds, who.workspace_id, flow)
        response.headers["Location"] = f"/v1/workflows/{made}"
        return await _get(services, who.workspace_id, made)

    @router.get("/workflows/{workflow_id}", summary="Follow a workflow")
    async def show(workflow_id: RowId, who: Reader) -> WorkflowOut:
        """Return a workflow with its steps and who comes after whom."""
        return await _get(services, who.workspace_id, WorkflowId(workflow_id))

    @router.post("/workflows/{workflow_id}/cancel", summary="Cancel a workflow")
    async def cancel(workflow_id: RowId, who: Writer) -> WorkflowOut:
        """Cancel the steps that have not begun, and ask those that run to stop."""
        await _get(services, who.workspace_id, WorkflowId(workflow_id))
        await services.workflows.cancel(who.workspace_id, WorkflowId(workflow_id))
        return await _get(services, who.workspace_id, WorkflowId(workflow_id))

    return router


async def _get(
    services: Services, workspace_id: WorkspaceId, workflow_id: WorkflowId
) -> WorkflowOut:
    """Raises: NotFound."""
    view = await services.workflows.view(workspace_id, workflow_id)
    if view is None:
        raise NotFound(f"there is no workflow {workflow_id}")
    steps = [
        StepOut(
            job_id=node.id,
            step=node.step,
            kind=node.kind,
            state=node.state,
            error=node.error,
            started_at=node.started_at,
            finished_at=node.finished_at,
        )
        for node in view.nodes
    ]
    edges = [
        EdgeOut(
            job_id=edge.child_id,
            after_job=edge.parent_id,
            after_batch=edge.batch_id,
            if_failed=edge.if_failed,
        )
        for edge in view.edges
    ]
    return WorkflowOut(
        id=view.id,
        name=view.name,
        state=view.state,
        created_at=view.created_at,
        steps=steps,
        edges=edges,
    )
