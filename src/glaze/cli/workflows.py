"""``glaze workflows``: see a workflow as a tree, cancel it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.tree import Tree

from glaze.boot.process import run
from glaze.cli.opening import boot, workspace
from glaze.cli.screen import out, print_json, quiet, say
from glaze.errors import InputError
from glaze.model.job import TERMINAL, JobState
from glaze.model.value import JobId, Json, WorkflowId
from glaze.model.workflow import Edge, Node, WorkflowView
from glaze.settings import load_settings

workflows = typer.Typer(help="See and cancel workflows.", no_args_is_help=True)

Id = Annotated[int, typer.Argument(metavar="ID", min=1, max=2**63 - 1)]

_MOST_NAMED = 5
_COLOURS = {
    **dict.fromkeys((JobState.COMPLETED, JobState.PARTIAL), "green"),
    **dict.fromkeys((JobState.FAILED, JobState.DEAD), "red"),
    JobState.CANCELLED: "yellow",
    JobState.PROCESSING: "cyan",
}


@workflows.command()
def show(
    workflow: Id,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Steps and edges as one JSON object, for machines.")
    ] = False,
) -> None:
    """Show a workflow as a tree: each step below the first one that it comes after."""
    view = run(_view(WorkflowId(workflow)))
    if as_json:
        print_json(_as_json(view))
        return
    out.print(_tree(view))


@workflows.command()
def cancel(workflow: Id) -> None:
    """Cancel the steps that have not begun, and ask those that run to stop."""
    touched = run(_cancel(WorkflowId(workflow)))
    asked = sum(state not in TERMINAL for state in touched.values())
    say(f"{len(touched) - asked} steps cancelled, {asked} asked to stop")


async def _view(workflow_id: WorkflowId) -> WorkflowView:
    async with boot(quiet(load_settings())) as app:
        view = await app.workflows.view(workspace(), workflow_id)
    if view is None:
        raise InputError(f"there is no workflow {workflow_id}")
    return view


async def _cancel(workflow_id: WorkflowId) -> Mapping[JobId, JobState]:
    async with boot(quiet(load_settings())) as app:
        return await app.workflows.cancel(workspace(), workflow_id)


def _tree(view: WorkflowView) -> Tree:
    parents: dict[JobId, list[Edge]] = defaultdict(list)
    for edge in view.edges:
        parents[edge.child_id].append(edge)
    said = ", ".join(f"{n} {state}" for state, n in view.counts.items())
    tree = Tree(escape(f"workflow {view.id} {view.name}: {view.state} ({said})"))
    names = {node.id: node.step for node in view.nodes}
    branches: dict[JobId, Tree] = {}
    for node in view.nodes:  # parents stand before their children
        edges = parents[node.id]
        place = next((e.parent_id for e in edges if e.parent_id in branches), None)
        others = [_parent(e, names) for e in edges if place is None or e.parent_id != place]
        stem = tree if place is None else branches[place]
        branches[node.id] = stem.add(_line(node, others))
    return tree


def _parent(edge: Edge, names: Mapping[JobId, str]) -> str:
    if edge.parent_id is None:
        return f"batch {edge.batch_id}"
    return names.get(edge.parent_id, f"job {edge.parent_id}")


def _line(node: Node, others: Sequence[str]) -> str:
    colour = _COLOURS.get(node.state, "white")
    line = f"{escape(node.step)}  [{colour}]{node.state}[/]  {escape(node.kind)}, job {node.id}"
    if others:
        more = len(others) - _MOST_NAMED
        named = ", ".join(others[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
        line += f", also after {escape(named)}"
    return line + (f": {escape(node.error)}" if node.error else "")


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _as_json(view: WorkflowView) -> Json:
    return {
        "id": view.id,
        "name": view.name,
        "state": view.state,
        "created_at": view.created_at.isoformat(),
        "steps": [
            {
                "job": node.id,
                "step": node.step,
                "kind": node.kind,
                "state": node.state,
                "error": node.error,
                "started_at": _iso(node.started_at),
                "finished_at": _iso(node.finished_at),
            }
            for node in view.nodes
        ],
        "edges": [
            {
                "job": edge.child_id,
                "after_job": edge.parent_id,
                "after_batch": edge.batch_id,
                "if_failed": edge.if_failed,
            }
            for edge in view.edges
        ],
    }
