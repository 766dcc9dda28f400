"""Members who sign in: passwords, sessions and invitations, for routes and commands alike."""

import hashlib
import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from glaze.errors import InputError, LoginRefused, NotFound, TooManyRequests
from glaze.model.access import Principal, Role
from glaze.model.member import (
    Kind,
    checked_email,
    checked_password,
    csrf_token,
    new_secret,
    workspace_of,
)
from glaze.model.value import DEFAULT_WORKSPACE, WorkspaceId
from glaze.secrets.passwords import Passwords
from glaze.store.member import By, InvitationView, MemberStore, MemberView
from glaze.store.workspace import WorkspaceStore

log = structlog.get_logger("api")

WINDOW_S: Final = 900.0
"""For so long tries are counted; then they begin anew."""
MOST_OF_ACCOUNT: Final = 10
MOST_OF_ADDRESS: Final = 50
INVITED_S: Final = timedelta(days=7).total_seconds()
_REFUSED: Final = "there is no such member in the workspace, or the password is another"


@dataclass(frozen=True, slots=True)
class Session:
    """A session that has just begun. ``text`` is for the cookie alone."""

    text: str = field(repr=False)
    expires_at: datetime

    @property
    def csrf(self) -> str:
        """What its page shows with each change."""
        return csrf_token(self.text)


@dataclass(frozen=True, slots=True)
class Invited:
    """A new invitation. ``text`` is shown now and never again."""

    view: InvitationView
    text: str = field(repr=False)


class SignIns:
    """Signs members in and out."""

    def __init__(
        self,
        members: MemberStore,
        workspaces: WorkspaceStore,
        passwords: Passwords,
        *,
        lasts_s: float,
        idle_s: float,
    ) -> None:
        """Let a session last ``lasts_s`` seconds, and ``idle_s`` from its last request."""
        self._members = members
        self._workspaces = workspaces
        self._passwords = passwords
        self._lasts_s = lasts_s
        self._idle_s = idle_s

    async def login(
        self, workspace: str, email: str, password: str, *, address: str, before: str | None = None
    ) -> Session:
        """Begin a session of its own for who knows the password; the one shown ``before`` is over.

        Who is not there is refused as who has another password, after the same work.

        Raises: LoginRefused; TooManyRequests after too many tries of an account or address.
        """
        email = email.strip().lower()
        await self._count(DEFAULT_WORKSPACE, _subject("address", address), MOST_OF_ADDRESS)
        found = await self._workspaces.find(workspace)
        workspace_id = found.id if found else DEFAULT_WORKSPACE
        account = _subject("account", workspace, email)
        await self._count(workspace_id, account, MOST_OF_ACCOUNT)
        member = await self._members.find(workspace_id, email if found else "")
        if not await self._passwords.matches(member.password if member else None, password):
            log.warning("login refused", address=address)
            raise LoginRefused(_REFUSED)
        if member is None:
            raise LoginRefused(_REFUSED)
        await self._members.forget_attempts(workspace_id, account)
        if before is not None:
            await self.logout(before)
        return await self._begin(workspace_id, member.id)

    async def logout(self, text: str) -> None:
        """End a session."""
        workspace_id = workspace_of(Kind.SESSION, text)
        if workspace_id is not None:
            await self._members.end(workspace_id, _digest(text))

    async def logout_everywhere(self, who: Principal) -> None:
        """End every session of who has signed in."""
        await self._members.end_all(who.workspace_id, member_of(who), actor=who.actor)

    async def change_password(self, who: Principal, text: str, current: str, new: str) -> Session:
        """Keep another password; all sessions end, and the one that asked goes on under a new name.

        Raises: LoginRefused for another current password; InputError for one that cannot be;
            TooManyRequests.
        """
        workspace_id, member_id = who.workspace_id, member_of(who)
        view = await self.whose(who)
        account = _subject("password", str(member_id))
        await self._count(workspace_id, account, MOST_OF_ACCOUNT)
        member = await self._members.find(workspace_id, view.email)
        if not await self._passwords.matches(member.password if member else None, current):
            raise LoginRefused("the current password is another")
        checked_password(new, view.email)
        kept = await self._passwords.hashed(new)
        await self._members.set_password(workspace_id, member_id, kept, actor=who.actor)
        await self._members.forget_attempts(workspace_id, account)
        await self.logout(text)
        return await self._begin(workspace_id, member_id)

    async def admit(self, text: str) -> tuple[Principal, float] | None:
        """Return on whose behalf who shows a session's cookie acts, and how long it counts, in seconds."""
        workspace_id = workspace_of(Kind.SESSION, text)
        if workspace_id is None:
            return None
        found = await self._members.session(workspace_id, _digest(text), self._idle_s)
        if found is None:
            return None
        scopes = frozenset({found.role.scope})
        actor = f"user {found.member_id}"
        who = Principal(workspace_id, actor, scopes, role=found.role, session_id=found.id)
        return who, found.left_s

    async def whose(self, who: Principal) -> MemberView:
        """Return the member who has signed in. Raises: NotFound for a key."""
        for member in await self._members.list(who.workspace_id):
            if member.id == member_of(who):
                return member
        raise NotFound("the member has left")

    async def workspace_name(self, who: Principal) -> str:
        """Return what the workspace is called in which somebody has signed in. Raises: NotFound."""
        for one in await self._workspaces.list():
            if one.id == who.workspace_id:
                return one.name
        raise NotFound("the workspace is gone")

    async def add(
        self, workspace_id: WorkspaceId, email: str, role: Role, password: str, by: By
    ) -> MemberView | None:
        """Make a member of somebody; None where they are one. Raises: InputError, RoleRefused."""
        email = checked_email(email)
        kept = await self._passwords.hashed(checked_password(password, email))
        return await self._members.add(workspace_id, email, role, kept, by)

    async def reset_password(self, workspace_id: WorkspaceId, email: str, password: str) -> None:
        """Give a member another password, and sign them out everywhere.

        Raises: InputError for one that cannot be; NotFound.
        """
        email = checked_email(email)
        found = await self._members.find(workspace_id, email)
        if found is None:
            raise NotFound(f"there is no member {email}")
        kept = await self._passwords.hashed(checked_password(password, email))
        await self._members.set_password(workspace_id, found.id, kept)

    async def invite(
        self,
        workspace_id: WorkspaceId,
        email: str,
        role: Role,
        by: By,
        *,
        lasts_s: float = INVITED_S,
    ) -> Invited:
        """Draw an invitation that counts once, for ``lasts_s`` seconds.

        Raises: InputError, RoleRefused.
        """
        email = checked_email(email)
        if await self._members.find(workspace_id, email) is not None:
            raise InputError("they are a member already")
        drawn = new_secret(Kind.INVITATION, workspace_id)
        kept = await self._members.invite(
            workspace_id, email, role, drawn.digest, lasts_s=lasts_s, by=by
        )
        return Invited(kept, drawn.text)

    async def accept(self, text: str, password: str, *, address: str) -> Session:
        """Make a member of who was invited, and sign them in.

        Raises: LoginRefused for an invitation that counts no more; InputError; TooManyRequests.
        """
        await self._count(DEFAULT_WORKSPACE, _subject("address", address), MOST_OF_ADDRESS)
        workspace_id = workspace_of(Kind.INVITATION, text)
        checked_password(password, "")
        kept = await self._passwords.hashed(password)
        view = None
        if workspace_id is not None:
            view = await self._members.accept(workspace_id, _digest(text), kept)
        if workspace_id is None or view is None:
            raise LoginRefused("the invitation is unknown, used or too old: get another")
        return await self._begin(workspace_id, view.id)

    async def _begin(self, workspace_id: WorkspaceId, member_id: int) -> Session:
        drawn = new_secret(Kind.SESSION, workspace_id)
        ends = await self._members.begin(workspace_id, member_id, drawn.digest, self._lasts_s)
        return Session(drawn.text, ends)

    async def _count(self, workspace_id: WorkspaceId, subject: bytes, most: int) -> None:
        """Count a try before it is made: many at once are no more. Raises: TooManyRequests."""
        tries, left_s = await self._members.attempt(workspace_id, subject, WINDOW_S)
        if tries > most:
            wait_s = max(1, math.ceil(left_s))
            raise TooManyRequests(f"too many tries; wait {wait_s} s", retry_after_s=wait_s)


def member_of(who: Principal) -> int:
    """Return the id of the member who has signed in. Raises: NotFound for a key."""
    if who.role is None:
        raise NotFound("a key has no session: sign in")
    return int(who.actor.removeprefix("user "))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _subject(*parts: str) -> bytes:
    return hashlib.sha256("\n".join(parts).encode()).digest()
