"""``/session``: who signs in with a password, and out."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from glaze.api.auth import COOKIE, Reader, check_page, cookie
from glaze.api.schemas import PROBLEMS, V1
from glaze.api.services import Services
from glaze.api.signing_in import Session, member_of
from glaze.errors import KeyRefused
from glaze.model.access import Role
from glaze.model.member import LONGEST_EMAIL, LONGEST_PASSWORD, SHORTEST_PASSWORD, csrf_token

Given = Annotated[SecretStr, Field(min_length=1, max_length=LONGEST_PASSWORD)]
New = Annotated[SecretStr, Field(min_length=SHORTEST_PASSWORD, max_length=LONGEST_PASSWORD)]
_PASSWORD = "correct horse battery staple"  # noqa: S105  an example


class LoginIn(BaseModel):
    """Who signs in, where."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"email": "ada@example.com", "password": _PASSWORD}]},
    )

    workspace: str = Field(default="default", min_length=1, max_length=63)
    email: str = Field(min_length=1, max_length=LONGEST_EMAIL)
    password: Given


class AcceptIn(BaseModel):
    """An invitation, and the password that its member chose."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"token": "glzi_1_...", "password": _PASSWORD}]},
    )

    token: str = Field(min_length=1, max_length=200)
    password: New


class PasswordIn(BaseModel):
    """A password in place of another."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"current": "as it was until now", "new": _PASSWORD}]},
    )

    current: Given
    new: New


class BegunOut(BaseModel):
    """A session that has begun; its cookie came with the answer."""

    csrf_token: str = Field(description="goes with each change, as `X-CSRF-Token`")
    expires_at: datetime = Field(description="at the latest")


class SessionOut(BaseModel):
    """Who has signed in."""

    member_id: int
    email: str
    role: Role
    workspace_id: int
    workspace: str = Field(description="what the workspace is called")
    csrf_token: str = Field(description="goes with each change, as `X-CSRF-Token`")


Cookie = Annotated[str | None, Depends(cookie)]


def routes(services: Services) -> APIRouter:
    """Return the routes over ``services``."""
    router = APIRouter(prefix=V1, tags=["access"], responses=PROBLEMS)
    sign_ins = services.sign_ins

    @router.post("/session", summary="Sign in")
    async def login(
        body: LoginIn, request: Request, response: Response, session: Cookie
    ) -> BegunOut:
        """Begin a session for a member of the workspace; one that was shown is over.

        After 10 tries for an account, or 50 from an address, within 15 minutes there is a 429.
        """
        check_page(request, None)
        begun = await sign_ins.login(
            body.workspace,
            body.email,
            body.password.get_secret_value(),
            address=_address(request),
            before=session,
        )
        return _begun(request, response, begun)

    @router.post("/invitations/accept", summary="Accept an invitation")
    async def accept(body: AcceptIn, request: Request, response: Response) -> BegunOut:
        """Become a member with a password of one's own, and sign in. An invitation counts once."""
        check_page(request, None)
        password = body.password.get_secret_value()
        begun = await sign_ins.accept(body.token, password, address=_address(request))
        return _begun(request, response, begun)

    @router.get("/session", summary="Who has signed in")
    async def whose(who: Reader, session: Cookie) -> SessionOut:
        """Return who has signed in, and what goes with each change. A key has no session."""
        view = await sign_ins.whose(who)
        return SessionOut(
            member_id=view.id,
            email=view.email,
            role=view.role,
            workspace_id=who.workspace_id,
            workspace=await sign_ins.workspace_name(who),
            csrf_token=csrf_token(_held(session)),
        )

    @router.delete("/session", status_code=204, summary="Sign out")
    async def logout(who: Reader, request: Request, response: Response, session: Cookie) -> None:
        """End the session."""
        member_of(who)
        await sign_ins.logout(_held(session))
        _over(request, response)

    @router.delete("/sessions", status_code=204, summary="Sign out everywhere")
    async def logout_everywhere(who: Reader, request: Request, response: Response) -> None:
        """End all sessions of the member: here at once, in other processes within 5 seconds."""
        await sign_ins.logout_everywhere(who)
        _over(request, response)

    @router.put("/session/password", summary="Change one's password")
    async def password(
        body: PasswordIn, who: Reader, request: Request, response: Response, session: Cookie
    ) -> BegunOut:
        """Keep another password. Every session ends, and this one goes on under another name."""
        begun = await sign_ins.change_password(
            who, _held(session), body.current.get_secret_value(), body.new.get_secret_value()
        )
        return _begun(request, response, begun)

    return router


def _held(session: str | None) -> str:
    if session is None:
        raise KeyRefused("a key has no session: sign in")
    return session


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _begun(request: Request, response: Response, begun: Session) -> BegunOut:
    request.app.state.gate.forget()
    response.set_cookie(
        COOKIE,
        begun.text,
        expires=begun.expires_at,
        path="/",
        secure=True,
        httponly=True,
        samesite="strict",
    )
    response.headers["Cache-Control"] = "no-store"
    return BegunOut(csrf_token=begun.csrf, expires_at=begun.expires_at)


def _over(request: Request, response: Response) -> None:
    request.app.state.gate.forget()
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
