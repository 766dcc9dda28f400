"""Members of a workspace, their sessions, invitations, and how often somebody tried to sign in."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row

from glaze.errors import NotFound, RoleRefused
from glaze.model.access import COMMAND_LINE, Role
from glaze.model.value import Json, WorkspaceId
from glaze.store.audit import Deed, note
from glaze.store.database import Connection, Database
from glaze.store.statements import statements

_sql = statements("member")


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member as people may see one. Times are aware UTC."""

    id: int
    email: str
    role: Role
    created_at: datetime
    last_login_at: datetime | None
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An invitation, without its secret."""

    id: int
    email: str
    role: Role
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Removed:
    """A member who was removed, and the ids of what was taken back with that."""

    member: MemberView
    keys: tuple[int, ...]
    invitations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a password is held against."""

    id: int
    role: Role
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session that counts, and whose it is."""

    member_id: int
    role: Role
    left_s: float  # that it counts at most
    id: int


@dataclass(frozen=True, slots=True)
class By:
    """Who changes members, and as what: nobody gives or takes a role above their own."""

    actor: str = COMMAND_LINE
    role: Role = Role.OWNER

    def must_cover(self, *roles: Role) -> None:
        """Raises: RoleRefused where one of ``roles`` is not theirs to give or take."""
        for role in roles:
            if not self.role.covers(role):
                raise RoleRefused(f"{self.role} may not give or take the role {role}")


class MemberStore:
    """Members of each workspace. Every change is in its audit log."""

    def __init__(self, db: Database) -> None:
        """Use the pools of ``db``."""
        self._db = db

    async def some(self, workspace_id: WorkspaceId) -> bool:
        """Tell whether anybody can sign in."""
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["some"])).fetchone()
        return bool(row and row["some"])

    async def find(self, workspace_id: WorkspaceId, email: str) -> SignIn | None:
        """Return who signs in by an address, None where nobody does."""
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["find"], {"email": email})).fetchone()
        return SignIn(row["id"], Role(row["role"]), row["password"]) if row else None

    async def add(
        self, workspace_id: WorkspaceId, email: str, role: Role, password: str, by: By
    ) -> MemberView | None:
        """Make a member of somebody; None where they are one. ``password`` is its hash."""
        by.must_cover(role)
        async with self._db.workspace(workspace_id) as conn:
            view = await _add(conn, email, role, password)
            if view is not None:
                await note(conn, Deed(by.actor, "member.add", f"user {view.id}", {"role": role}))
        return view

    async def set_role(
        self, workspace_id: WorkspaceId, member_id: int, role: Role, by: By
    ) -> MemberView:
        """Let a member do more or less, at once in every session.

        With a lower role go the invitations that they sent; with the last that may make keys, theirs.

        Raises: NotFound; RoleRefused for a role above one's own, and for the last owner.
        """
        async with self._db.workspace(workspace_id) as conn:
            before = await self._held(conn, member_id, by, role)
            [row] = await (
                await conn.execute(_sql["set_role"], {"id": member_id, "role": role})
            ).fetchall()
            lowered = not role.covers(before)
            told: dict[str, Json] = {"from": before, "to": role}
            if lowered:
                told |= await _took_back(conn, member_id, keys=not role.covers(Role.ADMIN))
            await note(conn, Deed(by.actor, "member.role", f"user {member_id}", told))
        return _view(row)

    async def remove(
        self, workspace_id: WorkspaceId, member_id: int, by: By, *, keep_keys: bool = False
    ) -> Removed:
        """Let a member sign in no more, sign them out everywhere, and take back what they handed out.

        Args:
            workspace_id: Whose member it is.
            member_id: Who is removed.
            by: Who removes them.
            keep_keys: Whether the API keys that they made, and may know, go on to count.

        Raises: NotFound; RoleRefused for a role above one's own, and for the last owner.
        """
        async with self._db.workspace(workspace_id) as conn:
            await self._held(conn, member_id, by, None)
            [row] = await (await conn.execute(_sql["disable"], {"id": member_id})).fetchall()
            await conn.execute(_sql["end_sessions"], {"id": member_id, "but": None})
            told = await _took_back(conn, member_id, keys=not keep_keys)
            await note(conn, Deed(by.actor, "member.remove", f"user {member_id}", told))
        return Removed(_view(row), tuple(told["keys"]), tuple(told["invitations"]))

    async def set_password(
        self,
        workspace_id: WorkspaceId,
        member_id: int,
        password: str,
        *,
        but: bytes | None = None,
        actor: str = COMMAND_LINE,
    ) -> None:
        """Keep another hash, and sign the member out everywhere but in the session ``but``."""
        async with self._db.workspace(workspace_id) as conn:
            await conn.execute(_sql["set_password"], {"id": member_id, "password": password})
            await conn.execute(_sql["end_sessions"], {"id": member_id, "but": but})
            await note(conn, Deed(actor, "member.password", f"user {member_id}"))

    async def begin(
        self, workspace_id: WorkspaceId, member_id: int, digest: bytes, lasts_s: float
    ) -> datetime:
        """Begin a session and return when it ends at the latest."""
        kept = {"member": member_id, "digest": digest, "lasts_s": lasts_s}
        async with self._db.workspace(workspace_id) as conn:
            await conn.execute(_sql["forget_expired"])
            [row] = await (await conn.execute(_sql["begin"], kept)).fetchall()
            await note(conn, Deed(f"user {member_id}", "session.begin"))
        ends: datetime = row["expires_at"]
        return ends

    async def session(
        self, workspace_id: WorkspaceId, digest: bytes, idle_s: float
    ) -> SessionView | None:
        """Return the session of which ``digest`` is kept, where it counts now."""
        async with self._db.workspace(workspace_id) as conn:
            found = await conn.execute(_sql["session"], {"digest": digest, "idle_s": idle_s})
            row = await found.fetchone()
        return SessionView(**row | {"role": Role(row["role"])}) if row else None

    async def end(self, workspace_id: WorkspaceId, digest: bytes) -> None:
        """End one session."""
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["end"], {"digest": digest})).fetchone()
            if row is not None:
                await note(conn, Deed(f"user {row['member_id']}", "session.end"))

    async def end_all(self, workspace_id: WorkspaceId, member_id: int, *, actor: str) -> None:
        """Sign a member out everywhere."""
        async with self._db.workspace(workspace_id) as conn:
            await conn.execute(_sql["end_sessions"], {"id": member_id, "but": None})
            await note(conn, Deed(actor, "session.end_all", f"user {member_id}"))

    async def invite(
        self,
        workspace_id: WorkspaceId,
        email: str,
        role: Role,
        digest: bytes,
        *,
        lasts_s: float,
        by: By,
    ) -> InvitationView:
        """Keep an invitation, in place of an earlier one. Raises: RoleRefused."""
        by.must_cover(role)
        kept = {"email": email, "role": role, "digest": digest, "lasts_s": lasts_s}
        async with self._db.workspace(workspace_id) as conn:
            [row] = await (await conn.execute(_sql["invite"], kept)).fetchall()
            told = Deed(by.actor, "invitation.create", f"invitation {row['id']}", {"role": role})
            await note(conn, told)
        return InvitationView(**row | {"role": Role(row["role"])})

    async def invitations(self, workspace_id: WorkspaceId) -> list[InvitationView]:
        """Return those that can still be accepted, newest first."""
        rows = await self._db.workspace_rows(
            workspace_id, _sql["invitations"], {}, row_factory=dict_row
        )
        return [InvitationView(**row | {"role": Role(row["role"])}) for row in rows]

    async def withdraw(self, workspace_id: WorkspaceId, invitation_id: int, by: By) -> bool:
        """Let an invitation count no more; False where there is none."""
        async with self._db.workspace(workspace_id) as conn:
            row = await (await conn.execute(_sql["withdraw"], {"id": invitation_id})).fetchone()
            if row is not None:
                target = f"invitation {invitation_id}"
                await note(conn, Deed(by.actor, "invitation.withdraw", target))
        return row is not None

    async def accept(
        self, workspace_id: WorkspaceId, digest: bytes, password: str
    ) -> MemberView | None:
        """Make a member of who was invited; None where it counts no more. It counts once.

        ``password`` is its hash; where they are a member by now, nothing of them is changed.
        """
        async with self._db.workspace(workspace_id) as conn:
            found = await (await conn.execute(_sql["accept"], {"digest": digest})).fetchone()
            if found is None:
                return None
            view = await _add(conn, found["email"], Role(found["role"]), password)
            if view is not None:
                told = Deed(f"user {view.id}", "invitation.accept", None, {"role": view.role})
                await note(conn, told)
        return view

    async def attempt(
        self, workspace_id: WorkspaceId, subject: bytes, window_s: float
    ) -> tuple[int, float]:
        """Count one try of ``subject``; return which it is within its time, and what is left of that."""
        tried = {"subject": subject, "window_s": window_s}
        async with self._db.workspace(workspace_id) as conn:
            [row] = await (await conn.execute(_sql["attempt"], tried)).fetchall()
        return row["attempts"], row["left_s"]

    async def forget_attempts(self, workspace_id: WorkspaceId, subject: bytes) -> None:
        """Let ``subject`` begin anew."""
        async with self._db.workspace(workspace_id) as conn:
            await conn.execute(_sql["forget_attempts"], {"subject": subject})

    async def list(self, workspace_id: WorkspaceId) -> list[MemberView]:
        """Return all members, also those who left, oldest first."""
        async with self._db.workspace(workspace_id) as conn:
            rows = await (await conn.execute(_sql["list"])).fetchall()
        return [_view(row) for row in rows]

    async def _held(self, conn: Connection, member_id: int, by: By, after: Role | None) -> Role:
        """Hold a member who is to have the role ``after`` (None: none) and return the one before."""
        owners = await (await conn.execute(_sql["hold_owners"])).fetchall()
        row = await (await conn.execute(_sql["get"], {"id": member_id})).fetchone()
        if row is None:
            raise NotFound(f"there is no member {member_id}")
        before = Role(row["role"])
        by.must_cover(before, *(() if after is None else (after,)))
        if before is Role.OWNER and after is not Role.OWNER and len(owners) == 1:
            raise RoleRefused("the last owner stays one: make somebody else an owner first")
        return before


async def _took_back(conn: Connection, member_id: int, *, keys: bool) -> dict[str, list[int]]:
    """Take invitations and, where asked, ``keys`` of a member back; return their ids."""
    whose = {"actor": f"user {member_id}"}
    invited = await (await conn.execute(_sql["take_back_invitations"], whose)).fetchall()
    made = await (await conn.execute(_sql["take_back_keys"], whose)).fetchall() if keys else []
    return {
        "keys": sorted(row["id"] for row in made),
        "invitations": sorted(row["id"] for row in invited),
    }


async def _add(conn: Connection, email: str, role: Role, password: str) -> MemberView | None:
    kept = {"email": email, "role": role, "password": password}
    row = await (await conn.execute(_sql["add"], kept)).fetchone()
    return _view(row) if row else None


def _view(row: dict[str, Any]) -> MemberView:
    return MemberView(**row | {"role": Role(row["role"])})
