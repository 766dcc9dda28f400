"""``/views``: the criteria of a list, saved under a name for all who work there."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from glaze.api.auth import Reader, Writer
from glaze.api.etag import IfMatch
from glaze.api.schemas import PROBLEMS, V1, RowId
from glaze.api.services import Services
from glaze.errors import EditConflict
from glaze.store.view import Listed, View

Text = Annotated[str, Field(max_length=500)]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S")]
Parameters = Annotated[
    dict[Annotated[str, Field(max_length=100)], Annotated[list[Text], Field(max_length=100)]],
    Field(max_length=50, description="query parameters of the list, each with its values"),
]


class ViewChange(BaseModel):
    """What a view is called and shows."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "dead", "query": {"state": ["dead"]}}]},
    )

    name: Name
    query: Parameters


class ViewIn(ViewChange):
    """A view of a list."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"list": "jobs", "name": "dead", "query": {"state": ["dead"]}}]
        },
    )

    list: Listed


class ViewOut(BaseModel):
    """A saved view."""

    id: int
    list: Listed
    name: str
    query: Parameters
    created_by: str
    created_at: datetime
    updated_at: datetime


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["views"], responses=PROBLEMS)
    views = services.views

    @router.get("/views", summary="List saved views")
    async def listed(
        who: Reader,
        list_: Annotated[
            Listed | None, Query(alias="list", description="only of this list")
        ] = None,
    ) -> list[ViewOut]:
        """Return the workspace's views by list and name."""
        return [_shown(one) for one in await views.listed(who.workspace_id, list_)]

    @router.post("/views", status_code=201, summary="Save a view")
    async def create(body: ViewIn, who: Writer, response: Response) -> ViewOut:
        """Save the criteria of a list under a name that no other view of the list has."""
        made = await views.create(
            who.workspace_id, body.list, body.name.strip(), {**body.query}, by=who.actor
        )
        response.headers["Location"] = f"/v1/views/{made.id}"
        return _told(made, response)

    @router.get("/views/{view_id}", summary="One saved view")
    async def show(view_id: RowId, who: Reader, response: Response) -> ViewOut:
        """Return a view; its `ETag` is for `If-Match` of a change."""
        return _told(await views.get(who.workspace_id, view_id), response)

    @router.put("/views/{view_id}", summary="Change a saved view")
    async def change(
        view_id: RowId, body: ViewChange, who: Writer, response: Response, if_match: IfMatch = None
    ) -> ViewOut:
        """Save other criteria, or another name.

        With `If-Match` one that somebody else changed meanwhile is a 412 `edit_conflict`.
        """
        changed = await views.change(
            who.workspace_id,
            view_id,
            body.name.strip(),
            {**body.query},
            version=_version(if_match),
        )
        return _told(changed, response)

    @router.delete("/views/{view_id}", status_code=204, summary="Delete a saved view")
    async def delete(view_id: RowId, who: Writer, if_match: IfMatch = None) -> None:
        """Delete a view; `If-Match` as for a change."""
        await views.delete(who.workspace_id, view_id, version=_version(if_match))

    return router


def _version(if_match: str | None) -> int | None:
    """Return which version is meant, None for any. Raises: EditConflict where it can be none."""
    if if_match is None or if_match == "*":
        return None
    digits = if_match.strip('"')
    if not digits.isdecimal() or len(digits) > 9:  # noqa: PLR2004  digits of a version
        raise EditConflict("that is no ETag of a view: read it again")
    return int(digits)


def _told(view: View, response: Response) -> ViewOut:
    response.headers["ETag"] = f'"{view.version}"'
    return _shown(view)


def _shown(view: View) -> ViewOut:
    return ViewOut.model_validate(view, from_attributes=True)
