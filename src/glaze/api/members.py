"""``/members``: who may sign in to the workspace, as what, and who is invited to."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from glaze.api.auth import Admin
from glaze.api.schemas import PROBLEMS, V1, RowId
from glaze.api.services import Services
from glaze.errors import NotFound
from glaze.model.access import Principal, Role
from glaze.model.member import LONGEST_EMAIL
from glaze.store.member import By, InvitationView, MemberView


class InviteIn(BaseModel):
    """Who is invited, and as what."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"email": "ada@example.com", "role": "editor"}]},
    )

    email: str = Field(min_length=3, max_length=LONGEST_EMAIL)
    role: Role


class RoleIn(BaseModel):
    """What a member may do from now on."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"role": "viewer"}]})

    role: Role


class MemberOut(BaseModel):
    """A member."""

    id: int
    email: str
    role: Role
    created_at: datetime
    last_login_at: datetime | None
    disabled_at: datetime | None = Field(description="who was removed; nobody signs in as they")


class RemovedOut(MemberOut):
    """A member who was removed, and what they had handed out."""

    revoked_keys: list[int] = Field(description="ids of the API keys that they, or these, had made")
    withdrawn_invitations: list[int]


class InvitationOut(BaseModel):
    """An invitation that can still be accepted."""

    id: int
    email: str
    role: Role
    created_at: datetime
    expires_at: datetime


class InvitedOut(InvitationOut):
    """A new invitation."""

    token: str = Field(description="goes to who is invited: shown now and never again")


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["access"], responses=PROBLEMS)
    members, sign_ins = services.members, services.sign_ins

    @router.get("/members", summary="List members")
    async def list_members(who: Admin) -> list[MemberOut]:
        """Return all members, also those who were removed, oldest first."""
        return [_shown(one) for one in await members.list(who.workspace_id)]

    @router.patch("/members/{member_id}", summary="Change what a member may do")
    async def change(member_id: RowId, body: RoleIn, who: Admin, request: Request) -> MemberOut:
        """Give a member another role, in every session. Nobody gives or takes one above their own."""
        changed = await members.set_role(who.workspace_id, member_id, body.role, _by(who))
        request.app.state.gate.forget()
        return _shown(changed)

    @router.delete("/members/{member_id}", summary="Remove a member")
    async def remove(
        member_id: RowId,
        who: Admin,
        request: Request,
        keys: Annotated[
            Literal["revoke", "keep"], Query(description="what becomes of the keys that they made")
        ] = "revoke",
    ) -> RemovedOut:
        """Let a member sign in no more: out here at once, in other processes within 5 seconds.

        The invitations that they sent are withdrawn, and the API keys that they made are revoked.
        """
        removed = await members.remove(
            who.workspace_id, member_id, _by(who), keep_keys=keys == "keep"
        )
        request.app.state.gate.forget()
        return RemovedOut(
            **_shown(removed.member).model_dump(),
            revoked_keys=[*removed.keys],
            withdrawn_invitations=[*removed.invitations],
        )

    @router.get("/members/invitations", summary="List invitations")
    async def list_invitations(who: Admin) -> list[InvitationOut]:
        """Return those that can still be accepted, newest first."""
        return [_told(one) for one in await members.invitations(who.workspace_id)]

    @router.post("/members/invitations", status_code=201, summary="Invite somebody")
    async def invite(body: InviteIn, who: Admin) -> InvitedOut:
        """Make an invitation that counts once, for a week. The answer has its token, once."""
        made = await sign_ins.invite(who.workspace_id, body.email, body.role, _by(who))
        return InvitedOut(**_told(made.view).model_dump(), token=made.text)

    @router.delete(
        "/members/invitations/{invitation_id}", status_code=204, summary="Withdraw an invitation"
    )
    async def withdraw(invitation_id: RowId, who: Admin) -> None:
        """Let an invitation count no more."""
        if not await members.withdraw(who.workspace_id, invitation_id, _by(who)):
            raise NotFound(f"there is no invitation {invitation_id}")

    return router


def _by(who: Principal) -> By:
    """Return who changes members; a key with the scope ``admin`` is an admin's, no owner's."""
    return By(who.actor, who.role or Role.ADMIN)


def _shown(view: MemberView) -> MemberOut:
    return MemberOut.model_validate(view, from_attributes=True)


def _told(view: InvitationView) -> InvitationOut:
    return InvitationOut.model_validate(view, from_attributes=True)
